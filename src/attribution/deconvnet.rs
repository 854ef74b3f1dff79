//! # Deconvolution
//!
//! **What it computes.** The gradient, but every ReLU on the way back is applied to what comes back instead of being
//! undone: the network run in reverse.
//!
//! **Formula.** As the gradient, but at each ReLU `g <- max(g, 0)`, whatever its input was.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: the last step to the picture is a plain one.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** The picture enters through the max pools alone, so without them the map is the same for every
//! picture; otherwise it restores edges whatever the class (Nie et al. 2018). On networks without ReLU it is the gradient.
//!
//! **Reference.** Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, arXiv:1311.2901.
//!
//! **Parity.** Captum `Deconvolution`; relative error at most 1e-4 against float64. A ReLU6 counts as a ReLU with a ceiling
//! here, which Captum leaves as it is.

use super::propagation::carried;
use super::{Attribution, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::params::NoParams;
use crate::program::Rules;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct Deconvnet;

impl Method for Deconvnet {
    type Params = NoParams;
    const META: MethodMeta = MethodMeta {
        id: "deconvnet",
        name: "Deconvolution",
        family: Family::Propagation,
        summary: "The network run in reverse from the answer to a pattern in the picture.",
        caution: "Shows patterns that could raise the answer, not those that did in this picture.",
        reference: "Zeiler & Fergus 2014, arXiv:1311.2901",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[],
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &NoParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: 1,
            backward: 1,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, _: &NoParams) -> Result<Attribution, Error> {
        Ok(Attribution::on_input(carried(cx, input, Rules::DeconvRelu).await?.0))
    }
}
