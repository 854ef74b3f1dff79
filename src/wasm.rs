//! The only module that names `wasm_bindgen`: carries [`protocol`](crate::protocol) messages between JavaScript and
//! the [`Service`].
//!
//! Job 0 is the engine itself: a panic is reported as its failure, and the instance is unusable after it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Float32Array, Function, Object, Promise, Reflect, Uint8Array};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::error::{Error, RunError};
use crate::exec::gpu::Compute;
use crate::exec::pool::{Batch, Lanes};
use crate::gpu::{self, Unavailable};
use crate::job::{Host, Report};
use crate::program::Program;
use crate::protocol::{Event, JobId, Request, WireError};
use crate::service::{Beside, DeviceSource, LaneSource, Service};
use crate::{BoxFuture, Tensor};

/// Milliseconds between turns of the event loop, and between progress reports.
const BREATH: f64 = 30.0;

/// One engine: a coordinator with siblings, or a sibling.
#[wasm_bindgen]
pub struct Engine {
    emit: Function,
    service: Rc<Service>,
    siblings: Siblings,
    jobs: Rc<RefCell<BTreeMap<JobId, Rc<Cell<bool>>>>>,
}

#[wasm_bindgen]
impl Engine {
    /// An engine that tells `emit(event, beside)` what happens.
    #[wasm_bindgen(constructor)]
    pub fn new(emit: Function) -> Self {
        let for_panics = emit.clone();
        std::panic::set_hook(Box::new(move |info| {
            let error = WireError {
                code: "bug".into(),
                message: format!("the engine met a bug: {info}"),
                place: None,
                hint: "Please report it with this text; the engine starts anew.".into(),
            };
            send(&for_panics, &Event::Failed { job: 0, error }, Vec::new());
        }));
        let siblings = Siblings::default();
        let engine = Self {
            service: Rc::new(Service::new(Box::new(siblings.clone())).with_devices(Box::new(Browser))),
            siblings,
            jobs: Rc::default(),
            emit,
        };
        send(
            &engine.emit,
            &Event::Ready {
                version: env!("CARGO_PKG_VERSION").into(),
            },
            Vec::new(),
        );
        engine
    }

    /// Takes a request; answers through `emit`. Bad requests are answered as failed.
    pub fn handle(&self, request: JsValue, beside: Array) {
        let request: Request = match serde_wasm_bindgen::from_value(request.clone()) {
            Ok(request) => request,
            Err(why) => {
                let job = Reflect::get(&request, &"job".into())
                    .ok()
                    .and_then(|j| j.as_f64())
                    .unwrap_or(0.0) as JobId;
                let error = WireError::from(&Error::param("request", why.to_string()));
                return send(&self.emit, &Event::Failed { job, error }, Vec::new());
            }
        };
        let job = request.job();
        if matches!(request, Request::Cancel { .. }) {
            match self.jobs.borrow().get(&job) {
                Some(flag) => flag.set(true),
                None => send(&self.emit, &Event::Cancelled { job }, Vec::new()),
            }
            return;
        }
        let cancelled = Rc::new(Cell::new(false));
        self.jobs.borrow_mut().insert(job, cancelled.clone());
        let (service, jobs, emit) = (self.service.clone(), self.jobs.clone(), self.emit.clone());
        let beside = beside.iter().filter_map(|array| arrived(&array)).collect();
        spawn_local(async move {
            let host = Turns {
                emit: emit.clone(),
                job,
                cancelled,
                breathed: Cell::new(now()),
                told: Cell::new(0.0),
            };
            let (event, beside) = match service.answer(request, beside, &host).await {
                Ok((reply, beside)) => (Event::Done { job, reply }, beside),
                Err(Error::Cancelled) => (Event::Cancelled { job }, Vec::new()),
                Err(error) => (
                    Event::Failed {
                        job,
                        error: WireError::from(&error),
                    },
                    Vec::new(),
                ),
            };
            jobs.borrow_mut().remove(&job);
            send(&emit, &event, beside);
        });
    }

    /// Adds a sibling; `call(batch)` runs a batch there and promises its result.
    pub fn add_lane(&self, call: Function) {
        self.siblings.calls.borrow_mut().push(call);
    }

    /// Forgets all siblings.
    pub fn clear_lanes(&self) {
        self.siblings.calls.borrow_mut().clear();
    }

