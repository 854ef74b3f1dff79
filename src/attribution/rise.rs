//! # RISE
//!
//! **What it computes.** The mean target over pictures seen through random soft masks, each pixel weighing the masks by
//! how much of it they let through.
//!
//! **Formula.** `a = sum_k g(m[k] x + (1 - m[k]) f) m[k] / (samples * keep)`: `f` is the picture with every pixel removed
//! by the chosen imputer (0 by default), and a mask is a grid of `grid * grid` cells, each open with probability `keep`,
//! enlarged bilinearly to `grid + 1` cells of `ceil(side / grid)` pixels a side, and cut out at a random shift of less
//! than a cell.
//!
//! **Shapes and sign.** `[1, H, W]`; larger where the target is high when the pixel is seen. It has the sign of the
//! target, so that differences between pixels matter, not zero; meant for probabilities.
//!
//! **Parameters.** `samples`: masks, one pass each (the paper takes 4000 to 8000). `keep`: probability that a cell is
//! open. `grid`: cells a side.
//!
//! **When it misleads.** With few samples the map is speckled by chance: compare two seeds. Evidence smaller than a cell
//! is blurred. Imputers that fill from kept pixels are refused, since half-open pixels have no kept part.
//!
//! **Reference.** Petsiuk, Das & Saenko, RISE: Randomized Input Sampling for Explanation, BMVC 2018, arXiv:1806.07421.
//!
//! **Parity.** The formula in float64 on recorded masks `[samples, 1, H, W]` of the stream `rise/masks`, within 1e-4; the
//! masks themselves are the authors' (`skimage.transform.resize(order=1, mode="reflect")`), with our own draws.

use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::error::InputError;
use crate::exec::{Enlarging, Masks, Mixed};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct Rise;

crate::params! {
    /// Parameters of [`Rise`].
    pub struct RiseParams {
        /// Random masks; each takes one pass. More give a smoother map.
        samples: usize = 1000usize, int(1, 100_000);
        /// Probability that a cell of a mask lets the picture through.
        keep: f64 = 0.5, real(0.01, 0.99);
        /// Cells of a mask along a side; more see finer detail and need more samples.
        grid: usize = 7usize, int(1, 64);
    }
}

impl Method for Rise {
    type Params = RiseParams;
    const META: MethodMeta = MethodMeta {
        id: "rise",
        name: "RISE",
        family: Family::Perturbation,
        summary: "Shows the picture through random masks and keeps what the best ones had in common.",
        caution: "Speckled by chance when samples are few; compare two seeds.",
        reference: "Petsiuk et al. 2018, arXiv:1806.07421",
        signed: false,
        needs: &[Need::Imputer],
        axioms: &[Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, _: &Model, p: &RiseParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: p.samples as u64,
            backward: 0,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &RiseParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let recorded = cx.random.recorded("rise/masks");
        if let Some(masks) = recorded {
            let expected = [p.samples, 1, height, width];
            if masks.shape() != expected {
                let found = masks.shape().to_vec();
                return Err(InputError::Shape {
                    what: "rise/masks".into(),
                    found,
                    expected: format!("{expected:?}"),
                }
                .into());
            }
        }
        cx.removal.needs_values("RISE shows pixels partly")?;
        let remover = Remover::new(cx, input).await?;
        let fill = remover.everything("RISE shows pixels partly, so no pixel is kept to fill from")?;
        let cells = Cells::new(p.grid, height, width);
        let mut stream = cx.random.stream("rise/masks");
        let mut sum = vec![0.0f64; height * width];
        let map =
            |sum: &[f64], n: usize| Tensor::from_fn(&[1, height, width], |i| (sum[i] / (n as f64 * p.keep)) as f32);
        for range in cx.batches(p.samples) {
            let pixels = height * width;
            let (mut shares, mut drawn, mut shifts) = (Vec::new(), Vec::new(), Vec::new());
            if let Some(masks) = recorded {
                shares.extend_from_slice(&masks.data()[range.start * pixels..range.end * pixels]);
            } else {
                for _ in range.clone() {
                    let (values, shift) = cells.draw(p.keep as f32, &mut stream);
                    shares.extend(cells.enlarge(&values, shift));
                    drawn.extend(values);
                    shifts.push(shift);
                }
            }
            let masks = if recorded.is_some() {
                Masks::Shares(&shares)
            } else {
                Masks::Cells {
                    shares: &shares,
                    cells: &drawn,
                    shifts: &shifts,
                    how: &cells.how,
                }
            };
            let x = &input.tensor;
            let scores = cx.scores(Mixed { x, fill, masks }).await?;
            for (mask, score) in shares.chunks(pixels).zip(scores) {
                for (sum, &m) in sum.iter_mut().zip(mask) {
                    *sum += f64::from(score) * f64::from(m);
                }
            }
            cx.job.offer(|| map(&sum, range.end));
        }
        Ok(Attribution::on_input(map(&sum, p.samples)))
    }
}

/// How masks are enlarged from a grid of cells.
struct Cells {
    how: Enlarging,
    /// Height and width of the picture.
    size: [usize; 2],
    /// Height and width of a cell.
    cell: [usize; 2],
}

/// For each pixel of an axis of the enlarged grid, the two nearest cells and the share of the second. Beyond its border the
/// grid is mirrored about the centres of its outer cells.
fn nearest(grid: usize, cell: usize) -> Vec<(usize, usize, f32)> {
    let length = (grid + 1) * cell;
    let mirror = |k: isize| {
        let k = k.unsigned_abs();
        if k < grid {
            k
        } else {
            (2 * (grid - 1)).saturating_sub(k)
        }
    };
    (0..length)
        .map(|u| {
            let at = (u as f64 + 0.5) * grid as f64 / length as f64 - 0.5;
            let below = at.floor();
            (mirror(below as isize), mirror(below as isize + 1), (at - below) as f32)
        })
        .collect()
}

impl Cells {
    fn new(grid: usize, height: usize, width: usize) -> Self {
        let cell = [height.div_ceil(grid), width.div_ceil(grid)];
        Self {
            how: Enlarging {
                grid,
                rows: nearest(grid, cell[0]),
                columns: nearest(grid, cell[1]),
            },
            size: [height, width],
            cell,
        }
    }

