//! # Accuracy information curve
//!
//! **What it computes.** How soon the network gives the class as its answer as the picture is shown piece by piece, most
//! relevant first, counted in information instead of pixels.
//!
//! **Formula.** From a start where only a random share of pixels is shown, the most relevant 0.5, 1, 2, 3, 4, 5, 7, 10, 13,
//! 21, 34, 50 and 75 percent are shown in turn (the least relevant ones with `lerf`). `x` is the estimated information of each picture and `y` the reading, both
//! rescaled to 0 at the start and 1 at the whole picture, and cut off there; with `monotone`, `y` is the largest so far.
//! `score = area under y(x)`, read at 1001 points joined by straight lines.
//!
//! **Shapes and sign.** A pixel comes with all its channels; its relevance is the sum of the map over them, and coarse maps
//! are resized bilinearly. Equal pixels stand in a random order fixed by the seed. Between 0 and 1; with `morf` higher is
//! better, with `lerf` lower. Undefined where the whole picture has another answer, or the start already has this one.
//!
//! **Parameters.** `order`: `morf`, or `lerf` for the other half of the comparison. `least`: the least reading of the whole
//! picture. `monotone`. `start`: the share of random pixels shown from the start. Takes 15 passes. The imputer chosen for removal fills what is not shown; PAIR interpolates linearly, to which
//! `noisy-linear` is nearest here.
//!
//! **When it misleads.** Information is estimated, and scattered pixels cost more of it than patches: the score prefers
//! compact maps. The start is random; compare seeds.
//!
//! **Reference.** Kapishnikov et al., XRAI: Better Attributions Through Regions, ICCV 2019, arXiv:1906.02825.
//!
//! **Parity.** PAIR saliency `compute_pic_metric` with this estimate and a constant fill put in the place of its own, for
//! `lerf` on the map times -1; within 1e-5. PAIR measures information by the size of a lossless WebP file; here it is the entropy of the residuals of the JPEG-LS
//! predictor over 256 levels of the picture's range, which needs no encoder. The numbers of both differ.

use super::curve::Reading;
use super::pic::{self, PicParams};
use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct PicAic;

impl Metric for PicAic {
    type Params = PicParams;
    const META: MetricMeta = MetricMeta {
        id: "pic-aic",
        name: "Accuracy information curve",
        category: Category::Faithfulness,
        direction: Direction::Higher,
        range: "0 to 1",
        summary: "How little of the picture's information is enough for the right answer, most relevant pixels first?",
        caution: "Information is estimated, and compact maps cost less of it.",
        sensitive: &["imputer", "order", "least", "start"],
        reference: "Kapishnikov et al. 2019, arXiv:1906.02825",
        needs: &[Need::Imputer],
        imputer: "noisy-linear",
        stochastic: true,
    };

    fn passes(&self, model: &Model, _: &Evidence<'_>, _: &PicParams) -> Result<Passes, Error> {
        Ok(Passes {
            forward: pic::passes(model),
            backward: 0,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &PicParams) -> Result<Measurement, Error> {
        pic::measure(cx, evidence, p, Reading::Accuracy).await
    }
}
