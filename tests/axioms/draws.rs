//! Scores as means over several fillings of an imputer that draws random numbers.

use std::cell::RefCell;

use lucarne::job::{Host, Report, Silent};
use lucarne::metric::{self, Evidence, Measurement, Score};
use lucarne::params::{ParamValue, ParamValues};
use lucarne::protocol::{Choice, Evaluated, WireTarget, WireTargetKind};
use lucarne::rng::SeedStream;
use lucarne::session::{self, Circumstances, Question};
use lucarne::{BoxFuture, Context, Error, Input, Job, Removal, Target, TargetKind, Tensor, imputer};

use crate::harness::{Counting, networks, number, picture, small, values};

const SEED: u64 = 5;

fn steps() -> ParamValues {
    values([number("steps", 6.0)])
}

fn map() -> Tensor {
    Tensor::from_fn(&[1, 30, 30], |i| ((i * 37) % 901) as f32)
}

/// The score that the session gives, with its passes.
fn score(metric: &str, imputer: &str, draws: u32, seed: u64) -> (Evaluated, u64) {
    let (found, passes) = watched(&Silent, metric, imputer, draws, seed);
    (found.expect("it is scored"), passes)
}

fn watched(host: &dyn Host, metric: &str, imputer: &str, draws: u32, seed: u64) -> (Result<Evaluated, Error>, u64) {
    let inner = small();
    let exec = Counting::new(&inner, 4);
    let (input, job, random) = (picture(), Job::new(host), SeedStream::new(seed));
    let question = Question {
        exec: &exec,
        job: &job,
        input: &input,
        target: WireTarget {
            class: 2,
            kind: WireTargetKind::Probability,
        },
        removal: &Choice::new(imputer, ParamValues::new()),
        networks: &networks(),
        random: &random,
    };
    let around = Circumstances {
        draws,
        ..Circumstances::default()
    };
    // Sparseness, which removes nothing, has no steps.
    let params = if metric == "sparseness" {
        ParamValues::new()
    } else {
        steps()
    };
    let choice = Choice::new(metric, params);
    let found = pollster::block_on(session::evaluate(&question, &map(), &choice, &around));
    (found, exec.pictures.get())
}

/// One repetition by hand: the metric itself, with the streams of that repetition.
fn repetition(metric: &str, imputer: &str, random: &SeedStream) -> Measurement {
    let exec = small();
    let (input, job): (Input, _) = (picture(), Job::new(&Silent));
    let entry = imputer::find(imputer).expect("it exists");
    let cx = Context {
        exec: &exec,
        job: &job,
        random,
        target: Target {
            class: 2,
            kind: TargetKind::Probability,
        },
        removal: Removal {
            imputer: entry,
            params: ParamValues::new(),
            networks: networks(),
        },
        weights: lucarne::Weights::Trained,
    };
    let map = map();
    let evidence = Evidence::new(&input, &map, None).expect("the map fits");
    let metric = metric::find(metric).expect("it exists");
    pollster::block_on(metric.evaluate_dyn(&cx, &evidence, &steps())).expect("it is scored")
}

