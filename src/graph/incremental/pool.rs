//! Pools, place by place in the order of the engine's own loops.

use tract_onnx::tract_core::ops::cnn::{OptMaxPool, OptSumPool, PaddingSpec, PoolSpec};

use super::super::vjp::prelude::*;
use super::layout::Layout;
use super::partial::{Partial, plain};
use crate::kernel::{Region, Window};

enum Kind {
    /// The highest.
    Max,
    /// The sum, divided by the number of places that the window holds inside the plane (`inside`) or at all.
    Sum { divided: bool, inside: bool },
}

struct Pool {
    kind: Kind,
    window: Window,
    input: Layout,
    output: Layout,
}

pub(super) fn of(node: &TypedNode, shape: &[usize], layouts: &[Option<&Layout>]) -> Option<(Layout, Box<dyn Partial>)> {
    let (kind, spec) = if let Some(pool) = node.op_as::<OptMaxPool>() {
        if pool.with_index_outputs.is_some() {
            return None;
        }
        (Kind::Max, &pool.pool_spec)
    } else if let Some(pool) = node.op_as::<OptSumPool>() {
        let inside = !pool.count_include_pad;
        // Then what lies beyond the padding is not counted either.
        let overhanging = matches!(pool.pool_spec.padding, PaddingSpec::ExplicitOnnxPool(_, _, true));
        if pool.normalize && !inside && overhanging {
            return None;
        }
        let divided = pool.normalize;
        (Kind::Sum { divided, inside }, &pool.pool_spec)
    } else {
        return None;
    };
    let [Some(input)] = *layouts else { return None };
    let axis = spec.data_format.h_axis();
    if spec.rank() != 2 || input.axis != axis || !spec.data_format.has_n() && axis + 2 > shape.len() {
        return None;
    }
    let output = Layout {
        shape: shape.to_vec(),
        axis,
    };
    let window = window(spec, input.size(), output.size());
    let faster = window.kernel == [2, 2] && window.stride == [1, 1];
    if matches!(kind, Kind::Max) && faster {
        // The engine's vectors may order the two zeros otherwise than its other loops.
        return None;
    }
    let pool = Pool {
        kind,
        window,
        input: input.clone(),
        output: output.clone(),
    };
    Some((output, Box::new(pool)))
}

fn window(spec: &PoolSpec, input: [usize; 2], output: [usize; 2]) -> Window {
    let padding = spec.computed_padding(&input);
    Window {
        input,
        output,
        kernel: [spec.kernel_shape[0], spec.kernel_shape[1]],
        stride: [spec.stride(0), spec.stride(1)],
        dilation: [spec.dilation(0), spec.dilation(1)],
        before: [padding[0].pad_before, padding[1].pad_before],
    }
}

impl Pool {
    /// One value, over the values that the window holds, in rising order.
    fn value(&self, held: impl Iterator<Item = f32> + Clone) -> f32 {
        match self.kind {
            Kind::Max => held.fold(f32::MIN, |most, v| if most < v { v } else { most }),
            Kind::Sum { divided, inside } => {
                let sum: f32 = held.clone().sum();
                let [h, w] = self.window.kernel;
                let count = if inside { held.count() } else { h * w };
                if divided { sum * (count as f32).recip() } else { sum }
            }
        }
    }
}

impl Partial for Pool {
    fn reached(&self, _slot: usize, changed: &Region) -> Region {
        self.window.reached(changed)
    }

    fn run_into(&self, inputs: &[TValue], output: &mut [f32], region: &Region) -> TractResult<()> {
        let values = plain(&inputs[0])?;
        let values = values.as_slice::<f32>()?;
        let ([_, w], [_, ow]) = (self.window.input, self.window.output);
        let [kh, kw] = self.window.kernel;
        let inner = self.output.inner();
        let (plane, to) = (self.input.places() * inner, self.output.places() * inner);
        let mut offsets = Vec::with_capacity(kh * kw);
        for span in region.spans() {
            for x in span.from..span.to {
                offsets.clear();
                for i in 0..kh {
                    let Some(v) = self.window.source(0, span.row, i) else {
                        continue;
                    };
                    let columns = (0..kw).filter_map(|j| self.window.source(1, x, j));
                    offsets.extend(columns.map(|u| (v * w + u) * inner));
                }
                let at = (span.row * ow + x) * inner;
                for (plane, to) in values.chunks_exact(plane).zip(output.chunks_exact_mut(to)) {
                    for (c, to) in to[at..at + inner].iter_mut().enumerate() {
                        *to = self.value(offsets.iter().map(|&o| plane[o + c]));
                    }
                }
            }
        }
        Ok(())
    }

    fn work(&self) -> usize {
        let [h, w] = self.window.kernel;
        4 * h * w * self.output.outer() * self.output.inner()
    }
}
