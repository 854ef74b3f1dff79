//! Which places of a plane are meant: sorted spans of rows.

/// The places `from..to` of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The row.
    pub row: usize,
    /// First column.
    pub from: usize,
    /// One beyond the last column.
    pub to: usize,
}

/// A set of places of a plane, the same in every channel. Spans are sorted by row then column, not empty, and neither
/// overlap nor touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    size: [usize; 2],
    spans: Vec<Span>,
}

impl Region {
    /// No place of a plane of `size` (height, width).
    pub fn empty(size: [usize; 2]) -> Self {
        Self {
            size,
            spans: Vec::new(),
        }
    }

    /// Every place of a plane of `size` (height, width).
    pub fn full([h, w]: [usize; 2]) -> Self {
        Self::of_rows([h, w], |_, add| add(0, w))
    }

    /// What `row(y, add)` adds of each row, as columns `from..to` in rising order; they may overlap and be empty.
    pub fn of_rows(size: [usize; 2], mut row: impl FnMut(usize, &mut dyn FnMut(usize, usize))) -> Self {
        let mut region = Self::empty(size);
        for y in 0..size[0] {
            row(y, &mut |from, to| {
                region.push(Span {
                    row: y,
                    from,
                    to: to.min(size[1]),
                });
            });
        }
        region
    }

    /// Adds a span that comes after, overlaps or touches the last one, in the order of [`Region::spans`].
    fn push(&mut self, span: Span) {
        match self.spans.last_mut() {
            _ if span.from >= span.to => {}
            Some(last) if last.row == span.row && last.to >= span.from => last.to = last.to.max(span.to),
            _ => self.spans.push(span),
        }
    }

    /// The places where any channel of two arrays `[C, h, w]` differs, bit for bit.
    ///
    /// # Panics
    /// If the arrays are not of one size, a multiple of the plane's.
    pub fn of_difference([h, w]: [usize; 2], a: &[f32], b: &[f32]) -> Self {
        assert!(
            a.len() == b.len() && a.len().is_multiple_of((h * w).max(1)),
            "two arrays of planes {h}x{w}"
        );
        let mut differs = vec![false; h * w];
        for (a, b) in a.chunks_exact(h * w).zip(b.chunks_exact(h * w)) {
            for ((d, a), b) in differs.iter_mut().zip(a).zip(b) {
                *d |= a.to_bits() != b.to_bits();
            }
        }
        Self::of_mask([h, w], &differs)
    }

    /// The places where `mask` `[h, w]` is set.
    pub fn of_mask([h, w]: [usize; 2], mask: &[bool]) -> Self {
        Self::of_rows([h, w], |y, add| {
            let row = &mask[y * w..(y + 1) * w];
            let mut x = 0;
            while let Some(start) = row[x..].iter().position(|&set| set) {
                let from = x + start;
                let length = row[from..].iter().position(|&set| !set).unwrap_or(w - from);
                add(from, from + length);
                x = from + length;
            }
        })
    }

    /// Height and width of the plane.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The spans, sorted.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether no place is meant.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Number of places.
    pub fn count(&self) -> usize {
        self.spans.iter().map(|s| s.to - s.from).sum()
    }

    /// Whether every place is meant.
    pub fn is_full(&self) -> bool {
        self.count() == self.size[0] * self.size[1]
    }

    /// The spans of one row, sorted.
    pub fn row(&self, y: usize) -> &[Span] {
        let from = self.spans.partition_point(|s| s.row < y);
        let length = self.spans[from..].partition_point(|s| s.row == y);
        &self.spans[from..from + length]
    }

    /// The places of this region that `other` does not hold.
    ///
    /// # Panics
    /// If the planes are of different sizes.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        assert_eq!(self.size, other.size, "regions of one plane");
        Self::of_rows(self.size, |y, add| {
            let mut held = other.row(y);
            for span in self.row(y) {
                let mut from = span.from;
                while let Some((s, rest)) = held.split_first().filter(|(s, _)| s.from < span.to) {
                    if s.from > from {
                        add(from, s.from);
                    }
                    from = from.max(s.to);
                    if s.to > span.to {
                        break;
                    }
                    held = rest;
                }
                if from < span.to {
                    add(from, span.to);
                }
            }
        })
    }

    /// The places of either.
    ///
    /// # Panics
    /// If the planes are of different sizes.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        assert_eq!(self.size, other.size, "regions of one plane");
        let (mut a, mut b) = (self.spans.as_slice(), other.spans.as_slice());
        let mut both = Self::empty(self.size);
        both.spans.reserve(a.len().max(b.len()));
        loop {
            let side = match (a.first(), b.first()) {
                (Some(s), Some(t)) if (t.row, t.from) < (s.row, s.from) => &mut b,
                (Some(_), _) => &mut a,
                (None, Some(_)) => &mut b,
                (None, None) => return both,
            };
            both.push(side[0]);
            *side = &side[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(region: &Region) -> Vec<bool> {
        let [h, w] = region.size();
        let mut mask = vec![false; h * w];
        for s in region.spans() {
            mask[s.row * w + s.from..s.row * w + s.to].fill(true);
        }
        mask
    }

    proptest! {
        #[test]
        fn a_region_holds_what_its_mask_holds(h in 1usize..9, w in 1usize..9, bits in proptest::collection::vec(any::<bool>(), 64), more in proptest::collection::vec(any::<bool>(), 64)) {
            let (a, b) = (&bits[..h * w], &more[..h * w]);
            let (left, right) = (Region::of_mask([h, w], a), Region::of_mask([h, w], b));
            prop_assert_eq!(&mask(&left), a);
            prop_assert_eq!((0..h).flat_map(|y| left.row(y).to_vec()).collect::<Vec<_>>(), left.spans().to_vec());
            prop_assert_eq!(left.count(), a.iter().filter(|&&set| set).count());
            let both: Vec<bool> = a.iter().zip(b).map(|(a, b)| a | b).collect();
            let rest: Vec<bool> = a.iter().zip(b).map(|(a, b)| *a && !b).collect();
            prop_assert_eq!(left.without(&right), Region::of_mask([h, w], &rest));
            prop_assert_eq!(left.union(&right), Region::of_mask([h, w], &both));
        }
    }

    #[test]
    fn full_and_empty() {
        assert!(Region::full([3, 4]).is_full());
        assert!(Region::empty([3, 4]).is_empty());
        assert!(Region::full([0, 4]).is_empty());
    }
}
