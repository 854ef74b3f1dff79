//! An engine that keeps results from one picture to the next gives what one gives that computes each from the beginning.

use lucarne::exec::Cpu;
use lucarne::rng::SeedStream;
use lucarne::{Program, Tensor, Wrt};

use crate::harness::load;

const DIMS: [usize; 3] = [3, 30, 30];

/// One that keeps, and one that does not.
fn engines() -> [Cpu; 2] {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nets/small-rgb.onnx");
    let onnx = std::fs::read(path).expect("the network is committed");
    let model = load(&onnx, DIMS);
    [Cpu::new(model.clone()), Cpu::dense(model)]
}

/// The base with a box of zeros at the `k`-th place.
fn occluded(base: &Tensor, k: usize) -> Tensor {
    let (y, x) = (5 * k % 26, 11 * k % 26);
    Tensor::from_fn(base.shape(), |i| {
        let inside = (y..y + 4).contains(&(i / 30 % 30)) && (x..x + 4).contains(&(i % 30));
        if inside { 0.0 } else { base.data()[i] }
    })
}

fn base() -> Tensor {
    let mut noise = SeedStream::new(1).stream("test/base");
    Tensor::from_fn(&[1, 3, 30, 30], |_| noise.normal())
}

fn agree(engines: &[Cpu; 2], program: &Program, inputs: &[Tensor]) {
    let [kept, dense] = engines.each_ref().map(|e| e.run_now(program, inputs).expect("a pass"));
    assert_eq!(kept.len(), dense.len());
    for (kept, dense) in kept.iter().zip(&dense) {
        assert_eq!(kept.shape(), dense.shape());
        let same = kept
            .data()
            .iter()
            .zip(dense.data())
            .all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "{program:?}");
    }
}

#[test]
fn programs_that_alternate_do_not_disturb_each_other() {
    let engines = engines();
    let base = base();
    let cotangent = Tensor::from_fn(&[1, 6], |k| f32::from(u8::from(k == 2)));
    let programs = [
        Program::forward(&[]),
        Program::forward(&[0, 1]),
        Program::gradient(&[Wrt::Input]),
    ];
    for k in 0..60 {
        let program = &programs[[0, 0, 1, 0, 2][k % 5]];
        let mut inputs = vec![occluded(&base, k)];
        inputs.extend(program.backward.is_some().then(|| cotangent.clone()));
        agree(&engines, program, &inputs);
    }
    let share = engines[0].share().expect("pictures were run");
    assert!(share < 0.8, "{share}");
    assert_eq!(engines[1].share(), None);
}

#[test]
fn batches_and_single_pictures_are_the_same() {
    let engines = engines();
    let base = base();
    let pictures: Vec<Tensor> = (0..20).map(|k| occluded(&base, k)).collect();
    agree(&engines, &Program::forward(&[]), &[Tensor::concat(&pictures)]);
    for picture in pictures.iter().rev() {
        agree(&engines, &Program::forward(&[]), std::slice::from_ref(picture));
    }
}

#[test]
fn results_of_a_program_that_is_not_asked_for_are_forgotten() {
    let engines = engines();
    let base = base();
    for k in 0..10 {
        agree(&engines, &Program::forward(&[]), &[occluded(&base, k)]);
    }
    let share = engines[0].share().expect("pictures were run");
    for k in 0..200 {
        agree(&engines, &Program::forward(&[0]), &[occluded(&base, k)]);
    }
    let other = engines[0].share().expect("pictures were run");
    assert!((share - other).abs() > 1e-9, "{share} and {other} are of one program");
    assert!(other < 0.8, "{other}");
}

#[test]
fn missing_values_are_carried_as_ever() {
    let engines = engines();
    let base = base();
    let program = Program {
        missing: true,
        ..Program::default()
    };
    for k in 0..12 {
        let holed = occluded(&base, k).map(|v| {
            if v.abs() < f32::MIN_POSITIVE && k % 3 == 0 {
                f32::NAN
            } else {
                v
            }
        });
        agree(&engines, &program, &[holed]);
    }
}
