//! Models, executors and hosts of these tests.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use lucarne::error::InputError;
use lucarne::exec::{Cpu, Device, Executor};
use lucarne::imputer::{ImputeContext, Networks};
use lucarne::job::{Host, Report, Silent};
use lucarne::metric::{Evidence, Exhibit, Explainer, Measurement, Score};
use lucarne::model::{Limits, ModelCard};
use lucarne::params::{ParamValue, ParamValues};
use lucarne::rng::SeedStream;
use lucarne::{
    BoxFuture, Context, Error, Input, Job, Mask, Model, Program, Removal, Target, TargetKind, Tensor, attribution,
    imputer, metric,
};

use crate::naive::mlp::Layer;
use crate::naive::onnx::dense_network;

pub fn load(onnx: &[u8], [c, h, w]: [usize; 3]) -> Arc<Model> {
    let values = |v: &str| vec![v; c].join(", ");
    let card = format!(
        "id = \"test\"\nname = \"Test\"\n[input]\nname = \"input\"\nshape = [1, {c}, {h}, {w}]\n[preprocessing]\n\
         mean = [{}]\nstd = [{}]\n",
        values("0.0"),
        values("1.0")
    );
    let card = ModelCard::parse(&card).expect("the card is right");
    Model::load(onnx, card, Vec::new(), &Limits::default()).expect("the network loads")
}

/// A network of dense layers.
pub fn dense(dims: [usize; 3], layers: &[Layer]) -> Cpu {
    Cpu::new(load(&dense_network(dims, layers), dims))
}

/// A network of `tests/nets`.
pub fn net(name: &str, dims: [usize; 3]) -> Cpu {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/nets/{name}.onnx"));
    Cpu::new(load(&std::fs::read(path).expect("the network is committed"), dims))
}

/// A convolutional network, 3 × 30 × 30 to 6 classes.
pub fn small() -> Cpu {
    net("small-rgb", [3, 30, 30])
}

/// A picture for [`small`].
pub fn picture() -> Input {
    Input::preprocessed(Tensor::from_fn(&[3, 30, 30], |i| {
        ((i * 7919) % 1000) as f32 / 400.0 - 1.2 + (i as f32 * 0.05).sin()
    }))
}

/// Counts the pictures that pass, and claims another preferred batch.
pub struct Counting<'a> {
    pub inner: &'a dyn Executor,
    pub batch: usize,
    pub pictures: Cell<u64>,
}

impl<'a> Counting<'a> {
    pub fn new(inner: &'a dyn Executor, batch: usize) -> Self {
        Self {
            inner,
            batch,
            pictures: Cell::new(0),
        }
    }
}

impl Executor for Counting<'_> {
    fn model(&self) -> &Model {
        self.inner.model()
    }
    fn device(&self) -> Device {
        self.inner.device()
    }
    fn preferred_batch(&self) -> usize {
        self.batch
    }
    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        let n = inputs[0].shape()[0];
        assert!(n <= self.batch, "a turn holds at most the preferred batch");
        self.pictures.set(self.pictures.get() + n as u64);
        self.inner.run(program, inputs)
    }
}

/// Remembers reports, and cancels at the `patience`-th look.
pub struct Watcher {
    pub looks: Cell<u64>,
    pub patience: u64,
    pub last: Cell<(u64, u64)>,
    pub partial: Cell<u64>,
}

impl Watcher {
    pub fn new(patience: u64) -> Self {
        Self {
            looks: Cell::new(0),
            patience,
            last: Cell::new((0, 0)),
            partial: Cell::new(0),
        }
    }
}

impl Host for Watcher {
    fn report(&self, report: Report) {
        match report {
            Report::Progress { done, total } => self.last.set((done, total)),
            Report::Partial { map } => {
                assert!(map.is_finite(), "a partial map is usable");
                self.partial.set(self.partial.get() + 1);
            }
        }
    }
    fn breathe(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
    fn cancelled(&self) -> bool {
        self.looks.set(self.looks.get() + 1);
        self.looks.get() >= self.patience
    }
    fn due(&self) -> bool {
        true
    }
}

pub fn number(name: &str, value: f64) -> (String, ParamValue) {
    (name.to_owned(), ParamValue::Number(value))
}

pub fn text(name: &str, value: &str) -> (String, ParamValue) {
    (name.to_owned(), ParamValue::Text(value.to_owned()))
}

pub fn values<const N: usize>(values: [(String, ParamValue); N]) -> ParamValues {
    values.into_iter().collect()
}

/// The networks that imputers run, read once a thread.
pub fn networks() -> Networks {
    thread_local! {
        static LOADED: Networks = read_networks();
    }
    LOADED.with(Networks::clone)
}

fn read_networks() -> Networks {
    let networks = Networks::default();
    for id in imputer::IMPUTERS.iter().filter_map(|i| i.meta().network) {
        let path = format!("{}/models/{id}/{id}.onnx", env!("CARGO_MANIFEST_DIR"));
        let onnx = std::fs::read(&path).expect("the network of an imputer is there");
        networks.load(id, &onnx, &Limits::default()).expect("it loads");
    }
    networks
}

/// What imputers work with.
pub fn imputing<'a>(job: &'a Job<'a>, random: &'a SeedStream, networks: &'a Networks) -> ImputeContext<'a> {
    ImputeContext {
        job,
        random,
        networks,
        device: None,
    }
}

pub fn removal(id: &str, params: ParamValues) -> Removal {
    Removal {
        imputer: imputer::find(id).expect("the imputer exists"),
        params,
        networks: networks(),
    }
}

/// What a score takes into account besides the picture and the map.
#[derive(Clone, Default)]
pub struct Around<'a> {
    pub explainer: Option<(&'a str, ParamValues)>,
    pub truth: Option<&'a Mask>,
    pub set: &'a [Exhibit],
    pub other: Option<&'a Tensor>,
}

impl<'a> Around<'a> {
    /// What the method `id` made, with its default parameters.
    pub fn method(id: &'a str) -> Self {
        Self {
            explainer: Some((id, ParamValues::new())),
            ..Self::default()
        }
    }

