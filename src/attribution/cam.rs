//! What the methods that weigh a layer's channels share: the layer as maps, its gradient, and the map's way out.

use super::{Attribution, Method, MethodMeta, Space};
use crate::graph::Grid;
use crate::job::Passes;
use crate::program::{Backward, Program, Rules};
use crate::rng::SeedStream;
use crate::{Context, Error, Input, Model, Tensor, Wrt};

crate::params! {
    /// Parameters of the methods that need a layer and nothing else.
    pub struct LayerParams {
        /// The layer to look at; empty means the model's default.
        layer: String = "", layer;
    }
}

/// The layer that is looked at.
pub(super) struct Looked {
    /// Its index.
    pub index: usize,
    /// How its values lie on the picture.
    pub grid: Grid,
}

/// The layer called `name`; refuses one whose values do not lie on the picture.
pub(super) fn look(model: &Model, name: &str) -> Result<Looked, Error> {
    let index = model.layer(name)?;
    let layer = &model.network().layers()[index];
    if let Some(grid) = layer.grid {
        return Ok(Looked { index, grid });
    }
    let why = format!(
        "\"{}\" gives {:?}; a layer that gives a feature map [channels, height, width] or tokens [T, D] of a grid of \
         patches is needed, such as \"{}\"",
        layer.name,
        layer.shape,
        model
            .network()
            .default_layer()
            .map_or("", |i| &model.network().layers()[i].name)
    );
    Err(Error::param("layer", why))
}

/// Maps `[channels, places]` of one picture, row-major.
pub(super) struct Maps {
    /// Values.
    pub values: Vec<f64>,
    /// Locations of each.
    pub places: usize,
}

impl Maps {
    /// One map a channel.
    pub fn channels(&self) -> std::slice::Chunks<'_, f64> {
        self.values.chunks(self.places)
    }

    /// `sum_k weights[k] maps[k]`.
    pub fn weighed(&self, weights: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.places];
        for (map, weight) in self.channels().zip(weights) {
            for (sum, value) in sum.iter_mut().zip(map) {
                *sum += weight * value;
            }
        }
        sum
    }

    /// Each location's sum over channels of `f` of the value and that of `other`.
    pub fn summed_with(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let mut sum = vec![0.0; self.places];
        for (a, b) in self.channels().zip(other.channels()) {
            for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
                *sum += f(*a, *b);
            }
        }
        sum
    }
}

impl Looked {
    /// The values of the layer for one picture as maps.
    pub fn maps(&self, values: &Tensor) -> Maps {
        Maps {
            values: self.grid.maps(values.data()),
            places: self.grid.places(),
        }
    }

    /// The layer's maps, from one forward pass.
    pub async fn activations(&self, cx: &Context<'_>, input: &Input) -> Result<Maps, Error> {
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        Ok(self.maps(&cx.forward(&x, &[self.index]).await?[1]))
    }

    /// The layer's maps, and the gradient of the target by them, from one forward and one backward pass.
    pub async fn with_gradient(&self, cx: &Context<'_>, input: &Input) -> Result<(Maps, Maps), Error> {
        let program = Program {
            layers: vec![self.index],
            backward: Some(Backward {
                rules: Rules::Gradient,
                wrt: vec![Wrt::Layer(self.index)],
                ..Backward::default()
            }),
            ..Program::default()
        };
        let x = Tensor::stack(std::slice::from_ref(&input.tensor));
        let outputs = cx.backward(program, &[x]).await?;
        Ok((self.maps(&outputs[1]), self.maps(&outputs[2])))
    }

    /// `map`, what speaks against the target cut away, as an attribution on the layer's locations.
    pub fn attribution(&self, model: &Model, map: &[f64]) -> Attribution {
        Attribution {
            map: self.rectified(map),
            space: Space::Layer(model.network().layers()[self.index].name.clone()),
            completeness_gap: None,
        }
    }

    /// `max(0, map)` as `[1, h, w]`.
    pub fn rectified(&self, map: &[f64]) -> Tensor {
        Tensor::from_fn(&[1, self.grid.height, self.grid.width], |i| map[i].max(0.0) as f32)
    }
}

