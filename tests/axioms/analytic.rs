//! Cases whose answer is known by hand or by a plain formula.

use lucarne::metric::Score;
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Input, Tensor};

use crate::harness::{Setting, dense, number, relative_error, text, values};
use crate::naive::mlp::{self, Layer};
use crate::naive::removal;

const DIMS: [usize; 3] = [2, 4, 5];

fn draws(seed: u64, n: usize) -> Vec<f32> {
    let mut stream = SeedStream::new(seed).stream("test");
    (0..n).map(|_| stream.normal()).collect()
}

fn layer(seed: u64, outputs: usize, inputs: usize) -> Layer {
    let weights = draws(seed, outputs * inputs)
        .chunks(inputs)
        .map(<[f32]>::to_vec)
        .collect();
    (weights, draws(seed + 1000, outputs))
}

fn input(dims: [usize; 3], seed: u64) -> Input {
    Input::preprocessed(Tensor::new(&dims, draws(seed, dims.iter().product())))
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

fn none() -> ParamValues {
    ParamValues::new()
}

/// Two inputs, both on: AND is `relu(p + q - 1)`, OR is `1 - relu(1 - p - q)`.
fn gates() -> [(&'static str, Vec<Layer>); 2] {
    [
        (
            "and",
            vec![
                (vec![vec![1.0, 1.0]], vec![-1.0]),
                (vec![vec![1.0], vec![0.0]], vec![0.0, 0.0]),
            ],
        ),
        (
            "or",
            vec![
                (vec![vec![-1.0, -1.0]], vec![1.0]),
                (vec![vec![-1.0], vec![0.0]], vec![1.0, 0.0]),
            ],
        ),
    ]
}

#[test]
fn and_and_or_have_their_textbook_explanations() {
    let on = Input::preprocessed(Tensor::full(&[1, 1, 2], 1.0));
    let one_pixel = values([number("window", 1.0), number("stride", 1.0)]);
    let fine = values([number("steps", 400.0), text("quadrature", "riemann-middle")]);
    for (name, layers) in gates() {
        let exec = dense([1, 1, 2], &layers);
        let setting = Setting::new(&exec);
        // AND needs both, so that each change matters; OR is saturated: neither alone changes anything.
        let expected = if name == "and" { 1.0 } else { 0.0 };
        for map in [
            setting.map("gradient", &on, &none()),
            setting.map("input-x-gradient", &on, &none()),
            setting.map("occlusion", &on, &one_pixel),
        ] {
            assert_eq!(map.data(), [expected, expected], "{name}");
        }
        // Integrated gradients share the rise from 0 to 1 out equally in both.
        let found = setting.attribute("integrated-gradients", &on, &fine).unwrap();
        assert!(
            relative_error(found.map.data(), &[0.5, 0.5]) < 1e-6,
            "{name}: {:?}",
            found.map.data()
        );
        assert!(found.completeness_gap.unwrap().abs() < 1e-6, "{name}");
    }
}

#[test]
fn on_a_linear_network_the_methods_agree() {
    let layers = vec![layer(1, 3, 40)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 7);
    let setting = Setting {
        class: 2,
        ..Setting::new(&exec)
    };
    let weights = wide(&layers[0].0[2]);
    let products: Vec<f64> = weights
        .iter()
        .zip(x.tensor.data())
        .map(|(w, &x)| w * f64::from(x))
        .collect();
    let by_pixel: Vec<f64> = (0..20).map(|i| products[i] + products[20 + i]).collect();
    let one_pixel = values([number("window", 1.0), number("stride", 1.0)]);
    let cases = [
        ("gradient", none(), &weights),
        ("smooth-grad", values([number("samples", 3.0)]), &weights),
        ("input-x-gradient", none(), &products),
        ("integrated-gradients", values([number("steps", 1.0)]), &products),
        (
            "integrated-gradients",
            values([text("quadrature", "riemann-left")]),
            &products,
        ),
        (
            "integrated-gradients",
            values([text("quadrature", "riemann-right")]),
            &products,
        ),
        ("occlusion", one_pixel, &by_pixel),
    ];
    for (id, params, expected) in cases {
        let error = relative_error(setting.map(id, &x, &params).data(), expected);
        assert!(error < 1e-5, "{id} {params:?}: {error}");
    }
    let gap = setting
        .attribute("integrated-gradients", &x, &none())
        .unwrap()
        .completeness_gap;
    assert!(gap.unwrap().abs() < 1e-4, "{gap:?}");
}

#[test]
fn another_baseline_shifts_integrated_gradients() {
    let layers = vec![layer(1, 3, 40)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 7);
    let setting = Setting::new(&exec);
    let expected: Vec<f64> = layers[0].0[0]
        .iter()
        .zip(x.tensor.data())
        .map(|(&w, &x)| f64::from(w) * (f64::from(x) - 0.75))
        .collect();
    let map = setting.map(
        "integrated-gradients",
        &x,
        &values([number("baseline", 0.75), number("steps", 2.0)]),
    );
    assert!(relative_error(map.data(), &expected) < 1e-5);
}

/// Captum's trapezoid rule has weights that sum to `1 - 1 / steps`; parity keeps that, and the gap shows it.
#[test]
fn the_trapezoid_gap_is_captums() {
    let layers = vec![layer(1, 3, 40)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 7);
    let params = values([number("steps", 10.0), text("quadrature", "riemann-trapezoid")]);
    let found = Setting::new(&exec)
        .attribute("integrated-gradients", &x, &params)
        .unwrap();
    let rise = mlp::logit(&layers, &wide(x.tensor.data()), 0) - mlp::logit(&layers, &[0.0; 40], 0);
    assert!((found.completeness_gap.unwrap() + rise / 10.0).abs() < 1e-4);
}

#[test]
fn two_layers_follow_their_gates() {
    for seed in 0..6 {
        let layers = vec![layer(10 + seed, 12, 40), layer(50 + seed, 4, 12)];
        let x = input(DIMS, 90 + seed);
        let flat = wide(x.tensor.data());
        assert!(
            mlp::margin(&layers, &flat) > 1e-4,
            "seed {seed} lies on a kink; choose another"
        );
        let exec = dense(DIMS, &layers);
        let setting = Setting {
            class: 3,
            ..Setting::new(&exec)
        };
        let gradient = mlp::gradient(&layers, &flat, 3);
        assert!(relative_error(setting.map("gradient", &x, &none()).data(), &gradient) < 1e-5);
        let exact = mlp::integrated_gradients(&layers, &flat, 3);
        let fine = values([number("steps", 1000.0), text("quadrature", "riemann-middle")]);
        let found = setting.attribute("integrated-gradients", &x, &fine).unwrap();
        assert!(relative_error(found.map.data(), &exact) < 1e-2);
        // What the rule missed at its kinks is what the gap reports.
        let rise = mlp::logit(&layers, &flat, 3) - mlp::logit(&layers, &[0.0; 40], 3);
        assert!((found.completeness_gap.unwrap() - (found.map.sum() - rise)).abs() < 1e-4);
    }
}

#[test]
fn occlusion_equals_the_plain_definition_with_cut_windows() {
    let layers = vec![layer(3, 12, 40), layer(4, 4, 12)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 5);
    for (window, stride) in [(1, 1), (2, 1), (3, 2), (4, 3), (4, 4), (2, 2)] {
        let params = values([number("window", f64::from(window)), number("stride", f64::from(stride))]);
        let map = Setting::new(&exec).map("occlusion", &x, &params);
        let score = |x: &[f64]| mlp::logit(&layers, x, 0);
        let expected = removal::occlusion(score, &wide(x.tensor.data()), DIMS, window as usize, stride as usize);
        let error = relative_error(map.data(), &expected);
        assert!(error < 1e-5, "window {window} stride {stride}: {error}");
    }
}

#[test]
fn rise_on_a_linear_network_ranks_a_lone_bright_pixel_highest() {
    let mut weights = vec![vec![0.0; 100]; 2];
    weights[0][34] = 1.0;
    let exec = dense([1, 10, 10], &[(weights, vec![0.0; 2])]);
    let x = Input::preprocessed(Tensor::full(&[1, 10, 10], 1.0));
    let map = Setting::new(&exec).map("rise", &x, &values([number("samples", 2000.0), number("grid", 5.0)]));
    // g(x m) = m[34], so the map estimates E[m[34] m[i]] / keep: largest at 34, where it is E[m^2] / keep.
    let best = (0..100)
        .max_by(|&a, &b| map.data()[a].total_cmp(&map.data()[b]))
        .unwrap();
    let distance = (best / 10).abs_diff(3).max((best % 10).abs_diff(4));
    assert!(distance <= 1, "the maximum is at pixel {best}");
    // Far away masks are independent: E[m[34] m[i]] / keep = keep.
    assert!((map.data()[99] - 0.5).abs() < 0.05, "{}", map.data()[99]);
}

/// Every step of a curve over a linear network follows from sums of products.
#[test]
fn curves_of_a_linear_network_by_hand() {
    let layers = vec![layer(1, 3, 40)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 7);
    let setting = Setting::new(&exec);
    let map = setting.map("input-x-gradient", &x, &none());
    let relevance = map.sum_channels();
    let mut order: Vec<usize> = (0..20).collect();
    order.sort_by(|&a, &b| relevance.data()[b].total_cmp(&relevance.data()[a]));
    let score = |x: &[f64]| mlp::logit(&layers, x, 0);
    let flat = wide(x.tensor.data());
    let morf = removal::deletion(score, &flat, 20, &order);
    order.reverse();
    let lerf = removal::deletion(score, &flat, 20, &order);
    let reversed = |y: &[f64]| y.iter().rev().copied().collect::<Vec<_>>();
    let shares: Vec<f64> = (0..=20).map(|k| f64::from(k) / 20.0).collect();
    let area = |y: &[f64]| (y.iter().sum::<f64>() - f64::midpoint(y[0], y[20])) / 20.0;
    let cases = [
        ("deletion", "morf", morf.clone()),
        ("deletion", "lerf", lerf.clone()),
        ("insertion", "morf", reversed(&lerf)),
        ("insertion", "lerf", reversed(&morf)),
    ];
    for (id, order, expected) in cases {
        let params = values([number("steps", 20.0), text("order", order)]);
        let found = setting.evaluate(id, &x, &map, &params).unwrap();
        let curve = &found.curves[0];
        assert_eq!((curve.x.as_slice(), curve.y.len()), (shares.as_slice(), 21));
        for (a, b) in curve.y.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-4, "{id} {order}: {:?} {expected:?}", curve.y);
        }
        let Score::Value(value) = found.score else {
            panic!("{:?}", found.score)
        };
        assert!((value - area(&expected)).abs() < 1e-4);
    }
    // Exact products fall as fast as can be: no other order has a smaller area.
    assert!(area(&morf) < area(&lerf));
}

