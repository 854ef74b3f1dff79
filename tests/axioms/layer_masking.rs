//! Missing pixels carried through the network: what must hold on every network, and of every method and metric that
//! removes pixels. Values are held against the authors' layers by the goldens `layer-masking-*`.

use std::collections::BTreeSet;
use std::path::Path;

use lucarne::attribution::{self, METHODS};
use lucarne::error::InputError;
use lucarne::exec::{Cpu, Executor};
use lucarne::graph::inspect::inspect;
use lucarne::imputer::{self, Networks};
use lucarne::job::Silent;
use lucarne::metric::{self, METRICS, Score};
use lucarne::model::Limits;
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Error, Input, Job, Mask, Model, Program, Tensor};

use crate::harness::{Around, Setting, imputing, net, picture, quick, removal, small};

/// Networks of `tests/nets` that mix places otherwise than by convolutions and pools.
const REFUSED: &[&str] = &[
    "ops-mix",
    "ops-pool",
    "ops-reduce",
    "ops-shape",
    "pooled-vit",
    "tiny-vit",
    "transposed-resize",
    "windowed-vit",
];

fn masked(layers: &[usize]) -> Program {
    Program {
        missing: true,
        ..Program::forward(layers)
    }
}

fn wave([c, h, w]: [usize; 3]) -> Tensor {
    Tensor::from_fn(&[1, c, h, w], |i| (i as f32 * 0.37).sin())
}

fn without(x: &Tensor, gone: impl Fn(usize) -> bool) -> Tensor {
    let pixels = x.shape()[2] * x.shape()[3];
    Tensor::from_fn(x.shape(), |i| if gone(i % pixels) { f32::NAN } else { x.data()[i] })
}

fn every_net() -> Vec<(String, Cpu)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nets");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the networks are committed") {
        let path = entry.expect("it can be listed").path();
        let bytes = std::fs::read(&path).expect("it can be read");
        let card = inspect(&bytes, &Limits::default()).expect("it is a network").card;
        let model = Model::load(&bytes, card, Vec::new(), &Limits::default()).expect("it loads");
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        found.push((name, Cpu::new(model)));
    }
    found
}

fn close(a: &Tensor, b: &Tensor, tolerance: f32) -> bool {
    let top = b.data().iter().fold(1e-30f32, |top, v| top.max(v.abs()));
    a.data()
        .iter()
        .zip(b.data())
        .all(|(a, b)| (a - b).abs() <= tolerance * top)
}

