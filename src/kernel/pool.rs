//! Largest values, sums and means of windows, each channel by itself.

use super::frame::Frame;
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::stencil::{Blocks, Plane, Taps, bands};
use super::{Region, Scratch, Window};

/// What is made of the values of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest; a NaN counts as less than any number. Padding is left out; of padding alone: −∞.
    Max,
    /// The sum.
    Sum,
    /// The sum by the number of the window's places.
    Mean,
    /// The sum by the number of the window's places that are not padding; of padding alone: NaN.
    MeanOfPresent,
}

/// A pooling of planes.
#[derive(Clone, Debug)]
pub struct Pool {
    isa: Isa,
    window: Window,
    pooling: Pooling,
}

impl Pool {
    /// Pools the windows of `window`.
    ///
    /// # Panics
    /// If a size, stride or dilation of it is 0; that is a bug of the caller.
    pub fn new(window: Window, pooling: Pooling) -> Self {
        Self::on(Isa::best(), window, pooling)
    }

    pub(super) fn on(isa: Isa, window: Window, pooling: Pooling) -> Self {
        assert!(
            window
                .kernel
                .iter()
                .chain(&window.stride)
                .chain(&window.dilation)
                .all(|&n| n > 0),
            "{window:?}"
        );
        Self { isa, window, pooling }
    }

    /// The geometry.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Writes the places of `region` (none: all) of `output` `[channels, h', w']` from `input` `[channels, h, w]`.
    /// Other places are left as they are.
    ///
    /// # Panics
    /// If an array is not of its size; that is a bug of the caller.
    pub fn run(&self, input: &[f32], output: &mut [f32], region: Option<&Region>, scratch: &mut Scratch) {
        let Window {
            input: [h, w],
            output: size @ [oh, ow],
            ..
        } = self.window;
        assert!(
            input.len().is_multiple_of((h * w).max(1)) && input.len() * oh * ow == output.len() * h * w,
            "as many planes out as in"
        );
        let full;
        let region = if let Some(region) = region {
            region
        } else {
            full = Region::full(size);
            &full
        };
        assert_eq!(region.size(), size, "the region");
        if region.is_empty() || input.is_empty() {
            return;
        }
        self.isa.run(Job {
            pool: self,
            region,
            input,
            output,
            scratch,
        });
    }

    /// What sums of the outputs of one row or column are multiplied with.
    fn shares(&self, axis: usize) -> Vec<f32> {
        let kernel = self.window.kernel[axis];
        (0..self.window.output[axis])
            .map(|o| match self.pooling {
                Pooling::Max | Pooling::Sum => 1.0,
                Pooling::Mean => 1.0 / kernel as f32,
                Pooling::MeanOfPresent => {
                    1.0 / (0..kernel)
                        .filter(|&k| self.window.source(axis, o, k).is_some())
                        .count() as f32
                }
            })
            .collect()
    }
}

struct Job<'a> {
    pool: &'a Pool,
    region: &'a Region,
    input: &'a [f32],
    output: &'a mut [f32],
    scratch: &'a mut Scratch,
}

/// The largest value of each window.
struct Largest;

impl<L: Lanes> Taps<L> for Largest {
    #[inline(always)]
    fn start(&self) -> L {
        L::splat(f32::NEG_INFINITY)
    }

    #[inline(always)]
    fn weight(&self, _tap: usize) -> L {
        L::splat(0.0)
    }

    #[inline(always)]
    fn take(&self, made: L, _weight: L, value: L) -> L {
        made.raised(value)
    }

    #[inline(always)]
    fn end(&self, made: L, _row: usize, _column: usize) -> L {
        made
    }
}

/// The sum of each window, times a number of its row and one of its column.
struct Share<'a> {
    rows: &'a [f32],
    /// A vector more than there are columns.
    columns: &'a [f32],
}

impl<L: Lanes> Taps<L> for Share<'_> {
    #[inline(always)]
    fn start(&self) -> L {
        L::splat(0.0)
    }

    #[inline(always)]
    fn weight(&self, _tap: usize) -> L {
        L::splat(0.0)
    }

    #[inline(always)]
    fn take(&self, made: L, _weight: L, value: L) -> L {
        made.plus(value)
    }

    #[allow(unsafe_code)]
    #[inline(always)]
    fn end(&self, made: L, row: usize, column: usize) -> L {
        let columns = &self.columns[column..column + L::N];
        // SAFETY: a whole vector.
        made.times(L::splat(self.rows[row]).times(unsafe { L::load(columns.as_ptr()) }))
    }
}

