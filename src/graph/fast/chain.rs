//! Finds what one kernel can do: a convolution, or the adjoint of one, and the operators that follow it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{self, PoolSpec};
use tract_onnx::tract_core::ops::math::{Add, Div, Max, Min, Mul, Sub};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::super::vjp::conv::rearranged;
use super::super::vjp::prelude::*;
use super::store::Recipe;
use super::{Conv, Deconv, Known, Store};
use crate::kernel::{Epilogue, Window};

/// An adjoint that makes fewer channels of a group than this leaves most rows of the kernel's tile idle: the engine's
/// own, and that of depthwise convolutions, are faster.
pub(super) const NARROW: usize = 8;

/// A convolution, or the adjoint of one, and what follows it.
pub(super) struct Chain {
    /// In order of computation.
    pub nodes: Vec<usize>,
    /// What is read: the convolution's input, then what is added, if anything is.
    pub inputs: TVec<OutletId>,
    /// Whether it is the adjoint of the convolution that is described here.
    adjoint: bool,
    window: Window,
    /// `[in, out]` of the convolution.
    channels: [usize; 2],
    groups: usize,
    /// `[out, in / groups, kernel h, kernel w]`.
    weights: Arc<Tensor>,
    /// Factor of each channel that is made, if there is one.
    scales: Option<Vec<f32>>,
    epilogue: Epilogue,
}

