//! What the registries promise of every entry.

use lucarne::attribution::{Attribution, Axiom, METHODS, Need, Space, find};
use lucarne::exec::{Cpu, Executor};
use lucarne::imputer::{self, IMPUTERS};
use lucarne::job::{Job, Silent};
use lucarne::metric::{self, Category, Exhibit, METRICS};
use lucarne::params::{ParamValue, ParamValues};
use lucarne::rng::SeedStream;
use lucarne::{Error, Input, Mask, Tensor};

use crate::harness::{Around, Counting, Setting, Watcher, imputing, net, networks, picture, quick, removal, small};

/// Each method and metric as a run on one setting, with the passes that it announces.
type Run<'a> = Box<dyn Fn(&Setting<'_>) -> Result<Vec<u32>, Error> + 'a>;

fn bits(found: &Attribution) -> Vec<u32> {
    found.map.data().iter().map(|v| v.to_bits()).collect()
}

/// A picture, maps of it, and all that a metric may need besides.
struct Scene {
    x: Input,
    /// A map with many ties, so that metrics which break ties by the seed show it.
    tied: Tensor,
    /// The map of the method that metrics explain by.
    gradient: Tensor,
    truth: Mask,
    set: Vec<Exhibit>,
}

impl Scene {
    fn new(exec: &dyn Executor, x: Input) -> Self {
        let [_, height, width] = x.dims();
        let pixels = height * width;
        let exhibit = |k: usize| Exhibit {
            input: x.with(x.tensor.map(|v| (v * (2.0 + k as f32)).sin())),
            class: k % 2,
        };
        Self {
            tied: Tensor::from_fn(&[1, height, width], |i| (i % 4) as f32),
            gradient: Setting::new(exec).map("gradient", &x, &ParamValues::new()),
            truth: Mask::new(height, width, (0..pixels).map(|i| i % width < 11 && i > 400).collect()),
            set: (0..5).map(exhibit).collect(),
            x,
        }
    }

    fn around(&self) -> Around<'_> {
        Around {
            truth: Some(&self.truth),
            set: &self.set,
            other: Some(&self.gradient),
            ..Around::method("gradient")
        }
    }
}

fn runs<'a>(scene: &'a Scene, exec: &dyn Executor) -> Vec<(&'static str, bool, u64, Run<'a>)> {
    let x = &scene.x;
    let mut all: Vec<(&'static str, bool, u64, Run<'a>)> = Vec::new();
    let attends = exec.model().network().attention().is_ok();
    for method in METHODS.iter().filter(|m| m.meta().needs(Need::Attention) == attends) {
        let (meta, params) = (method.meta(), quick(&method.specs()));
        let total = method
            .passes_dyn(exec.model(), &params)
            .expect("quick parameters fit")
            .total();
        let run: Run<'a> = Box::new(move |s| s.attribute(meta.id, x, &params).map(|a| bits(&a)));
        all.push((meta.id, meta.stochastic, total, run));
    }
    for entry in METRICS.iter().filter(|_| !attends) {
        let (meta, params) = (entry.meta(), quick(&entry.specs()));
        // What compares the map with others of its method needs it; the rest shows its ties.
        let again = meta.needs(metric::Need::Explainer) && meta.category != Category::Faithfulness;
        let map = if again { &scene.gradient } else { &scene.tied };
        let evidence = scene.around().evidence(x, map).expect("it fits");
        let total = entry
            .passes_dyn(exec.model(), &evidence, &params)
            .expect("quick parameters fit")
            .total();
        let run: Run<'a> = Box::new(move |s| {
            let s = Setting {
                around: scene.around(),
                ..s.clone()
            };
            let found = s.evaluate(meta.id, x, map, &params)?;
            let numbers = found.curves.iter().flat_map(|c| c.x.iter().chain(&c.y));
            let mut bits: Vec<u32> = numbers
                .flat_map(|v| [v.to_bits() as u32, (v.to_bits() >> 32) as u32])
                .collect();
            bits.extend(format!("{:?}", found.score).bytes().map(u32::from));
            Ok(bits)
        });
        all.push((meta.id, meta.stochastic, total, run));
    }
    all
}

/// What everything is run on: a convolutional network, and for the methods that need attention a transformer.
fn subjects() -> [(Cpu, Scene); 2] {
    let seen = Input::preprocessed(Tensor::from_fn(&[3, 32, 32], |i| (i as f32 * 0.7).sin()));
    let (convolutional, transformer) = (small(), net("tiny-vit", [3, 32, 32]));
    let scenes = (Scene::new(&convolutional, picture()), Scene::new(&transformer, seen));
    [(convolutional, scenes.0), (transformer, scenes.1)]
}

