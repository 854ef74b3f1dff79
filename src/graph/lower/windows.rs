//! Operators that slide windows over pictures, and their adjoints. Those over one axis run as rows of height 1.

use std::any::Any;

use tract_onnx::tract_core::internal::{TractErrorContext, TractResult, bail, ensure};
use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, PaddingSpec, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::super::vjp::depthwise::DepthwiseAdjoint;
use super::super::vjp::pool::{self, PoolAdjoint};
use super::Site;
use crate::gpu::ir::{Divisor, Op, ValueId, Window};

pub(super) fn wire(s: &mut Site, op: &dyn Any) -> TractResult<Option<ValueId>> {
    let wired = if let Some(op) = op.downcast_ref::<Conv>() {
        conv(s, op)
    } else if let Some(op) = op.downcast_ref::<Deconv>() {
        deconv(s, op)
    } else if let Some(op) = op.downcast_ref::<DepthwiseAdjoint>() {
        depthwise(s, op)
    } else if let Some(op) = op.downcast_ref::<MaxPool>() {
        let shape = s.shape_in(0)?;
        let window = Window2::of(&op.pool_spec, &shape)?.window;
        let x = s.picture(0)?;
        s.push(Op::MaxPool(window), &[x])
    } else if let Some(op) = op.downcast_ref::<SumPool>() {
        let shape = s.shape_in(0)?;
        let found = Window2::of(&op.pool_spec, &shape)?;
        let divisor = match (op.normalize, op.count_include_pad) {
            (false, _) => Divisor::One,
            (true, false) => Divisor::Inside,
            (true, true) => Divisor::Padded { end: found.end },
        };
        let x = s.picture(0)?;
        let window = found.window;
        s.push(Op::SumPool { window, divisor }, &[x])
    } else if let Some(op) = op.downcast_ref::<PoolAdjoint>() {
        pool_adjoint(s, op)
    } else {
        return Ok(None);
    };
    let shape = s.shape_out()?;
    let wired = wired?;
    s.reshape(wired, &shape).map(Some)
}

/// The geometry of a window operator over `[N, C, h, w]` or `[N, C, w]`.
struct Window2 {
    window: Window,
    /// Size of the padded picture, where windows over its end lose taps.
    end: [usize; 2],
    size: [usize; 2],
}

/// Axis `k` of two of a geometry of one or two axes.
fn at<T: Copy>(list: &[T], k: usize, absent: T) -> T {
    match list {
        [down, across] => [*down, *across][k],
        [across] if k == 1 => *across,
        _ => absent,
    }
}

fn two<T: Copy>(list: &[T], absent: T) -> [T; 2] {
    [at(list, 0, absent), at(list, 1, absent)]
}

impl Window2 {
    fn of(spec: &PoolSpec, shape: &[usize]) -> TractResult<Self> {
        check(spec)?;
        let space = &shape[2..];
        let padding = spec.computed_padding(space);
        let before: Vec<usize> = padding.iter().map(|p| p.pad_before).collect();
        let windows: Vec<usize> = padding.iter().map(|p| p.convoluted).collect();
        let end: Vec<usize> = match &spec.padding {
            PaddingSpec::ExplicitOnnxPool(before, after, true) => {
                (0..space.len()).map(|ax| before[ax] + space[ax] + after[ax]).collect()
            }
            _ => vec![usize::MAX; space.len()],
        };
        Ok(Self {
            window: window(spec, &before, &windows),
            end: two(&end, usize::MAX),
            size: two(space, 1),
        })
    }
}

fn window(spec: &PoolSpec, before: &[usize], windows: &[usize]) -> Window {
    Window {
        kernel: two(&spec.kernel_shape, 1),
        stride: two(&spec.strides(), 1),
        dilation: two(&spec.dilations(), 1),
        before: two(before, 0),
        windows: two(windows, 1),
    }
}

fn check(spec: &PoolSpec) -> TractResult<()> {
    let format = spec.data_format;
    ensure!(format == DataFormat::NCHW, "its data is in {format:?}, not NCHW");
    ensure!(matches!(spec.rank(), 1 | 2), "it slides over {} axes", spec.rank());
    Ok(())
}

