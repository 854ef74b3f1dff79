//! # Inpainter
//!
//! **What it computes.** Replaces every removed pixel by what a small network, trained on photographs, expects there from
//! the pixels that are kept.
//!
//! **Formula.** `x'[c, i] = (f(k * v, m)[c, i] - mean[c]) / std[c]` for removed `i`: `v` the pixel values, `m` 1 where
//! removed, `k = 1 - m`. The network `f` first fills by averages of kept pixels, from coarse to fine, then adds what a U-Net
//! of gated convolutions makes of that (`models/inpainter/`).
//!
//! **Shapes and sign.** Input and output `[C, H, W]`, at most 768 x 768 pixels; kept pixels unchanged; at least one must be
//! kept. Heights and widths are padded to multiples of 32 by pixels that count as removed. Three channels are taken for
//! red, green and blue; any other number is filled channel by channel, as grey pictures. Where kept pixel values lie
//! outside of `[0, 1]`, as in tensors of unknown preprocessing, their range is mapped onto it and back.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** It may draw the removed object again from what surrounds it, above all from kept pixels of the
//! object. It knows photographs only; drawings, scans and text are filled as if they were such. Large holes come out smooth.
//!
//! **Reference.** Liu et al., Image Inpainting for Irregular Holes Using Partial Convolutions, ECCV 2018, arXiv:1804.07723;
//! Yu et al., Free-Form Image Inpainting with Gated Convolution, ICCV 2019, arXiv:1806.03589; trained here.
//!
//! **Parity.** ONNX Runtime on the same file, composed with the kept pixels; within 1e-4.

use super::{ImputeContext, Imputer, ImputerMeta, learned};
use crate::params::NoParams;
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct Inpainter;

impl Imputer for Inpainter {
    type Params = NoParams;
    const META: ImputerMeta = ImputerMeta {
        id: "inpainter",
        name: "Inpainter",
        summary: "Has a small network fill in what it expects there.",
        reference: "Liu et al. 2018, arXiv:1804.07723; Yu et al. 2019, arXiv:1806.03589",
        stochastic: false,
        needs_kept: true,
        network: Some("inpainter"),
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        _: &NoParams,
    ) -> Result<Tensor, Error> {
        learned::filled(cx, "inpainter", None, input, removed).await
    }
}
