//! The device: opening it, and what all compiled networks share: pipelines and constants.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};

use super::compiled::WORKGROUPS;
use super::failure::{Failure, Unavailable};
use super::wgsl::Target;

/// How to open a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Take a software adapter, and only one: for tests.
    pub software: bool,
}

/// How numbers are kept on the device. Sums run in `f32` either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits.
    #[default]
    Single,
    /// 16 bits: half the memory traffic, three digits. See [`super::deviation`].
    Half,
}

/// What was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Its name, where the browser tells.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `webgpu`.
    pub backend: String,
    /// Whether it computes on the processor.
    pub software: bool,
    /// Whether it takes [`Precision::Half`].
    pub half: bool,
    /// Most bytes of one array.
    pub largest: u64,
}

/// A GPU that is ready. Cloning shares it.
#[derive(Clone)]
pub struct Gpu {
    pub(super) inner: Rc<Inner>,
}

pub(super) struct Inner {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    adapter: Adapter,
    state: Arc<Mutex<State>>,
    layouts: RefCell<HashMap<usize, Layout>>,
    pipelines: RefCell<HashMap<String, wgpu::ComputePipeline>>,
    /// By content.
    constants: RefCell<HashMap<Content, Weak<wgpu::Buffer>>>,
}

#[derive(Clone)]
struct Layout {
    bindings: wgpu::BindGroupLayout,
    pipeline: wgpu::PipelineLayout,
}

/// Whether the device took what it was given.
pub(super) type Verdict = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

/// What the device has said by itself.
#[derive(Default)]
struct State {
    lost: Option<String>,
    failed: Option<Failure>,
}

/// 128 bits that stand for some bytes, and their number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Content([u64; 2], usize);

impl Content {
    fn of(bytes: &[u8]) -> Self {
        const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f];
        let mut state = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344];
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            for (s, factor) in state.iter_mut().zip(FACTORS) {
                let product = u128::from(*s ^ u64::from_le_bytes(word)) * u128::from(factor);
                *s = (product as u64 ^ (product >> 64) as u64)
                    .wrapping_add(factor)
                    .rotate_left(23);
            }
        }
        Self(state, bytes.len())
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("adapter", &self.inner.adapter)
            .finish_non_exhaustive()
    }
}

impl Gpu {
    /// Opens the fastest GPU and has it compute a small network whose answer is known.
    ///
    /// # Errors
    /// See [`Unavailable`]. In a browser, the caller checks first that there is a window or worker scope.
    pub async fn open(options: Options) -> Result<Self, Unavailable> {
        let gpu = Self::untested(options).await?;
        let adapter = &gpu.inner.adapter;
        for half in [false, true] {
            if !half || adapter.half {
                super::selftest::check(&gpu, half)
                    .await
                    .map_err(|why| Unavailable::Differs {
                        name: adapter.name.clone(),
                        why,
                    })?;
            }
        }
        Ok(gpu)
    }

