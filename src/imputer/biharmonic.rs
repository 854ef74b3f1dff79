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

use super::harmonic::BESIDE;
use super::multigrid::{Kept, Multigrid, System, solve};
use super::sparse::{LANES, Lanes};
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
        let mut sheet = Sheet::new(Multigrid::new(cx.job, removed, BESIDE).await?, removed);
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
    holes: Multigrid,
    width: usize,
    /// Of the whole picture: what is bent, what the membrane's equations make of it, and of that.
    fields: [Vec<Lanes>; 3],
    halfway: Vec<Lanes>,
}

impl Sheet {
    fn new(holes: Multigrid, removed: &Mask) -> Self {
        let nothing = vec![[0.0; LANES]; removed.bits().len()];
        Self {
            width: removed.width(),
            fields: [nothing.clone(), nothing.clone(), nothing],
            halfway: vec![[0.0; LANES]; holes.cells().len()],
            holes,
        }
    }
}

impl System for Sheet {
    fn cells(&self) -> &[usize] {
        self.holes.cells()
    }

    fn residual(&mut self, field: &[Lanes]) -> Vec<Lanes> {
        let [_, once, twice] = &mut self.fields;
        beside(field, self.width, once);
        beside(once, self.width, twice);
        self.holes.cells().iter().map(|&i| twice[i].map(|v| -v)).collect()
    }

    fn apply(&mut self, x: &[Lanes], out: &mut [Lanes]) {
        let [field, once, twice] = &mut self.fields;
        for (&i, x) in self.holes.cells().iter().zip(x) {
            field[i] = *x;
        }
        beside(field, self.width, once);
        beside(once, self.width, twice);
        for (&i, out) in self.holes.cells().iter().zip(out) {
            *out = twice[i];
        }
    }

    fn precondition(&mut self, r: &[Lanes], out: &mut [Lanes]) {
        self.holes.precondition(r, &mut self.halfway);
        self.holes.precondition(&self.halfway, out);
    }
}

/// `out[i]`: a quarter of the sum over the neighbours beside pixel `i` of how far it lies above them.
fn beside(field: &[Lanes], width: usize, out: &mut [Lanes]) {
    out.fill([0.0; LANES]);
    let mut pair = |a: usize, b: usize| {
        for l in 0..LANES {
            let step = 0.25 * (field[b][l] - field[a][l]);
            out[b][l] += step;
            out[a][l] -= step;
        }
    };
    for at in 0..field.len() {
        if at % width > 0 {
            pair(at - 1, at);
        }
        if at >= width {
            pair(at - width, at);
        }
    }
}