/// The graph that carries masks is run even where nothing is missing, which executors never do.
#[test]
fn with_nothing_missing_the_answer_is_the_plain_one() {
    let mut refused = BTreeSet::new();
    for (name, exec) in every_net() {
        let network = exec.model().network();
        let x = wave(network.input_dims());
        let layers: Vec<usize> = (0..network.layers().len()).collect();
        let plain = network
            .plan(1, &Program::forward(&layers))
            .expect("it runs")
            .run(&[&x])
            .expect("it runs");
        match network.plan(1, &masked(&layers)) {
            Ok(plan) => {
                let found = plan.run(&[&x]).expect("it runs");
                for (a, b) in found.iter().zip(&plain) {
                    assert!(close(a, b, 1e-6), "{name}");
                }
            }
            Err(Error::Input(InputError::CannotCarry { node, op })) => {
                assert!(!node.is_empty() && !op.is_empty());
                refused.insert(name);
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
    let expected: BTreeSet<String> = REFUSED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(refused, expected);
}

#[test]
fn whatever_is_missing_the_answer_is_a_number_and_only_kept_pixels_count() {
    for (name, exec) in every_net() {
        let network = exec.model().network();
        if network.check_missing().is_err() {
            continue;
        }
        let x = wave(network.input_dims());
        let pixels = x.shape()[2] * x.shape()[3];
        let layers: Vec<usize> = (0..network.layers().len()).collect();
        let masks: [&dyn Fn(usize) -> bool; 5] = [
            &|_| true,
            &|i| i != pixels / 2,
            &|i| i % 2 == 0,
            &|i| i < pixels / 2,
            &|i| i % 97 == 5,
        ];
        for (k, gone) in masks.iter().enumerate() {
            let of = |x: &Tensor| {
                let found = exec.run_now(&masked(&layers), &[without(x, gone)]).expect("it runs");
                assert!(found.iter().all(Tensor::is_finite), "{name}, mask {k}");
                found
            };
            assert_eq!(
                of(&x),
                of(&without(&x, gone).map(|v| if v.is_nan() { 1e3 } else { v })),
                "{name}"
            );
        }
    }
}

/// A picture of one colour looks the same to a convolution without padding, whatever is missing.
#[test]
fn a_flat_picture_stays_flat() {
    let exec = net("plain", [1, 28, 28]);
    let x = Tensor::full(&[1, 1, 28, 28], 0.7);
    let layers = [0, 1];
    let whole = exec
        .run_now(&masked(&layers), std::slice::from_ref(&x))
        .expect("it runs");
    let part = exec
        .run_now(&masked(&layers), &[without(&x, |i| (i * 7) % 5 < 3)])
        .expect("it runs");
    for (layer, (part, whole)) in part.iter().zip(&whole).enumerate().skip(1) {
        assert!(close(part, whole, 1e-6), "layer {layer}");
    }
}

#[test]
fn one_missing_pixel_takes_nothing_from_its_window_and_a_missing_corner_is_missing_after() {
    let exec = net("plain", [1, 28, 28]);
    let x = wave([1, 28, 28]);
    // The first layer is a convolution of 5 by 5 without padding: its place (0, 0) sees the pixels (0..5, 0..5).
    let corner = |i: usize| i / 28 < 6 && i % 28 < 6;
    let found = exec
        .run_now(&masked(&[0]), &[without(&x, corner)])
        .expect("it runs")
        .remove(1);
    let maps = found.shape()[1];
    for k in 0..maps {
        let at = |y: usize, x: usize| found.data()[(k * 24 + y) * 24 + x];
        for (y, x) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            assert_eq!(at(y, x).to_bits(), 0f32.to_bits(), "it sees nothing");
        }
        assert!(at(2, 0).abs() > 0.0 && at(1, 2).abs() > 0.0, "these see a pixel");
    }
}

#[test]
fn batches_of_whole_and_holed_pictures_change_no_bit() {
    let exec = small();
    let x = wave([3, 30, 30]);
    let pictures = [
        x.clone(),
        without(&x, |i| i % 3 == 0),
        x.clone(),
        without(&x, |i| i > 500),
    ];
    let rows: Vec<Tensor> = pictures
        .iter()
        .map(|p| Tensor::new(&p.shape()[1..], p.data().to_vec()))
        .collect();
    let together = exec
        .run_now(&masked(&[]), &[Tensor::stack(&rows)])
        .expect("it runs")
        .remove(0);
    for (i, picture) in pictures.iter().enumerate() {
        let alone = exec
            .run_now(&masked(&[]), std::slice::from_ref(picture))
            .expect("it runs")
            .remove(0);
        assert_eq!(together.row(i), alone.row(0));
    }
    let plain = exec.run_now(&Program::forward(&[]), &[x]).expect("it runs").remove(0);
    assert_eq!(together.row(0), plain.row(0));
}

/// Every method and metric either gives finite numbers, or refuses the imputer with the reason.
#[test]
fn everything_that_removes_pixels_works_or_says_why_not() {
    let exec = small();
    let x = picture();
    let setting = Setting {
        removal: removal("layer-masking", ParamValues::new()),
        ..Setting::new(&exec)
    };
    let told = |id: &str, error: &Error| {
        let named = matches!(error, Error::Input(InputError::CannotImpute { imputer: "layer-masking", why }) if why.contains("missing"));
        assert!(named, "{id}: {error}");
    };
    let mut refused = BTreeSet::new();
    for method in METHODS.iter().filter(|m| m.meta().needs(attribution::Need::Imputer)) {
        let id = method.meta().id;
        match setting.attribute(id, &x, &quick(&method.specs())) {
            Ok(found) => assert!(
                found.map.is_finite() && found.map.data().iter().any(|v| v.abs() > 0.0),
                "{id}"
            ),
            Err(error) => {
                told(id, &error);
                refused.insert(id);
            }
        }
    }
    let map = Setting::new(&exec).map("gradient", &x, &ParamValues::new());
    let around = Around::method("occlusion");
    for entry in METRICS.iter().filter(|m| m.meta().needs(metric::Need::Imputer)) {
        let id = entry.meta().id;
        let setting = Setting {
            around: around.clone(),
            ..setting.clone()
        };
        match setting.evaluate(id, &x, &map, &quick(&entry.specs())) {
            Ok(found) => {
                assert!(!matches!(found.score, Score::Value(v) if !v.is_finite()), "{id}");
                assert!(found.curves.iter().all(|c| c.y.iter().all(|v| v.is_finite())), "{id}");
            }
            Err(error) => {
                told(id, &error);
                refused.insert(id);
            }
        }
    }
    let expected: BTreeSet<&str> = [
        "rise",
        "sobol",
        "score-cam",
        "meaningful-perturbation",
        "extremal-perturbation",
        "fido",
        "average-drop",
        "average-gain",
        "average-increase",
        "pic-aic",
        "pic-sic",
        "continuity",
        "infidelity",
    ]
    .into();
    assert_eq!(refused, expected);
}

#[test]
fn gradients_and_transformers_are_refused_before_any_pass() {
    let exec = small();
    let hole = Mask::new(30, 30, (0..900).map(|i| i < 100).collect());
    let x = picture();
    let holed = {
        let (job, random, networks) = (Job::new(&Silent), SeedStream::new(0), Networks::default());
        let entry = imputer::find("layer-masking").expect("it exists");
        let cx = imputing(&job, &random, &networks);
        pollster::block_on(imputer::impute(entry, &ParamValues::new(), &cx, &x, &hole)).expect("it fits")
    };
    let setting = Setting {
        removal: removal("layer-masking", ParamValues::new()),
        ..Setting::new(&exec)
    };
    let found = setting.attribute("gradient", &Input::preprocessed(holed), &ParamValues::new());
    assert!(found.is_err());
    let vit = net("tiny-vit", [3, 32, 32]);
    let setting = Setting {
        removal: removal("layer-masking", ParamValues::new()),
        ..Setting::new(&vit)
    };
    let seen = Input::preprocessed(Tensor::from_fn(&[3, 32, 32], |i| (i as f32 * 0.7).sin()));
    let error = setting
        .attribute("occlusion", &seen, &ParamValues::new())
        .expect_err("tokens mix");
    assert_eq!(
        (error.code(), error.hint()),
        ("cannot-impute", "Choose another imputer or remove less.")
    );
    assert!(error.place().is_some_and(|node| !node.is_empty()), "{error}");
    // What removes nothing is as ever.
    assert!(setting.attribute("gradient", &seen, &ParamValues::new()).is_ok());
}

#[test]
fn missing_pixels_are_shown_as_a_chessboard() {
    let mut tensor = Tensor::full(&[3, 9, 17], 1.0);
    for i in [0, 8, 9 * 17 - 1] {
        tensor.data_mut()[i] = f32::NAN;
    }
    let rgb = lucarne::picture::to_rgb8(&Input::preprocessed(tensor));
    assert_eq!(rgb[..3], [0x80; 3]);
    assert_eq!(rgb[3..6], [255; 3]);
    assert_eq!(rgb[24..27], [0xc0; 3]);
    assert_eq!(rgb[rgb.len() - 3..], [0xc0; 3]);
}
