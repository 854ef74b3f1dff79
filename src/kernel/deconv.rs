//! Transposed convolution of planes: the adjoint of a convolution by its input.
//!
//! With a stride, the places that are made fall into phases: those of one phase meet the same taps of the kernel, in
//! steps, and are a plain convolution of what is read with these taps turned round. No product with a zero that a
//! stride would put in between is computed.

use super::conv::{Conv, Epilogue, Scratch};
use super::{Region, Window};

/// One axis of one phase.
#[derive(Clone, Debug)]
struct Axis {
    /// First place that is made; the others follow a stride apart.
    first: usize,
    /// Number of places.
    places: usize,
    /// Taps of the kernel, in the order that the phase's own convolution has them; none: a zero.
    taps: Vec<Option<usize>>,
    dilation: usize,
    before: usize,
}

/// Places that meet the same taps.
#[derive(Clone, Debug)]
struct Phase {
    axes: [Axis; 2],
    /// None where no tap is met.
    conv: Option<Conv>,
}

/// A transposed convolution of one picture `[out, h', w']` to `[in, h, w]`.
#[derive(Clone, Debug)]
pub struct Deconv {
    window: Window,
    channels: [usize; 2],
    phases: Vec<Phase>,
    bias: Vec<f32>,
    bounds: [f32; 2],
}

impl Deconv {
    /// The adjoint of the convolution of `channels` `[in, out]` in `groups` through `window`, whose `weights` are
    /// `[out, in / groups, kernel h, kernel w]`: it reads planes of `window.output` and makes planes of
    /// `window.input`. The `epilogue` has a bias for each of the `in` channels.
    ///
    /// # Panics
    /// If the sizes do not fit; that is a bug of the caller.
    pub fn new(window: Window, channels: [usize; 2], groups: usize, weights: &[f32], epilogue: Epilogue) -> Self {
        let [to, from] = channels;
        let [kh, kw] = window.kernel;
        assert!(
            groups > 0 && from % groups == 0 && to % groups == 0,
            "{channels:?} in {groups} groups"
        );
        assert_eq!(weights.len(), from * (to / groups) * kh * kw, "weights");
        let bias = epilogue.bias.unwrap_or_else(|| vec![0.0; to]);
        assert_eq!(bias.len(), to, "one bias a channel");
        let alone = window.stride == [1, 1];
        let mut phases = Vec::new();
        for row in 0..window.stride[0] {
            for column in 0..window.stride[1] {
                let axes = [axis(&window, 0, row), axis(&window, 1, column)];
                let [h, w] = [&axes[0], &axes[1]];
                if h.places == 0 || w.places == 0 {
                    continue;
                }
                let some = h.taps.iter().any(Option::is_some) && w.taps.iter().any(Option::is_some);
                let conv = some.then(|| {
                    let mut turned = Vec::with_capacity(to * (from / groups) * h.taps.len() * w.taps.len());
                    let per = [to / groups, from / groups];
                    for t in 0..to {
                        for f in 0..per[1] {
                            let kernel = ((t / per[0] * per[1] + f) * per[0] + t % per[0]) * kh * kw;
                            for i in &h.taps {
                                for j in &w.taps {
                                    let at = i.zip(*j).map(|(i, j)| kernel + i * kw + j);
                                    turned.push(at.map_or(0.0, |at| weights[at]));
                                }
                            }
                        }
                    }
                    let phase = Window {
                        input: window.output,
                        output: [h.places, w.places],
                        kernel: [h.taps.len(), w.taps.len()],
                        stride: [1, 1],
                        dilation: [h.dilation, w.dilation],
                        before: [h.before, w.before],
                    };
                    let epilogue = Epilogue {
                        bias: Some(bias.clone()),
                        low: if alone { epilogue.low } else { f32::NEG_INFINITY },
                        high: if alone { epilogue.high } else { f32::INFINITY },
                    };
                    Conv::new(phase, [from, to], groups, &turned, epilogue)
                });
                phases.push(Phase { axes, conv });
            }
        }
        Self {
            window,
            channels,
            phases,
            bias,
            bounds: [epilogue.low, epilogue.high],
        }
    }

    /// The geometry of the convolution that this is the adjoint of.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Channels `[in, out]` of that convolution.
    pub fn channels(&self) -> [usize; 2] {
        self.channels
    }

    /// Writes the places of `region` (none: all) of `output` `[in, h, w]`, from `input` `[out, h', w']` and what is
    /// `added` `[in, h, w]`. Other places of `output` are left as they are.
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
        let size @ [h, w] = self.window.input;
        let [to, from] = self.channels;
        assert_eq!(
            input.len(),
            from * self.window.output[0] * self.window.output[1],
            "the input"
        );
        assert_eq!(output.len(), to * h * w, "the output");
        assert!(added.is_none_or(|a| a.len() == output.len()), "what is added");
        assert!(region.is_none_or(|r| r.size() == size), "the region");
        if let ([1, 1], [Phase { conv: Some(conv), .. }]) = (self.window.stride, &self.phases[..]) {
            conv.run(input, added, output, region, scratch);
            return;
        }
        let [sh, sw] = self.window.stride;
        for Phase {
            axes: [rows, columns],
            conv,
        } in &self.phases
        {
            let places = [rows.places, columns.places];
            let region = match region {
                Some(region) => within(region, rows, columns, self.window.stride),
                None => Region::full(places),
            };
            let area = places[0] * places[1];
            let mut sums = std::mem::take(&mut scratch.sums);
            if let Some(conv) = conv {
                sums.resize(sums.len().max(to * area), 0.0);
                conv.run(input, None, &mut sums[..to * area], Some(&region), scratch);
            }
            for (t, plane) in output.chunks_exact_mut((h * w).max(1)).enumerate() {
                let added = added.map(|a| &a[t * h * w..][..h * w]);
                for span in region.spans() {
                    let row = (rows.first + span.row * sh) * w + columns.first;
                    for x in span.from..span.to {
                        let at = row + x * sw;
                        // The bias is in the sums already.
                        let (sum, bias) = match conv {
                            Some(_) => (sums[t * area + span.row * places[1] + x], 0.0),
                            None => (0.0, self.bias[t]),
                        };
                        plane[at] = Epilogue::apply(sum, bias, added.map(|a| a[at]), self.bounds);
                    }
                }
            }
            scratch.sums = sums;
        }
    }
}

