//! Convolutions and their adjoints. A transposed convolution is one convolution with steps of 1 for each phase of its
//! stride, over the taps that reach the phase. Dense ones are matrix products whose right side is read out of the picture;
//! depthwise ones make four neighbouring results a thread.

use std::fmt::Write;
use std::sync::Arc;

use super::gemm::{self, Product};
use super::{Buffer, Kernel, Known, Source, Target};
use crate::gpu::fuse::Group;
use crate::gpu::ir::{Node, Window};

/// Most phases of a transposed convolution that get a kernel each.
const PHASES: usize = 16;

/// One axis: result `o` of `count` lies at `o * spread + shift`, and its tap `j` of `taps` reads the position
/// `o * stride + start + j * step` with the weight `first + j * every`.
#[derive(Clone, Copy, Debug)]
struct Axis {
    count: usize,
    spread: usize,
    shift: usize,
    stride: usize,
    start: isize,
    step: isize,
    taps: usize,
    first: usize,
    every: usize,
    /// Extents of what is read and written.
    from: usize,
    to: usize,
}

impl Axis {
    fn forward(w: &Window, axis: usize, from: usize) -> Self {
        Self {
            count: w.windows[axis],
            spread: 1,
            shift: 0,
            stride: w.stride[axis],
            start: -(w.before[axis] as isize),
            step: w.dilation[axis] as isize,
            taps: w.kernel[axis],
            first: 0,
            every: 1,
            from,
            to: w.windows[axis],
        }
    }

    /// The phases of the adjoint that have results.
    fn phases(w: &Window, axis: usize, to: usize) -> Vec<Self> {
        let (s, d, kernel) = (w.stride[axis], w.dilation[axis], w.kernel[axis]);
        let phase = |r: usize| {
            let reaches = |k: &usize| (r + w.before[axis]) as isize - (k * d) as isize;
            let taps: Vec<usize> = (0..kernel).filter(|k| reaches(k).rem_euclid(s as isize) == 0).collect();
            let first = taps.first().copied().unwrap_or(0);
            let every = taps.get(1).map_or(1, |second| second - first);
            Self {
                count: (to - r).div_ceil(s),
                spread: s,
                shift: r,
                stride: 1,
                start: reaches(&first).div_euclid(s as isize),
                step: -((every * d / s) as isize),
                taps: taps.len(),
                first,
                every,
                from: w.windows[axis],
                to,
            }
        };
        (0..s.min(to)).map(phase).collect()
    }

    /// Whether a tap can lie outside what is read.
    fn leaves(&self) -> bool {
        let last_tap = (self.taps.max(1) - 1) as isize * self.step;
        let low = self.start + last_tap.min(0);
        let high = ((self.count - 1) * self.stride) as isize + self.start + last_tap.max(0);
        low < 0 || high >= self.from as isize
    }
}

/// What all phases have in common.
struct Problem {
    batch: usize,
    groups: usize,
    /// Channels of a group.
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
}

pub(super) fn forward(
    known: Known,
    group: &Group,
    node: &Node,
    w: &Window,
    groups: usize,
    target: Target,
) -> Vec<Kernel> {
    let x = known.graph.shape(node.inputs[0]);
    let axes = [Axis::forward(w, 0, x[2]), Axis::forward(w, 1, x[3])];
    let problem = Problem {
        batch: x[0],
        groups,
        inputs: x[1] / groups,
        outputs: group.shape[1] / groups,
        kernel: w.kernel,
    };
    match known.constant(node.inputs[1]) {
        Some(weights) => vec![phase(known, group, node, &problem, axes, weights, target)],
        None => vec![direct_forward(known, group, node, &problem, w, target)],
    }
}

pub(super) fn transposed(
    known: Known,
    group: &Group,
    node: &Node,
    w: &Window,
    groups: usize,
    target: Target,
) -> Vec<Kernel> {
    let g = known.graph.shape(node.inputs[0]);
    let problem = Problem {
        batch: g[0],
        groups,
        inputs: g[1] / groups,
        outputs: group.shape[1] / groups,
        kernel: w.kernel,
    };
    let Some(weights) = known
        .constant(node.inputs[1])
        .filter(|_| w.stride[0] * w.stride[1] <= PHASES)
    else {
        return vec![direct_transposed(known, group, node, &problem, w, target)];
    };
    let across = Axis::phases(w, 1, group.shape[3]);
    let down = Axis::phases(w, 0, group.shape[2]);
    let phases = down.iter().flat_map(|&y| across.iter().map(move |&x| [y, x]));
    phases
        .map(|axes| phase(known, group, node, &problem, axes, weights, target))
        .collect()
}

