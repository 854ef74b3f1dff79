//! What must hold of imputers, as far as each one's theory says so.

use lucarne::error::InputError;
use lucarne::imputer::{self, DynImputer, IMPUTERS, ImputeContext};
use lucarne::job::{Job, Silent};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Error, Input, Mask, Normalisation, Tensor};
use proptest::prelude::*;

use crate::harness::{Watcher, networks, number, values};
use crate::naive::removal::surface;

/// Those that fill a hole from kept pixels by weights that sum to 1, and so stay within their range.
const MEANS: [&str; 4] = ["noisy-linear", "harmonic", "neighbourhood-mean", "navier-stokes"];
/// Those that see nothing far from a hole but through the mean from which they start.
const LOCAL: [&str; 6] = [
    "noisy-linear",
    "harmonic",
    "biharmonic",
    "neighbourhood-mean",
    "telea",
    "navier-stokes",
];

/// Without what an imputer adds by chance.
fn plain(id: &str) -> ParamValues {
    if id == "noisy-linear" {
        values([number("noise", 0.0)])
    } else {
        ParamValues::new()
    }
}

fn try_impute(imputer: &dyn DynImputer, input: &Input, removed: &Mask) -> Result<Tensor, Error> {
    let (job, random, networks) = (Job::new(&Silent), SeedStream::new(4), networks());
    let cx = ImputeContext {
        job: &job,
        random: &random,
        networks: &networks,
        device: None,
    };
    let params = plain(imputer.meta().id);
    pollster::block_on(imputer::impute(imputer, &params, &cx, input, removed))
}

fn impute(id: &str, x: &Tensor, removed: &Mask) -> Tensor {
    let imputer = imputer::find(id).expect("the imputer exists");
    try_impute(imputer, &Input::preprocessed(x.clone()), removed).expect("the mask can be filled")
}

/// Those that fill, and do it without a network: quick enough for many small cases.
fn quick() -> impl Iterator<Item = &'static dyn DynImputer> {
    fillers().filter(|i| i.meta().network.is_none())
}

/// All but those that leave holes.
fn fillers() -> impl Iterator<Item = &'static dyn DynImputer> {
    IMPUTERS.iter().copied().filter(|i| !i.marks_missing())
}

/// Whether the fill of one mask stays the same when other pixels were removed before, and when what was removed changes.
fn forgets(imputer: &dyn DynImputer, x: &Tensor, removed: &Mask, between: &Mask) -> Result<(), String> {
    let id = imputer.meta().id;
    let of = |x: &Tensor, mask| {
        try_impute(imputer, &Input::preprocessed(x.clone()), mask).expect("a pixel is kept, so it can be filled")
    };
    let first = of(x, removed);
    if !of(x, between).is_finite() {
        return Err(format!("{id} does not fill with numbers"));
    }
    if first.data() != of(x, removed).data() {
        return Err(format!("{id} remembers another mask"));
    }
    let (mut other, pixels) = (x.clone(), removed.bits().len());
    for (i, v) in other.data_mut().iter_mut().enumerate() {
        if removed.bits()[i % pixels] {
            *v = (i as f32).cos() * 0.4 + 0.5;
        }
    }
    if imputer.meta().needs_kept && first.data() != of(&other, removed).data() {
        return Err(format!("{id} has seen what was removed"));
    }
    Ok(())
}

