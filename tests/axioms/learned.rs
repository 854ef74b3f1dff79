//! The imputers that run a network of their own.

use lucarne::error::InputError;
use lucarne::imputer::{self, Networks};
use lucarne::job::{Job, Silent};
use lucarne::metric::Score;
use lucarne::model::Limits;
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Error, Input, Mask, Tensor};

use crate::harness::{imputing, networks, number, values};

const LEARNED: [&str; 2] = ["inpainter", "sampler"];

fn fill(id: &str, params: &ParamValues, seed: u64, x: &Tensor, removed: &Mask) -> Tensor {
    try_fill(id, params, seed, &networks(), x, removed).expect("the mask can be filled")
}

fn try_fill(
    id: &str,
    params: &ParamValues,
    seed: u64,
    networks: &Networks,
    x: &Tensor,
    removed: &Mask,
) -> Result<Tensor, Error> {
    let (job, random) = (Job::new(&Silent), SeedStream::new(seed));
    let cx = imputing(&job, &random, networks);
    let imputer = imputer::find(id).expect("the imputer exists");
    pollster::block_on(imputer::impute(
        imputer,
        params,
        &cx,
        &Input::preprocessed(x.clone()),
        removed,
    ))
}

fn scene(channels: usize, height: usize, width: usize) -> Tensor {
    Tensor::from_fn(&[channels, height, width], |i| {
        let (c, y, x) = (i / (height * width), i / width % height, i % width);
        0.5 + 0.4 * ((0.31 * y as f32 + 0.11 * c as f32).sin() * (0.23 * x as f32).cos())
    })
}

fn centre(height: usize, width: usize) -> Mask {
    let inside = |i: usize, side: usize| i >= side / 4 && i < side - side / 4;
    Mask::new(
        height,
        width,
        (0..height * width)
            .map(|k| inside(k / width, height) && inside(k % width, width))
            .collect(),
    )
}

