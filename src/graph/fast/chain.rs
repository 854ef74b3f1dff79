//! Finds what one kernel can do: a convolution and the operators that follow it.

use std::collections::BTreeSet;

use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{self, PoolSpec};
use tract_onnx::tract_core::ops::math::{Add, Div, Max, Min, Mul, Sub};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::super::vjp::prelude::*;
use super::{Conv, Known, Store};
use crate::kernel::{Epilogue, Window};

/// A convolution and what follows it.
pub(super) struct Chain {
    /// In order of computation.
    pub nodes: Vec<usize>,
    /// What is read: the convolution's input, then what is added, if anything is.
    pub inputs: TVec<OutletId>,
    window: Window,
    channels: [usize; 2],
    groups: usize,
    weights: Arc<Tensor>,
    /// Factor of each output channel's weights, if there is one.
    scales: Option<Vec<f32>>,
    epilogue: Epilogue,
}

impl Chain {
    /// The chain from the node `id` on, if it is a convolution of planes by constant weights, as far as no node is
    /// `taken`.
    pub fn starting_at(known: &Known, id: usize, taken: &BTreeSet<usize>) -> TractResult<Option<Self>> {
        let Some(mut chain) = Self::convolution(known, id)? else {
            return Ok(None);
        };
        let model = known.model;
        let shape = model.node(id).outputs[0].fact.shape.clone();
        let mut clamped = false;
        loop {
            let end = model.node(chain.end());
            let [reader] = end.outputs[0].successors[..] else { break };
            let next = model.node(reader.node);
            if taken.contains(&next.id)
                || model.outputs.contains(&end.id.into())
                || next.outputs[0].fact.shape != shape
                || next.outputs[0].fact.datum_type != f32::datum_type()
            {
                break;
            }
            let Some(op) = next.op_as::<TypedBinOp>() else { break };
            let other = next.inputs[1 - reader.slot];
            let fact = model.outlet_fact(other)?;
            let went = match Constant::of(known.value(other), chain.channels[1])? {
                Some(constant) => chain.take(&*op.0, reader.slot, &constant, &mut clamped),
                None => {
                    let adds = op.0.is::<Add>()
                        && chain.inputs.len() == 1
                        && !clamped
                        && fact.shape == shape
                        && fact.datum_type == f32::datum_type();
                    if adds {
                        chain.inputs.push(other);
                    }
                    adds
                }
            };
            if !went {
                break;
            }
            chain.nodes.push(next.id);
        }
        Ok(Some(chain))
    }

    /// The last node, whose output the chain gives.
    pub fn end(&self) -> usize {
        self.nodes[self.nodes.len() - 1]
    }

    /// The operator that computes the chain.
    pub fn operator(&self, store: &Store) -> TractResult<Box<dyn TypedOp>> {
        let weights = self.weights.try_as_plain_ram()?;
        let mut weights = std::borrow::Cow::Borrowed(weights.as_slice::<f32>()?);
        if let Some(scales) = &self.scales {
            let each = weights.len() / self.channels[1];
            for (weights, scale) in weights.to_mut().chunks_exact_mut(each).zip(scales) {
                weights.iter_mut().for_each(|weight| *weight *= scale);
            }
        }
        let kernel = store.conv(self.window, self.channels, self.groups, &weights, self.epilogue.clone());
        Ok(Box::new(Conv::new(kernel, self.inputs.len() == 2)))
    }

    fn convolution(known: &Known, id: usize) -> TractResult<Option<Self>> {
        let model = known.model;
        let node = model.node(id);
        let Some(op) = node.op_as::<cnn::Conv>() else {
            return Ok(None);
        };
        let [x, weights, bias] = node.inputs[..] else {
            return Ok(None);
        };
        let spec = &op.pool_spec;
        let float = |outlet: OutletId| Ok::<_, TractError>(model.outlet_fact(outlet)?.datum_type == f32::datum_type());
        if op.q_params.is_some()
            || op.kernel_fmt != KernelFormat::OIHW
            || spec.data_format != DataFormat::NCHW
            || spec.rank() != 2
            || !(float(x)? && float(weights)? && float(bias)?)
        {
            return Ok(None);
        }
        let Some(window) = window(spec, model.outlet_fact(x)?, &node.outputs[0].fact) else {
            return Ok(None);
        };
        let (Some(weights), Some(bias)) = (known.value(weights), known.value(bias)) else {
            return Ok(None);
        };
        let channels = [spec.input_channels, spec.output_channels];
        let taps = window.kernel[0] * window.kernel[1];
        if !(weights.is_plain_ram() && bias.is_plain_ram())
            || op.group == 0
            || weights.len() * op.group != channels[0] * channels[1] * taps
            || !(bias.len() == 1 || bias.len() == channels[1])
        {
            return Ok(None);
        }
        let bias = bias.try_as_plain_ram()?;
        let bias = bias.as_slice::<f32>()?;
        let bias: Vec<f32> = bias.iter().copied().cycle().take(channels[1]).collect();
        Ok(Some(Self {
            nodes: vec![id],
            inputs: tvec![x],
            window,
            channels,
            groups: op.group,
            weights: weights.clone(),
            scales: None,
            epilogue: Epilogue {
                bias: bias.iter().any(|&b| b != 0.0).then_some(bias),
                ..Epilogue::default()
            },
        }))
    }

