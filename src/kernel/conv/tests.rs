use proptest::prelude::*;

use super::*;
use crate::kernel::plain;

/// Values in `-1..1` that look like none in particular.
fn values(n: usize, seed: u64) -> Vec<f32> {
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

#[derive(Clone, Debug)]
struct Case {
    window: Window,
    channels: [usize; 2],
    groups: usize,
    added: bool,
    bounds: [f32; 2],
    seed: u64,
    mask: Vec<bool>,
}

impl Case {
    fn sizes(&self) -> [usize; 3] {
        let [from, to] = self.channels;
        let area = |[h, w]: [usize; 2]| h * w;
        [
            from * area(self.window.input),
            to * area(self.window.output),
            to * (from / self.groups) * area(self.window.kernel),
        ]
    }

    fn epilogue(&self) -> Epilogue {
        Epilogue {
            bias: (self.seed % 3 > 0).then(|| values(self.channels[1], self.seed + 3)),
            low: self.bounds[0],
            high: self.bounds[1],
        }
    }

    fn region(&self) -> Region {
        let [h, w] = self.window.output;
        let mask: Vec<bool> = self.mask.iter().copied().cycle().take(h * w).collect();
        Region::of_mask([h, w], &mask)
    }

    /// Compares every instruction set with the plain sums, and a region with the whole.
    fn check(&self, input: &[f32]) -> Result<(), TestCaseError> {
        let [_, outputs, weights] = self.sizes();
        let weights = values(weights, self.seed + 1);
        let added = self.added.then(|| values(outputs, self.seed + 2));
        let mut expected = vec![0.0; outputs];
        plain::conv(
            &self.window,
            self.channels,
            self.groups,
            &weights,
            &self.epilogue(),
            input,
            added.as_deref(),
            &mut expected,
            &Region::full(self.window.output),
        );
        let depth = (self.channels[0] / self.groups * self.window.kernel[0] * self.window.kernel[1]) as f32;
        for isa in Isa::all() {
            let conv = Conv::on(isa, self.window, self.channels, self.groups, &weights, self.epilogue());
            let mut scratch = Scratch::default();
            scratch.values.resize(100_000, f32::NAN);
            let mut dense = vec![7.0; outputs];
            conv.run(input, added.as_deref(), &mut dense, None, &mut scratch);
            for (i, (&got, &expected)) in dense.iter().zip(&expected).enumerate() {
                let near = (got - expected).abs() <= 4e-7 * (depth + 2.0) || got.to_bits() == expected.to_bits();
                prop_assert!(
                    near || (got.is_nan() && expected.is_nan()),
                    "{isa:?} at {i}: {got} instead of {expected}"
                );
            }
            let region = self.region();
            let mut part = vec![7.0; outputs];
            conv.run(input, added.as_deref(), &mut part, Some(&region), &mut scratch);
            let mut put = vec![7.0; outputs];
            let [h, w] = self.window.output;
            for o in 0..self.channels[1] {
                for s in region.spans() {
                    let row = (o * h + s.row) * w;
                    put[row + s.from..row + s.to].copy_from_slice(&dense[row + s.from..row + s.to]);
                }
            }
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&part), bits(&put), "{:?}: a region differs from the whole", isa);
        }
        Ok(())
    }
}

/// Any geometry: kernels to 7, strides and dilations to 3, paddings that need not be even.
fn cases() -> impl Strategy<Value = Case> {
    let pair = |from: usize, to: usize| [from..=to, from..=to];
    let kernel = prop_oneof![Just([1, 1]), Just([3, 3]), Just([5, 5]), Just([7, 7]), pair(1, 4)];
    let channels = prop_oneof![
        (1..=40usize, 1..=40usize).prop_map(|(a, b)| ([a, b], 1)),
        (1..=6usize, 1..=3usize).prop_map(|(c, m)| ([c, c * m], c)),
        (1..=3usize, 2..=5usize, 1..=9usize).prop_map(|(g, a, b)| ([g * a, g * b], g)),
    ];
    let bounds = prop_oneof![
        Just([f32::NEG_INFINITY, f32::INFINITY]),
        Just([0.0, f32::INFINITY]),
        Just([-0.5, 0.5])
    ];
    (
        (pair(1, 34), kernel, pair(1, 3), pair(1, 3), pair(0, 3), pair(0, 2)),
        (channels, any::<bool>(), bounds, any::<u64>()),
        proptest::collection::vec(prop_oneof![1 => Just(true), 2 => Just(false)], 1..200),
    )
        .prop_filter_map(
            "the window must fit",
            |(geometry, (channels, added, bounds, seed), mask)| {
                let (input, kernel, stride, dilation, before, after) = geometry;
                let size = |a: usize| {
                    let reach = (kernel[a] - 1) * dilation[a] + 1;
                    (input[a] + before[a] + after[a])
                        .checked_sub(reach)
                        .map(|room| room / stride[a] + 1)
                };
                let output = [size(0)?, size(1)?];
                let (channels, groups) = channels;
                let window = Window {
                    input,
                    output,
                    kernel,
                    stride,
                    dilation,
                    before,
                };
                Some(Case {
                    window,
                    channels,
                    groups,
                    added,
                    bounds,
                    seed,
                    mask,
                })
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_convolution_is_what_its_definition_says(case in cases()) {
        case.check(&values(case.sizes()[0], case.seed))?;
    }

    #[test]
    fn odd_numbers_reach_what_reads_them_and_nothing_else(
        case in cases(), odd in prop_oneof![Just(f32::NAN), Just(f32::INFINITY)], at in any::<prop::sample::Index>(),
    ) {
        let mut input = values(case.sizes()[0], case.seed);
        let at = at.index(input.len());
        input[at] = odd;
        case.check(&input)?;
    }
}

/// Depths and widths beyond the blocks that sums are cut into.
#[test]
fn long_sums_and_wide_planes() {
    for (channels, groups, size, kernel) in [
        ([600, 9], 1, [5, 7], [1, 1]),
        ([70, 13], 1, [9, 9], [3, 3]),
        ([3, 5], 1, [70, 75], [3, 3]),
        ([80, 300], 2, [4, 4], [3, 3]),
        ([5, 3], 1, [60, 60], [1, 1]),
        ([900, 10], 1, [1, 1], [1, 1]),
    ] {
        let case = Case {
            window: Window {
                input: size,
                output: size,
                kernel,
                stride: [1, 1],
                dilation: [1, 1],
                before: kernel.map(|k| k / 2),
            },
            channels,
            groups,
            added: true,
            bounds: [0.0, 6.0],
            seed: 5,
            mask: vec![true, true, false, true, false, false, false],
        };
        case.check(&values(case.sizes()[0], 9))
            .expect("equal to the definition");
    }
}
