//! The gradient family: cases known by hand, completeness, the law of its random methods, and what it refuses.

use lucarne::attribution::{self, Attribution, baselines};
use lucarne::exec::Executor;
use lucarne::job::{Host, Job, Silent};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{
    Context, Error, Input, Normalisation, Program, Removal, Rules, Target, TargetKind, Tensor, Weights, Wrt,
};

use crate::harness::{Counting, Setting, Watcher, dense, net, number, quick, relative_error, small, text, values};
use crate::naive::mlp::{self, Layer};

const FAMILY: &[&str] = &[
    "integrated-gradients",
    "smooth-grad-squared",
    "var-grad",
    "gradient-shap",
    "deep-lift",
    "deep-lift-shap",
    "blur-ig",
    "guided-ig",
    "full-grad",
];

fn draws(seed: u64, n: usize) -> Vec<f32> {
    let mut stream = SeedStream::new(seed).stream("test");
    (0..n).map(|_| stream.normal()).collect()
}

fn layer(seed: u64, outputs: usize, inputs: usize) -> Layer {
    let weights = draws(seed, outputs * inputs)
        .chunks(inputs)
        .map(<[f32]>::to_vec)
        .collect();
    (weights, draws(seed + 1000, outputs))
}

fn picture(dims: [usize; 3], seed: u64) -> Input {
    Input::preprocessed(Tensor::new(&dims, draws(seed, dims.iter().product())))
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// One run with every circumstance given.
fn run(
    exec: &dyn Executor,
    host: &dyn Host,
    random: &SeedStream,
    kind: TargetKind,
    id: &str,
    x: &Input,
    params: &ParamValues,
) -> Result<Attribution, Error> {
    let job = Job::new(host);
    let cx = Context {
        exec,
        job: &job,
        random,
        target: Target { class: 1, kind },
        removal: Removal::default(),
        weights: Weights::Trained,
    };
    let method = attribution::find(id).expect("the method exists");
    pollster::block_on(method.attribute_dyn(&cx, x, params))
}

#[test]
fn a_linear_network_is_explained_by_its_weights() {
    let dims = [2, 4, 5];
    let layers = vec![layer(1, 3, 40)];
    let exec = dense(dims, &layers);
    let x = picture(dims, 7);
    let setting = Setting::new(&exec);
    let weights = wide(&layers[0].0[0]);
    let flat = wide(x.tensor.data());
    let against = |b: f64| weights.iter().zip(&flat).map(|(w, x)| w * (x - b)).collect::<Vec<_>>();
    let half = number("baseline", 0.5);
    let constant = text("reference", "constant");
    for id in [
        "deep-lift",
        "deep-lift-shap",
        "gradient-shap",
        "guided-ig",
        "integrated-gradients",
    ] {
        let found = setting
            .attribute(id, &x, &values([half.clone(), constant.clone()]))
            .unwrap();
        let error = relative_error(found.map.data(), &against(0.5));
        assert!(error < 1e-5, "{id}: {error}");
        assert!(found.completeness_gap.unwrap().abs() < 1e-4, "{id}");
        let white = setting.map(id, &x, &values([text("reference", "white")]));
        assert!(relative_error(white.data(), &against(1.0)) < 1e-5, "{id} against white");
    }
    let squares: Vec<f64> = weights.iter().map(|w| w * w).collect();
    let found = setting.map("smooth-grad-squared", &x, &ParamValues::new());
    assert!(relative_error(found.data(), &squares) < 1e-5);
    let found = setting.map("var-grad", &x, &ParamValues::new());
    assert!(found.data().iter().all(|&v| (0.0..1e-10).contains(&v)));
}

/// Black is `-mean / std` where the picture's space is known.
#[test]
fn black_is_black_before_normalisation() {
    let layers = vec![layer(1, 3, 40)];
    let exec = dense([2, 4, 5], &layers);
    let x = Input {
        space: Normalisation {
            mean: vec![0.5, 0.25],
            std: vec![0.5, 0.125],
        },
        ..picture([2, 4, 5], 7)
    };
    let black = |i: usize| if i < 20 { -1.0 } else { -2.0 };
    let expected: Vec<f64> = (0..40)
        .map(|i| f64::from(layers[0].0[0][i]) * (f64::from(x.tensor.data()[i]) - black(i)))
        .collect();
    for id in ["deep-lift", "integrated-gradients"] {
        let map = Setting::new(&exec).map(id, &x, &values([text("reference", "black")]));
        assert!(relative_error(map.data(), &expected) < 1e-5, "{id}");
    }
}

/// Gates that are closed at one end and open at the other carry the change over the whole step.
#[test]
fn two_layers_rescale_at_their_gates() {
    let dims = [2, 4, 5];
    for seed in 0..6 {
        let layers = vec![layer(10 + seed, 12, 40), layer(50 + seed, 4, 12)];
        let x = picture(dims, 90 + seed);
        let exec = dense(dims, &layers);
        let flat = wide(x.tensor.data());
        let (own, base) = (mlp::activations(&layers, &flat), mlp::activations(&layers, &[0.0; 40]));
        let slopes: Vec<f64> = (0..12)
            .map(|j| (own[0][j].max(0.0) - base[0][j].max(0.0)) / (own[0][j] - base[0][j]))
            .collect();
        let expected: Vec<f64> = (0..40)
            .map(|i| {
                let m = (0..12).map(|j| f64::from(layers[1].0[0][j]) * slopes[j] * f64::from(layers[0].0[j][i]));
                flat[i] * m.sum::<f64>()
            })
            .collect();
        let found = Setting::new(&exec)
            .attribute("deep-lift", &x, &ParamValues::new())
            .unwrap();
        let error = relative_error(found.map.data(), &expected);
        assert!(error < 1e-5, "seed {seed}: {error}");
        assert!(found.completeness_gap.unwrap().abs() < 1e-4);
    }
}

/// Shapley values of AND and OR of two inputs that are on, against off: half each, by enumeration. DeepLIFT gives them
/// where the gradient gives 1 or 0.
#[test]
fn and_and_or_are_shared_equally() {
    let on = Input::preprocessed(Tensor::full(&[1, 1, 2], 1.0));
    let and: Vec<Layer> = vec![
        (vec![vec![1.0, 1.0]], vec![-1.0]),
        (vec![vec![1.0], vec![0.0]], vec![0.0, 0.0]),
    ];
    let or: Vec<Layer> = vec![
        (vec![vec![-1.0, -1.0]], vec![1.0]),
        (vec![vec![-1.0], vec![0.0]], vec![1.0, 0.0]),
    ];
    for layers in [and, or] {
        let exec = dense([1, 1, 2], &layers);
        let shapley: Vec<f64> = (0..2)
            .map(|i: usize| {
                let f = |a: f64, b: f64| mlp::logit(&layers, &[a, b], 0);
                let alone = [f(1.0, 0.0), f(0.0, 1.0)];
                0.5 * (alone[i] - f(0.0, 0.0)) + 0.5 * (f(1.0, 1.0) - alone[1 - i])
            })
            .collect();
        let setting = Setting::new(&exec);
        let map = setting.map("deep-lift", &on, &ParamValues::new());
        assert!(relative_error(map.data(), &shapley) < 1e-6, "{:?}", map.data());
        let many = values([number("samples", 4000.0), text("reference", "constant")]);
        let map = setting.map("gradient-shap", &on, &many);
        assert!(relative_error(map.data(), &shapley) < 0.1, "{:?}", map.data());
    }
}

/// `relu(p) - relu(p)`: two paths that cancel.
#[test]
fn paths_that_cancel_leave_nothing() {
    let layers: Vec<Layer> = vec![
        (vec![vec![1.0, 0.5], vec![1.0, 0.5]], vec![0.25, 0.25]),
        (vec![vec![1.0, -1.0], vec![0.0, 1.0]], vec![0.0, 0.0]),
    ];
    let exec = dense([1, 1, 2], &layers);
    let x = Input::preprocessed(Tensor::new(&[1, 1, 2], vec![0.75, -0.5]));
    for id in FAMILY.iter().filter(|&&id| id != "full-grad") {
        let map = Setting::new(&exec).map(id, &x, &ParamValues::new());
        assert!(map.data().iter().all(|v| v.abs() < 1e-9), "{id}: {:?}", map.data());
    }
}

/// With `n` normal, `w relu(z + n)` has the gradient `w` with the probability that the gate is open.
#[test]
fn noisy_gradients_follow_their_law() {
    let layers: Vec<Layer> = vec![
        (vec![vec![3.0, -4.0]], vec![2.0]),
        (vec![vec![1.0], vec![0.0]], vec![0.0, 0.0]),
    ];
    let exec = dense([1, 1, 2], &layers);
    // z = 3 * 1 - 4 * 2 + 2 = -3; noise of 0.5 times the range 1 gives z a deviation of 5 * 0.5 = 2.5.
    let x = Input::preprocessed(Tensor::new(&[1, 1, 2], vec![1.0, 2.0]));
    let open = 0.115_069_67; // P(N > 1.2)
    let params = values([number("samples", 8000.0), number("noise_level", 0.5)]);
    let error = 5.0 * (open * (1.0 - open) / 8000.0f64).sqrt();
    let square = Setting::new(&exec).map("smooth-grad-squared", &x, &params);
    let variance = Setting::new(&exec).map("var-grad", &x, &params);
    for (i, w2) in [9.0, 16.0].into_iter().enumerate() {
        assert!(
            (f64::from(square.data()[i]) / w2 - open).abs() < error,
            "{:?}",
            square.data()
        );
        let spread = open * (1.0 - open);
        assert!(
            (f64::from(variance.data()[i]) / w2 - spread).abs() < error,
            "{:?}",
            variance.data()
        );
    }
}

/// On a linear network, noise as the baseline is its mean, one half, in the limit.
#[test]
fn random_baselines_are_uniform() {
    let layers = vec![(vec![vec![1.0; 40]], vec![0.0])];
    let exec = dense([2, 4, 5], &layers);
    let x = picture([2, 4, 5], 7);
    for (id, name) in [("gradient-shap", "samples"), ("deep-lift-shap", "references")] {
        let map = Setting::new(&exec).map(id, &x, &values([number(name, 1000.0)]));
        for (&found, &x) in map.data().iter().zip(x.tensor.data()) {
            // The mean of 1000 uniform draws deviates by 0.289 / sqrt(1000).
            assert!((f64::from(x) - f64::from(found) - 0.5).abs() < 5.0 * 0.0092, "{id}");
        }
    }
}

#[test]
fn difference_methods_are_complete_on_every_architecture() {
    for (name, dims) in [
        ("plain", [1, 28, 28]),
        ("residual", [3, 33, 33]),
        ("depthwise-se", [3, 32, 32]),
        ("dense-concat", [3, 28, 28]),
        ("conv-gelu-ln", [3, 32, 32]),
        ("tiny-vit", [3, 32, 32]),
        ("ops-activations", [3, 17, 19]),
        ("transposed-resize", [3, 16, 16]),
    ] {
        let exec = net(name, dims);
        for seed in 0..3 {
            let x = picture(dims, 40 + seed);
            for id in ["deep-lift", "deep-lift-shap"] {
                let params = if id == "deep-lift" {
                    ParamValues::new()
                } else {
                    values([number("references", 3.0)])
                };
                let found = Setting::new(&exec).attribute(id, &x, &params).unwrap();
                let size: f64 = found.map.data().iter().map(|&v| f64::from(v).abs()).sum();
                let gap = found.completeness_gap.unwrap();
                assert!(gap.abs() < 1e-5 * size.max(1.0), "{id} on {name}: {gap} of {size}");
            }
        }
    }
}

#[test]
fn paths_are_complete_in_the_limit() {
    let exec = small();
    let x = crate::harness::picture();
    for id in ["integrated-gradients", "blur-ig", "guided-ig"] {
        let gap = |steps: f64| {
            let mut params = values([number("steps", steps)]);
            if id == "blur-ig" {
                params.extend([number("max_sigma", 6.0)]);
            }
            let found = Setting::new(&exec).attribute(id, &x, &params).unwrap();
            let size: f64 = found.map.data().iter().map(|&v| f64::from(v).abs()).sum();
            found.completeness_gap.unwrap().abs() / size
        };
        let (few, many) = (gap(10.0), gap(400.0));
        assert!(
            many < 0.004 && many <= few,
            "{id}: {few} with 10 steps, {many} with 400"
        );
    }
}

/// The paper's decomposition, before it is made a map: input and biases make up the answer.
#[test]
fn full_gradients_make_up_the_answer() {
    for (name, dims) in [
        ("two-layer-relu", [1, 6, 6]),
        ("plain", [1, 28, 28]),
        ("residual", [3, 33, 33]),
        ("dense-concat", [3, 28, 28]),
        ("small-rgb", [3, 30, 30]),
        ("multi-output", [3, 32, 32]),
    ] {
        let exec = net(name, dims);
        let x = Tensor::stack(&[picture(dims, 3).tensor]);
        let classes = exec.model().classes();
        let cotangent = Tensor::from_fn(&[1, classes], |k| f32::from(u8::from(k == 1)));
        let program = Program::backward(Rules::FullGradient, &[Wrt::Input]);
        let outputs = pollster::block_on(exec.run(&program, &[x.clone(), cotangent])).unwrap();
        let flow = x.zip(&outputs[1], |x, g| x * g).sum() + outputs[2..].iter().map(Tensor::sum).sum::<f64>();
        let answer = f64::from(outputs[0].data()[1]);
        assert!(
            (flow - answer).abs() < 1e-5 * answer.abs().max(1.0),
            "{name}: {flow} is not {answer}"
        );
        assert!(outputs.len() > 2, "{name} has biases");
    }
}

#[test]
fn passes_are_announced_for_probabilities_too() {
    let inner = small();
    let x = crate::harness::picture();
    for batch in [1, 4] {
        let exec = Counting::new(&inner, batch);
        for id in FAMILY {
            let watcher = Watcher::new(u64::MAX);
            let params = quick(&attribution::find(id).unwrap().specs());
            let found = run(
                &exec,
                &watcher,
                &SeedStream::new(1),
                TargetKind::Probability,
                id,
                &x,
                &params,
            );
            assert!(found.unwrap().map.is_finite(), "{id}");
            let (done, total) = watcher.last.get();
            assert_eq!(done, total, "{id}");
        }
    }
}

#[test]
fn given_pictures_are_checked_before_any_pass() {
    let inner = small();
    let exec = Counting::new(&inner, 1);
    let x = crate::harness::picture();
    let given =
        |shape: &[usize], value: f32| SeedStream::new(0).with_recorded(baselines::GIVEN, Tensor::full(shape, value));
    let refused = |random: &SeedStream, id: &str, references: f64, part: &str| {
        let mut params = values([text("reference", "picture")]);
        if attribution::find(id)
            .unwrap()
            .specs()
            .iter()
            .any(|s| s.name == "references")
        {
            params.extend([number("references", references)]);
        }
        let error = run(&exec, &Silent, random, TargetKind::Logit, id, &x, &params)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{id}: {error}");
        assert_eq!(exec.pictures.get(), 0, "{id}");
    };
    for id in [
        "integrated-gradients",
        "gradient-shap",
        "deep-lift",
        "deep-lift-shap",
        "guided-ig",
    ] {
        refused(&SeedStream::new(0), id, 1.0, "reference");
        refused(&given(&[1, 3, 30, 29], 0.0), id, 1.0, "[n, 3, 30, 30]");
        refused(&given(&[1, 3, 30, 30], f32::NAN), id, 1.0, "reference");
    }
    refused(&given(&[2, 3, 30, 30], 0.0), "integrated-gradients", 3.0, "references");
    // Another picture that is all 0.3 is the constant 0.3.
    let params = values([text("reference", "picture")]);
    let random = given(&[1, 3, 30, 30], 0.3);
    let found = run(&inner, &Silent, &random, TargetKind::Logit, "deep-lift", &x, &params).unwrap();
    let constant = values([number("baseline", 0.3)]);
    let same = run(&inner, &Silent, &random, TargetKind::Logit, "deep-lift", &x, &constant).unwrap();
    assert_eq!(found.map, same.map);
}
