//! The adjoint of a strided depthwise convolution, plane by plane: tract's transposed one walks all channels at each
//! tap, which leaves the cache on the large maps where mobile networks stride.

use std::ops::Range;

use tract_onnx::tract_core::ops::cnn::PoolSpec;

use super::prelude::*;

/// From the cotangent `[N, C * m, h, w]` and the weights `[C * m, 1, kh, kw]` of a convolution with one group a channel
/// to the cotangent of its input `[N, C, H, W]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::graph) struct DepthwiseAdjoint {
    /// Of the convolution.
    pub spec: PoolSpec,
    /// Of the convolution's input.
    pub shape: TVec<usize>,
}

/// One tap along one axis: which outputs it reaches, and the input position of the first of them.
struct Tap {
    outputs: Range<usize>,
    start: usize,
}

impl DepthwiseAdjoint {
    fn taps(&self, axis: usize, outputs: usize) -> Vec<Tap> {
        let len = self.shape[axis + 2];
        let (kernel, dilation, stride) = (
            self.spec.kernel_shape[axis],
            self.spec.dilation(axis),
            self.spec.stride(axis),
        );
        let before = self
            .spec
            .padding
            .compute_one(axis, &len, kernel, dilation, stride)
            .pad_before;
        let tap = |k: usize| {
            let offset = k * dilation;
            let first = before.saturating_sub(offset).div_ceil(stride);
            let last = (before + len).saturating_sub(offset).div_ceil(stride).min(outputs);
            Tap {
                start: (first * stride + offset).saturating_sub(before),
                outputs: first..last.max(first),
            }
        };
        (0..kernel).map(tap).collect()
    }
}

impl Op for DepthwiseAdjoint {
    fn name(&self) -> StaticName {
        "VjpDepthwise".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(self.spec.info())
    }

    op_as_typed_op!();
}

impl EvalOp for DepthwiseAdjoint {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (g, kernel) = args_2!(inputs);
        let (channels, width) = (self.shape[1], self.shape[3]);
        let (h, w) = (g.shape()[2], g.shape()[3]);
        let columns = self.taps(1, w);
        let (down, right) = (self.spec.stride(0), self.spec.stride(1));
        let rows = self.taps(0, h);
        // Which tap brings which row of the cotangent to each row of the result.
        let mut meeting: Vec<TVec<(usize, usize)>> = vec![tvec![]; self.shape[2]];
        for (tap, row) in rows.iter().enumerate() {
            for (step, y) in row.outputs.clone().enumerate() {
                meeting[row.start + step * down].push((tap, y));
            }
        }
        let multiplier = g.shape()[1] / channels;
        let taps = rows.len() * columns.len();
        let g = g.try_as_plain_ram()?;
        let g = g.as_slice::<f32>()?;
        let kernel = kernel.try_as_plain_ram()?;
        let kernel = kernel.as_slice::<f32>()?;
        let mut result = Tensor::zero::<f32>(&self.shape)?;
        let mut plain = result.try_as_plain_ram_mut()?;
        let planes = plain.as_slice_mut::<f32>()?.chunks_exact_mut(self.shape[2] * width);
        // A row of the result by its positions modulo the stride, so that each tap adds to neighbouring values.
        let length = width.div_ceil(right);
        let mut phases = vec![0f32; length * right];
        for (index, out) in planes.enumerate() {
            for (out, meeting) in out.chunks_exact_mut(width).zip(&meeting) {
                if meeting.is_empty() {
                    continue;
                }
                phases.fill(0.0);
                for part in 0..multiplier {
                    let g = &g[(index * multiplier + part) * h * w..][..h * w];
                    let weights = &kernel[(index % channels * multiplier + part) * taps..][..taps];
                    for &(tap, y) in meeting {
                        let g = &g[y * w..][..w];
                        let weights = &weights[tap * columns.len()..][..columns.len()];
                        for (column, weight) in columns.iter().zip(weights).filter(|(c, _)| !c.outputs.is_empty()) {
                            let at = column.start % right * length + column.start / right;
                            let g = &g[column.outputs.clone()];
                            for (sum, g) in phases[at..].iter_mut().zip(g) {
                                *sum += weight * g;
                            }
                        }
                    }
                }
                for (phase, sums) in phases.chunks_exact(length).enumerate() {
                    for (out, sum) in out[phase.min(width)..].iter_mut().step_by(right).zip(sums) {
                        *out = *sum;
                    }
                }
            }
        }
        Ok(tvec!(result.into_tvalue()))
    }
}

impl TypedOp for DepthwiseAdjoint {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.iter().all(|input| input.datum_type == f32::datum_type()));
        Ok(tvec!(f32::fact(&*self.shape)))
    }

    as_op!();
}