    /// Runs a batch for a coordinator, now.
    pub fn run_lane(&self, batch: JsValue) -> JsValue {
        let result = unpack(&batch).and_then(|(model, batch)| self.service.run_lane(&model, &batch));
        match result {
            Ok(tensors) => pack(Envelope::default(), &tensors),
            Err(error) => pack(
                Envelope {
                    error: Some(WireError::from(&error)),
                    ..Envelope::default()
                },
                &[],
            ),
        }
    }
}

/// Reports to the page, and gives the event loop a turn.
struct Turns {
    emit: Function,
    job: JobId,
    cancelled: Rc<Cell<bool>>,
    breathed: Cell<f64>,
    told: Cell<f64>,
}

impl Host for Turns {
    fn report(&self, report: Report) {
        match report {
            Report::Progress { done, total } => {
                if now() - self.told.get() > BREATH {
                    self.told.set(now());
                    send(
                        &self.emit,
                        &Event::Progress {
                            job: self.job,
                            done,
                            total,
                        },
                        Vec::new(),
                    );
                }
            }
            Report::Partial { map } => {
                let event = Event::Partial {
                    job: self.job,
                    shape: map.shape().to_vec(),
                };
                send(&self.emit, &event, vec![Beside::Floats(map.into_data())]);
            }
        }
    }

    fn breathe(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let turn = Promise::new(&mut |resolve, _| next_turn(&resolve));
            // The promise only resolves.
            let _ = JsFuture::from(turn).await;
            self.breathed.set(now());
        })
    }

    fn cancelled(&self) -> bool {
        self.cancelled.get()
    }

    fn due(&self) -> bool {
        now() - self.breathed.get() > BREATH
    }
}

/// The browser's WebGPU.
struct Browser;

impl DeviceSource for Browser {
    fn open(&self, software: bool) -> BoxFuture<'_, Result<Rc<dyn Compute>, Unavailable>> {
        Box::pin(async move {
            // Without it, wgpu traps outside of windows and workers.
            let webgpu = Reflect::get(&js_sys::global(), &"navigator".into())
                .and_then(|navigator| Reflect::get(&navigator, &"gpu".into()))
                .is_ok_and(|gpu| gpu.is_object());
            if !webgpu {
                let why = "this browser has no WebGPU here".to_owned();
                return Err(Unavailable::NoAdapter { why });
            }
            let gpu = gpu::Gpu::open(gpu::Options { software }).await?;
            Ok(Rc::new(gpu) as Rc<dyn Compute>)
        })
    }
}

/// Sibling engines by their calls.
#[derive(Clone, Default)]
struct Siblings {
    calls: Rc<RefCell<Vec<Function>>>,
}

struct ModelLanes {
    model: String,
    calls: Rc<RefCell<Vec<Function>>>,
}

impl LaneSource for Siblings {
    fn lanes(&self, model: &str) -> Rc<dyn Lanes> {
        Rc::new(ModelLanes {
            model: model.to_owned(),
            calls: self.calls.clone(),
        })
    }
}

impl Lanes for ModelLanes {
    fn count(&self) -> usize {
        self.calls.borrow().len()
    }

    fn send(&self, lane: usize, batch: Batch) -> BoxFuture<'static, Result<Vec<Tensor>, Error>> {
        let lost = |why: &JsValue| {
            Error::from(RunError::WorkerLost {
                why: format!("{why:?}"),
            })
        };
        let call = self.calls.borrow().get(lane).cloned();
        let message = envelope(&self.model, &batch);
        let promised = call.map(|call| call.call1(&JsValue::NULL, &message));
        Box::pin(async move {
            let promise = match promised {
                Some(Ok(promise)) => Promise::from(promise),
                Some(Err(why)) => return Err(lost(&why)),
                None => return Err(lost(&"the engine has left the pool".into())),
            };
            let result = JsFuture::from(promise).await.map_err(|why| lost(&why))?;
            tensors(&result)
        })
    }

    fn now(&self) -> f64 {
        now()
    }
}

/// What lies around the arrays of a batch or its result; opaque to JavaScript, which must be able to clone it.
#[derive(Default, Serialize, Deserialize)]
struct Envelope {
    #[serde(default)]
    model: String,
    program: Option<Program>,
    #[serde(default)]
    shapes: Vec<Vec<usize>>,
    error: Option<WireError>,
}

