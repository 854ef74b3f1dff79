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
use super::multigrid::{Kept, Multigrid, System, conjugate_gradients};
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
        let mut solved = Vec::with_capacity(input.tensor.len());
        for c in 0..input.dims()[0] {
            let channel = input.tensor.row(c);
            let kept = Kept::of(channel, removed);
            let mut field = kept.start(channel, removed);
            let residual = sheet.bend(&field).into_iter().map(|r| -r).collect();
            let (change, _) = conjugate_gradients(cx.job, &mut sheet, residual, kept.enough(p.tolerance)).await?;
            for (&i, change) in sheet.holes.cells.iter().zip(change) {
                field[i] = (field[i] + change).clamp(kept.low, kept.high);
            }
            solved.extend(field);
        }
        Ok(fill(input, removed, |c, i| solved[c * pixels + i] as f32))
    }
}

/// The equations of bending, and the membrane's, which solve them roughly when applied twice.
struct Sheet {
    holes: Multigrid,
    width: usize,
    /// Of the whole picture: what is bent, its slopes' differences, and theirs.
    fields: [Vec<f64>; 3],
    halfway: Vec<f64>,
}

impl Sheet {
    fn new(holes: Multigrid, removed: &Mask) -> Self {
        let nothing = vec![0.0; removed.bits().len()];
        Self {
            width: removed.width(),
            fields: [nothing.clone(), nothing.clone(), nothing],
            halfway: vec![0.0; holes.cells.len()],
            holes,
        }
    }

    /// The picture `field` under the membrane's equations twice, at the removed pixels.
    fn bend(&mut self, field: &[f64]) -> Vec<f64> {
        let [_, once, twice] = &mut self.fields;
        beside(field, self.width, once);
        beside(once, self.width, twice);
        self.holes.cells.iter().map(|&i| twice[i]).collect()
    }
}

impl System for Sheet {
    fn apply(&mut self, x: &[f64], out: &mut [f64]) {
        let [field, once, twice] = &mut self.fields;
        for (&i, x) in self.holes.cells.iter().zip(x) {
            field[i] = *x;
        }
        beside(field, self.width, once);
        beside(once, self.width, twice);
        for (&i, out) in self.holes.cells.iter().zip(out) {
            *out = twice[i];
        }
    }

    fn precondition(&mut self, r: &[f64], out: &mut [f64]) {
        self.holes.precondition(r, &mut self.halfway);
        self.holes.precondition(&self.halfway, out);
    }
}

/// `out[i]`: a quarter of the sum over the neighbours beside pixel `i` of how far it lies above them.
fn beside(field: &[f64], width: usize, out: &mut [f64]) {
    out.fill(0.0);
    for (row, out) in field.chunks(width).zip(out.chunks_mut(width)) {
        for x in 1..width {
            let step = 0.25 * (row[x] - row[x - 1]);
            out[x] += step;
            out[x - 1] -= step;
        }
    }
    for at in width..field.len() {
        let step = 0.25 * (field[at] - field[at - width]);
        out[at] += step;
        out[at - width] -= step;
    }
}
