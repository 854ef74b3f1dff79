//! 3×3 convolution by Winograd's minimal filtering F(2×2, 3×3): sixteen products for four outputs instead of
//! thirty-six.
//!
//! Outputs are made in tiles of 2×2. A tile of 4×4 inputs and the kernel are each transformed to sixteen values, which
//! are matrices over channels and tiles; the products of these matrices are transformed back. An output depends on the
//! nine inputs of its window and no others: what cancels cancels before anything is multiplied.
//!
//! Reference: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.

use std::sync::Arc;

use super::conv::{Arrays, Recipe};
use super::frame::Frame;
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::product::{blocks, panels, pitch};
use super::stencil::Plane;
use super::tile::Strip;
use super::{Region, Scratch, Span, Window};

/// Transformed values at once: they stay in the second cache.
const GATHERED: usize = 128 * 1024;
/// Values of a transformed tile.
const POINTS: usize = 16;

/// Transformed weights `[point][panel][in][rows]` and the geometry.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    isa: Isa,
    size: [usize; 2],
    tiles: Window,
    channels: [usize; 2],
    weights: Arc<[f32]>,
    bias: Arc<[f32]>,
    bounds: [f32; 2],
}

impl Winograd {
    /// Whether this way is open to a convolution, and shorter: with few channels the transforms outweigh the products,
    /// with very many the weights, which are almost doubled.
    pub fn suits(window: &Window, [from, to]: [usize; 2], groups: usize) -> bool {
        let one = [1, 1];
        window.kernel == [3, 3]
            && window.stride == one
            && window.dilation == one
            && groups == 1
            && (32..=256).contains(&from)
            && to >= 32
            && window.output.iter().all(|&n| n >= 8)
    }

    /// Transforms the weights.
    pub fn new(recipe: &Recipe<'_>) -> Self {
        let (window, channels) = (recipe.window, recipe.channels);
        let (pairs, rows) = (channels[0] * channels[1], recipe.isa.rows());
        let mut points = vec![0.0; POINTS * pairs];
        for (pair, kernel) in recipe.weights.chunks_exact(9).enumerate() {
            let of_column = |column: usize| {
                let [a, b, c] = [0, 3, 6].map(|row| f64::from(kernel[row + column]));
                [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c]
            };
            let columns = [of_column(0), of_column(1), of_column(2)];
            for row in 0..4 {
                let [a, b, c] = columns.map(|column| column[row]);
                for (column, value) in [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c].into_iter().enumerate() {
                    points[(4 * row + column) * pairs + pair] = value as f32;
                }
            }
        }
        Self {
            isa: recipe.isa,
            size: window.output,
            tiles: Window {
                output: window.output.map(|n| n.div_ceil(2)),
                kernel: [4, 4],
                stride: [2, 2],
                ..window
            },
            channels,
            weights: points
                .chunks_exact(pairs.max(1))
                .flat_map(|w| panels(w, channels[0], rows))
                .collect(),
            bias: recipe.bias.into(),
            bounds: recipe.bounds,
        }
    }

    /// Writes the places of `region`, computing the tiles that hold any of them.
    pub fn run(&self, region: &Region, arrays: &mut Arrays<'_>, scratch: &mut Scratch) {
        let spans = region.spans();
        let tiles = Region::of_rows(self.tiles.output, |row, add| {
            let from = spans.partition_point(|s| s.row < 2 * row);
            let rows = spans[from..].iter().take_while(|s| s.row < 2 * row + 2);
            let mut columns: Vec<(usize, usize)> = rows.map(|s| (s.from / 2, s.to.div_ceil(2))).collect();
            columns.sort_unstable();
            for (from, to) in columns {
                add(from, to);
            }
        });
        self.isa.run(Job {
            way: self,
            region,
            tiles: &tiles,
            arrays,
            scratch,
        });
    }
}

struct Job<'a, 'b> {
    way: &'a Winograd,
    region: &'a Region,
    tiles: &'a Region,
    arrays: &'a mut Arrays<'b>,
    scratch: &'a mut Scratch,
}

impl Work for Job<'_, '_> {
    #[allow(unsafe_code)]
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            way: w,
            region,
            tiles,
            arrays,
            scratch,
        } = self;
        let [from, to] = w.channels;
        let tile = L::N * L::WIDE;
        let rows = to.next_multiple_of(L::ROWS);
        let source = w.tiles.input[0] * w.tiles.input[1];
        let plane = w.size[0] * w.size[1];
        let most = (GATHERED / (POINTS * (from + to))).clamp(tile, 512);
        for block in blocks(tiles.spans(), w.tiles.output[1], most, tile) {
            let frame = Frame::new(&w.tiles, block.spans.iter().copied());
            let step = pitch(block.lanes + L::N, tile);
            let writes = writes(&block.spans, region);
            let [values, sums, lines, made] = scratch.parts([
                POINTS * from * step,
                POINTS * rows * step,
                frame.len(),
                2 * (2 * step + L::N),
            ]);
            frame.pad(0.0, lines);
            for c in 0..from {
                frame.fill::<L>(&arrays.input[c * source..][..source], lines);
                let mut lane = 0;
                for (index, span) in block.spans.iter().enumerate() {
                    let to = &mut values[c * step + lane..];
                    transform::<L>(&frame, index, *span, lines, to, from * step);
                    lane += span.to - span.from;
                }
            }
            for point in 0..POINTS {
                let mut lane = 0;
                while lane < block.lanes {
                    let wide = (block.lanes - lane).div_ceil(L::N).min(L::WIDE);
                    let strip = Strip {
                        weights: w.weights[point * rows * from..].as_ptr(),
                        weights_step: from * L::ROWS,
                        panels: rows / L::ROWS,
                        places: values[point * from * step + lane..].as_ptr(),
                        places_step: step,
                        depth: from,
                        sums: sums[point * rows * step + lane..].as_mut_ptr(),
                        sums_step: step,
                        fresh: true,
                        finish: None,
                    };
                    // SAFETY: rows of `step` values hold whole tiles, for every channel in and row of panels out.
                    unsafe { L::strip(&strip, wide) };
                    lane += wide * L::N;
                }
            }
            for o in 0..to {
                back::<L>(&sums[o * step..], rows * step, block.lanes, made);
                let mut plane = Plane {
                    width: w.size[1],
                    added: arrays.added.map(|a| &a[o * plane..][..plane]),
                    bounds: w.bounds,
                    output: &mut arrays.output[o * plane..][..plane],
                };
                let half = made.len() / 2;
                for &Write { lower, at, span } in &writes {
                    let sums = &made[usize::from(lower) * half + at..];
                    assert!(
                        sums.len() >= span.to - span.from + L::N,
                        "a vector more than the span's sums"
                    );
                    // SAFETY: as asserted.
                    unsafe { plane.write::<L>(span, sums.as_ptr(), w.bias[o]) };
                }
            }
        }
    }
}