/// The phase of axis `axis` whose places are, with the padding before them, `rest` more than a multiple of the stride.
fn axis(window: &Window, axis: usize, rest: usize) -> Axis {
    let (stride, dilation) = (window.stride[axis], window.dilation[axis]);
    let (size, padding) = (window.input[axis], window.before[axis]);
    // Steps from the padding's start to the first place, and to the first beyond the plane.
    let start = padding.saturating_sub(rest).div_ceil(stride);
    let end = (size + padding).saturating_sub(rest).div_ceil(stride);
    // How far back each tap reads, in rising order.
    let met: Vec<(usize, usize)> = (0..window.kernel[axis])
        .filter(|k| k * dilation % stride == rest)
        .map(|k| (k, k * dilation / stride))
        .collect();
    let dilation = match met[..] {
        [(_, a), (_, b), ..] => b - a,
        _ => 1,
    };
    let mut taps: Vec<Option<usize>> = met.iter().rev().map(|&(k, _)| Some(k)).collect();
    let mut back = met.last().map_or(0, |&(_, back)| back);
    // A padding wider than the kernel: the first places read beyond the start.
    while back < start && !taps.is_empty() {
        taps.insert(0, None);
        back += dilation;
    }
    Axis {
        first: (start * stride + rest).saturating_sub(padding),
        places: end.saturating_sub(start),
        taps,
        dilation,
        before: back.saturating_sub(start),
    }
}

/// The places of `region` that are of a phase, as that phase counts them.
fn within(region: &Region, rows: &Axis, columns: &Axis, [sh, sw]: [usize; 2]) -> Region {
    let spans = region.spans();
    Region::of_rows([rows.places, columns.places], |row, add| {
        let y = rows.first + row * sh;
        let from = spans.partition_point(|s| s.row < y);
        for span in spans[from..].iter().take_while(|s| s.row == y) {
            let at = |column: usize| column.saturating_sub(columns.first).div_ceil(sw);
            add(at(span.from), at(span.to));
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::tests::{assert_part, values, windows};

    proptest! {
        #[test]
        fn a_transposed_convolution_is_the_adjoint(
            window in windows(), groups in 1usize..4, per in [1usize..4, 1usize..4], seed in any::<u64>(),
            clamped in any::<bool>(),
        ) {
            let channels = per.map(|n| n * groups);
            let [area, size] = [window.input, window.output].map(|[h, w]| h * w);
            let [kh, kw] = window.kernel;
            let weights = values(channels[1] * per[0] * kh * kw, seed);
            let input = values(channels[1] * size, seed + 1);
            let added = (seed % 2 == 0).then(|| values(channels[0] * area, seed + 2));
            let bias = values(channels[0], seed + 3);
            let [low, high] = if clamped { [-0.5, 0.5] } else { [f32::NEG_INFINITY, f32::INFINITY] };
            let mut sums: Vec<f64> = (0..channels[0] * area)
                .map(|at| f64::from(bias[at / area]) + added.as_ref().map_or(0.0, |a| f64::from(a[at])))
                .collect();
            for o in 0..channels[1] {
                for c in 0..per[0] {
                    let made = (o / per[1] * per[0] + c) * area;
                    for place in 0..size {
                        let value = f64::from(input[o * size + place]);
                        for k in 0..kh * kw {
                            let v = window.source(0, place / window.output[1], k / kw);
                            let u = window.source(1, place % window.output[1], k % kw);
                            if let (Some(v), Some(u)) = (v, u) {
                                let weight = f64::from(weights[(o * per[0] + c) * kh * kw + k]);
                                sums[made + v * window.input[1] + u] += weight * value;
                            }
                        }
                    }
                }
            }
            let epilogue = Epilogue { bias: Some(bias), low, high };
            let deconv = Deconv::new(window, channels, groups, &weights, epilogue);
            let mut scratch = Scratch::default();
            let mut dense = vec![7.0; sums.len()];
            deconv.run(&input, added.as_deref(), &mut dense, None, &mut scratch);
            for (at, (&got, &sum)) in dense.iter().zip(&sums).enumerate() {
                let expected = (sum as f32).clamp(low, high);
                let bound = 4e-7 * (channels[1] * kh * kw + 2) as f32;
                prop_assert!((got - expected).abs() <= bound, "at {at}: {got} instead of {expected}");
            }
            let made = Window { output: window.input, ..window };
            assert_part(&made, seed, &dense, |output, region| {
                deconv.run(&input, added.as_deref(), output, Some(region), &mut scratch);
            })?;
        }
    }
}
