//! # Randomised network (control)
//!
//! **What it computes.** The map of another method for the same network with its weights drawn anew: what is left of the
//! map when nothing of what was learned is.
//!
//! **Formula.** `a = b(g', x)`: `b` is the method `of`, and `g'` the network with the weights of its last
//! `ceil(redrawn * groups)` weight groups replaced by normal draws with the mean and the standard deviation of each tensor.
//! A weight group is a convolution or a product with a constant operand, with the constant biases, scales and shifts that
//! follow it directly.
//!
//! **Shapes and sign.** Those of the method's map.
//!
//! **Parameters.** `of`: id of the method, run with its default parameters. `redrawn`: which part of the weight groups is
//! drawn anew, counted from the answer back: 1 draws all, small shares only the head.
//!
//! **When it misleads.** A network of random weights still has its architecture: convolutions keep edges, pooling keeps
//! places, so that its maps can look like the picture and score above chance. Affine parameters of layer normalisations
//! and embeddings of positions stay as trained.
//!
//! **Reference.** Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018, arXiv:1810.03292 (cascading
//! randomisation).
//!
//! **Parity.** PyTorch's gradient of the network with this crate's own draws for the weights, within 1e-4. The reference
//! draws from each layer's initialiser, which an ONNX file does not say.

use super::{Attribution, Family, Method, MethodMeta, Need, wrapped};
use crate::job::Passes;
use crate::params::ParamValues;
use crate::{Context, Error, Input, Model, Weights};

/// See the [module](self).
pub struct RandomisedNetwork;

crate::params! {
    /// Parameters of [`RandomisedNetwork`].
    pub struct RandomisedNetworkParams {
        /// The method that explains the randomised network.
        of: String = "gradient", method;
        /// Part of the weight groups that is drawn anew, counted from the answer back.
        redrawn: f64 = 1.0, real(0.0, 1.0);
    }
}

impl Method for RandomisedNetwork {
    type Params = RandomisedNetworkParams;
    const META: MethodMeta = MethodMeta {
        id: "randomised-network",
        name: "Randomised network",
        family: Family::Control,
        summary: "Another method's map for the same network with random weights.",
        caution: "Random convolutions keep edges and places, so that it can look like the picture.",
        reference: "Adebayo et al. 2018, arXiv:1810.03292",
        signed: true,
        needs: &[Need::Imputer],
        axioms: &[],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &RandomisedNetworkParams) -> Result<Passes, Error> {
        wrapped::inner(&p.of)?.passes_dyn(model, &ParamValues::new())
    }

    async fn attribute(
        &self,
        cx: &Context<'_>,
        input: &Input,
        p: &RandomisedNetworkParams,
    ) -> Result<Attribution, Error> {
        let groups = cx.exec.model().network().weight_groups().len();
        let drawn = (p.redrawn * groups as f64).ceil() as usize;
        let weights = Weights::Randomised {
            from: groups.saturating_sub(drawn),
            to: groups,
            seed: cx.random.stream("randomised-network/weights").index(1 << 31) as u32,
        };
        let random = Context {
            weights,
            removal: cx.removal.clone(),
            ..*cx
        };
        wrapped::attribution(&random, input, &p.of).await
    }
}
