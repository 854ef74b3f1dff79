//! Dense row-major `f32` tensors, the only array type that crosses module borders.

use std::sync::Arc;

/// A dense row-major `f32` array of any rank. Cloning shares the data; writing copies it if shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Arc<Vec<f32>>,
}

impl Tensor {
    /// A tensor over `data` in row-major order.
    ///
    /// # Panics
    /// If `data` does not hold exactly the product of `shape` values; that is a bug of the caller.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Self {
        assert_eq!(
            shape.iter().product::<usize>(),
            data.len(),
            "a tensor of shape {shape:?} cannot hold {} values",
            data.len()
        );
        Self {
            shape: shape.to_vec(),
            data: Arc::new(data),
        }
    }

    /// A tensor filled with `value`.
    pub fn full(shape: &[usize], value: f32) -> Self {
        Self::new(shape, vec![value; shape.iter().product()])
    }

    /// A tensor of zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::full(shape, 0.0)
    }

    /// A tensor whose value at flat index `i` is `f(i)`.
    pub fn from_fn(shape: &[usize], f: impl FnMut(usize) -> f32) -> Self {
        Self::new(shape, (0..shape.iter().product()).map(f).collect())
    }

    /// Sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Values in row-major order.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Values in row-major order, for writing.
    pub fn data_mut(&mut self) -> &mut [f32] {
        Arc::make_mut(&mut self.data).as_mut_slice()
    }

    /// The values, without a copy where they are not shared.
    pub fn into_data(self) -> Vec<f32> {
        Arc::try_unwrap(self.data).unwrap_or_else(|shared| (*shared).clone())
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The same values under another shape of the same size.
    ///
    /// # Panics
    /// If the sizes differ.
    #[must_use]
    pub fn reshape(mut self, shape: &[usize]) -> Self {
        assert_eq!(
            shape.iter().product::<usize>(),
            self.len(),
            "cannot reshape {:?} to {shape:?}",
            self.shape
        );
        self.shape = shape.to_vec();
        self
    }

    /// The `i`-th slice along the outermost axis, as values.
    ///
    /// # Panics
    /// If `i` is out of range.
    pub fn row(&self, i: usize) -> &[f32] {
        let n = self.len() / self.shape[0].max(1);
        &self.data[i * n..(i + 1) * n]
    }

    /// The slices `from..to` along the outermost axis.
    ///
    /// # Panics
    /// If the range is out of bounds.
    #[must_use]
    pub fn rows(&self, from: usize, to: usize) -> Self {
        let n = self.len() / self.shape[0].max(1);
        let mut shape = self.shape.clone();
        shape[0] = to - from;
        Self::new(&shape, self.data[from * n..to * n].to_vec())
    }

    /// Stacks tensors of one shape along a new outermost axis.
    ///
    /// # Panics
    /// If `items` is empty or shapes differ.
    pub fn stack(items: &[Self]) -> Self {
        let mut shape = vec![items.len()];
        shape.extend_from_slice(items[0].shape());
        let mut data = Vec::with_capacity(shape.iter().product());
        for item in items {
            assert_eq!(item.shape(), items[0].shape(), "stacked tensors must have one shape");
            data.extend_from_slice(item.data());
        }
        Self::new(&shape, data)
    }

    /// Concatenates along the outermost axis.
    ///
    /// # Panics
    /// If `items` is empty or inner shapes differ.
    pub fn concat(items: &[Self]) -> Self {
        let mut shape = items[0].shape().to_vec();
        shape[0] = items.iter().map(|t| t.shape()[0]).sum();
        let mut data = Vec::with_capacity(shape.iter().product());
        for item in items {
            assert_eq!(
                item.shape()[1..],
                shape[1..],
                "concatenated tensors must agree in their inner shape"
            );
            data.extend_from_slice(item.data());
        }
        Self::new(&shape, data)
    }

    /// Each value through `f`.
    #[must_use]
    pub fn map(&self, mut f: impl FnMut(f32) -> f32) -> Self {
        Self::new(&self.shape, self.data.iter().map(|&v| f(v)).collect())
    }

    /// Values of two tensors of one shape combined by `f`.
    ///
    /// # Panics
    /// If the shapes differ.
    #[must_use]
    pub fn zip(&self, other: &Self, mut f: impl FnMut(f32, f32) -> f32) -> Self {
        assert_eq!(self.shape, other.shape, "combined tensors must have one shape");
        Self::new(
            &self.shape,
            self.data
                .iter()
                .zip(other.data.iter())
                .map(|(&a, &b)| f(a, b))
                .collect(),
        )
    }

    /// Sum of all values, accumulated in `f64`.
    pub fn sum(&self) -> f64 {
        self.data.iter().map(|&v| f64::from(v)).sum()
    }

    /// Whether no value is NaN or infinite.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|v| v.is_finite())
    }

    /// Sums a `[C, H, W]` tensor over channels into `[1, H, W]`.
    ///
    /// # Panics
    /// If the rank is not 3.
    #[must_use]
    pub fn sum_channels(&self) -> Self {
        let &[c, h, w] = self.shape() else {
            panic!("expected [C, H, W], got {:?}", self.shape)
        };
        Self::from_fn(&[1, h, w], |i| (0..c).map(|k| self.data[k * h * w + i]).sum())
    }
}
