//! Faithfulness metrics on networks whose answer to every removal is known by hand.

use lucarne::metric::{self, Measurement, Score};
use lucarne::params::{ParamValue, ParamValues};
use lucarne::rng::SeedStream;
use lucarne::{Input, Tensor};

use crate::harness::{Setting, dense, number, text, values};
use crate::naive::mlp::Layer;

const DIMS: [usize; 3] = [2, 4, 5];

pub fn draws(seed: u64, n: usize) -> Vec<f32> {
    let mut stream = SeedStream::new(seed).stream("test");
    (0..n).map(|_| stream.normal()).collect()
}

fn linear() -> (Vec<Layer>, Input) {
    let weights = draws(1, 120).chunks(40).map(<[f32]>::to_vec).collect();
    let x = Input::preprocessed(Tensor::new(&DIMS, draws(7, 40)));
    (vec![(weights, draws(1001, 3))], x)
}

pub fn flag(name: &str, value: bool) -> (String, ParamValue) {
    (name.to_owned(), ParamValue::Flag(value))
}

/// What each pixel adds to class 0, and the answer to the whole picture.
fn contributions(layers: &[Layer], x: &Input) -> (Vec<f64>, f64) {
    let (weights, bias) = &layers[0];
    let product = |i: usize| f64::from(weights[0][i]) * f64::from(x.tensor.data()[i]);
    let each: Vec<f64> = (0..20).map(|i| product(i) + product(20 + i)).collect();
    let whole = each.iter().sum::<f64>() + f64::from(bias[0]);
    (each, whole)
}

pub fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() < 2e-4, "{what}: {found}, not {expected}");
}

pub fn area(y: &[f64], x: &[f64]) -> f64 {
    let pieces = (1..y.len()).map(|i| (x[i] - x[i - 1]) * f64::midpoint(y[i], y[i - 1]));
    pieces.sum::<f64>() / (x[x.len() - 1] - x[0])
}

#[test]
fn exact_contributions_foretell_every_fall() {
    let (layers, x) = linear();
    let exec = dense(DIMS, &layers);
    let setting = Setting::new(&exec);
    let map = setting.map("input-x-gradient", &x, &ParamValues::new());
    let cases = [
        ("faithfulness-estimate", values([number("steps", 20.0)])),
        ("sensitivity-n", values([number("sizes", 3.0), number("runs", 20.0)])),
        ("mu-fidelity", values([number("samples", 40.0), number("grid", 4.0)])),
        (
            "monotonicity-correlation",
            values([number("steps", 20.0), number("samples", 1.0)]),
        ),
    ];
    for (id, params) in cases {
        near(setting.score(id, &x, &map, &params), 1.0, id);
        if id != "monotonicity-correlation" {
            near(setting.score(id, &x, &map.map(|v| -v), &params), -1.0, id);
        }
    }
}

#[test]
fn the_gradient_of_a_linear_network_has_no_infidelity() {
    let (layers, x) = linear();
    let exec = dense(DIMS, &layers);
    let (gradient, shares) = {
        let setting = Setting::new(&exec);
        (
            setting.map("gradient", &x, &ParamValues::new()),
            setting.map("input-x-gradient", &x, &ParamValues::new()),
        )
    };
    let params = |scaled: bool, reads: &str| {
        values([
            number("samples", 30.0),
            number("patch", 2.0),
            flag("scaled", scaled),
            text("reads", reads),
        ])
    };
    // Whatever fills, also with new noise for every sample: what was removed is known exactly.
    for imputer in ["constant", "channel-mean", "uniform-noise"] {
        let setting = Setting {
            removal: crate::harness::removal(imputer, ParamValues::new()),
            ..Setting::new(&exec)
        };
        let score = |map: &Tensor, scaled| setting.score("infidelity", &x, map, &params(scaled, "gradient"));
        assert!(score(&gradient, false) < 1e-8, "{imputer}");
        let tripled = gradient.map(|v| 3.0 * v);
        assert!(score(&tripled, false) > 0.1, "{imputer}: a factor counts");
        assert!(score(&tripled, true) < 1e-8, "{imputer}: a factor is forgiven");
    }
    let setting = Setting::new(&exec);
    assert!(setting.score("infidelity", &x, &shares, &params(false, "contribution")) < 1e-8);
    assert!(setting.score("infidelity", &x, &shares, &params(false, "gradient")) > 0.1);
    // A map of zeros says that nothing changes: its infidelity is the mean square of the falls.
    let nothing = setting.score("infidelity", &x, &Tensor::zeros(&DIMS), &params(false, "gradient"));
    assert!(nothing > 0.1);
}

