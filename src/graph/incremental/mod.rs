//! Pictures that differ from one another in some places: only what those places reach is computed.
//!
//! Explaining runs a network on thousands of variants of one picture. The results of one of them, the *base*, are kept.
//! A variant differs from it in a [`Region`] of places; each operator says which places of its output those can
//! reach, and computes them in place, with the bits that computing everything gives. As layers follow, the region
//! grows; from where it holds most of a plane, and from an operator on that mixes all places, the rest is computed
//! whole, as in a plain run.
//!
//! Nobody says what the base is: it is found in the order of the pictures.
//! - Occluding: every picture differs from the base by its own box. After each picture, what it changed is undone.
//! - Deleting and inserting: each differs from the one before. Then the one before becomes the base. Which of the two
//!   has fewer places that differ is counted at the picture.
//! - What two pictures in a row have in common, but the base not, is taken over into the base: the base becomes the
//!   picture that was never run, as all its variants show it.
//! - Pictures that differ everywhere are run plainly, and nothing is kept for them.

mod anchor;
mod layout;
mod moved;
mod nodes;
mod partial;
mod pointwise;
#[cfg(test)]
mod tests;

use tract_onnx::prelude::{IntoTValue, TValue, Tensor as Array, TractResult};

use super::Plan;
use super::build::cause;
use crate::error::RunError;
use crate::guard::attempt;
use crate::kernel::Region;
use crate::{Mask, Tensor};
use anchor::{Anchor, Rest};
use nodes::{Changes, Nodes};

/// Bytes of results that are kept at most; networks with more are run plainly.
const BYTES: u64 = 128 << 20;
/// Share of the whole cost that a pass must not exceed to be worth its bookkeeping.
const WORTH: f64 = 0.8;
/// Share of a picture's places that may differ for a closer look to be worth it.
const NEAR: f64 = 0.6;
/// Of the values of two pictures, every which is compared before all of them are.
const LOOK: usize = 61;
/// Share of the places that must be left to compute if the base is to be moved.
const NEARER: f64 = 0.6;
/// Pictures between two that the base is moved for, so that moving it in vain costs little.
const BETWEEN: u32 = 4;

/// A plan that keeps what it computed.
pub struct Incremental {
    nodes: Nodes,
    kept: Option<Kept>,
    /// The picture that was run last, in whatever way.
    last: Option<Tensor>,
    /// The shares of a plain run's multiply-adds that were computed, summed, and how many pictures were run.
    done: [f64; 2],
}

/// What a change of the picture does to one operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// The node's name.
    pub name: String,
    /// The operator's.
    pub operator: String,
    /// Share of the places of its output that are computed; none: it is computed whole.
    pub share: Option<f64>,
    /// Its multiply-adds where all of it is computed, as a share of the network's.
    pub cost: f64,
}

/// Results, and the pictures that they are of.
struct Kept {
    anchor: Anchor,
    base: Tensor,
    current: Tensor,
    /// Of `current`.
    outputs: Option<Vec<Tensor>>,
    /// Pictures since the base was moved.
    since: u32,
}

impl std::fmt::Debug for Incremental {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incremental")
            .field("nodes", &self.nodes.list.len())
            .field("keeps", &self.kept.is_some())
            .finish_non_exhaustive()
    }
}

impl Incremental {
    /// What `plan` needs to be run so; none if it can't: it takes more than one picture, or its results are too large to
    /// be kept.
    pub fn of(plan: &Plan) -> Option<Self> {
        let nodes = attempt(cause, || Nodes::of(&plan.plan)).ok().flatten()?;
        (nodes.bytes <= BYTES).then_some(Self {
            nodes,
            kept: None,
            last: None,
            done: [0.0; 2],
        })
    }

    /// The share of the multiply-adds of plain runs that was computed since the start; none before the first picture.
    pub fn share(&self) -> Option<f64> {
        (self.done[1] > 0.0).then(|| self.done[0] / self.done[1])
    }

    /// How far a change of a box of the picture (row, column, height, width) reaches in `plan`, the one that this was made
    /// of, and what that costs: each operator that computes something, in order.
    pub fn growth(&self, plan: &Plan, [row, column, height, width]: [usize; 4]) -> Vec<Growth> {
        let region = Region::of_rows(self.nodes.size(), |y, add| {
            if (row..row + height).contains(&y) {
                add(column, column + width);
            }
        });
        let changes = self.nodes.changes(region, |_| true);
        let model = plan.plan.model();
        let of = |(id, share, cost): (usize, Option<f64>, f64)| Growth {
            name: model.node(id).name.clone(),
            operator: model.node(id).op.name().into_owned(),
            share,
            cost: cost / changes.whole.max(1.0),
        };
        self.nodes.reached(&changes).map(of).collect()
    }

    /// The share of a plain run's multiply-adds that is left, where two pictures differ at the places of `changed`, if each
    /// place that they reach is computed and no other.
    ///
    /// # Panics
    /// If `changed` has not the picture's size.
    pub fn least(&self, changed: &Mask) -> f64 {
        let size = [changed.height(), changed.width()];
        assert_eq!(size, self.nodes.size(), "a mask of the picture's size");
        self.nodes.least(Region::of_mask(size, changed.bits()))
    }

