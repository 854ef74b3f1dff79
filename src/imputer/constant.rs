//! # Constant
//!
//! **What it computes.** Replaces every removed pixel by one fixed colour.
//!
//! **Formula.** `x'[c, i] = v[c]` for removed `i`, where `v` is `value` in preprocessed space, or the preprocessed
//! value of a named colour.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged.
//!
//! **Parameters.** `colour`: `zero` uses `value` (0 in preprocessed space, a network's mean colour where the
//! preprocessing subtracts the mean); `black`, `grey`, `white` are pixel values 0, 0.5, 1. `value` is ignored for these.
//!
//! **When it misleads.** The network has rarely seen flat holes: the answer may change because the picture became
//! strange, not because information went. Objects of the fill's own colour seem unimportant.
//!
//! **Reference.** Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, arXiv:1311.2901.
//!
//! **Parity.** Captum's `baselines=value`; exact.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct Constant;

crate::params! {
    /// Parameters of [`Constant`].
    pub struct ConstantParams {
        /// The colour: `zero` uses the value below; the others are fixed pixel colours.
        colour: String = "zero", choice("zero", "black", "grey", "white");
        /// The fill in preprocessed space, for every channel.
        value: f64 = 0.0, real(-1000.0, 1000.0);
    }
}

impl Imputer for Constant {
    type Params = ConstantParams;
    const META: ImputerMeta = ImputerMeta {
        id: "constant",
        name: "Constant",
        summary: "Paints removed pixels with one colour.",
        reference: "Zeiler & Fergus 2014, arXiv:1311.2901",
        stochastic: false,
        needs_kept: false,
        network: None,
    };

    async fn impute(
        &self,
        _: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &ConstantParams,
    ) -> Result<Tensor, Error> {
        let pixel = match p.colour.as_str() {
            "black" => Some(0.0),
            "grey" => Some(0.5),
            "white" => Some(1.0),
            _ => None,
        };
        Ok(fill(input, removed, |c, _| {
            pixel.map_or(p.value as f32, |v| input.space.forward(c, v))
        }))
    }
}
