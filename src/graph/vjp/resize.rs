//! Interpolation, from the very plan (positions and weights) that the forward pass resamples by, and local response
//! normalisation.

use tract_onnx::tract_core::ops::nn::resize::{
    AxisPlan, Interpolator, NearestUpsample, Resize, cubic_weights, linear_weights, plan_axis, window_size,
};
use tract_onnx_opl::lrn::Lrn;
use tract_onnx_opl::resize::{AspectRatio, CoordTransform, Nearest, Resize as OnnxResize};

use super::linear_axis::LinearAxis;
use super::prelude::*;
use super::{Adjoint, Cotangents, VjpTable, first};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Resize>("resize", |a, op| {
            let axes: TVec<usize> = (0..a.fact(a.inputs[0])?.rank()).collect();
            resampled(a, &axes, op.optional_scales_input, |scale, len_in, len_out| {
                Ok(op.plan_axis(scale, len_in, len_out))
            })
        })
        .with_rule_for::<NearestUpsample>("nearest-upsample", |a, op| {
            let mut wire = a.f32_cotangent()?;
            for (axis, scale) in op.scales.iter().enumerate().filter(|(_, scale)| **scale != 1) {
                let len = a.shape(a.inputs[0])?[axis];
                wire = a.wire(
                    LinearAxis::copies(axis, len, (0..len * scale).map(|o| o / scale)),
                    &[wire],
                )?;
            }
            first(wire)
        })
        .with_rule_for::<OnnxResize>("onnx-resize", onnx_resize)
        .with_rule_for::<Lrn>("lrn", lrn)
}

/// `scales` says which input holds the scales of `axes`; without it they follow from the shapes.
fn resampled(
    a: &mut Adjoint,
    axes: &[usize],
    scales: Option<usize>,
    plan: impl Fn(f32, usize, usize) -> TractResult<AxisPlan>,
) -> Cotangents {
    let (shape, outputs) = (a.shape(a.inputs[0])?, a.shape(a.outputs[0])?);
    let scales = scales.filter(|slot| *slot < a.inputs.len());
    let scales = scales
        .map(|slot| a.konst(a.inputs[slot])?.context("its scales depend on the input"))
        .transpose()?;
    let maps = maps(&shape, &outputs, axes, scales.as_ref(), plan)?;
    let mut wire = a.f32_cotangent()?;
    for map in maps {
        wire = a.wire(map, &[wire])?;
    }
    first(wire)
}

#[expect(clippy::float_cmp, reason = "as the forward pass")]
/// What a resize from `shape` to `outputs` does along each axis that it changes, in order. `scales` are those of
/// `axes`; without them they follow from the shapes.
pub(in crate::graph) fn maps(
    shape: &[usize],
    outputs: &[usize],
    axes: &[usize],
    scales: Option<&Arc<Tensor>>,
    plan: impl Fn(f32, usize, usize) -> TractResult<AxisPlan>,
) -> TractResult<Vec<LinearAxis>> {
    let mut per_axis: Vec<f32> = shape.iter().zip(outputs).map(|(i, o)| *o as f32 / *i as f32).collect();
    if let Some(scales) = scales {
        let values = scales.cast_to::<f32>()?;
        let values = values.try_as_plain_ram()?;
        let values = values.as_slice::<f32>()?;
        if values.len() == axes.len() {
            axes.iter()
                .zip(values)
                .for_each(|(axis, scale)| per_axis[*axis] = *scale);
        }
    }
    let mut maps = vec![];
    for (axis, scale) in per_axis.into_iter().enumerate() {
        if shape[axis] != outputs[axis] || scale != 1.0 {
            let plan = plan(scale, shape[axis], outputs[axis])?;
            maps.push(LinearAxis::interpolation(axis, shape[axis], &plan));
        }
    }
    Ok(maps)
}

fn onnx_resize(a: &mut Adjoint, op: &OnnxResize) -> Cotangents {
    let axes = op.resized_axes(a.fact(a.inputs[0])?.rank())?;
    let plan = onnx_plan(op)?;
    resampled(a, &axes, op.optional_scales_input, plan)
}

