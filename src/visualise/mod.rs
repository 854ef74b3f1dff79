//! Feature visualisation: the picture that a class, a channel or a neuron answers to most.
//!
//! The picture is `sigmoid(M · F(z))` in pixel values `[0, 1]`: `F` a [`fourier`] parametrisation of the spectrum `z`, `M`
//! the square root of the colour covariance of natural pictures (identity for one channel). Before each look it is moved
//! a little ([`warp`]). Adam climbs the objective by `z`.
//!
//! **Formula.** `max over z of E over movements T of o(f(T(sigmoid(M F(z)))))` with `o` the logit of a class, the mean of
//! a channel, or one value of it.
//!
//! **When it misleads.** It shows one of many pictures that the feature answers to, not what it needs; the prior (scales,
//! colours, movements) shapes what is seen; two seeds can look unlike. A channel can answer to several things.
//!
//! **Reference.** Olah, Mordvintsev & Schubert, Feature Visualization, Distill 2017, doi:10.23915/distill.00007; the
//! parametrisation and its constants are those of the Lucid library.
//!
//! **Parity.** PyTorch on the same formula, without movement, from a recorded spectrum `[2, C, H, W / 2 + 1]` (real parts,
//! then imaginary ones) of the stream `visualise/spectrum`; within 1e-3 after ten steps.

pub mod fourier;
pub mod warp;

use rustfft::num_complex::Complex;

use crate::error::InputError;
use crate::job::Passes;
use crate::program::{Backward, Program, Wrt};
use crate::{Context, Error, Model, Normalisation, Tensor};
use fourier::Fourier;
use warp::{Movement, Warp};

