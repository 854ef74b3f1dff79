//! Max and average pools, by one operator that walks the windows once: tract's own way (indices from the pool, then a
//! scatter) leaves its fast kernels on both passes.

use std::ops::Range;

use tract_onnx::tract_core::ops::cnn::{MaxPool, PaddingSpec, PoolSpec, SumPool};

use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable, first};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<MaxPool>("max-pool", |a, op| pool(a, &op.pool_spec, Window::Max))
        .with_rule_for::<SumPool>("sum-pool", |a, op| {
            let divisor = match (op.normalize, op.count_include_pad) {
                (false, _) => Divisor::One,
                (true, true) => Divisor::Padded,
                (true, false) => Divisor::Inside,
            };
            pool(a, &op.pool_spec, Window::Sum(divisor))
        })
}

fn pool(a: &mut Adjoint, spec: &PoolSpec, window: Window) -> Cotangents {
    let format = spec.data_format;
    ensure!(!format.c_is_last(), "its data is in {format:?}, not NCHW");
    let g = a.f32_cotangent()?;
    let op = PoolAdjoint {
        spec: spec.clone(),
        window,
        shape: a.shape(a.inputs[0])?,
    };
    first(match window {
        Window::Max => a.wire(op, &[g, a.inputs[0]])?,
        Window::Sum(_) => a.wire(op, &[g])?,
    })
}

/// `g`, of the shape of a max pool's output, sent to the first maximum of each window of `x`.
pub(in crate::graph) fn max_pool_adjoint(
    a: &mut Adjoint,
    spec: &PoolSpec,
    g: OutletId,
    x: OutletId,
) -> TractResult<OutletId> {
    let format = spec.data_format;
    ensure!(!format.c_is_last(), "its data is in {format:?}, not NCHW");
    let op = PoolAdjoint {
        spec: spec.clone(),
        window: Window::Max,
        shape: a.shape(x)?,
    };
    a.wire(op, &[g, x])
}

/// What a pool computes of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) enum Window {
    Max,
    Sum(Divisor),
}

/// What the sum of a window is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graph) enum Divisor {
    One,
    /// Its taps inside the picture.
    Inside,
    /// Its taps inside the padded picture.
    Padded,
}

/// The adjoint of a pool: from the cotangent of the output (and, for the max, the input) to that of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graph) struct PoolAdjoint {
    pub spec: PoolSpec,
    pub window: Window,
    /// Of the pool's input.
    pub shape: TVec<usize>,
}

/// The windows along one axis.
struct AxisWindows {
    /// Input positions that each output sees, first, step and count.
    taps: Vec<(usize, usize, usize)>,
    /// Taps of each output inside the padded axis.
    padded: Vec<usize>,
}

impl PoolAdjoint {
    fn windows(&self, axis: usize, len: usize) -> AxisWindows {
        let (kernel, dilation, stride) = (
            self.spec.kernel_shape[axis],
            self.spec.dilation(axis),
            self.spec.stride(axis),
        );
        let geometry = self.spec.padding.compute_one(axis, &len, kernel, dilation, stride);
        let before = geometry.pad_before;
        // In ceil mode the last window may reach over the padding, which then does not count.
        let end = match &self.spec.padding {
            PaddingSpec::ExplicitOnnxPool(before, after, true) => before[axis] + len + after[axis],
            _ => usize::MAX,
        };
        let mut windows = AxisWindows {
            taps: vec![],
            padded: vec![],
        };
        for output in 0..geometry.convoluted {
            let start = output * stride;
            let inside = |k: &usize| (before..before + len).contains(&(start + k * dilation));
            let first = (0..kernel).find(inside).unwrap_or(0);
            let count = (0..kernel).filter(inside).count();
            windows
                .taps
                .push(((start + first * dilation).saturating_sub(before), dilation, count));
            windows
                .padded
                .push((0..kernel).filter(|k| start + k * dilation < end).count());
        }
        windows
    }

