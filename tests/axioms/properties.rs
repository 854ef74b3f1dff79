//! Properties over random networks, pictures, maps and masks.

use lucarne::imputer::{self, IMPUTERS, Networks};
use lucarne::job::{Job, Silent};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Input, Mask, Normalisation, Tensor};
use proptest::prelude::*;

use crate::harness::{Setting, dense, imputing, networks, number, text, values};
use crate::naive::mlp::Layer;
use crate::naive::removal::linear_imputation;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn tensor(dims: [usize; 3]) -> impl Strategy<Value = Tensor> {
    let n = dims.iter().product::<usize>();
    prop::collection::vec(-3.0f32..3.0, n).prop_map(move |v| Tensor::new(&dims, v))
}

fn layer(outputs: usize, inputs: usize) -> impl Strategy<Value = Layer> {
    let row = prop::collection::vec(-1.0f32..1.0, inputs);
    (
        prop::collection::vec(row, outputs),
        prop::collection::vec(-1.0f32..1.0, outputs),
    )
}

/// Odd shapes and single rows and columns, a picture and a mask of it.
fn masked() -> impl Strategy<Value = (Tensor, Vec<bool>)> {
    let side = 1usize..10;
    (1usize..4, side.clone(), side).prop_flat_map(|(c, h, w)| {
        let mask = (0.0f64..1.0).prop_flat_map(move |share| prop::collection::vec(prop::bool::weighted(share), h * w));
        (tensor([c, h, w]), mask)
    })
}

