//! A network made ready for a device: kernels, buffers and bindings made once, run often.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use super::device::{Gpu, Precision, Verdict, bytes};
use super::failure::Failure;
use super::fuse::fuse;
use super::ir::{Graph, ValueId};
use super::plan::plan;
use super::wgsl::{Buffer, Kernel, Known, Target, kernels};
use crate::Tensor;

/// Workgroups along one dimension that every device takes.
pub(super) const WORKGROUPS: u32 = 65_535;
/// Buffers for reading back that are kept for the next run.
const STAGED: usize = 3;

/// A network ready to run. Cloning shares it.
#[derive(Clone)]
pub struct Compiled {
    pub(super) inner: Rc<Ready>,
}

pub(super) struct Ready {
    pub gpu: Gpu,
    pub half: bool,
    dispatches: Vec<Dispatch>,
    /// Constants are held by those that use them.
    _constants: Vec<Rc<wgpu::Buffer>>,
    slots: Vec<wgpu::Buffer>,
    pub inputs: Vec<Input>,
    outputs: Vec<Output>,
    /// Bytes that are read back.
    reads: u64,
    staging: RefCell<Vec<wgpu::Buffer>>,
    bytes: usize,
}

pub(super) struct Dispatch {
    pub pipeline: wgpu::ComputePipeline,
    pub bindings: wgpu::BindGroup,
    pub workgroups: [u32; 3],
}

pub(super) struct Input {
    pub shape: Vec<usize>,
    pub slot: usize,
}

struct Output {
    shape: Vec<usize>,
    from: From,
}

enum From {
    /// A buffer, and where it is read back to.
    Slot {
        slot: usize,
        offset: u64,
        bytes: u64,
    },
    Constant(Arc<[f32]>),
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled")
            .field("kernels", &self.inner.dispatches.len())
            .field("bytes", &self.inner.bytes)
            .finish_non_exhaustive()
    }
}

impl Gpu {
    /// Makes a graph ready to run.
    ///
    /// # Errors
    /// If an array is larger than the device takes, memory ends, or the driver refuses a kernel.
    pub async fn compile(&self, graph: &Graph, precision: Precision) -> Result<Compiled, Failure> {
        if let Some(failure) = self.trouble() {
            return Err(failure);
        }
        if precision == Precision::Half && !self.adapter().half {
            return Err(Failure::Internal {
                why: "it does not compute with 16 bits".into(),
            });
        }
        self.compile_for(graph, self.target(precision)).await
    }

    pub(super) async fn compile_for(&self, graph: &Graph, target: Target) -> Result<Compiled, Failure> {
        let (made, verdict) = self.watched(|| self.ready(graph, target));
        verdict.await?;
        Ok(Compiled { inner: Rc::new(made?) })
    }

