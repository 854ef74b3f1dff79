//! Where we depart from Quantus: our side of `docs/departures.md` recomputed, and both numbers of each case in the text.

use std::path::Path;

use lucarne::imputer::Networks;
use lucarne::metric::{self, Evidence, Score};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Context, Input, Job, Removal, Target, TargetKind, Tensor, imputer, job::Silent};

use crate::harness::{dense, number, text, values};

/// As `numbers` of tests/golden/generate/quantus_defects.py.
fn numbers(seed: i64, n: usize) -> Vec<f32> {
    (1..=n as i64)
        .map(|i| ((i * i * (2 * seed + 31) + i * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0 - 0.5)
        .map(|v| v as f32)
        .collect()
}

fn network(channels: usize) -> lucarne::exec::Cpu {
    let rows = vec![numbers(1, 64 * channels), numbers(2, 64 * channels)];
    dense([channels, 8, 8], &[(rows, vec![0.0, 0.0])])
}

fn tensor(seed: i64, channels: usize) -> Tensor {
    Tensor::new(&[channels, 8, 8], numbers(seed, 64 * channels))
}

/// The score of the `k`-th picture's map, with draws of squares where the metric takes them.
fn score(
    id: &str,
    channels: usize,
    x: i64,
    map: &Tensor,
    params: &ParamValues,
    fill: &str,
    squares: Option<&[f32]>,
) -> f64 {
    let exec = network(channels);
    let input = Input::preprocessed(tensor(x, channels));
    let (job, mut random) = (Job::new(&Silent), SeedStream::new(1));
    if let Some(squares) = squares {
        random = random.with_recorded("infidelity/squares", Tensor::new(&[squares.len()], squares.to_vec()));
    }
    let params_of_fill = if fill == "noisy-linear" {
        values([number("noise", 0.0)])
    } else {
        ParamValues::new()
    };
    let cx = Context {
        exec: &exec,
        job: &job,
        random: &random,
        target: Target {
            class: 0,
            kind: TargetKind::Logit,
        },
        removal: Removal {
            imputer: imputer::find(fill).expect("the case is right"),
            params: params_of_fill,
            networks: Networks::default(),
        },
        weights: lucarne::Weights::Trained,
    };
    let evidence = Evidence::new(&input, map, None).expect("the case is right");
    let metric = metric::find(id).expect("the case is right");
    match pollster::block_on(metric.evaluate_dyn(&cx, &evidence, params))
        .expect("the case is right")
        .score
    {
        Score::Value(value) => value,
        Score::Undefined(why) => panic!("{id}: {why}"),
    }
}

fn exact(x: i64) -> Tensor {
    tensor(x, 1).zip(&Tensor::new(&[1, 8, 8], numbers(1, 64)), |x, w| x * w)
}

fn ours(case: &str) -> Option<f64> {
    let one = |id: &str, channels, params: &ParamValues, fill: &str| {
        score(id, channels, 10, &tensor(500, channels), params, fill, None)
    };
    let every = values([number("steps", 64.0)]);
    let road = |steps: f64| values([number("steps", steps), text("order", "morf"), text("reads", "accuracy")]);
    Some(match case {
        "monotonicity" => {
            let mut params = every;
            params.insert("magnitude".into(), lucarne::params::ParamValue::Flag(true));
            (0..6)
                .map(|k| score("monotonicity", 1, 10, &tensor(500 + k, 1), &params, "constant", None))
                .sum()
        }
        "road-colour" => one("road", 3, &road(9.0), "noisy-linear"),
        "road-batches" => {
            let each = |k: i64| score("road", 1, 10 + k, &tensor(500 + k, 1), &road(1.0), "noisy-linear", None);
            (0..70).map(each).sum::<f64>() / 70.0
        }
        "infidelity" => {
            let params = values([number("samples", 4.0), number("patch", 4.0)]);
            let corners = [0.0, 0.0, 0.0, 4.0, 4.0, 0.0, 4.0, 4.0];
            score(
                "infidelity",
                1,
                10,
                &tensor(500, 1),
                &params,
                "constant",
                Some(&corners),
            )
        }
        "pixel-flipping-colour" => one("pixel-flipping", 3, &every, "constant"),
        "pixel-flipping-area" => one("pixel-flipping", 1, &every, "constant"),
        "sensitivity-n" => {
            let params = values([number("sizes", 4.0), number("runs", 40.0)]);
            let each = |k: i64| score("sensitivity-n", 1, 10 + k, &exact(10 + k), &params, "constant", None);
            (0..6).map(each).sum::<f64>() / 6.0
        }
        "irof-colour" => {
            let params = values([text("segmenter", "grid"), number("segments", 4.0)]);
            one("irof", 3, &params, "constant")
        }
        "region-perturbation-direction" => {
            let params = values([number("patch", 2.0)]);
            score("region-perturbation", 1, 10, &exact(10), &params, "constant", None)
        }
        _ => return None,
    })
}

/// As the page shows it: four decimals where it is no count.
fn shown(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Number(n) if n.is_f64() => Some(format!("{:.4}", n.as_f64()?)),
        serde_json::Value::Number(n) => Some(n.to_string()),
        serde_json::Value::String(s) => Some(s.split(':').next().unwrap_or_default().to_owned()),
        _ => None,
    }
}

#[test]
fn departures_are_told_with_the_numbers_of_both_sides() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let data: serde_json::Value = serde_json::from_str(&read("tests/golden/departures.json")).unwrap();
    let page = read("docs/departures.md");
    let cases = data["cases"].as_object().unwrap();
    let mut recomputed = 0;
    for (name, case) in cases {
        let told = page
            .lines()
            .find(|line| line.contains(&format!("`{name}`")))
            .unwrap_or_else(|| panic!("docs/departures.md does not tell {name}"));
        for side in ["quantus", "right"] {
            if let Some(number) = shown(&case[side]) {
                assert!(
                    told.contains(&number),
                    "{name}: \"{told}\" does not say {side}: {number}"
                );
            }
        }
        if let (Some(ours), Some(right)) = (ours(name), case["right"].as_f64()) {
            assert!((ours - right).abs() < 1e-4, "{name}: {ours}, not {right}");
            recomputed += 1;
        }
    }
    assert_eq!(recomputed, 9, "each case with a number of ours is recomputed");
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), cases.len());
}
