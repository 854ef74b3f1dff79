//! Faithfulness metrics on networks that look at one planted patch or two, alone and among other pictures.

use lucarne::exec::Executor;
use lucarne::job::{Job, Silent};
use lucarne::metric::{self, Evidence, Exhibit, Explainer, Score};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Context, Input, Removal, Target, TargetKind, Tensor, attribution};

use crate::faithfulness::{area, draws, near, value};
use crate::harness::{Setting, dense, number, text, values};

const SIDE: usize = 12;

/// Rows and columns of the two patches that matter, and of one that does not.
fn patch(k: usize, i: usize) -> bool {
    let (row, column) = ([1, 7, 7][k], [1, 7, 1][k]);
    (row..row + 3).contains(&(i / SIDE)) && (column..column + 3).contains(&(i % SIDE))
}

fn marked(level: impl Fn(usize) -> f32) -> Tensor {
    Tensor::from_fn(&[1, SIDE, SIDE], level)
}

fn on(k: usize) -> f32 {
    f32::from(u8::from(k == 1))
}

/// Class 0 is the mean of patch 0, class 1 that of patch 1.
fn two_patches() -> lucarne::exec::Cpu {
    let row = |k: usize| {
        (0..SIDE * SIDE)
            .map(|i| if patch(k, i) { 1.0 / 9.0 } else { 0.0 })
            .collect()
    };
    dense([1, SIDE, SIDE], &[(vec![row(0), row(1)], vec![0.0, 0.0])])
}

fn shown(k: usize, noise: u64) -> Input {
    let noise = draws(noise, SIDE * SIDE);
    Input::preprocessed(marked(|i| on(usize::from(patch(k, i))) + 0.01 * noise[i]))
}

#[test]
fn sufficiency_and_necessity_by_hand() {
    let exec = two_patches();
    let setting = Setting::new(&exec);
    let x = Input::preprocessed(marked(|i| on(usize::from(patch(0, i)))));
    let exact = marked(|i| on(usize::from(patch(0, i))));
    let q = 9.0 / 144.0;
    let score = |map: &Tensor, weight: f64, penalty: f64| {
        let params = values([
            number("steps", 9.0),
            number("separation_weight", weight),
            number("penalty", penalty),
        ]);
        setting.score("sufficiency-necessity", &x, map, &params)
    };
    near(score(&exact, 1.0, 0.0), 1.0, "separation");
    // Each curve is a ramp of width q, then held: 1 - q / 2 kept, q / 2 removed.
    near(score(&exact, 0.0, 0.0), 1.0 - q, "areas");
    near(score(&exact, 0.5, 0.5), 0.5 + 0.5 * (1.0 - q) - 0.5 * q, "together");
    let wrong = marked(|i| on(usize::from(patch(2, i))));
    near(score(&wrong, 1.0, 0.0), -1.0, "the wrong patch");
}

/// A map that calls far too much relevant: insertion and deletion see no difference, for the true patch leads its ranking.
#[test]
fn large_irrelevant_masks_lose_only_here() {
    let exec = two_patches();
    let setting = Setting::new(&exec);
    let x = Input::preprocessed(marked(|i| on(usize::from(patch(0, i)))));
    let exact = marked(|i| on(usize::from(patch(0, i))));
    let bloated = marked(|i| {
        if patch(0, i) {
            1.0
        } else if i < 100 {
            0.9
        } else {
            0.0
        }
    });
    for id in ["insertion", "deletion"] {
        let params = values([number("steps", 144.0)]);
        let difference = setting.score(id, &x, &exact, &params) - setting.score(id, &x, &bloated, &params);
        assert!(difference.abs() < 1e-4, "{id} tells them apart by {difference}");
    }
    let params = values([number("steps", 100.0)]);
    let score = |map: &Tensor| setting.score("sufficiency-necessity", &x, map, &params);
    assert!(
        score(&exact) > score(&bloated) + 0.2,
        "{} {}",
        score(&exact),
        score(&bloated)
    );
}

