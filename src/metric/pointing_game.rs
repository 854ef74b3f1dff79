//! # Pointing game
//!
//! **What it computes.** Whether the most relevant pixel lies on what is known to matter.
//!
//! **Formula.** `score = share of the pixels of largest relevance that are within tolerance of a pixel of the mask`,
//! distances Euclidean between pixel centres.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly. 1 is a hit, 0 a miss; where several pixels share the largest relevance, the chance that one of them
//! drawn at random hits. By chance: the mask's share of the picture.
//!
//! **Parameters.** `tolerance`: distance in pixels up to which a miss beside the mask is a hit; the authors use 15 on
//! photographs, Quantus 0. `absolute`: whether the magnitude of the relevance is pointed at.
//!
//! **When it misleads.** It looks at one pixel: a map that is wrong everywhere else scores full marks, and large
//! objects are hit by chance.
//!
//! **Reference.** Zhang et al., Top-down Neural Attention by Excitation Backprop, IJCV 2018, arXiv:1608.00507.
//!
//! **Parity.** Quantus `PointingGame` without tolerance. An empty mask is undefined here and a hit there, and a
//! constant map scores the mask's share here and always hits there.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Mask, Model};

/// See the [module](self).
pub struct PointingGame;

crate::params! {
    /// Parameters of [`PointingGame`].
    pub struct PointingGameParams {
        /// Distance in pixels up to which a miss beside the mask counts as a hit.
        tolerance: f64 = 0.0, real(0.0, 1000.0);
        /// Whether the magnitude of the relevance counts rather than its value.
        absolute: bool = false, flag;
    }
}

impl Metric for PointingGame {
    type Params = PointingGameParams;
    const META: MetricMeta = MetricMeta {
        id: "pointing-game",
        name: "Pointing game",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 or 1; by chance the mask's share of the picture",
        summary: "Does the most relevant pixel lie on what is known to matter?",
        caution: "It looks at a single pixel, and large objects are hit by chance.",
        sensitive: &["tolerance", "absolute"],
        reference: "Zhang et al. 2018, arXiv:1608.00507",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &PointingGameParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        _: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &PointingGameParams,
    ) -> Result<Measurement, Error> {
        masked::located(evidence, |mask| {
            let part = if p.absolute {
                masked::Part::Absolute
            } else {
                masked::Part::Signed
            };
            let values = part.values(&evidence.relevance);
            let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let peaks: Vec<usize> = (0..values.len()).filter(|&i| values[i] >= most).collect();
            let near = reach(mask, p.tolerance);
            let hits = peaks.iter().filter(|&&i| near.bits()[i]).count();
            Score::Value(hits as f64 / peaks.len() as f64)
        })
    }
}

/// The pixels within `tolerance` of a pixel of `mask`.
fn reach(mask: &Mask, tolerance: f64) -> Mask {
    let (height, width) = (mask.height(), mask.width());
    // For each pixel the distance along its row to the mask, then for each column the nearest row at that distance.
    let mut along = vec![f64::INFINITY; height * width];
    for y in 0..height {
        let row = &mask.bits()[y * width..(y + 1) * width];
        let mut last: Option<usize> = None;
        for x in 0..width {
            last = if row[x] { Some(x) } else { last };
            along[y * width + x] = last.map_or(f64::INFINITY, |k| (x - k) as f64);
        }
        let mut last: Option<usize> = None;
        for x in (0..width).rev() {
            last = if row[x] { Some(x) } else { last };
            let back = last.map_or(f64::INFINITY, |k| (k - x) as f64);
            along[y * width + x] = along[y * width + x].min(back);
        }
    }
    let rows = tolerance.floor().min(height as f64) as usize;
    let within = |i: usize| {
        let (y, x) = (i / width, i % width);
        (y.saturating_sub(rows)..(y + rows + 1).min(height)).any(|k| {
            let down = y.abs_diff(k) as f64;
            down * down + along[k * width + x].powi(2) <= tolerance * tolerance
        })
    };
    Mask::new(height, width, (0..height * width).map(within).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reach_of_a_mask_is_a_disc() {
        let mut mask = Mask::all(9, 8, false);
        for i in [8 * 4 + 3, 8 * 4 + 7] {
            mask.bits_mut()[i] = true;
        }
        for tolerance in [0.0, 1.0, 1.5, 2.0, 3.7, 100.0] {
            let found = reach(&mask, tolerance);
            for (i, &near) in found.bits().iter().enumerate() {
                let far = |j: usize| ((i / 8).abs_diff(j / 8) as f64).hypot((i % 8).abs_diff(j % 8) as f64);
                let expected = far(8 * 4 + 3).min(far(8 * 4 + 7)) <= tolerance;
                assert_eq!(near, expected, "{tolerance} {i}");
            }
        }
        assert_eq!(reach(&Mask::all(2, 2, false), 9.0).count(), 0);
    }
}