#[test]
fn exact_products_foretell_every_fall_of_a_linear_network() {
    let layers = vec![layer(1, 3, 40)];
    let exec = dense(DIMS, &layers);
    let x = input(DIMS, 7);
    let setting = Setting::new(&exec);
    let map = setting.map("input-x-gradient", &x, &none());
    let params = values([number("subset_size", 5.0), number("runs", 40.0)]);
    let score = |map: &Tensor| setting.score("faithfulness-correlation", &x, map, &params);
    assert!((score(&map) - 1.0).abs() < 1e-5);
    assert!((score(&map.map(|v| -3.0 * v)) + 1.0).abs() < 1e-5);
}

#[test]
fn road_prefers_the_map_that_knows_where_the_answer_is() {
    // The answer is the mean of a 3 × 3 patch that stands out from a flat picture.
    let (side, patch) = (12, |i: usize| (4..7).contains(&(i / 12)) && (6..9).contains(&(i % 12)));
    let weights = vec![
        (0..144).map(|i| if patch(i) { 1.0 / 9.0 } else { 0.0 }).collect(),
        vec![0.0; 144],
    ];
    let exec = dense([1, side, side], &[(weights, vec![0.0; 2])]);
    let x = Input::preprocessed(Tensor::from_fn(&[1, side, side], |i| f32::from(u8::from(patch(i)))));
    let mut setting = Setting::new(&exec);
    setting.removal = crate::harness::removal("noisy-linear", values([number("noise", 0.0)]));
    let right = setting.map("input-x-gradient", &x, &none());
    let wrong = right.map(|v| -v);
    let score = |map: &Tensor| setting.score("road", &x, map, &none());
    // MoRF takes the patch at once, and it is bridged from the flat rest; LeRF takes it last, at no share short of 0.9.
    assert!((score(&right) - 0.5).abs() < 0.05, "{}", score(&right));
    assert!(score(&wrong) < -0.4);
}
