//! # XAI-TRIS earth mover's score
//!
//! **What it computes.** How little the magnitudes of the map would have to be carried to lie on what was planted,
//! evenly.
//!
//! **Formula.** `score = 1 - OT(|r| / sum |r|, M / |M|) / d`: `OT` the least total of mass times distance over all
//! plans, `d` the picture's diagonal `sqrt(H² + W²)` (the authors' `sqrt(2 n)` for square pictures of `n` pixels).
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly first. 1 where the map is even on the mask and zero elsewhere; 0 where all of it lies in the opposite
//! corner. A map of zeros and an empty mask are undefined.
//!
//! **Parameters.** `side`: pictures with a longer side are cut into square blocks, as few as give at most so many a
//! side; the mass of a block stands at the mean of its pixels' places. This changes the score by at most a block's
//! diagonal over the picture's.
//!
//! **When it misleads.** Even a map of noise scores well over a half, as everything is near on a small picture:
//! compare with the controls. It rewards blur around the mask.
//!
//! **Reference.** Clark, Wilming & Haufe, XAI-TRIS, Machine Learning 2024, arXiv:2306.12816; exact transport: Bonneel
//! et al., SIGGRAPH Asia 2011, doi:10.1145/2070781.2024192 (POT).
//!
//! **Parity.** The authors' `continuous_emd` with POT's `emd2` on the same blocks.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked, transport};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct XaiTrisEmd;

crate::params! {
    /// Parameters of [`XaiTrisEmd`].
    pub struct XaiTrisEmdParams {
        /// Pictures with a longer side are cut into square blocks, at most so many a side.
        side: usize = 32usize, int(2, 64);
    }
}

impl Metric for XaiTrisEmd {
    type Params = XaiTrisEmdParams;
    const META: MetricMeta = MetricMeta {
        id: "xai-tris-emd",
        name: "XAI-TRIS earth mover's score",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; noise scores well over a half",
        summary: "How little would the relevance have to move to lie on what was planted?",
        caution: "Noise scores well over a half on small pictures, and blur around the mask is rewarded.",
        sensitive: &["side"],
        reference: "Clark et al. 2024, arXiv:2306.12816",
        needs: &[Need::Truth],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, evidence: &Evidence<'_>, _: &XaiTrisEmdParams) -> Result<Passes, Error> {
        masked::truth(evidence)?;
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &XaiTrisEmdParams,
    ) -> Result<Measurement, Error> {
        let mask = masked::truth(evidence)?;
        if mask.count() == 0 {
            return Ok(Measurement::undefined(masked::EMPTY));
        }
        let Some(shares) = masked::shares_of_largest(&evidence.relevance) else {
            return Ok(Measurement::undefined(masked::ZERO));
        };
        let (height, width) = (mask.height(), mask.width());
        let (points, cells) = blocks(height, width, p.side);
        let sums = |value: &dyn Fn(usize) -> f64| {
            let mut sums = vec![0.0; points.len()];
            for (i, &cell) in cells.iter().enumerate() {
                sums[cell] += value(i);
            }
            sums
        };
        let (map, truth) = (sums(&|i| shares[i]), sums(&|i| f64::from(u8::from(mask.bits()[i]))));
        let cost = transport::cost(cx, &points, &map, &truth).await?;
        Ok(Measurement::of(Score::Value(
            1.0 - cost / (height as f64).hypot(width as f64),
        )))
    }
}

/// The mean place of each block, and the block of each pixel.
fn blocks(height: usize, width: usize, side: usize) -> (Vec<transport::Point>, Vec<usize>) {
    let size = height.max(width).div_ceil(side);
    let columns = width.div_ceil(size);
    let centre = |k: usize, full: usize| {
        let (from, to) = (k * size, ((k + 1) * size).min(full));
        (from + to - 1) as f64 / 2.0
    };
    let points = (0..height.div_ceil(size) * columns)
        .map(|b| (centre(b / columns, height), centre(b % columns, width)))
        .collect();
    let cells = (0..height * width)
        .map(|i| (i / width / size) * columns + i % width / size)
        .collect();
    (points, cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_picture() {
        let (points, cells) = blocks(5, 7, 3);
        assert_eq!(
            points,
            [(1.0, 1.0), (1.0, 4.0), (1.0, 6.0), (3.5, 1.0), (3.5, 4.0), (3.5, 6.0)]
        );
        assert_eq!(
            (cells[0], cells[6], cells[7 * 2 + 3], cells[7 * 3 + 3], cells[34]),
            (0, 2, 1, 4, 5)
        );
        let (points, cells) = blocks(2, 3, 32);
        assert_eq!(
            points,
            [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0)]
        );
        assert_eq!(cells, [0, 1, 2, 3, 4, 5]);
    }
}