/// Either of two patches is enough. A map that names one of them is a valid explanation, whatever it says of the rest.
#[test]
fn one_of_two_valid_explanations_is_not_judged_by_what_it_leaves_out() {
    let either = |i: usize| patch(0, i) || patch(1, i);
    let row = (0..SIDE * SIDE)
        .map(|i| if either(i) { -1.0 / 9.0 } else { 0.0 })
        .collect();
    let exec = dense(
        [1, SIDE, SIDE],
        &[(vec![row], vec![1.0]), (vec![vec![-1.0], vec![0.0]], vec![1.0, 0.0])],
    );
    let setting = Setting::new(&exec);
    let x = Input::preprocessed(marked(|i| f32::from(u8::from(either(i)))));
    // Named, then the rest in an order that is below every threshold.
    let naming = |named: usize, next: &dyn Fn(usize) -> bool, last: &dyn Fn(usize) -> bool| {
        marked(|i| match (patch(named, i), next(i), last(i)) {
            (true, ..) => 1.0,
            (_, true, _) => 0.1,
            (.., true) => 0.0,
            _ => 0.05,
        })
    };
    let never = |_: usize| false;
    let other_last = naming(0, &never, &|i| patch(1, i));
    let other_next = naming(0, &|i| patch(1, i), &never);
    let invalid = naming(2, &either, &never);
    let params = values([number("steps", 144.0)]);
    let deletion = |map: &Tensor| setting.score("deletion", &x, map, &params);
    // Deletion: one explanation, scores far apart, and a map that names nothing that matters before it.
    assert!(deletion(&other_last) > deletion(&other_next) + 0.7);
    assert!(deletion(&invalid) < deletion(&other_last) - 0.6);
    let ours = |map: &Tensor| setting.score("sufficiency-necessity", &x, map, &values([number("steps", 9.0)]));
    assert!((ours(&other_last) - ours(&other_next)).abs() < 1e-6);
    assert!(ours(&other_last) > ours(&invalid) + 0.9);
}

#[test]
fn degrading_a_map_is_noticed_by_metrics_that_can() {
    let weights: Vec<f32> = draws(3, 100).iter().map(|v| v.abs()).collect();
    let exec = dense([1, 10, 10], &[(vec![weights, vec![0.0; 100]], vec![0.0; 2])]);
    let setting = Setting::new(&exec);
    let x = Input::preprocessed(Tensor::full(&[1, 10, 10], 1.0));
    let map = setting.map("input-x-gradient", &x, &ParamValues::new());
    for id in ["deletion", "insertion", "abpc", "road"] {
        let params = values([text("metric", id), number("steps", 25.0)]);
        let found = setting.evaluate("degraded-ranking", &x, &map, &params).unwrap();
        assert_eq!(found.curves[0].x, [0.0, 0.2, 0.4, 0.6, 0.8]);
        assert!(value(&found) > 0.85, "{id}: {:?}", found.curves[0].y);
        let flat = Tensor::full(&[1, 10, 10], 1.0);
        let found = setting.evaluate("degraded-ranking", &x, &flat, &params).unwrap();
        assert!(matches!(found.score, Score::Undefined(_)), "{id}");
    }
}

/// Scores with the method that made the map, and other pictures.
fn among(
    exec: &dyn Executor,
    id: &str,
    x: &Input,
    map: &Tensor,
    method: &str,
    set: &[Exhibit],
    params: &ParamValues,
) -> Score {
    let (job, random) = (Job::new(&Silent), SeedStream::new(1));
    let cx = Context {
        exec,
        job: &job,
        random: &random,
        target: Target {
            class: 0,
            kind: TargetKind::Logit,
        },
        removal: Removal::default(),
        weights: lucarne::Weights::Trained,
    };
    let mut evidence = Evidence::new(x, map, None).expect("the case is right");
    evidence.set = set;
    evidence.explainer = Some(Explainer {
        method: attribution::find(method).expect("the case is right"),
        params: ParamValues::new(),
    });
    let metric = metric::find(id).expect("the case is right");
    let announced = metric
        .passes_dyn(exec.model(), &evidence, params)
        .expect("the case is right");
    let found = pollster::block_on(metric.evaluate_dyn(&cx, &evidence, params)).expect("the case is right");
    if matches!(found.score, Score::Value(_)) {
        assert_eq!(job.passes(), announced, "{id} runs what it announces");
    }
    found.score
}

