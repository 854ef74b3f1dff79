//! # Guided integrated gradients
//!
//! **What it computes.** The change of the target from a baseline picture to this one, shared out along a path that moves
//! the values with the smallest gradients first, so that it avoids the noise that a straight line picks up.
//!
//! **Formula.** `a = sum_t (x[t+1] - x[t]) dg/dx(x[t])`. In step `t` of `steps` the path must come so close to the picture
//! that `steps - t - 1` steps' share of the distance (the sum of magnitudes) remains: values that fell behind
//! `(t + 1) / steps - max_dist` of their way are moved up to it, then the `fraction` of values with the smallest gradients
//! moves towards `(t + 1) / steps + max_dist` of its way, again until the distance is right. The map sums to
//! `g(x) - g(b)` in the limit of steps; the gap says how far it does.
//!
//! **Shapes and sign.** `[C, H, W]`, signed: positive where the step from the baseline raises the target.
//!
//! **Parameters.** `steps`: gradients. `fraction`: share of values that move together. `max_dist`: how far a value may stray
//! from the straight line, as a share of its way; 0 is the straight line, 1 any path. `reference`, `baseline`, `blur`: what
//! `b` is, as in integrated gradients; of given pictures the first.
//!
//! **When it misleads.** The path depends on the network, so the map is chosen to look calm: pixels with large gradients
//! move last, when the picture is almost whole. What equals the baseline gets nothing.
//!
//! **Reference.** Kapishnikov et al., Guided Integrated Gradients: an Adaptive Path Method for Removing Noise, CVPR 2021,
//! arXiv:2106.09788.
//!
//! **Parity.** PAIR `saliency.GuidedIG.GetMask`; relative error at most 1e-4 against float64, as long as no gradient lies so
//! close to the threshold of the smallest that rounding tips it over.

use super::baselines::Reference;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Tensor};

/// See the [module](self).
pub struct GuidedIg;

crate::params! {
    /// Parameters of [`GuidedIg`].
    pub struct GuidedIgParams {
        /// Steps of the path; each takes one gradient, and none can be run before the last is done.
        steps: usize = 200usize, int(1, 2000);
        /// Share of the values, those with the smallest gradients, that move together.
        fraction: f64 = 0.25, real(0.001, 1.0);
        /// How far a value may stray from the straight line, as a share of its way.
        max_dist: f64 = 0.02, real(0.0, 1.0);
        /// What the picture is compared with.
        reference: String = "constant", choice("constant", "black", "white", "blurred", "noise", "picture");
        /// The value of every baseline pixel and channel, in preprocessed space; for a constant reference.
        baseline: f64 = 0.0, real(-1000.0, 1000.0);
        /// Standard deviation of the blur, in pixels; for a blurred reference.
        blur: f64 = 10.0, real(0.1, 100.0);
    }
}

impl Method for GuidedIg {
    type Params = GuidedIgParams;
    const META: MethodMeta = MethodMeta {
        id: "guided-ig",
        name: "Guided integrated gradients",
        family: Family::Gradient,
        summary: "Adds up gradients on a way to the picture that moves the calmest pixels first.",
        caution: "The way is chosen so that the map looks calm, and pixels like the baseline get nothing.",
        reference: "Kapishnikov et al. 2021, arXiv:2106.09788",
        signed: true,
        needs: &[Need::Gradient],
        axioms: &[Axiom::Completeness, Axiom::Dummy, Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, _: &Model, p: &GuidedIgParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: p.steps as u64 + 2,
            backward: p.steps as u64,
        })
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &GuidedIgParams) -> Result<Attribution, Error> {
        let reference = Reference {
            kind: &p.reference,
            value: p.baseline,
            blur: p.blur,
            count: 1,
        };
        let base = reference.of(cx, input).await?.next();
        let mut change = 0.0;
        for (sign, end) in [(1.0, &input.tensor), (-1.0, &base)] {
            change += sign * f64::from(cx.scores(&Tensor::stack(std::slice::from_ref(end))).await?[0]);
        }
        let mut path = Path::new(input.tensor.data(), base.data());
        let map = |path: &Path| Tensor::from_fn(input.tensor.shape(), |i| path.map[i] as f32);
        for step in 0..p.steps {
            let point = Tensor::from_fn(input.tensor.shape(), |i| path.at[i] as f32);
            let gradient = cx.input_gradients(&Tensor::stack(&[point])).await?;
            let last = step + 1 == p.steps;
            path.advance(gradient.data(), (step + 1) as f64 / p.steps as f64, last, p);
            cx.job.offer(|| map(&path));
        }
        let map = map(&path);
        Ok(Attribution {
            completeness_gap: Some(map.sum() - change),
            ..Attribution::on_input(map)
        })
    }
}

