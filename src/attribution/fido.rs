//! # FIDO
//!
//! **What it computes.** For each pixel the probability of being kept, learned so that random masks drawn by it keep as
//! little as possible and yet the target (smallest sufficient region), or remove as little as possible and yet destroy
//! it (smallest destroying region).
//!
//! **Formula.** Keep rates `k = sigmoid(t)` on a grid, enlarged bilinearly (corners on corners) to `u`, from `t = 0`, by
//! Adam. `ssr` minimises `-mean g(z x + (1 - z) f) + sparsity sum u`, `sdr` minimises
//! `mean g(z x + (1 - z) f) + sparsity sum (1 - u)`, the mean over `draws` masks
//! `z = sigmoid((logit u - logit e) / 0.1)` of uniform `e`: relaxed coins. `f` is the picture as the chosen imputer fills
//! the pixels with `z < 0.5`; no gradient flows through `f`, so that any imputer will do. With `annealed` the rate falls
//! linearly from `rate` to 0 over the steps, and the cost rises linearly to `sparsity` over the first `warm_up` ones. The
//! map is `u` for `ssr`, `1 - u` for `sdr`.
//!
//! **Shapes and sign.** `[1, H, W]` in `[0, 1]`; near 1 in the region.
//!
//! **Parameters.** `region`: `ssr` or `sdr`. `steps`: of Adam. `draws`: masks a step, one forward and one backward pass
//! each. `grid`: points a side. `rate`: of Adam. `sparsity`: cost of a pixel in the region. `annealed`, `warm_up`: as in
//! the formula.
//!
//! **When it misleads.** Between 0 and 1 nothing is said: more steps push to either. `sparsity` sets the region's size.
//! What the imputer draws into holes can itself hold evidence. An imputer that fills from kept pixels is slow here, since
//! each mask is filled anew; where a mask removes every pixel the likeliest one is kept.
//!
//! **Reference.** Chang, Creager, Goldenberg & Duvenaud, Explaining Image Classifiers by Counterfactual Generation, ICLR
//! 2019, arXiv:1807.08024; its code takes 300 steps at 0.05 with sparsity 1e-3, 8 draws, a grid of 56 and 30 steps of
//! warm-up.
//!
//! **Parity.** The authors' code (zzzace2000/FIDO-saliency: `GernarativeBDNet`, `OppositeGernarativeBDNet` and their `fit`,
//! made to run on today's PyTorch) in float64 on recorded draws `[steps, draws, H, W]` (stream `fido/coins`), within 1e-4.
//! Its loss is handed in: here minus the target, in its script the log odds of the class. Its script shows the enlarged
//! log odds as a map, where training enlarges rates; the map here is the rates that were trained.

use super::soft_mask::{Adam, Enlarge, background, by_mask, map, mixed, narrow};
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need, sensitivity};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Mask, Model, Tensor};

/// See the [module](self).
pub struct Fido;

crate::params! {
    /// Parameters of [`Fido`].
    pub struct FidoParams {
        /// What is sought: `ssr`, the smallest region that suffices, or `sdr`, the smallest whose loss destroys.
        region: String = "ssr", choice("ssr", "sdr");
        /// Steps of the optimiser.
        steps: usize = 300usize, int(1, 10_000);
        /// Random masks a step; each takes a forward and a backward pass.
        draws: usize = 4usize, int(1, 64);
        /// Points of the mask along a side; fewer make it smoother.
        grid: usize = 28usize, int(1, 64);
        /// Size of the optimiser's steps.
        rate: f64 = 0.05, real(0.0001, 1.0);
        /// Cost of a pixel in the region; larger makes it smaller.
        sparsity: f64 = 0.001, real(0.0, 100.0);
        /// Whether the optimiser's steps shrink linearly to nothing.
        annealed: bool = true, flag;
        /// Steps over which the cost rises from nothing to its full size.
        warm_up: usize = 30usize, int(0, 10_000);
    }
}

/// How soft the coins are.
const TEMPERATURE: f64 = 0.1;

