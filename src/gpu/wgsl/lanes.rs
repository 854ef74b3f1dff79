//! Reductions and softmax: each result comes from a lane, the elements along the given axes. Long lanes are shared by a
//! workgroup, short ones and those whose neighbours lie next to each other in memory are walked by one thread.

use super::{Kernel, Known, ROW, Source, Target};
use crate::gpu::access::{Access, Space};
use crate::gpu::fuse::Group;
use crate::gpu::ir::{Node, Reduction};
use crate::gpu::shapes::strides;

/// Threads that share a lane.
const SHARING: usize = 64;

/// Lanes of `shape` along `axes`.
struct Lanes {
    /// Number of lanes.
    count: usize,
    /// Elements of each.
    len: usize,
    /// Whether a workgroup shares each.
    shared: bool,
}

/// Adds `lane(i)`, where the `i`-th lane starts, and `element(k)`, the step to its `k`-th element.
fn lanes(source: &mut Source, shape: &[usize], axes: &[usize]) -> Lanes {
    let steps = strides(shape);
    let part = |along: bool| -> (Vec<usize>, Access) {
        let chosen: Vec<usize> = (0..shape.len()).filter(|axis| axes.contains(axis) == along).collect();
        let access = Access {
            offset: 0,
            steps: chosen.iter().map(|&axis| steps[axis] as isize).collect(),
        };
        (chosen.iter().map(|&axis| shape[axis]).collect(), access)
    };
    for (name, along) in [("lane", false), ("element", true)] {
        let (lens, access) = part(along);
        let space = Space::new(&lens, &[&access], &|_| false);
        source.add(&format!(
            "fn {name}(i: u32) -> u32 {{\n{}  return {};\n}}\n",
            space.coordinates("i", "c"),
            space.place(0, "c")
        ));
    }
    let len: usize = axes.iter().map(|&axis| shape[axis]).product();
    let count = shape.iter().product::<usize>() / len;
    let innermost = (0..shape.len()).rev().find(|&axis| shape[axis] > 1);
    let contiguous = innermost.is_none_or(|axis| axes.contains(&axis));
    Lanes {
        count,
        len,
        shared: len >= 2 * SHARING && (contiguous || count < 4096),
    }
}

/// How partial results start, take an element `v` and join.
fn folding(by: Reduction) -> (&'static str, &'static str, &'static str) {
    match by {
        Reduction::Sum | Reduction::Mean => ("0.0", "a + v", "a + b"),
        Reduction::MeanOfSquares => ("0.0", "fma(v, v, a)", "a + b"),
        Reduction::Prod => ("1.0", "a * v", "a * b"),
        Reduction::Max => ("bits(0xff800000u)", "max(a, v)", "max(a, b)"),
        Reduction::Min => ("bits(0x7f800000u)", "min(a, v)", "min(a, b)"),
    }
}

/// A function `name(lane)` that folds the expression `element` of each value `v` of a lane, by one thread or, if shared,
/// by all threads `t` of a workgroup, of which each gets the result.
fn fold(source: &mut Source, lanes: &Lanes, name: &str, x: &str, by: Reduction, element: &str) {
    let (start, step, join) = folding(by);
    let len = lanes.len;
    let code = if lanes.shared {
        format!(
            "fn {name}(base: u32, t: u32, extra: f32) -> f32 {{
  var a = {start};
  for (var k = t; k < {len}u; k += {SHARING}u) {{
    let x = f32({x}[base + element(k)]);
    let v = {element};
    a = {step};
  }}
  shared_values[t] = a;
  workgroupBarrier();
  for (var half = {}u; half > 0u; half = half / 2u) {{
    if (t < half) {{
      let a = shared_values[t];
      let b = shared_values[t + half];
      shared_values[t] = {join};
    }}
    workgroupBarrier();
  }}
  let all = shared_values[0];
  workgroupBarrier();
  return all;
}}\n",
            SHARING / 2
        )
    } else {
        // Sums of blocks keep the rounding of long lanes small.
        format!(
            "fn {name}(base: u32, t: u32, extra: f32) -> f32 {{
  var b = {start};
  for (var block = 0u; block < {len}u; block += 64u) {{
    var a = {start};
    for (var k = block; k < min(block + 64u, {len}u); k++) {{
      let x = f32({x}[base + element(k)]);
      let v = {element};
      a = {step};
    }}
    b = {join};
  }}
  return b;
}}\n"
        )
    };
    source.add(&code);
}

/// `main` with one thread for each lane, or a workgroup; `body` has the lane's number `n`, its start `base` and the
/// thread `t` of those that share it.
fn main(mut source: Source, group: &Group, lanes: &Lanes, body: &str) -> Kernel {
    if lanes.shared {
        source.add(&format!("var<workgroup> shared_values: array<f32, {SHARING}>;\n"));
        let row = lanes.count.min(ROW);
        let main = format!(
            "@compute @workgroup_size({SHARING})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {{
  let n = group.y * {row}u + group.x;
  if (n >= {}u) {{ return; }}
  let base = lane(n);
{body}}}\n",
            lanes.count
        );
        let workgroups = [row as u32, lanes.count.div_ceil(ROW) as u32, 1];
        source.kernel(group.out, &main, workgroups)
    } else {
        let body = format!("  let n = i;\n  let t = 0u;\n  let base = lane(n);\n{body}");
        source.flat(group.out, lanes.count, &body)
    }
}

pub(super) fn reduce(
    known: Known,
    group: &Group,
    node: &Node,
    by: Reduction,
    axes: &[usize],
    target: Target,
) -> Kernel {
    let mut source = Source::new(target);
    let x = source.numbers(known.root(node.inputs[0]));
    source.finish(group);
    let lanes = lanes(&mut source, known.graph.shape(node.inputs[0]), axes);
    fold(&mut source, &lanes, "folded", &x, by, "x");
    let scale = match by {
        Reduction::Mean | Reduction::MeanOfSquares => format!(" / {}.0", lanes.len),
        _ => String::new(),
    };
    let body = format!("  let all = folded(base, t, 0.0){scale};\n  if (t == 0u) {{ finish(n, all); }}\n");
    main(source, group, &lanes, &body)
}

pub(super) fn softmax(known: Known, group: &Group, node: &Node, axes: &[usize], log: bool, target: Target) -> Kernel {
    let mut source = Source::new(target);
    let x = source.numbers(known.root(node.inputs[0]));
    source.finish(group);
    let lanes = lanes(&mut source, &group.shape, axes);
    fold(&mut source, &lanes, "top", &x, Reduction::Max, "x");
    fold(&mut source, &lanes, "total", &x, Reduction::Sum, "exp(x - extra)");
    let (prepare, result) = if log {
        ("log(total(base, t, largest))", "v - largest - sum")
    } else {
        ("total(base, t, largest)", "exp(v - largest) / sum")
    };
    let step = if lanes.shared { SHARING } else { 1 };
    let body = format!(
        "  let largest = top(base, t, 0.0);
  let sum = {prepare};
  for (var k = t; k < {}u; k += {step}u) {{
    let at = base + element(k);
    let v = f32({x}[at]);
    finish(at, {result});
  }}\n",
        lanes.len
    );
    main(source, group, &lanes, &body)
}
