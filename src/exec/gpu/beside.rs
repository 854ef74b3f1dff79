//! Work beside passes of the network: graphs that imputers describe, compiled on first use.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::compute::{Compiled, Fault};
use super::{Gpu, Note, NoteKind};
use crate::exec::Coprocessor;
use crate::gpu::Precision;
use crate::gpu::ir::Graph;
use crate::{BoxFuture, Tensor};

/// Graphs kept; each holds its kernels and buffers.
const GRAPHS: usize = 4;

/// What was compiled, or why it is the processor's.
type Found = Result<Rc<dyn Compiled>, Note>;

/// What was found, by its key. The one used longest ago goes first.
#[derive(Default)]
pub(super) struct Beside(RefCell<VecDeque<(String, Found)>>);

impl Beside {
    fn find(&self, key: &str) -> Option<Found> {
        let mut kept = self.0.borrow_mut();
        let entry = kept
            .iter()
            .position(|(known, _)| known == key)
            .and_then(|i| kept.remove(i))?;
        kept.push_front(entry.clone());
        Some(entry.1)
    }

    fn keep(&self, key: &str, found: Found) {
        let mut kept = self.0.borrow_mut();
        kept.retain(|(known, _)| known != key);
        kept.truncate(GRAPHS - 1);
        kept.push_front((key.to_owned(), found));
    }
}

impl Gpu {
    async fn compute(
        &self,
        key: &str,
        describe: &dyn Fn() -> Result<Graph, String>,
        inputs: Vec<Tensor>,
    ) -> Result<Vec<Tensor>, Note> {
        let programs = &self.programs;
        if let Some(text) = programs.device.lost() {
            let kind = NoteKind::Lost;
            return Err(Note { kind, text });
        }
        let refused = |kind, text| {
            let note = Note { kind, text };
            programs.beside.keep(key, Err(note.clone()));
            note
        };
        let faulty = |fault| match fault {
            Fault::Lost { why } => {
                self.lose(why.clone());
                let (kind, text) = (NoteKind::Lost, why);
                Note { kind, text }
            }
            Fault::OutOfMemory { why } => refused(NoteKind::Memory, why),
            Fault::Failed { why } => refused(NoteKind::Failed, why),
        };
        let compiled = if let Some(known) = programs.beside.find(key) {
            known?
        } else {
            let graph = describe().map_err(|why| refused(NoteKind::Operator, why))?;
            let compiled = programs.device.compute.compile(&graph, Precision::Single).await;
            let compiled = compiled.map_err(faulty)?;
            programs.beside.keep(key, Ok(compiled.clone()));
            compiled
        };
        compiled.run(inputs).await.map_err(faulty)
    }
}

impl Coprocessor for Gpu {
    fn compute<'a>(
        &'a self,
        key: &'a str,
        describe: &'a dyn Fn() -> Result<Graph, String>,
        inputs: Vec<Tensor>,
    ) -> BoxFuture<'a, Option<Vec<Tensor>>> {
        Box::pin(async move {
            match Gpu::compute(self, key, describe, inputs).await {
                Ok(outputs) => Some(outputs),
                Err(note) => {
                    self.note(note.kind, note.text);
                    None
                }
            }
        })
    }
}