/// What a method on the layer's maps and gradient runs.
pub(super) const BY_GRADIENT: Passes = Passes {
    forward: 1,
    backward: 1,
};

/// What a method on the layer's maps runs.
pub(super) const BY_ACTIVATION: Passes = Passes {
    forward: 1,
    backward: 0,
};

/// A method that makes its map of a layer's maps and the target's gradient by them, channel by channel or place by place.
pub(super) trait ByGradient {
    /// What is known of it.
    const META: MethodMeta;
    /// The map, a value a place, from the layer's maps and the gradient by them.
    fn map(maps: &Maps, gradients: &Maps) -> Vec<f64>;
}

impl<T: ByGradient> Method for T {
    type Params = LayerParams;
    const META: MethodMeta = T::META;

    fn passes(&self, model: &Model, p: &LayerParams) -> Result<Passes, Error> {
        look(model, &p.layer)?;
        Ok(BY_GRADIENT)
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &LayerParams) -> Result<Attribution, Error> {
        let model = cx.exec.model();
        let looked = look(model, &p.layer)?;
        let (maps, gradients) = looked.with_gradient(cx, input).await?;
        Ok(looked.attribution(model, &T::map(&maps, &gradients)))
    }
}

/// Holds the map of two channels of three places to what it is by hand.
#[cfg(test)]
pub(super) fn check<T: ByGradient>(expected: [f64; 3]) {
    let maps = |values: [f64; 6]| Maps {
        values: values.to_vec(),
        places: 3,
    };
    let found = T::map(
        &maps([1.0, 2.0, 0.0, 3.0, 5.0, 0.0]),
        &maps([0.5, 0.0, 1.0, -1.0, 0.0, 0.4]),
    );
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{found:?}");
    }
}

/// Projects the columns of `maps`, each channel centred over the locations, on their first principal direction: the
/// coordinate of each location. Of the two signs, the one whose largest magnitude is positive.
pub(super) async fn principal(cx: &Context<'_>, mut maps: Maps) -> Result<Vec<f64>, Error> {
    let places = maps.places;
    for map in maps.values.chunks_mut(places) {
        let mean = map.iter().sum::<f64>() / places as f64;
        for value in map.iter_mut() {
            *value -= mean;
        }
    }
    let gram = |u: &[f64]| {
        let weights: Vec<f64> = maps.channels().map(|map| dot(map, u)).collect();
        maps.weighed(&weights)
    };
    leading(cx, places, gram).await
}

