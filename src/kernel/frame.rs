//! The places that windows read, of one plane at a time, laid out so that every tap is a plain run of values.
//!
//! Lines hold the plane's rows with their padding written out, and with a horizontal stride each line is split into as
//! many *phases*: phase `p` holds the columns `p, p + stride, …`. Neighbouring outputs then read neighbouring values
//! through any tap, whatever the stride, dilation and padding.

#![allow(unsafe_code)]

use super::lanes::Lanes;
use super::{Span, Window};

/// Values that may be read beyond the last one needed of a phase; as wide as the widest vectors taken at once.
const SLACK: usize = 64;

/// One row that windows read.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// The plane's row; none in the padding.
    row: Option<usize>,
    /// Padded columns that are read.
    from: usize,
    to: usize,
}

/// Where a tap's column lies in a line.
#[derive(Clone, Copy, Debug)]
struct Tap {
    phase: usize,
    column: usize,
}

/// The lines that some outputs read.
#[derive(Debug)]
pub(super) struct Frame {
    window: Window,
    phase: usize,
    lines: Vec<Line>,
    /// Line of each span's taps, `[span][vertical tap]`.
    slots: Vec<usize>,
    taps: Vec<Tap>,
}

impl Frame {
    /// The lines that the outputs of `spans`, sorted by row, read through `window`.
    pub fn new(window: &Window, spans: impl IntoIterator<Item = Span>) -> Self {
        let [kh, kw] = window.kernel;
        let [sh, sw] = window.stride;
        let [dh, dw] = window.dilation;
        let width = (window.output[1].max(1) - 1) * sw + (kw - 1) * dw + 1;
        let height = (window.output[0].max(1) - 1) * sh + (kh - 1) * dh + 1;
        let mut slot_of = vec![usize::MAX; height];
        let mut frame = Self {
            window: *window,
            phase: width.div_ceil(sw) + SLACK,
            lines: Vec::new(),
            slots: Vec::new(),
            taps: (0..kw)
                .map(|j| Tap {
                    phase: j * dw % sw,
                    column: j * dw / sw,
                })
                .collect(),
        };
        for span in spans {
            let (from, to) = (span.from * sw, (span.to - 1) * sw + (kw - 1) * dw + 1);
            for i in 0..kh {
                let padded = span.row * sh + i * dh;
                let slot = &mut slot_of[padded];
                if *slot == usize::MAX {
                    *slot = frame.lines.len();
                    let row = padded.checked_sub(window.before[0]).filter(|&v| v < window.input[0]);
                    frame.lines.push(Line { row, from, to });
                } else {
                    let line = &mut frame.lines[*slot];
                    line.from = line.from.min(from);
                    line.to = line.to.max(to);
                }
                frame.slots.push(*slot);
            }
        }
        frame
    }

    /// Values that [`Frame::fill`] writes and [`Frame::tap`] points into, slack included.
    pub fn len(&self) -> usize {
        self.lines.len() * self.window.stride[1] * self.phase + SLACK
    }

    /// Offset of what output column `0` of span `span` reads through tap `[i, j]`; column `x` lies `x` further.
    #[inline(always)]
    pub fn tap(&self, span: usize, i: usize, j: usize) -> usize {
        let slot = self.slots[span * self.window.kernel[0] + i];
        let tap = self.taps[j];
        (slot * self.window.stride[1] + tap.phase) * self.phase + tap.column
    }

    /// Values of a phase: the distance between the phases of a line.
    #[inline(always)]
    pub fn phase(&self) -> usize {
        self.phase
    }

    /// Lays out `plane`, with `padding` in the padding.
    ///
    /// # Panics
    /// If the slices are too short.
    #[inline(always)]
    pub fn fill<L: Lanes>(&self, plane: &[f32], padding: f32, into: &mut [f32]) {
        let [h, w] = self.window.input;
        let step = self.window.stride[1];
        let left = self.window.before[1];
        assert!(
            plane.len() == h * w && into.len() >= self.len(),
            "a plane and its frame"
        );
        for (line, into) in self.lines.iter().zip(into.chunks_exact_mut(step * self.phase)) {
            // Columns of the plane within the line, as padded ones.
            let (from, to) = match line.row {
                Some(_) => (line.from.max(left).min(line.to), line.to.min(left + w).max(line.from)),
                None => (line.to, line.to),
            };
            let to = to.max(from);
            let row = line.row.map_or(&[][..], |row| &plane[row * w..(row + 1) * w]);
            if step == 1 {
                into[line.from..from].fill(padding);
                if from < to {
                    copy::<L>(&row[from - left..to - left], &mut into[from..to]);
                }
                into[to..line.to].fill(padding);
                continue;
            }
            for (p, into) in into.chunks_exact_mut(self.phase).enumerate() {
                if !self.taps.iter().any(|tap| tap.phase == p) {
                    continue;
                }
                // The first column of this phase at or after a padded column.
                let at = |column: usize| column.saturating_sub(p).div_ceil(step);
                into[at(line.from)..at(from)].fill(padding);
                if from < to {
                    let first = at(from) * step + p;
                    let columns = row.get(first - left..to - left).unwrap_or_default();
                    let into = &mut into[at(from)..at(to)];
                    if step == 2 {
                        let pairs = columns.chunks_exact(2);
                        let rest = pairs.remainder().first();
                        for (value, pair) in into.iter_mut().zip(pairs) {
                            *value = pair[0];
                        }
                        if let (Some(last), Some(&value)) = (into.last_mut(), rest) {
                            *last = value;
                        }
                    } else {
                        for (value, &column) in into.iter_mut().zip(columns.iter().step_by(step)) {
                            *value = column;
                        }
                    }
                }
                into[at(to)..at(line.to)].fill(padding);
            }
        }
    }
}

/// Copies a slice into another of its length; for short ones faster than a call.
#[inline(always)]
pub(super) fn copy<L: Lanes>(from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len(), "two slices of one length");
    let n = from.len();
    let (from, to) = (from.as_ptr(), to.as_mut_ptr());
    // SAFETY: below `n`.
    unsafe {
        if n < L::N {
            for i in 0..n {
                *to.add(i) = *from.add(i);
            }
            return;
        }
        let mut i = 0;
        while i + L::N <= n {
            L::load(from.add(i)).store(to.add(i));
            i += L::N;
        }
        L::load(from.add(n - L::N)).store(to.add(n - L::N));
    }
}

/// Copies `n` values in whole vectors: up to one vector less one value beyond them is read and written too.
///
/// # Safety
/// Those values lie within both allocations.
#[inline(always)]
pub(super) unsafe fn copy_over<L: Lanes>(from: *const f32, to: *mut f32, n: usize) {
    let mut i = 0;
    while i < n {
        // SAFETY: the caller's promise.
        unsafe { L::load(from.add(i)).store(to.add(i)) };
        i += L::N;
    }
}
