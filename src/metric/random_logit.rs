//! # Random logit
//!
//! **What it computes.** How alike the maps for the target and for another class are: a map that explains the answer
//! must change with it.
//!
//! **Formula.** `score = mean over other classes c, drawn at random, of S(a for the target, a for c)`.
//!
//! **Shapes and sign.** Maps are compared as one relevance a pixel: summed over channels, resized where coarse. Up to
//! 1; lower is better. Undefined for networks with one class, and where a map has no likeness (constant maps).
//!
//! **Parameters.** `classes`: other classes, drawn without repetition, each explained once; at most all of them.
//! `similarity`: how maps are compared; `ssim` divides each by its largest magnitude. `absolute`: compares magnitudes.
//!
//! **When it misleads.** Classes that look alike rightly get like maps; maps of opposite sign count as unlike by
//! correlation though they show the same pixels, unless `absolute`, and may count as alike by `ssim`.
//!
//! **Reference.** Sixt, Granz & Landgraf, When Explanations Lie: Why Many Modified BP Attributions Fail, ICML 2020,
//! arXiv:1912.09818.
//!
//! **Parity.** Quantus `RandomLogit` with `num_classes` of the network and Spearman's correlation, with the recorded
//! class as the stream `random-logit/classes`. Its SSIM runs along the flattened map; here windows are squares.

use super::similarity::Similarity;
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, curve, neighbours, weights};
use crate::job::Passes;
use crate::{Context, Error, Model, Target};

/// See the [module](self).
pub struct RandomLogit;

crate::params! {
    /// Parameters of [`RandomLogit`].
    pub struct RandomLogitParams {
        /// Other classes, drawn without repetition, each explained once.
        classes: usize = 1usize, int(1, 1000);
        /// How two maps are compared.
        similarity: String = "ssim", choice("ssim", "spearman", "pearson", "cosine");
        /// Whether magnitudes are compared rather than values.
        absolute: bool = false, flag;
    }
}

impl Metric for RandomLogit {
    type Params = RandomLogitParams;
    const META: MetricMeta = MetricMeta {
        id: "random-logit",
        name: "Random logit",
        category: Category::Randomisation,
        direction: Direction::Lower,
        range: "up to 1; 1 where the map ignores the class",
        summary: "Does the map change when another class is explained?",
        caution: "Classes that look alike rightly get like maps.",
        sensitive: &["similarity", "classes"],
        reference: "Sixt et al. 2020, arXiv:1912.09818",
        needs: &[Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &RandomLogitParams) -> Result<Passes, Error> {
        let others = model.classes() - 1;
        if others == 0 {
            return Ok(Passes::default());
        }
        if p.classes > others {
            let why = format!(
                "{} is more than there are others; it must be between 1 and {others}",
                p.classes
            );
            return Err(Error::param("classes", why));
        }
        let one = neighbours::explainer(evidence).passes(model)?;
        let classes = p.classes as u64;
        Ok(Passes {
            forward: classes * one.forward,
            backward: classes * one.backward,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &RandomLogitParams,
    ) -> Result<Measurement, Error> {
        let mut others: Vec<usize> = (0..cx.exec.model().classes())
            .filter(|&k| k != cx.target.class)
            .collect();
        if others.is_empty() {
            return Ok(Measurement::undefined("the network has no other class"));
        }
        let similarity = Similarity::of(&p.similarity);
        let mut stream = cx.random.stream("random-logit/classes");
        let mut found = Ok(0.0);
        for _ in 0..p.classes {
            let class = others.remove(stream.index(others.len()));
            let target = Target {
                class,
                kind: cx.target.kind,
            };
            let asked = weights::context(cx, target, cx.weights);
            let map = neighbours::explainer(evidence).explain(&asked, evidence.input).await?;
            cx.job.step(Passes::default()).await?;
            let relevance = curve::pixel_relevance(evidence.input, &map)?;
            let likeness = similarity.between(&evidence.relevance, &relevance, p.absolute);
            found = found.and_then(|sum| likeness.map(|l| sum + l));
        }
        Ok(Measurement::of(neighbours::score(
            found.map(|sum| sum / p.classes as f64),
        )))
    }
}
