//! # Focus
//!
//! **What it computes.** Whether the map finds the target's own kind in a mosaic: two pictures of the target's class
//! and two of others, explained for that class.
//!
//! **Formula.** `score = mean over mosaics of (sum of max(r, 0) in the quadrants of the target's class) / (sum of
//! max(r, 0))`.
//!
//! **Shapes and sign.** The first picture of each mosaic is the one that is explained; the other of its class, the two
//! of others and their places are drawn anew each time. Each is scaled to its quadrant by averaging over areas; the
//! map of the mosaic is summed over channels and resized where coarse, and quadrants meet at half the side, rounded
//! down. Between 0 and 1; 0.5 by chance. Undefined without another picture of the class or two of others, and where no
//! map has positive relevance; single mosaics without are left out.
//!
//! **Parameters.** `mosaics`: how many, each explained once.
//!
//! **When it misleads.** The network sees pictures of half their size, in company: if it no longer knows them, the
//! score says nothing of the map. Look at its answers to mosaics first.
//!
//! **Reference.** Arias-Duart et al., Focus! Rating XAI Methods and Finding Biases, 2022, arXiv:2109.15035.
//!
//! **Parity.** Quantus `Focus` of the same mosaics, with recorded draws `[mosaics, 6]` as the stream `focus/mosaics`:
//! the other of the class, the two others, and three of a Fisher-Yates shuffle of the places. The authors' mosaics
//! have twice the picture's sides, which networks with a fixed input do not take.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, curve, masked, neighbours};
use crate::attribution;
use crate::job::Passes;
use crate::rng::Stream;
use crate::{Context, Error, Input, Mask, Model, Tensor};

/// See the [module](self).
pub struct Focus;

crate::params! {
    /// Parameters of [`Focus`].
    pub struct FocusParams {
        /// Mosaics, each explained once.
        mosaics: usize = 10usize, int(1, 10_000);
    }
}

/// The pictures to choose from.
struct Cast<'a> {
    own: &'a Input,
    same: Vec<&'a Input>,
    others: Vec<&'a Input>,
}

impl<'a> Cast<'a> {
    fn new(evidence: &Evidence<'a>, class: usize) -> Option<Self> {
        let of = |same: bool| {
            let wanted = evidence.set.iter().filter(|e| (e.class == class) == same);
            // A picture that is its own companion would prove nothing.
            let new = wanted.filter(|e| !same || e.input.tensor != evidence.input.tensor);
            new.map(|e| &e.input).collect::<Vec<_>>()
        };
        let cast = Self {
            own: evidence.input,
            same: of(true),
            others: of(false),
        };
        (!cast.same.is_empty() && cast.others.len() >= 2).then_some(cast)
    }

    /// A mosaic, and which quadrants (row by row) hold the target's class.
    fn mosaic(&self, stream: &mut Stream) -> (Input, [bool; 4]) {
        let companion = self.same[stream.index(self.same.len())];
        let first = stream.index(self.others.len());
        let second = stream.index(self.others.len() - 1);
        let second = if second >= first { second + 1 } else { second };
        let pictures = [self.own, companion, self.others[first], self.others[second]];
        let places = stream.permutation(4);
        let mut tensor = Tensor::zeros(self.own.tensor.shape());
        for (quadrant, &k) in places.iter().enumerate() {
            place(&mut tensor, quadrant, &pictures[k].tensor);
        }
        (
            self.own.with(tensor),
            std::array::from_fn(|quadrant| places[quadrant] < 2),
        )
    }
}

/// From where to where a quadrant goes along a side: 0 the first half, 1 the rest.
fn half(which: usize, side: usize) -> std::ops::Range<usize> {
    if which == 0 { 0..side / 2 } else { side / 2..side }
}

/// Writes `picture` into a quadrant of `mosaic`, averaged over the area of each of its pixels.
fn place(mosaic: &mut Tensor, quadrant: usize, picture: &Tensor) {
    let &[channels, height, width] = mosaic.shape() else {
        unreachable!("a picture is [C, H, W]")
    };
    let (rows, columns) = (half(quadrant / 2, height), half(quadrant % 2, width));
    let (down, across) = (areas(height, rows.len()), areas(width, columns.len()));
    for c in 0..channels {
        let source = picture.row(c);
        for (y, down) in rows.clone().zip(&down) {
            for (x, across) in columns.clone().zip(&across) {
                let mut sum = 0.0;
                for &(sy, wy) in down {
                    for &(sx, wx) in across {
                        sum += wy * wx * f64::from(source[sy * width + sx]);
                    }
                }
                mosaic.data_mut()[(c * height + y) * width + x] = sum as f32;
            }
        }
    }
}

