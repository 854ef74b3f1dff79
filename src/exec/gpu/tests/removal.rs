//! What imputers compute on the device, against what they compute without one.

use std::rc::Rc;
use std::sync::Arc;

use pollster::block_on;

use super::{Alone, agree, engine, model, software};
use crate::context::Removal;
use crate::exec::gpu::{Gpu, Shared};
use crate::exec::{Cpu, Executor, Pool};
use crate::gpu::Precision;
use crate::imputer::{self, Networks};
use crate::job::Silent;
use crate::model::Limits;
use crate::params::{ParamValue, ParamValues};
use crate::rng::SeedStream;
use crate::{Context, Input, Job, Mask, Model, Target, TargetKind, Tensor};

/// A smooth picture with something on it, `[3, side, side]`.
fn picture(side: usize) -> Input {
    let mut noise = SeedStream::new(11).stream("x");
    let plane = side * side;
    let value = |i: usize| {
        let (c, y, x) = (i / plane, i % plane / side, i % side);
        let wave = (0.2 * x as f32 + c as f32).sin() + (0.13 * y as f32).cos();
        let square = f32::from(u8::from(x > side / 3 && y > side / 3 && x < side / 2));
        0.5 + 0.2 * wave + 0.2 * square
    };
    let tensor = Tensor::from_fn(&[3, side, side], |i| (value(i) + 0.02 * noise.normal()).clamp(0.0, 1.0));
    Input::preprocessed(tensor)
}

/// A block in the middle, and every third pixel beside it.
fn holes(side: usize) -> Mask {
    let gone = |i: usize| {
        let (y, x) = (i / side, i % side);
        let inside = |v: usize| v >= side / 4 && v < 3 * side / 4;
        inside(x) && inside(y) || (x + 7 * y).is_multiple_of(3)
    };
    Mask::new(side, side, (0..side * side).map(gone).collect())
}

fn networks(id: &str) -> Networks {
    let networks = Networks::default();
    if let Some(network) = imputer::find(id).unwrap().meta().network {
        let path = format!("{}/models/{network}/{network}.onnx", env!("CARGO_MANIFEST_DIR"));
        let onnx = std::fs::read(path).unwrap();
        networks.load(network, &onnx, &Limits::default()).unwrap();
    }
    networks
}

fn impute(exec: &dyn Executor, id: &str, params: &ParamValues, input: &Input, removed: &Mask) -> Tensor {
    let (job, random) = (Job::new(&Silent), SeedStream::new(3));
    let kind = TargetKind::Output;
    let cx = Context {
        exec,
        job: &job,
        random: &random,
        target: Target { class: 0, kind },
        removal: Removal {
            imputer: imputer::find(id).unwrap(),
            params: params.clone(),
            networks: networks(id),
        },
        weights: crate::Weights::Trained,
    };
    block_on(cx.impute(input, removed)).unwrap()
}

/// Fills agree, and pixels that are kept are those of the picture, bit for bit.
fn check(exec: &dyn Executor, model: &Arc<Model>, id: &str, params: &ParamValues, side: usize) {
    let (input, removed) = (picture(side), holes(side));
    let found = impute(exec, id, params, &input, &removed);
    let expected = impute(&Cpu::new(model.clone()), id, params, &input, &removed);
    agree(std::slice::from_ref(&found), std::slice::from_ref(&expected));
    assert_ne!(found, expected, "{id} was not computed on the device");
    let pixels = side * side;
    for (i, (found, kept)) in found.data().iter().zip(input.tensor.data()).enumerate() {
        assert!(removed.bits()[i % pixels] || found.to_bits() == kept.to_bits());
    }
    assert_eq!(exec.notes(), [], "{id}");
}

fn with(name: &str, value: f64) -> ParamValues {
    ParamValues::from([(name.to_owned(), ParamValue::Number(value))])
}

#[test]
fn imputers_compute_on_the_device() {
    let model = model("plain");
    for (id, params) in [
        ("gaussian-blur", ParamValues::new()),
        // Wider than the picture, which is mirrored again and again.
        ("gaussian-blur", with("sigma", 9.0)),
        ("noisy-linear", ParamValues::new()),
        ("harmonic", ParamValues::new()),
    ] {
        let (gpu, fake) = engine(&model, |_, _| None);
        check(&gpu, &model, id, &params, 12);
        assert!(fake.runs.get() > 0);
        // Each of its graphs is compiled once, however often it runs.
        let compiled = fake.sizes.borrow().len();
        assert!(
            compiled <= 2 && (id == "gaussian-blur") == (fake.runs.get() == 1),
            "{id}: {compiled}"
        );
    }
    // An imputer that computes nothing of the kind asks for nothing.
    let (gpu, fake) = engine(&model, |_, _| None);
    let constant = impute(&gpu, "constant", &ParamValues::new(), &picture(12), &holes(12));
    assert_eq!(fake.runs.get(), 0);
    assert!(constant.is_finite());
}

#[test]
fn where_the_device_fails_the_fill_is_the_processors() {
    let model = model("plain");
    for id in ["gaussian-blur", "noisy-linear"] {
        // In the first round, and in the second.
        for at in [0, 1] {
            let (gpu, fake) = engine(&model, move |run, _| {
                (run >= at).then(|| super::Fault::Lost {
                    why: "unplugged".into(),
                })
            });
            let (input, removed) = (picture(12), holes(12));
            let params = ParamValues::new();
            let expected = impute(&Cpu::new(model.clone()), id, &params, &input, &removed);
            let found = impute(&gpu, id, &params, &input, &removed);
            let took = fake.runs.get() > at;
            assert_eq!(found == expected, took, "{id} at {at}");
            assert_eq!(gpu.notes().len(), usize::from(took));
        }
    }
}

#[test]
fn a_driver_fills_as_the_processor_does() {
    let Some(device) = software() else { return };
    let model = model("plain");
    for (id, side) in [
        ("gaussian-blur", 61),
        ("noisy-linear", 32),
        // A hole of 64 x 64 takes several rounds.
        ("noisy-linear", 128),
        ("harmonic", 96),
        ("inpainter", 40),
        ("sampler", 32),
    ] {
        let pool = Rc::new(Pool::new(Cpu::new(model.clone()), Rc::new(Alone)));
        let gpu = Gpu::new(pool, Shared::new(device.clone(), Precision::Single));
        check(&gpu, &model, id, &ParamValues::new(), side);
    }
}