/// Places of one row that some tiles have made.
struct Write {
    /// Whether it is the tiles' second row.
    lower: bool,
    /// Number of the first place among the row's, with two for each lane of the block.
    at: usize,
    span: Span,
}

/// The places of `region` that lie in the tiles of `spans`.
fn writes(spans: &[Span], region: &Region) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut lane = 0;
    for tiles in spans {
        for lower in [false, true] {
            let row = 2 * tiles.row + usize::from(lower);
            let first = region.spans().partition_point(|s| s.row < row);
            for span in region.spans()[first..].iter().take_while(|s| s.row == row) {
                let (from, to) = (span.from.max(2 * tiles.from), span.to.min(2 * tiles.to));
                if from < to {
                    writes.push(Write {
                        lower,
                        at: 2 * lane + from - 2 * tiles.from,
                        span: Span { row, from, to },
                    });
                }
            }
        }
        lane += tiles.to - tiles.from;
    }
    writes
}

/// Transforms the 4×4 inputs of a span of tiles; point `p` of tile `x` goes to `to[p · apart + x]`.
#[allow(unsafe_code)]
#[inline(always)]
fn transform<L: Lanes>(frame: &Frame, index: usize, span: Span, lines: &[f32], to: &mut [f32], apart: usize) {
    let n = span.to - span.from;
    assert!(
        to.len() >= (POINTS - 1) * apart + n + L::N - 1 && lines.len() >= frame.len(),
        "room for all points"
    );
    let mut taps = [[std::ptr::null(); 4]; 4];
    for (i, taps) in taps.iter_mut().enumerate() {
        for (j, tap) in taps.iter_mut().enumerate() {
            *tap = lines[frame.tap(index, i, j) + span.from..].as_ptr();
        }
    }
    let to = to.as_mut_ptr();
    let mut x = 0;
    while x < n {
        let mut half = [[L::splat(0.0); 4]; 4];
        for j in 0..4 {
            // SAFETY: within the lines, or the frame's slack.
            let [a, b, c, d] = unsafe {
                [
                    L::load(taps[0][j].add(x)),
                    L::load(taps[1][j].add(x)),
                    L::load(taps[2][j].add(x)),
                    L::load(taps[3][j].add(x)),
                ]
            };
            half[0][j] = a.minus(c);
            half[1][j] = b.plus(c);
            half[2][j] = c.minus(b);
            half[3][j] = b.minus(d);
        }
        for (i, [a, b, c, d]) in half.into_iter().enumerate() {
            // SAFETY: as asserted; what a vector writes beyond the span is written again or never read.
            unsafe {
                let to = to.add(4 * i * apart + x);
                a.minus(c).store(to);
                b.plus(c).store(to.add(apart));
                c.minus(b).store(to.add(2 * apart));
                b.minus(d).store(to.add(3 * apart));
            }
        }
        x += L::N;
    }
}

/// Transforms the sums of one channel back, to two rows of two places for each of `lanes` tiles, half of `made` each.
#[allow(unsafe_code)]
#[inline(always)]
fn back<L: Lanes>(sums: &[f32], apart: usize, lanes: usize, made: &mut [f32]) {
    let half = made.len() / 2;
    assert!(
        sums.len() >= (POINTS - 1) * apart + lanes.next_multiple_of(L::N) && half >= 2 * lanes.next_multiple_of(L::N),
        "sums of all points and room for two rows"
    );
    let (sums, made) = (sums.as_ptr(), made.as_mut_ptr());
    let mut x = 0;
    while x < lanes {
        let mut upper = [L::splat(0.0); 4];
        let mut lower = [L::splat(0.0); 4];
        for j in 0..4 {
            // SAFETY: as asserted.
            let [a, b, c, d] = unsafe {
                [
                    L::load(sums.add(j * apart + x)),
                    L::load(sums.add((4 + j) * apart + x)),
                    L::load(sums.add((8 + j) * apart + x)),
                    L::load(sums.add((12 + j) * apart + x)),
                ]
            };
            upper[j] = a.plus(b).plus(c);
            lower[j] = b.minus(c).minus(d);
        }
        for (row, [a, b, c, d]) in [upper, lower].into_iter().enumerate() {
            let [first, second] = a.plus(b).plus(c).joined(b.minus(c).minus(d));
            // SAFETY: as asserted.
            unsafe {
                first.store(made.add(row * half + 2 * x));
                second.store(made.add(row * half + 2 * x + L::N));
            }
        }
        x += L::N;
    }
}
