//! Pools and their adjoints. Adjoints gather: each position asks the windows that cover it, so no sum depends on timing.

use super::{Kernel, Known, Source, Target};
use crate::gpu::fuse::Group;
use crate::gpu::ir::{Divisor, Node, Window};

/// Loops over the taps of the window `(wy, wx)` inside the picture, in row-major order, with the flat place `at` in the
/// plane that starts at `plane`, and `row` and `column`.
fn taps(w: &Window, [height, width]: [usize; 2], body: &str) -> String {
    let ([kh, kw], [sh, sw], [dh, dw], [bh, bw]) = (w.kernel, w.stride, w.dilation, w.before);
    format!(
        "  for (var ky = 0u; ky < {kh}u; ky++) {{
    let row = i32(wy * {sh}u + ky * {dh}u) - {bh};
    if (row < 0 || row >= {height}) {{ continue; }}
    for (var kx = 0u; kx < {kw}u; kx++) {{
      let column = i32(wx * {sw}u + kx * {dw}u) - {bw};
      if (column < 0 || column >= {width}) {{ continue; }}
      let at = plane + u32(row) * {width}u + u32(column);
{body}    }}
  }}\n"
    )
}

/// Loops over the windows `(wy, wx)` that cover the position `(y, x)`.
fn covering(w: &Window, body: &str) -> String {
    let ([kh, kw], [sh, sw], [dh, dw], [bh, bw]) = (w.kernel, w.stride, w.dilation, w.before);
    let [oh, ow] = w.windows;
    format!(
        "  for (var ty = 0u; ty < {kh}u; ty++) {{
    let down = i32(y + {bh}u) - i32(ty * {dh}u);
    if (down < 0 || down % {sh} != 0 || down / {sh} >= {oh}) {{ continue; }}
    let wy = u32(down / {sh});
    for (var tx = 0u; tx < {kw}u; tx++) {{
      let across = i32(x + {bw}u) - i32(tx * {dw}u);
      if (across < 0 || across % {sw} != 0 || across / {sw} >= {ow}) {{ continue; }}
      let wx = u32(across / {sw});
{body}    }}
  }}\n"
    )
}

/// A function `count(wy, wx)`: what the sum over a window is divided by.
fn count(w: &Window, divisor: Divisor, size: [usize; 2]) -> String {
    let axis = |axis: usize, name: &str| {
        let (k, s, d, b) = (w.kernel[axis], w.stride[axis], w.dilation[axis], w.before[axis]);
        let inside = match divisor {
            Divisor::One => return format!("  let n{axis} = 1u;\n"),
            Divisor::Inside => format!("at >= {b}u && at < {}u", b + size[axis]),
            Divisor::Padded { end } if end[axis] > (w.windows[axis] - 1) * s + (k - 1) * d => {
                return format!("  let n{axis} = {k}u;\n");
            }
            Divisor::Padded { end } => format!("at < {}u", end[axis]),
        };
        format!(
            "  var n{axis} = 0u;\n  for (var k = 0u; k < {k}u; k++) {{\n    let at = {name} * {s}u + k * {d}u;\n    \
             if ({inside}) {{ n{axis}++; }}\n  }}\n"
        )
    };
    format!(
        "fn count(wy: u32, wx: u32) -> f32 {{\n{}{}  return f32(max(n0 * n1, 1u));\n}}\n",
        axis(0, "wy"),
        axis(1, "wx")
    )
}

fn plane(shape: &[usize]) -> [usize; 2] {
    [shape[2], shape[3]]
}

/// `wy`, `wx` and `plane` from the flat index `i` of a window.
fn window_of(w: &Window, [height, width]: [usize; 2]) -> String {
    let [oh, ow] = w.windows;
    format!(
        "  let wx = i % {ow}u;\n  let wy = (i / {ow}u) % {oh}u;\n  let plane = (i / {}u) * {}u;\n",
        oh * ow,
        height * width
    )
}

/// `y`, `x`, `plane` and the start `windows` of the plane's windows from the flat index `i` of a position.
fn position_of(w: &Window, [height, width]: [usize; 2]) -> String {
    let [oh, ow] = w.windows;
    format!(
        "  let x = i % {width}u;\n  let y = (i / {width}u) % {height}u;\n  let plane = i - i % {area}u;\n  \
         let windows = (i / {area}u) * {}u;\n",
        oh * ow,
        area = height * width
    )
}

pub(super) fn max(known: Known, group: &Group, node: &Node, w: &Window, target: Target) -> Kernel {
    let mut source = Source::new(target);
    let x = source.numbers(known.root(node.inputs[0]));
    source.finish(group);
    let size = plane(known.graph.shape(node.inputs[0]));
    let body = format!(
        "{}  var best = bits(0xff7fffffu);\n{}  finish(i, best);\n",
        window_of(w, size),
        taps(w, size, &format!("      best = max(best, f32({x}[at]));\n"))
    );
    source.flat(group.out, group.shape.iter().product(), &body)
}

pub(super) fn max_adjoint(known: Known, group: &Group, node: &Node, w: &Window, target: Target) -> Kernel {
    let mut source = Source::new(target);
    let g = source.numbers(known.root(node.inputs[0]));
    let x = source.numbers(known.root(node.inputs[1]));
    source.finish(group);
    let size = plane(&group.shape);
    // A position is chosen if nothing before it in the window is as large and nothing after it larger.
    let contest = taps(
        w,
        size,
        &format!(
            "      let other = f32({x}[at]);\n      \
             if (other > own || (other == own && at < i)) {{ chosen = false; }}\n"
        ),
    );
    source.add(&format!(
        "fn chosen_in(wy: u32, wx: u32, plane: u32, i: u32, own: f32) -> bool {{\n  var chosen = true;\n{contest}  \
         return chosen;\n}}\n"
    ));
    let gather = covering(
        w,
        &format!(
            "      if (chosen_in(wy, wx, plane, i, own)) {{ sum += f32({g}[windows + wy * {}u + wx]); }}\n",
            w.windows[1]
        ),
    );
    let body = format!(
        "{}  let own = f32({x}[i]);\n  var sum = 0.0;\n{gather}  finish(i, sum);\n",
        position_of(w, size)
    );
    source.flat(group.out, group.shape.iter().product(), &body)
}

pub(super) fn sum(known: Known, group: &Group, node: &Node, w: &Window, divisor: Divisor, target: Target) -> Kernel {
    let mut source = Source::new(target);
    let x = source.numbers(known.root(node.inputs[0]));
    source.finish(group);
    let size = plane(known.graph.shape(node.inputs[0]));
    source.add(&count(w, divisor, size));
    let body = format!(
        "{}  var sum = 0.0;\n{}  finish(i, sum / count(wy, wx));\n",
        window_of(w, size),
        taps(w, size, &format!("      sum += f32({x}[at]);\n"))
    );
    source.flat(group.out, group.shape.iter().product(), &body)
}

pub(super) fn sum_adjoint(
    known: Known,
    group: &Group,
    node: &Node,
    w: &Window,
    divisor: Divisor,
    target: Target,
) -> Kernel {
    let mut source = Source::new(target);
    let g = source.numbers(known.root(node.inputs[0]));
    source.finish(group);
    let size = plane(&group.shape);
    source.add(&count(w, divisor, size));
    let gather = covering(
        w,
        &format!(
            "      sum += f32({g}[windows + wy * {}u + wx]) / count(wy, wx);\n",
            w.windows[1]
        ),
    );
    let body = format!("{}  var sum = 0.0;\n{gather}  finish(i, sum);\n", position_of(w, size));
    source.flat(group.out, group.shape.iter().product(), &body)
}
