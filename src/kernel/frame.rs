//! The places that windows read, of one plane at a time, laid out so that every tap is a plain run of values.
//!
//! Lines hold the plane's rows with their padding written out, and with a horizontal stride each line is split into as
//! many *phases*: phase `p` holds the columns `p, p + stride, …`. Neighbouring outputs then read neighbouring values
//! through any tap, whatever the stride, dilation and padding.

use super::lanes::Lanes;
use super::{Span, Window};

/// Values that may be read beyond the last one of a frame: a vector. Beyond a phase lies the next one.
const SLACK: usize = 16;

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
        let spans: Vec<Span> = spans.into_iter().collect();
        // Lines by row, so that rows that follow one another lie at one distance.
        let mut reads = vec![None; height];
        for span in &spans {
            let (from, to) = (span.from * sw, (span.to - 1) * sw + (kw - 1) * dw + 1);
            for i in 0..kh {
                let read = reads[span.row * sh + i * dh].get_or_insert((from, to));
                *read = (read.0.min(from), read.1.max(to));
            }
        }
        let mut slot_of = vec![usize::MAX; height];
        let mut lines = Vec::new();
        for (padded, read) in reads.into_iter().enumerate() {
            if let Some((from, to)) = read {
                slot_of[padded] = lines.len();
                let row = padded.checked_sub(window.before[0]).filter(|&v| v < window.input[0]);
                lines.push(Line { row, from, to });
            }
        }
        let slots = spans
            .iter()
            .flat_map(|span| (0..kh).map(|i| slot_of[span.row * sh + i * dh]))
            .collect();
        Self {
            window: *window,
            phase: width.div_ceil(sw),
            lines,
            slots,
            taps: (0..kw)
                .map(|j| Tap {
                    phase: j * dw % sw,
                    column: j * dw / sw,
                })
                .collect(),
        }
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

    /// Columns of a line, as padded ones, that are the plane's.
    fn columns(&self, line: &Line) -> (usize, usize) {
        let (left, w) = (self.window.before[1], self.window.input[1]);
        let (from, to) = match line.row {
            Some(_) => (line.from.max(left).min(line.to), line.to.min(left + w).max(line.from)),
            None => (line.to, line.to),
        };
        (from, to.max(from))
    }

    /// Writes the padding, once for all planes that are then laid out.
    ///
    /// # Panics
    /// If the slice is too short.
    pub fn pad(&self, padding: f32, into: &mut [f32]) {
        let step = self.window.stride[1];
        for (line, into) in self
            .lines
            .iter()
            .zip(into[..self.len()].chunks_exact_mut(step * self.phase))
        {
            let (from, to) = self.columns(line);
            for p in 0..step {
                let into = &mut into[p * self.phase..][..self.phase];
                into[at(p, line.from, step)..at(p, from, step)].fill(padding);
                into[at(p, to, step)..at(p, line.to, step)].fill(padding);
            }
        }
    }

    /// Lays out `plane`; the padding stays as it is.
    ///
    /// # Panics
    /// If the slices are too short.
    #[inline(always)]
    pub fn fill<L: Lanes>(&self, plane: &[f32], into: &mut [f32]) {
        let [h, w] = self.window.input;
        let step = self.window.stride[1];
        let left = self.window.before[1];
        assert!(
            plane.len() == h * w && into.len() >= self.len(),
            "a plane and its frame"
        );
        for (line, into) in self.lines.iter().zip(into.chunks_exact_mut(step * self.phase)) {
            let Some(row) = line.row else { continue };
            let (from, to) = self.columns(line);
            if from == to {
                continue;
            }
            let row = &plane[row * w..][..w];
            if step == 1 {
                copy::<L>(&row[from - left..to - left], &mut into[from..to]);
                continue;
            }
            if step == 2 {
                // Whole pairs, after a single odd column and before a single even one.
                let (pairs, end) = (from.div_ceil(2), to / 2);
                let (even, odd) = into.split_at_mut(self.phase);
                if from % 2 == 1 {
                    odd[from / 2] = row[from - left];
                }
                if to % 2 == 1 {
                    even[to / 2] = row[to - 1 - left];
                }
                if pairs < end {
                    let row = &row[2 * pairs - left..2 * end - left];
                    part::<L>(row, &mut even[pairs..end], &mut odd[pairs..end]);
                }
                continue;
            }
            for p in 0..step {
                let column = at(p, from, step) * step + p;
                let columns = row.get(column - left..to - left).unwrap_or_default();
                let into = &mut into[p * self.phase..][at(p, from, step)..at(p, to, step)];
                for (value, &column) in into.iter_mut().zip(columns.iter().step_by(step)) {
                    *value = column;
                }
            }
        }
    }
}

/// The first column of phase `p` at or after a padded column.
fn at(p: usize, column: usize, step: usize) -> usize {
    column.saturating_sub(p).div_ceil(step)
}

/// Parts the values of even and odd number.
#[allow(unsafe_code)]
#[inline(always)]
fn part<L: Lanes>(from: &[f32], even: &mut [f32], odd: &mut [f32]) {
    let n = even.len();
    assert!(from.len() == 2 * n && odd.len() == n, "pairs");
    let (source, evens, odds) = (from.as_ptr(), even.as_mut_ptr(), odd.as_mut_ptr());
    let mut i = 0;
    while i + L::N <= n {
        // SAFETY: below `n` pairs.
        unsafe {
            let [a, b] = L::load(source.add(2 * i)).parted(L::load(source.add(2 * i + L::N)));
            a.store(evens.add(i));
            b.store(odds.add(i));
        }
        i += L::N;
    }
    while i < n {
        even[i] = from[2 * i];
        odd[i] = from[2 * i + 1];
        i += 1;
    }
}

/// Copies a slice into another of its length; for short ones faster than a call.
#[allow(unsafe_code)]
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
#[allow(unsafe_code)]
#[inline(always)]
pub(super) unsafe fn copy_over<L: Lanes>(from: *const f32, to: *mut f32, n: usize) {
    let mut i = 0;
    while i < n {
        // SAFETY: the caller's promise.
        unsafe { L::load(from.add(i)).store(to.add(i)) };
        i += L::N;
    }
}
