//! Operators that can compute some places of their output and leave the others as they are.

use super::super::fast;
use super::super::vjp::prelude::*;
use super::layout::Layout;
use super::{moved, pointwise};
use crate::kernel::Region;

/// An operator with one output, over a plane.
pub(super) trait Partial {
    /// The output's places that a change of the places `changed` of input `slot` can reach.
    fn reached(&self, slot: usize, changed: &Region) -> Region;

    /// Writes the places of `region` into `output`, with the very bits that computing all of them gives. Inputs are of
    /// the whole planes.
    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()>;

    /// About how many multiply-adds take as long as one place does.
    fn work(&self) -> usize;
}

/// How the output of a node lies, and the operator, if it can compute some places alone: all inputs that have a layout
/// may change there. `layouts` are those of the inputs; none: not a plane, or constant.
pub(super) fn of(
    model: &TypedModel,
    node: &TypedNode,
    layouts: &[Option<&Layout>],
) -> TractResult<Option<(Layout, Box<dyn Partial>)>> {
    let [output] = &node.outputs[..] else { return Ok(None) };
    if output.fact.datum_type != f32::datum_type() || layouts.iter().all(Option::is_none) {
        return Ok(None);
    }
    let Some(shape) = output.fact.shape.as_concrete() else {
        return Ok(None);
    };
    let kernel: Option<Box<dyn Partial>> = if let Some(conv) = node.op_as::<fast::Conv>() {
        Some(Box::new(Convolution(conv.clone())))
    } else if let Some(pool) = node.op_as::<fast::Pool>() {
        let channels = shape.get(1).copied().unwrap_or_default();
        Some(Box::new(Pool(pool.clone(), channels)))
    } else {
        None
    };
    if let Some(kernel) = kernel {
        let layout = Layout {
            shape: shape.to_vec(),
            axis: 2,
        };
        let whole = layouts.iter().all(|l| l.is_some_and(|l| l.axis == 2));
        return Ok((whole && shape.len() == 4 && shape[0] == 1).then_some((layout, kernel)));
    }
    if let Some(found) = moved::of(node, shape, layouts) {
        return Ok(Some(found));
    }
    pointwise::of(model, node, shape, layouts)
}

/// The values of a tensor that lies in memory as it is.
pub(super) fn plain(value: &TValue) -> TractResult<PlainView<'_>> {
    value.try_as_plain_ram()
}

struct Convolution(fast::Conv);

impl Partial for Convolution {
    fn reached(&self, slot: usize, changed: &Region) -> Region {
        // What is added lies as the output does.
        if slot == 0 {
            self.0.window().reached(changed)
        } else {
            changed.clone()
        }
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        with_slices(inputs, |inputs| self.0.run_into(inputs, output, Some(region)))
    }

    fn work(&self) -> usize {
        self.0.products()
    }
}

/// A pool, and its channels.
struct Pool(fast::Pool, usize);

impl Partial for Pool {
    fn reached(&self, _slot: usize, changed: &Region) -> Region {
        self.0.window().reached(changed)
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        with_slices(inputs, |inputs| self.0.run_into(inputs, output, Some(region)))
    }

    fn work(&self) -> usize {
        let [h, w] = self.0.window().kernel;
        h * w * self.1
    }
}

fn with_slices(inputs: &[TValue], run: impl FnOnce(&[&[f32]])) -> TractResult<()> {
    let plains = inputs.iter().map(plain).collect::<TractResult<Vec<_>>>()?;
    let slices = plains
        .iter()
        .map(PlainView::as_slice::<f32>)
        .collect::<TractResult<Vec<_>>>()?;
    run(&slices);
    Ok(())
}
