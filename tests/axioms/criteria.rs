//! The criteria of removal: other implementations' values, cases by hand, and what a whole judgement promises.

use lucarne::criteria::{self, CRITERIA, Case, Eye, Features, Judged, Look, detectability, judge};
use lucarne::exec::{Cpu, Executor};
use lucarne::imputer::{IMPUTERS, Networks};
use lucarne::job::{Host, Job, Silent};
use lucarne::metric::Score;
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Context, Error, Input, Mask, Normalisation, Target, TargetKind, Tensor};

use crate::harness::{Counting, Watcher, picture, quick, removal, small};

const SIZE: [usize; 2] = [18, 23];

fn wave(f: impl Fn(f64) -> f64) -> Tensor {
    Tensor::from_fn(&[3, SIZE[0], SIZE[1]], |i| f(i as f64) as f32)
}

fn look(logits: &[f32], layers: Vec<Tensor>, features: Option<Vec<f64>>) -> Look {
    Look {
        probabilities: vec![1.0 / logits.len() as f32; logits.len()],
        logits: Tensor::new(&[logits.len()], logits.to_vec()),
        layers,
        features,
    }
}

/// A criterion's word on fillings of `input`, and on looks at them where it takes any.
struct Scene {
    input: Input,
    removed: Mask,
    fillings: Vec<Tensor>,
    stochastic: bool,
    before: Look,
    after: Look,
    features: Option<Features>,
}

impl Scene {
    fn new(input: Input, removed: Mask, fillings: Vec<Tensor>) -> Self {
        Self {
            input,
            removed,
            fillings,
            stochastic: true,
            before: look(&[0.0], Vec::new(), None),
            after: look(&[0.0], Vec::new(), None),
            features: None,
        }
    }

    fn measure(&self, id: &str) -> Score {
        let after = vec![self.after.clone(); self.fillings.len()];
        criteria::find(id).expect("it is registered").measure_dyn(&Case {
            input: &self.input,
            removed: &self.removed,
            fillings: &self.fillings,
            stochastic: self.stochastic,
            class: 0,
            before: &self.before,
            after: &after,
            bare: Err("not run"),
            features: self.features.as_ref(),
            networks: &Networks::default(),
        })
    }

    fn value(&self, id: &str) -> f64 {
        match self.measure(id) {
            Score::Value(value) => value,
            Score::Undefined(why) => panic!("{id} is undefined: {why}"),
        }
    }

    fn reason(&self, id: &str) -> String {
        match self.measure(id) {
            Score::Value(value) => panic!("{id} is {value}"),
            Score::Undefined(why) => why,
        }
    }
}

/// Printed by `tests/golden/generate/criteria.py`: scikit-image 0.26.
#[test]
fn reconstruction_as_by_scikit_image() {
    let x = wave(|i| 0.5 + 0.45 * (i * 0.37).sin());
    let y = wave(|i| 0.5 + 0.4 * (i * 0.61).cos());
    let part = |p: usize| (p % SIZE[1] * 3 + p / SIZE[1] * 5) % 11 < 2 && p / SIZE[1] < 9;
    let plane = SIZE[0] * SIZE[1];
    for (removed, count, psnr, ssim) in [
        (
            Mask::all(SIZE[0], SIZE[1], true),
            414,
            7.398_044_228_831_207,
            0.013_552_882_104_771_293,
        ),
        (
            Mask::new(SIZE[0], SIZE[1], (0..plane).map(part).collect()),
            37,
            7.478_681_674_215_467,
            0.894_962_876_057_832_3,
        ),
    ] {
        assert_eq!(removed.count(), count);
        // The network's values are another space than the pixels'.
        let space = Normalisation {
            mean: vec![0.25, 0.5, 0.75],
            std: vec![0.5, 0.25, 0.125],
        };
        let into = |t: &Tensor| Tensor::from_fn(t.shape(), |i| space.forward(i / plane, t.data()[i]));
        let filled = Tensor::from_fn(x.shape(), |i| {
            let from = if removed.bits()[i % plane] { &y } else { &x };
            from.data()[i]
        });
        let (tensor, filled) = (into(&x), into(&filled));
        let scene = Scene::new(Input { tensor, space }, removed, vec![filled]);
        for (id, expected) in [("psnr", psnr), ("ssim", ssim)] {
            let found = scene.value(id);
            assert!((found - expected).abs() < 2e-6, "{id}: {found} {expected}");
        }
    }
}