fn impute(imputer: &dyn imputer::DynImputer, input: &Input, removed: &Mask) -> Tensor {
    let (job, random, networks) = (Job::new(&Silent), SeedStream::new(9), networks());
    let cx = imputing(&job, &random, &networks);
    pollster::block_on(imputer::impute(imputer, &ParamValues::new(), &cx, input, removed))
        .expect("the mask can be filled")
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn imputers_keep_kept_pixels_bit_for_bit((x, bits) in masked()) {
        let (h, w) = (x.shape()[1], x.shape()[2]);
        let removed = Mask::new(h, w, bits);
        let space = Normalisation { mean: vec![0.4; x.shape()[0]], std: vec![0.25; x.shape()[0]] };
        let input = Input { tensor: x.clone(), space };
        for imputer in IMPUTERS {
            if imputer.meta().needs_kept && removed.count() == h * w {
                continue;
            }
            let out = impute(*imputer, &input, &removed);
            prop_assert_eq!(out.shape(), x.shape());
            let values = out.data().iter().enumerate();
            let whole = values.filter(|(i, _)| !imputer.marks_missing() || !removed.bits()[i % (h * w)]);
            prop_assert!(whole.into_iter().all(|(_, v)| v.is_finite()), "{}", imputer.meta().id);
            for (i, (a, b)) in out.data().iter().zip(x.data()).enumerate() {
                prop_assert!(removed.bits()[i % (h * w)] || a.to_bits() == b.to_bits(), "{}", imputer.meta().id);
            }
        }
    }

    /// What `needs_kept: false` promises, and `Remover` builds on.
    #[test]
    fn fills_that_need_no_kept_pixel_are_the_same_for_every_mask((x, bits) in masked()) {
        let (h, w) = (x.shape()[1], x.shape()[2]);
        let (input, removed) = (Input::preprocessed(x), Mask::new(h, w, bits));
        for imputer in IMPUTERS.iter().filter(|i| !i.meta().needs_kept) {
            let whole = impute(*imputer, &input, &Mask::all(h, w, true));
            let part = impute(*imputer, &input, &removed);
            for (i, (a, b)) in part.data().iter().zip(whole.data()).enumerate() {
                prop_assert!(!removed.bits()[i % (h * w)] || a.to_bits() == b.to_bits(), "{}", imputer.meta().id);
            }
        }
    }

    #[test]
    fn noisy_linear_solves_its_equations((x, bits) in masked()) {
        let (c, h, w) = (x.shape()[0], x.shape()[1], x.shape()[2]);
        let removed = Mask::new(h, w, bits);
        prop_assume!(removed.count() < h * w);
        let (job, random, networks) = (Job::new(&Silent), SeedStream::new(9), Networks::default());
        let cx = imputing(&job, &random, &networks);
        let imputer = imputer::find("noisy-linear").unwrap();
        let params = values([number("noise", 0.0)]);
        let input = Input::preprocessed(x.clone());
        let out = pollster::block_on(imputer::impute(imputer, &params, &cx, &input, &removed)).unwrap();
        for k in 0..c {
            let channel: Vec<f64> = x.row(k).iter().map(|&v| f64::from(v)).collect();
            let expected = linear_imputation(&channel, removed.bits(), h, w);
            for (a, b) in out.row(k).iter().zip(expected) {
                prop_assert!((f64::from(*a) - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}

proptest! {
    #![proptest_config(config(8))]

    #[test]
    fn integrated_gradients_are_complete_with_enough_steps(
        x in tensor([1, 4, 4]), first in layer(8, 16), second in layer(3, 8), class in 0usize..3,
    ) {
        let layers = vec![first, second];
        let exec = dense([1, 4, 4], &layers);
        let setting = Setting { class, ..Setting::new(&exec) };
        let input = Input::preprocessed(x);
        let gap = |quadrature: &str, steps: f64| {
            let params = values([number("steps", steps), text("quadrature", quadrature)]);
            setting.attribute("integrated-gradients", &input, &params).unwrap().completeness_gap.unwrap().abs()
        };
        // Each of 8 gates switches at most once on the line, where a node may lie on the wrong side: an error of one
        // weight times the jump of the directional derivative there, at most 16 inputs of 3 times weights of 1.
        let bound = |steps: f64| 8.0 * 48.0 / steps + 1e-3;
        for quadrature in ["gauss-legendre", "riemann-left", "riemann-right", "riemann-middle"] {
            let found = gap(quadrature, 500.0);
            prop_assert!(found < bound(500.0), "{quadrature}: {found}");
        }
        prop_assert!(gap("riemann-middle", 1000.0) < 0.1 + gap("riemann-middle", 10.0));
    }

    #[test]
    fn morf_read_backwards_is_lerf(
        x in tensor([2, 3, 7]), net in layer(3, 42), levels in prop::collection::vec(0u8..5, 21), steps in 1usize..22,
    ) {
        let exec = dense([2, 3, 7], &[net]);
        let setting = Setting::new(&exec);
        let input = Input::preprocessed(x);
        // Few levels, so that ties matter.
        let map = Tensor::new(&[1, 3, 7], levels.iter().map(|&v| f32::from(v)).collect());
        let curve = |id: &str, order: &str| {
            let params = values([number("steps", steps as f64), text("order", order)]);
            setting.evaluate(id, &input, &map, &params).unwrap().curves.remove(0)
        };
        for (order, other) in [("morf", "lerf"), ("lerf", "morf")] {
            let (removed, kept) = (curve("deletion", order), curve("insertion", other));
            let backwards: Vec<f64> = kept.y.iter().rev().copied().collect();
            prop_assert_eq!(&removed.y, &backwards);
            for (a, b) in removed.x.iter().zip(kept.x.iter().rev()) {
                prop_assert!((a + b - 1.0).abs() < 1e-12);
            }
        }
    }

    /// Only the ranking matters, so any growing change of the map leaves curves alone.
    #[test]
    fn rankings_ignore_monotone_changes_of_the_map(
        x in tensor([1, 4, 5]), net in layer(2, 20), map in tensor([1, 4, 5]),
    ) {
        let exec = dense([1, 4, 5], &[net]);
        let setting = Setting { removal: crate::harness::removal("noisy-linear", ParamValues::new()), ..Setting::new(&exec) };
        let input = Input::preprocessed(x);
        // Powers of two and zero keep float32 ranks exact.
        let stretched = map.map(|v| 4.0 * v);
        let bent = map.map(|v| if v > 0.0 { 2.0 * v } else { v });
        for id in ["deletion", "insertion", "road"] {
            let of = |map: &Tensor| {
                let params = if id == "road" { ParamValues::new() } else { values([number("steps", 10.0)]) };
                setting.evaluate(id, &input, map, &params).unwrap()
            };
            prop_assert_eq!(of(&map), of(&stretched));
            prop_assert_eq!(of(&map), of(&bent));
        }
    }
}
