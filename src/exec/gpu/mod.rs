//! A GPU, with the processor beside it for what the GPU can't run or no longer does. No job is lost with the device: it
//! goes on from the last finished batch.
//!
//! Results agree with the processor's at the level [`AGREEMENT`], for gradients as for answers; they do not depend on how
//! pictures are batched. With 16 bits, where that is asked for, a note tells how far each program's results are off.

mod beside;
mod compute;
mod half;
mod programs;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use beside::Beside;
pub use compute::{Compiled, Compute, Fault, Mixes};
use programs::{Given, Prepared};

use super::{Coprocessor, Device, Executor, Mixed, Note, NoteKind, Pool};
use crate::error::Error;
use crate::gpu::Precision;
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
    /// In which passes are run.
    precision: Precision,
    /// Why it is no longer used.
    lost: RefCell<Option<String>>,
}

impl Shared {
    /// Shares `compute`, whose passes run in this precision: in 16 bits only where it has them and they hold, see
    /// [`NoteKind::Half`].
    pub fn new(compute: Rc<dyn Compute>, precision: Precision) -> Rc<Self> {
        Rc::new(Self {
            compute,
            precision,
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
    kept: RefCell<VecDeque<(Program, Rc<Prepared>)>>,
    beside: Beside,
    /// Pictures of a turn, once it is known what one takes.
    turn: Cell<Option<usize>>,
}

/// The engine of one model for one job, which tells what it has used.
pub struct Gpu {
    programs: Rc<Programs>,
    on_device: Cell<u64>,
    on_processor: Cell<u64>,
    notes: RefCell<Vec<Note>>,
    /// In which precision the job runs its programs.
    precisions: RefCell<Vec<(Program, Precision)>>,
}

impl Gpu {
    /// An engine on `device`, with `pool` beside it.
    pub fn new(pool: Rc<Pool>, device: Rc<Shared>) -> Self {
        Self::over(Rc::new(Programs {
            pool,
            device,
            kept: RefCell::default(),
            beside: Beside::default(),
            turn: Cell::new(None),
        }))
    }

    fn over(programs: Rc<Programs>) -> Self {
        Self {
            programs,
            on_device: Cell::new(0),
            on_processor: Cell::new(0),
            notes: RefCell::default(),
            precisions: RefCell::default(),
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
    async fn on_device(&self, program: &Program, given: Given<'_>, n: usize, runs: &mut Vec<Vec<Tensor>>) -> usize {
        let mut done = 0;
        let prepared = match self.programs.prepared(program) {
            Ok(prepared) => prepared,
            Err(note) => {
                self.note(note.kind, note.text);
                return 0;
            }
        };
        while done < n {
            match self.some(program, &prepared, given, done..n).await {
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

    /// Runs some of the pictures of `range`, the first ones first; how many, and their outputs.
    async fn some(
        &self,
        program: &Program,
        prepared: &Prepared,
        given: Given<'_>,
        range: Range<usize>,
    ) -> Result<(usize, Vec<Tensor>), Fault> {
        let precision = self.precision(program, prepared, given, range.start).await?;
        let runner = prepared.runner(&self.programs, precision, given, range.len()).await?;
        runner.run(range).await
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
                self.lose(why);
            }
            Fault::Failed { why } => {
                prepared.refuse(&why);
                self.note(NoteKind::Failed, why);
            }
        }
        true
    }

    fn lose(&self, why: String) {
        self.note(NoteKind::Lost, why.clone());
        *self.programs.device.lost.borrow_mut() = Some(why);
    }

    async fn share(&self, program: &Program, inputs: &[Tensor]) -> Result<Vec<Tensor>, Error> {
        let n = super::batch(inputs)?;
        self.both(program, Given::Rows(inputs), n).await
    }

    /// Runs on the device as far as it will, and the rest on the processor.
    async fn both(&self, program: &Program, given: Given<'_>, n: usize) -> Result<Vec<Tensor>, Error> {
        let mut runs = Vec::new();
        let done = self.on_device(program, given, n, &mut runs).await;
        self.on_device.set(self.on_device.get() + done as u64);
        if done < n || n == 0 {
            let rest = given.rows(done..n);
            runs.push(self.programs.pool.run(program, &rest).await?);
            self.on_processor.set(self.on_processor.get() + (n - done) as u64);
        }
        Ok(super::join(&runs))
    }
}

impl Programs {
    /// `program` as the device takes it; or why it does not.
    fn prepared(&self, program: &Program) -> Result<Rc<Prepared>, Note> {
        if let Some(why) = self.device.lost() {
            let kind = NoteKind::Lost;
            return Err(Note { kind, text: why });
        }
        let mut kept = self.kept.borrow_mut();
        let known = kept.iter().position(|(p, _)| p == program);
        let entry = match known.and_then(|i| kept.remove(i)) {
            Some(entry) => entry,
            None => (program.clone(), Rc::new(Prepared::new(self.pool.model(), program))),
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
        Some(self.prepared(program).ok()?.turn())
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
        self.precisions.borrow_mut().clear();
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.borrow().clone()
    }

    fn run_mixed<'a>(&'a self, program: &'a Program, mixed: Mixed<'a>) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(self.both(program, Given::Mixed(mixed), mixed.len()))
    }

    fn coprocessor(&self) -> Option<&dyn Coprocessor> {
        Some(self)
    }

    fn run<'a>(&'a self, program: &'a Program, inputs: &'a [Tensor]) -> BoxFuture<'a, Result<Vec<Tensor>, Error>> {
        Box::pin(self.share(program, inputs))
    }
}