fn exhibits(classes: &[usize]) -> Vec<Exhibit> {
    let pictures = classes.iter().enumerate();
    pictures
        .map(|(seed, &class)| Exhibit {
            input: shown(class, seed as u64 + 20),
            class,
        })
        .collect()
}

#[test]
fn masks_with_a_shape_of_their_class_give_it_away() {
    let exec = two_patches();
    let x = shown(0, 3);
    let set = exhibits(&[0, 1, 1, 0, 1]);
    let params = values([number("share", 9.0 / 144.0)]);
    let map = Setting::new(&exec).map("input-x-gradient", &x, &ParamValues::new());
    let found = among(&exec, "mask-leakage", &x, &map, "input-x-gradient", &set, &params);
    assert_eq!(found, Score::Value(1.0));
    // The control draws the same map for every picture of one seed: its mask tells nothing.
    let control = Setting::new(&exec).map("random", &x, &ParamValues::new());
    match among(&exec, "mask-leakage", &x, &control, "random", &set, &params) {
        Score::Value(leak) => assert!(leak <= 1e-9, "{leak}"),
        Score::Undefined(why) => panic!("{why}"),
    }
    let alike = among(&exec, "mask-leakage", &x, &map, "gradient", &exhibits(&[0, 0]), &params);
    assert!(matches!(alike, Score::Undefined(why) if why.contains("one class")));
}

#[test]
fn like_maps_have_like_answers() {
    let exec = two_patches();
    let x = shown(0, 3);
    let map = Setting::new(&exec).map("input-x-gradient", &x, &ParamValues::new());
    let score = |threshold: f64, set: &[Exhibit]| {
        let params = values([number("threshold", threshold)]);
        among(&exec, "sufficiency", &x, &map, "input-x-gradient", set, &params)
    };
    assert_eq!(score(0.6, &exhibits(&[0, 1, 1, 0, 1])), Score::Value(1.0));
    // All maps are near: the share of the class.
    assert_eq!(score(1.0, &exhibits(&[0, 1, 1, 0, 1])), Score::Value(0.4));
    assert!(matches!(score(0.01, &exhibits(&[1, 1])), Score::Undefined(_)));
}

#[test]
fn arcc_by_hand() {
    let exec = two_patches();
    let x = Input::preprocessed(marked(|i| on(usize::from(patch(0, i)))));
    let map = marked(|i| on(usize::from(patch(0, i))));
    let Score::Value(found) = among(&exec, "arcc", &x, &map, "input-x-gradient", &[], &ParamValues::new()) else {
        panic!("it is defined")
    };
    // Coherency 1, complexity 9 / 144, and removal finds all of it: ROAD is 1 / 2 at every percentile.
    near(found, 3.0 / (2.0 + 1.0 / (1.0 - 9.0 / 144.0)), "arcc");
    // Nothing of the picture is left to explain.
    let empty = marked(|i| on(usize::from(patch(2, i))));
    let none = among(&exec, "arcc", &x, &empty, "input-x-gradient", &[], &ParamValues::new());
    assert!(matches!(none, Score::Undefined(why) if why.contains("seen through")));
    // What matters stands low in the ranking: removal speaks against the map, and one zero makes the mean zero.
    let wrong = marked(|i| i as f32);
    let zero = among(&exec, "arcc", &x, &wrong, "input-x-gradient", &[], &ParamValues::new());
    assert_eq!(zero, Score::Value(0.0));
    let flat = among(
        &exec,
        "arcc",
        &x,
        &Tensor::full(&[1, 3, 3], 1.0),
        "gradient",
        &[],
        &ParamValues::new(),
    );
    assert!(matches!(flat, Score::Undefined(_)));
}