#[test]
fn equal_fillings_have_no_error_to_compare_with() {
    let x = Input::preprocessed(wave(|i| (i * 0.1).sin()));
    let scene = Scene::new(x.clone(), Mask::all(SIZE[0], SIZE[1], true), vec![x.tensor.clone()]);
    assert!(scene.reason("psnr").contains("equals"));
    assert!((scene.value("ssim") - 1.0).abs() < 1e-12);
    let nothing = Scene {
        removed: Mask::all(SIZE[0], SIZE[1], false),
        ..scene
    };
    for id in ["psnr", "ssim", "detectability", "diversity"] {
        assert_eq!(nothing.reason(id), "no pixel is removed", "{id}");
    }
}

#[test]
fn features_of_length_one_are_compared() {
    let x = Input::preprocessed(Tensor::zeros(&[1, 2, 2]));
    let mut scene = Scene::new(x.clone(), Mask::all(2, 2, true), vec![x.tensor]);
    assert!(scene.reason("feature-distance").contains("no feature maps"));
    // Two layers: at the first's locations right angles and opposite directions, at the second's the same direction.
    let first = |data: [f32; 4]| Tensor::new(&[2, 1, 2], data.to_vec());
    let second = |scale: f32| Tensor::new(&[2, 1, 2], vec![3.0 * scale, 0.5, 4.0 * scale, 0.5]);
    scene.before.layers = vec![first([5.0, 0.0, 0.0, 2.0]), second(1.0)];
    scene.after.layers = vec![first([0.0, 0.0, 1.0, -9.0]), second(7.0)];
    let found = scene.value("feature-distance");
    // Two and four at the first layer's locations, nothing at the second's.
    assert!((found - 1.5).abs() < 1e-8, "{found}");
}

#[test]
fn the_auc_counts_pairs() {
    let logits = Tensor::from_fn(&[1, 1, 6, 7], |i| ((i * 31) % 13) as f32 - 4.0);
    let removed = Mask::new(6, 7, (0..42).map(|i| (i * 7) % 5 < 2).collect());
    let (mut right, mut pairs) = (0.0, 0.0);
    for (i, &gone) in removed.bits().iter().enumerate() {
        for (j, &other) in removed.bits().iter().enumerate() {
            if gone && !other {
                let (a, b) = (logits.data()[i], logits.data()[j]);
                right += if a > b {
                    1.0
                } else if a < b {
                    0.0
                } else {
                    0.5
                };
                pairs += 1.0;
            }
        }
    }
    let Score::Value(found) = detectability::auc(&logits, &removed) else {
        panic!("it is defined")
    };
    assert!((found - right / pairs).abs() < 1e-12, "{found}");
    let ordered = Tensor::from_fn(&[42], |i| if removed.bits()[i] { 1.0 } else { -1.0 });
    assert_eq!(detectability::auc(&ordered, &removed), Score::Value(1.0));
    assert!(matches!(
        detectability::auc(&Tensor::zeros(&[41]), &removed),
        Score::Undefined(_)
    ));
}

/// With all directions kept, the distance is that of the full covariance, here inverted by elimination.
#[test]
fn the_shift_is_that_of_the_full_covariance() {
    let mut random = SeedStream::new(5).stream("test");
    let samples: Vec<Vec<f64>> = (0..200)
        .map(|_| {
            let z: Vec<f64> = (0..4).map(|_| f64::from(random.normal())).collect();
            vec![z[0], 2.0 * z[1] + z[0], 0.3 * z[2] - z[1], z[3] + 1.0]
        })
        .collect();
    let known = Features::of(&samples, 3).expect("they vary");
    let mean: Vec<f64> = (0..4)
        .map(|k| samples.iter().map(|s| s[k]).sum::<f64>() / 200.0)
        .collect();
    let covariance =
        |a: usize, b: usize| samples.iter().map(|s| (s[a] - mean[a]) * (s[b] - mean[b])).sum::<f64>() / 199.0;
    let exact = |v: &[f64]| -> f64 {
        let mut rows: Vec<Vec<f64>> = (0..4)
            .map(|a| (0..4).map(|b| covariance(a, b)).chain([v[a] - mean[a]]).collect())
            .collect();
        for pivot in 0..4 {
            for row in 0..4 {
                if row != pivot {
                    let factor = rows[row][pivot] / rows[pivot][pivot];
                    let other = rows[pivot].clone();
                    for (value, subtracted) in rows[row].iter_mut().zip(other) {
                        *value -= factor * subtracted;
                    }
                }
            }
        }
        let squared: f64 = (0..4).map(|a| rows[a][4] / rows[a][a] * (v[a] - mean[a])).sum();
        (squared / 4.0).sqrt()
    };
    let x = Input::preprocessed(Tensor::zeros(&[1, 2, 2]));
    let mut scene = Scene::new(x.clone(), Mask::all(2, 2, true), vec![x.tensor]);
    assert!(scene.reason("mahalanobis-shift").contains("not known"));
    scene.features = Some(known);
    assert!(scene.reason("mahalanobis-shift").contains("another network"));
    let (before, after) = (vec![0.5, -1.0, 0.25, 1.5], vec![3.0, 2.0, 2.0, -2.0]);
    (scene.before.features, scene.after.features) = (Some(before.clone()), Some(after.clone()));
    let (found, expected) = (scene.value("mahalanobis-shift"), exact(&after) - exact(&before));
    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
}

