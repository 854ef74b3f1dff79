//! Convolutions. The adjoint of a convolution is a transposed convolution with the same weights, and the reverse. At
//! stride 1 it is a plain convolution with the taps mirrored, which tract runs faster than its transposed one.

use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::depthwise::DepthwiseAdjoint;
use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Conv>("conv", conv)
        .with_rule_for::<Deconv>("deconv", deconv)
}

fn check(a: &Adjoint, spec: &PoolSpec, format: KernelFormat) -> TractResult<()> {
    ensure!(
        spec.data_format == DataFormat::NCHW,
        "its data is in {:?}, not NCHW",
        spec.data_format
    );
    ensure!(format == KernelFormat::OIHW, "its weights are in {format:?}, not OIHW");
    ensure!(!a.wanted[1], "its weights depend on the input");
    Ok(())
}

fn conv(a: &mut Adjoint, op: &Conv) -> Cotangents {
    ensure!(op.q_params.is_none(), "it is quantised");
    check(a, &op.pool_spec, op.kernel_fmt)?;
    let g = a.f32_cotangent()?;
    let spec = &op.pool_spec;
    let data = if a.wanted[0] {
        let (x_shape, g_shape) = (a.shape(a.inputs[0])?, a.shape(g)?);
        let padding = spec.computed_padding(&x_shape[2..]);
        let before: TVec<usize> = padding.iter().map(|p| p.pad_before).collect();
        let after: TVec<usize> = padding.iter().map(|p| p.pad_after).collect();
        let reach: TVec<usize> = (0..spec.rank())
            .map(|ax| (spec.kernel_shape[ax] - 1) * spec.dilation(ax))
            .collect();
        let mirrors =
            (0..spec.rank()).all(|ax| spec.stride(ax) == 1 && before[ax] <= reach[ax] && after[ax] <= reach[ax]);
        let konst = a.konst(a.inputs[1])?.filter(|_| mirrors);
        let zero = a.constant(tensor0(0f32))?;
        let depthwise = op.group == spec.input_channels && spec.rank() == 2;
        Some(if depthwise && konst.is_none() {
            let op = DepthwiseAdjoint {
                spec: spec.clone(),
                shape: x_shape,
            };
            a.wire(op, &[g, a.inputs[1]])?
        } else if let Some(kernel) = konst {
            let kernel = rearranged(&kernel, op.group, true)?;
            let kernel = a.constant(kernel)?;
            let padding = PaddingSpec::Explicit(
                reach.iter().zip(&before).map(|(reach, pad)| reach - pad).collect(),
                reach.iter().zip(&after).map(|(reach, pad)| reach - pad).collect(),
            );
            let conv = Conv {
                pool_spec: transposed(spec, padding),
                ..op.clone()
            };
            a.wire(conv, &[g, kernel, zero])?
        } else {
            let adjustments = (0..spec.rank())
                .map(|ax| {
                    let covered = (g_shape[ax + 2] - 1) * spec.stride(ax) + reach[ax] + 1;
                    let padded = x_shape[ax + 2] + before[ax] + after[ax];
                    padded.checked_sub(covered).context("its padding is longer than needed")
                })
                .collect::<TractResult<TVec<usize>>>()?;
            let kernel = swapped(a, op.group)?;
            let spec = transposed(spec, PaddingSpec::Explicit(before, after));
            a.wire(
                Deconv::new(spec, KernelFormat::OIHW, adjustments, op.group),
                &[g, kernel, zero],
            )?
        })
    } else {
        None
    };
    let bias = bias(a, g)?;
    Ok(tvec![data, None, bias])
}

