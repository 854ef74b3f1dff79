//! # Continuity
//!
//! **What it computes.** How fast the map changes while the picture slides sideways.
//!
//! **Formula.** `score = max over shifts t of sum |A(x_t) - A(x)| / (|x_t - x| + 1e-9)`: `x_t` is the picture moved by
//! `t` pixels, `A` the map divided by its largest magnitude, and its magnitudes where `absolute`; the distance of the
//! pictures is Euclidean. The shifts are `-S + k D`, `k = 1 … steps`, `S` the side along the motion and `D = floor((2
//! S + 1) / steps)`, without those that move nothing or leave nothing of the picture.
//!
//! **Shapes and sign.** The maps are compared value by value, all channels, as the method gives them; they are not
//! moved along. 0 for a map that stays the same. Undefined for a map of zeros or of another shape than the method's.
//!
//! **Parameters.** `steps`: shifts, each explained once, at most twice the side and one. `direction`: along which
//! side. `absolute`: compares magnitudes. The imputer chosen for removal fills what the picture leaves behind.
//!
//! **When it misleads.** A good map should move with the object, which is counted against it: low values can also mean
//! a map that is blind to the object.
//!
//! **Reference.** Montavon, Samek & Müller, Methods for interpreting and understanding deep neural networks, Digital
//! Signal Processing 2018, arXiv:1706.07979.
//!
//! **Parity.** Quantus `Continuity`, whose fill is the picture's smallest value. Quantus also tries the shift that
//! leaves nothing, and counts 0 for the one that moves nothing.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Need, Score, masked, neighbours};
use crate::job::Passes;
use crate::{Context, Error, Input, Mask, Model, Tensor};

/// See the [module](self).
pub struct Continuity;

crate::params! {
    /// Parameters of [`Continuity`].
    pub struct ContinuityParams {
        /// Shifts of the picture, each explained once.
        steps: usize = 28usize, int(3, 10_000);
        /// Along which side the picture slides.
        direction: String = "horizontal", choice("horizontal", "vertical");
        /// Whether the magnitudes of the maps are compared rather than their values.
        absolute: bool = true, flag;
    }
}

impl ContinuityParams {
    /// The shifts in pixels.
    fn shifts(&self, [_, height, width]: [usize; 3]) -> Result<Vec<isize>, Error> {
        let side = if self.direction == "vertical" { height } else { width };
        let step = (2 * side + 1) / self.steps;
        let shift = |k: usize| (k * step) as isize - side as isize;
        let moves = |t: &isize| *t != 0 && t.unsigned_abs() < side;
        let shifts: Vec<isize> = (1..=self.steps).map(shift).filter(moves).collect();
        if step == 0 || shifts.is_empty() {
            let why = format!(
                "{} is not between 3 and {}, twice the picture's side and one",
                self.steps,
                2 * side + 1
            );
            return Err(Error::param("steps", why));
        }
        Ok(shifts)
    }

    /// The picture moved by `t` pixels, what it left behind as it was, and where that is.
    fn slide(&self, input: &Input, t: isize) -> (Tensor, Mask) {
        let [_, height, width] = input.dims();
        let vertical = self.direction == "vertical";
        let from = |i: usize| -> Option<usize> {
            let (y, x) = (i / width, i % width);
            let (at, side) = if vertical { (y, height) } else { (x, width) };
            let source = at.checked_add_signed(-t).filter(|&s| s < side)?;
            Some(if vertical {
                source * width + x
            } else {
                y * width + source
            })
        };
        let pixels = height * width;
        let (data, left) = (input.tensor.data(), (0..pixels).map(|i| from(i).is_none()).collect());
        let moved = Tensor::from_fn(input.tensor.shape(), |i| {
            data[i / pixels * pixels + from(i % pixels).unwrap_or(i % pixels)]
        });
        (moved, Mask::new(height, width, left))
    }
}

