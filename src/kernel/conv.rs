//! Convolution of planes with constant weights.

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

/// Memory that kernels work in; kept between calls, grown on demand.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Any contents.
    pub values: Vec<f32>,
}

/// A convolution (cross-correlation, as ONNX defines it) of one picture `[in, h, w]` to `[out, h', w']`.
#[derive(Clone, Debug)]
pub struct Conv {
    window: Window,
    channels: [usize; 2],
    groups: usize,
    weights: Vec<f32>,
    epilogue: Epilogue,
}

impl Conv {
    /// A convolution of `channels` `[in, out]` in `groups`; `weights` are `[out, in / groups, kernel h, kernel w]`.
    ///
    /// # Panics
    /// If the sizes do not fit; that is a bug of the caller.
    pub fn new(window: Window, channels: [usize; 2], groups: usize, weights: &[f32], epilogue: Epilogue) -> Self {
        let [from, to] = channels;
        assert!(
            groups > 0 && from % groups == 0 && to % groups == 0,
            "{channels:?} in {groups} groups"
        );
        assert_eq!(
            weights.len(),
            to * (from / groups) * window.kernel[0] * window.kernel[1],
            "weights"
        );
        assert!(
            epilogue.bias.as_ref().is_none_or(|b| b.len() == to),
            "one bias a channel"
        );
        Self {
            window,
            channels,
            groups,
            weights: weights.to_vec(),
            epilogue,
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
        _scratch: &mut Scratch,
    ) {
        let Window {
            input: [h, w],
            output: [oh, ow],
            kernel: [kh, kw],
            ..
        } = self.window;
        let [from, to] = self.channels;
        assert_eq!(input.len(), from * h * w, "the input");
        assert_eq!(output.len(), to * oh * ow, "the output");
        assert!(added.is_none_or(|a| a.len() == output.len()), "what is added");
        let full;
        let region = match region {
            Some(region) => region,
            None => {
                full = Region::full([oh, ow]);
                &full
            }
        };
        assert_eq!(region.size(), [oh, ow], "the region");
        let per = from / self.groups;
        for o in 0..to {
            let first = o / (to / self.groups) * per;
            let weights = &self.weights[o * per * kh * kw..(o + 1) * per * kh * kw];
            let bias = self.epilogue.bias.as_ref().map_or(0.0, |b| b[o]);
            for span in region.spans() {
                for x in span.from..span.to {
                    let mut sum = 0.0;
                    for c in 0..per {
                        for i in 0..kh {
                            let Some(v) = self.window.source(0, span.row, i) else {
                                continue;
                            };
                            for j in 0..kw {
                                let Some(u) = self.window.source(1, x, j) else { continue };
                                sum += weights[(c * kh + i) * kw + j] * input[((first + c) * h + v) * w + u];
                            }
                        }
                    }
                    let at = (o * oh + span.row) * ow + x;
                    let value = sum + bias + added.map_or(0.0, |a| a[at]);
                    let value = if value < self.epilogue.low {
                        self.epilogue.low
                    } else {
                        value
                    };
                    output[at] = if value > self.epilogue.high {
                        self.epilogue.high
                    } else {
                        value
                    };
                }
            }
        }
    }
}
