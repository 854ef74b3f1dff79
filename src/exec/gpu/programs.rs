//! A program on the device: compiled for one picture and for a batch, each on first use.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use super::compute::{Compiled, Fault, Mixes};
use super::{Note, NoteKind, Programs};
use crate::exec::{Executor, Mixed};
use crate::gpu::ir::Graph;
use crate::gpu::{Coming, Precision};
use crate::graph::NotLowered;
use crate::program::Program;
use crate::{BoxFuture, Model, Tensor};

/// Bytes that the values of a batch may take at one time, and those of one array.
const MEMORY: usize = 256 << 20;
const ARRAY: usize = 128 << 20;
/// Pictures of a batch at most.
const MOST: usize = 16;
/// Batches under way together.
const UNDER_WAY: usize = 2;

/// What a program is run on.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// The program's inputs, each batch first.
    Rows(&'a [Tensor]),
    /// Pictures that the device makes.
    Mixed(Mixed<'a>),
}

impl Given<'_> {
    /// The program's own inputs of these pictures.
    pub(super) fn rows(&self, range: Range<usize>) -> Vec<Tensor> {
        match self {
            Self::Rows(inputs) => inputs.iter().map(|t| t.rows(range.start, range.end)).collect(),
            Self::Mixed(mixed) => vec![mixed.part(range).pictures()],
        }
    }
}

/// A program of one model.
pub(super) struct Prepared {
    program: Program,
    /// Pictures of a batch, a power of two.
    batch: Cell<usize>,
    compiled: RefCell<Vec<(Size, Rc<dyn Compiled>)>>,
    mixer: RefCell<Option<(Between, Rc<dyn Mixes>)>>,
    refusal: RefCell<Option<Note>>,
}

/// What a compiled program depends on.
type Size = (usize, Precision);

/// What a mixer depends on. One is kept: a job has one picture and one fill.
#[derive(PartialEq)]
struct Between {
    size: Size,
    x: Tensor,
    fill: Tensor,
    coming: Coming,
}

impl Prepared {
    /// Finds out whether it can be lowered, and for how many pictures at a time.
    pub(super) fn new(model: &Model, program: &Program) -> Self {
        let (batch, refusal) = match model.network().lowered(1, program) {
            Ok(graph) => (fitting(&graph), None),
            Err(why) => {
                let kind = if why == NotLowered::Missing {
                    NoteKind::Missing
                } else {
                    NoteKind::Operator
                };
                let text = why.to_string();
                (1, Some(Note { kind, text }))
            }
        };
        Self {
            program: program.clone(),
            batch: Cell::new(batch),
            compiled: RefCell::default(),
            mixer: RefCell::default(),
            refusal: RefCell::new(refusal),
        }
    }

    /// Why it is the processor's.
    pub(super) fn refusal(&self) -> Option<Note> {
        self.refusal.borrow().clone()
    }

    /// Leaves it to the processor from here on.
    pub(super) fn refuse(&self, why: &str) {
        let (kind, text) = (NoteKind::Failed, why.to_owned());
        *self.refusal.borrow_mut() = Some(Note { kind, text });
    }

    /// Pictures that keep the device busy for one turn.
    pub(super) fn turn(&self) -> usize {
        self.batch.get() * UNDER_WAY
    }

    /// Takes half as many pictures at a time from here on; false, and the program is the processor's, where that was one.
    pub(super) fn halve(&self) -> bool {
        let batch = self.batch.get();
        self.compiled.borrow_mut().retain(|((size, _), _)| *size < batch);
        self.mixer.take();
        self.batch.set((batch / 2).max(1));
        if batch == 1 {
            let (kind, text) = (NoteKind::Memory, "the GPU has too little memory".to_owned());
            *self.refusal.borrow_mut() = Some(Note { kind, text });
        }
        batch > 1
    }

    /// What runs the next of `pictures` pictures, of `given`.
    pub(super) async fn runner<'a>(
        &self,
        programs: &Programs,
        precision: Precision,
        given: Given<'a>,
        pictures: usize,
    ) -> Result<Runner<'a>, Fault> {
        let mut size = if pictures == 1 { 1 } else { self.batch.get() };
        let compiled = loop {
            let known = self
                .compiled
                .borrow()
                .iter()
                .find(|(of, _)| *of == (size, precision))
                .map(|(_, c)| c.clone());
            if let Some(compiled) = known {
                break compiled;
            }
            match programs.pool.model().network().lowered(size, &self.program) {
                Ok(graph) => {
                    let compiled = programs.device.compute.compile(&graph, precision).await?;
                    self.compiled.borrow_mut().push(((size, precision), compiled));
                }
                // Traced with the batch written into its shapes: one at a time, from here on.
                Err(_) if size > 1 => {
                    self.batch.set(1);
                    size = 1;
                }
                Err(why) => return Err(Fault::Failed { why: why.to_string() }),
            }
        };
        let way = match given {
            Given::Rows(inputs) => Way::Rows(inputs, compiled),
            Given::Mixed(mixed) => Way::Mixed(mixed, self.mixer((size, precision), &mixed, &*compiled).await?),
        };
        Ok(Runner { size, way })
    }

    async fn mixer(&self, size: Size, mixed: &Mixed<'_>, compiled: &dyn Compiled) -> Result<Rc<dyn Mixes>, Fault> {
        let between = Between {
            size,
            x: mixed.x.clone(),
            fill: mixed.fill.clone(),
            coming: mixed.masks.coming(),
        };
        if let Some((_, mixer)) = self.mixer.borrow().as_ref().filter(|(known, _)| *known == between) {
            return Ok(mixer.clone());
        }
        let mixer = compiled.mixer(&between.x, &between.fill, &between.coming).await?;
        *self.mixer.borrow_mut() = Some((between, mixer.clone()));
        Ok(mixer)
    }
}

