//! Pictures: decoding, and bringing them to a network's input as the model card says.

use crate::Input;
use crate::error::InputError;
use crate::model::{Limits, ModelCard};

/// A decoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Row-major RGB, 8 bits each; transparent pixels are laid over mid-grey.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// From row-major RGBA as browsers decode it.
    pub fn from_rgba(_width: u32, _height: u32, _rgba: &[u8], _limits: &Limits) -> Result<Self, InputError> {
        todo!("helper import lands this")
    }
}

/// The network's input: resized, cropped, normalised as `card` says.
pub fn prepare(_picture: &Picture, _card: &ModelCard) -> Result<Input, InputError> {
    todo!("helper import lands this")
}

/// The part of a `width` × `height` picture that the network sees, in its pixels: left, top, width, height.
pub fn crop_box(_width: u32, _height: u32, _card: &ModelCard) -> [f64; 4] {
    todo!("helper import lands this")
}

/// What the network sees, as row-major RGB of 8 bits, `[H, W, 3]`; values outside `[0, 1]` are clipped.
pub fn to_rgb8(_input: &Input) -> Vec<u8> {
    todo!("helper import lands this")
}
