//! The attention matrices of a transformer.

use super::{Grid, Network};

/// Attention matrices over one set of tokens, in order of computation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// The layers that they are, each `[heads, T, T]`: row `i` says how token `i` is mixed of all tokens.
    pub layers: Vec<usize>,
    /// Tokens `T`.
    pub tokens: usize,
    /// Where the tokens lie on the picture. The tokens before its first location stand for no place.
    pub grid: Grid,
}

impl Network {
    /// The attention of a transformer all of whose layers mix the same tokens.
    ///
    /// # Errors
    /// Why it has none, as a clause.
    pub fn attention(&self) -> Result<Attention, String> {
        let layers: Vec<usize> = (0..self.layers.len()).filter(|&i| self.layers[i].attention).collect();
        let Some(&first) = layers.first() else {
            return Err("it has no attention matrices [heads, T, T]; a vision transformer is needed".into());
        };
        if self.partial_attention {
            return Err(
                "some of its attention is within windows or pools tokens; a transformer whose layers all mix the same \
                 tokens is needed"
                    .into(),
            );
        }
        let shape = &self.layers[first].shape;
        if let Some(other) = layers.iter().find(|&&i| self.layers[i].shape != *shape) {
            return Err(format!(
                "its attention matrices differ ({shape:?} and {:?}); a transformer whose layers all mix the same tokens \
                 is needed",
                self.layers[*other].shape
            ));
        }
        let tokens = shape[2];
        let known = self.layers.iter().filter(|l| l.shape.len() == 2).filter_map(|l| l.grid);
        let grid = known
            .rev()
            .find(|g| g.tokens() == tokens)
            .or_else(|| Grid::of_tokens(tokens, 1, false, None));
        let grid = grid.ok_or_else(|| {
            format!(
                "its {tokens} tokens are not those of a square of patches, with or without a class token before them"
            )
        })?;
        Ok(Attention { layers, tokens, grid })
    }
}
