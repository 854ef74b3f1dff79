//! Robustness, randomisation and axioms on cases whose score is known by hand, and every metric on odd ones.

use lucarne::exec::Executor;
use lucarne::metric::{Exhibit, METRICS, Measurement, Score};
use lucarne::params::{ParamValue, ParamValues};
use lucarne::rng::SeedStream;
use lucarne::{Error, Input, Mask, Tensor};

use crate::harness::{Around, Setting, dense, net, number, picture, quick, removal, small, text, values};
use crate::naive::mlp::Layer;

pub fn none() -> ParamValues {
    ParamValues::new()
}

pub fn flag(name: &str) -> (String, ParamValue) {
    (name.to_owned(), ParamValue::Flag(true))
}

fn off(name: &str) -> (String, ParamValue) {
    (name.to_owned(), ParamValue::Flag(false))
}

pub fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-5 * expected.abs().max(1e-3),
        "{found}, not {expected}"
    );
}

pub fn why(found: Result<Measurement, Error>) -> String {
    match found.expect("it is undefined, not refused").score {
        Score::Undefined(why) => why,
        Score::Value(value) => panic!("{value} is no reason"),
    }
}

pub fn refusal(found: Result<Measurement, Error>) -> String {
    found.expect_err("it must be refused").to_string()
}

pub const DIMS: [usize; 3] = [1, 4, 5];

pub fn draws(seed: u64, n: usize) -> Vec<f32> {
    let mut stream = SeedStream::new(seed).stream("test");
    (0..n).map(|_| stream.normal()).collect()
}

/// Linear in the picture: one row of weights a class, no bias.
pub fn linear(rows: Vec<Vec<f32>>) -> Vec<Layer> {
    let bias = vec![0.0; rows.len()];
    vec![(rows, bias)]
}

pub fn input(dims: [usize; 3], values: Vec<f32>) -> Input {
    Input::preprocessed(Tensor::new(&dims, values))
}

/// The draws of a stream of the harness' seed, in `f64`.
fn stream(name: &str, copies: usize, n: usize) -> Vec<Vec<f64>> {
    let mut stream = SeedStream::new(1).stream(name);
    (0..copies)
        .map(|_| (0..n).map(|_| f64::from(stream.uniform())).collect())
        .collect()
}