fn phase(
    known: Known,
    group: &Group,
    node: &Node,
    problem: &Problem,
    axes: [Axis; 2],
    weights: &[f32],
    target: Target,
) -> Kernel {
    if problem.groups > 1 && problem.inputs == 1 {
        depthwise(known, group, node, problem, axes, weights, target)
    } else {
        dense(known, group, node, problem, axes, weights, target)
    }
}

/// The weights of the taps of this phase: `at(output channel of all, input channel of the group, tap down, tap across)`.
fn weight<'w>(problem: &'w Problem, axes: [Axis; 2], weights: &'w [f32]) -> impl Fn(usize, usize, usize, usize) -> f32 {
    let [kh, kw] = problem.kernel;
    move |output, input, jy, jx| {
        let [ky, kx] = [axes[0].first + jy * axes[0].every, axes[1].first + jx * axes[1].every];
        weights[((output * problem.inputs + input) * kh + ky) * kw + kx]
    }
}

fn dense(
    known: Known,
    group: &Group,
    node: &Node,
    problem: &Problem,
    axes: [Axis; 2],
    weights: &[f32],
    target: Target,
) -> Kernel {
    let [y, x] = axes;
    let taps = y.taps * x.taps;
    let area = y.count * x.count;
    let product = Product {
        batch: problem.groups,
        rows: problem.outputs,
        columns: problem.batch * area,
        depth: problem.inputs * taps,
    };
    let mut source = Source::new(target);
    // [group, input channel, tap, output channel]
    let fours = problem.outputs.div_ceil(4);
    let weight = weight(problem, axes, weights);
    let mut packed = Vec::with_capacity(problem.groups * product.depth * fours * 4);
    for g in 0..problem.groups {
        for k in 0..product.depth {
            let (input, tap) = (k / taps, k % taps);
            packed.extend((0..fours * 4).map(|o| {
                if o < problem.outputs {
                    weight(g * problem.outputs + o, input, tap / x.taps, tap % x.taps)
                } else {
                    0.0
                }
            }));
        }
    }
    if packed.is_empty() {
        packed = vec![0.0; 4];
    }
    let w = source.read(Buffer::Floats(Arc::from(packed)), "vec4<S>");
    source.add(&format!(
        "struct Rows {{ base: u32 }}
fn rows(z: u32, four: u32) -> Rows {{ return Rows(z * {}u + min(four, {}u)); }}
fn left(r: Rows, k: u32) -> vec4<f32> {{ return vec4<f32>({w}[r.base + k * {fours}u]); }}\n",
        product.depth * fours,
        fours - 1
    ));
    let channels = problem.groups * problem.inputs;
    let plane = y.from * x.from;
    let value = known.root(node.inputs[0]);
    let pointwise = axes
        .iter()
        .all(|a| a.taps == 1 && a.stride == 1 && a.start == 0 && a.count == a.from);
    if pointwise && area.is_multiple_of(4) {
        let picture = source.read(Buffer::Value(value), "vec4<S>");
        source.add(&format!(
            "struct Columns {{ base: u32 }}
fn columns(z: u32, four: u32) -> Columns {{
  let column = min(four, {last}u);
  return Columns((column / {area}u * {channels}u + z * {inputs}u) * {area}u + column % {area}u);
}}
fn right(c: Columns, k: u32) -> vec4<f32> {{ return vec4<f32>({picture}[c.base + k * {area}u]); }}\n",
            last = product.columns / 4 - 1,
            area = area / 4,
            inputs = problem.inputs,
        ));
    } else {
        let picture = source.numbers(value);
        let mut columns = String::new();
        for part in ["x", "y", "z", "w"] {
            _ = write!(
                columns,
                "  {{
    let o = column % {area}u;
    let row = i32(o / {width}u) * {sy} + {ay};
    let col = i32(o % {width}u) * {sx} + {ax};
    c.row.{part} = row;
    c.col.{part} = col;
    c.base.{part} = i32((column / {area}u * {channels}u + z * {inputs}u) * {plane}u) + row * {from} + col;
    column = min(column + 1u, {last}u);
  }}\n",
                width = x.count,
                sy = y.stride,
                ay = y.start,
                sx = x.stride,
                ax = x.start,
                inputs = problem.inputs,
                from = x.from,
                last = product.columns - 1,
            );
        }
        let mut inside = vec![];
        if y.leaves() {
            inside.push(format!(
                "c.row + jy * {} >= vec4<i32>() & c.row + jy * {} < vec4<i32>({})",
                y.step, y.step, y.from
            ));
        }
        if x.leaves() {
            inside.push(format!(
                "c.col + jx * {} >= vec4<i32>() & c.col + jx * {} < vec4<i32>({})",
                x.step, x.step, x.from
            ));
        }
        let inside: Vec<String> = inside
            .iter()
            .flat_map(|pair| pair.split(" & "))
            .map(|condition| format!("({condition})"))
            .collect();
        let read = format!(
            "vec4<f32>(f32({picture}[at.x]), f32({picture}[at.y]), f32({picture}[at.z]), f32({picture}[at.w]))"
        );
        let (guard, read) = if inside.is_empty() {
            (String::new(), read)
        } else {
            (
                format!(
                    "  let inside = {};\n  at = select(vec4<i32>(), at, inside);\n",
                    inside.join(" & ")
                ),
                format!("select(vec4<f32>(), {read}, inside)"),
            )
        };
        source.add(&format!(
            "struct Columns {{ base: vec4<i32>, row: vec4<i32>, col: vec4<i32> }}
fn columns(z: u32, four: u32) -> Columns {{
  var c: Columns;
  var column = min(four * 4u, {last}u);
{columns}  return c;
}}
fn right(c: Columns, k: u32) -> vec4<f32> {{
  let tap = k % {taps}u;
  let jy = i32(tap / {across}u);
  let jx = i32(tap % {across}u);
  var at = c.base + (i32(k / {taps}u) * {plane} + jy * {down} + jx * {step});
{guard}  return {read};
}}\n",
            last = product.columns - 1,
            taps = taps.max(1),
            across = x.taps.max(1),
            down = y.step * x.from as isize,
            step = x.step,
        ));
    }
    source.add(&format!(
        "fn place(z: u32, row: u32, column: u32) -> u32 {{
  let channel = column / {area}u * {all}u + z * {outputs}u + row;
  let o = column % {area}u;
  return (channel * {height}u + o / {count}u * {ys}u + {yo}u) * {width}u + o % {count}u * {xs}u + {xo}u;
}}\n",
        all = problem.groups * problem.outputs,
        outputs = problem.outputs,
        height = y.to,
        width = x.to,
        count = x.count,
        ys = y.spread,
        yo = y.shift,
        xs = x.spread,
        xo = x.shift,
    ));
    source.finish(group);
    gemm::kernel(source, &product, group.out)
}