fn furthest(a: &Tensor, b: &Tensor) -> f32 {
    a.data()
        .iter()
        .zip(b.data())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn a_network_that_is_not_loaded_is_named_with_the_cure() {
    for id in LEARNED {
        let found = try_fill(
            id,
            &ParamValues::new(),
            0,
            &Networks::default(),
            &scene(3, 8, 8),
            &centre(8, 8),
        );
        let error = found.expect_err("nothing is loaded").to_string();
        assert!(
            error.contains(id) && error.contains("not loaded") && error.contains(".onnx"),
            "{error}"
        );
    }
}

#[test]
fn another_network_under_the_id_is_refused() {
    let root = env!("CARGO_MANIFEST_DIR");
    let other = std::fs::read(format!("{root}/models/sampler/sampler.onnx")).expect("the file is there");
    let loaded = Networks::default();
    loaded
        .load("inpainter", &other, &Limits::default())
        .expect("it is a network");
    let found = try_fill(
        "inpainter",
        &ParamValues::new(),
        0,
        &loaded,
        &scene(3, 8, 8),
        &centre(8, 8),
    );
    assert!(found.is_err(), "a network with two more channels fitted");
}

#[test]
fn pictures_over_the_limit_are_refused_by_their_size() {
    let (x, removed) = (Tensor::zeros(&[1, 800, 800]), centre(800, 800));
    for id in LEARNED {
        match try_fill(id, &ParamValues::new(), 0, &networks(), &x, &removed) {
            Err(Error::Input(InputError::OverLimit { found, limit, .. })) => {
                assert_eq!((found, limit), (640_000, 768 * 768), "{id}");
            }
            other => panic!("{id}: {other:?}"),
        }
    }
}

/// One pixel kept in the least picture with a hole; the fill lies within the range of pixel values.
#[test]
fn two_pixels_are_enough() {
    let x = Tensor::new(&[3, 1, 2], vec![0.2, 0.9, 0.4, 0.1, 0.6, 0.3]);
    let removed = Mask::new(1, 2, vec![false, true]);
    for id in LEARNED {
        let out = fill(id, &ParamValues::new(), 3, &x, &removed);
        assert!(out.data().iter().all(|v| (0.0..=1.0).contains(v)), "{id}: {out:?}");
        for c in 0..3 {
            assert_eq!(out.row(c)[0].to_bits(), x.row(c)[0].to_bits());
        }
    }
}

/// Values outside of [0, 1] have no known range of pixels: shifting and stretching them shifts and stretches the fill.
#[test]
fn tensors_of_unknown_preprocessing_keep_their_scale() {
    let (x, removed) = (scene(3, 20, 24), centre(20, 24));
    let [low, high] = [(3.0, -7.0), (11.0, 40.0)].map(|(a, b): (f32, f32)| {
        let mapped = Tensor::from_fn(x.shape(), |i| a * x.data()[i] + b);
        let out = fill("inpainter", &ParamValues::new(), 0, &mapped, &removed);
        Tensor::from_fn(x.shape(), |i| (out.data()[i] - b) / a)
    });
    assert!(furthest(&low, &high) < 1e-4, "{}", furthest(&low, &high));
}

/// The fill of a removed pixel cannot depend on what was there.
#[test]
fn removed_values_are_not_seen() {
    let removed = centre(40, 33);
    let x = scene(3, 40, 33);
    let other = Tensor::from_fn(x.shape(), |i| if removed.bits()[i % 1320] { 0.77 } else { x.data()[i] });
    for id in LEARNED {
        let of = |x| fill(id, &ParamValues::new(), 5, x, &removed);
        assert_eq!(of(&x), of(&other), "{id}");
    }
}

#[test]
fn a_grey_picture_is_filled_as_the_mean_of_its_three_copies() {
    let (grey, removed) = (scene(1, 30, 34), centre(30, 34));
    let colour = Tensor::from_fn(&[3, 30, 34], |i| grey.data()[i % 1020]);
    let one = fill("inpainter", &ParamValues::new(), 0, &grey, &removed);
    let three = fill("inpainter", &ParamValues::new(), 0, &colour, &removed);
    let mean = Tensor::from_fn(&[1, 30, 34], |i| {
        (0..3).map(|c| three.data()[c * 1020 + i]).sum::<f32>() / 3.0
    });
    assert!(furthest(&one, &mean) < 1e-5);
    let two = fill("inpainter", &ParamValues::new(), 0, &scene(2, 30, 34), &removed);
    assert_eq!(two.row(0), one.row(0), "two channels are two grey pictures");
}

/// Different draws give different fillings; without noise every seed gives the same.
#[test]
fn the_sampler_draws() {
    let (x, removed) = (scene(3, 32, 32), centre(32, 32));
    let of = |seed, scale| fill("sampler", &values([number("scale", scale)]), seed, &x, &removed);
    assert_eq!(of(1, 0.0), of(2, 0.0));
    assert_eq!(of(1, 1.0), of(1, 1.0));
    assert!(furthest(&of(1, 1.0), &of(2, 1.0)) > 1e-3);
}

/// Any size fits the detector, and what it was trained to see in photographs it sees in a plain scene too.
#[test]
fn the_detector_finds_noise_and_takes_any_size() {
    let root = env!("CARGO_MANIFEST_DIR");
    let file = std::fs::read(format!("{root}/models/detector/detector.onnx")).expect("the file is there");
    assert!(file.len() <= 100_000, "{} bytes", file.len());
    let networks = Networks::default();
    networks
        .load("detector", &file, &Limits::default())
        .expect("it is a network");
    for [height, width] in [[1, 1], [7, 12], [33, 30], [64, 64]] {
        let x = Tensor::zeros(&[1, 3, height, width]);
        let logits = networks.run("detector", &x).expect("it takes any size");
        assert_eq!(logits.shape(), [1, 1, height, width]);
        assert!(logits.is_finite());
    }
    let (x, removed) = (scene(3, 64, 64), centre(64, 64));
    let noisy = fill("uniform-noise", &ParamValues::new(), 4, &x, &removed);
    let shown = Tensor::new(&[1, 3, 64, 64], noisy.into_data());
    let logits = networks.run("detector", &shown).expect("it takes any size");
    match lucarne::criteria::detectability::auc(&logits, &removed) {
        Score::Value(auc) => assert!(auc > 0.9, "{auc}"),
        Score::Undefined(why) => panic!("{why}"),
    }
}
