//! Operators that only move values: the places of a plane keep their values, or are shifted by padding, while planes
//! are put together, cut off, or ordered otherwise.

use tract_onnx::tract_core::ops::array::{Pad, PadMode, Slice, TypedConcat};

use super::super::vjp::prelude::*;
use super::layout::Layout;
use super::partial::{Partial, plain};
use crate::kernel::Region;

pub(super) fn of(node: &TypedNode, shape: &[usize], layouts: &[Option<&Layout>]) -> Option<(Layout, Box<dyn Partial>)> {
    if let Some(concat) = node.op_as::<TypedConcat>() {
        return joined(concat.axis, shape, layouts);
    }
    let [Some(input)] = *layouts else { return None };
    if let Some(slice) = node.op_as::<Slice>() {
        let Ok(start) = slice.start.to_usize() else {
            return None;
        };
        return cut(slice.axis, start, shape, input);
    }
    if let Some(pad) = node.op_as::<Pad>() {
        return padded(pad, shape, input);
    }
    match node.op_as::<AxisOp>() {
        Some(&AxisOp::Move(from, to)) => rearranged(from, to, shape, input),
        Some(_) => regrouped(shape, input),
        None if node.op_is::<IntoShape>() => regrouped(shape, input),
        None => None,
    }
}

/// Copies blocks of values at each place, from one tensor to another.
struct Blocks {
    /// How the source lies.
    from: Layout,
    /// For each block: where its values at place 0 start in the source and in the destination.
    starts: Vec<[usize; 2]>,
    /// Values of a block at one place, side by side in memory.
    length: usize,
}

impl Blocks {
    /// Copies the places of `region`, which are the same of both.
    fn copy(&self, from: &[f32], to_layout: &Layout, region: &Region, to: &mut [f32]) {
        let width = to_layout.size()[1];
        let (step, to_step) = (self.from.inner(), to_layout.inner());
        let solid = self.length == step && self.length == to_step;
        for &[source, target] in &self.starts {
            for span in region.spans() {
                let first = span.row * width + span.from;
                let places = span.to - span.from;
                if solid {
                    let (a, b) = (source + first * step, target + first * step);
                    to[b..b + places * step].copy_from_slice(&from[a..a + places * step]);
                } else {
                    for place in first..first + places {
                        let (a, b) = (source + place * step, target + place * to_step);
                        to[b..b + self.length].copy_from_slice(&from[a..a + self.length]);
                    }
                }
            }
        }
    }
}

/// Tensors put into one, or a part cut out of one.
struct Parts {
    parts: Vec<Blocks>,
    output: Layout,
}

impl Partial for Parts {
    fn reached(&self, _slot: usize, changed: &Region) -> Region {
        changed.clone()
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        for (input, part) in inputs.iter().zip(&self.parts) {
            let values = plain(input)?;
            part.copy(values.as_slice::<f32>()?, &self.output, region, output);
        }
        Ok(())
    }

    fn work(&self) -> usize {
        2 * self.output.outer() * self.output.inner()
    }
}

/// The blocks of `part`, which is `whole` but for `axis`, where it lies at `start` of `whole`: the first values of each
/// block in `part` and in `whole`, and the length of a block. Not along the plane's own axes.
fn blocks(part: &Layout, whole: &Layout, axis: usize, start: usize) -> Option<(Vec<[usize; 2]>, usize)> {
    let sizes = |layout: &Layout| (layout.places() * layout.inner(), layout.inner());
    let ((part_plane, part_inner), (whole_plane, whole_inner)) = (sizes(part), sizes(whole));
    if axis < whole.axis {
        let before: usize = whole.shape[..axis].iter().product();
        let after: usize = whole.shape[axis + 1..whole.axis].iter().product();
        let (some, all) = (part.shape[axis], whole.shape[axis]);
        let mut found = Vec::with_capacity(before * some * after);
        for b in 0..before {
            for k in 0..some * after {
                let (from, to) = (b * some * after + k, (b * all + start) * after + k);
                found.push([from * part_plane, to * whole_plane]);
            }
        }
        return Some((found, whole_inner));
    }
    let rest: usize = whole.shape.get(axis + 1..)?.iter().product();
    // Of the axes behind the plane, the first: its part is side by side.
    (axis == whole.axis + 2).then(|| {
        let found = (0..whole.outer()).map(|k| [k * part_plane, k * whole_plane + start * rest]);
        (found.collect(), part_inner)
    })
}

fn joined(axis: usize, shape: &[usize], layouts: &[Option<&Layout>]) -> Option<(Layout, Box<dyn Partial>)> {
    let inputs = layouts.iter().copied().collect::<Option<Vec<_>>>()?;
    let first = inputs.first()?;
    let output = Layout {
        shape: shape.to_vec(),
        axis: first.axis,
    };
    let mut start = 0;
    let mut parts = Vec::new();
    for input in inputs {
        if input.axis != output.axis || input.size() != output.size() {
            return None;
        }
        let (starts, length) = blocks(input, &output, axis, start)?;
        start += input.shape[axis];
        parts.push(Blocks {
            from: input.clone(),
            starts,
            length,
        });
    }
    Some((output.clone(), Box::new(Parts { parts, output })))
}

fn cut(axis: usize, start: usize, shape: &[usize], input: &Layout) -> Option<(Layout, Box<dyn Partial>)> {
    let output = Layout {
        shape: shape.to_vec(),
        axis: input.axis,
    };
    if input.size() != output.size() {
        return None;
    }
    let (starts, length) = blocks(&output, input, axis, start)?;
    let part = Blocks {
        from: input.clone(),
        starts: starts.into_iter().map(|[part, whole]| [whole, part]).collect(),
        length,
    };
    let parts = vec![part];
    Some((output.clone(), Box::new(Parts { parts, output })))
}

