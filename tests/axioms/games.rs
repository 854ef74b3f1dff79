//! Methods on segments against games whose answers are known: exact Shapley values by enumeration, additive functions.

use lucarne::exec::Executor;
use lucarne::params::{ParamValue, ParamValues};
use lucarne::{Input, Tensor};

use crate::harness::{Setting, dense, number, relative_error, removal, text, values};
use crate::naive::mlp::{self, Layer};

/// A picture of `n` pixels in a row, all on, so that a coalition is the set of pixels seen.
fn on(n: usize) -> Input {
    Input::preprocessed(Tensor::full(&[1, 1, n], 1.0))
}

/// Networks whose hidden units are gates over pixels, and whose second logit is 0: `sum weight relu(row . x + bias)`.
fn gates(units: &[(&[f32], f32, f32)]) -> Vec<Layer> {
    let rows = units.iter().map(|(row, ..)| row.to_vec()).collect();
    let biases = units.iter().map(|(_, bias, _)| *bias).collect();
    let out = units.iter().map(|(.., weight)| *weight).collect();
    vec![(rows, biases), (vec![out, vec![0.0; units.len()]], vec![0.0, 0.0])]
}

/// AND, OR, and three players of whom two must meet, with a private worth.
fn games() -> Vec<(&'static str, usize, Vec<Layer>)> {
    vec![
        ("and", 2, gates(&[(&[1.0, 1.0], -1.0, 1.0)])),
        ("or", 2, gates(&[(&[1.0, 1.0], 0.0, 1.0), (&[1.0, 1.0], -1.0, -1.0)])),
        (
            "three",
            3,
            gates(&[
                (&[1.0, 1.0, 0.0], -1.0, 2.0),
                (&[0.0, 0.0, 1.0], 0.0, -0.5),
                (&[1.0, 1.0, 1.0], -2.0, 3.0),
            ]),
        ),
        (
            "four",
            4,
            gates(&[
                (&[1.0, 1.0, 1.0, 0.0], -1.5, 2.0),
                (&[0.0, 0.5, -1.0, 1.0], 0.2, -1.0),
                (&[-1.0, 1.0, 0.3, 1.0], -0.1, 0.7),
            ]),
        ),
    ]
}

/// Shapley values by their definition: over all coalitions of the others.
fn shapley(layers: &[Layer], n: usize) -> Vec<f64> {
    let worth = |set: u32| {
        let x: Vec<f64> = (0..n).map(|i| f64::from(set >> i & 1)).collect();
        mlp::logit(layers, &x, 0)
    };
    let factorial = |k: u32| (1..=k).map(f64::from).product::<f64>();
    let players = n as u32;
    (0..players)
        .map(|i| {
            (0..1u32 << players)
                .filter(|set| set >> i & 1 == 0)
                .map(|set| {
                    let size = set.count_ones();
                    let weight = factorial(size) * factorial(players - size - 1) / factorial(players);
                    weight * (worth(set | 1 << i) - worth(set))
                })
                .sum()
        })
        .collect()
}

/// One segment a pixel.
fn pixels(n: usize, more: impl IntoIterator<Item = (String, ParamValue)>) -> ParamValues {
    let mut all = values([text("segmenter", "grid"), number("segments", n as f64)]);
    all.extend(more);
    all
}