    /// Takes an operator with the chain as its input `slot` and a constant as the other; whether it could.
    fn take(&mut self, op: &dyn BinMiniOp, slot: usize, constant: &Constant, clamped: &mut bool) -> bool {
        let linear = self.inputs.len() == 1 && !*clamped;
        let channels = self.channels[1];
        let value = |c: usize| constant.0[c % constant.0.len()];
        if let [bound] = constant.0[..]
            && (op.is::<Max>() || op.is::<Min>())
        {
            let Epilogue { low, high, .. } = &mut self.epilogue;
            if op.is::<Max>() {
                *low = low.max(bound);
                *high = high.max(bound);
            } else {
                *high = high.min(bound);
            }
            *clamped = true;
            return true;
        }
        if !linear {
            return false;
        }
        // `scale * sum + shift` by channel.
        let (scale, shift): (Option<Vec<f32>>, Option<Vec<f32>>) = if op.is::<Add>() {
            (None, Some((0..channels).map(value).collect()))
        } else if op.is::<Sub>() && slot == 0 {
            (None, Some((0..channels).map(|c| -value(c)).collect()))
        } else if op.is::<Sub>() {
            (Some(vec![-1.0; channels]), Some((0..channels).map(value).collect()))
        } else if op.is::<Mul>() {
            (Some((0..channels).map(value).collect()), None)
        } else if op.is::<Div>() && slot == 0 {
            (Some((0..channels).map(|c| value(c).recip()).collect()), None)
        } else {
            return false;
        };
        if scale.iter().flatten().any(|s| !s.is_finite()) {
            return false;
        }
        if let Some(scale) = scale {
            if let Some(bias) = &mut self.epilogue.bias {
                bias.iter_mut().zip(&scale).for_each(|(b, s)| *b *= s);
            }
            match &mut self.scales {
                Some(scales) => scales.iter_mut().zip(&scale).for_each(|(a, s)| *a *= s),
                None => self.scales = Some(scale),
            }
        }
        if let Some(shift) = shift {
            match &mut self.epilogue.bias {
                Some(bias) => bias.iter_mut().zip(&shift).for_each(|(b, s)| *b += s),
                None => self.epilogue.bias = Some(shift),
            }
        }
        true
    }
}

/// One value, or one for each channel of `[N, C, h, w]`; none of them NaN.
struct Constant(Vec<f32>);

impl Constant {
    fn of(value: Option<&Arc<Tensor>>, channels: usize) -> TractResult<Option<Self>> {
        let Some(konst) = value.filter(|v| v.datum_type() == f32::datum_type() && v.is_plain_ram()) else {
            return Ok(None);
        };
        let plain = konst.try_as_plain_ram()?;
        let values = plain.as_slice::<f32>()?;
        let Some(&first) = values.first() else { return Ok(None) };
        if values.iter().any(|v| v.is_nan()) {
            return Ok(None);
        }
        if values.iter().all(|v| v.to_bits() == first.to_bits()) {
            return Ok(Some(Self(vec![first])));
        }
        let by_channel = matches!(*konst.shape(), [1, c, 1, 1] if c == channels);
        Ok(by_channel.then(|| Self(values.to_vec())))
    }
}

/// The geometry of a pool or convolution over `[N, C, h, w]`, if all sizes are known.
pub(super) fn window(spec: &PoolSpec, input: &TypedFact, output: &TypedFact) -> Option<Window> {
    let &[_, _, h, w] = input.shape.as_concrete()? else {
        return None;
    };
    let &[_, _, oh, ow] = output.shape.as_concrete()? else {
        return None;
    };
    let padding = spec.computed_padding(&[h, w]);
    Some(Window {
        input: [h, w],
        output: [oh, ow],
        kernel: [spec.kernel_shape[0], spec.kernel_shape[1]],
        stride: [spec.stride(0), spec.stride(1)],
        dilation: [spec.dilation(0), spec.dilation(1)],
        before: [padding[0].pad_before, padding[1].pad_before],
    })
}
