//! What depthwise convolution and pooling share: outputs made from windows of the same plane, several rows side by side.

use super::frame::Frame;
use super::lanes::Lanes;
use super::{Span, Window};

/// Values of the frame at once, so that lines are still in the first cache when they are read.
const LINES: usize = 6 * 1024;
/// Rows made side by side at most: so many sums hide the time that one takes, and the sizes that networks have are
/// multiples.
const ROWS: usize = 7;

/// How a window's values become an output, one tap after the other. Not closures: those are compiled without the
/// caller's instructions.
pub(super) trait Taps<L> {
    /// Before the first tap.
    fn start(&self) -> L;
    /// What goes with the tap of this number.
    fn weight(&self, tap: usize) -> L;
    /// With one more value.
    fn take(&self, made: L, weight: L, value: L) -> L;
    /// After the last tap, for the places from a row's column on.
    fn end(&self, made: L, row: usize, column: usize) -> L;
}

/// One output plane, and what is done before a result is written to it.
pub(super) struct Plane<'a> {
    /// Its width.
    pub width: usize,
    pub added: Option<&'a [f32]>,
    /// Lowest and highest value.
    pub bounds: [f32; 2],
    pub output: &'a mut [f32],
}

impl Plane<'_> {
    /// Writes a span of sums, to each of which `bias` is added.
    ///
    /// # Safety
    /// `sums` holds the span's, and up to a vector less one value more.
    #[allow(unsafe_code)]
    #[inline(always)]
    pub unsafe fn write<L: Lanes>(&mut self, span: Span, sums: *const f32, bias: f32) {
        let row = span.row * self.width;
        let n = span.to - span.from;
        let bias = L::splat(bias);
        assert!(row + span.to <= self.output.len(), "a span of the plane");
        let mut x = 0;
        while x < n {
            // The last vector overlaps the one before.
            x = if n < L::N { 0 } else { x.min(n - L::N) };
            // SAFETY: the caller's promise, and as asserted.
            unsafe { self.put(row + span.from + x, n - x, L::load(sums.add(x)).plus(bias)) };
            x += L::N;
        }
    }

    /// Writes a vector at place `at`; of a row that ends before it, `rest` values.
    ///
    /// # Safety
    /// So many places follow.
    #[allow(unsafe_code)]
    #[inline(always)]
    unsafe fn put<L: Lanes>(&mut self, at: usize, rest: usize, mut value: L) {
        let [low, high] = [L::splat(self.bounds[0]), L::splat(self.bounds[1])];
        if rest >= L::N {
            // SAFETY: a whole vector follows, also of what is added, which is as long.
            unsafe {
                if let Some(added) = self.added {
                    value = value.plus(L::load(added.as_ptr().add(at)));
                }
                value.clamped(low, high).store(self.output.as_mut_ptr().add(at));
            }
            return;
        }
        let mut values = [0.0_f32; 16];
        if let Some(added) = self.added {
            values[..rest].copy_from_slice(&added[at..at + rest]);
            // SAFETY: no vector is wider than sixteen.
            value = value.plus(unsafe { L::load(values.as_ptr()) });
        }
        // SAFETY: as above.
        unsafe { value.clamped(low, high).store(values.as_mut_ptr()) };
        for (output, value) in self.output[at..at + rest].iter_mut().zip(values) {
            *output = value;
        }
    }
}

/// Rows of outputs from one column to another that are made side by side.
#[derive(Debug)]
struct Block {
    row: usize,
    from: usize,
    to: usize,
    rows: usize,
    /// Distance of what two rows read, in the frame.
    pitch: usize,
}

/// The outputs that read one frame, as blocks.
#[derive(Debug)]
pub(super) struct Blocks {
    list: Vec<Block>,
    /// Where each block's first row reads each tap of column 0.
    taps: Vec<usize>,
    /// Taps of a window.
    count: usize,
    /// Values of the frame.
    lines: usize,
    /// Places of the output.
    places: usize,
}

