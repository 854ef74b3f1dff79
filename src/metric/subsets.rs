//! Random sets of pixels, and whether their relevance foretells the fall of the target.

use super::curve::{Reading, scores_without};
use super::{Score, stats};
use crate::error::InputError;
use crate::imputer::Remover;
use crate::rng::Stream;
use crate::{Context, Error, Mask, Tensor};

/// Sets of `size` pixels without repetition: those recorded as the stream's draws `[runs, size]`, else drawn by a
/// partial shuffle.
pub struct Subsets<'a> {
    recorded: Option<&'a Tensor>,
    stream: Stream,
    pixels: Vec<usize>,
    size: usize,
}

impl<'a> Subsets<'a> {
    /// `runs` sets of `size` of `pixels` pixels, from the stream called `name`; refuses recorded ones that do not fit.
    pub fn new(cx: &Context<'a>, name: &str, runs: usize, size: usize, pixels: usize) -> Result<Self, Error> {
        let recorded = cx.random.recorded(name);
        if let Some(sets) = recorded {
            if sets.shape() != [runs, size] {
                return Err(InputError::Shape {
                    what: name.into(),
                    found: sets.shape().to_vec(),
                    expected: format!("[{runs}, {size}]"),
                }
                .into());
            }
            if !sets.data().iter().all(|&i| i >= 0.0 && (i as usize) < pixels) {
                let why = format!("an index is not between 0 and {}", pixels - 1);
                return Err(Error::param(name, why));
            }
        }
        Ok(Self {
            recorded,
            stream: cx.random.stream(name),
            pixels: (0..pixels).collect(),
            size,
        })
    }

    /// The set of that run; runs are asked for in order.
    pub fn draw(&mut self, run: usize) -> &[usize] {
        match self.recorded {
            Some(sets) => {
                for (pixel, &i) in self.pixels.iter_mut().zip(sets.row(run)) {
                    *pixel = i as usize;
                }
            }
            None => {
                for k in 0..self.size {
                    let other = k + self.stream.index(self.pixels.len() - k);
                    self.pixels.swap(k, other);
                }
            }
        }
        &self.pixels[..self.size]
    }

    /// For each of `runs` sets the sum of its pixels' relevance `[H, W]`, and the fall of the target from `whole` without
    /// them; one pass each.
    pub async fn falls(
        &mut self,
        cx: &Context<'_>,
        remover: &Remover<'_>,
        relevance: &Tensor,
        whole: f64,
        runs: usize,
    ) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let mut sums = Vec::with_capacity(runs);
        let draw = |run| {
            let mut mask = Mask::all(relevance.shape()[0], relevance.shape()[1], false);
            let mut sum = 0.0;
            for &i in self.draw(run) {
                mask.bits_mut()[i] = true;
                sum += f64::from(relevance.data()[i]);
            }
            sums.push(sum);
            mask
        };
        let without = scores_without(cx, remover, Reading::Target, runs, draw).await?;
        Ok((sums, without.into_iter().map(|y| whole - y).collect()))
    }
}

/// `how` the summed relevance of sets goes with the falls of the target from `whole`; undefined where a side varies no
/// more than rounding makes it.
pub fn foretold(how: fn(&[f64], &[f64]) -> Option<f64>, sums: &[f64], falls: &[f64], whole: f64) -> Score {
    let top = |values: &[f64]| values.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    if stats::spread(sums) <= 1e-12 * top(sums) {
        return Score::Undefined(
            "every set of pixels has the same relevance, so nothing can be foretold from it".into(),
        );
    }
    if stats::spread(falls) <= 4.0 * f64::from(f32::EPSILON) * top(falls).max(whole.abs()) {
        return Score::Undefined("the answer falls equally without any of the sets of pixels".into());
    }
    how(sums, falls).map_or_else(
        || Score::Undefined("the values are too large or too small to correlate".into()),
        Score::Value,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_do_not_vary_leave_it_undefined() {
        let correlation = |sums: &[f64], falls: &[f64], whole| foretold(stats::pearson, sums, falls, whole);
        assert!(matches!(
            correlation(&[3.0, 3.0], &[1.0, 2.0], 5.0),
            Score::Undefined(_)
        ));
        assert!(matches!(
            correlation(&[3.0, 4.0], &[1.0, 1.0], 5.0),
            Score::Undefined(_)
        ));
        assert!(matches!(
            correlation(&[3.0, 4.0], &[0.0, 1e-7], 9.0),
            Score::Undefined(_)
        ));
        assert!(matches!(correlation(&[3.0, 4.0], &[0.0, 0.1], 9.0), Score::Value(v) if v > 0.999_999));
    }
}