    /// Adds the adjoint of one plane `[d, h, w]`.
    fn plane(&self, axes: &[AxisWindows; 3], extent: [usize; 3], g: &[f32], x: &[f32], result: &mut [f32]) {
        let mut at = 0;
        for (z, z_taps) in axes[0].taps.iter().enumerate() {
            for (y, y_taps) in axes[1].taps.iter().enumerate() {
                for (x_, x_taps) in axes[2].taps.iter().enumerate() {
                    let g = g[at];
                    at += 1;
                    match self.window {
                        Window::Max => {
                            if let Some(place) = largest(x, extent, [*z_taps, *y_taps, *x_taps]) {
                                result[place] += g;
                            }
                        }
                        Window::Sum(divisor) => {
                            let count = match divisor {
                                Divisor::One => 1,
                                Divisor::Inside => z_taps.2 * y_taps.2 * x_taps.2,
                                Divisor::Padded => axes[0].padded[z] * axes[1].padded[y] * axes[2].padded[x_],
                            };
                            let share = g / count as f32;
                            let places = positions(*z_taps).flat_map(|z| {
                                positions(*y_taps).flat_map(move |y| {
                                    let row = (z * extent[1] + y) * extent[2];
                                    positions(*x_taps).map(move |x| row + x)
                                })
                            });
                            for place in places {
                                result[place] += share;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The first place of the largest value of a window of `x` `[d, h, w]`; a NaN is larger than nothing, and nothing than
/// it. None: the window is empty. Without a branch for each value, which no processor could foresee.
fn largest(x: &[f32], [_, h, w]: [usize; 3], taps: [(usize, usize, usize); 3]) -> Option<usize> {
    let [(z, z_step, deep), (y, y_step, high), (u, u_step, wide)] = taps;
    if deep * high * wide == 0 {
        return None;
    }
    let mut place = (z * h + y) * w + u;
    let mut most = x[place];
    for i in 0..deep {
        for j in 0..high {
            let row = ((z + i * z_step) * h + y + j * y_step) * w + u;
            for (k, &value) in x[row..=row + (wide - 1) * u_step].iter().step_by(u_step).enumerate() {
                let more = value > most;
                most = if more { value } else { most };
                place = if more { row + k * u_step } else { place };
            }
        }
    }
    Some(place)
}

fn positions((first, step, count): (usize, usize, usize)) -> std::iter::StepBy<Range<usize>> {
    (first..first + step * count).step_by(step)
}

impl Op for PoolAdjoint {
    fn name(&self) -> StaticName {
        match self.window {
            Window::Max => "VjpMaxPool".into(),
            Window::Sum(_) => "VjpSumPool".into(),
        }
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(self.spec.info())
    }

    op_as_typed_op!();
}

impl EvalOp for PoolAdjoint {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let shape = self.spec.data_format.shape(&*self.shape)?;
        let space = shape.hw_dims();
        ensure!(space.len() <= 3, "a pool over {} axes", space.len());
        let mut extent = [1; 3];
        extent[3 - space.len()..].copy_from_slice(space);
        let single = || AxisWindows {
            taps: vec![(0, 1, 1)],
            padded: vec![1],
        };
        let mut axes = [single(), single(), single()];
        for (axis, len) in space.iter().enumerate() {
            axes[3 - space.len() + axis] = self.windows(axis, *len);
        }
        let g = inputs[0].try_as_plain_ram()?;
        let g = g.as_slice::<f32>()?;
        let x = inputs.get(1).map(|x| x.try_as_plain_ram()).transpose()?;
        let x = x
            .as_ref()
            .map(PlainView::as_slice::<f32>)
            .transpose()?
            .unwrap_or_default();
        let mut result = Tensor::zero::<f32>(&self.shape)?;
        let mut plain = result.try_as_plain_ram_mut()?;
        let out = plain.as_slice_mut::<f32>()?;
        let plane = extent.iter().product::<usize>();
        let outputs = axes.iter().map(|axis| axis.taps.len()).product::<usize>();
        for (index, out) in out.chunks_exact_mut(plane).enumerate() {
            let x = if x.is_empty() { x } else { &x[index * plane..][..plane] };
            self.plane(&axes, extent, &g[index * outputs..][..outputs], x, out);
        }
        Ok(tvec!(result.into_tvalue()))
    }
}

impl TypedOp for PoolAdjoint {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(&*self.shape)))
    }

    as_op!();
}
