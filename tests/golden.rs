//! Holds the crate against committed results of other implementations: every `tests/golden/*/case.toml` is a test.
//! `tests/golden/README.md` says what the files mean.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use lucarne::exec::gpu::Shared;
use lucarne::exec::pool::{Batch, Lanes};
use lucarne::exec::{Cpu, Executor, Gpu, Note, NoteKind, Pool};
use lucarne::gpu::Precision;
use lucarne::imputer::Networks;
use lucarne::job::Silent;
use lucarne::metric::{Evidence, Exhibit, Explainer, Score};
use lucarne::model::{Limits, Model, ModelCard, Target, TargetKind};
use lucarne::params::{ParamValue, ParamValues, Params};
use lucarne::rng::SeedStream;
use lucarne::segment::{Pixels, Segments, felzenszwalb, quickshift, slic};
use lucarne::visualise::VisualiseParams;
use lucarne::{Context, Input, Job, Mask, Removal, Tensor, attribution, imputer, metric, npy};
use serde::Deserialize;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    kind: String,
    model: String,
    input: String,
    expected: String,
    #[serde(default)]
    id: String,
    mask: Option<String>,
    #[serde(default)]
    known_failure: bool,
    #[serde(default)]
    target: TargetTable,
    #[serde(default)]
    params: toml::Table,
    #[serde(default)]
    imputer: toml::Table,
    #[serde(default)]
    attribution: toml::Table,
    #[serde(default)]
    explainer: toml::Table,
    #[serde(default)]
    set: BTreeMap<String, usize>,
    other: Option<String>,
    #[serde(default)]
    curves: BTreeMap<String, String>,
    #[serde(default)]
    recorded: BTreeMap<String, String>,
    tolerance: Tolerance,
    #[expect(dead_code, reason = "says where the numbers come from; nothing to check")]
    reference: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    #[serde(default)]
    class: usize,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    output: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tolerance {
    relative: Option<f64>,
    absolute: Option<f64>,
    cosine: Option<f64>,
}

/// With the network that the imputer `id` runs, if any.
fn networks(id: &str) -> Outcome<Networks> {
    let networks = Networks::default();
    if let Some(id) = imputer::find(id)?.meta().network {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/{id}/{id}.onnx"));
        networks.load(id, &std::fs::read(path)?, &Limits::default())?;
    }
    Ok(networks)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn model(name: &str, output: &str) -> Outcome<Arc<Model>> {
    static LOADED: LazyLock<Mutex<HashMap<String, Arc<Model>>>> = LazyLock::new(Mutex::default);
    let key = format!("{name}/{output}");
    if let Some(model) = LOADED.lock().expect("no test panics while loading").get(&key) {
        return Ok(model.clone());
    }
    let net = root().join(format!("tests/nets/{name}.onnx"));
    let (bytes, mut card) = if net.exists() {
        let bytes = std::fs::read(net)?;
        let card = lucarne::graph::inspect::inspect(&bytes, &Limits::default())?.card;
        (bytes, card)
    } else {
        let folder = root().join("models").join(name);
        let card = ModelCard::parse(&std::fs::read_to_string(folder.join("card.toml"))?)?;
        (std::fs::read(folder.join(&card.file))?, card)
    };
    if !output.is_empty() {
        output.clone_into(&mut card.output.name);
    }
    let model = Model::load(&bytes, card, Vec::new(), &Limits::default())?;
    LOADED
        .lock()
        .expect("no test panics while loading")
        .insert(key, model.clone());
    Ok(model)
}

fn params(table: &toml::Table, without: &str) -> ParamValues {
    let value = |v: &toml::Value| match v {
        toml::Value::Integer(i) => ParamValue::Number(*i as f64),
        toml::Value::Float(f) => ParamValue::Number(*f),
        toml::Value::Boolean(b) => ParamValue::Flag(*b),
        other => ParamValue::Text(other.as_str().unwrap_or_default().to_owned()),
    };
    table
        .iter()
        .filter(|(k, _)| *k != without)
        .map(|(k, v)| (k.clone(), value(v)))
        .collect()
}

fn text<'a>(table: &'a toml::Table, key: &str) -> &'a str {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

/// What was computed, and what the reference computed.
struct Pair {
    what: String,
    found: Vec<f32>,
    expected: Tensor,
}

/// What a case runs on.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Cpu,
    Gpu,
}

