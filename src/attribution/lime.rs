//! # LIME
//!
//! **What it computes.** Hides random sets of segments, and fits a linear model to the answers in which pictures that
//! are more like the original count more; a segment's value is its coefficient.
//!
//! **Formula.** The coefficients of `argmin sum_k w[k] (g(x[k]) - b - c . z[k])^2 + ridge |c|^2`: `z[k]` is 1 for each
//! segment shown, by a fair coin (all of them for `k = 0`); `x[k]` has the others filled by the chosen imputer;
//! `w = sqrt(exp(-d^2 / kernel_width^2))`, and `d = 1 - sqrt(shown / segments)` is the cosine distance to all shown (1
//! with none).
//!
//! **Shapes and sign.** `[1, H, W]`, one value on all pixels of a segment; positive where showing the segment raises the
//! target.
//!
//! **Parameters.** `samples`: pictures, one pass each. `kernel_width`, `ridge`: as in the formula. Then the segmenter's:
//! see [`segment`](crate::segment).
//!
//! **When it misleads.** Half of the picture is hidden in most samples, so that it explains answers to torn pictures;
//! the map changes with the segments and, with few samples, with the seed. Imputers that fill from kept pixels are shown
//! the first segment where chance hides every one.
//!
//! **Reference.** Ribeiro, Singh & Guestrin, "Why Should I Trust You?", KDD 2016, arXiv:1602.04938.
//!
//! **Parity.** `lime.lime_image.LimeImageExplainer` 0.2 with `hide_color=0` and the same segments, on its recorded samples
//! `[samples, segments]` (stream `lime/samples`), within 1e-4. Its own defaults are
//! `quickshift`, which finds few superpixels or one in small pictures, and painting hidden segments with their mean.

use super::coalition::{Game, announced, forward};
use super::least_squares::Sums;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::job::Passes;
use crate::{Context, Error, Input, Model};

/// See the [module](self).
pub struct Lime;

crate::segmented_params! {
    /// Parameters of [`Lime`].
    pub struct LimeParams by "slic", 50usize {
        /// Pictures with random segments hidden; each takes one pass.
        samples: usize = 1000usize, int(2, 100_000);
        /// How fast pictures unlike the original lose weight; smaller is more local.
        kernel_width: f64 = 0.25, real(0.01, 100.0);
        /// Strength of the ridge penalty, which shrinks coefficients.
        ridge: f64 = 1.0, real(0.0, 1000.0);
    }
}

/// Most segments that the fit is made for.
const MOST: usize = 1024;
/// The stream of coins, row by row.
const SAMPLES: &str = "lime/samples";

impl Method for Lime {
    type Params = LimeParams;
    const META: MethodMeta = MethodMeta {
        id: "lime",
        name: "LIME",
        family: Family::Perturbation,
        summary: "Fits a linear model to the answers when random segments are hidden.",
        caution: "Most of its pictures are half hidden; the map changes with the segments and the seed.",
        reference: "Ribeiro et al. 2016, arXiv:1602.04938",
        signed: true,
        needs: &[Need::Segments, Need::Imputer],
        axioms: &[Axiom::Linearity, Axiom::ImplementationInvariance],
        stochastic: true,
    };

    fn passes(&self, model: &Model, p: &LimeParams) -> Result<Passes, Error> {
        announced(model, &p.segmentation())?;
        Ok(forward(p.samples))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &LimeParams) -> Result<Attribution, Error> {
        let game = Game::new(cx, input, &p.segmentation(), MOST, |_| forward(p.samples)).await?;
        let players = game.players();
        game.check_recorded(SAMPLES, p.samples)?;
        let mut stream = cx.random.stream(SAMPLES);
        let mut sums = Sums::new(players);
        for turn in cx.batches(p.samples) {
            let end = turn.end;
            let coalitions: Vec<Vec<bool>> = turn
                .map(|k| {
                    let mut shown: Vec<bool> = (0..players).map(|_| stream.index(2) == 1).collect();
                    if k == 0 {
                        shown.fill(true);
                    } else if !game.may_be_empty() && !shown.contains(&true) {
                        shown[0] = true;
                    }
                    shown
                })
                .collect();
            for (shown, worth) in coalitions.iter().zip(game.worth(&coalitions).await?) {
                sums.add(shown, weight(shown, p.kernel_width), worth);
            }
            if end < p.samples {
                cx.job.offer(|| game.segments.paint(&sums.ridge(p.ridge)));
            }
        }
        Ok(game.attribution(&sums.ridge(p.ridge), None))
    }
}

fn weight(shown: &[bool], kernel_width: f64) -> f64 {
    let share = shown.iter().filter(|&&s| s).count() as f64 / shown.len() as f64;
    let distance = 1.0 - share.sqrt();
    (-distance * distance / (kernel_width * kernel_width)).exp().sqrt()
}