#[test]
fn information_curves_reward_the_map_that_knows() {
    // The other class is the answer to an empty picture.
    let row = |k: usize| {
        (0..SIDE * SIDE)
            .map(|i| if patch(k, i) { 1.0 / 9.0 } else { 0.0 })
            .collect()
    };
    let exec = dense([1, SIDE, SIDE], &[(vec![row(0), row(1)], vec![0.0, 0.5])]);
    let x = shown(0, 3);
    let map = marked(|i| on(usize::from(patch(0, i))));
    let setting = Setting::new(&exec);
    for id in ["pic-sic", "pic-aic"] {
        let seeded = |seed| {
            let setting = Setting {
                seed,
                ..setting.clone()
            };
            setting.score(id, &x, &map, &ParamValues::new())
        };
        assert!(
            (1..9).any(|seed| (seeded(seed) - seeded(0)).abs() > 1e-9),
            "{id} starts anew by its seed"
        );
        let score = |map: &Tensor| setting.score(id, &x, map, &ParamValues::new());
        assert!(score(&map) > score(&map.map(|v| -v)) + 0.3, "{id}");
    }
    // The answer to the picture is class 0, and nothing of class 1 is there.
    let other = Setting {
        class: 1,
        ..Setting::new(&exec)
    };
    for (id, word) in [("pic-aic", "another class"), ("pic-sic", "below the least")] {
        let found = other.evaluate(id, &x, &map, &ParamValues::new()).unwrap().score;
        assert!(
            matches!(&found, Score::Undefined(why) if why.contains(word)),
            "{id}: {found:?}"
        );
    }
}

/// An answer below 0, a constant map, an answer that never changes: each has a reason of its own.
#[test]
fn what_is_not_defined_says_why() {
    let exec = two_patches();
    let setting = Setting::new(&exec);
    let x = shown(0, 3);
    let flat = Tensor::full(&[1, SIDE, SIDE], 0.5);
    let reason = |setting: &Setting<'_>, id: &str, map: &Tensor, params: &ParamValues| match setting
        .evaluate(id, &x, map, params)
        .unwrap()
        .score
    {
        Score::Undefined(why) => why,
        Score::Value(value) => panic!("{id} has the value {value}"),
    };
    for id in [
        "average-drop",
        "average-increase",
        "average-gain",
        "sufficiency-necessity",
    ] {
        assert!(
            reason(&setting, id, &flat, &ParamValues::new()).contains("prefers no pixel"),
            "{id}"
        );
    }
    let twelve = values([number("steps", 12.0)]);
    for (id, params) in [
        ("faithfulness-estimate", twelve.clone()),
        ("monotonicity-correlation", twelve.clone()),
        ("sensitivity-n", ParamValues::new()),
    ] {
        assert!(reason(&setting, id, &flat, &params).contains("same relevance"), "{id}");
    }
    let nothing = Tensor::zeros(&[1, SIDE, SIDE]);
    let few = values([number("samples", 9.0)]);
    assert!(reason(&setting, "mu-fidelity", &nothing, &few).contains("same relevance"));
    // Class 1 of a network that answers 0 to everything.
    let silent = dense([1, SIDE, SIDE], &[(vec![vec![0.0; SIDE * SIDE]; 2], vec![0.0, 0.0])]);
    let setting = Setting::new(&silent);
    let map = marked(|i| i as f32);
    for (id, params) in [
        ("faithfulness-estimate", twelve.clone()),
        ("monotonicity-correlation", twelve),
        ("sensitivity-n", ParamValues::new()),
        ("mu-fidelity", few),
    ] {
        assert!(reason(&setting, id, &map, &params).contains("falls equally"), "{id}");
    }
    for id in ["irof", "average-drop"] {
        assert!(
            reason(&setting, id, &map, &ParamValues::new()).contains("not above 0"),
            "{id}"
        );
    }
    for id in ["sufficiency", "mask-leakage", "arcc"] {
        assert!(
            reason(&setting, id, &map, &ParamValues::new()).contains("not known"),
            "{id}"
        );
    }
}

