//! Batch normalisation as the engine does not have it: over constants, by their own statistics, and with the outputs
//! that training leaves behind. Weight standardisation exports as one.

use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::{IntoTensor, TValue, Tensor, TractResult, tract_ndarray};
use tract_onnx::tract_core::internal::TractErrorContext;
use tract_onnx::tract_core::internal::ensure;

use super::onnx::{attribute, int};

/// What to compute where all inputs are constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BatchStatistics {
    epsilon: f32,
    /// Whether the statistics are those of the values themselves.
    pub training: bool,
}

impl BatchStatistics {
    /// The node in the form that the engine can infer shapes for, and what it computes if it is a batch
    /// normalisation.
    pub fn take(node: &NodeProto) -> (NodeProto, Option<Self>) {
        let mut node = node.clone();
        if node.op_type != "BatchNormalization" {
            return (node, None);
        }
        let epsilon = attribute(&node, "epsilon").map_or(1e-5, |a| a.f);
        let training = int(&node, "training_mode", 0) != 0;
        node.output.truncate(1);
        node.attribute.retain(|a| a.name != "training_mode");
        (node, Some(Self { epsilon, training }))
    }

    /// `scale * (x - mean) / sqrt(variance + epsilon) + bias` along axis 1 of `[x, scale, bias, mean, variance]`.
    pub fn apply(self, inputs: &[TValue]) -> TractResult<Tensor> {
        ensure!(inputs.len() == 5, "five inputs are needed");
        let x = inputs[0].to_plain_array_view::<f32>()?;
        let channels = *x.shape().get(1).context("an axis of channels is needed")?;
        let parameters: Vec<Vec<f32>> = inputs[1..]
            .iter()
            .map(|t| Ok(t.to_plain_array_view::<f32>()?.iter().copied().collect()))
            .collect::<TractResult<_>>()?;
        ensure!(
            parameters.iter().all(|p| p.len() == channels),
            "one parameter a channel is needed"
        );
        let mut out = x.to_owned();
        for (c, mut plane) in out.axis_iter_mut(tract_ndarray::Axis(1)).enumerate() {
            let n = plane.len().max(1) as f64;
            let (mean, variance) = if self.training {
                let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
                (
                    mean,
                    plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n,
                )
            } else {
                (f64::from(parameters[2][c]), f64::from(parameters[3][c]))
            };
            let slope = f64::from(parameters[0][c]) / (variance + f64::from(self.epsilon)).sqrt();
            let bias = f64::from(parameters[1][c]);
            plane.mapv_inplace(|v| ((f64::from(v) - mean) * slope + bias) as f32);
        }
        Ok(out.into_tensor())
    }
}
