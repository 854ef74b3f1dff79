//! Answers the requests of [`protocol`](crate::protocol), whoever carries them. Holds loaded networks and pictures.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::criteria::Features;
use crate::error::{Error, InputError};
use crate::exec::gpu::{Compute, Shared};
use crate::exec::pool::{Batch, Lanes};
use crate::exec::{Cpu, Executor, Gpu, Note, Pool};
use crate::gpu::{Precision, Unavailable};
use crate::graph::inspect;
use crate::imputer::{ImputeContext, Networks};
use crate::job::{Host, Job};
use crate::metric::Exhibit;
use crate::model::{Limits, ModelCard};
use crate::picture::{self, Picture};
use crate::protocol::{Catalogue, Choice, Inspected, Reply, Request, WireDevice, WireExhibit, WireNote, WireTarget};
use crate::rng::SeedStream;
use crate::session::{self, Circumstances, Question};
use crate::{BoxFuture, Input, Mask, Model, Tensor};

/// A bulk array beside a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Beside {
    /// Bytes: files, RGBA, masks.
    Bytes(Vec<u8>),
    /// Numbers: maps.
    Floats(Vec<f32>),
}

/// Gives each model its sibling engines.
pub trait LaneSource {
    /// The siblings, for batches of `model`.
    fn lanes(&self, model: &str) -> Rc<dyn Lanes>;
}

/// Finds a GPU.
pub trait DeviceSource {
    /// The fastest GPU, or why there is none. `software` lets one pass that is a program, which tests alone want.
    fn open(&self, software: bool) -> BoxFuture<'_, Result<Rc<dyn Compute>, Unavailable>>;
}

/// Where there is nothing to look for.
struct NoDevice;

impl DeviceSource for NoDevice {
    fn open(&self, _: bool) -> BoxFuture<'_, Result<Rc<dyn Compute>, Unavailable>> {
        let why = "nothing here looks for one".to_owned();
        Box::pin(std::future::ready(Err(Unavailable::NoAdapter { why })))
    }
}

/// A loaded network.
struct Loaded {
    pool: Rc<Pool>,
    /// Its engine on the GPU, once it has run there.
    gpu: Option<Gpu>,
}

/// The state behind one engine.
pub struct Service {
    lanes: Box<dyn LaneSource>,
    devices: Box<dyn DeviceSource>,
    /// The GPU that networks run on.
    device: RefCell<Option<Rc<Shared>>>,
    limits: Limits,
    models: RefCell<BTreeMap<String, Loaded>>,
    networks: Networks,
    features: RefCell<BTreeMap<String, Rc<Features>>>,
    pictures: RefCell<BTreeMap<String, Rc<Picture>>>,
    inputs: RefCell<BTreeMap<(String, String), Rc<Input>>>,
}

/// Pictures kept; the oldest key goes when there are more.
const PICTURES: usize = 8;

impl Service {
    /// A service with no model and no picture.
    pub fn new(lanes: Box<dyn LaneSource>) -> Self {
        Self {
            lanes,
            devices: Box::new(NoDevice),
            device: RefCell::default(),
            limits: Limits::default(),
            models: RefCell::default(),
            networks: Networks::default(),
            features: RefCell::default(),
            pictures: RefCell::default(),
            inputs: RefCell::default(),
        }
    }

    /// The same, where `devices` finds GPUs.
    #[must_use]
    pub fn with_devices(self, devices: Box<dyn DeviceSource>) -> Self {
        Self { devices, ..self }
    }