fn length(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

const STABILITIES: [&str; 6] = [
    "max-sensitivity",
    "average-sensitivity",
    "average-stability",
    "local-lipschitz",
    "relative-input-stability",
    "relative-output-stability",
];

#[test]
fn the_gradient_of_a_linear_network_does_not_move() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), draws(2, 20)]));
    let x = input(DIMS, draws(3, 20));
    let setting = Setting {
        around: Around::method("gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("gradient", &x, &none());
    for id in STABILITIES {
        let params = values([number("samples", 5.0), off("same_answer")]);
        assert_eq!(setting.score(id, &x, &map, &params).to_bits(), 0f64.to_bits(), "{id}");
    }
    for id in ["continuity", "input-invariance"] {
        let params = if id == "continuity" {
            values([number("steps", 9.0)])
        } else {
            none()
        };
        assert_eq!(setting.score(id, &x, &map, &params).to_bits(), 0f64.to_bits(), "{id}");
    }
}

/// There the map moves by the weights times the noise.
#[test]
fn input_times_gradient_of_a_linear_network_moves_as_the_noise_says() {
    let (weights, values_of_x) = (draws(1, 20), draws(3, 20));
    let exec = dense(DIMS, &linear(vec![weights.clone(), draws(2, 20)]));
    let x = input(DIMS, values_of_x.clone());
    let setting = Setting {
        around: Around::method("input-x-gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    let params = values([number("samples", 6.0), number("radius", 0.5), off("same_answer")]);
    let w: Vec<f64> = weights.iter().map(|&v| f64::from(v)).collect();
    let own = length(map.data().iter().map(|&v| f64::from(v)));
    let moves = |id: &str, noise: &dyn Fn(f64) -> f64| -> Vec<f64> {
        let copies = stream(&format!("{id}/noise"), 6, 20);
        copies
            .iter()
            .map(|u| length(u.iter().zip(&w).map(|(&u, w)| noise(u) * w)))
            .collect()
    };
    let both = |u: f64| 0.5 * (2.0 * u - 1.0);
    let most = moves("max-sensitivity", &both).into_iter().fold(0.0, f64::max);
    close(setting.score("max-sensitivity", &x, &map, &params), most / own);
    let mean = moves("average-sensitivity", &both).iter().sum::<f64>() / 6.0;
    close(setting.score("average-sensitivity", &x, &map, &params), mean / own);
    let mean = moves("average-stability", &|u| 0.5 * u).iter().sum::<f64>() / 6.0;
    close(setting.score("average-stability", &x, &map, &params), mean);
    // Value by value, the map changes by the same share as the picture.
    close(setting.score("relative-input-stability", &x, &map, &params), 1.0);
    let shift = values([number("shift", 0.25)]);
    let gap = length(w.iter().map(|w| w * 0.25)) / own;
    close(setting.score("input-invariance", &x, &map, &shift), gap);
}

#[test]
fn with_equal_weights_the_lipschitz_constant_is_the_weight() {
    let exec = dense(DIMS, &linear(vec![vec![-2.0; 20], vec![1.0; 20]]));
    let x = input(DIMS, draws(4, 20));
    let setting = Setting {
        around: Around::method("input-x-gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    let params = values([number("samples", 4.0), off("normalise")]);
    close(setting.score("local-lipschitz", &x, &map, &params), 2.0);
}

#[test]
fn relative_stabilities_divide_by_what_changed() {
    // One pixel with weight 3, logits 3 x and -x: the map is 3 x, the logits move by the root of 10 for each unit.
    let exec = dense([1, 1, 1], &linear(vec![vec![3.0], vec![-1.0]]));
    let x = input([1, 1, 1], vec![2.0]);
    let setting = Setting {
        around: Around::method("input-x-gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    let params = values([number("samples", 3.0)]);
    close(
        setting.score("relative-output-stability", &x, &map, &params),
        0.5 / 10f64.sqrt(),
    );
}

#[test]
fn relative_representation_stability_divides_by_the_layer() {
    let exec = net("plain", [1, 28, 28]);
    let x = input([1, 28, 28], (0..784).map(|i| (i as f32 * 0.3).sin()).collect());
    let setting = Setting {
        around: Around::method("input-x-gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    let layer = exec.model().layer("/0/Conv").unwrap();
    let values_of = |x: &Input| -> Vec<f64> {
        let x = Tensor::stack(std::slice::from_ref(&x.tensor));
        let found = pollster::block_on(exec.forward(&x, &[layer])).unwrap();
        found[1].data().iter().map(|&v| f64::from(v)).collect()
    };
    let relative = |a: &[f64], b: &[f64]| {
        length(
            a.iter()
                .zip(b)
                .map(|(a, b)| (a - b) / if *a == 0.0 { 1e-6 } else { *a }),
        )
    };
    let wide = |map: &Tensor| map.data().iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    let ratio = |u: &Vec<f64>| {
        let noisy = x.tensor.data().iter().zip(u);
        let copy = noisy
            .map(|(&v, u)| (f64::from(v) + 0.002 * (2.0 * u - 1.0)) as f32)
            .collect();
        let copy = input([1, 28, 28], copy);
        let moved = setting.map("input-x-gradient", &copy, &none());
        relative(&wide(&map), &wide(&moved)) / relative(&values_of(&x), &values_of(&copy)).max(1e-6)
    };
    let draws = stream("relative-representation-stability/noise", 2, 784);
    let expected = draws.iter().map(ratio).fold(0.0, f64::max);
    let score = |layer: &str| {
        let params = values([
            number("samples", 2.0),
            number("radius", 0.002),
            text("layer", layer),
            off("same_answer"),
        ]);
        setting.score("relative-representation-stability", &x, &map, &params)
    };
    assert!(expected > 0.0);
    close(score("/0/Conv"), expected);
    // Without a name it is the network's default layer.
    let default = exec.model().network().layers()[exec.model().layer("").unwrap()]
        .name
        .clone();
    assert_eq!(score("").to_bits(), score(&default).to_bits());
    let nowhere = values([text("layer", "nowhere")]);
    assert!(refusal(setting.evaluate("relative-representation-stability", &x, &map, &nowhere)).contains("nowhere"));
}

#[test]
fn copies_of_another_answer_are_left_out() {
    // Class 0 wins by a hair, so that about half of the copies change the answer.
    let exec = dense([1, 1, 1], &linear(vec![vec![1.0], vec![-1.0]]));
    let x = input([1, 1, 1], vec![1e-3]);
    let setting = Setting {
        around: Around::method("input-x-gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    let draws = stream("max-sensitivity/noise", 40, 1);
    let noise: Vec<f64> = draws.iter().map(|u| 2.0 * u[0] - 1.0).collect();
    let score = |p: ParamValues| setting.score("max-sensitivity", &x, &map, &p);
    let all = values([number("samples", 40.0), number("radius", 1.0)]);
    let largest = noise.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    close(score(all.clone()), largest / 1e-3);
    let mut same = all;
    same.extend([flag("same_answer")]);
    let up = noise.iter().copied().filter(|e| 1e-3 + e > 0.0).fold(0.0, f64::max);
    assert!(noise.iter().any(|e| 1e-3 + e < 0.0));
    close(score(same), up / 1e-3);
    // Where all of them change, nothing is left.
    let edge = input([1, 1, 1], vec![-1e-9]);
    let map = setting.map("input-x-gradient", &edge, &none());
    let one = values([number("samples", 1.0), number("radius", 1.0), flag("same_answer")]);
    let first = 2.0 * stream("max-sensitivity/noise", 1, 1)[0][0] - 1.0;
    let found = setting.evaluate("max-sensitivity", &edge, &map, &one);
    if first > 0.0 {
        assert!(why(found).contains("another answer"));
    } else {
        assert!(matches!(found.unwrap().score, Score::Value(_)));
    }
}

#[test]
fn continuity_by_hand() {
    let exec = dense([1, 1, 3], &linear(vec![vec![1.0; 3], vec![0.0; 3]]));
    let x = input([1, 1, 3], vec![1.0, 2.0, 4.0]);
    let setting = Setting {
        around: Around::method("input-x-gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    // The map is the picture; the steepest of the shifts -2, -1, 1, 2 leaves [4, 0, 0].
    let params = values([number("steps", 7.0)]);
    close(setting.score("continuity", &x, &map, &params), 2.25 / 29f64.sqrt());
    let vertical = values([number("steps", 3.0), text("direction", "vertical")]);
    assert!(refusal(setting.evaluate("continuity", &x, &map, &vertical)).contains("steps"));
}

#[test]
fn consistency_by_hand() {
    // The class is the sign of the sum; the map is the picture for class 0 and its negative for class 1.
    let exec = dense([1, 3, 3], &linear(vec![vec![1.0; 9], vec![-1.0; 9]]));
    let spot = |at: usize, value: f32| {
        let mut pixels = vec![0.1; 9];
        pixels[at] = value;
        input([1, 3, 3], pixels)
    };
    let exhibit = |input: Input, class: usize| Exhibit { input, class };
    let set = [
        exhibit(spot(0, 4.0), 0),
        exhibit(spot(0, -4.0), 1),
        exhibit(spot(3, 4.0), 0),
        exhibit(spot(0, 2.0), 0),
    ];
    let x = spot(0, 5.0);
    let setting = Setting {
        around: Around {
            set: &set,
            ..Around::method("input-x-gradient")
        },
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &none());
    // Three other maps have their peak at pixel 0, one of them of the other class.
    close(setting.score("consistency", &x, &map, &none()), 2.0 / 3.0);
    let alone = Setting {
        around: Around {
            set: &set[2..3],
            ..setting.around.clone()
        },
        ..setting.clone()
    };
    assert!(why(alone.evaluate("consistency", &x, &map, &none())).contains("says the same"));
    let finer = values([number("grid", 4.0)]);
    assert!(refusal(setting.evaluate("consistency", &x, &map, &finer)).contains("grid"));
    let more = values([number("grid", 1.0), number("top", 2.0)]);
    assert!(refusal(setting.evaluate("consistency", &x, &map, &more)).contains("top"));
}

const RANDOMISATIONS: [&str; 3] = ["mprt", "smooth-mprt", "model-randomisation"];

#[test]
fn what_ignores_the_network_survives_randomisation_and_gradients_do_not() {
    let exec = small();
    let x = picture();
    let with = |id: &'static str| Setting {
        around: Around::method(id),
        ..Setting::new(&exec)
    };
    let params = |id: &str| match id {
        "smooth-mprt" => values([number("samples", 3.0)]),
        _ => none(),
    };
    let blind = with("sobel");
    let map = blind.map("sobel", &x, &none());
    for id in RANDOMISATIONS {
        close(blind.score(id, &x, &map, &params(id)), 1.0);
    }
    close(blind.score("efficient-mprt", &x, &map, &none()), 0.0);
    close(blind.score("random-logit", &x, &map, &none()), 1.0);
    let seeing = with("gradient");
    let map = seeing.map("gradient", &x, &none());
    for id in RANDOMISATIONS {
        for order in ["bottom-up", "top-down"] {
            let mut params = params(id);
            if id != "model-randomisation" {
                params.extend([text("order", order), text("summary", "last")]);
            }
            let found = seeing.evaluate(id, &x, &map, &params).unwrap();
            assert!(
                matches!(found.score, Score::Value(v) if v < 0.8),
                "{id}: {:?}",
                found.score
            );
            // Two convolutions and the classifier.
            assert_eq!(found.curves[0].x.len(), 3, "{id}");
            close(found.curves[0].x[0], 1.0 / 3.0);
        }
    }
    // All weights drawn from the same seed: both orders end at the same network.
    let last = |order: &str| {
        let params = values([text("order", order), text("summary", "last")]);
        seeing.score("mprt", &x, &map, &params).to_bits()
    };
    assert_eq!(last("bottom-up"), last("top-down"));
}

#[test]
fn opposite_classes_have_opposite_maps() {
    let weights = draws(1, 20);
    let negative = weights.iter().map(|v| -v).collect();
    let exec = dense(DIMS, &linear(vec![weights, negative]));
    let x = input(DIMS, draws(3, 20));
    let setting = Setting {
        around: Around::method("gradient"),
        ..Setting::new(&exec)
    };
    let map = setting.map("gradient", &x, &none());
    let by = |params: ParamValues| setting.score("random-logit", &x, &map, &params);
    close(by(values([text("similarity", "spearman")])), -1.0);
    close(by(values([text("similarity", "cosine")])), -1.0);
    close(by(values([text("similarity", "pearson"), flag("absolute")])), 1.0);
    let two = values([number("classes", 2.0)]);
    assert!(refusal(setting.evaluate("random-logit", &x, &map, &two)).contains("between 1 and 1"));
    let only = dense(DIMS, &linear(vec![draws(1, 20)]));
    let single = Setting {
        around: Around::method("gradient"),
        ..Setting::new(&only)
    };
    assert!(why(single.evaluate("random-logit", &x, &map, &none())).contains("no other class"));
}

#[test]
fn completeness_by_hand() {
    let exec = dense(DIMS, &linear(vec![draws(1, 20), vec![0.0; 20]]));
    let x = input(DIMS, draws(3, 20));
    let setting = Setting::new(&exec);
    let map = setting.map("input-x-gradient", &x, &none());
    let exact = setting.score("completeness", &x, &map, &none());
    assert_eq!(exact.to_bits(), 0f64.to_bits(), "rounding is no gap");
    close(setting.score("completeness", &x, &map.map(|v| 3.0 * v), &none()), 2.0);
    close(setting.score("completeness", &x, &Tensor::zeros(&DIMS), &none()), 1.0);
    let tolerant = values([number("tolerance", 1.0)]);
    assert_eq!(
        setting
            .score("completeness", &x, &Tensor::zeros(&DIMS), &tolerant)
            .to_bits(),
        0f64.to_bits()
    );
    let constant = Setting {
        class: 1,
        ..setting.clone()
    };
    assert!(why(constant.evaluate("completeness", &x, &map, &none())).contains("same"));
    let kept = Setting {
        removal: removal("noisy-linear", none()),
        ..setting
    };
    assert!(refusal(kept.evaluate("completeness", &x, &map, &none())).contains("no pixel is kept"));
}

/// Whatever the map and the mask, there is a finite score or a reason.
#[test]
fn every_odd_case_has_a_score_or_a_reason() {
    let exec = small();
    let x = picture();
    let gradient = Setting::new(&exec).map("gradient", &x, &none());
    let mut one = Tensor::zeros(&[3, 30, 30]);
    one.data_mut()[1234] = 1e-30;
    let maps = [
        Tensor::zeros(&[3, 30, 30]),
        Tensor::full(&[3, 30, 30], -0.25),
        one,
        Tensor::full(&[1, 7, 7], 1e30),
        gradient.map(|v| -v.abs()),
    ];
    let masks = [
        Mask::all(30, 30, false),
        Mask::all(30, 30, true),
        Mask::new(30, 30, (0..900).map(|i| i == 35).collect()),
    ];
    let set = [Exhibit {
        input: x.clone(),
        class: 5,
    }];
    for metric in METRICS {
        let meta = metric.meta();
        for map in &maps {
            for truth in &masks {
                for other in &maps[..2] {
                    let setting = Setting {
                        around: Around {
                            truth: Some(truth),
                            set: &set,
                            other: Some(other),
                            ..Around::method("gradient")
                        },
                        ..Setting::new(&exec)
                    };
                    let found = setting.evaluate(meta.id, &x, map, &quick(&metric.specs()));
                    match found.unwrap_or_else(|e| panic!("{}: {e}", meta.id)).score {
                        Score::Value(value) => assert!(value.is_finite(), "{}", meta.id),
                        Score::Undefined(why) => assert!(why.len() > 10, "{}", meta.id),
                    }
                    if !meta.needs(lucarne::metric::Need::Other) {
                        break;
                    }
                }
                if !meta.needs(lucarne::metric::Need::Truth) {
                    break;
                }
            }
        }
        // Without what it needs, the score is undefined and nothing runs.
        let bare = Setting::new(&exec).evaluate(meta.id, &x, &gradient, &quick(&metric.specs()));
        let needs = meta.needs.iter().any(|n| !matches!(n.id(), "imputer" | "gradient"));
        assert!(
            !needs || matches!(bare.unwrap().score, Score::Undefined(_)),
            "{}",
            meta.id
        );
    }
    let wrong = Mask::all(30, 29, true);
    let setting = Setting {
        around: Around {
            truth: Some(&wrong),
            ..Around::default()
        },
        ..Setting::new(&exec)
    };
    assert!(refusal(setting.evaluate("pointing-game", &x, &gradient, &none())).contains("[30, 29]"));
}
