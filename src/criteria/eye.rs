//! What the explained network sees in pictures: the answer and the feature maps that criteria compare.

use crate::error::RunError;
use crate::{Context, Error, Model, TargetKind, Tensor};

/// Which layers are looked at.
#[derive(Clone, Debug)]
pub struct Eye {
    layers: Vec<usize>,
    /// Index among `layers` of the one whose mean over locations is the picture's feature vector.
    pooled: Option<usize>,
}

/// What the network sees in one picture.
#[derive(Clone, Debug)]
pub struct Look {
    /// Logits `[K]`.
    pub logits: Tensor,
    /// Probabilities `[K]`: softmax over classes, or the logistic function where the network ends in one.
    pub probabilities: Vec<f32>,
    /// Feature maps `[C, h, w]`, shallow to deep, of the layers that the card lists (of the default layer where it lists
    /// none).
    pub layers: Vec<Tensor>,
    /// The feature vector: means over locations of the default layer, or none where the network has no such layer.
    pub features: Option<Vec<f64>>,
}

impl Eye {
    /// For a model. The layers are those that its card calls worth explaining and that are feature maps.
    pub fn new(model: &Model) -> Self {
        let map = |&i: &usize| matches!(model.network().layers()[i].shape[..], [_, h, w] if h * w > 1);
        let listed = model.card().layers.explain.iter();
        let mut layers: Vec<usize> = listed.filter_map(|name| model.layer(name).ok()).filter(map).collect();
        let default = model.layer("").ok();
        if layers.is_empty() {
            layers.extend(default.filter(map));
        }
        let pooled = default.map(|default| {
            layers.iter().position(|&i| i == default).unwrap_or_else(|| {
                layers.push(default);
                layers.len() - 1
            })
        });
        Self { layers, pooled }
    }

    /// What the network sees in each of `pictures` `[C, H, W]`; one forward pass each. Where the context's imputer marks pixels as
    /// missing instead of filling them, that is the answer alone.
    pub async fn look(&self, cx: &Context<'_>, pictures: &[Tensor]) -> Result<Vec<Look>, Error> {
        let missing = cx.removal.imputer.marks_missing() && !pictures.iter().all(Tensor::is_finite);
        let layers: &[usize] = if missing { &[] } else { &self.layers };
        let mut looks = Vec::with_capacity(pictures.len());
        for range in cx.batches(pictures.len()) {
            let turn = &pictures[range];
            let outputs = cx.forward(&Tensor::stack(turn), layers).await?;
            for i in 0..turn.len() {
                looks.push(self.one(cx.exec.model(), &outputs, i)?);
            }
        }
        Ok(looks)
    }

    fn one(&self, model: &Model, outputs: &[Tensor], i: usize) -> Result<Look, Error> {
        let row = |t: &Tensor| Tensor::new(&t.shape()[1..], t.row(i).to_vec());
        let logits = row(&outputs[0]);
        if !outputs.iter().all(|t| row(t).is_finite()) {
            return Err(RunError::NonFinite { what: "answer".into() }.into());
        }
        let mut layers: Vec<Tensor> = outputs[1..].iter().map(row).collect();
        let features = self.pooled.and_then(|at| layers.get(at)).map(pool);
        layers.retain(|t| matches!(t.shape(), [_, h, w] if h * w > 1));
        let probabilities = model
            .network()
            .head()
            .of_kind(TargetKind::Probability)
            .apply(logits.data());
        Ok(Look {
            logits,
            probabilities,
            layers,
            features,
        })
    }
}

/// Means over locations: of each channel of `[C, h, w]`, of each feature over the tokens of `[T, D]`; else as it is.
fn pool(layer: &Tensor) -> Vec<f64> {
    let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64;
    match *layer.shape() {
        [channels, _, _] => (0..channels).map(|c| mean(layer.row(c))).collect(),
        [tokens, width] => (0..width)
            .map(|d| (0..tokens).map(|t| f64::from(layer.row(t)[d])).sum::<f64>() / tokens.max(1) as f64)
            .collect(),
        _ => layer.data().iter().map(|&v| f64::from(v)).collect(),
    }
}

impl Look {
    /// The class with the largest logit; the first of equal ones.
    pub fn answer(&self) -> usize {
        crate::metric::curve::answer(self.logits.data())
    }

    /// The energy `-log sum exp` of the logits.
    pub fn energy(&self) -> f64 {
        let top = self
            .logits
            .data()
            .iter()
            .fold(f64::NEG_INFINITY, |top, &v| top.max(f64::from(v)));
        let sum: f64 = self.logits.data().iter().map(|&v| (f64::from(v) - top).exp()).sum();
        -(top + sum.ln())
    }

    /// The probability of `class`.
    pub fn probability(&self, class: usize) -> f64 {
        f64::from(self.probabilities[class])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_by_hand_and_without_overflow() {
        let look = |logits: Vec<f32>| Look {
            probabilities: Vec::new(),
            logits: Tensor::new(&[logits.len()], logits),
            layers: Vec::new(),
            features: None,
        };
        assert!((look(vec![0.0; 4]).energy() + 4f64.ln()).abs() < 1e-12);
        assert!((look(vec![1000.0, 1000.0]).energy() + 1000.0 + 2f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn features_are_means_over_locations() {
        let map = Tensor::new(&[2, 1, 2], vec![1.0, 3.0, -1.0, 1.0]);
        assert_eq!(pool(&map), [2.0, 0.0]);
        assert_eq!(pool(&map.clone().reshape(&[2, 2])), [0.0, 2.0]);
        assert_eq!(pool(&map.reshape(&[4])), [1.0, 3.0, -1.0, 1.0]);
    }
}