/// For each of `to` cells along a side of `from`: the cells under it and their shares, which sum to one.
fn areas(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let ratio = from as f64 / to as f64;
    let cell = |i: usize| {
        let (low, high) = (i as f64 * ratio, (i + 1) as f64 * ratio);
        let under = low.floor() as usize..(high.ceil() as usize).min(from);
        let share = |k: usize| (high.min((k + 1) as f64) - low.max(k as f64)) / ratio;
        under.map(|k| (k, share(k))).filter(|(_, w)| *w > 1e-12).collect()
    };
    (0..to).map(cell).collect()
}

impl Metric for Focus {
    type Params = FocusParams;
    const META: MetricMeta = MetricMeta {
        id: "focus",
        name: "Focus",
        category: Category::Localisation,
        direction: Direction::Higher,
        range: "0 to 1; 0.5 by chance",
        summary: "Does the map find the target's own kind in a mosaic of four pictures?",
        caution: "The network sees pictures of half their size, which it may no longer know.",
        sensitive: &["mosaics"],
        reference: "Arias-Duart et al. 2022, arXiv:2109.15035",
        needs: &[Need::Set, Need::Explainer],
        imputer: "",
        stochastic: true,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &FocusParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        if height < 2 || width < 2 {
            return Err(Error::param(
                "mosaics",
                "the picture is too small for a mosaic".to_owned(),
            ));
        }
        let one = neighbours::explainer(evidence).passes(model)?;
        let mosaics = p.mosaics as u64;
        Ok(Passes {
            forward: mosaics * one.forward,
            backward: mosaics * one.backward,
        })
    }

    async fn evaluate(&self, cx: &Context<'_>, evidence: &Evidence<'_>, p: &FocusParams) -> Result<Measurement, Error> {
        for exhibit in evidence.set {
            attribution::check_input(cx.exec.model(), &exhibit.input)?;
        }
        let Some(cast) = Cast::new(evidence, cx.target.class) else {
            return Ok(Measurement::undefined(
                "a mosaic needs another picture of the target's class and two of others",
            ));
        };
        let mut stream = cx.random.stream("focus/mosaics");
        let [_, height, width] = evidence.input.dims();
        let (mut sum, mut counted) = (0.0, 0);
        for _ in 0..p.mosaics {
            let (mosaic, target) = cast.mosaic(&mut stream);
            let map = neighbours::explainer(evidence).explain(cx, &mosaic).await?;
            cx.job.step(Passes::default()).await?;
            let values = masked::Part::Positive.values(&curve::pixel_relevance(&mosaic, &map)?);
            let quadrant = |i: usize| {
                let row = usize::from(i / width >= height / 2);
                2 * row + usize::from(i % width >= width / 2)
            };
            let bits = (0..values.len()).map(|i| target[quadrant(i)]).collect();
            if let Some(share) = masked::mass_inside(&values, &Mask::new(height, width, bits)) {
                sum += share;
                counted += 1;
            }
        }
        Ok(if counted == 0 {
            Measurement::undefined("no map of a mosaic has positive relevance")
        } else {
            Measurement::of(Score::Value(sum / f64::from(counted)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadrants_hold_their_pictures_averaged() {
        let picture = Tensor::from_fn(&[1, 4, 4], |i| i as f32);
        let mut mosaic = Tensor::zeros(&[1, 4, 4]);
        place(&mut mosaic, 1, &picture);
        assert_eq!(mosaic.row(0)[..8], [0.0, 0.0, 2.5, 4.5, 0.0, 0.0, 10.5, 12.5]);
        let mut odd = Tensor::zeros(&[1, 5, 5]);
        for quadrant in 0..4 {
            place(&mut odd, quadrant, &Tensor::full(&[1, 5, 5], 1.0 + quadrant as f32));
        }
        let row = |y: usize| odd.data()[5 * y..5 * y + 5].to_vec();
        assert_eq!(
            (row(1), row(2)),
            (vec![1.0, 1.0, 2.0, 2.0, 2.0], vec![3.0, 3.0, 4.0, 4.0, 4.0])
        );
    }
}