    pub fn evidence<'b>(&self, input: &'b Input, map: &'b Tensor) -> Result<Evidence<'b>, InputError>
    where
        'a: 'b,
    {
        let mut evidence = Evidence::new(input, map, self.truth)?;
        evidence.set = self.set;
        evidence.other = self
            .other
            .map(|o| metric::curve::pixel_relevance(input, o))
            .transpose()?;
        evidence.explainer = self.explainer.as_ref().map(|(id, params)| Explainer {
            method: attribution::find(id).expect("the method exists"),
            params: params.clone(),
        });
        Ok(evidence)
    }
}

/// Everything one run needs besides the picture.
#[derive(Clone)]
pub struct Setting<'a> {
    pub exec: &'a dyn Executor,
    pub host: &'a dyn Host,
    pub seed: u64,
    pub class: usize,
    pub removal: Removal,
    pub around: Around<'a>,
}

impl<'a> Setting<'a> {
    pub fn new(exec: &'a dyn Executor) -> Self {
        Self {
            exec,
            host: &Silent,
            seed: 1,
            class: 0,
            removal: Removal::default(),
            around: Around::default(),
        }
    }

    fn with<T>(&self, run: impl FnOnce(&Context<'_>) -> T) -> T {
        let (job, random) = (Job::new(self.host), SeedStream::new(self.seed));
        run(&Context {
            exec: self.exec,
            job: &job,
            random: &random,
            target: Target {
                class: self.class,
                kind: TargetKind::Logit,
            },
            removal: self.removal.clone(),
            weights: lucarne::Weights::Trained,
        })
    }

    pub fn attribute(&self, id: &str, input: &Input, params: &ParamValues) -> Result<attribution::Attribution, Error> {
        let method = attribution::find(id).expect("the method exists");
        self.with(|cx| pollster::block_on(method.attribute_dyn(cx, input, params)))
    }

    pub fn map(&self, id: &str, input: &Input, params: &ParamValues) -> Tensor {
        self.attribute(id, input, params).expect("the method runs").map
    }

    pub fn evaluate(&self, id: &str, input: &Input, map: &Tensor, params: &ParamValues) -> Result<Measurement, Error> {
        let metric = metric::find(id).expect("the metric exists");
        let evidence = self.around.evidence(input, map)?;
        self.with(|cx| pollster::block_on(metric.evaluate_dyn(cx, &evidence, params)))
    }

    pub fn score(&self, id: &str, input: &Input, map: &Tensor, params: &ParamValues) -> f64 {
        let found = self.evaluate(id, input, map, params).expect("the metric runs").score;
        match found {
            Score::Value(value) => value,
            Score::Undefined(why) => panic!("{id} is undefined: {why}"),
        }
    }
}

/// Parameters that make a run short, of those that `specs` declares.
pub fn quick(specs: &[lucarne::params::ParamSpec]) -> ParamValues {
    let short = [
        ("samples", 7.0),
        ("steps", 6.0),
        ("runs", 9.0),
        ("references", 3.0),
        ("subset_size", 90.0),
        ("window", 11.0),
        ("stride", 9.0),
        ("sizes", 3.0),
        ("segments", 4.0),
        ("evaluations", 23.0),
        ("designs", 4.0),
        ("draws", 2.0),
        ("mosaics", 3.0),
        ("k", 90.0),
        ("patch", 10.0),
        ("side", 8.0),
        ("classes", 2.0),
    ];
    // Cells are the one segmentation whose number is known before the picture is.
    let words = [("segmenter", "grid")];
    let numbers = short.into_iter().map(|(name, value)| number(name, value));
    numbers
        .chain(words.into_iter().map(|(name, word)| text(name, word)))
        .filter(|(name, _)| specs.iter().any(|s| s.name == name))
        .collect()
}

/// Largest difference over the largest magnitude of `expected`.
pub fn relative_error(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let top = expected.iter().fold(1e-30f64, |top, v| top.max(v.abs()));
    found
        .iter()
        .zip(expected)
        .fold(0.0f64, |worst, (&f, e)| worst.max((f64::from(f) - e).abs() / top))
}