    /// Answers one request; `cancel` is the carrier's business and is refused here.
    pub async fn answer(
        &self,
        request: Request,
        beside: Vec<Beside>,
        host: &dyn Host,
    ) -> Result<(Reply, Vec<Beside>), Error> {
        let job = Job::new(host);
        match request {
            Request::Catalogue { .. } => Ok((Reply::Catalogue(Catalogue::new()), Vec::new())),
            Request::Inspect { name, .. } => {
                let found = inspect::inspect(&bytes(beside)?, &self.limits)?;
                Ok((Reply::Inspected(Inspected::new(&name, found)), Vec::new()))
            }
            Request::LoadModel { card, labels, .. } => self.load(card, labels, &bytes(beside)?),
            Request::LoadNetwork { id, .. } => {
                self.networks.load(&id, &bytes(beside)?, &self.limits)?;
                Ok((Reply::NetworkLoaded {}, Vec::new()))
            }
            Request::LoadPicture {
                picture, width, height, ..
            } => self.keep(picture, width, height, &bytes(beside)?),
            Request::Prepare { model, picture, .. } => {
                let pool = self.model(&model)?;
                let original = self.picture(&picture)?;
                let input = self.input(&*pool, &picture)?;
                let crop = picture::crop_box(original.width, original.height, pool.model().card());
                Ok(shown(&input, |width, height| Reply::Prepared { width, height, crop }))
            }
            Request::Predict {
                model, picture, top, ..
            } => {
                let pool = self.model(&model)?;
                let input = self.input(&*pool, &picture)?;
                let classes = session::predict(&*pool, &job, &input, top).await?;
                Ok((Reply::Predicted { classes }, Vec::new()))
            }
            Request::Estimate { model, of, .. } => {
                let pool = self.model(&model)?;
                let of = of.iter().map(|entry| session::estimate(pool.model(), entry)).collect();
                Ok((Reply::Estimated { of }, Vec::new()))
            }
            Request::Attribute {
                model,
                picture,
                method,
                removal,
                target,
                baseline,
                seed,
                ..
            } => {
                let pool = self.model(&model)?;
                let input = self.input(&*pool, &picture)?;
                let random = self.random(&*pool, seed, baseline.as_deref())?;
                let q = self.question(&*pool, &job, &input, target, &removal, &random);
                let (map, attributed) = session::explain(&q, &method).await?;
                Ok((Reply::Attributed(attributed), vec![Beside::Floats(map.into_data())]))
            }
            Request::Evaluate {
                model,
                picture,
                shape,
                method,
                truth,
                other,
                set,
                metric,
                removal,
                draws,
                target,
                baseline,
                seed,
                ..
            } => {
                let pool = self.model(&model)?;
                let input = self.input(&*pool, &picture)?;
                let mut beside = beside.into_iter();
                let map = tensor(&shape, beside.next())?;
                let truth = truth.then(|| mask(&input, beside.next())).transpose()?;
                let other = other.map(|shape| tensor(&shape, beside.next())).transpose()?;
                let exhibit = |e: &WireExhibit| -> Result<Exhibit, Error> {
                    let input = self.input(&*pool, &e.picture)?.as_ref().clone();
                    Ok(Exhibit { input, class: e.class })
                };
                let set = set.iter().map(exhibit).collect::<Result<Vec<_>, _>>()?;
                let around = Circumstances {
                    method: method.as_ref(),
                    truth: truth.as_ref(),
                    set: &set,
                    other: other.as_ref(),
                    draws,
                };
                let random = self.random(&*pool, seed, baseline.as_deref())?;
                let q = self.question(&*pool, &job, &input, target, &removal, &random);
                Ok((
                    Reply::Evaluated(session::evaluate(&q, &map, &metric, &around).await?),
                    Vec::new(),
                ))
            }
            Request::Segment {
                model,
                picture,
                segments,
                ..
            } => {
                let input = self.input(&*self.model(&model)?, &picture)?;
                let found = session::superpixels(&job, &input, segments).await?;
                let count = found.count;
                let labels = found.labels.iter().map(|&label| label as f32).collect();
                Ok((Reply::Segmented { count }, vec![Beside::Floats(labels)]))
            }
            Request::Impute {
                model,
                picture,
                removal,
                answer,
                seed,
                ..
            } => {
                let pool = self.model(&model)?;
                let input = self.input(&*pool, &picture)?;
                let removed = mask(&input, beside.into_iter().next())?;
                let random = SeedStream::new(u64::from(seed));
                let cx = ImputeContext {
                    job: &job,
                    random: &random,
                    networks: &self.networks,
                    device: pool.coprocessor(),
                };
                let filled = input.with(session::impute(&cx, &input, &removed, &removal).await?);
                let q = self.question(&*pool, &job, &input, session::UNASKED, &removal, &random);
                let classes = if answer {
                    session::answer(&q, &filled).await?
                } else {
                    Vec::new()
                };
                Ok(shown(&filled, |width, height| Reply::Imputed {
                    width,
                    height,
                    classes,
                }))
            }
            Request::LoadFeatures { model, .. } => {
                let features = Features::from_npy(&bytes(beside)?)?;
                let id = self.model(&model)?.model().card().id.clone();
                self.features.borrow_mut().insert(id, Rc::new(features));
                Ok((Reply::FeaturesLoaded {}, Vec::new()))
            }
            Request::Gauge {
                model,
                picture,
                removal,
                draws,
                seed,
                ..
            } => {
                let pool = self.model(&model)?;
                let input = self.input(&*pool, &picture)?;
                let removed = mask(&input, beside.into_iter().next())?;
                let random = SeedStream::new(u64::from(seed));
                let target = session::UNASKED;
                let q = self.question(&*pool, &job, &input, target, &removal, &random);
                let features = self.features.borrow().get(&model).cloned();
                let (filled, gauged) = session::gauge(&q, &removed, draws.max(1), features.as_deref()).await?;
                Ok(shown(&input.with(filled), |_, _| Reply::Gauged(gauged)))
            }
            Request::Visualise {
                model,
                class,
                params,
                seed,
                ..
            } => {
                let pool = self.model(&model)?;
                let random = SeedStream::new(u64::from(seed));
                let choice = Choice {
                    id: session::VISUALISE.into(),
                    params,
                };
                let (picture, visualised) = session::visualise(&*pool, &job, class, &choice, &random).await?;
                Ok(shown(&picture, |_, _| Reply::Visualised(visualised)))
            }
            Request::ChooseDevice { prefer, software, .. } => Ok((self.choose(prefer, software).await, Vec::new())),
            Request::Cancel { .. } => Err(Error::Cancelled),
        }
    }

