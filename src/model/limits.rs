//! Bounds on what is loaded, checked before memory is taken.

/// Bounds on a network and on pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an ONNX file.
    pub model_bytes: u64,
    /// Nodes of the graph, subgraphs included.
    pub nodes: u64,
    /// Values of any one tensor, weights and activations alike.
    pub tensor_values: u64,
    /// Estimated bytes of weights plus the activations of one picture.
    pub memory_bytes: u64,
    /// Side of the network's input, pixels.
    pub input_side: u64,
    /// Pixels of a picture before it is resized.
    pub picture_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            model_bytes: 256 << 20,
            nodes: 20_000,
            tensor_values: 256 << 20,
            memory_bytes: 1 << 30,
            input_side: 1024,
            picture_pixels: 100_000_000,
        }
    }
}
