//! Relevance propagation against its matrix form, conservation, and the ReLU rules against plain formulas.

use std::path::Path;

use lucarne::exec::{Cpu, Executor};
use lucarne::graph::inspect::inspect;
use lucarne::model::{Limits, Model};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Input, Tensor};

use crate::harness::{Setting, dense, load, net, number, relative_error, text, values};
use crate::naive::mlp::{self, Layer};
use crate::naive::onnx::{Convolution, conv_network};
use crate::naive::relevance::{Rule, relevance};

const DIMS: [usize; 3] = [2, 4, 5];

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

fn input(dims: [usize; 3], seed: u64) -> Input {
    Input::preprocessed(Tensor::new(&dims, draws(seed, dims.iter().product())))
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

fn with(mut params: ParamValues, zero_bias: bool) -> ParamValues {
    params.insert("zero_bias".into(), lucarne::params::ParamValue::Flag(zero_bias));
    params
}

fn composite(name: &str) -> ParamValues {
    let bounds = [number("low", -3.5), number("high", 4.0)];
    let [low, high] = bounds;
    values([text("composite", name), low, high])
}

/// Each rule on all layers, and the composites' mixtures.
#[test]
fn every_rule_equals_its_matrix_form_on_dense_networks() {
    let layers = [layer(1, 30, 40), layer(2, 20, 30), layer(3, 4, 20)];
    let exec = dense(DIMS, &layers);
    let small = Rule::Epsilon(1e-6);
    let cases: Vec<(ParamValues, [Rule; 3])> = vec![
        (composite("epsilon"), [small; 3]),
        (
            values([text("composite", "epsilon"), number("epsilon", 0.5)]),
            [Rule::Epsilon(0.5); 3],
        ),
        (
            values([text("composite", "gamma"), number("gamma", 0.6)]),
            [Rule::Gamma(0.6); 3],
        ),
        (composite("z-plus"), [Rule::AlphaBeta(1.0); 3]),
        (
            values([text("composite", "alpha-beta"), number("alpha", 1.75)]),
            [Rule::AlphaBeta(1.75); 3],
        ),
        (composite("w-square"), [Rule::WSquare; 3]),
        (composite("flat"), [Rule::Flat; 3]),
        // Dense layers are epsilon's in every composite; the first is flat's where there is a flat one.
        (composite("epsilon-plus"), [small; 3]),
        (composite("epsilon-gamma-box"), [small; 3]),
        (composite("epsilon-plus-flat"), [Rule::Flat, small, small]),
    ];
    for class in [0, 3] {
        for (params, rules) in &cases {
            for zero_bias in [false, true] {
                let x = input(DIMS, 40 + class as u64);
                let setting = Setting {
                    class,
                    ..Setting::new(&exec)
                };
                let found = setting.attribute("lrp", &x, &with(params.clone(), zero_bias)).unwrap();
                let x = wide(x.tensor.data());
                let expected = relevance(&layers, rules, &x, class, !zero_bias);
                let error = relative_error(found.map.data(), &expected);
                assert!(error < 1e-4, "{params:?} {zero_bias}: {error}");
                let gap = expected.iter().sum::<f64>() - mlp::logit(&layers, &x, class);
                let size = expected.iter().map(|r| r.abs()).sum::<f64>();
                assert!(
                    (found.completeness_gap.unwrap() - gap).abs() < 1e-4 * size,
                    "{params:?}"
                );
            }
        }
    }
}

#[test]
fn deep_taylor_equals_its_matrix_form() {
    let layers = [layer(4, 30, 40), layer(5, 3, 30)];
    let exec = dense(DIMS, &layers);
    let params = values([number("low", -3.5), number("high", 4.0)]);
    for seed in [50, 51] {
        let x = input(DIMS, seed);
        let found = Setting::new(&exec).map("deep-taylor", &x, &params);
        let rules = [Rule::ZBox(-3.5, 4.0), Rule::AlphaBeta(1.0)];
        let expected = relevance(&layers, &rules, &wide(x.tensor.data()), 0, false);
        let error = relative_error(found.data(), &expected);
        assert!(error < 1e-5, "{error}");
    }
}

/// Two convolutions with batch normalisations, and a dense layer; and the same as matrices.
fn convolutional() -> ([usize; 3], Cpu, Vec<Layer>) {
    let dims = [2, 6, 7];
    let positive = |seed: u64, n: usize| -> Vec<f32> { draws(seed, n).iter().map(|v| 0.4 + v.abs()).collect() };
    let conv = |seed: u64, outputs: usize, inputs: usize, side: usize| Convolution {
        outputs,
        inputs,
        side,
        weights: draws(seed, outputs * inputs * side * side),
        bias: draws(seed + 1, outputs),
        norm: [
            draws(seed + 2, outputs),
            draws(seed + 3, outputs),
            draws(seed + 4, outputs),
            positive(seed + 5, outputs),
        ],
    };
    let convolutions = [conv(100, 3, 2, 3), conv(200, 4, 3, 2)];
    let mut layers = vec![];
    let (mut h, mut w) = (dims[1], dims[2]);
    for conv in &convolutions {
        layers.push(matrix(conv, h, w));
        (h, w) = (h + 1 - conv.side, w + 1 - conv.side);
    }
    let head = layer(300, 5, 4 * h * w);
    let bytes = conv_network(dims, &convolutions, &head);
    layers.push(head);
    (dims, Cpu::new(load(&bytes, dims)), layers)
}

/// A convolution on `[inputs, h, w]` with the normalisation after it, as one matrix.
fn matrix(conv: &Convolution, h: usize, w: usize) -> Layer {
    let (rows, columns) = (h + 1 - conv.side, w + 1 - conv.side);
    let (mut weights, mut bias) = (vec![], vec![]);
    for o in 0..conv.outputs {
        let [scale, shift, mean, variance] = [0, 1, 2, 3].map(|i| f64::from(conv.norm[i][o]));
        let slope = scale / (variance + 1e-5).sqrt();
        for at in 0..rows * columns {
            let (y, x) = (at / columns, at % columns);
            let mut row = vec![0.0f32; conv.inputs * h * w];
            for i in 0..conv.inputs {
                for tap in 0..conv.side * conv.side {
                    let (dy, dx) = (tap / conv.side, tap % conv.side);
                    let weight = conv.weights[(o * conv.inputs + i) * conv.side * conv.side + tap];
                    row[(i * h + y + dy) * w + x + dx] = (f64::from(weight) * slope) as f32;
                }
            }
            weights.push(row);
            bias.push(((f64::from(conv.bias[o]) - mean) * slope + shift) as f32);
        }
    }
    (weights, bias)
}

#[test]
fn composites_equal_their_matrix_form_on_a_convolutional_network() {
    let (dims, exec, layers) = convolutional();
    let small = Rule::Epsilon(1e-6);
    let (plus, alpha2) = (Rule::AlphaBeta(1.0), Rule::AlphaBeta(2.0));
    let cases = [
        ("epsilon-plus", [plus, plus, small]),
        ("epsilon-plus-flat", [Rule::Flat, plus, small]),
        ("epsilon-gamma-box", [Rule::ZBox(-3.5, 4.0), Rule::Gamma(0.25), small]),
        ("epsilon-alpha2-beta1", [alpha2, alpha2, small]),
        ("epsilon-alpha2-beta1-flat", [Rule::Flat, alpha2, small]),
        ("w-square", [Rule::WSquare; 3]),
    ];
    for (name, rules) in cases {
        for seed in [60, 61] {
            let x = input(dims, seed);
            let setting = Setting {
                class: 1,
                ..Setting::new(&exec)
            };
            let found = setting.map("lrp", &x, &composite(name));
            let expected = relevance(&layers, &rules, &wide(x.tensor.data()), 1, true);
            let error = relative_error(found.data(), &expected);
            assert!(error < 1e-4, "{name} {seed}: {error}");
        }
    }
}

/// Where biases take nothing and the stabilisers are small, nothing is lost or made on the way, unless an output has
/// relevance that nothing contributed to as its rule counts: then it has nowhere to go. Only activations that pass
/// negative outputs make z⁺ lose some so, and only signs that are missing alpha-beta.
#[test]
fn relevance_is_conserved_through_every_kind_of_layer() {
    let nets: [(&str, [usize; 3], &[&str]); 5] = [
        ("plain", [1, 28, 28], &["epsilon", "z-plus", "gamma"]),
        ("residual", [3, 33, 33], &["epsilon", "z-plus", "gamma"]),
        ("dense-concat", [3, 28, 28], &["epsilon", "z-plus", "gamma"]),
        ("depthwise-se", [3, 32, 32], &["epsilon", "gamma"]),
        ("conv-gelu-ln", [3, 32, 32], &["epsilon", "gamma"]),
    ];
    for (name, dims, composites) in nets {
        let exec = net(name, dims);
        let x = input(dims, 70);
        let setting = Setting::new(&exec);
        for rules in composites {
            let params = values([
                text("composite", rules),
                number("epsilon", 1e-9),
                number("stabiliser", 1e-9),
            ]);
            let found = setting.attribute("lrp", &x, &with(params, true)).unwrap();
            let size: f64 = found.map.data().iter().map(|r| f64::from(r.abs())).sum();
            let gap = found.completeness_gap.unwrap();
            assert!(gap.abs() < 2e-3 * size, "{rules} on {name}: {gap} of {size}");
        }
        let walk = |zero_bias| setting.map("excitation-backprop", &x, &with(ParamValues::new(), zero_bias));
        let whole = walk(true);
        assert!(walk(false).sum() < whole.sum(), "{name}: biases take their share");
        if composites.contains(&"z-plus") {
            assert!((whole.sum() - 1.0).abs() < 2e-3, "{name}: {}", whole.sum());
        }
        // A negative branch of a residual sum takes a negative share.
        if ["plain", "dense-concat"].contains(&name) {
            assert!(whole.data().iter().all(|&r| r >= 0.0), "{name}");
        }
    }
}

#[test]
fn lrp_zero_is_input_times_gradient_on_relu_networks() {
    let params = values([
        text("composite", "epsilon"),
        number("epsilon", 0.0),
        number("stabiliser", 0.0),
    ]);
    for (name, dims) in [
        ("plain", [1, 28, 28]),
        ("residual", [3, 33, 33]),
        ("dense-concat", [3, 28, 28]),
    ] {
        let exec = net(name, dims);
        let x = input(dims, 80);
        let setting = Setting::new(&exec);
        let relevance = setting.map("lrp", &x, &params);
        let product = setting.map("input-x-gradient", &x, &ParamValues::new());
        let error = relative_error(relevance.data(), &wide(product.data()));
        assert!(error < 1e-4, "{name}: {error}");
    }
}

/// AND is `relu(p + q - 1)`: with the bias each input was worth 1 of the answer 1, and the bias -1; without it, half.
#[test]
fn biases_take_their_share_or_none() {
    let and = vec![
        (vec![vec![1.0, 1.0]], vec![-1.0]),
        (vec![vec![1.0], vec![0.0]], vec![0.0, 0.0]),
    ];
    let exec = dense([1, 1, 2], &and);
    let on = Input::preprocessed(Tensor::full(&[1, 1, 2], 1.0));
    let params = values([text("composite", "epsilon"), number("epsilon", 0.0)]);
    for (zero_bias, each, gap) in [(false, 1.0, 1.0), (true, 0.5, 0.0)] {
        let found = Setting::new(&exec)
            .attribute("lrp", &on, &with(params.clone(), zero_bias))
            .unwrap();
        assert_eq!(found.map.data(), [each, each]);
        assert!((found.completeness_gap.unwrap() - gap).abs() < 1e-6);
    }
}

/// Whatever an exporter makes of a network, relevance reaches the picture.
#[test]
fn relevance_finds_its_way_through_every_test_network() {
    let nets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nets");
    for file in std::fs::read_dir(nets).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let card = inspect(&bytes, &Limits::default()).unwrap().card;
        let exec = Cpu::new(Model::load(&bytes, card, Vec::new(), &Limits::default()).unwrap());
        let x = input(exec.model().input_dims(), 95);
        let setting = Setting::new(&exec);
        for rules in ["epsilon-gamma-box", "epsilon-plus-flat"] {
            let found = setting.attribute("lrp", &x, &composite(rules));
            let found = found.unwrap_or_else(|error| panic!("{rules} on {name}: {error}"));
            assert!(found.map.data().iter().any(|&r| r != 0.0), "{rules} on {name}");
        }
    }
}

