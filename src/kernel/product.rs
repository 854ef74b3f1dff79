//! Convolution as a matrix product of packed weights with the values that blocks of places read, gathered as they are
//! needed. Any list of places costs the same a place, so that a region costs what its count says.

use std::sync::Arc;

use super::conv::{Arrays, Recipe};
use super::frame::{self, Frame};
use super::isa::{Isa, Work};
use super::lanes::Lanes;
use super::tile::{Finish, Run, Strip};
use super::{Scratch, Span, Window};

/// Products of a sum that are gathered at once: a strip of them stays in the first cache.
const DEPTH: usize = 256;
/// Gathered values at once: they stay in the second cache beside the weights.
const GATHERED: usize = 32 * 1024;
/// Weights that are multiplied with all gathered values in turn.
const WEIGHTS: usize = 64 * 1024;

/// Weights `[groups][panel][depth][rows]` and the geometry.
#[derive(Clone, Debug)]
pub(super) struct Product {
    isa: Isa,
    window: Window,
    groups: usize,
    /// Channels in and out, of a group.
    channels: [usize; 2],
    weights: Arc<[f32]>,
    /// One value a row of every panel.
    bias: Arc<[f32]>,
    bounds: [f32; 2],
}

/// Weights `[out, depth]` of one group as panels `[panel][depth][rows]`, the last one filled up with zeros.
pub(super) fn panels(weights: &[f32], depth: usize, rows: usize) -> Vec<f32> {
    let depth = depth.max(1);
    let channels = weights.len() / depth;
    let mut packed = vec![0.0; channels.next_multiple_of(rows) * depth];
    for (channel, weights) in weights.chunks_exact(depth).enumerate() {
        let panel = &mut packed[channel / rows * rows * depth..][..rows * depth];
        for (row, &weight) in panel.chunks_exact_mut(rows).zip(weights) {
            row[channel % rows] = weight;
        }
    }
    packed
}

/// The bias of each row of one group's panels.
pub(super) fn rows_of(bias: &[f32], rows: usize) -> impl Iterator<Item = f32> {
    (0..bias.len().next_multiple_of(rows)).map(|r| bias.get(r).copied().unwrap_or(0.0))
}

impl Product {
    /// Packs the weights.
    pub fn new(recipe: &Recipe<'_>) -> Self {
        let (window, channels, depth) = (recipe.window, recipe.channels, recipe.depth());
        let rows = recipe.isa.rows();
        Self {
            isa: recipe.isa,
            // A pointwise convolution knows no rows.
            window: if window.is_pointwise() {
                let size = [1, window.input[0] * window.input[1]];
                Window {
                    input: size,
                    output: size,
                    ..window
                }
            } else {
                window
            },
            groups: recipe.groups,
            channels,
            weights: recipe
                .weights
                .chunks_exact((channels[1] * depth).max(1))
                .flat_map(|w| panels(w, depth, rows))
                .collect(),
            bias: recipe
                .bias
                .chunks_exact(channels[1].max(1))
                .flat_map(|b| rows_of(b, rows))
                .collect(),
            bounds: recipe.bounds,
        }
    }

    /// Writes the places of `spans`, which are of the window that this was made with.
    pub fn run(&self, spans: &[Span], width: usize, arrays: &mut Arrays<'_>, scratch: &mut Scratch) {
        let spans = if self.window.is_pointwise() {
            let mut flat: Vec<Span> = Vec::new();
            for span in spans {
                let (from, to) = (span.row * width + span.from, span.row * width + span.to);
                match flat.last_mut() {
                    Some(last) if last.to == from => last.to = to,
                    _ => flat.push(Span { row: 0, from, to }),
                }
            }
            flat
        } else {
            spans.to_vec()
        };
        self.isa.run(Job {
            product: self,
            spans: &spans,
            arrays,
            scratch,
        });
    }
}

struct Job<'a, 'b> {
    product: &'a Product,
    spans: &'a [Span],
    arrays: &'a mut Arrays<'b>,
    scratch: &'a mut Scratch,
}

/// Some places, with their lanes counted through.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// What is read, row by row.
    pub spans: Vec<Span>,
    /// What is written; where rows touch, as one.
    pub runs: Vec<Run>,
    /// Number of places.
    pub lanes: usize,
}

/// Cuts `spans` of a plane `width` wide into blocks of at most `most` places, a multiple of `tile`.
pub(super) fn blocks(spans: &[Span], width: usize, most: usize, tile: usize) -> Vec<Block> {
    let count: usize = spans.iter().map(|s| s.to - s.from).sum();
    let most = most.next_multiple_of(tile);
    let size = count.div_ceil(count.div_ceil(most).max(1)).next_multiple_of(tile);
    let mut blocks = Vec::new();
    let mut block = Block::default();
    for span in spans {
        let mut from = span.from;
        while from < span.to {
            let to = span.to.min(from + size - block.lanes);
            let place = span.row * width + from;
            match block.runs.last_mut() {
                Some(last) if last.place + last.length == place => last.length += to - from,
                _ => block.runs.push(Run {
                    lane: block.lanes,
                    place,
                    length: to - from,
                }),
            }
            block.spans.push(Span {
                row: span.row,
                from,
                to,
            });
            block.lanes += to - from;
            if block.lanes == size {
                blocks.push(std::mem::take(&mut block));
            }
            from = to;
        }
    }
    if block.lanes > 0 {
        blocks.push(block);
    }
    blocks
}

