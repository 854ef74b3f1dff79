//! The search for the patch of kept pixels that is most like a patch of which some pixels are known.

use super::patches::{Canvas, Counts, LANES, Lanes, Row, total};

/// Rows and columns of a patch around a pixel, cut off at the border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub up: usize,
    pub down: usize,
    pub left: usize,
    pub right: usize,
}

impl Reach {
    pub fn height(self) -> usize {
        self.up + self.down + 1
    }
    pub fn width(self) -> usize {
        self.left + self.right + 1
    }
    pub fn pixels(self) -> usize {
        self.height() * self.width()
    }
    /// The upper left pixel of the patch around `i` in a picture of `width` columns.
    pub fn corner(self, i: usize, width: usize) -> usize {
        i - self.up * width - self.left
    }
}

/// The patch that is looked for. Rows are filled up to whole lanes.
struct Target {
    /// Its known pixels.
    known: u32,
    /// Of each row, which pixels are known: the first is the lowest bit.
    rows: Vec<u32>,
    /// Values of a row, with what fills it up.
    stride: usize,
    values: Vec<f32>,
    /// All bits for values of known pixels, else none.
    masks: Vec<u32>,
}

impl Target {
    fn new(canvas: &Canvas, i: usize, reach: Reach) -> Self {
        let channels = canvas.channels;
        let stride = (reach.width() * channels).next_multiple_of(LANES);
        let mut target = Self {
            known: 0,
            rows: vec![0; reach.height()],
            stride,
            values: vec![0.0; reach.height() * stride],
            masks: vec![0; reach.height() * stride],
        };
        let corner = reach.corner(i, canvas.width);
        for (y, row) in target.rows.iter_mut().enumerate() {
            for x in 0..reach.width() {
                let (from, to) = (corner + y * canvas.width + x, y * stride + x * channels);
                if canvas.known[from] {
                    *row |= 1 << x;
                    target.values[to..to + channels].copy_from_slice(canvas.pixel(from));
                    target.masks[to..to + channels].fill(u32::MAX);
                }
            }
            target.known += row.count_ones();
        }
        target
    }
}

impl Target {
    fn row(&self, y: usize) -> Row<'_> {
        let at = y * self.stride..(y + 1) * self.stride;
        Row::new(&self.values[at.clone()], &self.masks[at])
    }
}

/// How good a source is: patches kept as a whole come first, then those with half of the known pixels, then those with most.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank {
    tier: u32,
    error: f32,
}

impl Rank {
    fn better(self, than: Self) -> bool {
        self.tier > than.tier || (self.tier == than.tier && self.error < than.error)
    }
}

const WHOLE: u32 = u32::MAX;
/// Rows between two looks at the limit.
const LOOK: usize = 3;

/// What is kept of a picture. A patch has at most 31 columns.
pub(super) struct Sources {
    pub kept: Vec<bool>,
    counts: Counts,
    /// Of each pixel, whether it (lowest bit) and the 31 to its right are kept; 0 beyond the border.
    rows: Vec<u32>,
    /// All bits for values of kept pixels, else none; as the values lie.
    masks: Vec<u32>,
}

impl Sources {
    pub fn new(canvas: &Canvas) -> Self {
        let kept = canvas.known.clone();
        let mut rows = vec![0u32; kept.len()];
        for (rows, kept) in rows.chunks_mut(canvas.width).zip(kept.chunks(canvas.width)) {
            let mut bits = 0;
            for (row, &kept) in rows.iter_mut().zip(kept).rev() {
                bits = (bits << 1) | u32::from(kept);
                *row = bits;
            }
        }
        let mask = |&kept: &bool| std::iter::repeat_n(if kept { u32::MAX } else { 0 }, canvas.channels);
        Self {
            counts: Counts::new(&kept, canvas.width),
            rows,
            masks: kept.iter().flat_map(mask).chain([0; LANES]).collect(),
            kept,
        }
    }

