//! `evaluate`: what is asked, and the scores of one picture.

use std::path::Path;

use lucarne::exec::Executor;
use lucarne::imputer::Networks;
use lucarne::job::Host;
use lucarne::metric::{self, Direction, Exhibit, Need};
use lucarne::protocol::{Attributed, Choice, Evaluated, WireTarget, WireTargetKind};
use lucarne::rng::SeedStream;
use lucarne::session::{self, Circumstances, Question};
use lucarne::{Input, Job, Mask, Tensor, attribution};
use pollster::block_on;
use serde::Serialize;

use super::arguments::{Class, Evaluate};
use super::failure::Failure;
use super::progress::Terminal;
use super::{engines, folder, models, output, pictures, values};

/// What is asked of every picture, with every parameter.
pub struct Asked {
    /// Methods that compute maps.
    pub methods: Vec<Choice>,
    /// Metrics, each with the imputers it is run with: one at least.
    pub metrics: Vec<(Choice, Vec<Choice>)>,
    /// Imputer of the methods.
    pub method_imputer: Choice,
    /// Method of the second map.
    pub other: Option<Choice>,
    /// Method that made a map file.
    pub made_by: Option<Choice>,
    /// Which function of the logits.
    pub kind: WireTargetKind,
    /// Random streams.
    pub random: SeedStream,
    /// The networks that imputers run.
    pub networks: Networks,
    /// Fillings of a stochastic imputer that a score is the mean over.
    pub draws: u32,
}

/// Whether `name` names a map file.
fn is_file(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("npy"))
}

fn asked(arguments: &Evaluate) -> Result<Asked, Failure> {
    let named = |name: &Option<String>| name.clone().filter(|name| !is_file(name));
    let maps: Vec<String> = arguments
        .attribution
        .iter()
        .filter(|name| !is_file(name))
        .cloned()
        .collect();
    let wanted = values::Wanted {
        methods: &maps,
        others: &[named(&arguments.other), arguments.made_by.clone()],
        metrics: &arguments.metric,
        params: &arguments.param,
        imputers: &arguments.imputer,
        method_imputer: arguments.method_imputer.as_deref(),
        imputer_params: &arguments.imputer_param,
    };
    let values::Evaluation {
        methods,
        mut others,
        metrics,
        method_imputer,
    } = wanted.resolve()?;
    let made_by = others.pop().flatten();
    let other = others.pop().flatten();
    Ok(Asked {
        methods,
        metrics,
        method_imputer,
        other,
        made_by,
        kind: arguments.target_kind.into(),
        random: SeedStream::new(u64::from(arguments.seed)),
        networks: models::networks()?,
        draws: arguments.draws,
    })
}

/// A picture under a question.
pub struct Subject<'a> {
    /// Runs the network.
    pub exec: &'a dyn Executor,
    /// The picture.
    pub input: &'a Input,
    /// Class.
    pub class: usize,
    /// What is asked.
    pub asked: &'a Asked,
}

impl Subject<'_> {
    fn question<'a>(&'a self, job: &'a Job<'a>, removal: &'a Choice) -> Question<'a> {
        Question {
            exec: self.exec,
            job,
            input: self.input,
            target: WireTarget {
                class: self.class,
                kind: self.asked.kind,
            },
            removal,
            networks: &self.asked.networks,
            random: &self.asked.random,
        }
    }

    /// The map of `method`.
    pub fn explain(&self, host: &dyn Host, method: &Choice) -> Result<(Tensor, Attributed), Failure> {
        let job = Job::new(host);
        let question = self.question(&job, &self.asked.method_imputer);
        Ok(block_on(session::explain(&question, method))?)
    }

    /// The score of `map`.
    pub fn score(
        &self,
        host: &dyn Host,
        map: &Tensor,
        metric: &Choice,
        imputer: &Choice,
        around: &Circumstances<'_>,
    ) -> Result<Evaluated, Failure> {
        let job = Job::new(host);
        let question = self.question(&job, imputer);
        Ok(block_on(session::evaluate(&question, map, metric, around))?)
    }
}

/// `higher` or `lower`.
pub fn direction(metric: &str) -> Result<&'static str, Failure> {
    Ok(match metric::find(metric)?.meta().direction {
        Direction::Higher => "higher",
        Direction::Lower => "lower",
    })
}

/// Whether `metric` needs `need`.
pub fn needs(metric: &Choice, need: Need) -> Result<bool, Failure> {
    Ok(metric::find(&metric.id)?.meta().needs(need))
}

/// `evaluate`.
pub fn run(arguments: &Evaluate, json: bool) -> Result<(), Failure> {
    let asked = asked(arguments)?;
    match (&arguments.folder.images, &arguments.folder.output, &arguments.input) {
        (Some(images), Some(output), _) => {
            let given = arguments.attribution.iter().chain(&arguments.other);
            if let Some(map) = given.into_iter().find(|name| is_file(name)) {
                let hint = "Name a method: every picture of a folder gets its own map.";
                return Err(Failure::usage(
                    format!("{map} is one map, but --images has many pictures"),
                    hint,
                ));
            }
            folder::run(arguments, &asked, images, output, json)
        }
        (_, _, Some(input)) => one(arguments, &asked, input, json),
        _ => Err(Failure::usage(
            "there is no picture to score",
            "Name a picture, or a folder with --images.",
        )),
    }
}