    fn ready(&self, graph: &Graph, target: Target) -> Result<Ready, Failure> {
        let fused = fuse(graph);
        let known = Known {
            graph,
            root: &fused.root,
        };
        let made: Vec<Kernel> = fused
            .groups
            .iter()
            .flat_map(|group| kernels(known, group, target))
            .collect();
        let most = made.iter().flat_map(|kernel| kernel.workgroups).max().unwrap_or(0);
        if most > WORKGROUPS {
            return Err(Failure::TooLarge {
                what: "a kernel".into(),
                found: u64::from(most),
                unit: "workgroups in a row",
                limit: u64::from(WORKGROUPS),
            });
        }
        let plan = plan(graph, &fused.root, &made);
        let size = if target.half { 2 } else { 4 };
        let computed = graph.outputs.iter().map(|&id| &graph.values[fused.root[id.0].0]);
        let read = computed.filter(|value| value.constant.is_none());
        let read = read.fold(0, |sum: u64, value| {
            sum + (value.len() as u64 * size as u64).next_multiple_of(16)
        });
        self.fits(read, || "what is read back".into())?;
        let slots = plan
            .slots
            .iter()
            .map(|&len| self.buffer(len.saturating_mul(size), || format!("an array of {len} values")))
            .collect::<Result<Vec<_>, _>>()?;
        let mut constants: Vec<Rc<wgpu::Buffer>> = vec![];
        let mut of_values: HashMap<ValueId, usize> = HashMap::new();
        let mut dispatches = vec![];
        for kernel in made {
            let mut bound: Vec<Result<usize, usize>> = vec![];
            for read in &kernel.reads {
                let place = match read {
                    Buffer::Value(id) => match (&graph.values[id.0].constant, of_values.get(id)) {
                        (None, _) => Ok(plan.slot[id]),
                        (Some(_), Some(&known)) => Err(known),
                        (Some(values), None) => {
                            constants.push(self.constant(&bytes(values, target.half))?);
                            of_values.insert(*id, constants.len() - 1);
                            Err(constants.len() - 1)
                        }
                    },
                    Buffer::Floats(values) => {
                        constants.push(self.constant(&bytes(values, target.half))?);
                        Err(constants.len() - 1)
                    }
                    Buffer::Words(words) => {
                        constants.push(self.constant(bytemuck::cast_slice(words))?);
                        Err(constants.len() - 1)
                    }
                };
                bound.push(place);
            }
            bound.push(Ok(plan.slot[&kernel.out]));
            let buffers: Vec<&wgpu::Buffer> = bound
                .iter()
                .map(|place| match place {
                    Ok(slot) => &slots[*slot],
                    Err(constant) => &*constants[*constant],
                })
                .collect();
            dispatches.push(Dispatch {
                pipeline: self.pipeline(&kernel.source, kernel.reads.len()),
                bindings: self.bind(&buffers),
                workgroups: kernel.workgroups,
            });
        }
        let inputs = graph
            .inputs
            .iter()
            .map(|&id| Input {
                shape: graph.shape(id).to_vec(),
                slot: plan.slot[&fused.root[id.0]],
            })
            .collect();
        let mut reads = 0;
        let outputs = graph
            .outputs
            .iter()
            .map(|&id| {
                let root = fused.root[id.0];
                let from = if let Some(constant) = &graph.values[root.0].constant {
                    From::Constant(constant.clone())
                } else {
                    let bytes = (graph.values[root.0].len() * size).next_multiple_of(4) as u64;
                    let offset = reads;
                    reads = (reads + bytes).next_multiple_of(16);
                    From::Slot {
                        slot: plan.slot[&root],
                        offset,
                        bytes,
                    }
                };
                Output {
                    shape: graph.shape(id).to_vec(),
                    from,
                }
            })
            .collect();
        Ok(Ready {
            gpu: self.clone(),
            half: target.half,
            dispatches,
            _constants: constants,
            bytes: slots.iter().map(|s| s.size() as usize).sum(),
            slots,
            inputs,
            outputs,
            reads,
            staging: RefCell::default(),
        })
    }
}

impl Compiled {
    /// Bytes of device memory of its own: buffers for values, not the constants, which are shared.
    pub fn bytes(&self) -> usize {
        self.inner.bytes
    }

    /// Number of kernels that a run starts.
    pub fn kernels(&self) -> usize {
        self.inner.dispatches.len()
    }

