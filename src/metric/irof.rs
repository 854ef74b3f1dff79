//! # IROF
//!
//! **What it computes.** How fast the target falls as superpixels are removed in the order of their mean relevance.
//!
//! **Formula.** `score = 1 - area under g(x without the first k segments) / g(x)` by trapezoids over the share of segments
//! removed, divided by its range; `k = 0 ...` all segments.
//!
//! **Shapes and sign.** Segments of pixels with all their channels; a segment's relevance is the mean over its pixels of the
//! map summed over channels; coarse maps are resized bilinearly. Equal segments stand in a random order fixed by the seed.
//! With `morf` higher is better, with `lerf` lower; at most 1 for probabilities. Undefined where the target is not above 0.
//!
//! **Parameters.** `order`: `morf` or `lerf`. The others say how the picture is cut; one pass a segment, and one more for the
//! whole picture. The imputer chosen for removal fills; the reference's is the mean colour. With one that fills from kept
//! pixels the last point, where none is left, is left out.
//!
//! **When it misleads.** Segments follow the picture's edges, and so favour maps that do; another segmentation can rank maps
//! otherwise.
//!
//! **Reference.** Rieger & Hansen, IROF: a Low Resource Evaluation Metric for Explanation Methods, 2020, arXiv:2003.08747.
//!
//! **Parity.** Quantus `IROF`, its curve within 1e-5, with the whole picture put before it; its score is the number of segments
//! minus the area in segments, so that pictures with more segments count for more. Here it is divided by their number.

use super::curve::{Order, Reading, scores_without};
use super::groups::{Groups, Worth};
use super::{Category, Curve, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Model, segment};

/// See the [module](self).
pub struct Irof;

crate::segmented_params! {
    /// Parameters of [`Irof`].
    pub struct IrofParams by "slic", 100usize {
        /// Whether the most (`morf`) or the least (`lerf`) relevant segments go first.
        order: String = "morf", choice("morf", "lerf");
    }
}

fn passes_of(segments: usize) -> Passes {
    Passes {
        forward: segments as u64 + 1,
        backward: 0,
    }
}

impl Metric for Irof {
    type Params = IrofParams;
    const META: MetricMeta = MetricMeta {
        id: "irof",
        name: "IROF",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "at most 1 for probabilities",
        summary: "How fast the answer falls as superpixels are removed, most relevant first.",
        caution: "Superpixels follow edges, and so favour maps that do.",
        sensitive: &["imputer", "segmenter", "segments"],
        reference: "Rieger & Hansen 2020, arXiv:2003.08747",
        needs: &[Need::Imputer],
        imputer: "channel-mean",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, p: &IrofParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        let how = p.segmentation();
        how.check(height, width)?;
        Ok(passes_of(how.nominal(height, width)))
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &IrofParams) -> Result<Measurement, Error> {
        let [_, height, width] = evidence.input.dims();
        let how = p.segmentation();
        let remover = Remover::new(cx, evidence.input).await?;
        let segments = segment::by(cx, evidence.input, &how).await?;
        let steps = segments.count + usize::from(remover.can_remove_everything());
        cx.job
            .expect_instead(passes_of(how.nominal(height, width)), passes_of(steps - 1));
        let labels: Vec<usize> = segments.labels.iter().map(|&l| l as usize).collect();
        let groups = Groups::labelled(&evidence.relevance, &labels, Worth::Mean, cx.random);
        let order = Order::of(&p.order);
        let curve = Curve {
            label: order.label().to_owned(),
            x: (0..steps).map(|k| k as f64 / segments.count as f64).collect(),
            y: scores_without(cx, &remover, Reading::Target, steps, |k| groups.first(order, k)).await?,
        };
        let score = if curve.y[0] > 0.0 {
            Score::finite(
                1.0 - curve.auc() / curve.y[0],
                "the picture came out in one piece, or the answer is too small to divide by",
            )
        } else {
            Score::Undefined("the answer is not above 0, so that no share of it can be lost".into())
        };
        Ok(Measurement {
            score,
            curves: vec![curve],
        })
    }
}