/// How far a case may be off on a GPU, of the largest value, where its own tolerance is tighter: sums are taken in another
/// order there, and functions are exact to fewer digits.
const ON_GPU: f64 = 1e-4;

/// No siblings.
struct Alone;

impl Lanes for Alone {
    fn count(&self) -> usize {
        0
    }
    fn send(&self, _: usize, _: Batch) -> lucarne::BoxFuture<'static, Result<Vec<Tensor>, lucarne::Error>> {
        unreachable!("there are no siblings")
    }
    fn now(&self) -> f64 {
        0.0
    }
}

fn executor(model: &Arc<Model>, on: On) -> Outcome<Box<dyn Executor>> {
    let cpu = Cpu::new(model.clone());
    if on == On::Cpu {
        return Ok(Box::new(cpu));
    }
    let pool = Rc::new(Pool::new(cpu, Rc::new(Alone)));
    let device = DEVICE.with(|device| -> Outcome<Rc<lucarne::gpu::Gpu>> {
        if let Some(device) = device.get() {
            return Ok(Rc::clone(device));
        }
        let opened = pollster::block_on(lucarne::gpu::Gpu::open(lucarne::gpu::Options { software: true }))?;
        Ok(Rc::clone(device.get_or_init(|| ManuallyDrop::new(Rc::new(opened)))))
    })?;
    Ok(Box::new(Gpu::new(pool, Shared::new(device, Precision::Single))))
}

thread_local! {
    /// One a thread, with the kernels that its cases have compiled. Drivers do not like to be left while a thread ends.
    static DEVICE: OnceCell<ManuallyDrop<Rc<lucarne::gpu::Gpu>>> = const { OnceCell::new() };
}

