//! Loops over `f32` planes that forward and gradient passes spend their time in: convolution, pooling, element-wise
//! work. Plain slices in, plain slices out; no graph, no engine.
//!
//! A *plane* is one channel of one picture, row-major `[h, w]`; arrays are `[C, h, w]`. Each kernel computes the whole
//! output or only the places of a [`Region`], and gives every place the same bits either way: the order in which a
//! place's products are added never depends on what is computed beside it.

#![allow(
    clippy::inline_always,
    reason = "what is not inlined is compiled without the instructions of the function that asked for it"
)]

mod column;
pub mod conv;
pub mod deconv;
mod depthwise;
mod frame;
mod isa;
mod lanes;
pub mod peak;
#[cfg(test)]
mod plain;
pub mod pool;
mod product;
pub mod region;
mod stencil;
#[cfg(test)]
mod tests;
mod tile;
pub mod window;
mod winograd;

pub use conv::{Conv, Epilogue, Scratch};
pub use deconv::Deconv;
pub use pool::{Pool, Pooling};
pub use region::{Region, Span};
pub use window::Window;
