//! Gradient plans of whole networks: every file of `tests/nets` against differences of its own logits, in batches, and by
//! layers. Parity with PyTorch's autograd is in `golden.rs`, each operator's rule beside the rules.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};

use lucarne::graph::{Network, Plan, inspect};
use lucarne::model::Limits;
use lucarne::{Program, Tensor, Wrt};

/// Every network of `tests/nets` with a picture for it, `[C, H, W]`.
fn networks() -> Vec<(String, Network, Tensor)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files: Vec<PathBuf> = std::fs::read_dir(tests.join("nets"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "onnx"))
        .collect();
    files.sort();
    let load = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let picture = std::fs::read(tests.join(format!("golden/inputs/{name}-0.npy"))).ok()?;
        let bytes = std::fs::read(path).unwrap();
        let card = inspect::inspect(&bytes, &Limits::default()).unwrap().card;
        let network = Network::import(&bytes, &card, &Limits::default()).unwrap();
        Some((name, network, lucarne::npy::read(&picture).unwrap()))
    };
    let networks: Vec<_> = files.into_iter().filter_map(load).collect();
    assert!(networks.len() > 20, "only {} networks have a picture", networks.len());
    networks
}

fn run(plan: &Plan, inputs: &[&Tensor]) -> Vec<Tensor> {
    plan.run(inputs).unwrap()
}

/// Stacks tensors along a new first axis.
fn batch(of: &[Tensor]) -> Tensor {
    let shape = [&[of.len()], of[0].shape()].concat();
    Tensor::new(&shape, of.iter().flat_map(|t| t.data().iter().copied()).collect())
}

/// The `n` pictures that differ by contrast, and as many cotangents over `classes`.
fn pictures(of: &Tensor, n: usize, classes: usize) -> (Vec<Tensor>, Vec<Tensor>) {
    let pictures = (0..n).map(|i| {
        let contrast = 1.0 - 0.15 * i as f32;
        Tensor::new(of.shape(), of.data().iter().map(|v| v * contrast).collect())
    });
    let cotangents = (0..n).map(|i| {
        let weight = |k: usize| ((3 * k + 5 * i) % 7) as f32 / 3.0 - 0.9;
        Tensor::new(&[classes], (0..classes).map(weight).collect())
    });
    (pictures.collect(), cotangents.collect())
}

/// The largest difference, of the largest magnitude of `b`.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0f32, |m, (a, b)| m.max((a - b).abs())) / largest
}

/// Along the signs of the gradient, the answer rises by the sum of its magnitudes; along those of a wrong gradient by
/// less.
#[test]
fn the_answer_rises_along_the_gradient() {
    for (name, network, picture) in networks() {
        let (x, cotangent) = pictures(&picture, 1, network.classes());
        let (x, cotangent) = (batch(&x), batch(&cotangent));
        let plan = network.plan(1, &Program::gradient(&[Wrt::Input])).unwrap();
        let gradient = &run(&plan, &[&x, &cotangent])[1];
        let expected: f64 = gradient.data().iter().map(|g| f64::from(g.abs())).sum();
        assert!(expected > 0.0, "{name}: the gradient is zero");
        let forward = network.plan(1, &Program::forward(&[])).unwrap();
        let answer = |step: f32| -> f64 {
            let moved = x.data().iter().zip(gradient.data()).map(|(x, g)| x + step * g.signum());
            let logits = run(&forward, &[&Tensor::new(x.shape(), moved.collect())]).remove(0);
            let weighted = logits.data().iter().zip(cotangent.data());
            weighted.map(|(y, c)| f64::from(*y) * f64::from(*c)).sum()
        };
        // A step over a kink, or into the curvature, spoils the difference; a smaller one, its rounding.
        let error = [3e-3, 1e-3, 3e-4, 1e-4]
            .map(|step| ((answer(step) - answer(-step)) / (2.0 * f64::from(step)) / expected - 1.0).abs())
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        assert!(
            error < 5e-3,
            "{name}: the rise differs from {expected} by {error:e} of it"
        );
    }
}

#[test]
fn a_batch_is_its_pictures() {
    let mut single = Vec::new();
    for (name, network, picture) in networks() {
        let wrt: Vec<Wrt> = [Wrt::Input]
            .into_iter()
            .chain(network.default_layer().map(Wrt::Layer))
            .collect();
        let one = network.plan(1, &Program::gradient(&wrt)).unwrap();
        if network.plan(3, &Program::forward(&[])).is_err() {
            // Traced with the batch written into its shapes: neither direction takes more than one picture.
            assert!(network.plan(3, &Program::gradient(&wrt)).is_err(), "{name}");
            single.push(name);
            continue;
        }
        let three = network.plan(3, &Program::gradient(&wrt)).unwrap();
        let (pictures, cotangents) = pictures(&picture, 3, network.classes());
        let together = run(&three, &[&batch(&pictures), &batch(&cotangents)]);
        assert_eq!(together.len(), wrt.len() + 1, "{name}");
        for (i, (x, cotangent)) in pictures.into_iter().zip(cotangents).enumerate() {
            let alone = run(&one, &[&batch(&[x]), &batch(&[cotangent])]);
            for (which, (together, alone)) in together.iter().zip(&alone).enumerate() {
                assert_eq!(together.shape()[1..], alone.shape()[1..], "{name}: result {which}");
                let size = alone.data().len();
                let error = difference(&together.data()[i * size..][..size], alone.data());
                assert!(
                    error < 1e-4,
                    "{name}: result {which} of picture {i} differs by {error:e}"
                );
            }
        }
    }
    assert_eq!(single, ["pooled-vit", "tiny-vit", "windowed-vit"]);
}

#[test]
fn a_layer_has_a_gradient_of_its_own_shape() {
    for (name, network, picture) in networks() {
        let (x, cotangent) = pictures(&picture, 1, network.classes());
        let (x, cotangent) = (batch(&x), batch(&cotangent));
        let last = network.layers().len().saturating_sub(1);
        for (i, layer) in network
            .layers()
            .iter()
            .enumerate()
            .filter(|(i, _)| i % 7 == 0 || *i == last)
        {
            let plan = match network.plan(1, &Program::gradient(&[Wrt::Layer(i)])) {
                Ok(plan) => plan,
                // A head beside the one asked for.
                Err(lucarne::Error::Gradient(lucarne::error::GradientError::Unreached { .. })) => continue,
                Err(error) => panic!("{name}: {}: {error}", layer.name),
            };
            let gradient = run(&plan, &[&x, &cotangent]).remove(1);
            assert_eq!(gradient.shape()[1..], layer.shape, "{name}: {}", layer.name);
            assert!(gradient.data().iter().all(|g| g.is_finite()), "{name}: {}", layer.name);
        }
    }
}