fn run(folder: &Path, case: &Case, on: On) -> Outcome<Vec<Pair>> {
    let read = |file: &str| -> Outcome<Tensor> {
        let bytes = std::fs::read(folder.join(file)).map_err(|e| format!("{file}: {e}"))?;
        Ok(npy::read(&bytes)?)
    };
    let model = model(&case.model, &case.target.output)?;
    let exec = executor(&model, on)?;
    let input = Input::preprocessed(read(&case.input)?);
    let mut random = SeedStream::new(0);
    for (stream, file) in &case.recorded {
        random = random.with_recorded(stream, read(file)?);
    }
    let kind = match case.target.kind.as_str() {
        "logit" => TargetKind::Logit,
        "probability" => TargetKind::Probability,
        "" | "output" => TargetKind::Output,
        other => return Err(format!("unknown target kind {other}").into()),
    };
    let mut removal = Removal::default();
    if case.kind == "imputer" {
        removal.networks = networks(&case.id)?;
    }
    if !case.imputer.is_empty() {
        let id = text(&case.imputer, "id");
        removal.networks = networks(id)?;
        removal.imputer = imputer::find(id)?;
        removal.params = params(&case.imputer, "id");
    }
    let job = Job::new(&Silent);
    let target = Target {
        class: case.target.class,
        kind,
    };
    let cx = Context {
        exec: &*exec,
        job: &job,
        random: &random,
        target,
        removal,
        weights: lucarne::Weights::Trained,
    };
    let mask = || -> Outcome<Option<Mask>> {
        let Some(file) = case.mask.as_deref() else {
            return Ok(None);
        };
        let mask = read(file)?;
        let &[h, w] = mask.shape() else {
            return Err("the mask is not [H, W]".into());
        };
        Ok(Some(Mask::new(h, w, mask.data().iter().map(|&v| v > 0.5).collect())))
    };
    let values = params(&case.params, "");
    let expected = read(&case.expected)?;
    let mut pairs = Vec::new();
    let mut shape = None;
    let found = match case.kind.as_str() {
        "logits" => {
            let picture = match mask()? {
                Some(mask) => pollster::block_on(cx.impute(&input, &mask))?,
                None => input.tensor.clone(),
            };
            let x = Tensor::stack(&[picture]);
            let logits = pollster::block_on(cx.forward(&x, &[]))?.remove(0);
            model.network().head().of_kind(kind).apply(logits.row(0))
        }
        "gradient" | "attribution" => {
            let method = attribution::find(&case.id)?;
            let map = pollster::block_on(method.attribute_dyn(&cx, &input, &values))?.map;
            shape = Some(map.shape().to_vec());
            map.into_data()
        }
        "visualisation" => {
            let params = VisualiseParams::parse(&values)?;
            let found = pollster::block_on(lucarne::visualise::visualise(&cx, &input.space, &params))?;
            shape = Some(found.picture.shape().to_vec());
            found.picture.into_data()
        }
        "imputer" => {
            let mask = mask()?.ok_or("an imputer needs a mask")?;
            let imputer = imputer::find(&case.id)?;
            let picture = pollster::block_on(imputer::impute(imputer, &values, &cx.imputing(), &input, &mask))?;
            shape = Some(picture.shape().to_vec());
            picture.into_data()
        }
        "segments" => {
            let found = pollster::block_on(segments(&case.id, &cx, &input, &case.params))?;
            shape = Some(vec![found.size().0, found.size().1]);
            found.labels.iter().map(|&l| l as f32).collect()
        }
        "metric" => {
            let map = read(text(&case.attribution, "file"))?;
            let truth = mask()?;
            let exhibit = |(file, &class): (&String, &usize)| -> Outcome<Exhibit> {
                let input = Input::preprocessed(read(file)?);
                Ok(Exhibit { input, class })
            };
            let set = case.set.iter().map(exhibit).collect::<Outcome<Vec<_>>>()?;
            let mut evidence = Evidence::new(&input, &map, truth.as_ref())?;
            evidence.set = &set;
            if let Some(file) = &case.other {
                evidence.other = Some(metric::curve::pixel_relevance(&input, &read(file)?)?);
            }
            if !case.explainer.is_empty() {
                evidence.explainer = Some(Explainer {
                    method: attribution::find(text(&case.explainer, "id"))?,
                    params: params(&case.explainer, "id"),
                });
            }
            let metric = metric::find(&case.id)?;
            let measured = pollster::block_on(metric.evaluate_dyn(&cx, &evidence, &values))?;
            for (label, file) in &case.curves {
                let labels: Vec<_> = measured.curves.iter().map(|c| c.label.as_str()).collect();
                let curve = measured.curves.iter().find(|c| c.label == *label);
                let curve = curve.ok_or_else(|| format!("there is no curve {label}, only {labels:?}"))?;
                let found = curve.y.iter().map(|&v| v as f32).collect();
                pairs.push(Pair {
                    what: format!("curve {label}"),
                    found,
                    expected: read(file)?,
                });
            }
            match measured.score {
                Score::Value(value) => vec![value as f32],
                Score::Undefined(why) => return Err(format!("undefined: {why}").into()),
            }
        }
        other => return Err(format!("unknown kind {other}").into()),
    };
    if let Some(shape) = shape.filter(|s| s != expected.shape()) {
        return Err(format!("the shape is {shape:?}, not {:?}", expected.shape()).into());
    }
    pairs.push(Pair {
        what: case.kind.clone(),
        found,
        expected,
    });
    // Missing values, and slopes in `f64`, are the processor's by purpose.
    let meant = |note: &Note| match note.kind {
        NoteKind::Missing => true,
        NoteKind::Operator => note.text.contains("Secant"),
        _ => false,
    };
    if on == On::Gpu && !exec.notes().iter().all(meant) {
        return Err(format!("it did not all run on the GPU: {:?}", exec.notes()).into());
    }
    Ok(pairs)
}

/// Segments by the segmenter's own options.
async fn segments(id: &str, cx: &Context<'_>, input: &Input, params: &toml::Table) -> Outcome<Segments> {
    let number = |name: &str, default: f64| match params.get(name) {
        Some(toml::Value::Integer(i)) => *i as f64,
        Some(toml::Value::Float(f)) => *f,
        _ => default,
    };
    let pixels = Pixels::of(input);
    Ok(match id {
        "slic" => {
            let d = slic::Options::default();
            let options = slic::Options {
                segments: number("segments", d.segments as f64) as usize,
                compactness: number("compactness", d.compactness),
                sigma: number("sigma", d.sigma),
                rounds: d.rounds,
            };
            slic::segment(cx.job, &pixels, &options).await?
        }
        "quickshift" => {
            let d = quickshift::Options::default();
            let options = quickshift::Options {
                kernel: number("kernel", d.kernel),
                reach: number("reach", d.reach),
                ratio: number("ratio", d.ratio),
                sigma: number("sigma", d.sigma),
            };
            quickshift::segment(cx.job, cx.random, &pixels, &options).await?
        }
        "felzenszwalb" => {
            let d = felzenszwalb::Options::default();
            let options = felzenszwalb::Options {
                scale: number("scale", d.scale),
                sigma: number("sigma", d.sigma),
                min_size: number("min_size", d.min_size as f64) as usize,
            };
            felzenszwalb::segment(cx.job, &pixels, &options).await?
        }
        other => return Err(format!("unknown segmenter {other}").into()),
    })
}