fn envelope(model: &str, batch: &Batch) -> JsValue {
    let envelope = Envelope {
        model: model.to_owned(),
        program: Some(batch.program.clone()),
        ..Envelope::default()
    };
    pack(envelope, &batch.inputs)
}

fn pack(mut envelope: Envelope, tensors: &[Tensor]) -> JsValue {
    envelope.shapes = tensors.iter().map(|t| t.shape().to_vec()).collect();
    let object = to_js(&envelope);
    let arrays: Array = tensors.iter().map(|t| Float32Array::from(t.data())).collect();
    // Setting a property of a plain object cannot fail.
    let _ = Reflect::set(&object, &"arrays".into(), &arrays);
    object
}

fn tensors(message: &JsValue) -> Result<Vec<Tensor>, Error> {
    let lost = |why: String| Error::from(RunError::WorkerLost { why });
    let envelope: Envelope = serde_wasm_bindgen::from_value(message.clone()).map_err(|e| lost(e.to_string()))?;
    if let Some(error) = envelope.error {
        return Err(RunError::Backend { why: error.message }.into());
    }
    let arrays = Reflect::get(message, &"arrays".into()).map_err(|_| lost("no arrays".into()))?;
    let arrays: Vec<Vec<f32>> = Array::from(&arrays)
        .iter()
        .map(|a| Float32Array::from(a).to_vec())
        .collect();
    let fits = |(shape, data): (&Vec<usize>, &Vec<f32>)| shape.iter().product::<usize>() == data.len();
    if arrays.len() != envelope.shapes.len() || !envelope.shapes.iter().zip(&arrays).all(fits) {
        return Err(lost("arrays do not fit their shapes".into()));
    }
    Ok(envelope
        .shapes
        .iter()
        .zip(arrays)
        .map(|(shape, data)| Tensor::new(shape, data))
        .collect())
}

fn unpack(message: &JsValue) -> Result<(String, Batch), Error> {
    let bad = || Error::param("batch", "not a batch of this engine");
    let envelope: Envelope = serde_wasm_bindgen::from_value(message.clone()).map_err(|_| bad())?;
    let batch = Batch {
        program: envelope.program.ok_or_else(bad)?,
        inputs: tensors(message)?,
    };
    Ok((envelope.model, batch))
}

fn send(emit: &Function, event: &Event, beside: Vec<Beside>) {
    let arrays: Array = beside
        .into_iter()
        .map(|b| match b {
            Beside::Bytes(bytes) => JsValue::from(Uint8Array::from(bytes.as_slice())),
            Beside::Floats(values) => JsValue::from(Float32Array::from(values.as_slice())),
        })
        .collect();
    // An exception in the page's own handler is not ours to mend.
    let _ = emit.call2(&JsValue::NULL, &to_js(event), &arrays);
}

fn to_js(value: &impl Serialize) -> JsValue {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .unwrap_or(JsValue::UNDEFINED)
}

fn arrived(array: &JsValue) -> Option<Beside> {
    if let Some(floats) = array.dyn_ref::<Float32Array>() {
        return Some(Beside::Floats(floats.to_vec()));
    }
    let object = array.dyn_ref::<Object>()?;
    let bytes = array.dyn_ref::<Uint8Array>().cloned().or_else(|| {
        js_sys::Uint8ClampedArray::instanceof(object)
            .then(|| Uint8Array::new(&js_sys::Uint8ClampedArray::from(array.clone()).buffer()))
    })?;
    Some(Beside::Bytes(bytes.to_vec()))
}

fn now() -> f64 {
    thread_local! {
        static CLOCK: Option<web_sys::Performance> =
            Reflect::get(&js_sys::global(), &"performance".into()).ok().and_then(|p| p.dyn_into().ok());
    }
    CLOCK.with(|clock| clock.as_ref().map_or_else(js_sys::Date::now, web_sys::Performance::now))
}

/// Resolves on the next turn of the event loop. A message channel is not slowed down as nested timers are.
fn next_turn(resolve: &Function) {
    match web_sys::MessageChannel::new() {
        Ok(channel) => {
            channel.port1().set_onmessage(Some(resolve));
            // Posting null cannot fail; it needs no clone and no transfer.
            let _ = channel.port2().post_message(&JsValue::NULL);
        }
        Err(_) => drop(resolve.call0(&JsValue::NULL)),
    }
}
