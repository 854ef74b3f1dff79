//! Kernels: WGSL made for one group, with its shapes written into it.

mod contract;
mod convolution;
mod element;
mod gemm;
mod lanes;
pub(super) mod mix;
mod pool;

use std::fmt::Write;
use std::sync::Arc;

use super::access::Space;
use super::expr;
use super::fuse::Group;
use super::ir::{Graph, Op, ValueId};

/// What a kernel reads.
#[derive(Clone, Debug)]
pub(super) enum Buffer {
    /// The buffer of a value.
    Value(ValueId),
    /// Numbers in the device's precision, laid out for this kernel.
    Floats(Arc<[f32]>),
    /// Whole numbers, or bits.
    Words(Arc<[u32]>),
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Value(a), Self::Value(b)) if a == b)
    }
}

/// A kernel to be compiled, with what it reads and writes.
#[derive(Debug)]
pub(super) struct Kernel {
    pub source: String,
    /// Bound from 0; the result is bound after them.
    pub reads: Vec<Buffer>,
    pub out: ValueId,
    pub workgroups: [u32; 3],
}

/// What kernels are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Arrays are kept in `f16`; sums run in `f32`.
    pub half: bool,
    /// Tiles are shared by a workgroup. Software adapters are faster without.
    pub tiles: bool,
}

/// Threads of a workgroup that has one dimension.
const THREADS: usize = 64;
/// Workgroups along the first dimension, at most.
const ROW: usize = 32_768;

/// WGSL under construction.
pub(super) struct Source {
    target: Target,
    reads: Vec<(Buffer, &'static str)>,
    functions: String,
}

impl Source {
    fn new(target: Target) -> Self {
        Self {
            target,
            reads: vec![],
            functions: String::new(),
        }
    }

    /// The name of a buffer read as an array of this type.
    fn read(&mut self, buffer: Buffer, element: &'static str) -> String {
        let known = self.reads.iter().position(|(b, e)| *b == buffer && *e == element);
        let at = known.unwrap_or_else(|| {
            self.reads.push((buffer, element));
            self.reads.len() - 1
        });
        format!("b{at}")
    }

    /// A buffer of numbers, one by one.
    fn numbers(&mut self, value: ValueId) -> String {
        self.read(Buffer::Value(value), "S")
    }

    fn add(&mut self, code: &str) {
        self.functions.push_str(code);
    }

    /// Adds `finish(i, result)`, which takes what the operator has computed for the element `i` of the group's shape through
    /// its expression and stores it.
    fn finish(&mut self, group: &Group) {
        let accesses: Vec<_> = group
            .loads
            .iter()
            .map(|load| &load.access)
            .chain([&group.store])
            .collect();
        let guards = || group.loads.iter().filter_map(|load| load.guard.as_ref());
        let pinned = |axis: usize| guards().any(|guard| guard.ranges.iter().any(|range| range.0 == axis));
        let space = Space::new(&group.shape, &accesses, &pinned);
        let mut code = space.coordinates("i", "c");
        for (k, load) in group.loads.iter().enumerate() {
            let buffer = self.numbers(load.value);
            let read = format!("f32({buffer}[{}])", space.place(k, "c"));
            if let Some(guard) = &load.guard {
                let inside: Vec<String> = guard
                    .ranges
                    .iter()
                    .map(|(axis, from, to)| {
                        let c = space.coordinate(*axis, "c");
                        format!("{c} >= {from}u && {c} < {to}u")
                    })
                    .collect();
                let inside = if inside.is_empty() {
                    "true".into()
                } else {
                    inside.join(" && ")
                };
                _ = write!(
                    code,
                    "  var l{k} = {};\n  if ({inside}) {{ l{k} = {read}; }}\n",
                    expr::literal(guard.fill)
                );
            } else {
                _ = writeln!(code, "  let l{k} = {read};");
            }
        }
        let value = group.expr.write(&mut code);
        _ = writeln!(code, "  out[{}] = S({value});", space.place(group.loads.len(), "c"));
        _ = write!(self.functions, "fn finish(i: u32, result: f32) {{\n{code}}}\n");
    }

