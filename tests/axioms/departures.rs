//! Where we depart from Quantus: our side of `docs/departures.md` recomputed, and both numbers of each case in the text.

use std::path::Path;

use lucarne::imputer::Networks;
use lucarne::metric::{self, Evidence, Exhibit, Explainer, Score};
use lucarne::params::{ParamValue, ParamValues};
use lucarne::rng::SeedStream;
use lucarne::{Context, Input, Job, Mask, Removal, Target, TargetKind, Tensor, attribution, imputer, job::Silent};

use crate::harness::{dense, number, text, values};

/// As `numbers` of tests/golden/generate/quantus_defects.py.
fn numbers(seed: i64, n: usize) -> Vec<f32> {
    (1..=n as i64)
        .map(|i| ((i * i * (2 * seed + 31) + i * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0 - 0.5)
        .map(|v| v as f32)
        .collect()
}

/// One picture under judgement, on an exactly linear network of two classes.
struct Trial<'a> {
    side: usize,
    channels: usize,
    x: Tensor,
    map: &'a Tensor,
    class: usize,
    fill: &'a str,
    /// Draws of squares, for the metric that takes them.
    squares: Option<&'a [f32]>,
    /// The pixels that matter, for the metrics that ask.
    truth: Option<Mask>,
    /// The method that explains again, and the other pictures with their classes.
    set: (&'static str, Vec<Exhibit>),
}

impl<'a> Trial<'a> {
    /// The `k`-th picture of 8 by 8 with constants in the place of removed pixels.
    fn of(channels: usize, x: i64, map: &'a Tensor) -> Self {
        Self {
            side: 8,
            channels,
            x: tensor(x, channels),
            map,
            class: 0,
            fill: "constant",
            squares: None,
            truth: None,
            set: ("gradient", Vec::new()),
        }
    }

    fn score(&self, id: &str, params: &ParamValues) -> Score {
        let values_of = self.side * self.side * self.channels;
        let rows = vec![numbers(1, values_of), numbers(2, values_of)];
        let exec = dense([self.channels, self.side, self.side], &[(rows, vec![0.0, 0.0])]);
        let input = Input::preprocessed(self.x.clone());
        let (job, mut random) = (Job::new(&Silent), SeedStream::new(1));
        if let Some(squares) = self.squares {
            random = random.with_recorded("infidelity/squares", Tensor::new(&[squares.len()], squares.to_vec()));
        }
        let params_of_fill = if self.fill == "noisy-linear" {
            values([number("noise", 0.0)])
        } else {
            ParamValues::new()
        };
        let cx = Context {
            exec: &exec,
            job: &job,
            random: &random,
            target: Target {
                class: self.class,
                kind: TargetKind::Logit,
            },
            removal: Removal {
                imputer: imputer::find(self.fill).expect("the case is right"),
                params: params_of_fill,
                networks: Networks::default(),
            },
            weights: lucarne::Weights::Trained,
        };
        let mut evidence = Evidence::new(&input, self.map, self.truth.as_ref()).expect("the case is right");
        evidence.set = &self.set.1;
        evidence.explainer = Some(Explainer {
            method: attribution::find(self.set.0).expect("the case is right"),
            params: ParamValues::new(),
        });
        let metric = metric::find(id).expect("the case is right");
        pollster::block_on(metric.evaluate_dyn(&cx, &evidence, params))
            .expect("the case is right")
            .score
    }

    fn value(&self, id: &str, params: &ParamValues) -> f64 {
        match self.score(id, params) {
            Score::Value(value) => value,
            Score::Undefined(why) => panic!("{id}: {why}"),
        }
    }
}

fn tensor(seed: i64, channels: usize) -> Tensor {
    Tensor::new(&[channels, 8, 8], numbers(seed, 64 * channels))
}

/// The weights of a class, as a map: its gradient.
fn row(class: usize) -> Tensor {
    tensor(class as i64 + 1, 1)
}

fn product(x: &Tensor, y: &Tensor) -> Tensor {
    x.zip(y, |x, y| x * y)
}

/// Input x gradient of the `k`-th picture, exact to rounding.
fn exact(k: i64) -> Tensor {
    product(&tensor(k, 1), &row(0))
}

/// The first `count` pictures with the class that the network gives each; with the first pixel 0 where `dark`.
fn set(count: i64, dark: bool) -> Vec<Exhibit> {
    let exhibit = |k: i64| {
        let mut x = tensor(10 + k, 1);
        if dark {
            x.data_mut()[0] = 0.0;
        }
        let answer = |class: usize| -> f64 {
            let terms = x.data().iter().zip(numbers(class as i64 + 1, 64));
            terms.map(|(&x, w)| f64::from(x) * f64::from(w)).sum()
        };
        let class = usize::from(answer(1) > answer(0));
        Exhibit {
            input: Input::preprocessed(x),
            class,
        }
    };
    (0..count).map(exhibit).collect()
}

/// The mean score of each picture of a set among the others, explained by `method`; undefined ones are left out.
fn over_set(id: &str, method: &'static str, pictures: &[Exhibit], params: &ParamValues) -> f64 {
    let mut scores = Vec::new();
    for (k, one) in pictures.iter().enumerate() {
        let gradient = row(one.class);
        let map = if method == "gradient" {
            gradient
        } else {
            product(&one.input.tensor, &gradient)
        };
        let mut others = pictures.to_vec();
        others.remove(k);
        let trial = Trial {
            x: one.input.tensor.clone(),
            class: one.class,
            set: (method, others),
            ..Trial::of(1, 10, &map)
        };
        if let Score::Value(value) = trial.score(id, params) {
            scores.push(value);
        }
    }
    assert!(!scores.is_empty(), "{id}: nothing is defined");
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// What is right, by ours.
enum Right {
    Numbers(Vec<f64>),
    Words(&'static str),
}

fn ours(case: &str) -> Right {
    let one = |id: &str, channels, params: &ParamValues, fill: &str| {
        let map = tensor(500, channels);
        let trial = Trial {
            fill,
            ..Trial::of(channels, 10, &map)
        };
        trial.value(id, params)
    };
    let every = values([number("steps", 64.0)]);
    let road = |steps: f64| values([number("steps", steps), text("order", "morf"), text("reads", "accuracy")]);
    let four = values([number("samples", 4.0), number("patch", 4.0)]);
    let found = match case {
        "monotonicity" => {
            let mut params = every;
            params.insert("magnitude".into(), ParamValue::Flag(true));
            (0..6)
                .map(|k| Trial::of(1, 10, &tensor(500 + k, 1)).value("monotonicity", &params))
                .sum()
        }
        "road-colour" => one("road", 3, &road(9.0), "noisy-linear"),
        "road-batches" => {
            let each = |k: i64| {
                let map = tensor(500 + k, 1);
                let trial = Trial {
                    fill: "noisy-linear",
                    ..Trial::of(1, 10 + k, &map)
                };
                trial.value("road", &road(1.0))
            };
            (0..70).map(each).sum::<f64>() / 70.0
        }
        "infidelity" => Trial {
            squares: Some(&[0.0, 0.0, 0.0, 4.0, 4.0, 0.0, 4.0, 4.0]),
            ..Trial::of(1, 10, &tensor(500, 1))
        }
        .value("infidelity", &four),
        "infidelity-side" => Trial {
            side: 9,
            x: Tensor::new(&[1, 9, 9], numbers(10, 81)),
            squares: Some(&[0.0, 0.0, 0.0, 5.0, 5.0, 0.0, 5.0, 5.0]),
            ..Trial::of(1, 10, &Tensor::new(&[1, 9, 9], numbers(500, 81)))
        }
        .value("infidelity", &four),
        "pixel-flipping-colour" => one("pixel-flipping", 3, &every, "constant"),
        "pixel-flipping-area" => one("pixel-flipping", 1, &every, "constant"),
        "sensitivity-n" => {
            let params = values([number("sizes", 4.0), number("runs", 40.0)]);
            let each = |k: i64| Trial::of(1, 10 + k, &exact(10 + k)).value("sensitivity-n", &params);
            (0..6).map(each).sum::<f64>() / 6.0
        }
        "irof-colour" => {
            let params = values([text("segmenter", "grid"), number("segments", 4.0)]);
            one("irof", 3, &params, "constant")
        }
        "region-perturbation-direction" => {
            let params = values([number("patch", 2.0)]);
            Trial::of(1, 10, &exact(10)).value("region-perturbation", &params)
        }
        "pointing-game-empty" => {
            let hit = |k: i64| {
                let map = tensor(500 + k, 1);
                let trial = Trial {
                    truth: Some(Mask::all(8, 8, false)),
                    ..Trial::of(1, 10 + k, &map)
                };
                trial.score("pointing-game", &ParamValues::new())
            };
            let undefined = (0..6).all(|k| matches!(hit(k), Score::Undefined(_)));
            return Right::Words(if undefined { "undefined" } else { "a hit or a miss" });
        }
        "completeness" => {
            let whole =
                |k: &i64| Trial::of(1, 10 + k, &exact(10 + k)).value("completeness", &ParamValues::new()) == 0.0;
            (0..6).filter(whole).count() as f64
        }
        "consistency" => {
            let (set, params) = (set(20, false), values([number("grid", 2.0)]));
            let by = |method| over_set("consistency", method, &set, &params);
            return Right::Numbers(vec![by("input-x-gradient"), by("gradient")]);
        }
        "sufficiency-constant-pixel" => {
            let params = values([number("threshold", 0.9)]);
            over_set("sufficiency", "input-x-gradient", &set(6, true), &params)
        }
        other => panic!("{other} is not recomputed"),
    };
    Right::Numbers(vec![found])
}

/// As the page shows it: four decimals where it is no count.
fn shown(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Number(n) if n.is_f64() => vec![format!("{:.4}", n.as_f64().unwrap_or(f64::NAN))],
        serde_json::Value::Number(n) => vec![n.to_string()],
        serde_json::Value::String(s) => vec![s.split(':').next().unwrap_or_default().to_owned()],
        serde_json::Value::Array(many) => many.iter().flat_map(shown).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn departures_are_told_with_the_numbers_of_both_sides() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let data: serde_json::Value = serde_json::from_str(&read("tests/golden/departures.json")).unwrap();
    let page = read("docs/departures.md");
    let cases = data["cases"].as_object().unwrap();
    for (name, case) in cases {
        let told = page
            .lines()
            .find(|line| line.contains(&format!("`{name}`")))
            .unwrap_or_else(|| panic!("docs/departures.md does not tell {name}"));
        for side in ["quantus", "right"] {
            let numbers = shown(&case[side]);
            assert!(!numbers.is_empty(), "{name} has nothing for {side}");
            for number in numbers {
                assert!(
                    told.contains(&number),
                    "{name}: \"{told}\" does not say {side}: {number}"
                );
            }
        }
        let right = &case["right"];
        match ours(name) {
            Right::Words(words) => assert_eq!(right.as_str(), Some(words), "{name}"),
            Right::Numbers(found) => {
                let right = right.as_array().cloned().unwrap_or_else(|| vec![right.clone()]);
                assert_eq!(found.len(), right.len(), "{name}");
                for (found, right) in found.into_iter().zip(right) {
                    let right = right.as_f64().unwrap();
                    assert!((found - right).abs() < 1e-4, "{name}: {found}, not {right}");
                }
            }
        }
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), cases.len());
}