#[test]
fn bounds_in_the_wrong_order_are_refused_before_any_pass() {
    let exec = dense(DIMS, &[layer(1, 3, 40)]);
    let params = values([number("low", 2.0), number("high", 1.0)]);
    for id in ["lrp", "deep-taylor"] {
        let error = Setting::new(&exec).attribute(id, &input(DIMS, 1), &params).unwrap_err();
        assert!(error.to_string().contains("low"), "{error}");
    }
}

/// Guided backpropagation and deconvolution of a dense network, by their definitions.
fn relu_rule(layers: &[Layer], x: &[f64], class: usize, guided: bool) -> Vec<f64> {
    let z = mlp::activations(layers, x);
    let mut g: Vec<f64> = (0..z[z.len() - 1].len())
        .map(|k| f64::from(u8::from(k == class)))
        .collect();
    for (i, (weights, _)) in layers.iter().enumerate().rev() {
        if i + 1 < layers.len() {
            for (g, z) in g.iter_mut().zip(&z[i]) {
                *g = if guided && *z <= 0.0 { 0.0 } else { g.max(0.0) };
            }
        }
        g = (0..weights[0].len())
            .map(|j| weights.iter().zip(&g).map(|(row, g)| f64::from(row[j]) * g).sum())
            .collect();
    }
    g
}

#[test]
fn the_rules_of_relus_are_as_defined() {
    let layers = [layer(6, 30, 40), layer(7, 20, 30), layer(8, 4, 20)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 90);
    let none = ParamValues::new();
    let setting = Setting {
        class: 2,
        ..Setting::new(&exec)
    };
    for (id, guided) in [("guided-backprop", true), ("deconvnet", false)] {
        let expected = relu_rule(&layers, &wide(x.tensor.data()), 2, guided);
        let error = relative_error(setting.map(id, &x, &none).data(), &expected);
        assert!(error < 1e-5, "{id}: {error}");
    }
    // No ReLU: nothing to change. GELU and hard sigmoid are made of clips and maxima in some exports.
    for (name, dims) in [("conv-gelu-ln", [3, 32, 32]), ("tiny-vit", [3, 32, 32])] {
        let exec = net(name, dims);
        let (setting, x) = (Setting::new(&exec), input(dims, 91));
        let gradient = setting.map("gradient", &x, &none);
        for id in ["guided-backprop", "deconvnet"] {
            assert_eq!(setting.map(id, &x, &none), gradient, "{id} on {name}");
        }
    }
}