fn value(found: &Measurement) -> f64 {
    match &found.score {
        Score::Value(value) => *value,
        Score::Undefined(why) => panic!("undefined: {why}"),
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_others() {
    let (first, _) = score("deletion", "uniform-noise", 4, SEED);
    let (again, _) = score("deletion", "uniform-noise", 4, SEED);
    let (other, _) = score("deletion", "uniform-noise", 4, SEED + 1);
    let bits = |found: &Evaluated| {
        let spread = found.spread.expect("several fillings have one");
        let numbers = [
            found.score.expect("it is defined"),
            spread.deviation,
            spread.lowest,
            spread.highest,
        ];
        let curve = found.curves[0].y.iter().copied();
        numbers.into_iter().chain(curve).map(f64::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(bits(&first), bits(&again));
    assert_ne!(bits(&first), bits(&other));
}

#[test]
fn one_filling_is_what_the_metric_gives_and_has_no_spread() {
    let alone = repetition("deletion", "uniform-noise", &SeedStream::new(SEED));
    for draws in [0, 1] {
        let (found, passes) = score("deletion", "uniform-noise", draws, SEED);
        assert_eq!(found.score.map(f64::to_bits), Some(value(&alone).to_bits()));
        assert_eq!(found.curves[0].y, alone.curves[0].y);
        assert_eq!((found.spread, passes), (None, 7));
    }
}

#[test]
fn several_fillings_are_the_mean_and_the_spread_of_each_alone() {
    for id in ["deletion", "insertion", "road"] {
        let seeds = SeedStream::new(SEED);
        let each: Vec<Measurement> = (0..5)
            .map(|k| repetition(id, "uniform-noise", &seeds.draw(k)))
            .collect();
        let scores: Vec<f64> = each.iter().map(value).collect();
        let (found, passes) = score(id, "uniform-noise", 5, SEED);
        let mean = scores.iter().sum::<f64>() / 5.0;
        let variance = scores.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0;
        assert!(variance > 0.0, "{id}: every filling scores alike: {scores:?}");
        let spread = found.spread.expect("several fillings have one");
        assert_eq!(spread.draws, 5);
        for (found, expected) in [
            (found.score.expect("it is defined"), mean),
            (spread.deviation, variance.sqrt()),
            (spread.lowest, scores.iter().copied().fold(f64::INFINITY, f64::min)),
            (spread.highest, scores.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        ] {
            assert!((found - expected).abs() < 1e-12, "{id}: {found}, not {expected}");
        }
        for (k, curve) in found.curves.iter().enumerate() {
            for (i, &y) in curve.y.iter().enumerate() {
                let mean = each.iter().map(|m| m.curves[k].y[i]).sum::<f64>() / 5.0;
                assert!(
                    (y - mean).abs() < 1e-12,
                    "{id}: {} at {i}: {y}, not {mean}",
                    curve.label
                );
            }
        }
        let (_, once) = score(id, "uniform-noise", 1, SEED);
        assert_eq!((passes, found.provenance.forward), (5 * once, 5 * once), "{id}");
    }
}

#[test]
fn what_draws_nothing_is_run_once() {
    for imputer in ["constant", "gaussian-blur", "channel-mean"] {
        let (once, passes) = score("deletion", imputer, 1, SEED);
        let (many, same) = score("deletion", imputer, 6, SEED);
        assert_eq!((many.score, many.spread, same), (once.score, None, passes), "{imputer}");
    }
    // Neither is a metric that removes nothing.
    let (found, _) = score("sparseness", "uniform-noise", 6, SEED);
    assert_eq!(found.spread, None);
}

#[test]
fn a_filling_without_a_score_leaves_none_to_all() {
    // No probability of this network reaches 1: the reason stays, and no spread is told of.
    let inner = small();
    let (input, job, random) = (picture(), Job::new(&Silent), SeedStream::new(SEED));
    let question = Question {
        exec: &inner,
        job: &job,
        input: &input,
        target: WireTarget {
            class: 2,
            kind: WireTargetKind::Probability,
        },
        removal: &Choice::new("uniform-noise", ParamValues::new()),
        networks: &networks(),
        random: &random,
    };
    let around = Circumstances {
        draws: 3,
        ..Circumstances::default()
    };
    let params = values([("least".to_owned(), ParamValue::Number(1.0))]);
    let choice = Choice::new("pic-sic", params);
    let found = pollster::block_on(session::evaluate(&question, &map(), &choice, &around)).expect("it is an answer");
    assert_eq!((found.score, found.spread), (None, None));
    assert!(found.undefined.is_some_and(|why| why.contains("least of 1")));
}

/// Remembers what every progress report said.
#[derive(Default)]
struct Reports(RefCell<Vec<(u64, u64)>>);

impl Host for Reports {
    fn report(&self, report: Report) {
        if let Report::Progress { done, total } = report {
            self.0.borrow_mut().push((done, total));
        }
    }
    fn breathe(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
    fn cancelled(&self) -> bool {
        false
    }
    fn due(&self) -> bool {
        false
    }
}

#[test]
fn all_fillings_are_announced_at_the_start() {
    let host = Reports::default();
    let (found, passes) = watched(&host, "deletion", "uniform-noise", 3, SEED);
    found.expect("it is scored");
    let reports = host.0.into_inner();
    assert_eq!(passes, 21);
    assert!(reports.iter().all(|&(_, total)| total == 21), "{reports:?}");
    assert_eq!(reports.last().map(|r| r.0), Some(21));
}

#[test]
fn more_fillings_than_anybody_waits_for_are_refused_by_name() {
    let (found, passes) = watched(&Silent, "deletion", "uniform-noise", 100_000, SEED);
    let error = found.expect_err("nobody waits for them").to_string();
    assert!(error.contains("draws") && passes == 0, "{error}");
}
