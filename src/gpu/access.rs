//! Where the elements of an array lie in a flat buffer, and the WGSL that computes it.

use std::fmt::Write;

use super::shapes::strides;

/// Element `[c0, c1, ..]` of an array lies at `offset + c0 * steps[0] + c1 * steps[1] + ..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub offset: isize,
    pub steps: Vec<isize>,
}

impl Access {
    /// Row-major without gaps.
    pub fn dense(shape: &[usize]) -> Self {
        Self {
            offset: 0,
            steps: strides(shape).into_iter().map(|s| s as isize).collect(),
        }
    }

    /// Along its axes of size 1 repeated to fill `to`.
    #[must_use]
    pub fn broadcast(mut self, from: &[usize], to: &[usize]) -> Self {
        for (step, (&from, &to)) in self.steps.iter_mut().zip(from.iter().zip(to)) {
            if from == 1 && to != 1 {
                *step = 0;
            }
        }
        self
    }

    /// Positions `start + i * step` along one axis.
    #[must_use]
    pub fn slice(mut self, axis: usize, start: usize, step: isize) -> Self {
        self.offset += start as isize * self.steps[axis];
        self.steps[axis] *= step;
        self
    }

    /// Axis `i` of the new array is axis `permutation[i]`.
    #[must_use]
    pub fn transpose(self, permutation: &[usize]) -> Self {
        Self {
            offset: self.offset,
            steps: permutation.iter().map(|&axis| self.steps[axis]).collect(),
        }
    }

    /// Whether it is that of the whole array of this shape, row-major without gaps.
    pub fn is_dense(&self, shape: &[usize]) -> bool {
        let dense = Self::dense(shape);
        let axes = shape.iter().zip(self.steps.iter().zip(&dense.steps));
        self.offset == 0 && axes.into_iter().all(|(&len, (a, b))| len == 1 || a == b)
    }
}

/// An index space whose neighbouring axes are merged where every access allows it.
#[derive(Debug)]
pub(super) struct Space {
    lens: Vec<usize>,
    /// For each access the step of each merged axis.
    steps: Vec<Vec<isize>>,
    offsets: Vec<isize>,
    /// For each axis of the given shape its merged one.
    place: Vec<Option<usize>>,
}

impl Space {
    /// Axes for which `pinned` holds stay by themselves.
    pub fn new(shape: &[usize], accesses: &[&Access], pinned: &dyn Fn(usize) -> bool) -> Self {
        let mut this = Self {
            lens: vec![],
            steps: vec![vec![]; accesses.len()],
            offsets: accesses.iter().map(|a| a.offset).collect(),
            place: vec![None; shape.len()],
        };
        let mut last_pinned = false;
        for (axis, &len) in shape.iter().enumerate() {
            if len == 1 && !pinned(axis) {
                continue;
            }
            let joins = !this.lens.is_empty()
                && !pinned(axis)
                && !last_pinned
                && this
                    .steps
                    .iter()
                    .zip(accesses)
                    .all(|(steps, access)| steps.last() == Some(&(access.steps[axis] * len as isize)));
            if joins {
                if let Some(last) = this.lens.last_mut() {
                    *last *= len;
                }
                for (steps, access) in this.steps.iter_mut().zip(accesses) {
                    if let Some(last) = steps.last_mut() {
                        *last = access.steps[axis];
                    }
                }
            } else {
                this.lens.push(len);
                for (steps, access) in this.steps.iter_mut().zip(accesses) {
                    steps.push(access.steps[axis]);
                }
            }
            this.place[axis] = Some(this.lens.len() - 1);
            last_pinned = pinned(axis);
        }
        this
    }

    /// Statements that take the flat `index` (a `u32`) apart into coordinates, named with `prefix`.
    pub fn coordinates(&self, index: &str, prefix: &str) -> String {
        let mut code = String::new();
        let mut rest = index.to_owned();
        for axis in (0..self.lens.len()).rev() {
            if axis == 0 {
                _ = writeln!(code, "  let {prefix}0 = {rest};");
            } else {
                let len = self.lens[axis];
                _ = writeln!(code, "  let {prefix}{axis} = {rest} % {len}u;");
                _ = writeln!(code, "  let {prefix}r{axis} = {rest} / {len}u;");
                rest = format!("{prefix}r{axis}");
            }
        }
        code
    }

    /// The coordinate along an axis of the given shape.
    pub fn coordinate(&self, axis: usize, prefix: &str) -> String {
        self.place[axis].map_or_else(|| "0u".to_owned(), |merged| format!("{prefix}{merged}"))
    }

    /// The place (a `u32`) by one access.
    pub fn place(&self, access: usize, prefix: &str) -> String {
        let steps = &self.steps[access];
        let offset = self.offsets[access];
        if offset < 0 || steps.iter().any(|&step| step < 0) {
            let mut terms = String::new();
            for (axis, step) in steps.iter().enumerate().filter(|(_, step)| **step != 0) {
                _ = write!(terms, " + i32({prefix}{axis}) * {step}");
            }
            return format!("u32({offset}{terms})");
        }
        let mut terms: Vec<String> = steps
            .iter()
            .enumerate()
            .filter(|(_, step)| **step != 0)
            .map(|(axis, step)| match step {
                1 => format!("{prefix}{axis}"),
                _ => format!("{prefix}{axis} * {step}u"),
            })
            .collect();
        if offset != 0 || terms.is_empty() {
            terms.push(format!("{offset}u"));
        }
        terms.join(" + ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_arrays_have_one_axis() {
        let shape = [2, 3, 4, 5];
        let dense = Access::dense(&shape);
        let space = Space::new(&shape, &[&dense, &dense], &|_| false);
        assert_eq!(space.lens, [120]);
        assert_eq!(space.place(1, "c"), "c0");
    }

    #[test]
    fn a_bias_needs_its_channel_only() {
        let shape = [2, 3, 4, 5];
        let bias = Access {
            offset: 0,
            steps: vec![0, 1, 0, 0],
        };
        let space = Space::new(&shape, &[&Access::dense(&shape), &bias], &|_| false);
        assert_eq!(space.lens, [2, 3, 20]);
        assert_eq!(space.place(1, "c"), "c1");
        assert_eq!(space.place(0, "c"), "c0 * 60u + c1 * 20u + c2");
    }

    #[test]
    fn views_compose() {
        let view = Access::dense(&[4, 6]).slice(1, 5, -2).transpose(&[1, 0]);
        assert_eq!((view.offset, view.steps.as_slice()), (5, [-2, 6].as_slice()));
        assert!(!view.is_dense(&[3, 4]));
        assert!(Access::dense(&[4, 1, 6]).transpose(&[1, 0, 2]).is_dense(&[1, 4, 6]));
    }
}