/// Quantus' noise is the same each time, and its squares pile up; here each sample has its own square and its own noise.
#[test]
fn every_sample_of_noise_is_new() {
    let (layers, x) = linear();
    let exec = dense(DIMS, &layers);
    let setting = Setting {
        removal: crate::harness::removal("uniform-noise", ParamValues::new()),
        ..Setting::new(&exec)
    };
    let map = setting.map("input-x-gradient", &x, &ParamValues::new());
    let score = |samples: f64| {
        let params = values([number("steps", 10.0), number("samples", samples)]);
        setting.score("monotonicity-correlation", &x, &map, &params)
    };
    // With one removal the change of a group is that of its luck; with many it is E[(sum w (x - u))^2], known exactly.
    let (weights, _) = &layers[0];
    let relevance = map.sum_channels();
    let mut order: Vec<usize> = (0..20).collect();
    order.sort_by(|&a, &b| relevance.data()[b].abs().total_cmp(&relevance.data()[a].abs()));
    let exact: Vec<(f64, f64)> = order
        .chunks(2)
        .map(|group| {
            let (mut mean, mut variance, mut sum) = (0.0, 0.0, 0.0);
            for &i in group {
                for at in [i, 20 + i] {
                    let w = f64::from(weights[0][at]);
                    mean += w * (f64::from(x.tensor.data()[at]) - 0.5);
                    variance += w * w / 12.0;
                }
                sum += f64::from(relevance.data()[i].abs());
            }
            (sum, mean * mean + variance)
        })
        .collect();
    let (sums, changes): (Vec<f64>, Vec<f64>) = exact.into_iter().unzip();
    let expected = metric::stats::spearman(&sums, &changes).unwrap();
    assert!((score(3000.0) - expected).abs() < 0.05, "{} {expected}", score(3000.0));
}

#[test]
fn squares_and_orders_by_hand() {
    let (layers, x) = linear();
    let exec = dense(DIMS, &layers);
    let setting = Setting::new(&exec);
    let map = setting.map("input-x-gradient", &x, &ParamValues::new());
    let (each, whole) = contributions(&layers, &x);
    // Squares of 2 on 4 × 5: the last column stands alone.
    let mut sums = [0.0; 6];
    let mut sizes = [0usize; 6];
    for (i, v) in each.iter().enumerate() {
        let label = i / 5 / 2 * 3 + i % 5 / 2;
        sums[label] += v;
        sizes[label] += 1;
    }
    let mut order: Vec<usize> = (0..6).collect();
    order.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]));
    for word in ["morf", "lerf"] {
        let (mut y, mut shares) = (vec![whole], vec![0.0]);
        for &k in &order {
            y.push(y[y.len() - 1] - sums[k]);
            shares.push(shares[shares.len() - 1] + sizes[k] as f64 / 20.0);
        }
        let params = values([number("patch", 2.0), text("order", word)]);
        near(
            setting.score("selectivity", &x, &map, &params),
            area(&y, &shares),
            "selectivity",
        );
        for regions in [6usize, 4] {
            let params = values([
                number("patch", 2.0),
                number("regions", regions as f64),
                text("order", word),
            ]);
            let expected = y[..=regions].iter().map(|v| whole - v).sum::<f64>() / (regions + 1) as f64;
            let found = setting.evaluate("region-perturbation", &x, &map, &params).unwrap();
            assert_eq!(found.curves[0].y.len(), regions + 1);
            near(value(&found), expected, "region-perturbation");
        }
        order.reverse();
    }
    let random = values([number("patch", 2.0), text("order", "random")]);
    let ends = setting
        .evaluate("region-perturbation", &x, &map, &random)
        .unwrap()
        .curves
        .remove(0);
    near(ends.y[0] - ends.y[6], each.iter().sum(), "all regions in any order");
}

pub fn value(found: &Measurement) -> f64 {
    match &found.score {
        Score::Value(value) => *value,
        Score::Undefined(why) => panic!("undefined: {why}"),
    }
}

