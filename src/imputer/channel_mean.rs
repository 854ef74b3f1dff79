//! # Channel mean
//!
//! **What it computes.** Replaces every removed pixel by the picture's own mean colour.
//!
//! **Formula.** `x'[c, i] = mean_j x[c, j]` for removed `i`, the mean over all pixels `j`, removed ones included, so that
//! the fill is the same for every mask.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged.
//!
//! **Parameters.** None.
//!
//! **When it misleads.** Flat holes are strange to the network, as with any constant; and the mean still tells the
//! overall colour, which can be evidence by itself.
//!
//! **Reference.** Rong et al., A Consistent and Efficient Evaluation Strategy for Attribution Methods, ICML 2022,
//! arXiv:2202.00449 (there "fixed" imputation).
//!
//! **Parity.** `numpy.mean` over the picture; exact to rounding.

use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::params::NoParams;
use crate::{Error, Input, Mask, Tensor};

/// See the [module](self).
pub struct ChannelMean;

impl Imputer for ChannelMean {
    type Params = NoParams;
    const META: ImputerMeta = ImputerMeta {
        id: "channel-mean",
        name: "Mean colour",
        summary: "Paints removed pixels with the picture's mean colour.",
        reference: "Rong et al. 2022, arXiv:2202.00449",
        stochastic: false,
        needs_kept: false,
        network: None,
    };

    async fn impute(
        &self,
        _: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        _: &NoParams,
    ) -> Result<Tensor, Error> {
        let means: Vec<f32> = (0..input.dims()[0])
            .map(|c| {
                let channel = input.tensor.row(c);
                (channel.iter().map(|&v| f64::from(v)).sum::<f64>() / channel.len() as f64) as f32
            })
            .collect();
        Ok(fill(input, removed, |c, _| means[c]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Job, Silent};
    use crate::rng::SeedStream;

    #[test]
    fn each_channel_gets_its_own_mean() {
        let input = Input::preprocessed(Tensor::new(&[2, 1, 3], vec![1.0, 2.0, 6.0, -1.0, 0.0, 4.0]));
        let (job, random) = (Job::new(&Silent), SeedStream::new(0));
        let cx = ImputeContext {
            job: &job,
            random: &random,
            networks: &crate::imputer::Networks::default(),
            device: None,
        };
        let removed = Mask::new(1, 3, vec![true, false, true]);
        let out = pollster::block_on(ChannelMean.impute(&cx, &input, &removed, &NoParams {})).unwrap();
        assert_eq!(out.data(), [3.0, 2.0, 3.0, 1.0, 0.0, 1.0]);
    }
}
