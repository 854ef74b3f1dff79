//! A GPU, with the processor beside it for what the GPU can't run or no longer does. No job is lost with the device: it
//! goes on from the last finished batch.
//!
//! Results agree with the processor's at the level [`AGREEMENT`], for gradients as for answers; they do not depend on how
//! pictures are batched.

mod compute;
mod programs;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

pub use compute::{Compiled, Compute, Fault};
use programs::{Given, Prepared, What};

use super::{Device, Executor, Mixed, Note, NoteKind, Pool};
use crate::error::Error;
use crate::program::Program;
use crate::{BoxFuture, Model, Tensor};

/// The largest difference between a GPU's `f32` results and the processor's, of the largest magnitude of the result:
/// sums are taken in another order, and a GPU's functions are exact to fewer digits.
pub const AGREEMENT: f32 = 1e-4;

/// Programs kept; each holds its kernels and buffers. The one used longest ago goes when there are more.
const PROGRAMS: usize = 6;

/// A device that the engines of several models share.
pub struct Shared {
    compute: Rc<dyn Compute>,
    /// Why it is no longer used.
    lost: RefCell<Option<String>>,
}

impl Shared {
    /// Shares `compute`.
    pub fn new(compute: Rc<dyn Compute>) -> Rc<Self> {
        Rc::new(Self {
            compute,
            lost: RefCell::default(),
        })
    }

    /// The device's name, for people.
    pub fn name(&self) -> String {
        self.compute.name()
    }

    /// Why it is no longer used, once it is not.
    pub fn lost(&self) -> Option<String> {
        self.lost.borrow().clone()
    }
}

/// What one model has on the device.
struct Programs {
    pool: Rc<Pool>,
    device: Rc<Shared>,
    kept: RefCell<VecDeque<(What, Rc<Prepared>)>>,
    /// Pictures of a turn, once it is known what one takes.
    turn: Cell<Option<usize>>,
}

/// The engine of one model for one job, which tells what it has used.
pub struct Gpu {
    programs: Rc<Programs>,
    on_device: Cell<u64>,
    on_processor: Cell<u64>,
    notes: RefCell<Vec<Note>>,
}

impl Gpu {
    /// An engine on `device`, with `pool` beside it.
    pub fn new(pool: Rc<Pool>, device: Rc<Shared>) -> Self {
        Self::over(Rc::new(Programs {
            pool,
            device,
            kept: RefCell::default(),
            turn: Cell::new(None),
        }))
    }

    fn over(programs: Rc<Programs>) -> Self {
        Self {
            programs,
            on_device: Cell::new(0),
            on_processor: Cell::new(0),
            notes: RefCell::default(),
        }
    }

    /// The same engine for another job.
    #[must_use]
    pub fn for_job(&self) -> Self {
        Self::over(self.programs.clone())
    }

    /// The device.
    pub fn shared(&self) -> &Rc<Shared> {
        &self.programs.device
    }

    fn note(&self, kind: NoteKind, text: String) {
        let mut notes = self.notes.borrow_mut();
        if !notes.iter().any(|note| note.kind == kind && note.text == text) {
            notes.push(Note { kind, text });
        }
    }

    /// Runs as many of the `n` pictures as the device will, in order; what is missing then is the processor's.
    async fn on_device(&self, what: &What, given: &Given<'_>, n: usize, runs: &mut Vec<Vec<Tensor>>) -> usize {
        let mut done = 0;
        let prepared = match self.programs.prepared(what) {
            Ok(prepared) => prepared,
            Err(note) => {
                self.note(note.kind, note.text);
                return 0;
            }
        };
        while done < n {
            let runner = match prepared.runner(&self.programs, n - done).await {
                Ok(runner) => runner,
                Err(fault) => {
                    if self.gives_up(&prepared, fault) {
                        break;
                    }
                    continue;
                }
            };
            match runner.run(given, done..n).await {
                Ok((pictures, outputs)) => {
                    done += pictures;
                    runs.push(outputs);
                }
                Err(fault) => {
                    if self.gives_up(&prepared, fault) {
                        break;
                    }
                }
            }
        }
        done
    }

