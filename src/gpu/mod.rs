//! Networks on the GPU, through WebGPU: a plain description of what is computed ([`ir`]) becomes kernels and buffers planned
//! once. The engine, the browser and the clock are not known here.
//!
//! [`Gpu::open`] gives a device or the reason why there is none, [`Gpu::compile`] a network that is ready, and
//! [`Compiled::run`] its outputs. The order of each sum is fixed by the graph alone: neither the size of the batch nor the
//! shape of a tile changes a bit. Agreement with the processor is to rounding, as sums there have another order.

mod access;
mod compiled;
mod device;
mod expr;
mod failure;
mod fuse;
pub mod ir;
mod mix;
mod plan;
#[cfg(test)]
pub(crate) mod reference;
mod selftest;
mod shapes;
#[cfg(test)]
mod tests;
mod wgsl;

pub use compiled::{Compiled, Pending};
pub use device::{Adapter, Gpu, Options, Precision};
pub use failure::{Failure, Unavailable};
pub use mix::{Coming, Enlarging, Masks, Mixer};
pub use selftest::deviation;
