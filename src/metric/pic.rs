//! Performance information curves: the answer over the information that a picture holds, shared by AIC and SIC.

use super::curve::{Order, Ranking, Reading, read};
use super::subsets::Subsets;
use super::{Curve, Evidence, Measurement, Score};
use crate::imputer::Remover;
use crate::{Context, Error, Input, Mask, Model, Tensor};

/// Shares of the pixels that are shown, as in PAIR's example.
const SHARES: [f64; 13] = [
    0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10, 0.13, 0.21, 0.34, 0.5, 0.75,
];

/// Points at which PAIR reads its curve before it takes the area.
const POINTS: usize = 1000;

crate::params! {
    /// Parameters of the performance information curves.
    pub struct PicParams {
        /// Whether the most (`morf`) or the least (`lerf`) relevant pixels are shown first.
        order: String = "morf", choice("morf", "lerf");
        /// Least reading of the whole picture; below it the score is undefined.
        least: f64 = 0.8, real(0.0, 1.0);
        /// Whether the curve never falls.
        monotone: bool = true, flag;
        /// Share of random pixels that are shown from the start.
        start: f64 = 0.01, real(0.0001, 0.5);
    }
}

/// Passes of [`measure`].
pub fn passes(_: &Model) -> u64 {
    SHARES.len() as u64 + 2
}

/// The area under the curve of the reading over the estimated information, both rescaled from the start to the whole
/// picture; or why there is none.
pub async fn measure(
    cx: &Context<'_>,
    evidence: &Evidence<'_>,
    p: &PicParams,
    reading: Reading,
) -> Result<Measurement, Error> {
    let [_, height, width] = evidence.input.dims();
    let pixels = height * width;
    let size = ((p.start * pixels as f64).floor() as usize).max(1);
    let start = Subsets::new(cx, "pic/start", 1, size, pixels)?.draw(0).to_vec();
    cx.removal
        .needs_values("the information in the values of pictures is estimated")?;
    let remover = Remover::new(cx, evidence.input).await?;
    let ranking = Ranking::new(&evidence.relevance, cx.random);
    let scale = Levels::of(evidence.input);
    let order = Order::of(&p.order);
    // What is missing when the first of one order are shown are the first of the other.
    let missing = |shown: usize| {
        let mut mask = ranking.first(order.reversed(), pixels - shown);
        for &i in &start {
            mask.bits_mut()[i] = false;
        }
        mask
    };
    // The start, what each share shows, and the whole picture.
    let shown = SHARES.map(|share| pixels - ((1.0 - share) * (pixels - 1) as f64).ceil() as usize);
    let masks = std::iter::once(0)
        .chain(shown)
        .map(missing)
        .chain([Mask::all(height, width, false)]);
    let masks: Vec<Mask> = masks.collect();
    let (mut information, mut readings) = (Vec::new(), Vec::new());
    for range in cx.batches(masks.len()) {
        let mut pictures = Vec::with_capacity(range.len());
        for mask in &masks[range] {
            let picture = remover.remove(mask).await?;
            information.push(scale.information(&picture, evidence.input));
            pictures.push(picture);
        }
        readings.extend(read(cx, &Tensor::stack(&pictures), reading).await?);
    }
    let last = masks.len() - 1;
    Ok(rescaled(&information, &readings, last, p, reading))
}

fn rescaled(information: &[f64], readings: &[f64], last: usize, p: &PicParams, reading: Reading) -> Measurement {
    if readings[last] < p.least {
        return Measurement::undefined(if reading == Reading::Accuracy {
            "the network's answer to the whole picture is another class".to_owned()
        } else {
            format!(
                "the answer to the whole picture, {:.3}, is below the least of {}",
                readings[last], p.least
            )
        });
    }
    if information[0] >= information[last] {
        return Measurement::undefined("the picture at the start holds no less information than the whole one");
    }
    if readings[0] >= readings[last] {
        return Measurement::undefined("the answer to the picture at the start is no weaker than to the whole one");
    }
    let rescale = |values: &[f64], k: usize| ((values[k] - values[0]) / (values[last] - values[0])).clamp(0.0, 1.0);
    let mut points = Vec::with_capacity(last + 1);
    let mut best = 0.0f64;
    for k in 1..last {
        let y = rescale(readings, k);
        best = best.max(y);
        points.push((rescale(information, k), if p.monotone { best } else { y }));
    }
    points.extend([(0.0, 0.0), (1.0, 1.0)]);
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at = |x: f64| {
        let above = points
            .iter()
            .position(|&(px, _)| px >= x)
            .unwrap_or(points.len() - 1)
            .max(1);
        let ((x0, y0), (x1, y1)) = (points[above - 1], points[above]);
        if x1 > x0 {
            y0 + (x - x0) / (x1 - x0) * (y1 - y0)
        } else {
            y0
        }
    };
    let heights: Vec<f64> = (0..=POINTS)
        .map(|k| match k {
            0 => 0.0,
            POINTS => 1.0,
            k => at(k as f64 / POINTS as f64),
        })
        .collect();
    let area = heights.windows(2).map(|h| f64::midpoint(h[0], h[1])).sum::<f64>() / POINTS as f64;
    Measurement {
        score: Score::Value(area),
        curves: vec![Curve {
            label: "information".into(),
            x: points.iter().map(|&(x, _)| x).collect(),
            y: points.iter().map(|&(_, y)| y).collect(),
        }],
    }
}