fn mean_over_seeds(exec: &dyn Executor, id: &str, x: &Input, params: &ParamValues, seeds: u64) -> Vec<(f64, f64)> {
    let runs: Vec<Vec<f32>> = (0..seeds)
        .map(|seed| {
            let setting = Setting {
                seed,
                ..Setting::new(exec)
            };
            setting.map(id, x, params).into_data()
        })
        .collect();
    (0..runs[0].len())
        .map(|i| {
            let n = seeds as f64;
            let mean = runs.iter().map(|r| f64::from(r[i])).sum::<f64>() / n;
            let variance = runs.iter().map(|r| (f64::from(r[i]) - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (mean, (variance / n).sqrt())
        })
        .collect()
}

#[test]
fn kernel_shap_is_exact_where_all_sets_are_tried() {
    for (name, n, layers) in games() {
        let exec = dense([1, 1, n], &layers);
        let found = Setting::new(&exec)
            .attribute("kernel-shap", &on(n), &pixels(n, [number("samples", 100.0)]))
            .unwrap();
        let expected = shapley(&layers, n);
        assert!(
            relative_error(found.map.data(), &expected) < 1e-5,
            "{name}: {:?} {expected:?}",
            found.map.data()
        );
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{name}");
    }
}

#[test]
fn shapley_sampling_meets_the_exact_values_on_average_and_their_sum_always() {
    for (name, n, layers) in games() {
        let exec = dense([1, 1, n], &layers);
        let params = pixels(n, [number("samples", 5.0)]);
        let expected = shapley(&layers, n);
        for (k, (mean, error)) in mean_over_seeds(&exec, "shapley-sampling", &on(n), &params, 60)
            .into_iter()
            .enumerate()
        {
            assert!(
                (mean - expected[k]).abs() < 4.0 * error + 1e-5,
                "{name} {k}: {mean} +- {error}, {}",
                expected[k]
            );
        }
        let gap = Setting::new(&exec)
            .attribute("shapley-sampling", &on(n), &params)
            .unwrap()
            .completeness_gap;
        assert!(gap.unwrap().abs() < 1e-5, "{name}");
    }
}

#[test]
fn sampled_kernel_shap_meets_the_exact_values_on_average() {
    let units: Vec<(Vec<f32>, f32, f32)> = (0..4u8)
        .map(|u| {
            let row = (0..8u8).map(|i| f32::from((u * 5 + i * 3) % 7) / 3.0 - 0.8).collect();
            (row, f32::from(u) * 0.2 - 0.3, f32::from(u % 2) * 2.0 - 0.7)
        })
        .collect();
    let units: Vec<(&[f32], f32, f32)> = units
        .iter()
        .map(|(row, bias, weight)| (&row[..], *bias, *weight))
        .collect();
    let layers = gates(&units);
    let exec = dense([1, 1, 8], &layers);
    let expected = shapley(&layers, 8);
    let params = pixels(8, [number("samples", 120.0)]);
    for (k, (mean, error)) in mean_over_seeds(&exec, "kernel-shap", &on(8), &params, 40)
        .into_iter()
        .enumerate()
    {
        // A ratio of two sums is biased by a part of its spread.
        assert!(
            (mean - expected[k]).abs() < 4.0 * error + 0.01,
            "{k}: {mean} +- {error}, {}",
            expected[k]
        );
    }
}

/// With pairs as halves of the tree Owen values of two players are Shapley values; of four, those of the halves split.
#[test]
fn partition_shap_shares_halves_as_two_players() {
    for (name, n, layers) in games() {
        let exec = dense([1, 1, n], &layers);
        let params = values([number("evaluations", 1000.0)]);
        let found = Setting::new(&exec)
            .attribute("partition-shap", &on(n), &params)
            .unwrap();
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{name}");
        if n == 2 {
            assert!(relative_error(found.map.data(), &shapley(&layers, 2)) < 1e-5, "{name}");
        }
        if n == 4 {
            let worth = |set: [f64; 4]| mlp::logit(&layers, &set, 0);
            let half = |rest: f64| worth([1.0, 1.0, rest, rest]) - worth([0.0, 0.0, rest, rest]);
            let first = f64::midpoint(half(0.0), half(1.0));
            let sum = f64::from(found.map.data()[0]) + f64::from(found.map.data()[1]);
            assert!((sum - first).abs() < 1e-5, "{sum} {first}");
        }
    }
}

/// On a linear network every method on segments gives each segment its contribution.
#[test]
fn linear_networks_get_their_contributions() {
    let weights: Vec<f32> = (0..24u8).map(|i| f32::from(i * 7 % 11) / 4.0 - 1.0).collect();
    let layers = vec![(vec![weights.clone(), vec![0.0; 24]], vec![0.5, 0.0])];
    let exec = dense([1, 4, 6], &layers);
    let x = Input::preprocessed(Tensor::from_fn(&[1, 4, 6], |i| (i % 5) as f32 - 1.5));
    // Six cells of two by two pixels.
    let cell = |i: usize| i / 12 * 3 + i % 6 / 2;
    let mut contributions = [0.0f64; 6];
    for (i, (w, v)) in weights.iter().zip(x.tensor.data()).enumerate() {
        contributions[cell(i)] += f64::from(w * v);
    }
    let expected: Vec<f64> = (0..24).map(|i| contributions[cell(i)]).collect();
    let setting = Setting::new(&exec);
    for (id, more) in [
        ("feature-ablation", vec![]),
        ("kernel-shap", vec![number("samples", 100.0)]),
        ("kernel-shap", vec![number("samples", 40.0)]),
        ("shapley-sampling", vec![number("samples", 2.0)]),
        ("lime", vec![number("samples", 80.0), number("ridge", 0.0)]),
    ] {
        let map = setting.map(id, &x, &pixels(6, more));
        let error = relative_error(map.data(), &expected);
        assert!(error < 1e-4, "{id}: {error:.1e}");
    }
    let each: Vec<f64> = weights
        .iter()
        .zip(x.tensor.data())
        .map(|(w, v)| f64::from(w * v))
        .collect();
    let map = setting.map("partition-shap", &x, &values([number("evaluations", 100_000.0)]));
    assert!(relative_error(map.data(), &each) < 1e-4);
}

/// Additive functions: the total index of a cell is its share of the variance, and cells of no weight depend on nothing.
#[test]
fn sobol_and_hsic_rank_an_additive_function_by_its_weights() {
    let weights = [3.0f32, 1.0, 0.0, 2.0];
    let layers = vec![(vec![weights.to_vec(), vec![0.0; 4]], vec![0.0, 0.0])];
    let exec = dense([1, 2, 2], &layers);
    let x = Input::preprocessed(Tensor::full(&[1, 2, 2], 1.0));
    let setting = Setting::new(&exec);
    let sobol = setting.map("sobol", &x, &values([number("designs", 1024.0), number("grid", 2.0)]));
    for (found, weight) in sobol.data().iter().zip(weights) {
        assert!((found - weight * weight / 14.0).abs() < 0.05, "{found} {weight}");
    }
    assert!(sobol.data()[2].abs() < 1e-6);
    let hsic = setting.map("hsic", &x, &values([number("designs", 400.0), number("grid", 2.0)]));
    let h = hsic.data();
    assert!(h[0] > h[3] && h[3] > h[1] && h[1] > h[2], "{h:?}");
}

/// One bright square carries all the evidence: optimised masks find it.
#[test]
fn optimised_masks_find_the_planted_feature() {
    let (side, n) = (12, 144);
    let inside = |i: usize| (3..7).contains(&(i / side)) && (6..10).contains(&(i % side));
    let weights: Vec<f32> = (0..n).map(|i| if inside(i) { 1.0 } else { 0.0 }).collect();
    let layers = vec![(vec![weights, vec![0.0; n]], vec![0.0, 0.0])];
    let exec = dense([1, side, side], &layers);
    let x = Input::preprocessed(Tensor::full(&[1, side, side], 1.0));
    for (id, params, imputer) in [
        (
            "meaningful-perturbation",
            values([
                number("steps", 60.0),
                number("grid", 12.0),
                number("sparsity", 0.3),
                number("smoothness", 0.0),
            ]),
            "constant",
        ),
        (
            "extremal-perturbation",
            values([
                number("steps", 120.0),
                number("area", 0.12),
                number("spacing", 2.0),
                number("smoothing", 3.0),
                ("flip".into(), ParamValue::Flag(false)),
            ]),
            "constant",
        ),
        (
            "fido",
            values([number("steps", 80.0), number("grid", 12.0), number("sparsity", 0.3)]),
            "constant",
        ),
        (
            "fido",
            values([
                number("steps", 80.0),
                number("grid", 12.0),
                number("sparsity", 0.3),
                text("region", "sdr"),
            ]),
            "constant",
        ),
    ] {
        let setting = Setting {
            removal: removal(imputer, ParamValues::new()),
            ..Setting::new(&exec)
        };
        let map = setting.map(id, &x, &params);
        let mean = |within: bool| {
            let of: Vec<f32> = (0..n).filter(|&i| inside(i) == within).map(|i| map.data()[i]).collect();
            of.iter().sum::<f32>() / of.len() as f32
        };
        assert!(
            mean(true) > 2.0 * mean(false),
            "{id}: {} inside, {} outside",
            mean(true),
            mean(false)
        );
    }
}

/// Imputers that fill from kept pixels serve every method whose doc says so, and are refused by name by the others.
#[test]
fn imputers_that_need_kept_pixels_are_served_or_refused() {
    let exec = crate::harness::small();
    let x = crate::harness::picture();
    let setting = Setting {
        removal: removal("noisy-linear", ParamValues::new()),
        ..Setting::new(&exec)
    };
    for id in [
        "feature-ablation",
        "lime",
        "hsic",
        "meaningful-perturbation",
        "extremal-perturbation",
        "fido",
    ] {
        let method = lucarne::attribution::find(id).unwrap();
        let map = setting.map(id, &x, &crate::harness::quick(&method.specs()));
        assert!(map.is_finite(), "{id}");
    }
    for id in ["kernel-shap", "shapley-sampling", "partition-shap", "sobol"] {
        let method = lucarne::attribution::find(id).unwrap();
        let error = setting
            .attribute(id, &x, &crate::harness::quick(&method.specs()))
            .unwrap_err();
        assert_eq!(error.code(), "cannot-impute", "{id}: {error}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name_before_any_pass() {
    let inner = crate::harness::small();
    let exec = crate::harness::Counting::new(&inner, 4);
    let x = crate::harness::picture();
    let setting = Setting::new(&exec);
    for (id, params, field) in [
        ("feature-ablation", pixels(1, []), "segments"),
        ("feature-ablation", pixels(901, []), "segments"),
        ("lime", values([text("segmenter", "voronoi")]), "segmenter"),
        (
            "lime",
            values([text("segmenter", "felzenszwalb"), number("min_size", 901.0)]),
            "min_size",
        ),
        ("kernel-shap", pixels(100, [number("samples", 20.0)]), "samples"),
        ("sobol", values([number("grid", 31.0)]), "grid"),
        ("hsic", values([number("grid", 31.0)]), "grid"),
        ("fido", values([number("grid", 31.0)]), "grid"),
        ("meaningful-perturbation", values([number("grid", 31.0)]), "grid"),
        (
            "extremal-perturbation",
            values([number("smoothing", 31.0)]),
            "smoothing",
        ),
        ("extremal-perturbation", values([number("area", 0.0)]), "area"),
        ("partition-shap", values([number("evaluations", 3.0)]), "evaluations"),
    ] {
        let error = setting.attribute(id, &x, &params).unwrap_err();
        assert_eq!(error.place(), Some(field), "{id}: {error}");
    }
    assert_eq!(exec.pictures.get(), 0);
}
