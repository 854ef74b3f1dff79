//! The scalar that is explained.

use crate::Tensor;

/// Which function of the logits is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The tensor before a recognised final softmax, log-softmax or sigmoid.
    Logit,
    /// After softmax (or sigmoid, where the network ends in one).
    Probability,
    /// The network's own last tensor as exported.
    Output,
}

/// What the network applies to its logits at the end, as exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// Nothing: it exports logits.
    #[default]
    Logits,
    /// Softmax over classes.
    Softmax,
    /// Logarithm of the softmax over classes.
    LogSoftmax,
    /// Logistic function per class.
    Sigmoid,
}

/// One class under one function of the logits: `g(f, x)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Class index in `0..K`.
    pub class: usize,
    /// Function of the logits.
    pub kind: TargetKind,
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.iter().map(|&v| f64::from(v - top).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|e| e / sum).collect()
}

impl Head {
    /// The function that `kind` names, given what the network ends in.
    #[must_use]
    pub fn of_kind(self, kind: TargetKind) -> Self {
        match (kind, self) {
            (TargetKind::Logit, _) => Self::Logits,
            (TargetKind::Output, head) => head,
            (TargetKind::Probability, Self::Sigmoid) => Self::Sigmoid,
            (TargetKind::Probability, _) => Self::Softmax,
        }
    }

    /// Applies the head to one picture's logits `[K]`.
    pub fn apply(self, logits: &[f32]) -> Vec<f32> {
        match self {
            Self::Logits => logits.to_vec(),
            Self::Softmax => softmax(logits).into_iter().map(|p| p as f32).collect(),
            Self::LogSoftmax => softmax(logits).into_iter().map(|p| p.ln() as f32).collect(),
            Self::Sigmoid => logits
                .iter()
                .map(|&v| (1.0 / (1.0 + (-f64::from(v)).exp())) as f32)
                .collect(),
        }
    }

    /// The derivative of `apply(logits)[class]` by each logit.
    pub fn cotangent(self, logits: &[f32], class: usize) -> Vec<f32> {
        let delta = |k: usize| f64::from(u8::from(k == class));
        match self {
            Self::Logits => (0..logits.len()).map(|k| delta(k) as f32).collect(),
            Self::Softmax => {
                let p = softmax(logits);
                (0..p.len()).map(|k| (p[class] * (delta(k) - p[k])) as f32).collect()
            }
            Self::LogSoftmax => softmax(logits)
                .iter()
                .enumerate()
                .map(|(k, p)| (delta(k) - p) as f32)
                .collect(),
            Self::Sigmoid => {
                let s = f64::from(self.apply(&logits[class..=class])[0]);
                (0..logits.len()).map(|k| (delta(k) * s * (1.0 - s)) as f32).collect()
            }
        }
    }

    /// Whether the cotangent is the same for all logits, so that one pass gives the gradient.
    pub fn is_linear(self) -> bool {
        self == Self::Logits
    }
}

impl Target {
    /// The target's value for each picture of logits `[N, K]`.
    pub fn values(self, head: Head, logits: &Tensor) -> Vec<f32> {
        let head = head.of_kind(self.kind);
        (0..logits.shape()[0])
            .map(|n| head.apply(logits.row(n))[self.class])
            .collect()
    }

    /// The derivative of each picture's target by its logits, `[N, K]`.
    pub fn cotangents(self, head: Head, logits: &Tensor) -> Tensor {
        let head = head.of_kind(self.kind);
        let rows: Vec<f32> = (0..logits.shape()[0])
            .flat_map(|n| head.cotangent(logits.row(n), self.class))
            .collect();
        Tensor::new(logits.shape(), rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cotangents_equal_central_differences() {
        let logits = [0.3f32, -1.2, 2.0, 0.1];
        for head in [Head::Logits, Head::Softmax, Head::LogSoftmax, Head::Sigmoid] {
            for class in 0..4 {
                let g = head.cotangent(&logits, class);
                for k in 0..4 {
                    let at = |d: f32| {
                        let mut l = logits;
                        l[k] += d;
                        f64::from(head.apply(&l)[class])
                    };
                    let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!(
                        (numeric - f64::from(g[k])).abs() < 1e-3,
                        "{head:?} d{class}/d{k}: {numeric} {}",
                        g[k]
                    );
                }
            }
        }
    }
}
