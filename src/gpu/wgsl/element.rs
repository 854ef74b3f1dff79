//! Element by element: expressions over arrays read in any order, and weighted copies along one axis.

use std::sync::Arc;

use super::{Buffer, Kernel, Known, Source, Target};
use crate::gpu::fuse::Group;
use crate::gpu::ir::{Node, Taps};

pub(super) fn kernel(group: &Group, target: Target) -> Kernel {
    let mut source = Source::new(target);
    source.finish(group);
    source.flat(group.out, group.shape.iter().product(), "  finish(i, 0.0);\n")
}

pub(super) fn taps(known: Known, group: &Group, node: &Node, axis: usize, taps: &Taps, target: Target) -> Kernel {
    let mut source = Source::new(target);
    let x = source.numbers(known.root(node.inputs[0]));
    let ends = source.read(Buffer::Words(taps.ends.as_slice().into()), "u32");
    let pairs: Arc<[u32]> = taps
        .taps
        .iter()
        .flat_map(|(at, weight)| [*at, weight.to_bits()])
        .collect();
    let pairs = source.read(Buffer::Words(pairs), "vec2<u32>");
    source.finish(group);
    let inner: usize = group.shape[axis + 1..].iter().product();
    let outputs = group.shape[axis];
    let len = known.graph.shape(node.inputs[0])[axis];
    let body = format!(
        "  let o = (i / {inner}u) % {outputs}u;
  let base = (i / {all}u) * {source_all}u + i % {inner}u;
  var first = 0u;
  if (o > 0u) {{ first = {ends}[o - 1u]; }}
  var sum = 0.0;
  for (var k = first; k < {ends}[o]; k++) {{
    let tap = {pairs}[k];
    sum = fma(bitcast<f32>(tap.y), f32({x}[base + tap.x * {inner}u]), sum);
  }}
  finish(i, sum);\n",
        all = inner * outputs,
        source_all = inner * len,
    );
    source.flat(group.out, group.shape.iter().product(), &body)
}