impl Method for Fido {
    type Params = FidoParams;
    const META: MethodMeta = MethodMeta {
        id: "fido",
        name: "FIDO",
        family: Family::Perturbation,
        summary: "Learns which pixels to keep at random: the least that suffice, or the least whose loss destroys.",
        caution: "The region's size depends on its cost, and what fills the holes can hold evidence itself.",
        reference: "Chang et al. 2019, arXiv:1807.08024",
        signed: false,
        needs: &[Need::Gradient, Need::Imputer],
        axioms: &[Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &FidoParams) -> Result<Passes, Error> {
        sensitivity::check(model, p.grid)?;
        let pictures = (p.steps * p.draws) as u64;
        Ok(Passes {
            forward: pictures,
            backward: pictures,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &FidoParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let pixels = height * width;
        cx.removal.needs_values("the mask shows pixels partly")?;
        let remover = Remover::new(cx, input).await?;
        let fixed = if remover.can_remove_everything() {
            Some(background(cx, input, &remover).await?)
        } else {
            None
        };
        let sufficient = p.region == "ssr";
        let enlarge = Enlarge::new([p.grid; 2], height, width);
        let keep = |logits: &[f64]| enlarge.enlarge(&logits.iter().map(|&t| sigmoid(t)).collect::<Vec<_>>());
        let region = |logits: &[f64]| {
            let mask: Vec<f64> = keep(logits)
                .into_iter()
                .map(|u| if sufficient { u } else { 1.0 - u })
                .collect();
            map(&mask, height, width)
        };
        let mut logits = vec![0.0f64; p.grid * p.grid];
        let mut adam = Adam::new(p.rate, logits.len());
        let mut coins = cx.random.stream("fido/coins");
        let full = if sufficient { p.sparsity } else { -p.sparsity };
        let sign = if sufficient { -1.0 } else { 1.0 } / p.draws as f64;
        for step in 0..p.steps {
            let risen = if step < p.warm_up {
                step as f64 / p.warm_up as f64
            } else {
                1.0
            };
            let cost = full * risen;
            if p.annealed {
                adam.rate = p.rate * (1.0 - step as f64 / p.steps as f64);
            }
            let rates = keep(&logits);
            let mut slope = vec![cost; pixels];
            for turn in cx.batches(p.draws) {
                let mut drawn = Vec::with_capacity(turn.len());
                for _ in turn {
                    let mask: Vec<f64> = rates.iter().map(|&u| coin(u, f64::from(coins.uniform()))).collect();
                    let fill = match &fixed {
                        Some(fill) => fill.clone(),
                        None => remover.remove(&dropped(&mask, height, width)).await?,
                    };
                    drawn.push((mixed(&narrow(&mask), &input.tensor, &fill), mask, fill));
                }
                let pictures: Vec<Tensor> = drawn.iter().map(|(picture, ..)| picture.clone()).collect();
                let gradients = cx.input_gradients(&Tensor::stack(&pictures)).await?;
                for (k, (_, mask, fill)) in drawn.iter().enumerate() {
                    let by = by_mask(gradients.row(k), &input.tensor, fill, pixels);
                    for i in 0..pixels {
                        slope[i] += sign * by[i] * coin_slope(rates[i], mask[i]);
                    }
                }
            }
            let mut down = enlarge.adjoint(&slope);
            for (slope, &t) in down.iter_mut().zip(&logits) {
                *slope *= sigmoid(t) * (1.0 - sigmoid(t));
            }
            adam.descend(&mut logits, &down);
            cx.job.offer(|| region(&logits));
        }
        Ok(Attribution::on_input(region(&logits)))
    }
}

fn sigmoid(t: f64) -> f64 {
    1.0 / (1.0 + (-t).exp())
}

fn logit(p: f64) -> f64 {
    (p + f64::EPSILON).ln() - (1.0 - p + f64::EPSILON).ln()
}

/// A relaxed coin that falls on 1 with probability `rate`.
fn coin(rate: f64, uniform: f64) -> f64 {
    sigmoid((logit(rate) - logit(uniform)) / TEMPERATURE)
}

/// Its derivative by `rate`, where it fell on `value`.
fn coin_slope(rate: f64, value: f64) -> f64 {
    value * (1.0 - value) / TEMPERATURE * (1.0 / (rate + f64::EPSILON) + 1.0 / (1.0 - rate + f64::EPSILON))
}

/// The pixels that a mask removes, but never all of them.
fn dropped(mask: &[f64], height: usize, width: usize) -> Mask {
    let mut removed = Mask::new(height, width, mask.iter().map(|&m| m < 0.5).collect());
    if removed.count() == mask.len() {
        let best = (0..mask.len()).fold(0, |best, i| if mask[i] > mask[best] { i } else { best });
        removed.bits_mut()[best] = false;
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    #[test]
    fn coins_fall_as_often_as_their_rate_says() {
        let mut stream = SeedStream::new(2).stream("fido/coins");
        for rate in [0.1, 0.5, 0.9] {
            let ones = (0..20_000)
                .filter(|_| coin(rate, f64::from(stream.uniform())) > 0.5)
                .count();
            assert!((ones as f64 / 20_000.0 - rate).abs() < 0.01, "{rate}: {ones}");
        }
    }

    #[test]
    fn the_slope_is_the_coins_derivative() {
        for (rate, uniform) in [(0.3, 0.28), (0.7, 0.74), (0.5, 0.1)] {
            let h = 1e-6;
            let expected = (coin(rate + h, uniform) - coin(rate - h, uniform)) / (2.0 * h);
            let found = coin_slope(rate, coin(rate, uniform));
            assert!(
                (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
}
