//! Slow and plain forms of what the crate does fast, in f64 and straight from the definitions, to hold it against.
#![allow(dead_code)] // Each test binary uses its own part.

pub mod mlp;
pub mod onnx;
pub mod relevance;
pub mod removal;
