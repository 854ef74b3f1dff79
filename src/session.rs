//! The whole tasks that the page and the command line share: predict, explain, evaluate, impute. Each result says how
//! it came about.

use sha2::{Digest, Sha256};

use crate::error::{Error, InputError};
use crate::exec::Executor;
use crate::graph::Layer;
use crate::imputer::{ImputeContext, Networks};
use crate::model::target::Head;
use crate::params::{ParamValue, ParamValues, Params};
use crate::protocol::{
    Attributed, Choice, ClassScore, Estimate, Evaluated, Gauge, Gauged, LayerInfo, ModelInfo, Provenance, Spread,
    Visualised, WireCurve, WireEntry, WireError, WireNote, WireRegistry, WireTarget, WireTargetKind,
};
use crate::rng::SeedStream;
use crate::segment::{Pixels, Segmentation, Segments, slic};
use crate::visualise::{self, VisualiseParams};
use crate::{
    Context, Input, Job, Mask, Model, Removal, Target, Tensor, Weights, Wrt, attribution, criteria, imputer,
    job::Passes, metric, metric::Score,
};

/// One question about one picture: what every result's provenance shares.
pub struct Question<'a> {
    /// Runs the network.
    pub exec: &'a dyn Executor,
    /// Progress and cancellation.
    pub job: &'a Job<'a>,
    /// The preprocessed picture.
    pub input: &'a Input,
    /// What is explained.
    pub target: WireTarget,
    /// The removal operator.
    pub removal: &'a Choice,
    /// The networks that imputers run.
    pub networks: &'a Networks,
    /// Random streams.
    pub random: &'a SeedStream,
}

/// Classes by falling probability; all of them where `top` is 0. Ties keep class order.
pub async fn predict(exec: &dyn Executor, job: &Job<'_>, input: &Input, top: usize) -> Result<Vec<ClassScore>, Error> {
    let model = exec.model();
    attribution::check_input(model, input)?;
    let x = Tensor::stack(std::slice::from_ref(&input.tensor));
    let logits = exec.forward(&x, &[]).await?.remove(0);
    job.step(Passes {
        forward: 1,
        backward: 0,
    })
    .await?;
    if !logits.is_finite() {
        return Err(crate::error::RunError::NonFinite { what: "answer".into() }.into());
    }
    Ok(classes(model, &logits, top))
}

/// The classes of one picture's `logits` by falling value; all of them where `top` is 0. Ties keep class order.
fn classes(model: &Model, logits: &Tensor, top: usize) -> Vec<ClassScore> {
    let probabilities = model
        .network()
        .head()
        .of_kind(crate::TargetKind::Probability)
        .apply(logits.data());
    let mut classes: Vec<ClassScore> = logits
        .data()
        .iter()
        .zip(&probabilities)
        .enumerate()
        .map(|(class, (&logit, &probability))| ClassScore {
            class,
            label: model.label(class),
            logit,
            probability,
        })
        .collect();
    classes.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    if top > 0 {
        classes.truncate(top);
    }
    classes
}

/// The raw map of `method`, and how it came about.
pub async fn explain(q: &Question<'_>, method: &Choice) -> Result<(Tensor, Attributed), Error> {
    q.exec.begin();
    let entry = attribution::find(&method.id)?;
    let params = entry.resolve(&method.values())?;
    let cx = q.context()?;
    let result = entry.attribute_dyn(&cx, q.input, &params).await?;
    if !result.map.is_finite() {
        return Err(crate::error::RunError::NonFinite {
            what: "attribution".into(),
        }
        .into());
    }
    let attributed = Attributed {
        shape: result.map.shape().to_vec(),
        signed: entry.meta().signed,
        layer: match result.space {
            attribution::Space::Input => None,
            attribution::Space::Layer(name) => Some(name),
        },
        completeness_gap: result.completeness_gap,
        provenance: q.provenance(entry.meta().id, params, entry.meta().needs(attribution::Need::Imputer))?,
    };
    Ok((result.map, attributed))
}