    /// The kernel with a `main` of one thread for each of `threads`, named `i`.
    fn flat(self, out: ValueId, threads: usize, body: &str) -> Kernel {
        let workgroups = threads.div_ceil(THREADS);
        let main = format!(
            "@compute @workgroup_size({THREADS})\n\
             fn main(@builtin(global_invocation_id) id: vec3<u32>) {{\n\
             \x20 let i = id.y * {}u + id.x;\n\
             \x20 if (i >= {threads}u) {{ return; }}\n{body}}}\n",
            workgroups.min(ROW) * THREADS
        );
        let workgroups = [workgroups.min(ROW) as u32, workgroups.div_ceil(ROW) as u32, 1];
        self.kernel(out, &main, workgroups)
    }

    fn kernel(self, out: ValueId, main: &str, workgroups: [u32; 3]) -> Kernel {
        let mut source = String::new();
        if self.target.half {
            source.push_str("enable f16;\nalias S = f16;\n");
        } else {
            source.push_str("alias S = f32;\n");
        }
        for (at, (_, element)) in self.reads.iter().enumerate() {
            _ = writeln!(
                source,
                "@group(0) @binding({at}) var<storage, read> b{at}: array<{element}>;"
            );
        }
        _ = writeln!(
            source,
            "@group(0) @binding({}) var<storage, read_write> out: array<S>;",
            self.reads.len()
        );
        source.push_str(expr::functions(&format!("{}{main}", self.functions)));
        source.push_str(&self.functions);
        source.push_str(main);
        Kernel {
            source,
            reads: self.reads.into_iter().map(|(buffer, _)| buffer).collect(),
            out,
            workgroups,
        }
    }
}

/// A graph with what is known about its values.
#[derive(Clone, Copy)]
pub(super) struct Known<'g> {
    pub graph: &'g Graph,
    pub root: &'g [ValueId],
}

impl Known<'_> {
    fn root(&self, id: ValueId) -> ValueId {
        self.root[id.0]
    }

    fn constant(&self, id: ValueId) -> Option<&Arc<[f32]>> {
        self.graph.values[self.root(id).0].constant.as_ref()
    }
}

/// The kernels of one group.
pub(super) fn kernels(known: Known, group: &Group, target: Target) -> Vec<Kernel> {
    let Some(anchor) = group.anchor else {
        return vec![element::kernel(group, target)];
    };
    let node = &known.graph.nodes[anchor];
    match &node.op {
        Op::Conv { window, groups } => convolution::forward(known, group, node, window, *groups, target),
        Op::ConvTransposed { window, groups, .. } => {
            convolution::transposed(known, group, node, window, *groups, target)
        }
        Op::Contract(indices) => vec![contract::kernel(known, group, node, indices, target)],
        Op::MaxPool(window) => vec![pool::max(known, group, node, window, target)],
        Op::MaxPoolAdjoint(window) => vec![pool::max_adjoint(known, group, node, window, target)],
        Op::SumPool { window, divisor } => vec![pool::sum(known, group, node, window, *divisor, target)],
        Op::SumPoolAdjoint { window, divisor, .. } => {
            vec![pool::sum_adjoint(known, group, node, window, *divisor, target)]
        }
        Op::Reduce { by, axes } => vec![lanes::reduce(known, group, node, *by, axes, target)],
        Op::Softmax { axes, log } => vec![lanes::softmax(known, group, node, axes, *log, target)],
        Op::Taps { axis, taps } => vec![element::taps(known, group, node, *axis, taps, target)],
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Select
        | Op::Concat { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Transpose { .. }
        | Op::Reshape { .. }
        | Op::Broadcast { .. } => vec![element::kernel(group, target)],
    }
}
