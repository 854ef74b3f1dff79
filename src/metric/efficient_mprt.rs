//! # Efficient parameter randomisation
//!
//! **What it computes.** How much more disordered the map becomes when all weights of the network are drawn anew.
//!
//! **Formula.** `score = (H(a with all weights drawn anew) - H(a)) / H(a)`, `H` the entropy of the values in `bins`
//! bins of equal width between the smallest and the largest. A group is an operator with weights and the biases,
//! scales and shifts behind it; weights are normal draws with the mean and the deviation of those they replace.
//!
//! **Shapes and sign.** Values of the map as the method gives it, all channels. Above 0 where the map of the random
//! network is more disordered; higher is better. Undefined where all values of the map fall in one bin, and for
//! networks without weights.
//!
//! **Parameters.** `bins`: of the histogram. `absolute`: takes magnitudes.
//!
//! **When it misleads.** It compares disorder, not maps: two equally disordered maps of different pixels score 0, and
//! one bright pixel squeezes all others into one bin.
//!
//! **Reference.** Hedström et al., A Fresh Look at Sanity Checks for Saliency Maps, 2024, arXiv:2405.02383.
//!
//! **Parity.** Quantus `EfficientMPRT` (NumPy's `histogram`, SciPy's `entropy`) with layers that reset to this crate's draws
//! instead of a framework's, exact.

use super::weights::{self, Order};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, neighbours};
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor};

/// See the [module](self).
pub struct EfficientMprt;

crate::params! {
    /// Parameters of [`EfficientMprt`].
    pub struct EfficientMprtParams {
        /// Bins of the histogram of values.
        bins: usize = 100usize, int(2, 100_000);
        /// Whether magnitudes are counted rather than values.
        absolute: bool = false, flag;
    }
}

impl Metric for EfficientMprt {
    type Params = EfficientMprtParams;
    const META: MetricMeta = MetricMeta {
        id: "efficient-mprt",
        name: "Efficient parameter randomisation",
        category: Category::Randomisation,
        direction: Direction::Higher,
        range: "-1 upwards; 0 where the map stays as disordered",
        summary: "Does the map become more disordered when what the network learned goes?",
        caution: "Two equally disordered maps of different pixels score 0.",
        sensitive: &["bins", "absolute"],
        reference: "Hedström et al. 2024, arXiv:2405.02383",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &EfficientMprtParams) -> Result<Passes, Error> {
        let ordered = entropy(evidence.map, p) <= 0.0;
        weights::passes(model, evidence, if ordered { 0 } else { weights::stages(model, 1) })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &EfficientMprtParams,
    ) -> Result<Measurement, Error> {
        let model = cx.exec.model();
        let before = entropy(evidence.map, p);
        if before <= 0.0 {
            return Ok(Measurement::undefined("all values of the map fall in one bin"));
        }
        if weights::stages(model, 1) == 0 {
            return Ok(Measurement::undefined(weights::NO_WEIGHTS));
        }
        let seed = weights::seed(cx, "efficient-mprt/weights");
        let drawn = weights::stage(model, Order::BottomUp, 1, 1, seed);
        let other = weights::context(cx, cx.target, drawn);
        let map = neighbours::explainer(evidence).explain(&other, evidence.input).await?;
        cx.job.step(Passes::default()).await?;
        Ok(Measurement::of(Score::Value((entropy(&map, p) - before) / before)))
    }
}

/// Entropy in nats of the histogram of the values, as by NumPy's `histogram`: bins of equal width, each without its upper
/// edge but the last; zero where all values are equal.
fn entropy(map: &Tensor, p: &EfficientMprtParams) -> f64 {
    let values: Vec<f64> = map
        .data()
        .iter()
        .map(|&v| if p.absolute { f64::from(v).abs() } else { f64::from(v) })
        .collect();
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    if low >= high {
        return 0.0;
    }
    let width = (high - low) / p.bins as f64;
    let edge = |k: usize| if k == p.bins { high } else { low + k as f64 * width };
    let mut counts = vec![0usize; p.bins];
    for v in values {
        let mut bin = (((v - low) / (high - low) * p.bins as f64) as usize).min(p.bins - 1);
        if v < edge(bin) {
            bin -= 1;
        } else if bin + 1 < p.bins && v >= edge(bin + 1) {
            bin += 1;
        }
        counts[bin] += 1;
    }
    let total = map.len() as f64;
    let share = counts.into_iter().filter(|&n| n > 0).map(|n| n as f64 / total);
    share.map(|q| -q * q.ln()).sum::<f64>().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From NumPy 2.4 and SciPy 1.17: `entropy(histogram(a, bins)[0])`.
    #[test]
    fn entropies_as_by_numpy_and_scipy() {
        let map = Tensor::from_fn(&[1, 20, 30], |i| {
            ((i * 37) % 101) as f32 / 16.0 - ((i * i) % 53) as f32 / 8.0
        });
        for (bins, absolute, expected) in [
            (100, false, 4.411_837_801_898_562),
            (10, false, 2.196_299_172_367_955),
            (37, true, 3.459_060_051_661_374),
        ] {
            let found = entropy(&map, &EfficientMprtParams { bins, absolute });
            assert!((found - expected).abs() < 1e-12, "{bins}: {found} {expected}");
        }
    }

    #[test]
    fn entropies_by_hand() {
        let p = |bins| EfficientMprtParams { bins, absolute: false };
        assert!(entropy(&Tensor::full(&[1, 2, 2], 3.0), &p(4)).abs() < 1e-15);
        let map = Tensor::new(&[1, 1, 4], vec![0.0, 1.0, 2.0, 3.0]);
        assert!((entropy(&map, &p(2)) - 2f64.ln()).abs() < 1e-15);
        assert!((entropy(&map, &p(3)) - 1.5 * 2f64.ln()).abs() < 1e-15);
    }
}