impl Chain {
    /// The chain from the node `id` on, if it is a convolution of planes by constant weights, or the adjoint of one, as
    /// far as no node is `taken`.
    pub fn starting_at(known: &Known, id: usize, taken: &BTreeSet<usize>) -> TractResult<Option<Self>> {
        let model = known.model;
        let node = model.node(id);
        let start = if let Some(op) = node.op_as::<cnn::Conv>() {
            Self::convolution(known, node, op)?
        } else if let Some(op) = node.op_as::<cnn::Deconv>() {
            Self::transposed(known, node, op)?
        } else {
            None
        };
        let Some(mut chain) = start else { return Ok(None) };
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
            let went = if let Some(constant) = Constant::of(known.value(other), chain.made())? {
                chain.take(&*op.0, reader.slot, &constant, &mut clamped)
            } else {
                let adds = op.0.is::<Add>()
                    && chain.inputs.len() == 1
                    && !clamped
                    && fact.shape == shape
                    && fact.datum_type == f32::datum_type();
                if adds {
                    chain.inputs.push(other);
                }
                adds
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

    /// Number of channels that are made.
    fn made(&self) -> usize {
        self.channels[usize::from(!self.adjoint)]
    }

    /// The operator that computes the chain.
    pub fn operator(&self, store: &Store) -> TractResult<Box<dyn TypedOp>> {
        let plain = self.weights.try_as_plain_ram()?;
        let mut weights = Cow::Borrowed(plain.as_slice::<f32>()?);
        if let Some(scales) = &self.scales {
            let taps = self.window.kernel[0] * self.window.kernel[1];
            let [from, to] = self.channels.map(|channels| channels / self.groups);
            for (pair, taps) in weights.to_mut().chunks_exact_mut(taps).enumerate() {
                let (out, within) = (pair / from, pair % from);
                let made = if self.adjoint { out / to * from + within } else { out };
                for weight in taps {
                    *weight *= scales[made];
                }
            }
        }
        let recipe = Recipe {
            window: self.window,
            channels: self.channels,
            groups: self.groups,
            weights: &weights,
            epilogue: self.epilogue.clone(),
        };
        let adds = self.inputs.len() == 2;
        Ok(if self.adjoint {
            Box::new(Deconv::new(store.deconv(recipe), adds))
        } else {
            Box::new(Conv::new(store.conv(recipe), adds))
        })
    }

    fn convolution(known: &Known, node: &TypedNode, op: &cnn::Conv) -> TractResult<Option<Self>> {
        let [x, weights, bias] = node.inputs[..] else {
            return Ok(None);
        };
        if op.q_params.is_some() || op.kernel_fmt != KernelFormat::OIHW || !planes(&op.pool_spec) {
            return Ok(None);
        }
        let spec = &op.pool_spec;
        let Some(window) = window(spec, known.model.outlet_fact(x)?, &node.outputs[0].fact) else {
            return Ok(None);
        };
        let Some(weights) = known.value(weights).filter(|konst| is_float(konst)).cloned() else {
            return Ok(None);
        };
        let chain = Self {
            nodes: vec![node.id],
            inputs: tvec![x],
            adjoint: false,
            window,
            channels: [spec.input_channels, spec.output_channels],
            groups: op.group,
            weights,
            scales: None,
            epilogue: Epilogue::default(),
        };
        chain.checked(known, bias)
    }

    fn transposed(known: &Known, node: &TypedNode, op: &cnn::Deconv) -> TractResult<Option<Self>> {
        let [x, weights, bias] = node.inputs[..] else {
            return Ok(None);
        };
        let spec = &op.pool_spec;
        let narrow = spec.output_channels / op.group.max(1) < NARROW;
        if op.kernel_format != KernelFormat::OIHW || !planes(spec) || narrow {
            return Ok(None);
        }
        let Some(weights) = known.value(weights).filter(|konst| is_float(konst)) else {
            return Ok(None);
        };
        let (read, made) = (&known.model.outlet_fact(x)?.shape, &node.outputs[0].fact.shape);
        let (Some(&[_, _, h, w]), Some(&[_, _, oh, ow])) = (read.as_concrete(), made.as_concrete()) else {
            return Ok(None);
        };
        let padding = spec.padding.compute_for_deconv(
            &[h, w],
            &spec.kernel_shape,
            &spec.dilations(),
            &spec.strides(),
            &op.adjustments,
        )?;
        let weights = rearranged(weights, op.group, false)?.into_arc_tensor();
        let chain = Self {
            nodes: vec![node.id],
            inputs: tvec![x],
            adjoint: true,
            window: Window {
                input: [oh, ow],
                output: [h, w],
                kernel: [spec.kernel_shape[0], spec.kernel_shape[1]],
                stride: [spec.stride(0), spec.stride(1)],
                dilation: [spec.dilation(0), spec.dilation(1)],
                before: [padding[0].pad_before, padding[1].pad_before],
            },
            channels: [spec.output_channels, spec.input_channels],
            groups: op.group,
            weights,
            scales: None,
            epilogue: Epilogue::default(),
        };
        chain.checked(known, bias)
    }

    /// With its bias, if everything fits.
    fn checked(mut self, known: &Known, bias: OutletId) -> TractResult<Option<Self>> {
        let [from, to] = self.channels;
        let taps = self.window.kernel[0] * self.window.kernel[1];
        let fits = self.groups > 0
            && from % self.groups == 0
            && to % self.groups == 0
            && self.weights.len() * self.groups == from * to * taps
            && known.model.outlet_fact(self.inputs[0])?.datum_type == f32::datum_type();
        let made = self.made();
        let Some(bias) = floats(known.value(bias))?.filter(|b| b.len() == 1 || b.len() == made) else {
            return Ok(None);
        };
        if bias.iter().any(|&b| b != 0.0) {
            self.epilogue.bias = Some(bias.iter().copied().cycle().take(made).collect());
        }
        Ok(fits.then_some(self))
    }

    /// Takes an operator with the chain as its input `slot` and a constant as the other; whether it could.
    fn take(&mut self, op: &dyn BinMiniOp, slot: usize, constant: &Constant, clamped: &mut bool) -> bool {
        let linear = self.inputs.len() == 1 && !*clamped;
        let channels = self.made();
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

/// Whether windows slide over the planes of `[N, C, h, w]`.
fn planes(spec: &PoolSpec) -> bool {
    spec.data_format == DataFormat::NCHW && spec.rank() == 2
}

fn is_float(value: &Tensor) -> bool {
    value.datum_type() == f32::datum_type() && value.is_plain_ram()
}

/// The values of a constant, if they are of this type.
fn floats(value: Option<&Arc<Tensor>>) -> TractResult<Option<Vec<f32>>> {
    let Some(value) = value.filter(|value| is_float(value)) else {
        return Ok(None);
    };
    Ok(Some(value.try_as_plain_ram()?.as_slice::<f32>()?.to_vec()))
}

/// One value, or one for each channel of `[N, C, h, w]`; none of them NaN.
struct Constant(Vec<f32>);

impl Constant {
    fn of(value: Option<&Arc<Tensor>>, channels: usize) -> TractResult<Option<Self>> {
        let (Some(konst), Some(values)) = (value, floats(value)?) else {
            return Ok(None);
        };
        let Some(&first) = values.first() else { return Ok(None) };
        if values.iter().any(|v| v.is_nan()) {
            return Ok(None);
        }
        if values.iter().all(|v| v.to_bits() == first.to_bits()) {
            return Ok(Some(Self(vec![first])));
        }
        let by_channel = matches!(*konst.shape(), [1, c, 1, 1] if c == channels);
        Ok(by_channel.then_some(Self(values)))
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
