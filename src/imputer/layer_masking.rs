//! # Layer masking
//!
//! **What it computes.** Fills nothing: removed pixels are missing, and the network leaves them out. Each convolution sees its
//! missing places filled from their neighbours just as far as its window reaches, and what it computes from missing places
//! alone is missing in turn. So nothing that was made up, and no border of a filled region, passes for content.
//!
//! **Formula.** A map and its mask `m`, 1 where known, pass each layer together. Before a convolution of `k` by `k`, `k` times:
//! a missing place with known neighbours among its eight takes their mean and counts as known; missing places beyond are 0.
//! Then `m' = max of m` over the window. Pools: maximum and mean of the known places, the same `m'`. Sums, products and
//! maxima of two maps: known where both are. Maps stacked over one another: known where more than half are, 0 where one of
//! the others is not. Global means: of the known places. Flattened to a vector: missing is 0. Everything else goes place by
//! place, `m' = m`. Nothing known at all: the global mean is 0.
//!
//! **Shapes and sign.** Input `[C, H, W]`; output the same with NaN for every value of a removed pixel, kept pixels unchanged.
//! The network that is handed such a picture runs as above; pictures without NaN run as ever.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** The mask itself has a shape, which a window at its edge can see as what is left. A network whose
//! windows soon cover the whole picture answers from few known pixels as surely as from many. It is no picture: nothing that
//! mixes pictures, measures distances between them or takes gradients can use it, and those refuse it by name. Networks
//! that mix places otherwise than by convolutions and pools (attention over places, resizing) are refused too.
//!
//! **Reference.** Balasubramanian & Feizi, Towards Improved Input Masking for Convolutional Neural Networks, ICCV 2023,
//! arXiv:2211.14646.
//!
//! **Parity.** The authors' code (SriramB-98/layer_masking) on networks of its own layers: logits within 1e-4 of the largest; the
//! means there are divided by `n + 1e-5`, here by `n`. Where the authors' networks differ we follow their ResNet and
//! EfficientNet, and for stacked maps their DenseNet. Departures: a local mean leaves missing places out, as the authors'
//! global one does (theirs counts them as 0); a maximum leaves them out too (theirs counts them as 0, the same after a ReLU);
//! `k` is the larger side of the window, with its dilation (theirs: the width).

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::params::NoParams;
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct LayerMasking;

impl Imputer for LayerMasking {
    type Params = NoParams;
    const META: ImputerMeta = ImputerMeta {
        id: "layer-masking",
        name: "Layer masking",
        summary: "Leaves removed pixels out of every layer of the network instead of filling them.",
        reference: "Balasubramanian & Feizi 2023, arXiv:2211.14646",
        stochastic: false,
        needs_kept: false,
        network: None,
    };
    const MARKS_MISSING: bool = true;

    async fn impute(
        &self,
        _: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        _: &NoParams,
    ) -> Result<Tensor, Error> {
        Ok(fill(input, removed, |_, _| f32::NAN))
    }
}