    /// Takes a fault in: whether the rest of the pictures is the processor's.
    fn gives_up(&self, prepared: &Prepared, fault: Fault) -> bool {
        match fault {
            Fault::OutOfMemory { why } => {
                if prepared.halve() {
                    return false;
                }
                self.note(NoteKind::Memory, why);
            }
            Fault::Lost { why } => {
                self.note(NoteKind::Lost, why.clone());
                *self.programs.device.lost.borrow_mut() = Some(why);
            }
            Fault::Failed { why } => {
                prepared.refuse(&why);
                self.note(NoteKind::Failed, why);
            }
        }
        true
    }

    async fn share(&self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let n = super::batch(inputs)?;
        let what = What {
            program: program.clone(),
            mixed: false,
        };
        self.both(&what, &Given::Rows(inputs), n).await
    }

    /// Runs on the device as far as it will, and the rest on the processor.
    async fn both(&self, what: &What, given: &Given<'_>, n: usize) -> Result<Vec<Tensor>, Error> {
        let mut runs = Vec::new();
        let done = self.on_device(what, given, n, &mut runs).await;
        self.on_device.set(self.on_device.get() + done as u64);
        if done < n || n == 0 {
            let rest = given.rows(done..n);
            runs.push(self.programs.pool.run(&what.program, &rest).await?);
            self.on_processor.set(self.on_processor.get() + (n - done) as u64);
        }
        Ok(super::join(&runs))
    }
}

impl Programs {
    /// `what` as the device takes it; or why it does not.
    fn prepared(&self, what: &What) -> Result<Rc<Prepared>, Note> {
        if let Some(why) = self.device.lost() {
            let kind = NoteKind::Lost;
            return Err(Note { kind, text: why });
        }
        let mut kept = self.kept.borrow_mut();
        let known = kept.iter().position(|(p, _)| p == what);
        let entry = match known.and_then(|i| kept.remove(i)) {
            Some(entry) => entry,
            None => (what.clone(), Rc::new(Prepared::new(self.pool.model(), what))),
        };
        kept.truncate(PROGRAMS - 1);
        let prepared = entry.1.clone();
        kept.push_front(entry);
        match prepared.refusal() {
            Some(note) => Err(note),
            None => Ok(prepared),
        }
    }

    /// How many pictures of `program` a turn holds; none where it is the processor's.
    fn turn(&self, program: &Program) -> Option<usize> {
        let program = program.clone();
        Some(self.prepared(&What { program, mixed: false }).ok()?.turn())
    }
}

impl Executor for Gpu {
    fn model(&self) -> &Model {
        self.programs.pool.model()
    }

    /// What the job's pictures have run on so far; the GPU before the first.
    fn device(&self) -> Device {
        let processor = self.programs.pool.device();
        let lost = self.programs.device.lost().is_some();
        match (self.on_device.get(), self.on_processor.get()) {
            (0, 1..) => processor,
            (0, 0) if lost => processor,
            (_, on_processor) => Device::Gpu {
                adapter: self.programs.device.name(),
                processor: (on_processor > 0).then(|| Box::new(processor)),
            },
        }
    }

    fn preferred_batch(&self) -> usize {
        if self.programs.device.lost().is_some() {
            return self.programs.pool.preferred_batch();
        }
        if let Some(turn) = self.programs.turn.get() {
            return turn;
        }
        let turn = self.programs.turn(&Program::default());
        let turn = turn.unwrap_or_else(|| self.programs.pool.preferred_batch());
        self.programs.turn.set(Some(turn));
        turn
    }

    fn turn(&self, program: &Program) -> usize {
        let turn = self.programs.turn(program);
        turn.unwrap_or_else(|| self.programs.pool.preferred_batch())
    }

    fn begin(&self) {
        self.on_device.set(0);
        self.on_processor.set(0);
        self.notes.borrow_mut().clear();
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.borrow().clone()
    }

    fn run_mixed<'a>(&'a self, program: &'a Program, mixed: Mixed<'a>) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(async move {
            let what = What {
                program: program.clone(),
                mixed: true,
            };
            self.both(&what, &Given::Mixed(mixed), mixed.len()).await
        })
    }

    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(self.share(program, inputs))
    }
}