/// The eigenvector of the largest eigenvalue of a symmetric operator on `n` values, times the square root of that
/// eigenvalue (0 where it is not positive). Its entry of largest magnitude is positive.
///
/// Lanczos with full reorthogonalisation from a fixed start.
pub(super) async fn leading(cx: &Context<'_>, n: usize, apply: impl Fn(&[f64]) -> Vec<f64>) -> Result<Vec<f64>, Error> {
    const STEPS: usize = 300;
    const ENOUGH: f64 = 1e-11;
    let mut start = SeedStream::new(0).stream("cam/lanczos");
    let mut basis: Vec<Vec<f64>> = vec![unit((0..n).map(|_| f64::from(start.normal())).collect()).0];
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let (mut value, mut vector) = (0.0, vec![1.0]);
    while diagonal.len() < n.min(STEPS) {
        let last = basis.last().expect("it starts with one");
        let mut next = apply(last);
        diagonal.push(dot(last, &next));
        // Twice is enough.
        for _ in 0..2 {
            for known in &basis {
                let along = dot(known, &next);
                next.iter_mut().zip(known).for_each(|(v, k)| *v -= along * k);
            }
        }
        let (next, length) = unit(next);
        (value, vector) = tridiagonal(&diagonal, &beside);
        let scale = diagonal
            .iter()
            .chain(&beside)
            .fold(0.0f64, |top, v: &f64| top.max(v.abs()));
        let residual = length * vector.last().copied().unwrap_or(0.0).abs();
        if length <= 1e-13 * scale || residual <= ENOUGH * value.abs() {
            break;
        }
        beside.push(length);
        basis.push(next);
        cx.job.step(Passes::default()).await?;
    }
    let mut found = vec![0.0; n];
    for (direction, share) in basis.iter().zip(&vector) {
        found.iter_mut().zip(direction).for_each(|(v, d)| *v += share * d);
    }
    let top = found
        .iter()
        .fold(0.0f64, |top, v| if v.abs() > top.abs() { *v } else { top });
    let scale = value.max(0.0).sqrt() * if top < 0.0 { -1.0 } else { 1.0 };
    for value in &mut found {
        *value *= scale;
    }
    Ok(found)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A vector of length 1 along `v`, and the length of `v`; zeros stay.
fn unit(mut v: Vec<f64>) -> (Vec<f64>, f64) {
    let length = dot(&v, &v).sqrt();
    if length > 0.0 {
        for value in &mut v {
            *value /= length;
        }
    }
    (v, length)
}

/// The largest eigenvalue of a symmetric tridiagonal matrix by bisection, and its unit eigenvector by inverse iteration.
fn tridiagonal(diagonal: &[f64], beside: &[f64]) -> (f64, Vec<f64>) {
    let m = diagonal.len();
    if m == 1 {
        return (diagonal[0], vec![1.0]);
    }
    let off = |i: usize| beside.get(i).copied().unwrap_or(0.0).abs();
    let reach = |i: usize| off(i) + if i > 0 { off(i - 1) } else { 0.0 };
    let mut high = (0..m).map(|i| diagonal[i] + reach(i)).fold(f64::NEG_INFINITY, f64::max);
    let mut low = diagonal.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = high.abs().max(low.abs()).max(f64::MIN_POSITIVE);
    // Whether every eigenvalue lies below x: all pivots of T - x are negative.
    let above = |x: f64| {
        let mut pivot = diagonal[0] - x;
        for (next, off) in diagonal[1..].iter().zip(beside) {
            if pivot >= 0.0 {
                return false;
            }
            pivot = next - x - off.powi(2) / pivot;
        }
        pivot < 0.0
    };
    while high - low > 4.0 * f64::EPSILON * scale {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if above(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    let value = f64::midpoint(low, high);
    // Shifted a little above, T - shift is negative definite: elimination needs no pivoting.
    let shift = high + 8.0 * f64::EPSILON * scale;
    let mut vector = vec![1.0 / (m as f64).sqrt(); m];
    for _ in 0..4 {
        let mut pivots = vec![diagonal[0] - shift; m];
        for i in 1..m {
            let factor = beside[i - 1] / pivots[i - 1];
            pivots[i] = (diagonal[i] - shift - factor * beside[i - 1]).min(-f64::EPSILON * scale);
            vector[i] -= factor * vector[i - 1];
        }
        for i in (0..m).rev() {
            let after = if i + 1 < m { beside[i] * vector[i + 1] } else { 0.0 };
            vector[i] = (vector[i] - after) / pivots[i];
        }
        let top = vector.iter().fold(0.0f64, |top, v| top.max(v.abs()));
        for value in &mut vector {
            *value /= top;
        }
        vector = unit(vector).0;
    }
    (value, vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_eigenpair_of_a_tridiagonal_matrix() {
        // The path graph: eigenvalues 2 - 2 cos(k pi / (n + 1)), eigenvectors sin(k pi i / (n + 1)).
        let n = 30;
        let (value, vector) = tridiagonal(&vec![2.0; n], &vec![-1.0; n - 1]);
        let step = std::f64::consts::PI / (n + 1) as f64;
        assert!((value - (2.0 - 2.0 * (n as f64 * step).cos())).abs() < 1e-13);
        let expected = unit((1..=n).map(|i| (n as f64 * step * i as f64).sin()).collect()).0;
        let sign = (vector[0] * expected[0]).signum();
        for (found, expected) in vector.iter().zip(expected) {
            assert!((found * sign - expected).abs() < 1e-10, "{found} {expected}");
        }
        assert_eq!(tridiagonal(&[3.0], &[]).0.round() as i64, 3);
    }

    #[test]
    fn weights_and_sums_go_by_channel() {
        let maps = Maps {
            values: vec![1.0, 2.0, 3.0, 4.0],
            places: 2,
        };
        assert_eq!(maps.weighed(&[10.0, 1.0]), [13.0, 24.0]);
        assert_eq!(maps.summed_with(&maps, |a, b| a * b), [10.0, 20.0]);
    }
}