/// Checks one pair; returns its figures in words.
fn compare(pair: &Pair, tolerance: Tolerance) -> Result<String, String> {
    let (found, expected) = (&pair.found, pair.expected.data());
    let what = &pair.what;
    if found.len() != expected.len() {
        return Err(format!("{what}: {} values, not {}", found.len(), expected.len()));
    }
    if found.iter().chain(expected).any(|v| !v.is_finite()) {
        return Err(format!("{what}: a value is not finite"));
    }
    let (mut error, mut top, mut dot, mut ff, mut ee) = (0f64, 0f64, 0f64, 0f64, 0f64);
    for (&f, &e) in found.iter().zip(expected) {
        let (f, e) = (f64::from(f), f64::from(e));
        error = error.max((f - e).abs());
        top = top.max(e.abs());
        dot += f * e;
        ff += f * f;
        ee += e * e;
    }
    let relative = if error == 0.0 { 0.0 } else { error / top };
    let cosine = if ff == 0.0 && ee == 0.0 {
        1.0
    } else {
        dot / (ff * ee).sqrt()
    };
    let figures = format!(
        "{what}: relative {relative:.1e}, absolute {error:.1e}, 1 - cosine {:.1e}",
        1.0 - cosine
    );
    let Tolerance {
        relative: r,
        absolute: a,
        cosine: c,
    } = tolerance;
    if r.is_none() && a.is_none() && c.is_none() {
        return Err(format!("{what}: the case names no tolerance"));
    }
    let good = r.is_none_or(|r| relative <= r) && a.is_none_or(|a| error <= a) && c.is_none_or(|c| cosine >= c);
    if good { Ok(figures) } else { Err(figures) }
}

fn check(folder: &Path, on: On) -> Outcome<String> {
    let case: Case = toml::from_str(&std::fs::read_to_string(folder.join("case.toml"))?)?;
    let on_gpu = Tolerance {
        relative: Some(ON_GPU),
        absolute: None,
        cosine: None,
    };
    let held = |pair: &Pair| match (compare(pair, case.tolerance), on) {
        (Err(_), On::Gpu) => compare(pair, on_gpu),
        (held, _) => held,
    };
    let result = run(folder, &case, on).and_then(|pairs| {
        let figures: Result<Vec<_>, String> = pairs.iter().map(held).collect();
        Ok(figures?.join("; "))
    });
    match (result, case.known_failure) {
        (Ok(figures), true) => Err(format!("this is marked as a known failure, but it passes: {figures}").into()),
        (Err(error), true) => Ok(format!("fails as known: {error}")),
        (result, false) => result,
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("tests/golden"))
        .expect("tests/golden is committed")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.join("case.toml").exists())
        .collect();
    folders.sort();
    let figures: Arc<Mutex<Vec<String>>> = Arc::default();
    let required = std::env::var_os("LUCARNE_REQUIRE_GPU").is_some_and(|v| v == "1");
    let gpu = pollster::block_on(lucarne::gpu::Gpu::open(lucarne::gpu::Options { software: true }));
    if let (Err(why), false) = (&gpu, required) {
        println!("no case runs on a GPU: {why}");
    }
    let on_gpu = if gpu.is_ok() || required {
        folders.clone()
    } else {
        Vec::new()
    };
    let trial = |folder: PathBuf, on: On| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = if on == On::Gpu { format!("gpu/{name}") } else { name };
        let figures = figures.clone();
        Trial::test(name.clone(), move || {
            let found = check(&folder, on).map_err(|e| Failed::from(e.to_string()))?;
            figures
                .lock()
                .expect("no test panics while noting")
                .push(format!("{name}: {found}"));
            Ok(())
        })
    };
    let trials = folders.into_iter().map(|folder| trial(folder, On::Cpu));
    let trials = trials.chain(on_gpu.into_iter().map(|folder| trial(folder, On::Gpu)));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    let mut figures = std::mem::take(&mut *figures.lock().expect("all tests are done"));
    figures.sort();
    for line in figures {
        println!("{line}");
    }
    conclusion.exit();
}
