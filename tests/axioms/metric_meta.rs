//! Tests of the metrics themselves: chance scores as chance, a map that knows beats those that do not, and what must not
//! matter does not.

use lucarne::metric::{self, Direction, Score};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Input, Tensor};

use crate::harness::{Setting, dense, number, picture, small, text, values};

fn draws(seed: u64, n: usize) -> Vec<f32> {
    let mut stream = SeedStream::new(seed).stream("test");
    (0..n).map(|_| stream.normal()).collect()
}

/// Metrics whose score of a map that knows nothing is 0 on average, with short parameters.
fn centred() -> Vec<(&'static str, ParamValues)> {
    vec![
        ("abpc", values([number("steps", 9.0)])),
        ("road", values([number("steps", 5.0)])),
        ("faithfulness-estimate", values([number("steps", 20.0)])),
        ("sensitivity-n", values([number("sizes", 3.0), number("runs", 12.0)])),
        ("mu-fidelity", values([number("samples", 24.0)])),
        ("faithfulness-correlation", values([number("runs", 20.0)])),
        (
            "monotonicity-correlation",
            values([number("steps", 15.0), number("samples", 1.0)]),
        ),
    ]
}

/// Each pixel the mean of a square around it: smooth, and still without knowledge.
fn blurred(map: &Tensor, radius: usize) -> Tensor {
    let (h, w) = (map.shape()[1], map.shape()[2]);
    Tensor::from_fn(map.shape(), |i| {
        let (row, column) = (i / w, i % w);
        let rows = row.saturating_sub(radius)..(row + radius + 1).min(h);
        let columns = column.saturating_sub(radius)..(column + radius + 1).min(w);
        let n = rows.len() * columns.len();
        let sum: f32 = rows
            .flat_map(|r| columns.clone().map(move |c| r * w + c))
            .map(|k| map.data()[k])
            .sum();
        sum / n as f32
    })
}

/// Smoothing adds no knowledge: a blurred random map is as much at chance as a random one.
#[test]
fn maps_that_know_nothing_score_at_chance_also_when_smooth() {
    let exec = small();
    let x = picture();
    for radius in [0, 3] {
        for (id, params) in centred() {
            let scores: Vec<f64> = (0..16)
                .filter_map(|seed| {
                    let map = blurred(&Tensor::new(&[1, 30, 30], draws(seed + 100, 900)), radius);
                    let setting = Setting {
                        seed,
                        ..Setting::new(&exec)
                    };
                    match setting.evaluate(id, &x, &map, &params).unwrap().score {
                        Score::Value(value) => Some(value),
                        Score::Undefined(_) => None,
                    }
                })
                .collect();
            let n = scores.len() as f64;
            assert!(scores.len() > 12, "{id} is undefined too often");
            let mean = scores.iter().sum::<f64>() / n;
            let deviation = (scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            // Monotonicity correlation has both its sides squared or without sign, and so no sign to average out.
            assert!(
                mean.abs() < 4.0 * deviation / n.sqrt(),
                "{id}, blurred by {radius}: mean {mean}, deviation {deviation}"
            );
        }
    }
}

const SIDE: usize = 12;

/// The answer is the mean of nine planted pixels, side by side.
fn planted() -> (lucarne::exec::Cpu, Input, Tensor) {
    let is = |i: usize| (4..7).contains(&(i / SIDE)) && (6..9).contains(&(i % SIDE));
    let row: Vec<f32> = (0..SIDE * SIDE).map(|i| if is(i) { 1.0 / 9.0 } else { 0.0 }).collect();
    let exec = dense(
        [1, SIDE, SIDE],
        &[(vec![row.clone(), vec![0.0; SIDE * SIDE]], vec![0.0; 2])],
    );
    let x = Tensor::from_fn(&[1, SIDE, SIDE], |i| 0.5 + 0.4 * f32::from(u8::from(is(i))));
    (exec, Input::preprocessed(x), Tensor::new(&[1, SIDE, SIDE], row))
}

#[test]
fn the_map_of_planted_pixels_beats_every_map_that_does_not_know_them() {
    let (exec, x, exact) = planted();
    let cases = [
        ("insertion", values([number("steps", 24.0)])),
        ("deletion", values([number("steps", 24.0)])),
        ("road", ParamValues::new()),
        ("faithfulness-correlation", values([number("subset_size", 20.0)])),
        ("faithfulness-estimate", values([number("steps", 36.0)])),
        ("pixel-flipping", values([number("steps", 24.0)])),
        ("region-perturbation", values([number("patch", 3.0)])),
        ("selectivity", values([number("patch", 3.0)])),
        ("sensitivity-n", values([number("sizes", 3.0), number("share", 0.5)])),
        ("irof", values([text("segmenter", "grid"), number("segments", 16.0)])),
        ("infidelity", values([number("patch", 3.0), number("samples", 60.0)])),
        (
            "monotonicity-correlation",
            values([number("steps", 36.0), number("samples", 1.0)]),
        ),
        ("abpc", values([number("steps", 24.0)])),
        ("mu-fidelity", values([number("grid", 6.0), number("samples", 100.0)])),
        ("average-drop", ParamValues::new()),
        ("sufficiency-necessity", ParamValues::new()),
    ];
    for (id, params) in cases {
        let better = match metric::find(id).unwrap().meta().direction {
            Direction::Higher => 1.0,
            Direction::Lower => -1.0,
        };
        let setting = Setting::new(&exec);
        let best = better * setting.score(id, &x, &exact, &params);
        for seed in 0..6 {
            let random = Tensor::new(
                &[1, SIDE, SIDE],
                draws(seed + 40, SIDE * SIDE).iter().map(|v| v.abs()).collect(),
            );
            let other = better * setting.score(id, &x, &random, &params);
            assert!(best > other, "{id}: {best} is no better than {other}");
        }
    }
}

/// Another unit of the map changes only what reads the map in the target's unit; another shape of its values only what
/// looks at more than the ranking.
#[test]
fn units_and_shapes_of_maps_matter_only_where_they_should() {
    let exec = small();
    let x = picture();
    let map = Tensor::new(&[1, 30, 30], draws(9, 900));
    let setting = Setting::new(&exec);
    // Powers of two keep every rank and every rounding.
    let stretched = map.map(|v| 4.0 * v);
    let bent = map.map(|v| if v > 2.0 { 8.0 * v } else { v });
    let ranks_only = [
        "insertion",
        "deletion",
        "pixel-flipping",
        "abpc",
        "road",
        "monotonicity",
    ];
    let shapes = [
        "faithfulness-correlation",
        "faithfulness-estimate",
        "sensitivity-n",
        "mu-fidelity",
        "sufficiency-necessity",
        "selectivity",
    ];
    for id in ranks_only.into_iter().chain(shapes) {
        let params = crate::harness::quick(&metric::find(id).unwrap().specs());
        let of = |map: &Tensor| setting.evaluate(id, &x, map, &params).unwrap().score;
        assert_eq!(of(&map), of(&stretched), "{id} depends on the unit");
        if ranks_only.contains(&id) {
            assert_eq!(of(&map), of(&bent), "{id} looks at more than the ranking");
        } else {
            assert_ne!(of(&map), of(&bent), "{id} is said to look at more than the ranking");
        }
    }
    let params = crate::harness::quick(&metric::find("infidelity").unwrap().specs());
    let of = |map: &Tensor| setting.score("infidelity", &x, map, &params);
    assert!(
        (of(&map) - of(&stretched)).abs() > 1e-6,
        "infidelity is in the map's unit"
    );
}