    /// The centre of the best source for the patch around `i` among those whose centre is at most `window` away in each
    /// direction; of equally good ones the first.
    pub fn best(&self, canvas: &Canvas, i: usize, reach: Reach, window: usize) -> Option<usize> {
        let (height, width) = (canvas.height, canvas.width);
        let (y, x) = (i / width, i % width);
        let target = Target::new(canvas, i, reach);
        let rows = y.saturating_sub(window).max(reach.up)..=(y + window).min(height - 1 - reach.down);
        let columns = x.saturating_sub(window).max(reach.left)..=(x + window).min(width - 1 - reach.right);
        let all = reach.pixels() as u32;
        let mut best: Option<(Rank, usize)> = None;
        for row in rows {
            for s in row * width + *columns.start()..=row * width + *columns.end() {
                if !self.kept[s] {
                    continue;
                }
                let corner = reach.corner(s, width);
                let (top, left) = (row - reach.up, s - row * width - reach.left);
                let count = self.counts.within(top, left, reach.height(), reach.width());
                let than = best.map(|(rank, _)| rank);
                let rank = if count == all {
                    self.whole(canvas, corner, &target, than)
                } else {
                    self.partly(canvas, corner, &target, than, count)
                };
                if let Some(rank) = rank
                    && than.is_none_or(|than| rank.better(than))
                {
                    best = Some((rank, s));
                    if rank.tier == WHOLE && rank.error <= 0.0 {
                        return Some(s);
                    }
                }
            }
        }
        best.map(|(_, s)| s)
    }

    /// The row of a source that begins at a pixel.
    fn row<'a>(&'a self, canvas: &'a Canvas, from: usize, target: &Target) -> Row<'a> {
        let at = from * canvas.channels..from * canvas.channels + target.stride;
        Row::new(&canvas.values[at.clone()], &self.masks[at])
    }

    /// The sum of the squared differences of the values that are known in the target and kept in the source, unless it comes
    /// above `limit`. A limit is a rounded product: a sum above it is no less than the product, so that nothing better is
    /// left out.
    #[inline]
    fn compared(&self, canvas: &Canvas, corner: usize, target: &Target, limit: f32) -> Option<f32> {
        let mut sums = Lanes::default();
        for (y, &row) in target.rows.iter().enumerate() {
            if row == 0 {
                continue;
            }
            let there = self.row(canvas, corner + y * canvas.width, target);
            target.row(y).squares(there, &mut sums);
            if y % LOOK == LOOK - 1 && total(&sums) > limit {
                return None;
            }
        }
        Some(total(&sums))
    }

    /// The rank of a patch that is kept as a whole, unless it is no better than another.
    fn whole(&self, canvas: &Canvas, corner: usize, target: &Target, than: Option<Rank>) -> Option<Rank> {
        let n = (target.known as usize * canvas.channels).max(1) as f32;
        let limit = than
            .filter(|than| than.tier == WHOLE)
            .map_or(f32::INFINITY, |than| than.error * n);
        let error = self.compared(canvas, corner, target, limit)? / n;
        Some(Rank { tier: WHOLE, error })
    }

    /// The rank of a patch of which `count` pixels are kept, unless it is no better than another.
    fn partly(&self, canvas: &Canvas, corner: usize, target: &Target, than: Option<Rank>, count: u32) -> Option<Rank> {
        let half = target.known.div_ceil(2);
        let least = than.map_or(1, |than| than.tier.max(1));
        if count < least {
            return None;
        }
        let mut count = 0;
        for (y, row) in target.rows.iter().enumerate() {
            count += (row & self.rows[corner + y * canvas.width]).count_ones();
        }
        let tier = count.min(half);
        if tier < least {
            return None;
        }
        let n = (count as usize * canvas.channels) as f32;
        let limit = than
            .filter(|than| than.tier == tier)
            .map_or(f32::INFINITY, |than| than.error * n);
        let error = self.compared(canvas, corner, target, limit)? / n;
        Some(Rank { tier, error })
    }
}
