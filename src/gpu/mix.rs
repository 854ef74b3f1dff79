//! Perturbed pictures made on the device: only masks go up.

use std::ops::Range;
use std::rc::Rc;

use super::compiled::{Compiled, Dispatch, Pending};
use super::failure::Failure;
use super::wgsl::mix::{Form, kernel};
use super::wgsl::{Kernel, Target};
use crate::{Mask, Tensor};

/// Which part of one picture each of `N` others shows; what it does not show is filled.
#[derive(Clone, Copy, Debug)]
pub enum Masks<'m> {
    /// `[N, H, W]`: `m x + (1 - m) fill`.
    Shares(&'m [f32]),
    /// The same in `f64`, narrowed at the end; a device computes in its own precision.
    Fine(&'m [f64]),
    /// The removed pixels of each picture: `fill` there, and bit for bit `x` elsewhere.
    Removed(&'m [Mask]),
    /// Shares that are grids of cells, enlarged, which a device does itself.
    Cells {
        /// What the cells become, as [`Masks::Shares`].
        shares: &'m [f32],
        /// `[N, grid, grid]`.
        cells: &'m [f32],
        /// For each mask, how many pixels down and right of the enlarged grid's corner it starts.
        shifts: &'m [[usize; 2]],
        /// How.
        how: &'m Enlarging,
    },
}

impl Masks<'_> {
    /// Number of masks over pictures of so many pixels.
    pub fn len(&self, pixels: usize) -> usize {
        match self {
            Self::Shares(shares) | Self::Cells { shares, .. } => shares.len() / pixels,
            Self::Fine(shares) => shares.len() / pixels,
            Self::Removed(masks) => masks.len(),
        }
    }

    /// Some of them.
    #[must_use]
    pub fn part(self, range: Range<usize>, pixels: usize) -> Self {
        let values = range.start * pixels..range.end * pixels;
        match self {
            Self::Shares(shares) => Self::Shares(&shares[values]),
            Self::Fine(shares) => Self::Fine(&shares[values]),
            Self::Removed(masks) => Self::Removed(&masks[range]),
            Self::Cells {
                shares,
                cells,
                shifts,
                how,
            } => Self::Cells {
                shares: &shares[values],
                cells: &cells[range.start * how.grid * how.grid..range.end * how.grid * how.grid],
                shifts: &shifts[range],
                how,
            },
        }
    }

    /// The form in which a device takes them.
    pub fn coming(&self) -> Coming {
        match self {
            Self::Shares(_) | Self::Fine(_) => Coming::Shares,
            Self::Removed(_) => Coming::Kept,
            Self::Cells { how, .. } => Coming::Cells((*how).clone()),
        }
    }
}

/// How the masks of a mixer come.
#[derive(Clone, Debug, PartialEq)]
pub enum Coming {
    /// A number a pixel.
    Shares,
    /// A bit a pixel.
    Kept,
    /// Grids of cells.
    Cells(Enlarging),
}

/// How a grid of cells becomes a mask, bilinearly: each pixel of the enlarged grid lies between two cells along each axis,
/// `first + share * (second - first)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Enlarging {
    /// Cells along a side.
    pub grid: usize,
    /// `(first, second, share)` for each row of the enlarged grid, which is at least as high as the picture.
    pub rows: Vec<(usize, usize, f32)>,
    /// The same for columns.
    pub columns: Vec<(usize, usize, f32)>,
}

/// A network with a picture and its masks before it.
#[derive(Clone, Debug)]
pub struct Mixer {
    inner: Rc<Mixing>,
}

struct Mixing {
    compiled: Compiled,
    dispatch: [Dispatch; 1],
    masks: wgpu::Buffer,
    /// `[N, C, H, W]`.
    shape: [usize; 4],
    form: Form,
    /// Most that a mask of cells may be shifted.
    slack: [usize; 2],
}

impl std::fmt::Debug for Mixing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mixing")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Masks { why: why.into() })
}