/// `[a, b, w]` as `[a, b, 1, w]`.
fn lifted(shape: &[usize]) -> TractResult<Vec<usize>> {
    Ok(match *shape {
        [a, b, w] => vec![a, b, 1, w],
        [_, _, _, _] => shape.to_vec(),
        _ => bail!("an operand of the shape {shape:?}"),
    })
}

impl Site<'_, '_> {
    /// An input with two axes of space.
    fn picture(&mut self, slot: usize) -> TractResult<ValueId> {
        let x = self.input(slot)?;
        let shape = lifted(&self.shape(x))?;
        self.reshape(x, &shape)
    }

    /// Picture, weights and, unless it is zero throughout, the bias `[channels]`.
    fn weighted(&mut self, channels: usize) -> TractResult<Vec<ValueId>> {
        let mut operands = vec![self.picture(0)?, self.picture(1)?];
        if self.node.inputs.len() > 2 && self.uniform(2)?.is_none_or(|bias| bias.to_bits() << 1 != 0) {
            let bias = self.input(2)?;
            let count: usize = self.shape(bias).iter().product();
            let bias = self.reshape(bias, &[count])?;
            operands.push(self.broadcast(bias, &[channels])?);
        }
        Ok(operands)
    }
}

fn conv(s: &mut Site, op: &Conv) -> TractResult<ValueId> {
    ensure!(op.q_params.is_none(), "it is quantised");
    let format = op.kernel_fmt;
    ensure!(format == KernelFormat::OIHW, "its weights are in {format:?}, not OIHW");
    let shape = s.shape_in(0)?;
    let Window2 { window, .. } = Window2::of(&op.pool_spec, &shape)?;
    let operands = s.weighted(op.output_channels())?;
    let groups = op.group;
    s.push(Op::Conv { window, groups }, &operands)
}

/// Its weights have the channels of its result first already.
fn deconv(s: &mut Site, op: &Deconv) -> TractResult<ValueId> {
    let spec = &op.pool_spec;
    check(spec)?;
    let format = op.kernel_format;
    ensure!(format == KernelFormat::OIHW, "its weights are in {format:?}, not OIHW");
    let shape = s.shape_in(0)?;
    let geometry = spec.padding.compute_for_deconv(
        &shape[2..],
        &spec.kernel_shape,
        &spec.dilations(),
        &spec.strides(),
        &op.adjustments,
    )?;
    let before: Vec<usize> = geometry.iter().map(|p| p.pad_before).collect();
    let size: Vec<usize> = geometry.iter().map(|p| p.deconvoluted).collect();
    let window = window(spec, &before, &shape[2..]);
    let operands = s.weighted(spec.output_channels)?;
    let (groups, size) = (op.group, two(&size, 1));
    s.push(Op::ConvTransposed { window, groups, size }, &operands)
}

fn depthwise(s: &mut Site, op: &DepthwiseAdjoint) -> TractResult<ValueId> {
    let Window2 { window, size, .. } = Window2::of(&op.spec, &op.shape)?;
    let groups = op.shape[1];
    let g = s.input(0)?;
    let weights = s.input(1)?;
    // `[C * m, 1, kh, kw]` holds the m maps of each channel side by side.
    let per_channel = s.shape(weights)[0].checked_div(groups).context("it has no channels")?;
    let weights = s.reshape(weights, &[groups, per_channel, window.kernel[0], window.kernel[1]])?;
    s.push(Op::ConvTransposed { window, groups, size }, &[g, weights])
}

fn pool_adjoint(s: &mut Site, op: &PoolAdjoint) -> TractResult<ValueId> {
    let Window2 { window, end, size } = Window2::of(&op.spec, &op.shape)?;
    let g = s.picture(0)?;
    match op.window {
        pool::Window::Max => {
            let x = s.picture(1)?;
            s.push(Op::MaxPoolAdjoint(window), &[g, x])
        }
        pool::Window::Sum(divisor) => {
            let divisor = match divisor {
                pool::Divisor::One => Divisor::One,
                pool::Divisor::Inside => Divisor::Inside,
                pool::Divisor::Padded => Divisor::Padded { end },
            };
            s.push(Op::SumPoolAdjoint { window, divisor, size }, &[g])
        }
    }
}