    async fn choose(&self, prefer: WireDevice, software: bool) -> Reply {
        let opened = match prefer {
            WireDevice::Cpu => Ok(None),
            WireDevice::Auto | WireDevice::Gpu | WireDevice::GpuF16 => self.devices.open(software).await.map(Some),
        };
        let precision = if prefer == WireDevice::GpuF16 {
            Precision::Half
        } else {
            Precision::Single
        };
        for loaded in self.models.borrow_mut().values_mut() {
            loaded.gpu = None;
        }
        let (device, why) = match opened {
            Ok(compute) => (compute.map(|compute| Shared::new(compute, precision)), None),
            Err(why) => (None, Some(WireNote::from(&Note::from(&why)))),
        };
        let gpu = device.as_ref().map(|device| device.name());
        *self.device.borrow_mut() = device;
        Reply::DeviceChosen { gpu, why }
    }

    /// Runs a batch as somebody's sibling.
    pub fn run_lane(&self, model: &str, batch: &Batch) -> Result<Vec<Tensor>, Error> {
        let pool = self.loaded(model, |loaded| loaded.pool.clone())?;
        Pool::run(pool.local(), batch)
    }

    fn load(&self, card: ModelCard, labels: Vec<String>, onnx: &[u8]) -> Result<(Reply, Vec<Beside>), Error> {
        card.check()?;
        let id = card.id.clone();
        let model = Model::load(onnx, card, labels, &self.limits)?;
        let info = session::describe(&model);
        let pool = Rc::new(Pool::new(Cpu::new(model), self.lanes.lanes(&id)));
        self.models.borrow_mut().insert(id.clone(), Loaded { pool, gpu: None });
        self.features.borrow_mut().remove(&id);
        self.inputs.borrow_mut().retain(|(model, _), _| *model != id);
        Ok((Reply::ModelLoaded(info), Vec::new()))
    }

    fn keep(&self, key: String, width: u32, height: u32, rgba: &[u8]) -> Result<(Reply, Vec<Beside>), Error> {
        let picture = Picture::from_rgba(width, height, rgba, &self.limits)?;
        self.inputs.borrow_mut().retain(|(_, picture), _| *picture != key);
        let mut pictures = self.pictures.borrow_mut();
        while pictures.len() >= PICTURES && !pictures.contains_key(&key) {
            pictures.pop_first();
        }
        pictures.insert(key, Rc::new(picture));
        Ok((Reply::PictureLoaded {}, Vec::new()))
    }