fn depthwise(
    known: Known,
    group: &Group,
    node: &Node,
    problem: &Problem,
    axes: [Axis; 2],
    weights: &[f32],
    target: Target,
) -> Kernel {
    let [y, x] = axes;
    let taps = y.taps * x.taps;
    let mut source = Source::new(target);
    let picture = source.numbers(known.root(node.inputs[0]));
    let channels = problem.groups * problem.outputs;
    let weight = weight(problem, axes, weights);
    let mut packed: Vec<f32> = (0..channels * taps)
        .map(|i| weight(i / taps, 0, i % taps / x.taps, i % x.taps))
        .collect();
    if packed.is_empty() {
        packed = vec![0.0];
    }
    let w = source.read(Buffer::Floats(Arc::from(packed)), "S");
    source.finish(group);
    let width = x.from;
    let read = if x.leaves() {
        format!("if (col < 0 || col >= {width}) {{ return 0.0; }}\n  ")
    } else {
        String::new()
    };
    source.add(&format!(
        "fn pixel(base: i32, col: i32) -> f32 {{\n  {read}return f32({picture}[base + col]);\n}}\n"
    ));
    // What four neighbours read of one row, each pixel once.
    let wanted = |j: usize, tap: usize| (j * x.stride) as isize + tap as isize * x.step;
    let mut columns: Vec<isize> = (0..4)
        .flat_map(|j| (0..x.taps).map(move |tap| wanted(j, tap)))
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let name = |offset: isize| format!("p{}", offset - columns.first().copied().unwrap_or(0));
    let mut row = String::new();
    for &offset in &columns {
        _ = writeln!(row, "    let {} = pixel(base, col + {offset});", name(offset));
    }
    for tap in 0..x.taps {
        let pixels: Vec<String> = (0..4).map(|j| name(wanted(j, tap))).collect();
        _ = writeln!(
            row,
            "    sum = fma(vec4<f32>({}), vec4<f32>(f32({w}[weights + {tap}u])), sum);",
            pixels.join(", ")
        );
    }
    let skip = if y.leaves() {
        format!("    if (row < 0 || row >= {}) {{ continue; }}\n", y.from)
    } else {
        String::new()
    };
    let across = x.count.div_ceil(4);
    let mut body = format!(
        "  let four = i % {across}u * 4u;
  let down = i / {across}u % {rows}u;
  let plane = i / {}u;
  let channel = plane % {channels}u;
  let source = plane / {channels}u * {inputs}u + channel / {multiplier}u;
  let col = i32(four) * {} + {};
  var sum = vec4<f32>();
  for (var j = 0u; j < {}u; j++) {{
    let row = i32(down) * {} + {} + i32(j) * {};
{skip}    let base = i32(source * {area}u) + row * {width};
    let weights = channel * {taps}u + j * {}u;
{row}  }}
  let start = (plane * {to}u + down * {ys}u + {yo}u) * {wide}u + {xo}u;\n",
        across * y.count,
        x.stride,
        x.start,
        y.taps,
        y.stride,
        y.start,
        y.step,
        x.taps,
        rows = y.count,
        inputs = problem.groups,
        multiplier = problem.outputs,
        area = y.from * width,
        to = y.to,
        ys = y.spread,
        yo = y.shift,
        wide = x.to,
        xo = x.shift,
    );
    for (j, part) in ["x", "y", "z", "w"].into_iter().enumerate() {
        _ = writeln!(
            body,
            "  if (four + {j}u < {}u) {{ finish(start + (four + {j}u) * {}u, sum.{part}); }}",
            x.count, x.spread
        );
    }
    source.flat(group.out, across * y.count * channels * problem.batch, &body)
}