#[test]
fn progress_ends_at_the_announced_passes() {
    for (inner, scene) in subjects() {
        for batch in [1, 5] {
            let exec = Counting::new(&inner, batch);
            for (id, _, total, run) in runs(&scene, &exec) {
                let watcher = Watcher::new(u64::MAX);
                let setting = Setting {
                    host: &watcher,
                    ..Setting::new(&exec)
                };
                run(&setting).unwrap_or_else(|e| panic!("{id}: {e}"));
                assert_eq!(watcher.last.get(), (total, total), "{id} with batches of {batch}");
            }
        }
    }
}

#[test]
fn long_methods_offer_partial_maps() {
    let exec = small();
    let x = picture();
    for (id, name) in [
        ("integrated-gradients", "steps"),
        ("smooth-grad", "samples"),
        ("rise", "samples"),
        ("lime", "samples"),
        ("kernel-shap", "samples"),
        ("shapley-sampling", "samples"),
        ("feature-ablation", "segments"),
        ("partition-shap", "evaluations"),
        ("hsic", "designs"),
        ("meaningful-perturbation", "steps"),
        ("extremal-perturbation", "steps"),
        ("fido", "steps"),
    ] {
        let watcher = Watcher::new(u64::MAX);
        let setting = Setting {
            host: &watcher,
            ..Setting::new(&exec)
        };
        let mut params = quick(&find(id).unwrap().specs());
        if let Some(segments) = params.get_mut("segments") {
            *segments = ParamValue::Number(9.0);
        }
        params.insert(name.into(), ParamValue::Number(60.0));
        setting.attribute(id, &x, &params).unwrap();
        assert!(
            (5..=15).contains(&watcher.partial.get()),
            "{id}: {}",
            watcher.partial.get()
        );
    }
}