/// A picture without flat places, `[c, h, w]`.
fn texture(shape: [usize; 3]) -> Tensor {
    Tensor::from_fn(&shape, |i| ((i * 7919 + i * i * 31) % 1009) as f32 / 1009.0)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Odd shapes, single rows and columns, and a mask that keeps a pixel.
fn masked() -> impl Strategy<Value = (Tensor, Mask)> {
    (1usize..3, 1usize..9, 1usize..9).prop_flat_map(|(c, h, w)| {
        let mask = (0.0f64..1.0).prop_flat_map(move |share| prop::collection::vec(prop::bool::weighted(share), h * w));
        let picture = prop::collection::vec(-2.0f32..2.0, c * h * w);
        (picture, mask, 0..h * w).prop_map(move |(x, mut bits, kept)| {
            bits[kept] = false;
            (Tensor::new(&[c, h, w], x), Mask::new(h, w, bits))
        })
    })
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn constant_pictures_come_back((x, removed) in masked(), value in -2.0f32..2.0) {
        let flat = x.map(|_| value);
        for id in LOCAL.into_iter().chain(["channel-mean", "gaussian-blur", "gaussian-noise"]) {
            let out = impute(id, &flat, &removed);
            prop_assert!(out.data().iter().all(|v| (v - value).abs() < 2e-6), "{id}");
        }
    }

    #[test]
    fn means_stay_within_the_range_of_what_is_kept((x, removed) in masked()) {
        for id in MEANS.into_iter().chain(["biharmonic"]) {
            let out = impute(id, &x, &removed);
            for c in 0..x.shape()[0] {
                let kept = x.row(c).iter().zip(removed.bits()).filter(|&(_, &gone)| !gone).map(|(&v, _)| v);
                let (low, high) = kept.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
                prop_assert!(out.row(c).iter().zip(removed.bits()).all(|(&v, &gone)| {
                    !gone || (low - 1e-5..=high + 1e-5).contains(&v)
                }), "{id}");
            }
        }
    }

    /// What is removed is gone: fills made of kept pixels know nothing of it; and no fill knows of the one before.
    #[test]
    fn nothing_is_left_of_what_was_removed((x, removed) in masked(), pick in any::<prop::sample::Index>()) {
        let (h, w) = (removed.height(), removed.width());
        let between = Mask::new(h, w, (0..h * w).map(|i| i != pick.index(h * w)).collect());
        for imputer in quick() {
            prop_assert_eq!(forgets(imputer, &x, &removed, &between), Ok(()));
        }
    }

    #[test]
    fn surfaces_solve_their_equations((x, removed) in masked()) {
        let (h, w) = (removed.height(), removed.width());
        for (id, stiff) in [("harmonic", false), ("biharmonic", true)] {
            let out = impute(id, &x, &removed);
            for c in 0..x.shape()[0] {
                let channel: Vec<f64> = x.row(c).iter().map(|&v| f64::from(v)).collect();
                let kept = || channel.iter().zip(removed.bits()).filter(|&(_, &gone)| !gone).map(|(&v, _)| v);
                let (low, high) = (kept().fold(f64::MAX, f64::min), kept().fold(f64::MIN, f64::max));
                for (a, b) in out.row(c).iter().zip(surface(&channel, removed.bits(), h, w, stiff)) {
                    let b = b.clamp(low, high);
                    prop_assert!((f64::from(*a) - b).abs() < 2e-5, "{id}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn networks_see_nothing_of_what_was_removed() {
    let removed = Mask::new(32, 40, (0..1280).map(|i| i % 40 > 11 && i % 7 > 2).collect());
    for imputer in fillers().filter(|i| i.meta().network.is_some()) {
        assert_eq!(
            forgets(imputer, &texture([3, 32, 40]), &removed, &hole(32, 40, 3)),
            Ok(())
        );
    }
}

/// A hole off the centre of a picture, `margin` pixels from every border.
fn hole(height: usize, width: usize, margin: usize) -> Mask {
    let inside = |i: usize| {
        let (y, x) = (i / width, i % width);
        (margin..height - margin).contains(&y) && (margin..width - margin).contains(&x) && !(y == 9 && x % 3 == 0)
    };
    Mask::new(height, width, (0..height * width).map(inside).collect())
}

#[test]
fn surfaces_continue_what_solves_their_equations() {
    let removed = hole(20, 23, 2);
    let picture = |f: &dyn Fn(f32, f32) -> f32| {
        Tensor::from_fn(&[1, 20, 23], |i| {
            f((i / 23) as f32 / 20.0 - 0.5, (i % 23) as f32 / 20.0 - 0.5)
        })
    };
    let ramp = picture(&|y, x| 0.3 + 2.0 * x - 0.7 * y);
    let saddle = picture(&|y, x| x * x - y * y + x * y);
    // Its second differences are linear, so that its fourth ones vanish; it grows, so that nothing is cut off.
    let cubic = picture(&|y, x| x * x * x + y * y * y + 2.0 * (x + y) + x * y * y * 0.5);
    for (id, pictures) in [("harmonic", vec![&ramp, &saddle]), ("biharmonic", vec![&ramp, &cubic])] {
        for x in pictures {
            let out = impute(id, x, &removed);
            for (a, b) in out.data().iter().zip(x.data()) {
                assert!((a - b).abs() < 2e-5, "{id}: {a} {b}");
            }
        }
    }
    // A membrane does not bend, so it cannot follow the cubic; a stiff sheet is cut off at the range of what is kept.
    let gap = |id: &str| {
        let out = impute(id, &cubic, &removed);
        out.data()
            .iter()
            .zip(cubic.data())
            .fold(0f32, |top, (a, b)| top.max((a - b).abs()))
    };
    assert!(gap("harmonic") > 1e-3 && gap("biharmonic") < 2e-5);
}

#[test]
fn local_fills_move_with_the_picture() {
    let (h, w, dy, dx) = (40, 44, 3, 5);
    let x = texture([2, h, w]);
    let moved = |i: usize| (i / w + h - dy) % h * w + (i % w + w - dx) % w;
    let shifted = Tensor::from_fn(&[2, h, w], |i| x.row(i / (h * w))[moved(i % (h * w))]);
    let removed = hole(h, w, 14);
    let follows = Mask::new(h, w, (0..h * w).map(|i| removed.bits()[moved(i)]).collect());
    for id in LOCAL {
        let (here, there) = (impute(id, &x, &removed), impute(id, &shifted, &follows));
        for c in 0..2 {
            for i in 0..h * w {
                let (a, b) = (here.row(c)[moved(i)], there.row(c)[i]);
                assert!((a - b).abs() < 1e-5, "{id}: {a} {b}");
            }
        }
    }
}

#[test]
fn one_kept_pixel_colours_everything() {
    for [h, w] in [[1, 1], [1, 9], [8, 1], [2, 2], [13, 17]] {
        let x = texture([3, h, w]);
        let kept = h * w / 3;
        let removed = Mask::new(h, w, (0..h * w).map(|i| i != kept).collect());
        for imputer in fillers() {
            let out = try_impute(imputer, &Input::preprocessed(x.clone()), &removed).expect("a pixel is kept");
            assert!(out.is_finite(), "{}", imputer.meta().id);
        }
        for id in LOCAL {
            let out = impute(id, &x, &removed);
            for c in 0..3 {
                let colour = x.row(c)[kept];
                assert!(out.row(c).iter().all(|v| (v - colour).abs() < 1e-6), "{id} {h} x {w}");
            }
        }
    }
}

#[test]
fn nothing_kept_is_refused_or_filled_and_nothing_removed_changes_nothing() {
    for [h, w] in [[1, 1], [1, 6], [7, 5]] {
        let input = Input {
            tensor: texture([3, h, w]),
            space: Normalisation {
                mean: vec![0.5, 0.4, 0.3],
                std: vec![0.2, 0.3, 0.4],
            },
        };
        for imputer in fillers() {
            let id = imputer.meta().id;
            match try_impute(imputer, &input, &Mask::all(h, w, true)) {
                Ok(out) => assert!(!imputer.meta().needs_kept && out.is_finite(), "{id}"),
                Err(Error::Input(InputError::CannotImpute { imputer: named, .. })) => {
                    assert!(imputer.meta().needs_kept && named == id);
                }
                Err(other) => panic!("{id}: {other}"),
            }
            let same = try_impute(imputer, &input, &Mask::all(h, w, false)).expect("nothing to fill");
            assert_eq!(same.data(), input.tensor.data(), "{id}");
            for wrong in [Mask::all(h + 1, w, true), Mask::all(w, h + 1, false)] {
                let refused = try_impute(imputer, &input, &wrong);
                assert!(matches!(refused, Err(Error::Input(InputError::Shape { .. }))), "{id}");
            }
        }
    }
}

/// The value space changes nothing but the last digits: fills are made in pixel values or by linear equations.
#[test]
fn fills_do_not_depend_on_the_normalisation() {
    let pixels = texture([3, 21, 19]);
    let space = Normalisation {
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
    };
    let of = |i: usize| space.forward(i / (21 * 19), pixels.data()[i]);
    let normalised = Input {
        tensor: Tensor::from_fn(&[3, 21, 19], of),
        space: space.clone(),
    };
    let removed = Mask::new(
        21,
        19,
        (0..21 * 19).map(|i| i % 19 > 6 && i / 19 > 4 && i % 3 > 0).collect(),
    );
    for id in LOCAL {
        let imputer = imputer::find(id).expect("it exists");
        let (a, b) = (
            impute(id, &pixels, &removed),
            try_impute(imputer, &normalised, &removed).expect("it can be filled"),
        );
        for (i, (a, b)) in a.data().iter().zip(b.data()).enumerate() {
            assert!((a - space.inverse(i / (21 * 19), *b)).abs() < 1e-4, "{id}");
        }
    }
}

#[test]
fn long_fills_look_at_the_job() {
    let x = Input::preprocessed(texture([3, 96, 96]));
    let removed = Mask::new(96, 96, (0..96 * 96).map(|i| i > 600 && i < 9000).collect());
    for imputer in quick().filter(|i| i.meta().needs_kept) {
        let watcher = Watcher::new(2);
        let (job, random, networks) = (Job::new(&watcher), SeedStream::new(0), networks());
        let cx = ImputeContext {
            job: &job,
            random: &random,
            networks: &networks,
            device: None,
        };
        let params = ParamValues::new();
        let found = pollster::block_on(imputer::impute(imputer, &params, &cx, &x, &removed));
        let id = imputer.meta().id;
        assert!(
            matches!(found, Err(Error::Cancelled)),
            "{id} ended without a look at the job"
        );
    }
}

/// A wide hole and scattered pixels.
#[test]
fn large_pictures_are_filled() {
    let side = 512;
    let x = Tensor::from_fn(&[1, side, side], |i| {
        let (y, x) = ((i / side) as f32, (i % side) as f32);
        (y / 31.0).sin() * (x / 23.0).cos() + ((i * 7919) % 101) as f32 / 500.0
    });
    let gone = |i: usize| {
        let (y, x) = (i / side, i % side);
        (40..160).contains(&y) && (360..480).contains(&x) || y > 480 && (i * 7919) % 13 < 8
    };
    let removed = Mask::new(side, side, (0..side * side).map(gone).collect());
    for id in LOCAL {
        let out = impute(id, &x, &removed);
        assert!(out.is_finite(), "{id}");
        for (i, (a, b)) in out.data().iter().zip(x.data()).enumerate() {
            assert!(removed.bits()[i] || a.to_bits() == b.to_bits(), "{id}");
        }
    }
}
