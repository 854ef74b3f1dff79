//! The networks that imputers and criteria run beside the explained one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::Tensor;
use crate::error::{Error, InputError};
use crate::gpu::ir::Graph;
use crate::graph::Dense;
use crate::model::{Limits, sha256_hex};

/// Picture-to-picture networks by id. Clones share what is loaded.
#[derive(Clone, Debug, Default)]
pub struct Networks(Rc<RefCell<BTreeMap<String, Rc<Loaded>>>>);

#[derive(Debug)]
struct Loaded {
    network: Dense,
    sha256: String,
}

impl Networks {
    /// Loads `onnx` under `id`, replacing what was there.
    ///
    /// # Errors
    /// A file that is no network with one input, or that is over `limits`; what was there before stays then.
    pub fn load(&self, id: &str, onnx: &[u8], limits: &Limits) -> Result<(), Error> {
        let loaded = Loaded {
            network: Dense::load(onnx, limits)?,
            sha256: sha256_hex(onnx),
        };
        self.0.borrow_mut().insert(id.to_owned(), Rc::new(loaded));
        Ok(())
    }

    /// Whether `id` is loaded.
    pub fn has(&self, id: &str) -> bool {
        self.0.borrow().contains_key(id)
    }

    /// SHA-256 of the file under `id`, in hexadecimal.
    pub fn sha256(&self, id: &str) -> Option<String> {
        self.0.borrow().get(id).map(|l| l.sha256.clone())
    }

    /// The first output of the network `id` for `x` `[1, C, H, W]`; runs at once, to its end.
    ///
    /// # Errors
    /// A network that is not loaded, and what the engine says of an input that does not fit it.
    pub fn run(&self, id: &str, x: &Tensor) -> Result<Tensor, Error> {
        self.loaded(id)?.network.run(x)
    }

    /// The network `id` for inputs of this shape, as a device runs it.
    ///
    /// # Errors
    /// Why it can't.
    pub fn lowered(&self, id: &str, shape: &[usize]) -> Result<Graph, String> {
        let loaded = self.loaded(id).map_err(|why| why.to_string())?;
        loaded.network.lowered(shape).map_err(|why| why.to_string())
    }

    fn loaded(&self, id: &str) -> Result<Rc<Loaded>, InputError> {
        let found = self.0.borrow().get(id).cloned();
        found.ok_or_else(|| InputError::Unknown {
            what: "loaded network of an imputer",
            id: id.to_owned(),
            known: self.0.borrow().keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }
}
