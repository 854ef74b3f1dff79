//! Looks into an ONNX file without loading it.

use crate::error::LoadError;
use crate::model::{Limits, ModelCard};

/// What an ONNX file holds.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// A card to start from.
    pub card: ModelCard,
    /// Why the card says what it says, one sentence each.
    pub reasons: Vec<String>,
    /// Inputs: name and shape in words.
    pub inputs: Vec<String>,
    /// Output names.
    pub outputs: Vec<String>,
    /// Version of the standard operator set.
    pub opset: i64,
    /// Number of nodes.
    pub nodes: usize,
}

/// Reads the file's declarations within `limits`.
pub fn inspect(_onnx: &[u8], _limits: &Limits) -> Result<Inspection, LoadError> {
    todo!("helper import lands this")
}
