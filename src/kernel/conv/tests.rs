use proptest::prelude::*;

use super::*;
use crate::kernel::plain;
use crate::kernel::tests::{assert_part, values, windows};

#[derive(Clone, Debug)]
struct Case {
    window: Window,
    channels: [usize; 2],
    groups: usize,
    added: bool,
    bounds: [f32; 2],
    seed: u64,
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
            bias: (!self.seed.is_multiple_of(3)).then(|| values(self.channels[1], self.seed + 3)),
            low: self.bounds[0],
            high: self.bounds[1],
        }
    }

    /// Compares every instruction set with the plain sums, and a region with the whole.
    fn check(&self, input: &[f32]) -> Result<(), TestCaseError> {
        let [_, outputs, weights] = self.sizes();
        let weights = values(weights, self.seed + 1);
        let added = self.added.then(|| values(outputs, self.seed + 2));
        let plainly = |input: &[f32]| {
            let mut expected = vec![0.0; outputs];
            let full = Region::full(self.window.output);
            let (added, epilogue) = (added.as_deref(), self.epilogue());
            plain::conv(
                &self.window,
                self.channels,
                self.groups,
                &weights,
                &epilogue,
                input,
                added,
                &mut expected,
                &full,
            );
            expected
        };
        let expected = plainly(input);
        // Winograd's sums subtract what another way never adds: of an infinity they make NaN.
        let subtracts = Winograd::suits(&self.window, self.channels, self.groups);
        let finite: Vec<f32> = input
            .iter()
            .map(|v| if v.is_infinite() { f32::NAN } else { *v })
            .collect();
        let unclear = if subtracts { plainly(&finite) } else { expected.clone() };
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
                    near || (got.is_nan() && (expected.is_nan() || unclear[i].is_nan())),
                    "{isa:?} at {i}: {got} instead of {expected}"
                );
            }
            assert_part(&self.window, self.seed, &dense, |output, region| {
                conv.run(input, added.as_deref(), output, Some(region), &mut scratch);
            })?;
        }
        Ok(())
    }
}

fn cases() -> impl Strategy<Value = Case> {
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
    (windows(), channels, any::<bool>(), bounds, any::<u64>()).prop_map(
        |(window, (channels, groups), added, bounds, seed)| Case {
            window,
            channels,
            groups,
            added,
            bounds,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

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

proptest! {
    // Each case is large: fewer of them.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn fewer_products_make_the_same_sums(
        size in [8usize..=19, 8usize..=19], channels in [32usize..=50, 32usize..=40], before in [0usize..=2, 0usize..=2],
        added in any::<bool>(), seed in any::<u64>(), odd in any::<prop::sample::Index>(),
    ) {
        let window = Window {
            input: [size[0] + 2 - before[0], size[1] + 2 - before[1]],
            output: size,
            kernel: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            before,
        };
        prop_assert!(Winograd::suits(&window, channels, 1));
        let case = Case { window, channels, groups: 1, added, bounds: [-2.0, f32::INFINITY], seed };
        let mut input = values(case.sizes()[0], seed);
        let at = odd.index(2 * input.len());
        if let Some(value) = input.get_mut(at) {
            *value = if seed % 2 == 0 { f32::NAN } else { f32::INFINITY };
        }
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
        };
        case.check(&values(case.sizes()[0], 9))
            .expect("equal to the definition");
    }
}

/// As many taps as places, but others: the kernel reaches beyond the plane.
#[test]
fn a_kernel_of_the_planes_area_and_another_shape() {
    for (kernel, dilation) in [([3, 2], [1, 1]), ([2, 3], [2, 1])] {
        let case = Case {
            window: Window {
                input: [2, 3],
                output: [1, 1],
                kernel,
                stride: [1, 1],
                dilation,
                before: [0, 0],
            },
            channels: [2, 3],
            groups: 1,
            added: false,
            bounds: [f32::NEG_INFINITY, f32::INFINITY],
            seed: 3,
        };
        case.check(&values(case.sizes()[0], 4))
            .expect("equal to the definition");
    }
}