#[test]
fn energies_and_diversities_by_hand() {
    let x = Input::preprocessed(Tensor::zeros(&[1, 1, 3]));
    let removed = Mask::new(1, 3, vec![true, true, false]);
    let draw = |a: f32, b: f32| Tensor::new(&[1, 1, 3], vec![a, b, 9.0]);
    let mut scene = Scene::new(x, removed, vec![draw(0.0, 0.0), draw(3.0, 4.0), draw(0.0, 2.0)]);
    // scipy 1.17: -logsumexp
    scene.after = look(&[1.25, -3.5, 7.0, 6.75], Vec::new(), None);
    assert!((scene.value("energy-shift") + 7.577_742_558_163_484).abs() < 1e-9);
    let expected = (12.5f64.sqrt() + 2f64.sqrt() + 6.5f64.sqrt()) / 3.0;
    assert!((scene.value("diversity") - expected).abs() < 1e-12);
    scene.fillings.truncate(1);
    assert!(scene.reason("diversity").contains("two or more"));
    scene.stochastic = false;
    assert_eq!(scene.measure("diversity"), Score::Value(0.0));
    assert_eq!(scene.reason("class-leakage"), "not run");
    assert!(scene.reason("detectability").contains("not loaded"));
}

fn judged(exec: &dyn Executor, host: &dyn Host, id: &str, removed: &Mask, draws: u32) -> Result<Judged, Error> {
    let entry = lucarne::imputer::find(id).expect("it is registered");
    let (job, random) = (Job::new(host), SeedStream::new(4));
    let cx = Context {
        exec,
        job: &job,
        random: &random,
        target: Target {
            class: 0,
            kind: TargetKind::Probability,
        },
        removal: removal(id, quick(&entry.specs())),
        weights: lucarne::Weights::Trained,
    };
    pollster::block_on(judge(&cx, &picture(), removed, draws, None))
}

fn half() -> Mask {
    Mask::new(30, 30, (0..900).map(|i| (i * 7 + i / 30) % 3 == 0).collect())
}

#[test]
fn a_judgement_runs_what_it_announces_for_every_imputer_and_can_be_cancelled() {
    let inner = small();
    for imputer in IMPUTERS {
        let meta = imputer.meta();
        let exec = Counting::new(&inner, 3);
        let watcher = Watcher::new(u64::MAX);
        let found = judged(&exec, &watcher, meta.id, &half(), 3).unwrap_or_else(|e| panic!("{}: {e}", meta.id));
        let passes = if meta.stochastic { 5 } else { 3 };
        assert_eq!(watcher.last.get(), (passes, passes), "{}", meta.id);
        assert_eq!(exec.pictures.get(), passes, "{}", meta.id);
        assert_eq!(found.gauges.len(), CRITERIA.len());
        let missing = imputer.marks_missing();
        assert_eq!(found.filling.is_finite(), !missing, "{}", meta.id);
        let defined = |id: &str| {
            let score = &found
                .gauges
                .iter()
                .find(|(name, _)| *name == id)
                .expect("it is there")
                .1;
            matches!(score, Score::Value(_))
        };
        for id in [
            "psnr",
            "ssim",
            "energy-shift",
            "feature-distance",
            "class-leakage",
            "diversity",
        ] {
            let values = criteria::find(id).expect("it is registered").meta().needs_values;
            assert_eq!(defined(id), !(missing && values), "{id} of {}", meta.id);
        }
        for patience in [1, watcher.looks.get() / 2, watcher.looks.get()] {
            let host = Watcher::new(patience.max(1));
            let cancelled = judged(&inner, &host, meta.id, &half(), 3);
            assert!(matches!(cancelled, Err(Error::Cancelled)), "{} at {patience}", meta.id);
        }
    }
}