impl Metric for Continuity {
    type Params = ContinuityParams;
    const META: MetricMeta = MetricMeta {
        id: "continuity",
        name: "Continuity",
        category: Category::Robustness,
        direction: Direction::Lower,
        range: "0 (the map stays) upwards",
        summary: "How fast does the map change while the picture slides sideways?",
        caution: "A good map should move with the object, which is counted against it.",
        sensitive: &["imputer", "steps"],
        reference: "Montavon et al. 2018, arXiv:1706.07979",
        needs: &[Need::Imputer, Need::Explainer],
        imputer: "constant",
        stochastic: false,
    };

    fn passes(&self, model: &Model, evidence: &Evidence<'_>, p: &ContinuityParams) -> Result<Passes, Error> {
        let steps = p.shifts(model.input_dims())?.len() as u64;
        let one = neighbours::explainer(evidence).passes(model)?;
        let steps = if neighbours::length(evidence.map.data()) > 0.0 {
            steps
        } else {
            0
        };
        Ok(Passes {
            forward: steps * one.forward,
            backward: steps * one.backward,
        })
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &ContinuityParams,
    ) -> Result<Measurement, Error> {
        cx.removal
            .needs_values("the moved picture is explained and compared with the other by its values")?;
        cx.removal.imputer.resolve(&cx.removal.params)?;
        if neighbours::length(evidence.map.data()) <= 0.0 {
            return Ok(Measurement::undefined(masked::ZERO));
        }
        let prepared = |map: &Tensor| {
            let map = neighbours::by_largest(map);
            if p.absolute { map.map(f32::abs) } else { map }
        };
        let (input, base) = (evidence.input, prepared(evidence.map));
        let mut worst = 0.0f64;
        for t in p.shifts(input.dims())? {
            let (moved, left) = p.slide(input, t);
            let picture = cx.impute(&input.with(moved), &left).await?;
            let step = neighbours::distance(picture.data(), input.tensor.data());
            let map = neighbours::explainer(evidence)
                .explain(cx, &input.with(picture))
                .await?;
            cx.job.step(Passes::default()).await?;
            if map.shape() != evidence.map.shape() {
                return Ok(Measurement::undefined(neighbours::OTHER_SHAPE));
            }
            let change = neighbours::absolute_distance(prepared(&map).data(), base.data());
            worst = worst.max(change / (step + 1e-9));
        }
        Ok(Measurement::of(Score::finite(
            worst,
            "the maps are too large or too small to compare",
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_and_slides_by_hand() {
        let p = |steps, direction: &str| ContinuityParams {
            steps,
            direction: direction.into(),
            absolute: true,
        };
        assert_eq!(p(4, "horizontal").shifts([1, 9, 3]).unwrap(), [-2, -1, 1]);
        assert_eq!(p(3, "vertical").shifts([1, 3, 9]).unwrap(), [-1, 1]);
        assert_eq!(p(28, "horizontal").shifts([1, 28, 28]).unwrap().len(), 26);
        assert!(p(8, "horizontal").shifts([1, 9, 3]).is_err());
        assert!(p(3, "horizontal").shifts([1, 9, 1]).is_err());
        let x = Input::preprocessed(Tensor::from_fn(&[2, 2, 3], |i| i as f32));
        let (moved, left) = p(4, "horizontal").slide(&x, 1);
        assert_eq!(
            moved.data(),
            [0.0, 0.0, 1.0, 3.0, 3.0, 4.0, 6.0, 6.0, 7.0, 9.0, 9.0, 10.0]
        );
        assert_eq!(left.bits(), [true, false, false, true, false, false]);
        let (moved, left) = p(4, "vertical").slide(&x, -1);
        assert_eq!(moved.row(0), [3.0, 4.0, 5.0, 3.0, 4.0, 5.0]);
        assert_eq!(left.bits(), [false, false, false, true, true, true]);
        assert_eq!(p(4, "vertical").slide(&x, 7).1.count(), 6);
    }
}