    /// `grid * grid` draws for the cells, and two for the shift.
    fn draw(&self, keep: f32, stream: &mut Stream) -> (Vec<f32>, [usize; 2]) {
        let cells: Vec<f32> = (0..self.how.grid * self.how.grid)
            .map(|_| f32::from(u8::from(stream.uniform() < keep)))
            .collect();
        (cells, self.cell.map(|side| stream.index(side)))
    }

    /// A mask `[H, W]`.
    fn enlarge(&self, cells: &[f32], [down, right]: [usize; 2]) -> Vec<f32> {
        let Enlarging { grid, rows, columns } = &self.how;
        let [height, width] = self.size;
        let columns = &columns[right..right + width];
        let mut mask = Vec::with_capacity(height * width);
        for &(above, below, share) in &rows[down..down + height] {
            let across = |row: usize, &(a, b, t): &(usize, usize, f32)| {
                let cells = &cells[row * grid..(row + 1) * grid];
                cells[a] + t * (cells[b] - cells[a])
            };
            mask.extend(columns.iter().map(|column| {
                let (a, b) = (across(above, column), across(below, column));
                a + share * (b - a)
            }));
        }
        mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    /// Made by scikit-image 0.26: `resize(cells, (12, 8), order=1, mode="reflect", anti_aliasing=False)[1:10, 1:6]`.
    #[test]
    fn masks_are_enlarged_as_by_the_authors() {
        let cells = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0];
        let mask = Cells::new(3, 9, 5).enlarge(&cells, [1, 1]);
        let expected = [
            0.828_125, 0.546_875, 0.265_625, 0.125, 0.125, 0.828_125, 0.546_875, 0.265_625, 0.125, 0.125, 0.609_375,
            0.515_625, 0.421_875, 0.375, 0.375, 0.390_625, 0.484_375, 0.578_125, 0.625, 0.625, 0.171_875, 0.453_125,
            0.734_375, 0.875, 0.875, 0.171_875, 0.453_125, 0.734_375, 0.898_438, 0.945_312, 0.390_625, 0.484_375,
            0.578_125, 0.695_312, 0.835_938, 0.609_375, 0.515_625, 0.421_875, 0.492_188, 0.726_562, 0.828_125,
            0.546_875, 0.265_625, 0.289_062, 0.617_188,
        ];
        assert_eq!(mask.len(), expected.len());
        for (a, b) in mask.iter().zip(expected) {
            assert!((a - b).abs() < 2e-6, "{a} {b}");
        }
    }

    #[test]
    fn masks_keep_the_stated_share_on_average_and_stay_in_range() {
        let cells = Cells::new(7, 30, 41);
        let mut stream = SeedStream::new(5).stream("rise/masks");
        let mut total = 0.0;
        for _ in 0..400 {
            let (values, shift) = cells.draw(0.3, &mut stream);
            let mask = cells.enlarge(&values, shift);
            assert!(mask.len() == 30 * 41 && mask.iter().all(|m| (0.0..=1.0).contains(m)));
            total += mask.iter().map(|&m| f64::from(m)).sum::<f64>() / mask.len() as f64;
        }
        assert!((total / 400.0 - 0.3).abs() < 0.02, "{}", total / 400.0);
    }

    #[test]
    fn one_cell_and_tiny_pictures_work() {
        let mut stream = SeedStream::new(0).stream("rise/masks");
        for (grid, h, w) in [(1, 1, 1), (1, 3, 2), (2, 1, 5), (64, 3, 3)] {
            let cells = Cells::new(grid, h, w);
            let (values, shift) = cells.draw(0.5, &mut stream);
            assert_eq!(cells.enlarge(&values, shift).len(), h * w);
        }
    }
}
