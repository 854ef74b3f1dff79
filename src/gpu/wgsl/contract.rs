//! Sums of products over named indices, as matrix products: indices of one operand alone are its rows or columns, common
//! ones that stay are the batch, summed ones the depth.

use std::sync::Arc;

use super::gemm::{self, Product};
use super::{Buffer, Kernel, Known, Source, Target};
use crate::gpu::access::{Access, Space};
use crate::gpu::fuse::Group;
use crate::gpu::ir::{Index, Node, ValueId};
use crate::gpu::shapes::strides;

/// An index with its step in the result.
#[derive(Clone, Copy)]
struct Named {
    index: Index,
    result: usize,
}

fn size(indices: &[Named]) -> usize {
    indices.iter().map(|i| i.index.len).product()
}

/// Adds `name(i)`, the place in the array that `step` tells of.
fn places(source: &mut Source, name: &str, indices: &[Named], step: impl Fn(&Named) -> usize) {
    let lens: Vec<usize> = indices.iter().map(|i| i.index.len).collect();
    let access = Access {
        offset: 0,
        steps: indices.iter().map(|i| step(i) as isize).collect(),
    };
    let space = Space::new(&lens, &[&access], &|_| false);
    source.add(&format!(
        "fn {name}(i: u32) -> u32 {{\n{}  return {};\n}}\n",
        space.coordinates("i", "c"),
        space.place(0, "c")
    ));
}

/// One operand: how it is called, its rows or columns, and its steps.
struct Side<'s> {
    value: ValueId,
    /// Names of the state's type, the function that makes it and the one that reads.
    names: [&'static str; 3],
    own: &'s [Named],
    step: fn(&Index) -> usize,
}

fn side(known: Known, source: &mut Source, side: &Side, batch: &[Named], depth: &[Named]) {
    let [state, make, read] = side.names;
    let (own, number) = (size(side.own), size(depth));
    let fours = own.div_ceil(4);
    let constant = known
        .constant(side.value)
        .filter(|_| batch.iter().all(|i| (side.step)(&i.index) == 0));
    if let Some(constant) = constant {
        // [depth, own]
        let offsets = |indices: &[Named]| {
            let mut all = vec![0];
            for named in indices {
                let step = (side.step)(&named.index);
                all = all
                    .iter()
                    .flat_map(|o| (0..named.index.len).map(move |i| o + i * step))
                    .collect();
            }
            all
        };
        let own_offsets: Vec<usize> = offsets(side.own);
        let mut packed = Vec::with_capacity(number * fours * 4);
        for k in offsets(depth) {
            packed.extend(own_offsets.iter().map(|o| constant[k + o]));
            packed.extend(std::iter::repeat_n(0.0, fours * 4 - own));
        }
        let buffer = source.read(Buffer::Floats(Arc::from(packed)), "vec4<S>");
        source.add(&format!(
            "struct {state} {{ base: u32 }}
fn {make}(z: u32, four: u32) -> {state} {{ return {state}(min(four, {}u)); }}
fn {read}(s: {state}, k: u32) -> vec4<f32> {{ return vec4<f32>({buffer}[s.base + k * {fours}u]); }}\n",
            fours - 1
        ));
        return;
    }
    let buffer = source.numbers(known.root(side.value));
    let of = |part: &str| format!("{read}_{part}");
    places(source, &of("own"), side.own, |i| (side.step)(&i.index));
    places(source, &of("batch"), batch, |i| (side.step)(&i.index));
    places(source, &of("depth"), depth, |i| (side.step)(&i.index));
    let last = own - 1;
    let at = |j: usize| format!("{}(min(four * 4u + {j}u, {last}u))", of("own"));
    source.add(&format!(
        "struct {state} {{ at: vec4<u32> }}
fn {make}(z: u32, four: u32) -> {state} {{
  return {state}({}(z) + vec4<u32>({}, {}, {}, {}));
}}
fn {read}(s: {state}, k: u32) -> vec4<f32> {{
  let at = s.at + {}(k);
  return vec4<f32>(f32({buffer}[at.x]), f32({buffer}[at.y]), f32({buffer}[at.z]), f32({buffer}[at.w]));
}}\n",
        of("batch"),
        at(0),
        at(1),
        at(2),
        at(3),
        of("depth")
    ));
}

pub(super) fn kernel(known: Known, group: &Group, node: &Node, indices: &[Index], target: Target) -> Kernel {
    let steps = strides(&group.shape);
    let mut kept = steps.iter();
    let named: Vec<Named> = indices
        .iter()
        .map(|&index| Named {
            index,
            result: if index.summed {
                0
            } else {
                kept.next().copied().unwrap_or(0)
            },
        })
        .collect();
    let part = |choose: &dyn Fn(&Index) -> bool| -> Vec<Named> {
        named.iter().copied().filter(|named| choose(&named.index)).collect()
    };
    let depth = part(&|i| i.summed);
    let in_a = part(&|i| !i.summed && i.a > 0 && i.b == 0);
    let in_b = part(&|i| !i.summed && i.a == 0 && i.b > 0);
    let batch = part(&|i| !i.summed && (i.a > 0) == (i.b > 0));
    let mut source = Source::new(target);
    let first = Side {
        value: node.inputs[0],
        names: ["Rows", "rows", "left"],
        own: &in_a,
        step: |i| i.a,
    };
    let second = Side {
        value: node.inputs[1],
        names: ["Columns", "columns", "right"],
        own: &in_b,
        step: |i| i.b,
    };
    // Threads side by side write side by side: columns are the indices that the result has last.
    let last = |side: &[Named]| side.iter().map(|i| i.result).min().unwrap_or(usize::MAX);
    let swap = last(&in_a) < last(&in_b);
    let (rows, columns) = if swap {
        (
            Side {
                names: first.names,
                ..second
            },
            Side {
                names: second.names,
                ..first
            },
        )
    } else {
        (first, second)
    };
    side(known, &mut source, &rows, &batch, &depth);
    side(known, &mut source, &columns, &batch, &depth);
    places(&mut source, "at_batch", &batch, |i| i.result);
    places(&mut source, "at_row", rows.own, |i| i.result);
    places(&mut source, "at_column", columns.own, |i| i.result);
    source.add(
        "fn place(z: u32, row: u32, column: u32) -> u32 { return at_batch(z) + at_row(row) + at_column(column); }\n",
    );
    source.finish(group);
    let product = Product {
        batch: size(&batch),
        rows: size(rows.own),
        columns: size(columns.own),
        depth: size(&depth),
    };
    gemm::kernel(source, &product, group.out)
}
