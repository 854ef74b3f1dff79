//! The geometry of a window that slides over a plane: convolution and pooling.

use super::Region;

/// A window over one plane, all sizes as `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Size of the plane that is read.
    pub input: [usize; 2],
    /// Size of the plane that is made.
    pub output: [usize; 2],
    /// Places that the window holds.
    pub kernel: [usize; 2],
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Steps within the window.
    pub dilation: [usize; 2],
    /// Padding above and to the left. Below and to the right follows from the output's size.
    pub before: [usize; 2],
}

impl Window {
    /// The places of axis `axis` that output `o` reads through tap `k`; none in the padding.
    pub fn source(&self, axis: usize, o: usize, k: usize) -> Option<usize> {
        let place = (o * self.stride[axis] + k * self.dilation[axis]).checked_sub(self.before[axis])?;
        (place < self.input[axis]).then_some(place)
    }

    /// Whether every output reads the place of its own number and nothing else.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.before == [0, 0] && self.input == self.output
    }

    /// The outputs of axis `axis` that may read one of the places `from..to`, as a range. With a dilation or a stride
    /// wider than the window it holds some that do not.
    fn readers(&self, axis: usize, from: usize, to: usize) -> (usize, usize) {
        let (stride, before) = (self.stride[axis], self.before[axis]);
        let reach = (self.kernel[axis] - 1) * self.dilation[axis];
        let first = (from + before).saturating_sub(reach).div_ceil(stride);
        let last = (to - 1 + before) / stride;
        (first, (last + 1).min(self.output[axis]))
    }

    /// The outputs that may read a place of `changed`.
    ///
    /// # Panics
    /// If `changed` is not of the plane that is read.
    pub fn reached(&self, changed: &Region) -> Region {
        assert_eq!(changed.size(), self.input, "a region of the plane that is read");
        let mut columns: Vec<(usize, usize)> = Vec::new();
        Region::of_rows(self.output, |y, add| {
            columns.clear();
            for i in 0..self.kernel[0] {
                let Some(v) = self.source(0, y, i) else { continue };
                columns.extend(changed.row(v).iter().map(|s| self.readers(1, s.from, s.to)));
            }
            columns.sort_unstable();
            for &(from, to) in &columns {
                add(from, to);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_change_reaches_is_never_missed(
            input in [1usize..8, 1usize..8], kernel in [1usize..4, 1usize..4], stride in [1usize..4, 1usize..4],
            dilation in [1usize..3, 1usize..3], before in [0usize..3, 0usize..3], bits in proptest::collection::vec(any::<bool>(), 64),
        ) {
            let size = |a: usize| {
                let reach = (kernel[a] - 1) * dilation[a] + 1;
                (input[a] + 2 * before[a]).checked_sub(reach).map(|room| room / stride[a] + 1)
            };
            let (Some(h), Some(w)) = (size(0), size(1)) else { return Ok(()) };
            let window = Window { input, output: [h, w], kernel, stride, dilation, before };
            let mask = &bits[..input[0] * input[1]];
            let reached = window.reached(&Region::of_mask(input, mask));
            for y in 0..h {
                for x in 0..w {
                    let mut reads = false;
                    for i in 0..kernel[0] {
                        for j in 0..kernel[1] {
                            if let (Some(v), Some(u)) = (window.source(0, y, i), window.source(1, x, j)) {
                                reads |= mask[v * input[1] + u];
                            }
                        }
                    }
                    let held = reached.spans().iter().any(|s| s.row == y && (s.from..s.to).contains(&x));
                    prop_assert!(!reads || held);
                }
            }
        }
    }
}
