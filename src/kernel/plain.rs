//! Convolution as its definition reads, one product after the other: what the kernels are tested against.

use super::{Epilogue, Region, Window};

/// As [`super::Conv`], with its arguments one by one; sums in `f64`.
#[allow(
    clippy::too_many_arguments,
    reason = "what a convolution is made of and what it is run on"
)]
pub(super) fn conv(
    window: &Window,
    [from, to]: [usize; 2],
    groups: usize,
    weights: &[f32],
    epilogue: &Epilogue,
    input: &[f32],
    added: Option<&[f32]>,
    output: &mut [f32],
    region: &Region,
) {
    let [h, w] = window.input;
    let [oh, ow] = window.output;
    let [kh, kw] = window.kernel;
    let per = from / groups;
    for o in 0..to {
        let first = o / (to / groups) * per;
        let weights = &weights[o * per * kh * kw..(o + 1) * per * kh * kw];
        let bias = epilogue.bias.as_ref().map_or(0.0, |b| b[o]);
        for span in region.spans() {
            for x in span.from..span.to {
                let mut sum = 0.0_f64;
                for c in 0..per {
                    for i in 0..kh {
                        let Some(v) = window.source(0, span.row, i) else {
                            continue;
                        };
                        for j in 0..kw {
                            let Some(u) = window.source(1, x, j) else { continue };
                            sum += f64::from(weights[(c * kh + i) * kw + j])
                                * f64::from(input[((first + c) * h + v) * w + u]);
                        }
                    }
                }
                let at = (o * oh + span.row) * ow + x;
                let value = sum + f64::from(bias) + added.map_or(0.0, |a| f64::from(a[at]));
                let value = value as f32;
                let value = if value < epilogue.low { epilogue.low } else { value };
                output[at] = if value > epilogue.high { epilogue.high } else { value };
            }
        }
    }
}