fn one(arguments: &Evaluate, asked: &Asked, input: &Path, json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Scored {
        metric: String,
        direction: &'static str,
        #[serde(flatten)]
        evaluated: Evaluated,
    }
    #[derive(Serialize)]
    struct Answer {
        model: String,
        /// A file's name, or what was computed.
        #[serde(skip_serializing_if = "Option::is_none")]
        map: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attribution: Option<Attributed>,
        scores: Vec<Scored>,
    }
    let [name] = &arguments.attribution[..] else {
        let hint = "Name one; several methods are scored with --images.";
        return Err(Failure::usage("one picture is scored by one map", hint));
    };
    let is_map = is_file(name);
    if arguments.made_by.is_some() && !is_map {
        let hint = "Parameters of the method are given as --param METHOD.name=value.";
        return Err(Failure::usage("--made-by is for a map file", hint));
    }
    let given = is_map.then(|| pictures::map(Path::new(name))).transpose()?;
    let other_given = arguments
        .other
        .as_deref()
        .filter(|other| is_file(other))
        .map(|other| pictures::map(Path::new(other)))
        .transpose()?;
    let model = models::load(&arguments.model, &arguments.network)?;
    let source = pictures::source(input, model.card())?;
    let truth = arguments
        .mask
        .as_deref()
        .map(|mask| pictures::truth(mask, &source, model.card()))
        .transpose()?;
    let pool = engines::engine(&model, &arguments.network)?;
    let host = Terminal::new();
    let class = match arguments.target {
        Class::Index(class) => class,
        Class::Auto => answer(&*pool, &source.input)?,
        Class::Label => {
            return Err(Failure::usage(
                "one picture has no label",
                "Give a class index, or `auto`.",
            ));
        }
    };
    let subject = Subject {
        exec: &*pool,
        input: &source.input,
        class,
        asked,
    };
    let (map, attribution) = match (given, asked.methods.first()) {
        (Some(map), _) => (map, None),
        (None, Some(method)) => subject.explain(&host, method).map(|(map, a)| (map, Some(a)))?,
        (None, None) => return Err(Failure::usage("there is no map to score", "")),
    };
    let other = match (other_given, &asked.other) {
        (Some(map), _) => Some(map),
        (None, Some(method)) => Some(subject.explain(&host, method)?.0),
        (None, None) => None,
    };
    let around = Circumstances {
        method: asked.methods.first().or(asked.made_by.as_ref()),
        truth: truth.as_ref(),
        set: &[],
        other: other.as_ref(),
        draws: asked.draws,
    };
    let mut scores = Vec::new();
    for (metric, imputers) in &asked.metrics {
        for imputer in imputers {
            scores.push(Scored {
                metric: metric.id.clone(),
                direction: direction(&metric.id)?,
                evaluated: subject.score(&Terminal::new(), &map, metric, imputer, &around)?,
            });
        }
    }
    drop(host);
    if json {
        return output::print_json(&Answer {
            model: model.card().id.clone(),
            map: is_map.then(|| name.clone()),
            attribution,
            scores,
        });
    }
    let row = |s: &Scored| {
        let score = match (s.evaluated.score, &s.evaluated.undefined) {
            (Some(score), _) => match s.evaluated.spread {
                Some(spread) => format!("{score:.6} ± {:.6}", spread.deviation),
                None => format!("{score:.6}"),
            },
            (None, why) => format!("undefined: {}", why.as_deref().unwrap_or("")),
        };
        let removal = s.evaluated.provenance.removal.as_ref();
        let imputer = removal.map(|r| r.id.clone()).unwrap_or_default();
        vec![s.metric.clone(), imputer, score, format!("{} is better", s.direction)]
    };
    output::print_table(&scores.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// The network's first answer.
pub fn answer(exec: &dyn Executor, input: &Input) -> Result<usize, Failure> {
    let host = Terminal::new();
    let classes = block_on(session::predict(exec, &Job::new(&host), input, 1))?;
    Ok(classes.first().map_or(0, |best| best.class))
}

/// What surrounds the map of `method` for `metric`: only what the metric needs.
pub fn around<'a>(
    metric: &Choice,
    method: &'a Choice,
    truth: Option<&'a Mask>,
    set: &'a [Exhibit],
    other: Option<&'a Tensor>,
    draws: u32,
) -> Result<Circumstances<'a>, Failure> {
    Ok(Circumstances {
        draws,
        method: Some(method),
        truth: truth.filter(|_| needs(metric, Need::Truth).unwrap_or(false)),
        set: if needs(metric, Need::Set)? { set } else { &[] },
        other: other.filter(|_| needs(metric, Need::Other).unwrap_or(false)),
    })
}

/// Whether `method` removes pixels.
pub fn removes(method: &Choice) -> Result<bool, Failure> {
    Ok(attribution::find(&method.id)?.meta().needs(attribution::Need::Imputer))
}
