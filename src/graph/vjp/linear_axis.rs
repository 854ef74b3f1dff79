//! The adjoint of an operator that makes each output slice along one axis from a few weighted input slices: resizing,
//! reflected padding, strided and indexed slices.

use tract_onnx::tract_core::ops::nn::resize::AxisPlan;

use super::prelude::*;

/// Maps a cotangent `[.., outputs, ..]` to `[.., len, ..]`: input `i` gathers `weight * g[o]` over all taps
/// `(o, i, weight)`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::graph) struct LinearAxis {
    pub axis: usize,
    /// Positions of what the operator takes, which the adjoint gives.
    pub len: usize,
    /// Taps of each output, by input position.
    pub taps: Vec<TVec<(usize, f32)>>,
}

impl Eq for LinearAxis {}

impl LinearAxis {
    /// Output `o` is a copy of input `sources[o]`.
    pub fn copies(axis: usize, len: usize, sources: impl IntoIterator<Item = usize>) -> Self {
        Self {
            axis,
            len,
            taps: sources.into_iter().map(|source| tvec![(source, 1.0)]).collect(),
        }
    }

    /// Output `o` is interpolated as the plan says.
    pub fn interpolation(axis: usize, len: usize, plan: &AxisPlan) -> Self {
        let taps = plan
            .indices
            .chunks(plan.window)
            .zip(plan.weights.chunks(plan.window))
            .zip(&plan.extrapolated)
            .map(|((indices, weights), extrapolated)| {
                let taps = indices.iter().copied().zip(weights.iter().copied());
                taps.filter(|(_, weight)| !extrapolated && *weight != 0.0).collect()
            })
            .collect();
        Self { axis, len, taps }
    }

    /// Whether input and output are the same.
    pub fn is_identity(&self) -> bool {
        self.taps.len() == self.len && self.taps.iter().enumerate().all(|(o, taps)| **taps == [(o, 1.0)])
    }
}

impl Op for LinearAxis {
    fn name(&self) -> StaticName {
        "VjpLinearAxis".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("axis {}, {} to {}", self.axis, self.taps.len(), self.len)])
    }

    op_as_typed_op!();
}

impl EvalOp for LinearAxis {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let g = args_1!(inputs);
        let mut shape: TVec<usize> = g.shape().into();
        let inner: usize = shape[self.axis + 1..].iter().product();
        shape[self.axis] = self.len;
        let mut result = Tensor::zero::<f32>(&shape)?;
        let g = g.try_as_plain_ram()?;
        let g = g.as_slice::<f32>()?;
        let mut plain = result.try_as_plain_ram_mut()?;
        let out = plain.as_slice_mut::<f32>()?;
        if g.is_empty() || out.is_empty() {
            return Ok(tvec!(result.into_tvalue()));
        }
        for (g, out) in g
            .chunks_exact(self.taps.len() * inner)
            .zip(out.chunks_exact_mut(self.len * inner))
        {
            for (g, taps) in g.chunks_exact(inner).zip(&self.taps) {
                for &(position, weight) in taps {
                    for (out, g) in out[position * inner..][..inner].iter_mut().zip(g) {
                        *out += weight * g;
                    }
                }
            }
        }
        Ok(tvec!(result.into_tvalue()))
    }
}

impl TypedOp for LinearAxis {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs[0].datum_type == f32::datum_type());
        ensure!(inputs[0].shape[self.axis] == self.taps.len().to_dim());
        let mut shape = inputs[0].shape.clone();
        shape.set(self.axis, self.len.to_dim());
        Ok(tvec!(f32::fact(shape)))
    }

    as_op!();
}