impl Work for Job<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            pool,
            region,
            input,
            output,
            scratch,
        } = self;
        let window = &pool.window;
        let source = window.input[0] * window.input[1];
        let size = window.output[0] * window.output[1];
        let [rows, mut columns] = [pool.shares(0), pool.shares(1)];
        if window.output == [1, 1] && window.before == [0, 0] && window.kernel == window.input {
            for (plane, output) in input.chunks_exact(source).zip(output) {
                *output = match pool.pooling {
                    Pooling::Max => plane.iter().fold(f32::NEG_INFINITY, |l, &v| if l < v { v } else { l }),
                    _ => sum::<L>(plane) * (rows[0] * columns[0]),
                };
            }
            return;
        }
        columns.resize(window.output[1] + L::N, 0.0);
        let largest = pool.pooling == Pooling::Max;
        let padding = if largest { f32::NEG_INFINITY } else { 0.0 };
        for band in bands(region.spans(), window) {
            let frame = Frame::new(window, band.iter().copied());
            let blocks = Blocks::new(band, &frame, window);
            let [lines] = scratch.parts([frame.len()]);
            frame.pad(padding, lines);
            for (input, output) in input.chunks_exact(source).zip(output.chunks_exact_mut(size)) {
                frame.fill::<L>(input, lines);
                let mut plane = Plane {
                    width: window.output[1],
                    added: None,
                    bounds: [f32::NEG_INFINITY, f32::INFINITY],
                    output,
                };
                if largest {
                    blocks.run::<L>(lines, &Largest, &mut plane);
                } else {
                    let share = Share {
                        rows: &rows,
                        columns: &columns,
                    };
                    blocks.run::<L>(lines, &share, &mut plane);
                }
            }
        }
    }
}

/// The sum of a slice: four vectors of sums, then the rest.
#[allow(unsafe_code)]
#[inline(always)]
fn sum<L: Lanes>(values: &[f32]) -> f32 {
    let mut sums = [L::splat(0.0); 4];
    let chunks = values.chunks_exact(4 * L::N);
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (k, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the chunk holds four vectors.
            *sum = sum.plus(unsafe { L::load(chunk.as_ptr().add(k * L::N)) });
        }
    }
    let mut lanes = [0.0_f32; 16];
    let sum = sums[0].plus(sums[1]).plus(sums[2].plus(sums[3]));
    // SAFETY: no vector is wider than sixteen.
    unsafe { sum.store(lanes[..L::N].as_mut_ptr()) };
    lanes[..L::N].iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::tests::{assert_part, values, windows};

    fn plainly(window: &Window, pooling: Pooling, input: &[f32], y: usize, x: usize) -> f32 {
        let mut seen = Vec::new();
        for i in 0..window.kernel[0] {
            for j in 0..window.kernel[1] {
                if let (Some(v), Some(u)) = (window.source(0, y, i), window.source(1, x, j)) {
                    seen.push(input[v * window.input[1] + u]);
                }
            }
        }
        let sum: f64 = seen.iter().map(|&v| f64::from(v)).sum();
        match pooling {
            Pooling::Max => seen.into_iter().fold(f32::NEG_INFINITY, f32::max),
            Pooling::Sum => sum as f32,
            Pooling::Mean => (sum / (window.kernel[0] * window.kernel[1]) as f64) as f32,
            Pooling::MeanOfPresent => (sum / seen.len() as f64) as f32,
        }
    }

    proptest! {
        #[test]
        fn a_pool_is_what_its_definition_says(
            window in windows(), channels in 1usize..4, seed in any::<u64>(), odd in any::<prop::sample::Index>(),
            pooling in prop_oneof![
                Just(Pooling::Max), Just(Pooling::Sum), Just(Pooling::Mean), Just(Pooling::MeanOfPresent)
            ],
        ) {
            let [area, size] = [window.input, window.output].map(|[h, w]| h * w);
            let mut input = values(channels * area, seed);
            let at = odd.index(2 * input.len());
            if let Some(value) = input.get_mut(at) {
                *value = f32::NAN;
            }
            for isa in Isa::all() {
                let pool = Pool::on(isa, window, pooling);
                let mut scratch = Scratch::default();
                let mut dense = vec![7.0; channels * size];
                pool.run(&input, &mut dense, None, &mut scratch);
                for (place, &got) in dense.iter().enumerate() {
                    let (channel, y, x) = (place / size, place % size / window.output[1], place % window.output[1]);
                    let plane = &input[channel * area..][..area];
                    let expected = plainly(&window, pooling, plane, y, x);
                    let near = (got - expected).abs() <= 1e-5 || (got.is_nan() && expected.is_nan());
                    prop_assert!(near || got.total_cmp(&expected).is_eq(), "{isa:?} at {place}: {got}, {expected}");
                }
                assert_part(&window, seed, &dense, |output, region| {
                    pool.run(&input, output, Some(region), &mut scratch);
                })?;
            }
        }
    }

    #[test]
    fn the_mean_of_a_whole_plane() {
        let window = Window {
            input: [7, 9],
            output: [1, 1],
            kernel: [7, 9],
            stride: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
        };
        let input: Vec<f32> = (0..126).map(|v| v as f32).collect();
        let mut output = [0.0; 2];
        Pool::new(window, Pooling::Mean).run(&input, &mut output, None, &mut Scratch::default());
        assert!(
            (output[0] - 31.0).abs() < 1e-4 && (output[1] - 94.0).abs() < 1e-4,
            "{output:?}"
        );
        Pool::new(window, Pooling::Max).run(&input, &mut output, None, &mut Scratch::default());
        assert!(
            (output[0] - 62.0).abs() < 1e-4 && (output[1] - 125.0).abs() < 1e-4,
            "{output:?}"
        );
    }
}