impl Compiled {
    /// Puts masks before a network whose one input is `[N, C, H, W]`: its pictures will lie between `picture` and `fill`,
    /// both `[C, H, W]`, which are uploaded once.
    ///
    /// # Errors
    /// If shapes do not fit, or as [`super::Gpu::compile`] does.
    pub async fn mixer(&self, picture: &Tensor, fill: &Tensor, coming: &Coming) -> Result<Mixer, Failure> {
        let ready = &self.inner;
        let gpu = ready.gpu.clone();
        let [input] = &ready.inputs[..] else {
            return refuse(format!(
                "the network has {} inputs, not one picture",
                ready.inputs.len()
            ));
        };
        let Ok(shape @ [n, _, h, w]) = <[usize; 4]>::try_from(&input.shape[..]) else {
            return refuse(format!("the network takes {:?}, not [N, C, H, W]", input.shape));
        };
        for given in [picture, fill] {
            if given.shape() != &shape[1..] {
                return refuse(format!("a picture is {:?}, not {:?}", given.shape(), &shape[1..]));
            }
        }
        let (form, table, columns, slack) = match coming {
            Coming::Shares => (Form::Shares, None, 0, [0, 0]),
            Coming::Kept => (Form::Bits, None, 0, [0, 0]),
            Coming::Cells(enlarging) => {
                let Enlarging { grid, rows, columns } = enlarging;
                let inside = |axis: &[(usize, usize, f32)]| axis.iter().all(|(a, b, _)| a < grid && b < grid);
                if !inside(rows) || !inside(columns) || rows.len() < h || columns.len() < w {
                    return refuse(format!("{grid} cells a side are not enlarged to {h} x {w} pixels"));
                }
                let both = rows.iter().chain(columns);
                let table: Vec<u32> = both
                    .flat_map(|&(a, b, share)| [a as u32, b as u32, share.to_bits()])
                    .collect();
                let slack = [rows.len() - h, columns.len() - w];
                (Form::Cells { grid: *grid }, Some(table), rows.len(), slack)
            }
        };
        let target = Target {
            half: ready.half,
            tiles: false,
        };
        let kernel = kernel(shape, form, columns, target);
        let (made, verdict) = gpu.watched(|| -> Result<(Dispatch, wgpu::Buffer), Failure> {
            let mut bound = vec![];
            for given in [picture, fill] {
                let buffer = gpu.buffer(4 * given.len(), || "a picture".into())?;
                gpu.write(&buffer, bytemuck::cast_slice(given.data()));
                bound.push(buffer);
            }
            let masks = gpu.buffer(4 * n * form.words(h * w), || "the masks of a batch".into())?;
            bound.push(masks.clone());
            if let Some(table) = &table {
                let buffer = gpu.buffer(4 * table.len(), || "the table of an enlarged grid".into())?;
                gpu.write(&buffer, bytemuck::cast_slice(table));
                bound.push(buffer);
            }
            bound.push(self.slot(input.slot).clone());
            let Kernel {
                source,
                reads,
                workgroups,
                ..
            } = &kernel;
            let dispatch = Dispatch {
                pipeline: gpu.pipeline(source, reads.len()),
                bindings: gpu.bind(&bound.iter().collect::<Vec<_>>()),
                workgroups: *workgroups,
            };
            Ok((dispatch, masks))
        });
        verdict.await?;
        let (dispatch, masks) = made?;
        Ok(Mixer {
            inner: Rc::new(Mixing {
                compiled: self.clone(),
                dispatch: [dispatch],
                masks,
                shape,
                form,
                slack,
            }),
        })
    }
}

impl Mixer {
    /// Runs the network on the pictures that these masks make.
    ///
    /// # Errors
    /// See [`Self::start`] and [`Pending::finish`].
    pub async fn run(&self, masks: Masks<'_>) -> Result<Vec<Tensor>, Failure> {
        self.start(masks)?.finish().await
    }

    /// Starts a run and returns at once; see [`Compiled::start`]. Where there are fewer masks than pictures of a batch, what
    /// comes out of the others means nothing.
    ///
    /// # Errors
    /// If the masks do not fit a batch or come in another form than the mixer takes, or the device is lost.
    pub fn start(&self, masks: Masks<'_>) -> Result<Pending, Failure> {
        let Mixing {
            compiled,
            dispatch,
            masks: buffer,
            shape: [n, _, h, w],
            form,
            slack,
        } = &*self.inner;
        let pixels = h * w;
        let fits = |len: usize, each: usize| {
            if len > 0 && len <= n * each && len.is_multiple_of(each) {
                Ok(())
            } else {
                refuse(format!("{len} values are not up to {n} masks of {each}"))
            }
        };
        let words: Vec<u32> = match (masks, form) {
            (Masks::Shares(shares), Form::Shares) => {
                fits(shares.len(), pixels)?;
                shares.iter().map(|m| m.to_bits()).collect()
            }
            (Masks::Fine(shares), Form::Shares) => {
                fits(shares.len(), pixels)?;
                shares.iter().map(|&m| (m as f32).to_bits()).collect()
            }
            (Masks::Removed(masks), Form::Bits) => {
                fits(masks.len(), 1)?;
                if masks.iter().any(|mask| (mask.height(), mask.width()) != (*h, *w)) {
                    return refuse(format!("a mask is not of {h} x {w} pixels"));
                }
                let word = |gone: &[bool]| gone.iter().rev().fold(0, |word, &gone| word << 1 | u32::from(!gone));
                masks.iter().flat_map(|mask| mask.bits().chunks(32).map(word)).collect()
            }
            (Masks::Cells { cells, shifts, .. }, Form::Cells { grid }) => {
                fits(cells.len(), grid * grid)?;
                if shifts.len() * grid * grid != cells.len() {
                    return refuse(format!("{} shifts for {} cells", shifts.len(), cells.len()));
                }
                if shifts.iter().any(|shift| shift[0] > slack[0] || shift[1] > slack[1]) {
                    return refuse(format!("a mask is shifted by more than {slack:?}"));
                }
                let each = shifts.iter().zip(cells.chunks(grid * grid));
                each.flat_map(|(shift, cells)| {
                    let shift = shift.map(|s| s as u32);
                    shift.into_iter().chain(cells.iter().map(|c| c.to_bits()))
                })
                .collect()
            }
            (masks, form) => return refuse(format!("{masks:?} for a mixer of {form:?}")),
        };
        compiled.launch(dispatch, |gpu| gpu.write(buffer, bytemuck::cast_slice(&words)))
    }
}
