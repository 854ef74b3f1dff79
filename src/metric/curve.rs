//! The shared sweep behind every metric that removes pixels in an order: relevance, ranking, masks, scores.

use super::Curve;
use crate::context::Pictures;
use crate::error::InputError;
use crate::imputer::Remover;
use crate::rng::SeedStream;
use crate::{Context, Error, Input, Mask, Tensor};

/// One relevance a pixel `[H, W]` from a map `[C, H, W]` or `[1, h, w]`: channels are summed, and maps of another size
/// resized bilinearly between the centres of their cells, constant beyond the outermost ones (OpenCV's `INTER_LINEAR`).
pub fn pixel_relevance(input: &Input, map: &Tensor) -> Result<Tensor, InputError> {
    let [channels, height, width] = input.dims();
    let what = || "the attribution".to_owned();
    let fits = match *map.shape() {
        [1, h, w] => h > 0 && w > 0,
        [c, h, w] => [c, h, w] == [channels, height, width],
        _ => false,
    };
    if !fits {
        return Err(InputError::Shape {
            what: what(),
            found: map.shape().to_vec(),
            expected: format!("[{channels}, {height}, {width}] or [1, h, w]"),
        });
    }
    let relevance = match *map.shape() {
        [1, h, w] if (h, w) != (height, width) => resize(map.data(), (h, w), (height, width)),
        [c, ..] => {
            let pixels = height * width;
            let sum = |i: usize| (0..c).map(|k| f64::from(map.data()[k * pixels + i])).sum::<f64>();
            Tensor::from_fn(&[height, width], |i| sum(i) as f32)
        }
        _ => unreachable!("a map of rank 3 was checked above"),
    };
    if map.is_finite() && relevance.is_finite() {
        Ok(relevance)
    } else {
        Err(InputError::NotFinite { what: what() })
    }
}

/// For each of `to` cells along a side of `from` cells: the two nearest cells and the share of the second.
fn nearest(from: usize, to: usize) -> Vec<(usize, usize, f64)> {
    (0..to)
        .map(|i| {
            let at = ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
            let below = at.floor() as usize;
            (below, (below + 1).min(from - 1), at - below as f64)
        })
        .collect()
}

fn resize(data: &[f32], (h, w): (usize, usize), (height, width): (usize, usize)) -> Tensor {
    let (rows, columns) = (nearest(h, height), nearest(w, width));
    // Written as a + t (b - a), a constant map stays exactly constant.
    let mix = |a: f64, b: f64, t: f64| a + t * (b - a);
    Tensor::from_fn(&[height, width], |i| {
        let ((above, below, down), (left, right, along)) = (rows[i / width], columns[i % width]);
        let across = |row: usize| mix(f64::from(data[row * w + left]), f64::from(data[row * w + right]), along);
        mix(across(above), across(below), down) as f32
    })
}

/// Which pixels go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Most relevant first.
    Morf,
    /// Least relevant first.
    Lerf,
}

impl Order {
    /// From a parameter's word `morf` or `lerf`.
    pub fn of(word: &str) -> Self {
        if word == "lerf" { Self::Lerf } else { Self::Morf }
    }

    /// The other order.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Morf => Self::Lerf,
            Self::Lerf => Self::Morf,
        }
    }

    /// For a legend.
    pub fn label(self) -> &'static str {
        match self {
            Self::Morf => "MoRF",
            Self::Lerf => "LeRF",
        }
    }
}

/// Indices of `values` from the largest to the smallest; equal ones in a random order drawn from the stream
/// `ranking/ties`.
pub fn ranked<T: PartialOrd>(values: &[T], random: &SeedStream) -> Vec<usize> {
    let mut order = random.stream("ranking/ties").permutation(values.len());
    order.sort_by(|&a, &b| values[b].partial_cmp(&values[a]).unwrap_or(std::cmp::Ordering::Equal));
    order
}

/// Pixels by relevance. Equal pixels stand in a random order drawn from the stream `ranking/ties`, so that a map which
/// prefers none (a constant one) is neutral rather than in reading order; the two orders are each other's reverse.
#[derive(Clone, Debug)]
pub struct Ranking {
    height: usize,
    width: usize,
    order: Vec<usize>,
}

impl Ranking {
    /// The ranking of a relevance `[H, W]` of finite values.
    pub fn new(relevance: &Tensor, random: &SeedStream) -> Self {
        let &[height, width] = relevance.shape() else {
            unreachable!("relevance is [H, W]")
        };
        let order = ranked(relevance.data(), random);
        Self { height, width, order }
    }