/// [`maps`] of the ONNX operator.
pub(in crate::graph) fn onnx_maps(
    op: &OnnxResize,
    shape: &[usize],
    outputs: &[usize],
    scales: Option<&Arc<Tensor>>,
) -> TractResult<Vec<LinearAxis>> {
    maps(shape, outputs, &op.resized_axes(shape.len())?, scales, onnx_plan(op)?)
}

#[expect(clippy::float_cmp, reason = "as the forward pass")]
fn onnx_plan(op: &OnnxResize) -> TractResult<impl Fn(f32, usize, usize) -> TractResult<AxisPlan> + '_> {
    ensure!(
        op.keep_aspect_ratio_policy == AspectRatio::Stretch,
        "it keeps the aspect ratio"
    );
    let CoordTransform::Plain(transform) = &op.coord_transformer else {
        bail!("it crops by a region of interest")
    };
    Ok(move |scale, len_in, len_out| {
        let window = window_size(&op.interpolator, op.antialias, scale);
        let coord = |x| Some(transform.transform(x, scale, len_in, len_out));
        let exclude = op.exclude_outside;
        Ok(match op.interpolator {
            Interpolator::Linear => plan_axis(len_in, len_out, window, exclude, coord, |r, weights| {
                linear_weights(r, scale, op.antialias, weights);
            }),
            Interpolator::Cubic => plan_axis(len_in, len_out, window, exclude, coord, |r, weights| {
                cubic_weights(r, scale, op.cubic_coeff_a(), op.antialias, weights);
            }),
            Interpolator::Nearest => plan_axis(len_in, len_out, window, exclude, coord, |r, weights| {
                let right = r == 1.0
                    || match op.nearest {
                        Nearest::Floor => false,
                        Nearest::Ceil => true,
                        Nearest::RoundPreferFloor => r > 0.5,
                        Nearest::RoundPreferCeil => r >= 0.5,
                    };
                weights[0] = f32::from(u8::from(!right));
                weights[1] = f32::from(u8::from(right));
            }),
        })
    })
}

/// `y = x * s^-beta` with `s = bias + alpha / size * sum of x^2 over neighbouring channels`: the cotangent is
/// `g * s^-beta - 2 * alpha * beta / size * x * sum of (g * x * s^(-beta - 1)) over the same neighbours, seen from the
/// other side`.
fn lrn(a: &mut Adjoint, op: &Lrn) -> Cotangents {
    use tract_onnx::tract_core::ops::math;
    let (g, x) = (a.f32_cotangent()?, a.inputs[0]);
    let channels = a.shape(x)?[1];
    let (before, after) = ((op.size - 1) / 2, op.size / 2);
    let neighbours = |c: usize| (c.saturating_sub(before), (c + after).min(channels - 1));
    let mut band = Tensor::zero::<f32>(&[channels, channels])?;
    for (c, row) in band
        .try_as_plain_ram_mut()?
        .as_slice_mut::<f32>()?
        .chunks_exact_mut(channels)
        .enumerate()
    {
        let (low, high) = neighbours(c);
        row[low..=high].fill(1.0);
    }
    let band = a.constant(band)?;
    let dt = f32::datum_type();
    let einsum = |expression: &str| -> TractResult<_> {
        Ok(tract_onnx::tract_core::ops::einsum::EinSum::new(
            expression.parse()?,
            dt,
        ))
    };
    let rank = a.fact(x)?.rank();
    ensure!(rank == 4, "it has {rank} axes");
    let squares = a.wire(math::square(), &[x])?;
    let sums = a.wire(einsum("cd,ndhw->nchw")?, &[band, squares])?;
    let sums = a.scale(sums, f64::from(op.alpha) / op.size as f64)?;
    let bias = a.scalar(f64::from(op.bias), sums)?;
    let sums = a.add(sums, bias)?;
    let power = a.wire(math::pow_const(-op.beta), &[sums])?;
    let direct = a.mul(g, power)?;
    let through = a.mul(direct, x)?;
    let through = a.wire(math::div(), &[through, sums])?;
    let through = a.wire(einsum("cd,nchw->ndhw")?, &[band, through])?;
    let through = a.mul(through, x)?;
    let through = a.scale(
        through,
        -2.0 * f64::from(op.alpha) * f64::from(op.beta) / op.size as f64,
    )?;
    first(a.add(direct, through)?)
}