/// 256 levels over the range of one picture's pixel values.
struct Levels {
    low: f32,
    high: f32,
}

impl Levels {
    fn of(input: &Input) -> Self {
        let pixels = input.dims()[1] * input.dims()[2];
        let values = input.tensor.data().iter().enumerate();
        let (low, high) = values
            .map(|(i, &x)| input.space.inverse(i / pixels, x))
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        Self { low, high }
    }

    /// Estimated information of a picture in bits: the entropy of each channel's residuals after the median edge
    /// predictor of lossless JPEG-LS, times its pixels. A stand-in for the size of a losslessly compressed file.
    fn information(&self, picture: &Tensor, space: &Input) -> f64 {
        let [channels, height, width] = space.dims();
        let span = if self.high > self.low {
            self.high - self.low
        } else {
            1.0
        };
        let mut bits = 0.0;
        for c in 0..channels {
            let level = |v: f32| {
                ((space.space.inverse(c, v) - self.low) / span * 255.0)
                    .round()
                    .clamp(0.0, 255.0) as i32
            };
            let levels: Vec<i32> = picture.row(c).iter().map(|&v| level(v)).collect();
            let mut counts = [0u32; 256];
            for i in 0..height * width {
                let residual = levels[i] - predicted(&levels, i, width);
                counts[residual.rem_euclid(256) as usize] += 1;
            }
            let n = (height * width) as f64;
            let used = counts.iter().filter(|&&count| count > 0);
            bits -= used
                .map(|&count| f64::from(count) * (f64::from(count) / n).log2())
                .sum::<f64>();
        }
        bits
    }
}

/// The median edge predictor from the left, upper and upper left neighbour; missing ones are 0, or the only one there.
fn predicted(levels: &[i32], i: usize, width: usize) -> i32 {
    let (row, column) = (i / width, i % width);
    match (row, column) {
        (0, 0) => 0,
        (0, _) => levels[i - 1],
        (_, 0) => levels[i - width],
        _ => {
            let (left, up, corner) = (levels[i - 1], levels[i - width], levels[i - width - 1]);
            if corner >= left.max(up) {
                left.min(up)
            } else if corner <= left.min(up) {
                left.max(up)
            } else {
                left + up - corner
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_pictures_and_ramps_hold_nearly_nothing() {
        let picture = |f: &dyn Fn(usize) -> f32| Input::preprocessed(Tensor::from_fn(&[1, 16, 16], f));
        let bits = |x: &Input| Levels { low: 0.0, high: 1.0 }.information(&x.tensor, x);
        let flat = bits(&picture(&|_| 0.0));
        let ramp = bits(&picture(&|i| (i / 16) as f32 / 16.0));
        let noise = bits(&picture(&|i| ((i * i * 31 + (i >> 3) * 977) % 251) as f32 / 255.0));
        assert!(
            flat.abs() < 1e-9 && ramp < noise / 4.0 && noise > 1000.0,
            "{flat} {ramp} {noise}"
        );
    }

    #[test]
    fn areas_by_hand() {
        let p = PicParams {
            least: 0.5,
            ..PicParams::default()
        };
        let found = |information: &[f64], readings: &[f64]| {
            rescaled(information, readings, readings.len() - 1, &p, Reading::Target)
        };
        // Half of the information gives the whole answer: a triangle and a rectangle.
        let Score::Value(area) = found(&[10.0, 20.0, 30.0], &[0.1, 0.9, 0.9]).score else {
            panic!("it is defined")
        };
        assert!((area - 0.75).abs() < 1e-6, "{area}");
        assert!(
            matches!(found(&[10.0, 20.0, 30.0], &[0.1, 0.4, 0.4]).score, Score::Undefined(why) if why.contains("least"))
        );
        assert!(matches!(
            found(&[30.0, 20.0, 30.0], &[0.1, 0.9, 0.9]).score,
            Score::Undefined(_)
        ));
        assert!(matches!(
            found(&[10.0, 20.0, 30.0], &[0.9, 0.9, 0.9]).score,
            Score::Undefined(_)
        ));
    }
}