    /// The pixels, most relevant first.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// How many pixels are removed at each of `steps` steps, from none to `share` of them.
    pub fn counts(&self, steps: usize, share: f64) -> Vec<usize> {
        let most = steps_of(share, self.pixels());
        (0..=steps).map(|k| self::share(k, steps, most)).collect()
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.order.len()
    }

    /// The first `count` pixels of an order.
    pub fn first(&self, order: Order, count: usize) -> Mask {
        let mut mask = Mask::all(self.height, self.width, false);
        let pixels = match order {
            Order::Morf => &self.order[..count],
            Order::Lerf => &self.order[self.pixels() - count..],
        };
        for &i in pixels {
            mask.bits_mut()[i] = true;
        }
        mask
    }
}

/// `step` of `steps` as a number of pixels, rounded half up.
pub fn share(step: usize, steps: usize, pixels: usize) -> usize {
    (2 * step * pixels + steps) / (2 * steps)
}

/// `share` of the pixels, rounded down, and at least one: as many steps as can be taken up to it.
pub fn steps_of(share: f64, pixels: usize) -> usize {
    ((share * pixels as f64).floor() as usize).clamp(1, pixels)
}

/// Refuses more steps than pixels, of which some would remove nothing.
pub fn check_steps(steps: usize, pixels: usize) -> Result<(), Error> {
    if steps > pixels {
        let why = format!("{steps} is more than there are pixels; it must be between 1 and {pixels}");
        return Err(Error::param("steps", why));
    }
    Ok(())
}

/// What is read off the network's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The target's value.
    Target,
    /// 1 where the target's class has the largest logit, else 0.
    Accuracy,
}

impl Reading {
    /// From a parameter's word `target` or `accuracy`.
    pub fn of(word: &str) -> Self {
        if word == "accuracy" {
            Self::Accuracy
        } else {
            Self::Target
        }
    }
}

/// The reading of each picture.
pub async fn read<'p>(cx: &Context<'_>, x: impl Into<Pictures<'p>>, reading: Reading) -> Result<Vec<f64>, Error> {
    if reading == Reading::Target {
        return Ok(cx.scores(x).await?.into_iter().map(f64::from).collect());
    }
    let logits = cx.forward(x, &[]).await?.remove(0);
    if !logits.is_finite() {
        return Err(crate::error::RunError::NonFinite { what: "answer".into() }.into());
    }
    let answers = (0..logits.shape()[0]).map(|i| answer(logits.row(i)));
    Ok(answers
        .map(|class| f64::from(u8::from(class == cx.target.class)))
        .collect())
}

/// The class with the largest logit; the first of equal ones.
pub fn answer(logits: &[f32]) -> usize {
    (0..logits.len()).fold(0, |best, k| if logits[k] > logits[best] { k } else { best })
}

/// The target for the whole picture; one pass.
pub async fn whole(cx: &Context<'_>, input: &Input) -> Result<f64, Error> {
    Ok(f64::from(
        cx.scores(&Tensor::stack(std::slice::from_ref(&input.tensor))).await?[0],
    ))
}

/// The reading without the pixels of each of `count` masks, in batches.
pub async fn scores_without(
    cx: &Context<'_>,
    remover: &Remover<'_>,
    reading: Reading,
    count: usize,
    mut mask: impl FnMut(usize) -> Mask,
) -> Result<Vec<f64>, Error> {
    let mut values = Vec::with_capacity(count);
    for range in cx.batches(count) {
        let masks: Vec<Mask> = range.map(&mut mask).collect();
        values.extend(read(cx, &remover.without(&masks).await?, reading).await?);
    }
    Ok(values)
}

/// The target after each of `removals`: so many pixels, the first of that order.
pub async fn sweep(
    cx: &Context<'_>,
    remover: &Remover<'_>,
    ranking: &Ranking,
    removals: &[(Order, usize)],
) -> Result<Vec<f64>, Error> {
    let mask = |i: usize| ranking.first(removals[i].0, removals[i].1);
    scores_without(cx, remover, Reading::Target, removals.len(), mask).await
}