/// A network that takes every class from the same sum: removing anything in any order is foretold by counting.
#[test]
fn segments_fall_by_their_mean() {
    let weights: Vec<f32> = draws(3, 144).iter().map(|v| v.abs()).collect();
    let exec = dense(
        [1, SIDE, SIDE],
        &[(vec![weights.clone(), vec![0.0; 144]], vec![0.0; 2])],
    );
    let setting = Setting::new(&exec);
    let x = Input::preprocessed(Tensor::full(&[1, SIDE, SIDE], 1.0));
    let map = Tensor::new(&[1, SIDE, SIDE], weights.clone());
    let params = values([text("segmenter", "grid"), number("segments", 9.0)]);
    let mut sums = vec![0.0; 9];
    for (i, w) in weights.iter().enumerate() {
        sums[i / SIDE / 4 * 3 + i % SIDE / 4] += f64::from(*w);
    }
    sums.sort_by(|a, b| b.total_cmp(a));
    let whole: f64 = sums.iter().sum();
    let mut y = vec![1.0];
    for s in sums {
        y.push(y[y.len() - 1] - s / whole);
    }
    let shares: Vec<f64> = (0..=9).map(|k| f64::from(k) / 9.0).collect();
    near(
        setting.score("irof", &x, &map, &params),
        1.0 - area(&y, &shares),
        "irof",
    );
}

#[test]
fn parameters_that_do_not_fit_are_refused_by_name() {
    let exec = two_patches();
    let setting = Setting::new(&exec);
    let (x, map) = (shown(0, 3), Tensor::full(&[1, SIDE, SIDE], 1.0));
    let cases = [
        ("region-perturbation", number("patch", 13.0), "patch"),
        ("selectivity", number("patch", 13.0), "patch"),
        ("infidelity", number("patch", 13.0), "patch"),
        ("mu-fidelity", number("grid", 13.0), "grid"),
        ("faithfulness-estimate", number("steps", 145.0), "steps"),
        ("pixel-flipping", number("steps", 145.0), "steps"),
        ("abpc", number("steps", 145.0), "steps"),
        ("monotonicity", number("steps", 145.0), "steps"),
        ("monotonicity-correlation", number("steps", 145.0), "steps"),
        ("degraded-ranking", number("steps", 145.0), "steps"),
        ("sufficiency-necessity", number("steps", 145.0), "steps"),
        ("road", number("steps", 144.0), "steps"),
        ("irof", number("segments", 145.0), "segments"),
        ("pic-sic", number("least", 1.5), "least"),
        ("mask-leakage", number("share", 0.0), "share"),
    ];
    for (id, param, field) in cases {
        let error = setting
            .evaluate(id, &x, &map, &values([param]))
            .expect_err(id)
            .to_string();
        assert!(error.contains(field), "{id}: {error}");
    }
    // What is not shown must be filled in the whole picture.
    let setting = Setting {
        removal: crate::harness::removal("noisy-linear", ParamValues::new()),
        ..setting
    };
    let ramp = marked(|i| i as f32);
    let error = setting
        .evaluate("average-drop", &x, &ramp, &ParamValues::new())
        .unwrap_err();
    assert!(error.to_string().contains("noisy-linear"), "{error}");
    // Curves leave the empty picture out instead.
    for id in ["abpc", "pixel-flipping", "selectivity", "irof", "sufficiency-necessity"] {
        let params = crate::harness::quick(&metric::find(id).unwrap().specs());
        assert!(
            matches!(setting.evaluate(id, &x, &ramp, &params).unwrap().score, Score::Value(v) if v.is_finite()),
            "{id}"
        );
    }
}
