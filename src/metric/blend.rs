//! Soft masks: a map brought to shares of 0 to 1, and a picture seen through it.

use super::Evidence;
use crate::imputer::{self, Remover};
use crate::params::ParamValues;
use crate::{Context, Error, Input, Mask, Tensor};

/// A relevance `[H, W]` as shares of 0 to 1, or `None` where it prefers no pixel. `positive` drops negative relevance and
/// divides by the largest; `min-max` stretches the smallest to 0 and the largest to 1.
pub fn shares(relevance: &Tensor, how: &str) -> Option<Vec<f64>> {
    let values: Vec<f64> = relevance.data().iter().map(|&v| f64::from(v)).collect();
    let top = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bottom = values.iter().copied().fold(f64::INFINITY, f64::min);
    if top <= bottom || (how == "positive" && top <= 0.0) {
        return None;
    }
    let from = if how == "positive" { 0.0 } else { bottom };
    Some(values.iter().map(|v| ((v - from) / (top - from)).max(0.0)).collect())
}

/// Why [`shares`] has none.
pub const NO_SHARES: &str = "the map prefers no pixel, so no part of the picture stands out to be kept";

/// `input` where `keep` `[H × W]` is 1, `fill` where it is 0, and a mixture in between; `[C, H, W]`.
pub fn blend(input: &Input, fill: &Tensor, keep: &[f64]) -> Tensor {
    let pixels = keep.len();
    let (x, fill) = (input.tensor.data(), fill.data());
    Tensor::from_fn(input.tensor.shape(), |i| {
        let keep = keep[i % pixels];
        (keep * f64::from(x[i]) + (1.0 - keep) * f64::from(fill[i])) as f32
    })
}

/// The picture seen through the map over zeros of preprocessed space, as CAM libraries do: input times share.
pub async fn over_zeros(cx: &Context<'_>, input: &Input, keep: &[f64]) -> Result<Tensor, Error> {
    let [_, height, width] = input.dims();
    let zeros = imputer::find("constant")?;
    let all = Mask::all(height, width, true);
    let fill = imputer::impute(zeros, &ParamValues::new(), &cx.imputing(), input, &all).await?;
    Ok(blend(input, &fill, keep))
}

crate::params! {
    /// Parameters of metrics that look at the picture through the map.
    pub struct SeenParams {
        /// How the map becomes shares: `min-max` stretches it to 0 to 1, `positive` drops negative relevance.
        scale: String = "min-max", choice("min-max", "positive");
    }
}

/// The target for the whole picture and for the picture seen through the map, or `None` where the map prefers no pixel.
/// Two passes.
pub async fn seen(cx: &Context<'_>, evidence: &Evidence<'_>, scale: &str) -> Result<Option<(f64, f64)>, Error> {
    cx.removal
        .needs_values("the picture is shown through the map, most of it partly")?;
    let remover = Remover::new(cx, evidence.input).await?;
    let fill = remover.everything("what is not shown is filled in the whole picture")?;
    let Some(keep) = shares(&evidence.relevance, scale) else {
        return Ok(None);
    };
    let part = blend(evidence.input, fill, &keep);
    let mut scores = Vec::with_capacity(2);
    for picture in [evidence.input.tensor.clone(), part] {
        scores.push(f64::from(cx.scores(&Tensor::stack(&[picture])).await?[0]));
    }
    Ok(Some((scores[0], scores[1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_hand() {
        let map = Tensor::new(&[1, 3], vec![-1.0, 1.0, 3.0]);
        assert_eq!(shares(&map, "min-max").unwrap(), [0.0, 0.5, 1.0]);
        assert_eq!(shares(&map, "positive").unwrap(), [0.0, 1.0 / 3.0, 1.0]);
        assert!(shares(&map.map(|v| v - 5.0), "positive").is_none());
        assert!(shares(&Tensor::full(&[1, 3], 2.0), "min-max").is_none());
    }

    #[test]
    fn pictures_are_blended_pixel_by_pixel() {
        let input = Input::preprocessed(Tensor::new(&[2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]));
        let seen = blend(&input, &Tensor::full(&[2, 1, 2], -1.0), &[1.0, 0.5]);
        assert_eq!(seen.data(), [1.0, 0.5, 3.0, 1.5]);
    }
}
