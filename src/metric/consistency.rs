//! # Consistency
//!
//! **What it computes.** Whether pictures whose maps say the same get the same answer.
//!
//! **Formula.** `score = |{j : d(j) = d, class(j) = class}| / |{j : d(j) = d}|` over the other pictures `j`: `d` is
//! what the map says, `class` the network's answer.
//!
//! **Shapes and sign.** What a map says: its relevance (summed over channels, resized where coarse) is averaged over
//! `grid` × `grid` cells, and the `top` cells of largest magnitude are named with their signs; equal cells in reading
//! order. The other pictures are explained for their own classes. Between 0 and 1. Undefined where no other picture's
//! map says the same, and for a map of zeros.
//!
//! **Parameters.** `grid`: cells a side. `top`: cells that are named. Few and coarse cells make maps say the same more
//! often.
//!
//! **When it misleads.** With few pictures it rests on one or two of them; maps that only say where the object stands
//! say nothing of the class.
//!
//! **Reference.** Dasgupta, Frost & Moshkovitz, Framework for Evaluating Faithfulness of Local Explanations, ICML
//! 2022, arXiv:2202.00734.
//!
//! **Parity.** Quantus `Consistency` with this discretisation as its `discretise_func` and `abs=False`. Its default
//! takes magnitudes first and then the signs of the first five values, which are the same for every map.

use super::{
    Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, curve, masked, neighbours, weights,
};
use crate::attribution;
use crate::job::Passes;
use crate::{Context, Error, Input, Model, Target, Tensor};

/// See the [module](self).
pub struct Consistency;

crate::params! {
    /// Parameters of [`Consistency`].
    pub struct ConsistencyParams {
        /// Cells a side that the map is averaged over; at most the picture's sides.
        grid: usize = 3usize, int(1, 64);
        /// Cells of largest magnitude that are compared, with their signs.
        top: usize = 1usize, int(1, 64);
    }
}

/// The `top` cells of largest magnitude with their signs, in the order of the cells; `None` for a map of zeros.
fn says(relevance: &Tensor, grid: usize, top: usize) -> Option<Vec<(usize, bool)>> {
    let &[height, width] = relevance.shape() else {
        unreachable!("relevance is [H, W]")
    };
    let (mut sums, mut counts) = (vec![0.0f64; grid * grid], vec![0.0f64; grid * grid]);
    for (i, &v) in relevance.data().iter().enumerate() {
        let cell = i / width * grid / height * grid + i % width * grid / width;
        sums[cell] += f64::from(v);
        counts[cell] += 1.0;
    }
    let means: Vec<f64> = sums.iter().zip(&counts).map(|(s, n)| s / n).collect();
    let mut cells: Vec<usize> = (0..grid * grid).filter(|&k| means[k] != 0.0).collect();
    cells.sort_by(|&a, &b| means[b].abs().total_cmp(&means[a].abs()));
    cells.truncate(top);
    cells.sort_unstable();
    (!cells.is_empty()).then(|| cells.into_iter().map(|k| (k, means[k] > 0.0)).collect())
}

impl Metric for Consistency {
    type Params = ConsistencyParams;
    const META: MetricMeta = MetricMeta {
        id: "consistency",
        name: "Consistency",
        category: Category::Robustness,
        direction: Direction::Higher,
        range: "0 to 1",
        summary: "Do pictures whose maps say the same get the same answer?",
        caution: "With few pictures it rests on one or two of them.",
        sensitive: &["grid", "top"],
        reference: "Dasgupta et al. 2022, arXiv:2202.00734",
        needs: &[Need::Set, Need::Explainer],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &ConsistencyParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        if p.grid > height.min(width) {
            let why = format!(
                "{} is not between 1 and {}, the picture's shorter side",
                p.grid,
                height.min(width)
            );
            return Err(Error::param("grid", why));
        }
        if p.top > p.grid * p.grid {
            let why = format!(
                "{} is more than there are cells; it must be between 1 and {}",
                p.top,
                p.grid * p.grid
            );
            return Err(Error::param("top", why));
        }
        if says(&evidence.relevance, p.grid, p.top).is_none() {
            return Ok(Passes::default());
        }
        let one = neighbours::explainer(evidence).passes(model)?;
        let others = evidence.set.len() as u64;
        Ok(Passes {
            forward: others * (one.forward + 1) + 1,
            backward: others * one.backward,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &ConsistencyParams,
    ) -> Result<Measurement, Error> {
        let Some(own) = says(&evidence.relevance, p.grid, p.top) else {
            return Ok(Measurement::undefined(masked::ZERO));
        };
        let single = |input: &Input| Tensor::stack(std::slice::from_ref(&input.tensor));
        let class = neighbours::answer(&cx.forward(&single(evidence.input), &[]).await?[0]);
        let (mut alike, mut same) = (0usize, 0usize);
        for exhibit in evidence.set {
            attribution::check_input(cx.exec.model(), &exhibit.input)?;
            let target = Target {
                class: exhibit.class,
                kind: cx.target.kind,
            };
            let answer = neighbours::answer(&cx.forward(&single(&exhibit.input), &[]).await?[0]);
            let map = neighbours::explainer(evidence)
                .explain(&weights::context(cx, target, cx.weights), &exhibit.input)
                .await?;
            cx.job.step(Passes::default()).await?;
            if says(&curve::pixel_relevance(&exhibit.input, &map)?, p.grid, p.top).as_ref() == Some(&own) {
                alike += 1;
                same += usize::from(answer == class);
            }
        }
        Ok(if alike == 0 {
            Measurement::undefined("no other picture's map says the same")
        } else {
            Measurement::of(Score::Value(same as f64 / alike as f64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_say_their_strongest_cells() {
        let map = Tensor::new(&[2, 4], vec![0.0, 1.0, -3.0, -3.0, 0.0, 1.0, 2.0, 0.0]);
        assert_eq!(says(&map, 2, 1), Some(vec![(1, false)]));
        assert_eq!(says(&map, 2, 2), Some(vec![(1, false), (3, true)]));
        assert_eq!(says(&map, 1, 1), Some(vec![(0, false)]));
        assert_eq!(says(&Tensor::zeros(&[2, 4]), 2, 1), None);
    }
}
