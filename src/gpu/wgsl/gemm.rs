//! The matrix product that convolutions and contractions share: each thread makes four rows by four columns of the result.
//! With tiles, a workgroup stages both operands in its shared memory; without, each thread reads them itself. Products are
//! added in the order of the summed index, by `fma`, whatever the tile: the result's bits do not depend on it.

use std::fmt::Write;

use super::{Kernel, Source};
use crate::gpu::ir::ValueId;

/// Depth of a tile.
const DEPTH: usize = 16;

/// Extents of the product `[batch, rows, depth] x [batch, depth, columns]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub batch: usize,
    pub rows: usize,
    pub columns: usize,
    pub depth: usize,
}

impl Product {
    /// Threads of a workgroup along columns and rows. Large tiles read least, small ones keep a wide device busy.
    fn tile(&self) -> [usize; 2] {
        let score = |&[x, y]: &[usize; 2]| {
            let groups = self.batch * self.columns.div_ceil(4 * x) * self.rows.div_ceil(4 * y);
            let useful = (self.batch * self.rows * self.columns) as f32 / (groups * 16 * x * y) as f32;
            let busy = ((groups * x * y) as f32 / 8192.0).min(1.0);
            useful * busy * ((x * y) as f32 / (x + y) as f32).sqrt()
        };
        let options = [[16, 16], [16, 8], [8, 8], [32, 4], [16, 4], [8, 4]];
        let better = |a: [usize; 2], b: [usize; 2]| if score(&b) > score(&a) { b } else { a };
        options.into_iter().reduce(better).unwrap_or([8, 8])
    }
}

/// The kernel. `source` has `finish` and the following functions, where `four` counts groups of four rows or columns and
/// everything past the end may be anything:
/// - `rows(z: u32, four: u32) -> Rows` and `left(r: Rows, k: u32) -> vec4<f32>`,
/// - `columns(z: u32, four: u32) -> Columns` and `right(c: Columns, k: u32) -> vec4<f32>`,
/// - `place(z: u32, row: u32, column: u32) -> u32`, the flat element of the group's shape.
pub(super) fn kernel(source: Source, product: &Product, out: ValueId) -> Kernel {
    let [x, y] = product.tile();
    let groups = [
        product.columns.div_ceil(4 * x),
        product.rows.div_ceil(4 * y),
        product.batch,
    ];
    if source.target.tiles && product.depth > 0 && groups.iter().all(|&g| g < 65_536) {
        tiled(source, product, out, [x, y], groups)
    } else {
        alone(source, product, out)
    }
}

fn store(product: &Product) -> String {
    let mut code = String::new();
    for column in 0..4 {
        for (row, part) in ["x", "y", "z", "w"].into_iter().enumerate() {
            _ = writeln!(
                code,
                "  if (row + {row}u < {}u && column + {column}u < {}u) \
                 {{ finish(place(z, row + {row}u, column + {column}u), sum{column}.{part}); }}",
                product.rows, product.columns
            );
        }
    }
    code
}

const SUMS: &str = "  var sum0 = vec4<f32>();
  var sum1 = vec4<f32>();
  var sum2 = vec4<f32>();
  var sum3 = vec4<f32>();\n";

const ADD: &str = "    sum0 = fma(a, vec4<f32>(b.x), sum0);
    sum1 = fma(a, vec4<f32>(b.y), sum1);
    sum2 = fma(a, vec4<f32>(b.z), sum2);
    sum3 = fma(a, vec4<f32>(b.w), sum3);\n";

fn alone(source: Source, product: &Product, out: ValueId) -> Kernel {
    let (across, down) = (product.columns.div_ceil(4), product.rows.div_ceil(4));
    let body = format!(
        "  let z = i / {}u;
  let row = (i / {across}u % {down}u) * 4u;
  let column = (i % {across}u) * 4u;
  let r = rows(z, row / 4u);
  let c = columns(z, column / 4u);
{SUMS}  for (var k = 0u; k < {}u; k++) {{
    let a = left(r, k);
    let b = right(c, k);
{ADD}  }}
{}",
        across * down,
        product.depth,
        store(product)
    );
    source.flat(out, across * down * product.batch, &body)
}

fn tiled(mut source: Source, product: &Product, out: ValueId, [x, y]: [usize; 2], groups: [usize; 3]) -> Kernel {
    source.add(&format!(
        "var<workgroup> tile_a: array<vec4<f32>, {}>;\nvar<workgroup> tile_b: array<vec4<f32>, {}>;\n",
        DEPTH * y,
        DEPTH * x
    ));
    let depth = product.depth;
    // Past the end of the depth both operands are 0.
    let guarded = |side: &str, state: &str| {
        if depth.is_multiple_of(DEPTH) {
            format!("value = {side}({state}, k);")
        } else {
            format!("if (k < {depth}u) {{ value = {side}({state}, k); }}")
        }
    };
    let main = format!(
        "@compute @workgroup_size({x}, {y})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>,
        @builtin(local_invocation_index) t: u32) {{
  let z = group.z;
  let row = (group.y * {y}u + id.y) * 4u;
  let column = (group.x * {x}u + id.x) * 4u;
  let r = rows(z, group.y * {y}u + t % {y}u);
  let c = columns(z, group.x * {x}u + t % {x}u);
{SUMS}  for (var start = 0u; start < {depth}u; start += {DEPTH}u) {{
    for (var d = t / {y}u; d < {DEPTH}u; d += {x}u) {{
      let k = start + d;
      var value = vec4<f32>();
      {}
      tile_a[d * {y}u + t % {y}u] = value;
    }}
    for (var d = t / {x}u; d < {DEPTH}u; d += {y}u) {{
      let k = start + d;
      var value = vec4<f32>();
      {}
      tile_b[d * {x}u + t % {x}u] = value;
    }}
    workgroupBarrier();
    for (var d = 0u; d < {DEPTH}u; d++) {{
    let a = tile_a[d * {y}u + id.y];
    let b = tile_b[d * {x}u + id.x];
{ADD}    }}
    workgroupBarrier();
  }}
{}}}\n",
        guarded("left", "r"),
        guarded("right", "c"),
        store(product)
    );
    source.kernel(out, &main, groups.map(|g| g as u32))
}