/// Loops of one thread a result, for weights that are computed.
fn direct_forward(known: Known, group: &Group, node: &Node, problem: &Problem, w: &Window, target: Target) -> Kernel {
    let from = known.graph.shape(node.inputs[0]);
    let reach = |axis: usize, name: &str, o: &str, k: &str| {
        format!(
            "let {name} = i32({o} * {}u + {k} * {}u) - {}; if ({name} < 0 || {name} >= {}) {{ continue; }}",
            w.stride[axis],
            w.dilation[axis],
            w.before[axis],
            from[2 + axis]
        )
    };
    direct(known, group, node, problem, [from[2], from[3]], reach, target)
}

/// The same for the adjoint, also for large strides, where few taps reach a result.
fn direct_transposed(
    known: Known,
    group: &Group,
    node: &Node,
    problem: &Problem,
    w: &Window,
    target: Target,
) -> Kernel {
    let reach = |axis: usize, name: &str, o: &str, k: &str| {
        format!(
            "let from_{name} = i32({o} + {before}u) - i32({k} * {}u); let {name} = from_{name} / {stride};
      if (from_{name} < 0 || from_{name} % {stride} != 0 || {name} >= {}) {{ continue; }}",
            w.dilation[axis],
            w.windows[axis],
            before = w.before[axis],
            stride = w.stride[axis],
        )
    };
    direct(known, group, node, problem, w.windows, reach, target)
}

/// The sum over the taps of one result. `reach(axis, name, result, tap)` is WGSL that declares, under this name, the position
/// that a tap of the result reads along an axis, and goes on to the next tap where that is outside.
fn direct(
    known: Known,
    group: &Group,
    node: &Node,
    problem: &Problem,
    [height, width]: [usize; 2],
    reach: impl Fn(usize, &str, &str, &str) -> String,
    target: Target,
) -> Kernel {
    let mut source = Source::new(target);
    let x = source.numbers(known.root(node.inputs[0]));
    let w = source.numbers(known.root(node.inputs[1]));
    source.finish(group);
    let body = format!(
        "{}  for (var ky = 0u; ky < {kh}u; ky++) {{
    {}
    for (var kx = 0u; kx < {kw}u; kx++) {{
      {}
      for (var c = 0u; c < {inputs}u; c++) {{
        let at = ((n * {all}u + first + c) * {height}u + u32(row)) * {width}u + u32(col);
        sum = fma(f32({w}[((channel * {inputs}u + c) * {kh}u + ky) * {kw}u + kx]), f32({x}[at]), sum);
      }}
    }}
  }}
  finish(i, sum);\n",
        place(&group.shape, problem),
        reach(0, "row", "y", "ky"),
        reach(1, "col", "x", "kx"),
        kh = problem.kernel[0],
        kw = problem.kernel[1],
        inputs = problem.inputs,
        all = problem.groups * problem.inputs,
    );
    source.flat(group.out, group.shape.iter().product(), &body)
}

/// `x`, `y`, `channel`, `n`, the `first` input channel and the `sum` of the result `i`.
fn place(shape: &[usize], problem: &Problem) -> String {
    format!(
        "  let x = i % {w}u;\n  let y = i / {w}u % {h}u;\n  let channel = i / {}u % {c}u;\n  let n = i / {}u;\n  \
         let first = channel / {}u * {}u;\n  var sum = 0.0;\n",
        shape[2] * shape[3],
        shape[1] * shape[2] * shape[3],
        problem.outputs,
        problem.inputs,
        c = shape[1],
        h = shape[2],
        w = shape[3],
    )
}