#[test]
fn curves_of_single_pixels_by_hand() {
    let (layers, x) = linear();
    let exec = dense(DIMS, &layers);
    let setting = Setting::new(&exec);
    let map = setting.map("input-x-gradient", &x, &ParamValues::new());
    let (mut each, whole) = contributions(&layers, &x);
    each.sort_by(|a, b| b.total_cmp(a));
    let falling = |parts: &[f64]| {
        let mut y = vec![whole];
        for part in parts {
            y.push(y[y.len() - 1] - part);
        }
        y
    };
    let shares: Vec<f64> = (0..=20).map(|k| f64::from(k) / 20.0).collect();
    let morf = falling(&each);
    let lerf = falling(&each.iter().rev().copied().collect::<Vec<_>>());
    let all = values([number("steps", 20.0)]);
    near(
        setting.score("pixel-flipping", &x, &map, &all),
        area(&morf, &shares),
        "pixel-flipping",
    );
    let abpc = area(&lerf, &shares) - area(&morf, &shares);
    near(setting.score("abpc", &x, &map, &all), abpc, "abpc");
    near(
        setting.score("abpc", &x, &map.map(|v| -v), &all),
        -abpc,
        "abpc reversed",
    );
    // Up to half of the pixels: the curve ends there, and the area is taken over that range.
    let half = values([number("steps", 10.0), number("share", 0.5)]);
    for id in ["deletion", "pixel-flipping"] {
        let found = setting.evaluate(id, &x, &map, &half).unwrap();
        assert_eq!(found.curves[0].x, shares[..=10]);
        near(value(&found), area(&morf[..=10], &shares[..=10]), id);
    }
    let found = setting.evaluate("insertion", &x, &map, &half).unwrap();
    assert_eq!(found.curves[0].x, shares[..=10]);
    let rising: Vec<f64> = lerf.iter().rev().copied().collect();
    near(value(&found), area(&rising[..=10], &shares[..=10]), "insertion");
    // Put back from the least: every negative part is a fall, every other a rise. The first of 20 steps is not judged.
    let rises = each.iter().rev().skip(1).filter(|&&v| v >= 0.0).count();
    let counted = values([number("steps", 20.0), text("counts", "share")]);
    near(
        setting.score("monotonicity", &x, &map, &counted),
        rises as f64 / 19.0,
        "monotonicity",
    );
    near(setting.score("monotonicity", &x, &map, &all), 0.0, "monotonicity");
    let sized = values([number("steps", 20.0), flag("magnitude", true)]);
    near(
        setting.score("monotonicity", &x, &map, &sized),
        0.0,
        "monotonicity by size",
    );
}

#[test]
fn what_is_seen_through_the_map_by_hand() {
    let (layers, x) = linear();
    let exec = dense(DIMS, &layers);
    let setting = Setting::new(&exec);
    let map = Tensor::new(&[1, 4, 5], draws(5, 20));
    let (each, whole) = contributions(&layers, &x);
    for scale in ["min-max", "positive"] {
        let m: Vec<f64> = map.data().iter().map(|&v| f64::from(v)).collect();
        let low = if scale == "positive" {
            0.0
        } else {
            m.iter().copied().fold(f64::INFINITY, f64::min)
        };
        let high = m.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let keep = m.iter().map(|v| ((v - low) / (high - low)).max(0.0));
        let part: f64 = whole - each.iter().zip(keep).map(|(r, keep)| (1.0 - keep) * r).sum::<f64>();
        let params = values([text("scale", scale)]);
        let drop = setting.evaluate("average-drop", &x, &map, &params).unwrap();
        if whole > 0.0 {
            near(value(&drop), (whole - part).max(0.0) / whole, "average-drop");
        } else {
            assert!(matches!(drop.score, Score::Undefined(_)));
        }
        let gain = setting.evaluate("average-gain", &x, &map, &params).unwrap();
        if whole < 1.0 {
            near(value(&gain), (part - whole).max(0.0) / (1.0 - whole), "average-gain");
        } else {
            assert!(matches!(gain.score, Score::Undefined(_)));
        }
        let increase = f64::from(u8::from(part > whole));
        near(
            setting.score("average-increase", &x, &map, &params),
            increase,
            "average-increase",
        );
    }
}
