//! Convolution of planes with constant weights.

use super::column::Column;
use super::depthwise::Depthwise;
use super::isa::Isa;
use super::product::Product;
use super::winograd::Winograd;
use super::{Region, Window};

/// What is done with each sum before it is written: `clamp(sum + bias + added)`, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Epilogue {
    /// One value for each output channel; none: zeros.
    pub bias: Option<Vec<f32>>,
    /// Values below are raised to it; `f32::NEG_INFINITY`: none. NaN stays NaN.
    pub low: f32,
    /// Values above are lowered to it; `f32::INFINITY`: none. NaN stays NaN.
    pub high: f32,
}

impl Default for Epilogue {
    fn default() -> Self {
        Self {
            bias: None,
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
        }
    }
}

impl Epilogue {
    /// What becomes of one sum.
    #[inline(always)]
    pub(super) fn apply(sum: f32, bias: f32, added: Option<f32>, [low, high]: [f32; 2]) -> f32 {
        let value = sum + bias;
        let value = added.map_or(value, |a| value + a);
        let value = if value < low { low } else { value };
        if value > high { high } else { value }
    }
}

/// Memory that kernels work in; kept between calls, grown on demand.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Any contents.
    pub values: Vec<f32>,
    /// Sums of a phase of a transposed convolution, which itself works in `values`.
    pub(super) sums: Vec<f32>,
}

impl Scratch {
    /// Disjoint pieces of at least these lengths, of any contents, each starting at a line of the cache.
    pub(super) fn parts<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [f32]; N] {
        const LINE: usize = 16;
        let needed = lengths.iter().map(|n| n.next_multiple_of(LINE) + LINE).sum::<usize>() + LINE;
        if self.values.len() < needed {
            self.values = vec![0.0; needed];
        }
        let start = self.values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        let mut rest = &mut self.values[start..];
        lengths.map(|n| {
            let (part, more) = std::mem::take(&mut rest).split_at_mut(n.next_multiple_of(LINE));
            rest = more;
            &mut part[..n]
        })
    }
}

/// What a run reads and writes.
pub(super) struct Arrays<'a> {
    pub input: &'a [f32],
    pub added: Option<&'a [f32]>,
    pub output: &'a mut [f32],
}

/// What every way is made from.
#[derive(Clone, Copy)]
pub(super) struct Recipe<'a> {
    pub isa: Isa,
    pub window: Window,
    pub groups: usize,
    /// Channels in and out, of a group.
    pub channels: [usize; 2],
    /// `[groups · out, in, kernel]`.
    pub weights: &'a [f32],
    /// One value for each output channel.
    pub bias: &'a [f32],
    /// Lowest and highest value.
    pub bounds: [f32; 2],
}

impl Recipe<'_> {
    /// Products of one sum.
    pub fn depth(&self) -> usize {
        self.channels[0] * self.window.kernel[0] * self.window.kernel[1]
    }
}

/// How a convolution is computed, by its shape alone: a region is computed as the whole is.
#[derive(Clone, Debug)]
enum Way {
    Column(Column),
    Depthwise(Depthwise),
    Product(Product),
    Winograd(Winograd),
}

/// A convolution (cross-correlation, as ONNX defines it) of one picture `[in, h, w]` to `[out, h', w']`. Clones share
/// the weights.
///
/// The padding counts as zeros that are multiplied too: an infinite weight over it makes NaN.
#[derive(Clone, Debug)]
pub struct Conv {
    window: Window,
    channels: [usize; 2],
    products: usize,
    way: Way,
}

impl Conv {
    /// A convolution of `channels` `[in, out]` in `groups`; `weights` are `[out, in / groups, kernel h, kernel w]`.
    ///
    /// # Panics
    /// If the sizes do not fit; that is a bug of the caller.
    pub fn new(window: Window, channels: [usize; 2], groups: usize, weights: &[f32], epilogue: Epilogue) -> Self {
        Self::on(Isa::best(), window, channels, groups, weights, epilogue)
    }

    pub(super) fn on(
        isa: Isa,
        window: Window,
        channels: [usize; 2],
        groups: usize,
        weights: &[f32],
        epilogue: Epilogue,
    ) -> Self {
        let [from, to] = channels;
        assert!(
            groups > 0 && from % groups == 0 && to % groups == 0,
            "{channels:?} in {groups} groups"
        );
        assert!(
            window
                .kernel
                .iter()
                .chain(&window.stride)
                .chain(&window.dilation)
                .all(|&n| n > 0),
            "{window:?}"
        );
        assert_eq!(
            weights.len(),
            to * (from / groups) * window.kernel[0] * window.kernel[1],
            "weights"
        );
        let bias = epilogue.bias.unwrap_or_else(|| vec![0.0; to]);
        assert_eq!(bias.len(), to, "one bias a channel");
        let recipe = &Recipe {
            isa,
            window,
            groups,
            channels: [from / groups, to / groups],
            weights,
            bias: &bias,
            bounds: [epilogue.low, epilogue.high],
        };
        let way = if window.output == [1, 1] {
            Way::Column(Column::new(recipe))
        } else if recipe.channels[0] == 1 {
            Way::Depthwise(Depthwise::new(recipe))
        } else if Winograd::suits(&window, channels, groups) {
            Way::Winograd(Winograd::new(recipe))
        } else {
            Way::Product(Product::new(recipe))
        };
        Self {
            window,
            channels,
            products: weights.len(),
            way,
        }
    }

    /// The geometry.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Channels `[in, out]`.
    pub fn channels(&self) -> [usize; 2] {
        self.channels
    }

    /// Multiplications that one place of all output channels takes, as the definition has them.
    pub fn products(&self) -> usize {
        self.products
    }

    /// Writes the places of `region` (none: all) of `output` `[out, h', w']`, from `input` `[in, h, w]` and what is
    /// `added` `[out, h', w']`. Other places of `output` are left as they are.
    ///
    /// # Panics
    /// If an array is not of its size; that is a bug of the caller.
    pub fn run(
        &self,
        input: &[f32],
        added: Option<&[f32]>,
        output: &mut [f32],
        region: Option<&Region>,
        scratch: &mut Scratch,
    ) {
        let Window {
            input: [h, w],
            output: size @ [oh, ow],
            ..
        } = self.window;
        let [from, to] = self.channels;
        assert_eq!(input.len(), from * h * w, "the input");
        assert_eq!(output.len(), to * oh * ow, "the output");
        assert!(added.is_none_or(|a| a.len() == output.len()), "what is added");
        let full;
        let region = if let Some(region) = region {
            region
        } else {
            full = Region::full(size);
            &full
        };
        assert_eq!(region.size(), size, "the region");
        if region.is_empty() || to == 0 {
            return;
        }
        let arrays = &mut Arrays { input, added, output };
        match &self.way {
            Way::Column(way) => way.run(arrays, scratch),
            Way::Depthwise(way) => way.run(region.spans(), arrays, scratch),
            Way::Product(way) => way.run(region.spans(), ow, arrays, scratch),
            Way::Winograd(way) => way.run(region, arrays, scratch),
        }
    }
}

#[cfg(test)]
mod tests;