fn deconv(a: &mut Adjoint, op: &Deconv) -> Cotangents {
    check(a, &op.pool_spec, op.kernel_format)?;
    let g = a.f32_cotangent()?;
    let spec = &op.pool_spec;
    let data = if a.wanted[0] {
        let (x_shape, g_shape) = (a.shape(a.inputs[0])?, a.shape(g)?);
        let geometry = spec.padding.compute_for_deconv(
            &x_shape[2..],
            &spec.kernel_shape,
            &spec.dilations(),
            &spec.strides(),
            &op.adjustments,
        )?;
        let before: TVec<usize> = geometry.iter().map(|p| p.pad_before).collect();
        let mut after: TVec<usize> = tvec![];
        let mut wire = g;
        for ax in 0..spec.rank() {
            // What the windows of all inputs cover, from the padded start of the output.
            let covered = (x_shape[ax + 2] - 1) * spec.stride(ax) + (spec.kernel_shape[ax] - 1) * spec.dilation(ax) + 1;
            let there = before[ax] + g_shape[ax + 2];
            after.push(covered.saturating_sub(there));
            if there > covered {
                let end = covered - before[ax];
                wire = a.wire(tract_onnx::tract_core::ops::array::Slice::new(ax + 2, 0, end), &[wire])?;
            }
        }
        let kernel = swapped(a, op.group)?;
        let zero = a.constant(tensor0(0f32))?;
        let spec = transposed(spec, PaddingSpec::Explicit(before, after));
        Some(a.wire(
            Conv::new(spec, KernelFormat::OIHW, op.group, None),
            &[wire, kernel, zero],
        )?)
    } else {
        None
    };
    let bias = bias(a, g)?;
    Ok(tvec![data, None, bias])
}

/// The geometry with input and output channels exchanged.
fn transposed(spec: &PoolSpec, padding: PaddingSpec) -> PoolSpec {
    PoolSpec {
        padding,
        input_channels: spec.output_channels,
        output_channels: spec.input_channels,
        ..spec.clone()
    }
}

/// Weights `[g * O, I, ...]` as `[g * I, O, ...]`. Constants are rearranged here: the optimiser would leave it to every
/// run for a large one that the forward pass uses as well.
fn swapped(a: &mut Adjoint, group: usize) -> TractResult<OutletId> {
    let kernel = a.inputs[1];
    if let Some(konst) = a.konst(kernel)? {
        let konst = rearranged(&konst, group, false)?;
        return a.constant(konst);
    }
    let shape = a.shape(kernel)?;
    let (g, o, i) = (group.to_dim(), (shape[0] / group).to_dim(), shape[1].to_dim());
    let split = a.wire(
        AxisOp::Reshape(0, tvec![shape[0].to_dim()], tvec![g.clone(), o]),
        &[kernel],
    )?;
    let moved = a.wire(AxisOp::Move(1, 2), &[split])?;
    a.wire(AxisOp::Reshape(0, tvec![g.clone(), i.clone()], tvec![g * i]), &[moved])
}

/// Weights `[g * O, I, ...]` as `[g * I, O, ...]`, with the order of the taps reversed on each axis if `mirror`.
pub(in crate::graph) fn rearranged(kernel: &Tensor, group: usize, mirror: bool) -> TractResult<Tensor> {
    let mut shape: TVec<usize> = kernel.shape().into();
    let (o, i) = (shape[0] / group, shape[1]);
    let taps: usize = shape[2..].iter().product();
    (shape[0], shape[1]) = (group * i, o);
    let from = kernel.try_as_plain_ram()?;
    let from = from.as_slice::<f32>()?;
    let mut to: Vec<f32> = Vec::with_capacity(from.len());
    for g in 0..group {
        for input in 0..i {
            for output in 0..o {
                let taps = &from[((g * o + output) * i + input) * taps..][..taps];
                if mirror {
                    to.extend(taps.iter().rev());
                } else {
                    to.extend(taps);
                }
            }
        }
    }
    Tensor::from_shape(&shape, &to)
}

/// The bias adds to each pixel of its channel.
fn bias(a: &mut Adjoint, g: OutletId) -> TractResult<Option<OutletId>> {
    if !a.wanted[2] {
        return Ok(None);
    }
    let rank = a.fact(a.inputs[2])?.rank();
    let axes: TVec<usize> = (0..a.fact(g)?.rank()).filter(|&ax| rank == 0 || ax != 1).collect();
    let mut wire = a.sum(g, &axes)?;
    for ax in axes.iter().rev() {
        wire = a.wire(AxisOp::Rm(*ax), &[wire])?;
    }
    Ok(Some(wire))
}