#[test]
fn cancelling_ends_everything_at_once() {
    for (inner, scene) in subjects() {
        for patience in [1, 2, 4] {
            for batch in [1, 3] {
                let exec = Counting::new(&inner, batch);
                for (id, _, total, run) in runs(&scene, &exec) {
                    exec.pictures.set(0);
                    let watcher = Watcher::new(patience);
                    let found = run(&Setting {
                        host: &watcher,
                        ..Setting::new(&exec)
                    });
                    if watcher.looks.get() >= patience {
                        assert_eq!(found, Err(Error::Cancelled), "{id}");
                        assert_eq!(watcher.looks.get(), patience, "{id} looked on after it was cancelled");
                        assert!(exec.pictures.get() <= patience * batch as u64, "{id} ran on");
                    } else {
                        assert!(
                            found.is_ok() && total <= 2 * patience * batch as u64,
                            "{id} does not look often enough"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn long_solves_can_be_cancelled() {
    let x = Input::preprocessed(Tensor::from_fn(&[1, 90, 90], |i| (i % 91) as f32));
    let removed = Mask::new(90, 90, (0..8100).map(|i| i > 0 && i < 8000).collect());
    for id in ["noisy-linear", "gaussian-blur", "patch-match", "exemplar"] {
        let watcher = Watcher::new(2);
        let (job, random, networks) = (Job::new(&watcher), SeedStream::new(0), networks());
        let cx = imputing(&job, &random, &networks);
        let imputer = imputer::find(id).unwrap();
        let found = pollster::block_on(imputer::impute(imputer, &ParamValues::new(), &cx, &x, &removed));
        assert!(
            matches!(found, Err(Error::Cancelled)),
            "{id} ended without a look at the job"
        );
    }
}

#[test]
fn batches_change_nothing() {
    for (inner, scene) in subjects() {
        let (one, many) = (Counting::new(&inner, 1), Counting::new(&inner, 4));
        for (id, _, _, run) in runs(&scene, &inner) {
            assert_eq!(run(&Setting::new(&one)), run(&Setting::new(&many)), "{id}");
        }
    }
}

#[test]
fn seeds_fix_every_bit_and_matter_where_chance_is_declared() {
    for (exec, scene) in subjects() {
        for (id, stochastic, _, run) in runs(&scene, &exec) {
            let of = |seed| {
                let setting = Setting {
                    seed,
                    ..Setting::new(&exec)
                };
                run(&setting).unwrap()
            };
            assert_eq!(of(1), of(1), "{id}");
            // A score that is undefined for this picture has nothing to differ in; a leak is one of few classes right or
            // wrong, which ties that fall otherwise need not change.
            let varies = (2..6).any(|seed| of(1) != of(seed));
            assert!(
                undefined(&of(1)) || varies == stochastic || id == "mask-leakage",
                "{id} is declared stochastic: {stochastic}"
            );
        }
    }
}

/// Whether a metric's outcome, as [`runs`] gives it, ends in an undefined score.
fn undefined(outcome: &[u32]) -> bool {
    let word: Vec<u32> = "Undefined(".bytes().map(u32::from).collect();
    outcome.windows(word.len()).any(|w| w == word)
}

#[test]
fn seeds_fix_every_bit_of_imputers_too() {
    let x = picture();
    let removed = Mask::new(30, 30, (0..900).map(|i| i % 3 != 0).collect());
    let networks = networks();
    for imputer in IMPUTERS {
        let of = |seed| {
            let (job, random) = (Job::new(&Silent), SeedStream::new(seed));
            let cx = imputing(&job, &random, &networks);
            let found = pollster::block_on(imputer::impute(*imputer, &ParamValues::new(), &cx, &x, &removed)).unwrap();
            found.data().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        let meta = imputer.meta();
        assert_eq!(of(1), of(1), "{}", meta.id);
        assert_eq!(of(1) != of(2), meta.stochastic, "{}", meta.id);
    }
}

#[test]
fn maps_have_the_shape_and_sign_that_is_declared() {
    for (exec, scene) in subjects() {
        let x = &scene.x;
        let attends = exec.model().network().attention().is_ok();
        let [_, height, width] = x.dims();
        for method in METHODS.iter().filter(|m| m.meta().needs(Need::Attention) == attends) {
            let (meta, params) = (method.meta(), quick(&method.specs()));
            let found = Setting::new(&exec).attribute(meta.id, x, &params).unwrap();
            match found.map.shape() {
                &[3 | 1, h, w] if [h, w] == [height, width] => assert_eq!(found.space, Space::Input, "{}", meta.id),
                &[1, h, w] => assert!(matches!(found.space, Space::Layer(_)) && h * w > 1, "{}", meta.id),
                other => panic!("{}: {other:?}", meta.id),
            }
            assert_eq!(
                found.completeness_gap.is_some(),
                meta.promises(Axiom::Completeness),
                "{}",
                meta.id
            );
            // RISE has the sign of the target, which a logit may have below zero; the others' cubic enlargement swings
            // below.
            if !meta.signed && !["rise", "sobol", "hsic"].contains(&meta.id) {
                assert!(found.map.data().iter().all(|&v| v >= 0.0), "{}", meta.id);
            }
        }
    }
}

/// With a real network and picture, chance stays at chance, and falls on both sides of it.
#[test]
fn the_random_control_scores_at_chance() {
    let exec = small();
    let x = picture();
    let scores: Vec<f64> = (0..24)
        .map(|seed| {
            let setting = Setting {
                seed,
                removal: removal("noisy-linear", ParamValues::new()),
                ..Setting::new(&exec)
            };
            let map = setting.map("random", &x, &ParamValues::new());
            setting.score("road", &x, &map, &ParamValues::new())
        })
        .collect();
    let mean = scores.iter().sum::<f64>() / 24.0;
    let deviation = (scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 23.0).sqrt();
    assert!(
        mean.abs() < 3.0 * deviation / 24f64.sqrt(),
        "mean {mean}, deviation {deviation}"
    );
    assert!(
        scores.iter().any(|&s| s > 0.0) && scores.iter().any(|&s| s < 0.0),
        "{scores:?}"
    );
}

#[test]
fn ids_are_unique_kebab_case_and_every_text_is_there() {
    let mut texts: Vec<(&str, [&str; 3])> = Vec::new();
    texts.extend(
        METHODS
            .iter()
            .map(|m| (m.meta().id, [m.meta().summary, m.meta().caution, m.meta().reference])),
    );
    texts.extend(
        METRICS
            .iter()
            .map(|m| (m.meta().id, [m.meta().summary, m.meta().caution, m.meta().reference])),
    );
    for (id, sentences) in &texts {
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{id}");
        assert!(sentences.iter().all(|s| s.len() > 10), "{id}");
        assert!(
            sentences[..2].iter().all(|s| s.ends_with(['.', '?'])),
            "{id} speaks in sentences"
        );
    }
    for list in [
        METHODS.iter().map(|m| m.meta().id).collect::<Vec<_>>(),
        METRICS.iter().map(|m| m.meta().id).collect(),
        IMPUTERS.iter().map(|m| m.meta().id).collect(),
    ] {
        let mut unique = list.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), list.len());
    }
}
