//! The shared sweep behind every metric that removes pixels in an order.

use crate::error::InputError;
use crate::{Input, Tensor};

/// One relevance a pixel `[H, W]` from a map `[C, H, W]` or `[1, h, w]`.
pub fn pixel_relevance(_input: &Input, _map: &Tensor) -> Result<Tensor, InputError> {
    todo!()
}
