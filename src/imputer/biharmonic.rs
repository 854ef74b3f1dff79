//! # Biharmonic
//!
//! **What it computes.** Replaces removed pixels by the surface that bends least and goes through the kept ones: slopes
//! at the rim of a hole run on into it.
//!
//! **Formula.** `(L L x')[c, i] = 0` for each removed `i`, `(L x)[i] = sum_j (x[i] - x[j])` over the neighbours `j` beside
//! `i` that lie inside the picture; then every fill is cut to the range of the kept values of its channel.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one pixel must be kept.
//!
//! **Parameters.** `tolerance`: the solver stops when its next correction of every pixel is below `tolerance` times the
//! range of the kept values.
//!
//! **When it misleads.** Wide holes swing far beyond the colours around them and are cut off flat, and a little noise at
//! the rim is carried across the hole as a slope.
//!
//! **Reference.** Damelin & Hoang, On Surface Completion and Image Inpainting by Biharmonic Functions, Int. J. Math. Math.
//! Sci. 2018, doi:10.1155/2018/3950312.
//!
//! **Parity.** `skimage.restoration.inpaint_biharmonic(image, mask, channel_axis=0)` in float64; within 1e-5 of the
//! range.

use super::grid::Grid;
use super::harmonic::BESIDE;
use super::membrane::{Kept, Membrane, System, solve};
use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct Biharmonic;

crate::params! {
    /// Parameters of [`Biharmonic`].
    pub struct BiharmonicParams {
        /// Next correction of a pixel at which the solver stops, as a share of the range of the kept values.
        tolerance: f64 = 1e-6, real(1e-10, 1e-2);
    }
}

impl Imputer for Biharmonic {
    type Params = BiharmonicParams;
    const META: ImputerMeta = ImputerMeta {
        id: "biharmonic",
        name: "Biharmonic",
        summary: "Spans a stiff sheet over removed pixels, so that slopes run on.",
        reference: "Damelin & Hoang 2018, doi:10.1155/2018/3950312",
        stochastic: false,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &BiharmonicParams,
    ) -> Result<Tensor, Error> {
        let pixels = removed.bits().len();
        let mut sheet = Sheet::new(Membrane::new(cx.job, removed, BESIDE).await?);
        let (solved, _) = solve(cx.job, &mut sheet, input, removed, p.tolerance).await?;
        let ranges: Vec<Kept> = (0..input.dims()[0])
            .map(|c| Kept::of(input.tensor.row(c), removed))
            .collect();
        Ok(fill(input, removed, |c, i| {
            solved[c * pixels + i].clamp(ranges[c].low, ranges[c].high) as f32
        }))
    }
}

/// The equations of bending, and the membrane's, which solve them roughly when applied twice.
struct Sheet {
    holes: Membrane,
    /// Of the whole grid: what is bent, what the membrane's equations make of it, and of that.
    fields: [Vec<f64>; 3],
    halfway: Vec<f64>,
}

impl Sheet {
    fn new(holes: Membrane) -> Self {
        let nothing = vec![0.0; holes.grid().len()];
        Self {
            fields: [nothing.clone(), nothing.clone(), nothing.clone()],
            halfway: nothing,
            holes,
        }
    }

    /// `out`: how the sheet `field` resists bending at each removed pixel, times `sign`.
    fn bend(&mut self, field: &[f64], sign: f64, out: &mut [f64]) {
        let grid = self.holes.grid();
        let [bent, once, twice] = &mut self.fields;
        bent.copy_from_slice(field);
        beside(grid, bent, once);
        beside(grid, once, twice);
        for ((out, twice), gone) in out.iter_mut().zip(twice).zip(&self.holes.gone) {
            *out = sign * gone * *twice;
        }
    }
}

impl System for Sheet {
    fn grid(&self) -> Grid {
        self.holes.grid()
    }

    fn residual(&mut self, field: &[f64], out: &mut [f64]) {
        self.bend(field, -1.0, out);
    }

    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        self.bend(x, 1.0, out);
    }

    fn precondition(&mut self, r: &[f64], out: &mut [f64]) {
        self.holes.precondition(r, &mut self.halfway);
        self.holes.precondition(&self.halfway, out);
    }
}

/// `out`: a quarter of the sum over the neighbours beside a pixel of how far it lies above them. The rim of `field` is
/// overwritten.
fn beside(grid: Grid, field: &mut [f64], out: &mut [f64]) {
    grid.repeat_rim(field);
    let (width, stride) = (grid.width, grid.stride());
    for y in 0..grid.height {
        let at = grid.row(y);
        let row = |from: usize| &field[from..][..width];
        let (n, w, here, e, s) = (row(at - stride), row(at - 1), row(at), row(at + 1), row(at + stride));
        for (k, out) in out[at..][..width].iter_mut().enumerate() {
            *out = 0.25 * (((here[k] - n[k]) + (here[k] - s[k])) + ((here[k] - w[k]) + (here[k] - e[k])));
        }
    }
}