crate::params! {
    /// What is climbed, and how.
    pub struct VisualiseParams {
        /// What should answer: the target's logit, the mean of a channel of a layer, or one value of a channel.
        objective: String = "logit", choice("logit", "channel", "neuron");
        /// The layer of a channel or neuron; empty means the model's default.
        layer: String = "", layer;
        /// The channel, counted from 0.
        channel: usize = 0usize, int(0, 1_000_000);
        /// Where the neuron sits, from the top (0) to the bottom (1).
        row: f64 = 0.5, real(0.0, 1.0);
        /// Where the neuron sits, from the left (0) to the right (1).
        column: f64 = 0.5, real(0.0, 1.0);
        /// Steps; each takes one forward and one backward pass.
        steps: usize = 128usize, int(1, 4096);
        /// Size of a step of Adam.
        learning_rate: f64 = 0.05, real(0.0001, 1.0);
        /// Random shift before each look, pixels at most.
        jitter: f64 = 8.0, real(0.0, 64.0);
        /// Random change of size before each look, relative.
        scale: f64 = 0.1, real(0.0, 0.5);
        /// Random rotation before each look, degrees at most.
        rotation: f64 = 10.0, real(0.0, 180.0);
        /// How fine scales start fainter than coarse ones: 0 as white noise, 1 as natural pictures.
        decay: f64 = 1.0, real(0.0, 2.0);
        /// Standard deviation of the random spectrum that it starts from.
        start: f64 = 0.01, real(0.0, 1.0);
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Visualisation {
    /// Pixel values `[C, H, W]` in `[0, 1]`.
    pub picture: Tensor,
    /// The objective at each step, before it.
    pub objective: Vec<f64>,
}

/// What the cotangent is put on.
struct Goal {
    layer: Option<usize>,
    /// Shape of the value, with the batch axis.
    shape: Vec<usize>,
    /// Where the cotangent is not zero, and what it is there.
    places: std::ops::Range<usize>,
    weight: f32,
}

impl Goal {
    fn new(model: &Model, class: usize, p: &VisualiseParams) -> Result<Self, Error> {
        if p.objective == "logit" {
            return Ok(Self {
                layer: None,
                shape: vec![1, model.classes()],
                places: class..class + 1,
                weight: 1.0,
            });
        }
        let index = model.layer(&p.layer)?;
        let layer = &model.network().layers()[index];
        let &[channels, height, width] = &layer.shape[..] else {
            let why = format!(
                "\"{}\" gives {:?}; a layer that gives a feature map [channels, height, width] is needed",
                layer.name, layer.shape
            );
            return Err(Error::param("layer", why));
        };
        if p.channel >= channels {
            let why = format!(
                "{} is not below the {channels} channels of \"{}\"",
                p.channel, layer.name
            );
            return Err(Error::param("channel", why));
        }
        let size = height * width;
        let from = p.channel * size;
        let at = |share: f64, n: usize| ((share * n as f64) as usize).min(n - 1);
        let (places, weight) = if p.objective == "channel" {
            (from..from + size, 1.0 / size as f32)
        } else {
            let neuron = from + at(p.row, height) * width + at(p.column, width);
            (neuron..neuron + 1, 1.0)
        };
        Ok(Self {
            layer: Some(index),
            shape: vec![1, channels, height, width],
            places,
            weight,
        })
    }

    fn cotangent(&self) -> Tensor {
        let inside = |i: usize| if self.places.contains(&i) { self.weight } else { 0.0 };
        Tensor::from_fn(&self.shape, inside)
    }

    fn value(&self, answer: &Tensor) -> f64 {
        let sum: f64 = answer.data()[self.places.clone()].iter().map(|&v| f64::from(v)).sum();
        sum * f64::from(self.weight)
    }
}

/// The square root of the covariance of the colours of natural pictures, columns of at most unit norm (Lucid's).
const COLOURS: [[f32; 3]; 3] = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

fn colours() -> [[f32; 3]; 3] {
    let norm = |k: usize| COLOURS.iter().map(|row| row[k] * row[k]).sum::<f32>().sqrt();
    let most = norm(0).max(norm(1)).max(norm(2));
    COLOURS.map(|row| row.map(|v| v / most))
}

/// `M x` for each pixel, or its transpose; one channel is left as it is.
fn mix(data: &[f32], channels: usize, transposed: bool) -> Vec<f32> {
    if channels != 3 {
        return data.to_vec();
    }
    let (m, pixels) = (colours(), data.len() / 3);
    let entry = |a: usize, b: usize| if transposed { m[b][a] } else { m[a][b] };
    (0..data.len())
        .map(|i| {
            (0..3)
                .map(|k| entry(i / pixels, k) * data[k * pixels + i % pixels])
                .sum()
        })
        .collect()
}

fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

/// Passes that [`visualise`] will run; refuses parameters that do not fit the model.
pub fn passes(model: &Model, class: usize, p: &VisualiseParams) -> Result<Passes, Error> {
    let channels = model.input_dims()[0];
    if channels != 1 && channels != 3 {
        let why = format!("pictures of {channels} channels can't be shown; 1 or 3 are needed");
        return Err(Error::param("model", why));
    }
    let goal = Goal::new(model, class, p)?;
    model.network().check_backward(&Backward {
        of: goal.layer,
        wrt: vec![Wrt::Input],
        ..Backward::default()
    })?;
    let steps = p.steps as u64;
    Ok(Passes {
        forward: steps,
        backward: steps,
    })
}

/// Climbs. `space` maps pixel values to the network's; the class of a logit is the context's target.
///
/// # Errors
/// Parameters that do not fit the model; a network without a gradient; an answer that is not finite.
pub async fn visualise(cx: &Context<'_>, space: &Normalisation, p: &VisualiseParams) -> Result<Visualisation, Error> {
    let model = cx.exec.model();
    crate::attribution::check_target(model, cx.target)?;
    cx.job.expect(passes(model, cx.target.class, p)?);
    let dims @ [channels, height, width] = model.input_dims();
    let goal = Goal::new(model, cx.target.class, p)?;
    let map = Fourier::new(dims, p.decay);
    let mut spectrum = start(cx, dims, p)?;
    let mut adam = Adam::new(map.values(), p.learning_rate);
    let mut stream = cx.random.stream("visualise/movements");
    let movement = Movement {
        jitter: p.jitter,
        scale: p.scale,
        rotation: p.rotation,
    };
    let program = Program {
        backward: Some(Backward {
            of: goal.layer,
            wrt: vec![Wrt::Input],
            ..Backward::default()
        }),
        ..Program::default()
    };
    let pixels = height * width;
    let mut objective = Vec::with_capacity(p.steps);
    for _ in 0..p.steps {
        let picture = shown(&map, &spectrum, channels);
        let warp = Warp::draw(movement, height, width, &mut stream);
        let moved = warp.apply(&picture, 0.5);
        let x = Tensor::from_fn(&[1, channels, height, width], |i| space.forward(i / pixels, moved[i]));
        let mut outputs = cx.run(program.clone(), &[x, goal.cotangent()]).await?;
        let (gradient, answer) = (outputs.remove(1), outputs.remove(0));
        if !gradient.is_finite() || !answer.is_finite() {
            return Err(crate::error::RunError::NonFinite {
                what: "gradient".into(),
            }
            .into());
        }
        objective.push(goal.value(&answer));
        let mut by_moved = gradient.into_data();
        for (i, g) in by_moved.iter_mut().enumerate() {
            *g /= space.std[i / pixels];
        }
        let mut by_picture = warp.adjoint(&by_moved);
        for (g, v) in by_picture.iter_mut().zip(&picture) {
            *g *= v * (1.0 - v);
        }
        adam.climb(&mut spectrum, &map.adjoint(&mix(&by_picture, channels, true)));
        cx.job.offer(|| Tensor::new(&dims, shown(&map, &spectrum, channels)));
    }
    Ok(Visualisation {
        picture: Tensor::new(&dims, shown(&map, &spectrum, channels)),
        objective,
    })
}

fn shown(map: &Fourier, spectrum: &[Complex<f32>], channels: usize) -> Vec<f32> {
    mix(&map.picture(spectrum), channels, false)
        .into_iter()
        .map(sigmoid)
        .collect()
}

fn start(
    cx: &Context<'_>,
    [channels, height, width]: [usize; 3],
    p: &VisualiseParams,
) -> Result<Vec<Complex<f32>>, Error> {
    const STREAM: &str = "visualise/spectrum";
    let shape = [2, channels, height, width / 2 + 1];
    let n: usize = shape[1..].iter().product();
    let Some(given) = cx.random.recorded(STREAM) else {
        let mut stream = cx.random.stream(STREAM);
        let mut draw = || stream.normal() * p.start as f32;
        return Ok((0..n).map(|_| Complex::new(draw(), draw())).collect());
    };
    if given.shape() != shape {
        return Err(InputError::Shape {
            what: STREAM.into(),
            found: given.shape().to_vec(),
            expected: format!("{shape:?}"),
        }
        .into());
    }
    let (re, im) = given.data().split_at(n);
    Ok(re.iter().zip(im).map(|(&re, &im)| Complex::new(re, im)).collect())
}

/// Adam (Kingma & Ba 2015) with its usual constants, upwards.
struct Adam {
    rate: f64,
    step: i32,
    mean: Vec<Complex<f32>>,
    square: Vec<Complex<f32>>,
}

impl Adam {
    fn new(n: usize, rate: f64) -> Self {
        Self {
            rate,
            step: 0,
            mean: vec![Complex::default(); n],
            square: vec![Complex::default(); n],
        }
    }

    fn climb(&mut self, at: &mut [Complex<f32>], gradient: &[Complex<f32>]) {
        const DECAY: (f32, f32) = (0.9, 0.999);
        self.step += 1;
        let bias = |decay: f32| (1.0 - f64::from(decay).powi(self.step)) as f32;
        let (first, second, rate) = (bias(DECAY.0), bias(DECAY.1), self.rate as f32);
        let part = |mean: &mut f32, square: &mut f32, g: f32| {
            *mean += (1.0 - DECAY.0) * (g - *mean);
            *square += (1.0 - DECAY.1) * (g * g - *square);
            rate * (*mean / first) / ((*square / second).sqrt() + 1e-8)
        };
        for (((z, g), mean), square) in at.iter_mut().zip(gradient).zip(&mut self.mean).zip(&mut self.square) {
            z.re += part(&mut mean.re, &mut square.re, g.re);
            z.im += part(&mut mean.im, &mut square.im, g.im);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_mixed_by_columns_of_at_most_unit_norm() {
        let pixel = [1.0, 0.0, 0.0];
        let mixed = mix(&pixel, 3, false);
        let norm = (0.26f32 * 0.26 + 0.27 * 0.27 + 0.27 * 0.27).sqrt();
        for (found, expected) in mixed.iter().zip([0.26 / norm, 0.27 / norm, 0.27 / norm]) {
            assert!((found - expected).abs() < 1e-6, "{mixed:?}");
        }
        let (a, b) = ([0.3f32, -1.2, 0.7, 0.1, 2.0, -0.4], [1.0f32, 0.5, -0.25, 2.0, 0.0, 1.5]);
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
        assert!((dot(&mix(&a, 3, false), &b) - dot(&a, &mix(&b, 3, true))).abs() < 1e-5);
        assert_eq!(mix(&a, 1, false), a);
    }

    #[test]
    fn adam_moves_by_its_rate_at_first() {
        let mut at = vec![Complex::new(1.0f32, -1.0)];
        Adam::new(1, 0.05).climb(&mut at, &[Complex::new(3.0, -0.001)]);
        assert!(
            (at[0].re - 1.05).abs() < 1e-5 && (at[0].im + 1.05).abs() < 1e-5,
            "{at:?}"
        );
    }
}
