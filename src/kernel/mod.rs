//! Loops over `f32` planes that forward and gradient passes spend their time in: convolution, pooling, element-wise
//! work. Plain slices in, plain slices out; no graph, no engine.
//!
//! A *plane* is one channel of one picture, row-major `[h, w]`; arrays are `[C, h, w]`. Each kernel computes the whole
//! output or only the places of a [`Region`], and gives every place the same bits either way: the order in which a
//! place's products are added never depends on what is computed beside it.

mod column;
pub mod conv;
mod depthwise;
mod frame;
mod isa;
mod lanes;
#[cfg(test)]
mod plain;
mod product;
pub mod region;
mod tile;
pub mod window;

pub use conv::{Conv, Epilogue, Scratch};
pub use region::{Region, Span};
pub use window::Window;