#[test]
fn a_judgement_is_the_same_every_time_and_says_what_the_network_says() {
    let exec = small();
    let found = judged(&exec, &Silent, "uniform-noise", &half(), 2).expect("it runs");
    let again = judged(&exec, &Silent, "uniform-noise", &half(), 2).expect("it runs");
    assert_eq!(found.gauges, again.gauges);
    let logits = |x: &Tensor| {
        let batch = Tensor::stack(std::slice::from_ref(x));
        pollster::block_on(exec.forward(&batch, &[])).expect("it runs")[0].clone()
    };
    assert_eq!(logits(&found.filling).row(0), found.after.logits.data());
    assert_eq!(logits(&picture().tensor).row(0), found.before.logits.data());
    let diversity = &found.gauges.last().expect("it is the last").1;
    assert!(matches!(diversity, Score::Value(v) if *v > 0.01), "{diversity:?}");
}

#[test]
fn looks_hold_the_layers_and_their_means() {
    let exec: Cpu = small();
    let eye = Eye::new(exec.model());
    let (job, random) = (Job::new(&Silent), SeedStream::new(0));
    let cx = Context {
        exec: &exec,
        job: &job,
        random: &random,
        target: Target {
            class: 0,
            kind: TargetKind::Logit,
        },
        removal: removal("constant", ParamValues::new()),
        weights: lucarne::Weights::Trained,
    };
    let found = pollster::block_on(eye.look(&cx, &[picture().tensor]))
        .expect("it runs")
        .remove(0);
    let layer = exec.model().layer("").expect("it has feature maps");
    let batch = Tensor::stack(&[picture().tensor]);
    let map = pollster::block_on(exec.forward(&batch, &[layer]))
        .expect("it runs")
        .remove(1);
    let [_, channels, height, width] = *map.shape() else {
        panic!("a feature map")
    };
    assert_eq!(found.layers[0].data(), map.data());
    let features = found.features.clone().expect("the default layer is a feature map");
    for (c, feature) in features.iter().enumerate() {
        let plane = &map.data()[c * height * width..(c + 1) * height * width];
        let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / (height * width) as f64;
        assert!((feature - mean).abs() < 1e-9, "{c}");
    }
    assert_eq!(features.len(), channels);
    assert!((found.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn what_cannot_be_judged_is_refused_by_name() {
    let exec = small();
    let refused = |id: &str, mask: &Mask, draws: u32| {
        let found = judged(&exec, &Silent, id, mask, draws);
        found.map(|_| ()).expect_err("it is refused").to_string()
    };
    assert!(refused("constant", &Mask::all(30, 29, true), 1).contains("the mask"));
    for draws in [0, 65] {
        assert!(refused("constant", &half(), draws).contains("draws"));
    }
    assert!(refused("noisy-linear", &Mask::all(30, 30, true), 1).contains("every pixel is removed"));
    let all = judged(&exec, &Silent, "constant", &Mask::all(30, 30, true), 1).expect("a constant fills everything");
    assert!(
        all.gauges
            .iter()
            .any(|(id, score)| *id == "detectability" && matches!(score, Score::Undefined(_)))
    );
    let none = judged(&exec, &Silent, "noisy-linear", &Mask::all(30, 30, false), 1).expect("nothing is filled");
    assert_eq!(none.before.logits, none.after.logits);
    assert!(criteria::find("no-such").is_err());
}

#[test]
fn every_criterion_says_what_it_is() {
    for criterion in CRITERIA {
        let meta = criterion.meta();
        assert!(meta.summary.ends_with('?'), "{}", meta.id);
        for text in [meta.name, meta.formula, meta.range, meta.reference] {
            assert!(!text.is_empty(), "{}", meta.id);
        }
        assert!(CRITERIA.iter().filter(|c| c.meta().id == meta.id).count() == 1);
    }
}