    /// Random streams of `seed`, with the picture kept under `baseline` for methods that compare with one.
    fn random(&self, pool: &dyn Executor, seed: u32, baseline: Option<&str>) -> Result<SeedStream, Error> {
        let random = SeedStream::new(u64::from(seed));
        let Some(key) = baseline else { return Ok(random) };
        let baseline = self.input(pool, key)?;
        session::with_baselines(random, pool.model(), std::slice::from_ref(&*baseline))
    }

    fn question<'a>(
        &'a self,
        exec: &'a dyn Executor,
        job: &'a Job<'a>,
        input: &'a Input,
        target: WireTarget,
        removal: &'a Choice,
        random: &'a SeedStream,
    ) -> Question<'a> {
        Question {
            exec,
            job,
            input,
            target,
            removal,
            networks: &self.networks,
            random,
        }
    }

    /// An engine of a loaded model for one job.
    fn model(&self, id: &str) -> Result<Rc<dyn Executor>, InputError> {
        let device = self.device.borrow().clone();
        self.loaded(id, |loaded| -> Rc<dyn Executor> {
            let Some(device) = device else {
                return loaded.pool.clone();
            };
            let gpu = loaded.gpu.get_or_insert_with(|| Gpu::new(loaded.pool.clone(), device));
            Rc::new(gpu.for_job())
        })
    }

    fn loaded<T>(&self, id: &str, take: impl FnOnce(&mut Loaded) -> T) -> Result<T, InputError> {
        let mut models = self.models.borrow_mut();
        let known = models.keys().cloned().collect::<Vec<_>>().join(", ");
        models.get_mut(id).map(take).ok_or_else(|| InputError::Unknown {
            what: "loaded model",
            id: id.to_owned(),
            known,
        })
    }

    fn picture(&self, key: &str) -> Result<Rc<Picture>, InputError> {
        let pictures = self.pictures.borrow();
        pictures.get(key).cloned().ok_or_else(|| InputError::Unknown {
            what: "picture",
            id: key.to_owned(),
            known: pictures.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    fn input(&self, pool: &dyn Executor, picture: &str) -> Result<Rc<Input>, Error> {
        let card = pool.model().card();
        let key = (card.id.clone(), picture.to_owned());
        if let Some(input) = self.inputs.borrow().get(&key) {
            return Ok(input.clone());
        }
        let input = Rc::new(picture::prepare(&*self.picture(picture)?, card)?);
        self.inputs.borrow_mut().insert(key, input.clone());
        Ok(input)
    }
}

fn shown(input: &Input, reply: impl FnOnce(usize, usize) -> Reply) -> (Reply, Vec<Beside>) {
    let [_, height, width] = input.dims();
    let rgb = picture::to_rgb8(input);
    let rgba = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    (reply(width, height), vec![Beside::Bytes(rgba)])
}

fn bytes(beside: Vec<Beside>) -> Result<Vec<u8>, InputError> {
    match beside.into_iter().next() {
        Some(Beside::Bytes(bytes)) => Ok(bytes),
        _ => Err(missing("bytes")),
    }
}

/// A mask of the pixels of `input`, from one byte each.
fn mask(input: &Input, beside: Option<Beside>) -> Result<Mask, InputError> {
    let [_, height, width] = input.dims();
    let Some(Beside::Bytes(bits)) = beside else {
        return Err(missing("bytes"));
    };
    if bits.len() != height * width {
        let (found, expected) = (vec![bits.len()], format!("[{}]", height * width));
        return Err(InputError::Shape {
            what: "the mask".into(),
            found,
            expected,
        });
    }
    Ok(Mask::new(height, width, bits.iter().map(|&b| b != 0).collect()))
}

fn tensor(shape: &[usize], beside: Option<Beside>) -> Result<Tensor, InputError> {
    let Some(Beside::Floats(values)) = beside else {
        return Err(missing("numbers"));
    };
    if shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) != Some(values.len()) {
        let expected = format!("room for {} values", values.len());
        return Err(InputError::Shape {
            what: "the map".into(),
            found: shape.to_vec(),
            expected,
        });
    }
    Ok(Tensor::new(shape, values))
}

fn missing(what: &str) -> InputError {
    InputError::Param {
        field: "beside".into(),
        why: format!("the message needs an array of {what} beside it"),
    }
}
