//! Gradients at noisy copies of the picture, streamed into their first two moments: what SmoothGrad, SmoothGrad² and
//! VarGrad share.

use crate::{Context, Error, Input, Tensor};

/// Running mean and variance of values that arrive one set at a time (Welford's update).
pub(super) struct Moments {
    shape: Vec<usize>,
    n: f64,
    mean: Vec<f64>,
    /// Sum of squared distances from the mean.
    spread: Vec<f64>,
}

impl Moments {
    /// No values yet, of `shape`.
    pub fn new(shape: &[usize]) -> Self {
        let size = shape.iter().product();
        Self {
            shape: shape.to_vec(),
            n: 0.0,
            mean: vec![0.0; size],
            spread: vec![0.0; size],
        }
    }

    /// Takes one set in.
    pub fn take(&mut self, values: &[f32]) {
        self.n += 1.0;
        for ((mean, spread), &v) in self.mean.iter_mut().zip(&mut self.spread).zip(values) {
            let before = f64::from(v) - *mean;
            *mean += before / self.n;
            *spread += before * (f64::from(v) - *mean);
        }
    }

    /// The mean.
    pub fn mean(&self) -> Tensor {
        Tensor::from_fn(&self.shape, |i| self.mean[i] as f32)
    }

    /// The mean of squares.
    pub fn square(&self) -> Tensor {
        Tensor::from_fn(&self.shape, |i| (self.spread[i] / self.n + self.mean[i].powi(2)) as f32)
    }

    /// The variance, divided by the number of values.
    pub fn variance(&self) -> Tensor {
        Tensor::from_fn(&self.shape, |i| (self.spread[i] / self.n) as f32)
    }
}

/// The standard deviation that is `level` times the range of the picture's values.
pub(super) fn deviation(x: &Tensor, level: f64) -> f64 {
    let ends = |(low, high): (f32, f32), &v: &f32| (low.min(v), high.max(v));
    let (low, high) = x.data().iter().fold((f32::INFINITY, f32::NEG_INFINITY), ends);
    level * (f64::from(high) - f64::from(low))
}

/// The moments of the gradient at `samples` copies of `input` with normal noise of `level` times its range, drawn from
/// `stream`; `show` makes the map so far of them, which is offered on the way. One gradient a sample.
pub(super) async fn gradients(
    cx: &Context<'_>,
    input: &Input,
    stream: &str,
    samples: usize,
    level: f64,
    show: fn(&Moments) -> Tensor,
) -> Result<Moments, Error> {
    let x = &input.tensor;
    let deviation = deviation(x, level);
    let mut noise = cx.random.stream(stream);
    let mut moments = Moments::new(x.shape());
    for range in cx.batches(samples) {
        let copies: Vec<Tensor> = range
            .map(|_| x.map(|v| (f64::from(v) + deviation * f64::from(noise.normal())) as f32))
            .collect();
        let gradients = cx.input_gradients(&Tensor::stack(&copies)).await?;
        for row in 0..copies.len() {
            moments.take(gradients.row(row));
        }
        cx.job.offer(|| show(&moments));
    }
    Ok(moments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_plain_formulas() {
        let mut moments = Moments::new(&[1, 1, 2]);
        for values in [[1.0, 1000.5], [2.0, 1001.5], [6.0, 1002.5]] {
            moments.take(&values);
        }
        assert_eq!(moments.mean().data(), [3.0, 1001.5]);
        for (found, expected) in moments.variance().data().iter().zip([14.0f32 / 3.0, 2.0 / 3.0]) {
            assert!((found - expected).abs() < 1e-6);
        }
        assert!((moments.square().data()[0] - 41.0 / 3.0).abs() < 1e-6);
    }
}
