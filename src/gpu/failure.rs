//! Why there is no GPU, and why a run on it failed. Callers go on on the processor.

/// Why [`super::Gpu::open`] gives none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Nothing here drives a GPU, or there is none.
    #[error("no GPU was found: {why}")]
    NoAdapter {
        /// What the system says.
        why: String,
    },
    /// What was found computes on the processor, slower than our own kernels do.
    #[error("{name} is not a GPU but a program")]
    Software {
        /// Name of the adapter.
        name: String,
    },
    /// The adapter's limits are below what kernels need, or it refused.
    #[error("{name} can't be used: {why}")]
    Device {
        /// Name of the adapter.
        name: String,
        /// What the system says.
        why: String,
    },
    /// It computes a small network, whose answer is known, otherwise.
    #[error("{name} fails the self-test: {why}")]
    Differs {
        /// Name of the adapter.
        name: String,
        /// What differs, or what failed.
        why: String,
    },
}

/// Why a network could not be compiled or run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The device is gone, and all that was compiled for it.
    #[error("the GPU was lost: {why}")]
    Lost {
        /// What the system says.
        why: String,
    },
    /// Not enough memory on the device.
    #[error("the GPU is out of memory: {why}")]
    OutOfMemory {
        /// What the system says.
        why: String,
    },
    /// Something is larger than the device lets it be.
    #[error("{what} takes {found} {unit} on the GPU, which allows {limit}")]
    TooLarge {
        /// What.
        what: String,
        /// Its size.
        found: u64,
        /// In what.
        unit: &'static str,
        /// The device's limit.
        limit: u64,
    },
    /// The inputs are not those that the network takes.
    #[error("input {index} has the shape {found:?}, the compiled network takes {expected:?}")]
    Input {
        /// Which input.
        index: usize,
        /// Its shape, empty where there is none.
        found: Vec<usize>,
        /// The shape it should have, empty where it should not be.
        expected: Vec<usize>,
    },
    /// Masks or the pictures between which they choose do not fit the network.
    #[error("{why}")]
    Masks {
        /// What does not fit.
        why: String,
    },
    /// The driver refused or failed.
    #[error("the GPU failed: {why}")]
    Internal {
        /// What it says.
        why: String,
    },
}