/// A program compiled for batches of one size, with what it is run on.
pub(super) struct Runner<'a> {
    size: usize,
    way: Way<'a>,
}

enum Way<'a> {
    Rows(&'a [Tensor], Rc<dyn Compiled>),
    Mixed(Mixed<'a>, Rc<dyn Mixes>),
}

impl Runner<'_> {
    fn start(&self, range: Range<usize>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        match &self.way {
            Way::Rows(inputs, compiled) => {
                let rows = inputs
                    .iter()
                    .map(|t| filled(&t.rows(range.start, range.end), self.size));
                compiled.run(rows.collect())
            }
            Way::Mixed(mixed, mixer) => mixer.run(mixed.part(range).masks),
        }
    }

    /// Runs some of the pictures of `range`, the first ones first; how many, and their outputs. Several batches are under
    /// way together; the last is filled up.
    pub(super) async fn run(&self, range: Range<usize>) -> Result<(usize, Vec<Tensor>), Fault> {
        let mut starts = range.clone().step_by(self.size);
        let start = |from: usize| {
            let to = (from + self.size).min(range.end);
            (to - from, self.start(from..to))
        };
        let mut under_way: VecDeque<(usize, BoxFuture<'static, _>)> =
            starts.by_ref().take(UNDER_WAY).map(start).collect();
        let mut runs = Vec::new();
        let mut done = 0;
        while let Some((pictures, answer)) = under_way.pop_front() {
            let outputs: Vec<Tensor> = match answer.await {
                Ok(outputs) => outputs,
                // What has been finished before is kept; the fault comes again with the next batch.
                Err(_) if done > 0 => break,
                Err(fault) => return Err(fault),
            };
            done += pictures;
            runs.push(outputs.iter().map(|t| t.rows(0, pictures)).collect::<Vec<_>>());
            under_way.extend(starts.next().map(start));
        }
        Ok((done, super::super::join(&runs)))
    }
}

/// `n` rows: those of `t`, the last of them again and again.
fn filled(t: &Tensor, n: usize) -> Tensor {
    let rows = t.shape()[0];
    if rows == n {
        return t.clone();
    }
    let last = t.rows(rows - 1, rows);
    let parts: Vec<Tensor> = std::iter::once(t.clone())
        .chain((rows..n).map(|_| last.clone()))
        .collect();
    Tensor::concat(&parts)
}

/// How many pictures at a time fit, from the graph for one: a power of two.
fn fitting(graph: &Graph) -> usize {
    let (peak, largest) = footprint(graph);
    let most = (MEMORY / peak.max(1)).min(ARRAY / largest.max(1)).clamp(1, MOST);
    1 << most.ilog2()
}

/// Bytes of the values that are needed at one time, at most, and of the largest of them; constants apart.
fn footprint(graph: &Graph) -> (usize, usize) {
    let mut last_use = vec![0; graph.values.len()];
    for (when, node) in graph.nodes.iter().enumerate() {
        for id in &node.inputs {
            last_use[id.0] = when;
        }
    }
    for id in &graph.outputs {
        last_use[id.0] = usize::MAX;
    }
    let size = |id: usize| {
        let value = &graph.values[id];
        if value.constant.is_some() {
            0
        } else {
            value.len().saturating_mul(4)
        }
    };
    let mut live = graph
        .inputs
        .iter()
        .fold(0usize, |sum, id| sum.saturating_add(size(id.0)));
    let (mut peak, mut largest) = (live, live);
    for (when, node) in graph.nodes.iter().enumerate() {
        let made = size(node.output.0);
        live = live.saturating_add(made);
        (peak, largest) = (peak.max(live), largest.max(made));
        let mut read: Vec<usize> = node.inputs.iter().map(|id| id.0).collect();
        read.sort_unstable();
        read.dedup();
        let over = read.iter().filter(|&&id| last_use[id] == when);
        live = over.fold(live, |live, &id| live.saturating_sub(size(id)));
    }
    (peak, largest)
}