/// The target over the share of pixels removed. `counts` lists the number of removed pixels of each step, ascending, and
/// `mask` makes them; a step that leaves no pixel is left out where the imputer fills from kept ones.
pub async fn removal_curve(
    cx: &Context<'_>,
    remover: &Remover<'_>,
    label: &str,
    counts: &[usize],
    mask: impl Fn(usize) -> Mask,
) -> Result<Curve, Error> {
    let pixels = cx.exec.model().input_dims()[1..].iter().product::<usize>();
    let steps = counts
        .iter()
        .filter(|&&count| count < pixels || remover.can_remove_everything())
        .count();
    Ok(Curve {
        label: label.to_owned(),
        x: counts[..steps]
            .iter()
            .map(|&count| count as f64 / pixels as f64)
            .collect(),
        y: scores_without(cx, remover, Reading::Target, steps, mask).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(c: usize, h: usize, w: usize) -> Input {
        Input::preprocessed(Tensor::zeros(&[c, h, w]))
    }

    /// Made by OpenCV: `cv2.resize(map, (5, 4), interpolation=cv2.INTER_LINEAR)`.
    #[test]
    fn coarse_maps_are_resized_as_by_opencv() {
        let map = Tensor::new(&[1, 2, 3], vec![0.0, 1.0, 4.0, 9.0, 16.0, 25.0]);
        let expected = [
            0.0, 0.4, 1.0, 2.8, 4.0, 2.25, 3.25, 4.75, 7.45, 9.25, 6.75, 8.95, 12.25, 16.75, 19.75, 9.0, 11.8, 16.0,
            21.4, 25.0,
        ];
        let relevance = pixel_relevance(&picture(3, 4, 5), &map).unwrap();
        assert_eq!(relevance.shape(), [4, 5]);
        for (a, b) in relevance.data().iter().zip(expected) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn channels_are_summed() {
        let map = Tensor::new(&[2, 1, 2], vec![1.0, -2.0, 0.5, 5.0]);
        let relevance = pixel_relevance(&picture(2, 1, 2), &map).unwrap();
        assert_eq!(relevance.data(), [1.5, 3.0]);
    }

    #[test]
    fn a_constant_coarse_map_stays_exactly_constant() {
        let relevance = pixel_relevance(&picture(3, 30, 31), &Tensor::full(&[1, 7, 7], 0.1)).unwrap();
        assert!(relevance.data().iter().all(|&v| v.to_bits() == 0.1f32.to_bits()));
    }

    #[test]
    fn maps_that_do_not_fit_are_refused() {
        let bad = [
            vec![2, 4, 4],
            vec![4, 4],
            vec![3, 4, 5],
            vec![1, 0, 4],
            vec![1, 1, 4, 4],
        ];
        for shape in bad {
            let error = pixel_relevance(&picture(3, 4, 4), &Tensor::zeros(&shape)).unwrap_err();
            assert!(matches!(error, InputError::Shape { .. }), "{shape:?}: {error}");
        }
    }

    #[test]
    fn maps_that_are_not_finite_are_refused() {
        for value in [f32::NAN, f32::INFINITY, f32::MAX] {
            let mut map = Tensor::zeros(&[3, 2, 2]);
            for c in 0..3 {
                map.data_mut()[4 * c + 1] = value;
            }
            let error = pixel_relevance(&picture(3, 2, 2), &map).unwrap_err();
            assert!(matches!(error, InputError::NotFinite { .. }), "{value}: {error}");
        }
    }

    #[test]
    fn rankings_hold_the_most_relevant_first() {
        let relevance = Tensor::new(&[2, 2], vec![0.5, -1.0, 3.0, 0.0]);
        let ranking = Ranking::new(&relevance, &SeedStream::new(0));
        assert_eq!(ranking.first(Order::Morf, 2).bits(), [true, false, true, false]);
        assert_eq!(ranking.first(Order::Lerf, 1).bits(), [false, true, false, false]);
        assert_eq!(ranking.first(Order::Lerf, 0).count(), 0);
        assert_eq!(ranking.first(Order::Morf, 4).count(), 4);
    }

    #[test]
    fn one_order_is_the_other_reversed_with_ties_too() {
        let relevance = Tensor::from_fn(&[5, 7], |i| (i % 3) as f32);
        let ranking = Ranking::new(&relevance, &SeedStream::new(1));
        for k in 0..=35 {
            assert_eq!(
                ranking.first(Order::Morf, k),
                ranking.first(Order::Lerf, 35 - k).complement()
            );
        }
    }

    #[test]
    fn ties_fall_by_the_seed_and_zeros_of_both_signs_are_ties() {
        let flat = Tensor::from_fn(&[8, 8], |i| if i % 2 == 0 { 0.0 } else { -0.0 });
        let first = |seed| Ranking::new(&flat, &SeedStream::new(seed)).first(Order::Morf, 32);
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        let even = first(1).bits().iter().step_by(2).filter(|&&b| b).count();
        assert!((8..=24).contains(&even), "{even} of 32 positive zeros came first");
    }

    #[test]
    fn shares_round_half_up_and_meet_the_ends() {
        assert_eq!((0..=2).map(|s| share(s, 2, 49)).collect::<Vec<_>>(), [0, 25, 49]);
        assert_eq!((0..=4).map(|s| share(s, 4, 10)).collect::<Vec<_>>(), [0, 3, 5, 8, 10]);
    }
}