/// What a score may take into account besides the picture and the map.
#[derive(Default)]
pub struct Circumstances<'a> {
    /// The method that made the map.
    pub method: Option<&'a Choice>,
    /// The pixels that are known to matter.
    pub truth: Option<&'a Mask>,
    /// Other pictures of the same network.
    pub set: &'a [metric::Exhibit],
    /// A second map of the same picture.
    pub other: Option<&'a Tensor>,
    /// How many fillings of a stochastic imputer a score is the mean over; 0 counts as 1.
    pub draws: u32,
}

/// Most fillings that a score is the mean over.
const DRAWS: u32 = 1000;

/// The score of `map` (`[C, H, W]` or `[1, h, w]`) under `metric`.
pub async fn evaluate(
    q: &Question<'_>,
    map: &Tensor,
    metric: &Choice,
    around: &Circumstances<'_>,
) -> Result<Evaluated, Error> {
    q.exec.begin();
    let entry = metric::find(&metric.id)?;
    let params = entry.resolve(&metric.values())?;
    let cx = q.context()?;
    attribution::check_input(q.exec.model(), q.input)?;
    attribution::check_target(q.exec.model(), cx.target)?;
    let mut evidence = metric::Evidence::new(q.input, map, around.truth)?;
    evidence.set = around.set;
    evidence.other = around
        .other
        .map(|other| metric::curve::pixel_relevance(q.input, other))
        .transpose()?;
    if let Some(choice) = around.method {
        let method = attribution::find(&choice.id)?;
        let params = method.resolve(&choice.values())?;
        evidence.explainer = Some(metric::Explainer { method, params });
    }
    let explains_by_removal = entry.meta().needs(metric::Need::Explainer)
        && evidence
            .explainer
            .as_ref()
            .is_some_and(|e| e.method.meta().needs(attribution::Need::Imputer));
    let removes = entry.meta().needs(metric::Need::Imputer) || explains_by_removal;
    let sampled = removes && cx.removal.imputer.meta().stochastic;
    let draws = if sampled { around.draws.max(1) } else { 1 };
    if draws > DRAWS {
        return Err(Error::param("draws", format!("{draws} is more than {DRAWS}")));
    }
    let mut found = Vec::new();
    for draw in 0..draws {
        q.job.repeat(if draw == 0 { u64::from(draws) } else { 0 });
        // The first draw is what a single one would be.
        let random = q.random.draw(draw);
        let cx = Context {
            random: &random,
            ..q.context()?
        };
        found.push(entry.evaluate_dyn(&cx, &evidence, &params).await?);
    }
    let (score, undefined, spread) = over_draws(&found);
    let curves = mean_curves(found);
    let provenance = q.provenance(entry.meta().id, params, removes)?;
    Ok(Evaluated {
        score,
        undefined,
        spread,
        curves,
        provenance,
    })
}

