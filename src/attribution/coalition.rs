//! Segments as players of a game: a coalition is worth the target's value when only its segments are seen.

use super::Attribution;
use crate::error::InputError;
use crate::imputer::Remover;
use crate::job::Passes;
use crate::rng::Stream;
use crate::segment::{self, Segmentation, Segments};
use crate::{Context, Error, Input, Mask, Model};

/// A number of forward passes.
pub(super) fn forward(passes: usize) -> Passes {
    Passes {
        forward: passes as u64,
        backward: 0,
    }
}

/// Checks that `how` fits the model, and gives the number of segments to announce.
pub(super) fn announced(model: &Model, how: &Segmentation) -> Result<usize, Error> {
    let [_, height, width] = model.input_dims();
    how.check(height, width)?;
    let nominal = how.nominal(height, width);
    if nominal < 2 {
        return Err(Error::param("segments", format!("{nominal} is not between 2 and 4096")));
    }
    Ok(nominal)
}

/// The game of one picture.
pub(super) struct Game<'a> {
    cx: &'a Context<'a>,
    remover: Remover<'a>,
    pub(super) segments: Segments,
}

impl<'a> Game<'a> {
    /// Cuts the picture. Fewer than two segments are refused, and more than `most`, before any pass; the number of
    /// passes announced for `announced(..)` segments is corrected by `passes`.
    pub(super) async fn new(
        cx: &'a Context<'a>,
        input: &'a Input,
        how: &Segmentation,
        most: usize,
        passes: impl Fn(usize) -> Passes,
    ) -> Result<Self, Error> {
        let segments = segment::by(cx, input, how).await?;
        segment::at_least_two(&segments)?;
        if segments.count > most {
            let why = format!(
                "the picture came out in {} segments, over the {most} that this method can solve for",
                segments.count
            );
            return Err(Error::param("segments", why));
        }
        let expected = announced(cx.exec.model(), how)?;
        cx.job.expect_instead(passes(expected), passes(segments.count));
        let remover = Remover::new(cx, input).await?;
        Ok(Self { cx, remover, segments })
    }

    /// Number of segments.
    pub(super) fn players(&self) -> usize {
        self.segments.count
    }

    /// What each coalition is worth. Give no more at once than one of [`Context::batches`].
    pub(super) async fn worth(&self, coalitions: &[Vec<bool>]) -> Result<Vec<f64>, Error> {
        let absent = |present: &Vec<bool>| self.segments.mask(|k| !present[k]);
        let masks: Vec<Mask> = coalitions.iter().map(absent).collect();
        let scores = self.cx.scores(&self.remover.without(&masks).await?).await?;
        Ok(scores.into_iter().map(f64::from).collect())
    }

    /// What nobody and everybody are worth: two passes. Imputers that fill from kept pixels are refused.
    pub(super) async fn ends(&self) -> Result<(f64, f64), Error> {
        self.remover
            .everything("Shapley values need the answer to a picture with nothing kept")?;
        let ends = [vec![false; self.players()], vec![true; self.players()]];
        let mut worth = Vec::with_capacity(2);
        for turn in self.cx.batches(2) {
            worth.extend(self.worth(&ends[turn]).await?);
        }
        Ok((worth[0], worth[1]))
    }

    /// Whether every segment may be hidden at once.
    pub(super) fn may_be_empty(&self) -> bool {
        self.remover.can_remove_everything()
    }

    /// A map with each segment's value on all of its pixels; the gap is of the values, one a segment.
    pub(super) fn attribution(&self, values: &[f64], rise: Option<f64>) -> Attribution {
        Attribution {
            completeness_gap: rise.map(|rise| values.iter().sum::<f64>() - rise),
            ..Attribution::on_input(self.segments.paint(values))
        }
    }

    /// Refuses recorded draws of another shape.
    pub(super) fn check_recorded(&self, stream: &str, rows: usize) -> Result<(), Error> {
        let expected = [rows, self.players()];
        match self.cx.random.recorded(stream) {
            Some(draws) if draws.shape() != expected => Err(InputError::Shape {
                what: stream.to_owned(),
                found: draws.shape().to_vec(),
                expected: format!("{expected:?}"),
            }
            .into()),
            _ => Ok(()),
        }
    }
}

/// `size` of `players`, each set of this size alike.
pub(super) fn subset(players: usize, size: usize, stream: &mut Stream) -> Vec<bool> {
    let mut order: Vec<usize> = (0..players).collect();
    let mut present = vec![false; players];
    for k in 0..size {
        order.swap(k, k + stream.index(players - k));
        present[order[k]] = true;
    }
    present
}