/// A plane with constant places around it.
struct Padded {
    /// Rows above, columns to the left.
    before: [usize; 2],
    input: Layout,
    output: Layout,
}

impl Partial for Padded {
    fn reached(&self, _slot: usize, changed: &Region) -> Region {
        let [above, left] = self.before;
        Region::of_rows(self.output.size(), |y, add| {
            let row = y.checked_sub(above).map_or(&[][..], |y| changed.row(y));
            for s in row {
                add(s.from + left, s.to + left);
            }
        })
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        let values = plain(&inputs[0])?;
        let values = values.as_slice::<f32>()?;
        let inner = self.input.inner();
        let ([h, w], [_, ow]) = (self.input.size(), self.output.size());
        let [above, left] = self.before;
        let planes = values.chunks_exact(self.input.places() * inner);
        for (from, to) in planes.zip(output.chunks_exact_mut(self.output.places() * inner)) {
            for span in region.spans() {
                let Some(y) = span.row.checked_sub(above).filter(|&y| y < h) else {
                    continue;
                };
                let (first, last) = (span.from.max(left), span.to.min(left + w));
                if first < last {
                    let (a, b) = ((y * w + first - left) * inner, (span.row * ow + first) * inner);
                    let length = (last - first) * inner;
                    to[b..b + length].copy_from_slice(&from[a..a + length]);
                }
            }
        }
        Ok(())
    }

    fn work(&self) -> usize {
        2 * self.output.outer() * self.output.inner()
    }
}

fn padded(pad: &Pad, shape: &[usize], input: &Layout) -> Option<(Layout, Box<dyn Partial>)> {
    let axis = input.axis;
    let around = |k: usize| k == axis || k == axis + 1;
    let other = pad.pads.iter().enumerate().any(|(k, &p)| !around(k) && p != (0, 0));
    if other || !matches!(pad.mode, PadMode::Constant(_)) {
        return None;
    }
    let output = Layout {
        shape: shape.to_vec(),
        axis,
    };
    let op = Padded {
        before: [pad.pads[axis].0, pad.pads[axis + 1].0],
        input: input.clone(),
        output: output.clone(),
    };
    Some((output, Box::new(op)))
}

/// The same values in the same order, with axes added, removed or regrouped that are not the plane's.
struct Regrouped {
    layout: Layout,
}

impl Partial for Regrouped {
    fn reached(&self, _slot: usize, changed: &Region) -> Region {
        changed.clone()
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        self.layout.copy(plain(&inputs[0])?.as_slice::<f32>()?, region, output);
        Ok(())
    }

    fn work(&self) -> usize {
        2 * self.layout.outer() * self.layout.inner()
    }
}

/// The same values with axes moved.
struct Rearranged {
    /// For each value of a place: where it is in the input and in the output at place 0.
    values: Vec<[usize; 2]>,
    input: Layout,
    output: Layout,
}

impl Partial for Rearranged {
    fn reached(&self, _slot: usize, changed: &Region) -> Region {
        changed.clone()
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        let values = plain(&inputs[0])?;
        let values = values.as_slice::<f32>()?;
        let width = self.output.size()[1];
        let (step, to_step) = (self.input.inner(), self.output.inner());
        for span in region.spans() {
            for place in span.row * width + span.from..span.row * width + span.to {
                for &[from, to] in &self.values {
                    output[to + place * to_step] = values[from + place * step];
                }
            }
        }
        Ok(())
    }

    fn work(&self) -> usize {
        4 * self.output.outer() * self.output.inner()
    }
}

/// The values in the same order: the plane is where it was in memory.
fn regrouped(shape: &[usize], input: &Layout) -> Option<(Layout, Box<dyn Partial>)> {
    let output = |axis: usize| Layout {
        shape: shape.to_vec(),
        axis,
    };
    let fits = |l: &Layout| l.outer() == input.outer() && l.size() == input.size() && l.inner() == input.inner();
    let output = (0..shape.len().saturating_sub(1)).map(output).find(fits)?;
    let layout = input.clone();
    Some((output, Box::new(Regrouped { layout })))
}

fn rearranged(from: usize, to: usize, shape: &[usize], input: &Layout) -> Option<(Layout, Box<dyn Partial>)> {
    let mut order: Vec<usize> = (0..input.shape.len()).collect();
    let taken = order.remove(from);
    order.insert(to, taken);
    let place = |k: usize| order.iter().position(|&o| o == k);
    let axis = place(input.axis)?;
    if place(input.axis + 1)? != axis + 1 {
        return None;
    }
    let output = Layout {
        shape: shape.to_vec(),
        axis,
    };
    let op = Rearranged {
        values: by_order(&order, input, &output),
        input: input.clone(),
        output: output.clone(),
    };
    Some((output, Box::new(op)))
}

/// For each value of place 0, its index in the input and in the output, whose axis `k` is the input's `order[k]`.
fn by_order(order: &[usize], input: &Layout, output: &Layout) -> Vec<[usize; 2]> {
    let strides = |shape: &[usize]| {
        let mut strides = vec![1; shape.len()];
        for k in (0..shape.len().saturating_sub(1)).rev() {
            strides[k] = strides[k + 1] * shape[k + 1];
        }
        strides
    };
    let (from, to) = (strides(&input.shape), strides(&output.shape));
    let mut values = vec![[0, 0]];
    for (k, &source) in order.iter().enumerate() {
        if k == output.axis || k == output.axis + 1 {
            continue;
        }
        let (steps, step, to_step) = (0..output.shape[k], from[source], to[k]);
        values = values
            .iter()
            .flat_map(|&[a, b]| steps.clone().map(move |i| [a + i * step, b + i * to_step]))
            .collect();
    }
    values
}
