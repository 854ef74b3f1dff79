//! A program on the device: compiled for one picture and for a batch, each on first use.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use super::compute::{Compiled, Fault};
use super::{Note, NoteKind, Programs};
use crate::exec::{Executor, Mixed};
use crate::gpu::ir::{Binary, Graph, Node, Op, Value, ValueId};
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

/// What is compiled.
#[derive(Clone, PartialEq)]
pub(super) struct What {
    pub program: Program,
    /// Whether its pictures are mixed by masks on the device.
    pub mixed: bool,
}

impl What {
    fn lowered(&self, model: &Model, n: usize) -> Result<Graph, NotLowered> {
        let mut graph = model.network().lowered(n, &self.program)?;
        if self.mixed {
            mix_first(&mut graph);
        }
        Ok(graph)
    }
}

/// What it is run on.
pub(super) enum Given<'a> {
    /// The program's inputs, each batch first.
    Rows(&'a [Tensor]),
    /// One picture, one fill, and masks batch first.
    Mixed(Mixed<'a>),
}

impl Given<'_> {
    /// The program's own inputs of these pictures.
    pub(super) fn rows(&self, range: Range<usize>) -> Vec<Tensor> {
        match self {
            Self::Rows(inputs) => inputs.iter().map(|t| t.rows(range.start, range.end)).collect(),
            Self::Mixed(mixed) => vec![mixed.pictures(range)],
        }
    }

    /// What the compiled graph takes for these pictures, filled up to `size`.
    fn batch(&self, range: Range<usize>, size: usize) -> Vec<Tensor> {
        match self {
            Self::Rows(_) => self.rows(range).iter().map(|t| filled(t, size)).collect(),
            Self::Mixed(mixed) => {
                let one = |t: &Tensor| Tensor::stack(std::slice::from_ref(t));
                let masks = mixed.masks.rows(range.start, range.end);
                vec![one(mixed.x), one(mixed.fill), filled(&masks, size)]
            }
        }
    }
}

/// Puts `m x + (1 - m) fill` in the place of the graph's pictures `[N, C, H, W]`: it then takes `x` and `fill`
/// `[1, C, H, W]` and `m` `[N, 1, H, W]` before its other inputs.
fn mix_first(graph: &mut Graph) {
    let pictures = graph.inputs.remove(0);
    let [n, c, h, w] = [0, 1, 2, 3].map(|axis| graph.shape(pictures)[axis]);
    let others = std::mem::take(&mut graph.inputs);
    let (x, fill) = (graph.input(&[1, c, h, w]), graph.input(&[1, c, h, w]));
    let mask = graph.input(&[n, 1, h, w]);
    graph.inputs.extend(others);
    let one = graph.scalar(1.0, 4);
    let mut fresh = |shape: [usize; 4]| {
        graph.values.push(Value {
            shape: shape.to_vec(),
            constant: None,
        });
        ValueId(graph.values.len() - 1)
    };
    let (seen, rest, hidden) = (fresh([n, c, h, w]), fresh([n, 1, h, w]), fresh([n, c, h, w]));
    let node = |f, a, b, output| Node {
        op: Op::Binary(f),
        inputs: vec![a, b],
        output,
    };
    let first = [
        node(Binary::Mul, mask, x, seen),
        node(Binary::Sub, one, mask, rest),
        node(Binary::Mul, rest, fill, hidden),
        node(Binary::Add, seen, hidden, pictures),
    ];
    graph.nodes.splice(0..0, first);
}

/// A program of one model.
pub(super) struct Prepared {
    what: What,
    /// Pictures of a batch, a power of two.
    batch: Cell<usize>,
    compiled: RefCell<Vec<(usize, Rc<dyn Compiled>)>>,
    refusal: RefCell<Option<Note>>,
}

impl Prepared {
    /// Finds out whether it can be lowered, and for how many pictures at a time.
    pub(super) fn new(model: &Model, what: &What) -> Self {
        let (batch, refusal) = match what.lowered(model, 1) {
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
            what: what.clone(),
            batch: Cell::new(batch),
            compiled: RefCell::default(),
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
        self.compiled.borrow_mut().retain(|(size, _)| *size < batch);
        self.batch.set((batch / 2).max(1));
        if batch == 1 {
            let (kind, text) = (NoteKind::Memory, "the GPU has too little memory".to_owned());
            *self.refusal.borrow_mut() = Some(Note { kind, text });
        }
        batch > 1
    }

    /// What runs the next of `pictures` pictures.
    pub(super) async fn runner(&self, programs: &Programs, pictures: usize) -> Result<Runner, Fault> {
        let mut size = if pictures == 1 { 1 } else { self.batch.get() };
        loop {
            let known = self
                .compiled
                .borrow()
                .iter()
                .find(|(n, _)| *n == size)
                .map(|(_, c)| c.clone());
            if let Some(compiled) = known {
                return Ok(Runner { size, compiled });
            }
            match self.what.lowered(programs.pool.model(), size) {
                Ok(graph) => {
                    let compiled = programs.device.compute.compile(&graph).await?;
                    self.compiled.borrow_mut().push((size, compiled));
                }
                // Traced with the batch written into its shapes: one at a time, from here on.
                Err(_) if size > 1 => {
                    self.batch.set(1);
                    size = 1;
                }
                Err(why) => return Err(Fault::Failed { why: why.to_string() }),
            }
        }
    }
}

/// A program compiled for batches of one size.
pub(super) struct Runner {
    size: usize,
    compiled: Rc<dyn Compiled>,
}

impl Runner {
    /// Runs some of the pictures of `range`, the first ones first; how many, and their outputs. Several batches are under
    /// way together; the last is filled up with its last picture.
    pub(super) async fn run(&self, given: &Given<'_>, range: Range<usize>) -> Result<(usize, Vec<Tensor>), Fault> {
        let mut starts = range.clone().step_by(self.size);
        let start = |from: usize| {
            let to = (from + self.size).min(range.end);
            (to - from, self.compiled.run(given.batch(from..to, self.size)))
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
        if value.constant.is_some() { 0 } else { 4 * value.len() }
    };
    let mut live: usize = graph.inputs.iter().map(|id| size(id.0)).sum();
    let (mut peak, mut largest) = (live, live);
    for (when, node) in graph.nodes.iter().enumerate() {
        let made = size(node.output.0);
        live += made;
        (peak, largest) = (peak.max(live), largest.max(made));
        let mut read: Vec<usize> = node.inputs.iter().map(|id| id.0).collect();
        read.sort_unstable();
        read.dedup();
        live -= read
            .iter()
            .filter(|&&id| last_use[id] == when)
            .map(|&id| size(id))
            .sum::<usize>();
    }
    (peak, largest)
}
