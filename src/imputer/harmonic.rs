//! # Harmonic
//!
//! **What it computes.** Replaces every removed pixel by the mean of the four pixels beside it, removed ones being
//! unknowns themselves: a membrane spanned over the hole from its rim.
//!
//! **Formula.** `sum_j (x'[c, i] - x'[c, j]) = 0` for each removed `i`, over the neighbours `j` beside it that lie
//! inside the picture (so that no slope crosses the picture's border).
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one pixel must be kept. Fills lie
//! within the range of the kept values of their channel.
//!
//! **Parameters.** `tolerance`: the solver stops when its next correction of every pixel is below `tolerance` times the
//! range of the kept values.
//!
//! **When it misleads.** Holes are smooth and can be seen as such, and around a single kept pixel the membrane rises to
//! a spike. The colours of the rim are carried all over the hole.
//!
//! **Reference.** Bertalmio et al., Image Inpainting, SIGGRAPH 2000, doi:10.1145/344779.344972; Chan & Shen, Mathematical
//! Models for Local Nontexture Inpaintings, SIAM J. Appl. Math. 2002, doi:10.1137/S0036139900368844 (its quadratic case).
//!
//! **Parity.** `scipy.sparse.linalg.spsolve` on the same equations in float64; within 1e-5 of the range.

use super::means::means;
use super::membrane::Weights;
use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct Harmonic;

/// Of the neighbours of a pixel.
pub(super) const BESIDE: Weights = Weights {
    edge: 0.25,
    corner: 0.0,
};

crate::params! {
    /// Parameters of [`Harmonic`].
    pub struct HarmonicParams {
        /// Next correction of a pixel at which the solver stops, as a share of the range of the kept values.
        tolerance: f64 = 1e-6, real(1e-12, 1e-2);
    }
}

impl Imputer for Harmonic {
    type Params = HarmonicParams;
    const META: ImputerMeta = ImputerMeta {
        id: "harmonic",
        name: "Harmonic",
        summary: "Spans a membrane over removed pixels.",
        reference: "Chan & Shen 2002, doi:10.1137/S0036139900368844",
        stochastic: false,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &HarmonicParams,
    ) -> Result<Tensor, Error> {
        let pixels = removed.bits().len();
        let solved = means(cx, input, removed, BESIDE, p.tolerance).await?;
        Ok(fill(input, removed, |c, i| solved[c * pixels + i] as f32))
    }
}