    /// The outputs of `plan`, the one that this was made of, for one picture `[1, C, H, W]`, bit for bit as
    /// [`Plan::run`] gives them.
    pub fn run(&mut self, plan: &Plan, picture: &Tensor) -> Result<Vec<Tensor>, RunError> {
        if plan.check(&[picture]).is_err() {
            return plan.run(&[picture]);
        }
        let outputs = match self.kept.take() {
            Some(kept) => self.go_on(plan, kept, picture),
            None => self.start(plan, picture),
        };
        self.last = Some(picture.clone());
        outputs
    }

    /// Without results: they are kept as soon as a picture is near the one before.
    fn start(&mut self, plan: &Plan, picture: &Tensor) -> Result<Vec<Tensor>, RunError> {
        let near = self.last.as_ref().and_then(|last| self.difference(last, picture));
        if !near.is_some_and(|region| self.is_worth(region)) {
            self.count(1.0);
            return plan.run(&[picture]);
        }
        let mut anchor = engine(|| Anchor::new(&plan.plan))?;
        let outputs = self.pass(&mut anchor, &self.nodes.everything(), picture)?;
        self.count(1.0);
        anchor.commit();
        self.kept = Some(Kept {
            anchor,
            base: picture.clone(),
            current: picture.clone(),
            outputs: Some(outputs.clone()),
            since: 0,
        });
        Ok(outputs)
    }

    fn go_on(&mut self, plan: &Plan, mut kept: Kept, picture: &Tensor) -> Result<Vec<Tensor>, RunError> {
        let by_current = self.difference(&kept.current, picture);
        if let (Some(outputs), true) = (&kept.outputs, by_current.as_ref().is_some_and(Region::is_empty)) {
            let outputs = outputs.clone();
            self.count(0.0);
            self.kept = Some(kept);
            return Ok(outputs);
        }
        let by_base = self.difference(&kept.base, picture);
        let count = |region: &Option<Region>| region.as_ref().map_or(usize::MAX, Region::count);
        let goes_on = count(&by_current) < count(&by_base);
        let Some(region) = (if goes_on { by_current } else { by_base }).filter(|r| self.is_worth(r.clone())) else {
            // Perhaps there is another base by now.
            let outputs = self.start(plan, picture)?;
            self.kept = self.kept.take().or(Some(kept));
            return Ok(outputs);
        };
        if goes_on {
            kept.anchor.commit();
            kept.base = kept.current.clone();
        } else {
            engine(|| kept.anchor.undo(&self.nodes))?;
            kept.current = kept.base.clone();
        }
        kept.outputs = None;
        let region = match self.move_base(&mut kept, picture, &region)? {
            Some(nearer) => nearer,
            None => region,
        };
        let changes = self.nodes.changes(region, |id| kept.anchor.keeps(id));
        let outputs = self.pass(&mut kept.anchor, &changes, picture)?;
        self.count(changes.cost / changes.whole.max(1.0));
        kept.current = picture.clone();
        kept.outputs = Some(outputs.clone());
        kept.since += 1;
        self.kept = Some(kept);
        Ok(outputs)
    }

    /// Takes over into the base what this picture and the last have in common, but the base not, where that brings it
    /// much nearer; the places that then differ.
    fn move_base(&self, kept: &mut Kept, picture: &Tensor, region: &Region) -> Result<Option<Region>, RunError> {
        let Some(last) = self.last.as_ref().filter(|_| kept.since >= BETWEEN) else {
            return Ok(None);
        };
        let size = self.nodes.size();
        let common = region.without(&Region::of_difference(size, last.data(), picture.data()));
        if (region.count() - common.count()) as f64 > NEARER * region.count() as f64 {
            return Ok(None);
        }
        let mut base = kept.base.clone();
        self.nodes.picture().copy(picture.data(), &common, base.data_mut());
        let changes = self.nodes.changes(common, |id| kept.anchor.keeps(id));
        engine(|| kept.anchor.run(&self.nodes, &changes.of, array(&base)?, Rest::Forget))?;
        kept.anchor.commit();
        kept.base = base.clone();
        kept.current = base;
        kept.since = 0;
        Ok(self.difference(&kept.base, picture))
    }

    /// The places at which two pictures differ; none if they are so many that the rest saves nothing.
    fn difference(&self, a: &Tensor, b: &Tensor) -> Option<Region> {
        let pairs = a.data().iter().zip(b.data());
        let looked_at = a.len().div_ceil(LOOK);
        let differing = pairs.step_by(LOOK).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        if differing as f64 > NEAR * looked_at as f64 {
            return None;
        }
        let region = Region::of_difference(self.nodes.size(), a.data(), b.data());
        (region.count() as f64 <= NEAR * self.nodes.picture().places() as f64).then_some(region)
    }

    /// Whether a change of these places leaves enough as it is, where all results are there.
    fn is_worth(&self, region: Region) -> bool {
        let changes = self.nodes.changes(region, |_| true);
        changes.cost <= WORTH * changes.whole
    }

    fn pass(&self, anchor: &mut Anchor, changes: &Changes, picture: &Tensor) -> Result<Vec<Tensor>, RunError> {
        engine(|| {
            let outputs = anchor.run(&self.nodes, &changes.of, array(picture)?, Rest::Run)?;
            super::tensors(&outputs)
        })
    }

    fn count(&mut self, share: f64) {
        self.done[0] += share;
        self.done[1] += 1.0;
    }
}

fn array(picture: &Tensor) -> TractResult<TValue> {
    Ok(Array::from_shape(picture.shape(), picture.data())?.into_tvalue())
}

fn engine<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, RunError> {
    attempt(cause, work).map_err(|why| RunError::Backend { why })
}
