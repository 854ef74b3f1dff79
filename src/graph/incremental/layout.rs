//! How the values of a tensor lie over the places of a plane.

use crate::kernel::Region;

/// A tensor two neighbouring axes of which, `axis` and `axis + 1`, are the rows and columns of a plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// The axis of the rows.
    pub axis: usize,
}

impl Layout {
    /// Height and width of the plane.
    pub fn size(&self) -> [usize; 2] {
        [self.shape[self.axis], self.shape[self.axis + 1]]
    }

    /// Planes, one after the other in memory.
    pub fn outer(&self) -> usize {
        self.shape[..self.axis].iter().product()
    }

    /// Values that one plane holds at each place, side by side in memory.
    pub fn inner(&self) -> usize {
        self.shape[self.axis + 2..].iter().product()
    }

    /// Places of the plane.
    pub fn places(&self) -> usize {
        self.size().iter().product()
    }

    /// The shape with the plane replaced by one row of `width` places.
    pub fn narrowed(&self, width: usize) -> Vec<usize> {
        let mut shape = self.shape.clone();
        shape[self.axis] = 1;
        shape[self.axis + 1] = width;
        shape
    }

    /// For each run of values of one plane that `region` holds: its place in the plane and its length.
    fn runs<'a>(&self, region: &'a Region) -> impl Iterator<Item = (usize, usize)> + use<'a> {
        let (width, inner) = (self.shape[self.axis + 1], self.inner());
        let run = move |s: &crate::kernel::Span| ((s.row * width + s.from) * inner, (s.to - s.from) * inner);
        region.spans().iter().map(run)
    }

    /// The values at the places of `region`, as a tensor of the shape [`Layout::narrowed`] to `width`, which is at least
    /// the number of places; zeros beyond them.
    pub fn gather(&self, values: &[f32], region: &Region, width: usize) -> Vec<f32> {
        let (plane, row) = (self.places() * self.inner(), width * self.inner());
        let mut gathered = vec![0.0; row * self.outer()];
        for (plane, row) in values.chunks_exact(plane).zip(gathered.chunks_exact_mut(row)) {
            let mut at = 0;
            for (start, length) in self.runs(region) {
                row[at..at + length].copy_from_slice(&plane[start..start + length]);
                at += length;
            }
        }
        gathered
    }

    /// Puts values back that were [`gather`](Self::gather)ed, of each row as many as the region has places.
    pub fn scatter(&self, gathered: &[f32], region: &Region, width: usize, values: &mut [f32]) {
        let (plane, row) = (self.places() * self.inner(), width * self.inner());
        for (plane, row) in values.chunks_exact_mut(plane).zip(gathered.chunks_exact(row)) {
            let mut at = 0;
            for (start, length) in self.runs(region) {
                plane[start..start + length].copy_from_slice(&row[at..at + length]);
                at += length;
            }
        }
    }

    /// Copies the places of `region` between two tensors of this layout.
    pub fn copy(&self, from: &[f32], region: &Region, to: &mut [f32]) {
        let plane = self.places() * self.inner();
        for (from, to) in from.chunks_exact(plane).zip(to.chunks_exact_mut(plane)) {
            for (start, length) in self.runs(region) {
                to[start..start + length].copy_from_slice(&from[start..start + length]);
            }
        }
    }
}