/// Distances closer than this, absolutely or relatively, count as reached.
const REACHED: f64 = 1e-9;

/// The way from the baseline so far, and what it attributed.
struct Path {
    from: Vec<f64>,
    to: Vec<f64>,
    at: Vec<f64>,
    map: Vec<f64>,
    /// Sum of magnitudes from baseline to picture.
    length: f64,
}

impl Path {
    fn new(to: &[f32], from: &[f32]) -> Self {
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let (from, to) = (wide(from), wide(to));
        Self {
            at: from.clone(),
            map: vec![0.0; to.len()],
            length: from.iter().zip(&to).map(|(a, b)| (a - b).abs()).sum(),
            from,
            to,
        }
    }

    /// One step, to the share `alpha` of the way.
    #[expect(clippy::float_cmp, reason = "values are set to their limit exactly")]
    fn advance(&mut self, gradient: &[f32], alpha: f64, last: bool, p: &GuidedIgParams) {
        if self.length == 0.0 {
            return;
        }
        let (low, high) = ((alpha - p.max_dist).max(0.0), (alpha + p.max_dist).min(1.0));
        let between = |path: &Self, share: f64| -> Vec<f64> {
            let ends = path.from.iter().zip(&path.to);
            ends.map(|(from, to)| from + (to - from) * share).collect()
        };
        let (least, most) = (between(self, low), between(self, high));
        let target = if last { 0.0 } else { self.length * (1.0 - alpha) };
        let n = self.at.len();
        let mut size: Vec<f64> = gradient.iter().map(|&g| f64::from(g).abs()).collect();
        let mut done = false;
        while !done {
            let before = self.at.clone();
            for (i, &least) in least.iter().enumerate() {
                let way = self.to[i] - self.from[i];
                let share = if way == 0.0 {
                    high
                } else {
                    (self.at[i] - self.from[i]) / way
                };
                if share < low {
                    self.at[i] = least;
                }
            }
            let distance: f64 = self.at.iter().zip(&self.to).map(|(a, b)| (a - b).abs()).sum();
            let close = (distance - target).abs();
            if close <= REACHED * distance.max(target) || close <= REACHED {
                done = true;
            } else {
                for i in 0..n {
                    if self.at[i] == most[i] {
                        size[i] = f64::INFINITY;
                    }
                }
                let rank = ((n - 1) as f64 * p.fraction).floor() as usize;
                let threshold = *size.clone().select_nth_unstable_by(rank, f64::total_cmp).1;
                let chosen: Vec<usize> = (0..n)
                    .filter(|&i| size[i] <= threshold && size[i] != f64::INFINITY)
                    .collect();
                let reach: f64 = chosen.iter().map(|&i| (self.at[i] - most[i]).abs()).sum();
                let share = if reach > 0.0 {
                    (distance - target) / reach
                } else {
                    f64::INFINITY
                };
                // Nothing left to move, or gone too far by rounding: the reference would not end.
                done = share <= 1.0 || chosen.is_empty();
                for &i in &chosen {
                    if share > 1.0 {
                        self.at[i] = most[i];
                    } else if share > 0.0 {
                        self.at[i] += (most[i] - self.at[i]) * share;
                    }
                }
            }
            for i in 0..n {
                self.map[i] += (self.at[i] - before[i]) * f64::from(gradient[i]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calmest_values_move_first_and_the_path_arrives() {
        let p = GuidedIgParams {
            fraction: 0.25,
            max_dist: 1.0,
            ..GuidedIgParams::default()
        };
        let mut path = Path::new(&[1.0, -1.0, 2.0, 4.0], &[0.0; 4]);
        let gradient = [3.0, 0.5, -2.0, 1.0];
        path.advance(&gradient, 0.25, false, &p);
        // A quarter of 8: the second value's 1, then 1 of the fourth's 4.
        assert_eq!(path.at, [0.0, -1.0, 0.0, 1.0]);
        for (step, last) in [(0.5, false), (0.75, false), (1.0, true)] {
            path.advance(&gradient, step, last, &p);
        }
        assert_eq!(path.at, path.to);
        let products: Vec<f64> = path.to.iter().zip(gradient).map(|(x, g)| x * f64::from(g)).collect();
        assert!(path.map.iter().zip(products).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn a_picture_that_is_the_baseline_gets_nothing() {
        let mut path = Path::new(&[0.5; 3], &[0.5; 3]);
        path.advance(&[1.0; 3], 1.0, true, &GuidedIgParams::default());
        assert_eq!(path.map, [0.0; 3]);
    }
}