/// The mean score of several fillings, or why there is none, and the spread where there is more than one.
fn over_draws(found: &[metric::Measurement]) -> (Option<f64>, Option<String>, Option<Spread>) {
    let mut values = Vec::new();
    for one in found {
        match &one.score {
            Score::Value(value) if value.is_finite() => values.push(*value),
            Score::Value(_) => return (None, Some("the score is not a finite number".to_owned()), None),
            Score::Undefined(why) => return (None, Some(why.clone()), None),
        }
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.len() > 1).then(|| {
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Spread {
            draws: values.len() as u32,
            deviation: (squares / (n - 1.0)).sqrt(),
            lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
            highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    });
    (Some(mean), None, spread)
}

/// The curves of several fillings, averaged point by point; the first's where their points differ.
fn mean_curves(mut found: Vec<metric::Measurement>) -> Vec<WireCurve> {
    let rest = found.split_off(1);
    let average = |k: usize, curve: metric::Curve| {
        let mut y: Vec<f64> = curve.y.clone();
        let others: Vec<_> = rest.iter().filter_map(|f| f.curves.get(k)).collect();
        if others.len() == rest.len() && others.iter().all(|o| o.y.len() == y.len()) {
            for (i, value) in y.iter_mut().enumerate() {
                let sum = *value + others.iter().map(|o| o.y[i]).sum::<f64>();
                *value = sum / (others.len() + 1) as f64;
            }
        }
        WireCurve {
            label: curve.label,
            x: curve.x,
            y,
        }
    };
    let first = found.remove(0);
    first
        .curves
        .into_iter()
        .enumerate()
        .map(|(k, c)| average(k, c))
        .collect()
}

/// `input` with the pixels of `removed` filled, `[C, H, W]` in the input's value space.
pub async fn impute(cx: &ImputeContext<'_>, input: &Input, removed: &Mask, removal: &Choice) -> Result<Tensor, Error> {
    let entry = imputer::find(&removal.id)?;
    let params = entry.resolve(&removal.values())?;
    imputer::impute(entry, &params, cx, input, removed).await
}

/// The network's answer to `filled`, a filling by the question's removal: all classes, best first. Pixels that the removal
/// marks as missing are left out of it.
pub async fn answer(q: &Question<'_>, filled: &Input) -> Result<Vec<ClassScore>, Error> {
    let cx = q.context()?;
    let model = q.exec.model();
    if cx.removal.imputer.marks_missing() {
        model.network().check_missing()?;
    } else {
        attribution::check_input(model, filled)?;
    }
    let x = Tensor::stack(std::slice::from_ref(&filled.tensor));
    let logits = cx.forward(&x, &[]).await?.remove(0);
    if !logits.is_finite() {
        return Err(crate::error::RunError::NonFinite { what: "answer".into() }.into());
    }
    Ok(classes(model, &logits, 0))
}

/// The target of a question that is asked before its class is known.
pub const UNASKED: WireTarget = WireTarget {
    class: 0,
    kind: WireTargetKind::Probability,
};

/// The first filling of `removed` `[C, H, W]`, the network's answers to it and to the picture, and every criterion. The
/// question's target is not used: it is the class that the network gives the picture. `draws`: see [`criteria::judge()`].
pub async fn gauge(
    q: &Question<'_>,
    removed: &Mask,
    draws: u32,
    features: Option<&criteria::Features>,
) -> Result<(Tensor, Gauged), Error> {
    const TOP: usize = 5;
    q.exec.begin();
    let found = criteria::judge(&q.context()?, q.input, removed, draws, features).await?;
    let model = q.exec.model();
    let gauges = found.gauges.into_iter().map(|(id, score)| {
        let (value, undefined) = match score {
            Score::Value(value) => (Some(value), None),
            Score::Undefined(why) => (None, Some(why)),
        };
        let id = id.to_owned();
        Gauge { id, value, undefined }
    });
    let target = WireTarget {
        class: found.class,
        ..UNASKED
    };
    let params = [("draws".to_owned(), ParamValue::Number(f64::from(draws)))].into();
    let [_, height, width] = q.input.dims();
    let gauged = Gauged {
        width,
        height,
        answers: classes(model, &found.after.logits, 0),
        original: classes(model, &found.before.logits, TOP),
        gauges: gauges.collect(),
        provenance: Question { target, ..*q }.provenance(GAUGE, params, true)?,
    };
    Ok((found.filling, gauged))
}

/// Id of the criteria in provenance.
pub const GAUGE: &str = "gauge";

/// The superpixels (SLIC) of `input`, about `segments` of them. Runs no pass.
pub async fn superpixels(job: &Job<'_>, input: &Input, segments: usize) -> Result<Segments, Error> {
    let [_, height, width] = input.dims();
    let how = Segmentation {
        segments,
        ..Segmentation::default()
    };
    how.check(height, width)?;
    let options = slic::Options {
        segments,
        ..slic::Options::default()
    };
    slic::segment(job, &Pixels::of(input), &options).await
}

/// What `entry` would cost on `model`, and whether it would be refused there; runs nothing.
pub fn estimate(model: &Model, entry: &WireEntry) -> Estimate {
    let WireEntry { registry, entry } = entry;
    let passes = || -> Result<Passes, Error> {
        match registry {
            WireRegistry::Method => {
                let method = attribution::find(&entry.id)?;
                let passes = method.passes_dyn(model, &method.resolve(&entry.values())?)?;
                if method.meta().needs(attribution::Need::Gradient) {
                    model.network().check_gradient(&[Wrt::Input])?;
                }
                Ok(passes)
            }
            WireRegistry::Metric => {
                metric::find(&entry.id)?.resolve(&entry.values())?;
                Ok(Passes::default())
            }
            WireRegistry::Imputer => {
                imputer::find(&entry.id)?.resolve(&entry.values())?;
                Ok(Passes::default())
            }
        }
    };
    let (Passes { forward, backward }, refusal) = match passes() {
        Ok(passes) => (passes, None),
        Err(error) => (Passes::default(), Some(WireError::from(&error))),
    };
    Estimate {
        forward,
        backward,
        refusal,
    }
}

/// Id of feature visualisation in provenance.
pub const VISUALISE: &str = "feature-visualisation";

/// A picture in pixel values that a class, a channel or a neuron answers to.
pub async fn visualise(
    exec: &dyn Executor,
    job: &Job<'_>,
    class: usize,
    choice: &Choice,
    random: &SeedStream,
) -> Result<(Input, Visualised), Error> {
    exec.begin();
    let params = VisualiseParams::parse(&choice.values())?;
    let model = exec.model();
    let cx = Context {
        exec,
        job,
        random,
        target: Target {
            class,
            kind: crate::TargetKind::Logit,
        },
        removal: Removal::default(),
        weights: Weights::Trained,
    };
    let space = model.card().preprocessing.normalisation();
    let found = visualise::visualise(&cx, &space, &params).await?;
    let passes = job.passes();
    let visualised = Visualised {
        width: found.picture.shape()[2],
        height: found.picture.shape()[1],
        objective: found.objective,
        provenance: Provenance {
            lucarne: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.card().id.clone(),
            model_sha256: model.sha256().to_owned(),
            input_sha256: String::new(),
            baseline_sha256: None,
            device: exec.device().to_string(),
            notes: notes(exec),
            of: Choice::new(VISUALISE, params.values()),
            removal: None,
            removal_sha256: None,
            target: WireTarget {
                class,
                kind: WireTargetKind::Logit,
            },
            label: model.label(class),
            seed: seed_of(random)?,
            forward: passes.forward,
            backward: passes.backward,
        },
    };
    Ok((Input::preprocessed(found.picture), visualised))
}

/// What the executor has to say of the job, if anything.
fn notes(exec: &dyn Executor) -> Option<Vec<WireNote>> {
    let notes = exec.notes();
    (!notes.is_empty()).then(|| notes.iter().map(WireNote::from).collect())
}

fn seed_of(random: &SeedStream) -> Result<u32, InputError> {
    u32::try_from(random.seed()).map_err(|_| InputError::Param {
        field: "seed".into(),
        why: format!("{} is not below 2^32", random.seed()),
    })
}

/// What the page and the command line show of a loaded network.
pub fn describe(model: &Model) -> ModelInfo {
    let network = model.network();
    ModelInfo {
        id: model.card().id.clone(),
        name: model.card().name.clone(),
        sha256: model.sha256().to_owned(),
        dims: model.input_dims(),
        classes: model.classes(),
        labels: (0..model.classes()).map(|k| model.label(k)).collect(),
        head: match network.head() {
            Head::Logits => "logits",
            Head::Softmax => "softmax",
            Head::LogSoftmax => "log-softmax",
            Head::Sigmoid => "sigmoid",
        }
        .to_owned(),
        layers: layers(network.layers()),
        default_layer: model.layer("").ok(),
        gradient_error: network
            .check_gradient(&[Wrt::Input])
            .err()
            .map(|e| WireError::from(&Error::from(e))),
    }
}

fn layers(layers: &[Layer]) -> Vec<LayerInfo> {
    let mut found: Vec<LayerInfo> = Vec::new();
    for layer in layers {
        let deepest = layer.reads.iter().filter_map(|&i| found.get(i)).map(|l| l.depth).max();
        found.push(LayerInfo {
            name: layer.name.clone(),
            op: layer.op.clone(),
            shape: layer.shape.clone(),
            reads: layer.reads.clone(),
            depth: deepest.unwrap_or(0) + 1,
            grid: layer.grid.map(|g| [g.height, g.width]),
            attention: layer.attention,
        });
    }
    found
}

impl<'a> Question<'a> {
    fn context(&self) -> Result<Context<'a>, Error> {
        let entry = imputer::find(&self.removal.id)?;
        Ok(Context {
            exec: self.exec,
            job: self.job,
            random: self.random,
            target: Target {
                class: self.target.class,
                kind: self.target.kind.into(),
            },
            removal: Removal {
                imputer: entry,
                params: entry.resolve(&self.removal.values())?,
                networks: self.networks.clone(),
            },
            weights: Weights::Trained,
        })
    }

    fn provenance(&self, id: &str, params: ParamValues, removes: bool) -> Result<Provenance, Error> {
        let model = self.exec.model();
        let entry = imputer::find(&self.removal.id)?;
        let removal = removes
            .then(|| {
                entry
                    .resolve(&self.removal.values())
                    .map(|p| Choice::new(entry.meta().id, p))
            })
            .transpose()?;
        let passes = self.job.passes();
        Ok(Provenance {
            lucarne: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.card().id.clone(),
            model_sha256: model.sha256().to_owned(),
            input_sha256: input_sha256(self.input),
            baseline_sha256: self.random.recorded(attribution::baselines::GIVEN).map(tensor_sha256),
            device: self.exec.device().to_string(),
            notes: notes(self.exec),
            of: Choice::new(id, params),
            removal_sha256: removal
                .as_ref()
                .and_then(|_| self.networks.sha256(entry.meta().network?)),
            removal,
            target: self.target,
            label: model.label(self.target.class),
            seed: seed_of(self.random)?,
            forward: passes.forward,
            backward: passes.backward,
        })
    }
}

/// `random` with the pictures that methods with `reference = picture` compare with. Refuses pictures that are not inputs
/// of `model`.
pub fn with_baselines(random: SeedStream, model: &Model, pictures: &[Input]) -> Result<SeedStream, Error> {
    let mut tensors = Vec::new();
    for picture in pictures {
        if picture.dims() != model.input_dims() {
            let (found, expected) = (picture.dims(), model.input_dims());
            return Err(Error::param(
                "baseline",
                format!("its shape is {found:?}, not {expected:?}"),
            ));
        }
        tensors.push(picture.tensor.clone());
    }
    if tensors.is_empty() {
        return Ok(random);
    }
    Ok(random.with_recorded(attribution::baselines::GIVEN, Tensor::stack(&tensors)))
}

/// SHA-256 of the input's little-endian `f32` bytes, as provenance records it.
pub fn input_sha256(input: &Input) -> String {
    tensor_sha256(&input.tensor)
}

fn tensor_sha256(tensor: &Tensor) -> String {
    let mut hash = Sha256::new();
    for value in tensor.data() {
        hash.update(value.to_le_bytes());
    }
    crate::model::hex(&hash.finalize())
}