    /// Runs it on inputs of the graph's shapes; its outputs.
    ///
    /// # Errors
    /// See [`Failure`]. After any but [`Failure::Input`] the results of other runs in flight are not to be trusted.
    pub async fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        self.start(inputs)?.finish().await
    }

    /// Starts a run and returns at once. Several may be in flight; the device takes them in order.
    ///
    /// # Errors
    /// If the inputs do not fit or the device is lost.
    pub fn start(&self, inputs: &[Tensor]) -> Result<Pending, Failure> {
        let ready = &self.inner;
        for index in 0..inputs.len().max(ready.inputs.len()) {
            let found = inputs.get(index).map_or(&[][..], |t| t.shape());
            let expected = ready.inputs.get(index).map_or(&[][..], |i| &i.shape);
            if found != expected || inputs.len() != ready.inputs.len() {
                return Err(Failure::Input {
                    index,
                    found: found.to_vec(),
                    expected: expected.to_vec(),
                });
            }
        }
        self.launch(&[], |gpu| {
            for (input, tensor) in ready.inputs.iter().zip(inputs) {
                gpu.write(&ready.slots[input.slot], &bytes(tensor.data(), ready.half));
            }
        })
    }

    pub(super) fn slot(&self, slot: usize) -> &wgpu::Buffer {
        &self.inner.slots[slot]
    }

    /// Uploads what `fill` writes, then runs `first` and all kernels.
    pub(super) fn launch(&self, first: &[Dispatch], fill: impl FnOnce(&Gpu)) -> Result<Pending, Failure> {
        let ready = &self.inner;
        let gpu = &ready.gpu;
        if let Some(failure) = gpu.trouble() {
            return Err(failure);
        }
        let mapped = Arc::new(Mutex::new(Mapped::default()));
        let ((staging, submission), verdict) = gpu.watched(|| {
            fill(gpu);
            let device = &gpu.inner.device;
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                for dispatch in first.iter().chain(&ready.dispatches) {
                    let [x, y, z] = dispatch.workgroups;
                    pass.set_pipeline(&dispatch.pipeline);
                    pass.set_bind_group(0, &dispatch.bindings, &[]);
                    pass.dispatch_workgroups(x, y, z);
                }
            }
            let staging = (ready.reads > 0).then(|| {
                let kept = ready.staging.borrow_mut().pop();
                let staging = kept.unwrap_or_else(|| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: None,
                        size: ready.reads,
                        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    })
                });
                for output in &ready.outputs {
                    if let From::Slot { slot, offset, bytes } = output.from {
                        encoder.copy_buffer_to_buffer(&ready.slots[slot], 0, &staging, offset, bytes);
                    }
                }
                staging
            });
            let submission = gpu.inner.queue.submit([encoder.finish()]);
            if let Some(staging) = &staging {
                let mapped = mapped.clone();
                staging.map_async(wgpu::MapMode::Read, .., move |result| {
                    let mut mapped = mapped.lock().unwrap_or_else(PoisonError::into_inner);
                    mapped.result = Some(result.map_err(|e| e.to_string()));
                    if let Some(waker) = mapped.waker.take() {
                        waker.wake();
                    }
                });
            }
            (staging, submission)
        });
        Ok(Pending {
            ready: ready.clone(),
            staging,
            submission,
            mapped,
            verdict,
        })
    }
}

/// Whether the results can be read.
#[derive(Default)]
struct Mapped {
    result: Option<Result<(), String>>,
    waker: Option<Waker>,
}

/// A run in flight.
#[must_use = "its results are lost"]
pub struct Pending {
    ready: Rc<Ready>,
    staging: Option<wgpu::Buffer>,
    submission: wgpu::SubmissionIndex,
    mapped: Arc<Mutex<Mapped>>,
    verdict: Verdict,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

impl Pending {
    /// Waits for the outputs.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn finish(self) -> Result<Vec<Tensor>, Failure> {
        let Self {
            ready,
            staging,
            submission,
            mapped,
            verdict,
        } = self;
        let gpu = ready.gpu.clone();
        let waited = gpu.wait(submission);
        verdict.await?;
        waited.map_err(|failure| gpu.lost().unwrap_or(failure))?;
        let mut read = vec![];
        if let Some(staging) = staging {
            let result = poll_fn(|context| {
                let mut mapped = mapped.lock().unwrap_or_else(PoisonError::into_inner);
                mapped.result.take().map_or_else(
                    || {
                        mapped.waker = Some(context.waker().clone());
                        Poll::Pending
                    },
                    Poll::Ready,
                )
            })
            .await;
            let failed = |why: String| gpu.trouble().unwrap_or(Failure::Internal { why });
            result.map_err(failed)?;
            {
                let view = staging.get_mapped_range(..).map_err(|e| failed(e.to_string()))?;
                read = view.to_vec();
            }
            staging.unmap();
            let mut kept = ready.staging.borrow_mut();
            if kept.len() < STAGED {
                kept.push(staging);
            }
        }
        if let Some(failure) = gpu.trouble() {
            return Err(failure);
        }
        let tensor = |output: &Output| {
            let values = match &output.from {
                From::Constant(values) => values.to_vec(),
                From::Slot { offset, .. } => {
                    let number: usize = output.shape.iter().product();
                    let size = if ready.half { 2 } else { 4 };
                    let bytes = &read[*offset as usize..][..number * size];
                    let words = bytes.chunks_exact(size);
                    match size {
                        2 => words.map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
                        _ => words.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
                    }
                }
            };
            Tensor::new(&output.shape, values)
        };
        Ok(ready.outputs.iter().map(tensor).collect())
    }
}