/// Distance of the rows of `lanes` gathered values: whole tiles, and no multiple of large powers of two, so that rows
/// do not compete for the same lines of the cache.
pub(super) fn pitch(lanes: usize, tile: usize) -> usize {
    let lines = lanes.next_multiple_of(tile).div_ceil(16);
    (lines + usize::from(lines.is_multiple_of(2))) * 16
}

impl Work for Job<'_, '_> {
    #[allow(unsafe_code)]
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self {
            product: p,
            spans,
            arrays,
            scratch,
        } = self;
        let window = &p.window;
        let [kh, kw] = window.kernel;
        let taps = kh * kw;
        let [from, to] = p.channels;
        let depth = from * taps;
        let tile = L::N * L::WIDE;
        let panels = to.div_ceil(L::ROWS);
        let plane = window.output[0] * window.output[1];
        let source = window.input[0] * window.input[1];
        // Channels whose products are gathered at once.
        let share = (DEPTH / taps).clamp(1, from.max(1));
        let most = (GATHERED / (share * taps)).clamp(tile, 1024);
        let pointwise = window.is_pointwise();
        for block in blocks(spans, window.output[1], most, tile) {
            let frame = (!pointwise).then(|| Frame::new(window, block.spans.iter().copied()));
            let step = pitch(block.lanes, tile);
            let whole = share >= from;
            let [gathered, sums, lines] = scratch.parts([
                share * taps * step + tile,
                if whole { 0 } else { panels * L::ROWS * step },
                frame.as_ref().map_or(0, Frame::len),
            ]);
            if let Some(frame) = &frame {
                frame.pad(0.0, lines);
            }
            for group in 0..p.groups {
                let weights = &p.weights[group * panels * L::ROWS * depth..][..panels * L::ROWS * depth];
                let bias = &p.bias[group * panels * L::ROWS..][..panels * L::ROWS];
                let output = &mut arrays.output[group * to * plane..][..to * plane];
                let added = arrays.added.map(|a| &a[group * to * plane..][..to * plane]);
                let mut first = 0;
                while first < from {
                    let channels = share.min(from - first);
                    for c in 0..channels {
                        let input = &arrays.input[(group * from + first + c) * source..][..source];
                        let rows = &mut gathered[c * taps * step..];
                        match &frame {
                            None => gather_flat::<L>(&block, input, &mut rows[..step]),
                            Some(frame) => {
                                frame.fill::<L>(input, lines);
                                gather::<L>(&block, frame, [kh, kw], lines, rows, step);
                            }
                        }
                    }
                    let last = first + channels == from;
                    let mut at = 0;
                    let some = (WEIGHTS / (channels * taps * L::ROWS)).max(1);
                    while at < panels {
                        let panels = some.min(panels - at);
                        let mut lane = 0;
                        let mut run = 0;
                        while lane < block.lanes {
                            while block.runs[run].lane + block.runs[run].length <= lane {
                                run += 1;
                            }
                            let wide = (block.lanes - lane).div_ceil(L::N).min(L::WIDE);
                            let channel = at * L::ROWS;
                            let finish = last.then(|| Finish {
                                output: output[channel * plane..].as_mut_ptr(),
                                added: added.map_or(std::ptr::null(), |a| a[channel * plane..].as_ptr()),
                                bias: &bias[channel..],
                                bounds: p.bounds,
                                plane,
                                channels: to - channel,
                                runs: &block.runs[run..],
                                lane,
                            });
                            let strip = Strip {
                                weights: weights[(at * depth + first * taps) * L::ROWS..].as_ptr(),
                                weights_step: depth * L::ROWS,
                                panels,
                                places: gathered[lane..].as_ptr(),
                                places_step: step,
                                depth: channels * taps,
                                sums: if whole {
                                    std::ptr::dangling_mut()
                                } else {
                                    sums[channel * step + lane..].as_mut_ptr()
                                },
                                sums_step: step,
                                fresh: first == 0,
                                finish,
                            };
                            // SAFETY: `gathered` holds `channels · taps` rows of whole tiles, `sums` as many as there
                            // are channels in whole panels, and the runs lie in planes of the output.
                            unsafe { L::strip(&strip, wide) };
                            lane += wide * L::N;
                        }
                        at += panels;
                    }
                    first += channels;
                }
            }
        }
    }
}

/// One row of gathered values: the places themselves. Lanes beyond them keep what they held; nothing of them is
/// written out.
#[inline(always)]
fn gather_flat<L: Lanes>(block: &Block, plane: &[f32], row: &mut [f32]) {
    let mut lane = 0;
    for span in &block.spans {
        let length = span.to - span.from;
        frame::copy::<L>(&plane[span.from..span.to], &mut row[lane..lane + length]);
        lane += length;
    }
}

/// A row of gathered values for each tap, `step` apart.
#[allow(unsafe_code)]
#[inline(always)]
fn gather<L: Lanes>(block: &Block, frame: &Frame, [kh, kw]: [usize; 2], lines: &[f32], rows: &mut [f32], step: usize) {
    assert!(rows.len() >= kh * kw * step + L::N && lines.len() >= frame.len());
    for i in 0..kh {
        for j in 0..kw {
            let row = (i * kw + j) * step;
            let mut lane = 0;
            for (s, span) in block.spans.iter().enumerate() {
                let length = span.to - span.from;
                // SAFETY: the frame has slack; beyond a span lies the next one, the row's rest, or the next row, all of
                // which are written later, and after the last row a tile.
                unsafe {
                    frame::copy_over::<L>(
                        lines.as_ptr().add(frame.tap(s, i, j) + span.from),
                        rows.as_mut_ptr().add(row + lane),
                        length,
                    );
                }
                lane += length;
            }
        }
    }
}
