//! tract's vocabulary for graph transforms and operators.

#[allow(
    clippy::wildcard_imports,
    reason = "a prelude; tract's own macros need most of it in scope"
)]
pub(in crate::graph) use tract_onnx::tract_core::internal::*;
