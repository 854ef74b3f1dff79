//! What the kernels' tests share.

use proptest::prelude::*;

use super::{Region, Window};

/// Values in `-1..1` that look like none in particular.
pub(super) fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Any geometry: kernels to 7, strides and dilations to 3, paddings that need not be even.
pub(super) fn windows() -> impl Strategy<Value = Window> {
    let pair = |from: usize, to: usize| [from..=to, from..=to];
    let kernel = prop_oneof![Just([1, 1]), Just([3, 3]), Just([5, 5]), Just([7, 7]), pair(1, 4)];
    let geometry = (pair(1, 34), kernel, pair(1, 3), pair(1, 3), pair(0, 3), pair(0, 2));
    geometry.prop_filter_map(
        "the window must fit",
        |(input, kernel, stride, dilation, before, after)| {
            let size = |a: usize| {
                let reach = (kernel[a] - 1) * dilation[a] + 1;
                let room = (input[a] + before[a] + after[a]).checked_sub(reach)?;
                Some(room / stride[a] + 1)
            };
            Some(Window {
                input,
                output: [size(0)?, size(1)?],
                kernel,
                stride,
                dilation,
                before,
            })
        },
    )
}

/// Runs some region and compares it with the same places of `dense`, bit for bit; the others must be left alone.
pub(super) fn assert_part(
    window: &Window,
    seed: u64,
    dense: &[f32],
    run: impl FnOnce(&mut [f32], &Region),
) -> Result<(), TestCaseError> {
    let [h, w] = window.output;
    let density = (seed % 5) as f32 / 2.0 - 1.0;
    let mask: Vec<bool> = values(h * w, seed ^ 0x4d).iter().map(|&v| v <= density).collect();
    let mut part = vec![7.0; dense.len()];
    run(&mut part, &Region::of_mask([h, w], &mask));
    for (place, (part, dense)) in part.iter().zip(dense).enumerate() {
        let expected = if mask[place % (h * w)] { *dense } else { 7.0 };
        prop_assert_eq!(part.to_bits(), expected.to_bits(), "place {} of a region", place);
    }
    Ok(())
}