impl Blocks {
    /// The outputs of `spans`, which `frame` was made for.
    pub fn new(spans: &[Span], frame: &Frame, window: &Window) -> Self {
        let [kh, kw] = window.kernel;
        let mut made = Self {
            list: Vec::new(),
            taps: Vec::new(),
            count: kh * kw,
            lines: frame.len(),
            places: window.output[0] * window.output[1],
        };
        let mut first = 0;
        while first < spans.len() {
            let span = spans[first];
            let below = |rows: usize| {
                let next = spans.get(first + rows)?;
                let same = next.row == span.row + rows && next.from == span.from && next.to == span.to;
                let pitch = |i: usize| frame.tap(first + rows, i, 0) - frame.tap(first + rows - 1, i, 0);
                let even = same && (1..kh).all(|i| pitch(i) == pitch(0));
                even.then(|| pitch(0))
            };
            let pitch = below(1).unwrap_or(0);
            let most = (1..ROWS).take_while(|&rows| below(rows) == Some(pitch)).count() + 1;
            let rows = [ROWS, 4, 2, 1].into_iter().find(|&rows| rows <= most).unwrap_or(1);
            for i in 0..kh {
                made.taps.extend((0..kw).map(|j| frame.tap(first, i, j)));
            }
            made.list.push(Block {
                row: span.row,
                from: span.from,
                to: span.to,
                rows,
                pitch,
            });
            first += rows;
        }
        made
    }

    /// Makes them from the frame's `lines`.
    ///
    /// # Panics
    /// If an array is not of its size.
    #[allow(unsafe_code)]
    #[inline(always)]
    pub fn run<L: Lanes>(&self, lines: &[f32], taps: &impl Taps<L>, plane: &mut Plane<'_>) {
        assert!(
            lines.len() >= self.lines
                && plane.output.len() == self.places
                && plane.added.is_none_or(|a| a.len() == self.places),
            "a frame and its plane"
        );
        for (block, offsets) in self.list.iter().zip(self.taps.chunks_exact(self.count)) {
            // SAFETY: blocks are of rows within the plane, and read within the frame or its slack.
            unsafe {
                match block.rows {
                    ROWS => rows::<L, ROWS>(block, offsets, lines, taps, plane),
                    4 => rows::<L, 4>(block, offsets, lines, taps, plane),
                    2 => rows::<L, 2>(block, offsets, lines, taps, plane),
                    _ => rows::<L, 1>(block, offsets, lines, taps, plane),
                }
            }
        }
    }
}

/// Makes a block of `R` rows.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn rows<L: Lanes, const R: usize>(
    block: &Block,
    offsets: &[usize],
    lines: &[f32],
    taps: &impl Taps<L>,
    plane: &mut Plane<'_>,
) {
    let n = block.to - block.from;
    let mut x = 0;
    while x < n {
        // The last vector overlaps the one before.
        x = if n < L::N { 0 } else { x.min(n - L::N) };
        let mut made = [taps.start(); R];
        for (tap, &offset) in offsets.iter().enumerate() {
            let weight = taps.weight(tap);
            let mut at = lines.as_ptr().wrapping_add(offset + block.from + x);
            for made in &mut made {
                // SAFETY: within the frame, or its slack.
                *made = taps.take(*made, weight, unsafe { L::load(at) });
                at = at.wrapping_add(block.pitch);
            }
        }
        for (r, made) in made.into_iter().enumerate() {
            let row = block.row + r;
            let made = taps.end(made, row, block.from + x);
            // SAFETY: the rest of a row of the block.
            unsafe { plane.put(row * plane.width + block.from + x, n - x, made) };
        }
        x += L::N;
    }
}

/// The spans in pieces whose lines fit the cache.
pub(super) fn bands<'a>(spans: &'a [Span], window: &Window) -> impl Iterator<Item = &'a [Span]> {
    let width = window.output[1] * window.stride[1] + window.kernel[1] * window.dilation[1];
    let rows = (LINES / width.max(1) / window.stride[0]).max(window.kernel[0]);
    // Whole blocks, where there is room for them.
    let rows = if rows > ROWS { rows / ROWS * ROWS } else { rows };
    spans.chunk_by(move |a, b| a.row / rows == b.row / rows)
}
