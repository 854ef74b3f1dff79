//! What the methods that follow attention share: the matrices, and the product of all layers.

use super::{Attribution, Space};
use crate::graph::Attention;
use crate::job::Passes;
use crate::{Context, Error, Model, Tensor};

/// The attention of `model`; refuses a network without.
pub(super) fn look(model: &Model) -> Result<Attention, Error> {
    let name = if model.card().name.is_empty() {
        "the network"
    } else {
        &model.card().name
    };
    model.network().attention().map_err(|why| {
        Error::param(
            "network",
            format!("\"{name}\" can't be followed by its attention: {why}"),
        )
    })
}

/// A matrix `[T, T]`, row-major.
pub(super) type Matrix = Vec<f64>;

/// The matrices `[heads, T, T]` of one layer as handed back for one picture.
pub(super) fn heads(values: &Tensor, tokens: usize) -> Vec<Matrix> {
    let head = |h: &[f32]| h.iter().map(|&v| f64::from(v)).collect();
    values.data().chunks(tokens * tokens).map(head).collect()
}

/// Each entry of several matrices through `f`.
pub(super) fn fused(heads: &[Matrix], f: impl Fn(&mut dyn Iterator<Item = f64>) -> f64) -> Matrix {
    (0..heads[0].len())
        .map(|i| f(&mut heads.iter().map(|h| h[i])))
        .collect()
}

/// Sets the `floor(share * len)` least entries to 0, but never the first: the class token's attention to itself.
pub(super) fn discard(matrix: &mut Matrix, share: f64) {
    let mut order: Vec<usize> = (0..matrix.len()).collect();
    order.sort_by(|&a, &b| matrix[a].total_cmp(&matrix[b]));
    let least = (share * matrix.len() as f64) as usize;
    for &i in order[..least].iter().filter(|&&i| i != 0) {
        matrix[i] = 0.0;
    }
}

/// Half of each token stays what it was, by the residual connection: `(A + I) / 2`, each row then divided by its sum.
pub(super) fn with_residual(matrix: &mut Matrix, tokens: usize) {
    for (i, row) in matrix.chunks_mut(tokens).enumerate() {
        row[i] += 1.0;
        let sum: f64 = row.iter().sum();
        for value in row.iter_mut() {
            *value /= sum;
        }
    }
}

/// `I + A`.
pub(super) fn plus_identity(matrix: &mut Matrix, tokens: usize) {
    for (i, row) in matrix.chunks_mut(tokens).enumerate() {
        row[i] += 1.0;
    }
}

/// What the answering token takes of each token of the picture, through the product of `layers` (the last one leftmost);
/// all tokens answer alike in a network without a token of no place.
pub(super) async fn followed(cx: &Context<'_>, attention: &Attention, layers: &[Matrix]) -> Result<Attribution, Error> {
    let (tokens, grid) = (attention.tokens, attention.grid);
    let mut taken = if grid.skip() > 0 {
        let mut first = vec![0.0; tokens];
        first[0] = 1.0;
        first
    } else {
        vec![1.0 / tokens as f64; tokens]
    };
    for layer in layers.iter().rev() {
        taken = through(&taken, layer);
        cx.job.step(Passes::default()).await?;
    }
    let last = attention.layers.last().copied().unwrap_or_default();
    Ok(Attribution {
        map: Tensor::from_fn(&[1, grid.height, grid.width], |i| taken[grid.skip() + i] as f32),
        space: Space::Layer(cx.exec.model().network().layers()[last].name.clone()),
        completeness_gap: None,
    })
}

/// A row times a matrix.
fn through(taken: &[f64], layer: &[f64]) -> Vec<f64> {
    let mut next = vec![0.0; taken.len()];
    for (share, row) in taken.iter().zip(layer.chunks(taken.len())) {
        next.iter_mut().zip(row).for_each(|(n, v)| *n += share * v);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_entries_go_and_the_first_stays() {
        let mut matrix = vec![0.0, 0.3, 0.1, 0.6];
        discard(&mut matrix, 0.5);
        assert_eq!(matrix, [0.0, 0.3, 0.0, 0.6]);
        let mut matrix = vec![0.05, 0.95, 0.4, 0.6];
        discard(&mut matrix, 0.5);
        assert_eq!(matrix, [0.05, 0.95, 0.0, 0.6]);
        discard(&mut matrix, 0.0);
        assert_eq!(matrix, [0.05, 0.95, 0.0, 0.6]);
    }

    #[test]
    fn the_residual_connection_is_half_of_each_row() {
        let mut matrix = vec![0.2, 0.8, 0.5, 0.5];
        with_residual(&mut matrix, 2);
        for (a, b) in matrix.iter().zip([0.6, 0.4, 0.25, 0.75]) {
            assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn uniform_attention_takes_alike_of_every_patch_and_none_takes_nothing() {
        let first = [1.0, 0.0, 0.0, 0.0, 0.0];
        let mut uniform = vec![0.2; 25];
        with_residual(&mut uniform, 5);
        let once = through(&first, &uniform);
        let taken = through(&once, &uniform);
        // A quarter went round twice unchanged, and the rest is spread evenly.
        for (found, expected) in taken.iter().zip([0.25 + 0.15, 0.15, 0.15, 0.15, 0.15]) {
            assert!((found - expected).abs() < 1e-12, "{taken:?}");
        }
        let mut none: Vec<f64> = (0..25).map(|i| f64::from(u8::from(i % 6 == 0))).collect();
        with_residual(&mut none, 5);
        assert_eq!(through(&first, &none), first);
    }

    #[test]
    fn heads_are_fused_entry_by_entry() {
        let heads = [vec![0.1, 0.9], vec![0.3, 0.7]];
        let least = fused(&heads, |v| v.fold(f64::INFINITY, f64::min));
        assert_eq!(least, [0.1, 0.7]);
    }
}
