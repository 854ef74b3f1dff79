//! Lucarne explains the answers of ONNX image networks and measures how far an explanation can be trusted.
//!
//! Four nouns carry the crate:
//! - a [`model::Model`] turns pictures `[N, C, H, W]` (preprocessed `f32`) into logits `[N, K]`;
//! - an [`attribution`] says how much each input value moved one scalar of that answer (the *target*);
//! - an [`imputer`] fills removed pixels, the one removal operator shared by methods and metrics;
//! - a [`metric`] scores an attribution.
//!
//! Conventions: tensors are dense row-major `f32`; a single picture is `[C, H, W]`; a map is `[C, H, W]` (one value
//! per input value) or `[1, h, w]` (one per location of a layer or pixel); positive attribution raises the target.
//! Pixel values are `[0, 1]` before normalisation, and any real number after it ("preprocessed").

pub mod attribution;
pub mod context;
pub mod criteria;
pub mod error;
pub mod exec;
pub mod gpu;
pub mod graph;
pub mod guard;
pub mod imputer;
pub mod input;
pub mod job;
pub mod kernel;
pub mod metric;
pub mod model;
pub mod npy;
pub mod params;
pub mod picture;
pub mod program;
pub mod protocol;
mod resample;
pub mod rng;
pub mod segment;
pub mod service;
pub mod session;
pub mod study;
pub mod tensor;
pub mod visualise;

#[cfg(target_arch = "wasm32")]
mod wasm;

pub use context::{Context, Removal};
pub use error::Error;
pub use input::{Input, Mask, Normalisation};
pub use job::Job;
pub use model::{Model, Target, TargetKind};
pub use program::{Program, Rules, Weights, Wrt};
pub use tensor::Tensor;

/// A boxed future that need not be `Send`: wasm handles are bound to their thread.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;
