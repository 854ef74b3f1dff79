//! A network with its card: what it wants, what it answers, what of it can be explained.

pub mod card;
pub mod limits;
pub mod suggest;
pub mod target;

use std::sync::Arc;

pub use card::ModelCard;
pub use limits::Limits;
pub use target::{Target, TargetKind};

use crate::error::{Error, LoadError};
use crate::graph::Network;

/// A loaded image classifier: `[N, C, H, W]` preprocessed pictures to logits `[N, K]`.
#[derive(Debug)]
pub struct Model {
    card: ModelCard,
    labels: Vec<String>,
    network: Network,
    sha256: String,
}

impl Model {
    /// Loads a network by its card. Limits are checked before memory is taken.
    pub fn load(onnx: &[u8], card: ModelCard, labels: Vec<String>, limits: &Limits) -> Result<Arc<Self>, LoadError> {
        let network = Network::import(onnx, &card, limits)?;
        Ok(Arc::new(Self {
            sha256: sha256_hex(onnx),
            card,
            labels,
            network,
        }))
    }

    /// The card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The graph.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// SHA-256 of the ONNX file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Number of classes `K`.
    pub fn classes(&self) -> usize {
        self.network.classes()
    }

    /// The label of a class, or its number where there are no labels.
    pub fn label(&self, class: usize) -> String {
        self.labels
            .get(class)
            .cloned()
            .unwrap_or_else(|| format!("class {class}"))
    }

    /// Channels, height and width of an input.
    pub fn input_dims(&self) -> [usize; 3] {
        self.network.input_dims()
    }

    /// The layer called `name`, or the card's default (else the network's last feature map) for an empty name.
    pub fn layer(&self, name: &str) -> Result<usize, Error> {
        let layers = self.network.layers();
        let wanted = if name.is_empty() {
            self.card.layers.default.as_deref().unwrap_or("")
        } else {
            name
        };
        let found = if wanted.is_empty() {
            self.network.default_layer()
        } else {
            layers.iter().position(|l| l.name == wanted)
        };
        found.ok_or_else(|| {
            crate::error::GradientError::NoLayer {
                layer: wanted.to_owned(),
                known: layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", "),
            }
            .into()
        })
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