    async fn untested(options: Options) -> Result<Self, Unavailable> {
        let instance = wgpu::Instance::default();
        let request = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            force_fallback_adapter: options.software,
            ..wgpu::RequestAdapterOptions::default()
        };
        let adapter = instance
            .request_adapter(&request)
            .await
            .map_err(|e| Unavailable::NoAdapter { why: e.to_string() })?;
        let info = adapter.get_info();
        let software = info.device_type == wgpu::DeviceType::Cpu;
        let name = if info.name.is_empty() {
            "the GPU".to_owned()
        } else {
            info.name.clone()
        };
        if software && !options.software {
            return Err(Unavailable::Software { name });
        }
        let half = adapter.features().contains(wgpu::Features::SHADER_F16);
        let offered = adapter.limits();
        let limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            max_buffer_size: offered.max_buffer_size,
            ..wgpu::Limits::default()
        };
        // Kernels use no textures and nothing drawn.
        let limits = limits.or_worse_values_from(&offered);
        let least = wgpu::Limits::default();
        let refuse = |why: String| Unavailable::Device {
            name: name.clone(),
            why,
        };
        for (what, given, needed) in [
            (
                "storage buffers",
                limits.max_storage_buffers_per_shader_stage,
                super::fuse::BUFFERS as u32,
            ),
            ("threads", limits.max_compute_invocations_per_workgroup, 256),
            (
                "bytes of shared memory",
                limits.max_compute_workgroup_storage_size,
                least.max_compute_workgroup_storage_size,
            ),
            ("workgroups", limits.max_compute_workgroups_per_dimension, WORKGROUPS),
        ] {
            if given < needed {
                return Err(refuse(format!("{given} {what}, {needed} are needed")));
            }
        }
        let features = if half {
            wgpu::Features::SHADER_F16
        } else {
            wgpu::Features::empty()
        };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("lucarne"),
            required_features: features,
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|e| refuse(e.to_string()))?;
        let state = Arc::new(Mutex::new(State::default()));
        let of_loss = state.clone();
        device.set_device_lost_callback(move |reason, why| {
            let why = if why.is_empty() { format!("{reason:?}") } else { why };
            of_loss
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .lost
                .get_or_insert(why);
        });
        let of_errors = state.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            let mut state = of_errors.lock().unwrap_or_else(PoisonError::into_inner);
            state.failed.get_or_insert(failure(&error));
        }));
        // Kernels count elements in 32 bits.
        let largest = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let largest = largest.min(u64::from(u32::MAX));
        Ok(Self {
            inner: Rc::new(Inner {
                device,
                queue,
                adapter: Adapter {
                    name,
                    backend: info.backend.to_string(),
                    software,
                    half,
                    largest,
                },
                state,
                layouts: RefCell::default(),
                pipelines: RefCell::default(),
                constants: RefCell::default(),
            }),
        })
    }

    /// What was opened.
    pub fn adapter(&self) -> &Adapter {
        &self.inner.adapter
    }

    /// Why the device is no longer usable, if so. It stays so; another may be opened.
    pub fn lost(&self) -> Option<Failure> {
        let state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.lost.clone().map(|why| Failure::Lost { why })
    }

    /// Destroys the device, as a driver's crash would.
    #[doc(hidden)]
    pub fn destroy(&self) {
        self.inner.device.destroy();
    }

    pub(super) fn target(&self, precision: Precision) -> Target {
        Target {
            half: precision == Precision::Half,
            tiles: !self.inner.adapter.software,
        }
    }

    /// What has gone wrong outside any scope.
    pub(super) fn trouble(&self) -> Option<Failure> {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &state.lost {
            return Some(Failure::Lost { why: why.clone() });
        }
        state.failed.take()
    }

    /// Runs `work`, whose errors come from the future that is returned with its result.
    pub(super) fn watched<T>(&self, work: impl FnOnce() -> T) -> (T, Verdict) {
        let device = &self.inner.device;
        let filters = [
            wgpu::ErrorFilter::Validation,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::OutOfMemory,
        ];
        let [validation, internal, memory] = filters.map(|filter| device.push_error_scope(filter));
        let result = work();
        let errors = [memory.pop(), internal.pop(), validation.pop()];
        let gpu = self.clone();
        let verdict = async move {
            let mut found = None;
            for error in errors {
                if let Some(error) = error.await {
                    found.get_or_insert(failure(&error));
                }
            }
            // Everything fails once the device is lost; that is then the reason.
            match (gpu.trouble(), found) {
                (Some(failure), _) | (None, Some(failure)) => Err(failure),
                (None, None) => Ok(()),
            }
        };
        (result, Box::pin(verdict))
    }

    fn layout(&self, reads: usize) -> Layout {
        let mut layouts = self.inner.layouts.borrow_mut();
        let device = &self.inner.device;
        let make = || {
            let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..=reads)
                .map(|binding| wgpu::BindGroupLayoutEntry {
                    binding: binding as u32,
                    visibility: wgpu::ShaderStages::COMPUTE,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Storage {
                            read_only: binding < reads,
                        },
                        has_dynamic_offset: false,
                        min_binding_size: None,
                    },
                    count: None,
                })
                .collect();
            let bindings = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &entries,
            });
            let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&bindings)],
                immediate_size: 0,
            });
            Layout { bindings, pipeline }
        };
        layouts.entry(reads).or_insert_with(make).clone()
    }

    /// The pipeline of some WGSL that reads so many buffers and writes one; equal ones are one.
    pub(super) fn pipeline(&self, source: &str, reads: usize) -> wgpu::ComputePipeline {
        if let Some(known) = self.inner.pipelines.borrow().get(source) {
            return known.clone();
        }
        let device = &self.inner.device;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&self.layout(reads).pipeline),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Kernels write all that they read of their shared memory.
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        });
        self.inner
            .pipelines
            .borrow_mut()
            .insert(source.to_owned(), pipeline.clone());
        pipeline
    }

    /// Binds buffers in their order, the last for writing.
    pub(super) fn bind(&self, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
        let entries: Vec<wgpu::BindGroupEntry> = buffers
            .iter()
            .enumerate()
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: binding as u32,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        self.inner.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout(buffers.len() - 1).bindings,
            entries: &entries,
        })
    }

    /// A buffer for kernels, of at least so many bytes.
    ///
    /// # Errors
    /// [`Failure::TooLarge`] where the device can't bind it.
    pub(super) fn buffer(&self, bytes: usize, what: impl FnOnce() -> String) -> Result<wgpu::Buffer, Failure> {
        let size = (bytes as u64).next_multiple_of(16).max(16);
        self.fits(size, what)?;
        Ok(self.inner.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        }))
    }

    /// Whether a buffer may have so many bytes.
    pub(super) fn fits(&self, bytes: u64, what: impl FnOnce() -> String) -> Result<(), Failure> {
        let limit = self.inner.adapter.largest;
        if bytes <= limit {
            return Ok(());
        }
        Err(Failure::TooLarge {
            what: what(),
            found: bytes,
            unit: "bytes",
            limit,
        })
    }

    /// A buffer that holds these bytes; equal ones are one.
    pub(super) fn constant(&self, bytes: &[u8]) -> Result<Rc<wgpu::Buffer>, Failure> {
        let key = Content::of(bytes);
        let known = self.inner.constants.borrow().get(&key).and_then(Weak::upgrade);
        if let Some(known) = known {
            return Ok(known);
        }
        let buffer = Rc::new(self.buffer(bytes.len(), || "a constant".into())?);
        self.write(&buffer, bytes);
        let mut constants = self.inner.constants.borrow_mut();
        constants.retain(|_, buffer| buffer.strong_count() > 0);
        constants.insert(key, Rc::downgrade(&buffer));
        Ok(buffer)
    }

    /// Writes bytes to the start of a buffer, padded with zeros to whole words.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, bytes: &[u8]) {
        let whole = bytes.len() / 4 * 4;
        self.inner.queue.write_buffer(buffer, 0, &bytes[..whole]);
        if whole < bytes.len() {
            let mut word = [0; 4];
            word[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
            self.inner.queue.write_buffer(buffer, whole as u64, &word);
        }
    }

    /// Waits for what was submitted, where nothing else does.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<(), Failure> {
        let polled = self.inner.device.poll(wgpu::PollType::Wait {
            submission_index: Some(submission),
            timeout: None,
        });
        polled.map(|_| ()).map_err(|e| Failure::Internal { why: e.to_string() })
    }
}

fn failure(error: &wgpu::Error) -> Failure {
    match error {
        wgpu::Error::OutOfMemory { source } => Failure::OutOfMemory {
            why: source.to_string(),
        },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => Failure::Internal {
            why: description.clone(),
        },
    }
}

/// Bytes of numbers in the device's precision.
pub(super) fn bytes(values: &[f32], half: bool) -> Vec<u8> {
    if half {
        let halves: Vec<half::f16> = values.iter().map(|&v| half::f16::from_f32(v)).collect();
        halves.iter().flat_map(|v| v.to_le_bytes()).collect()
    } else {
        bytemuck::cast_slice(values).to_vec()
    }
}
