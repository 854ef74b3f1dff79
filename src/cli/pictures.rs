//! Pictures, tensors and masks from files.

use std::io::Read;
use std::path::Path;

use lucarne::error::InputError;
use lucarne::model::{Limits, ModelCard};
use lucarne::picture::{self, Picture};
use lucarne::{Input, Mask, Normalisation, Tensor, npy};

use super::failure::Failure;

/// Bytes of a picture or array.
const BYTES: u64 = 1 << 30;

/// A file's bytes; its size is checked before memory is taken.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let fail = |e: std::io::Error| Failure::file("read", path, &e);
    let file = std::fs::File::open(path).map_err(fail)?;
    let facts = file.metadata().map_err(fail)?;
    if facts.is_dir() {
        return Err(Failure::new(
            format!("can't read {}: it is a folder", path.display()),
            "Name a file.",
        ));
    }
    let over = |found| {
        Failure::about(
            path,
            InputError::OverLimit {
                what: "the number of bytes".into(),
                found,
                limit,
            },
        )
    };
    if facts.len() > limit {
        return Err(over(facts.len()));
    }
    // A pipe has no length: read on to one byte too many.
    let mut bytes = Vec::with_capacity(facts.len() as usize);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        Err(over(bytes.len() as u64))
    } else {
        Ok(bytes)
    }
}

fn is_npy(path: &Path, bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x93NUMPY") || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"))
}

/// `[C, H, W]` of an array that may have a leading batch axis of one.
fn picture_shape(path: &Path, tensor: Tensor) -> Result<Tensor, Failure> {
    match *tensor.shape() {
        [_, _, _] => Ok(tensor),
        [1, c, h, w] => Ok(tensor.reshape(&[c, h, w])),
        _ => Err(shape(path, &tensor, "[C, H, W] or [1, C, H, W]")),
    }
}

fn shape(path: &Path, tensor: &Tensor, expected: &str) -> Failure {
    let (what, found) = (path.display().to_string(), tensor.shape().to_vec());
    InputError::Shape {
        what,
        found,
        expected: expected.to_owned(),
    }
    .into()
}

/// The input of a network, and the size of the picture it was prepared from.
pub struct Source {
    /// The input.
    pub input: Input,
    /// Pixels across and down; none for an array, which is already prepared.
    pub size: Option<(u32, u32)>,
}

/// The input of a network: a picture is prepared as `card` says, an array is taken as already prepared so.
pub fn input(path: &Path, card: &ModelCard) -> Result<Input, Failure> {
    Ok(source(path, card)?.input)
}

/// [`input`] with the picture's size.
pub fn source(path: &Path, card: &ModelCard) -> Result<Source, Failure> {
    let bytes = read(path, BYTES)?;
    if is_npy(path, &bytes) {
        let tensor = picture_shape(path, npy::read(&bytes).map_err(|e| Failure::about(path, e))?)?;
        if *tensor.shape() != card.dims() {
            return Err(shape(path, &tensor, &format!("{:?}", card.dims())));
        }
        if !tensor.is_finite() {
            return Err(InputError::NotFinite {
                what: path.display().to_string(),
            }
            .into());
        }
        let space = card.preprocessing.normalisation();
        let input = Input { tensor, space };
        return Ok(Source { input, size: None });
    }
    let picture = Picture::decode(&bytes, &Limits::default()).map_err(|e| Failure::about(path, e))?;
    let input = picture::prepare(&picture, card).map_err(|e| Failure::about(path, e))?;
    let size = Some((picture.width, picture.height));
    Ok(Source { input, size })
}

/// The pixels that are known to matter: a picture of the source's size, brought to the input as the source was, and
/// white there (over 128 of 255); or an array `[H, W]` of the input's size, not 0 there.
pub fn truth(path: &Path, source: &Source, card: &ModelCard) -> Result<Mask, Failure> {
    let [_, height, width] = source.input.dims();
    let bytes = read(path, BYTES)?;
    let Some(size) = source.size.filter(|_| !is_npy(path, &bytes)) else {
        return mask(path, height, width);
    };
    let drawn = Picture::decode(&bytes, &Limits::default()).map_err(|e| Failure::about(path, e))?;
    if (drawn.width, drawn.height) != size {
        let what = path.display().to_string();
        let found = vec![drawn.height as usize, drawn.width as usize];
        let expected = format!("[{}, {}], as its picture,", size.1, size.0);
        return Err(InputError::Shape { what, found, expected }.into());
    }
    let prepared = picture::prepare(&drawn, card).map_err(|e| Failure::about(path, e))?;
    let bits = picture::to_rgb8(&prepared)
        .chunks_exact(3)
        .map(|p| p[0] > 128)
        .collect();
    Ok(Mask::new(height, width, bits))
}

/// A picture of its own size in pixel values, or an array as it is.
pub fn plain(path: &Path) -> Result<Input, Failure> {
    let bytes = read(path, BYTES)?;
    if is_npy(path, &bytes) {
        let tensor = picture_shape(path, npy::read(&bytes).map_err(|e| Failure::about(path, e))?)?;
        if tensor.is_empty() || !tensor.is_finite() {
            return Err(InputError::NotFinite {
                what: path.display().to_string(),
            }
            .into());
        }
        return Ok(Input::preprocessed(tensor));
    }
    let Picture { width, height, rgb } =
        Picture::decode(&bytes, &Limits::default()).map_err(|e| Failure::about(path, e))?;
    let (height, width) = (height as usize, width as usize);
    let plane = height * width;
    let tensor = Tensor::from_fn(&[3, height, width], |i| {
        f32::from(rgb[i % plane * 3 + i / plane]) / 255.0
    });
    Ok(Input {
        tensor,
        space: Normalisation::identity(3),
    })
}

/// The pixels to remove: white of a picture, not 0 of an array `[H, W]` or `[1, H, W]`.
pub fn mask(path: &Path, height: usize, width: usize) -> Result<Mask, Failure> {
    let bytes = read(path, BYTES)?;
    let (found, bits): (Vec<usize>, Vec<bool>) = if is_npy(path, &bytes) {
        let tensor = npy::read(&bytes).map_err(|e| Failure::about(path, e))?;
        if !tensor.is_finite() {
            return Err(InputError::NotFinite {
                what: path.display().to_string(),
            }
            .into());
        }
        let found = tensor
            .shape()
            .strip_prefix(&[1])
            .filter(|s| s.len() == 2)
            .unwrap_or(tensor.shape());
        (found.to_vec(), tensor.data().iter().map(|&v| v != 0.0).collect())
    } else {
        let Picture { width, height, rgb } =
            Picture::decode(&bytes, &Limits::default()).map_err(|e| Failure::about(path, e))?;
        let white = |p: &[u8]| p.iter().map(|&v| u32::from(v)).sum::<u32>() >= 3 * 128;
        (
            vec![height as usize, width as usize],
            rgb.chunks_exact(3).map(white).collect(),
        )
    };
    if found != [height, width] {
        let (what, expected) = (path.display().to_string(), format!("[{height}, {width}]"));
        return Err(InputError::Shape { what, found, expected }.into());
    }
    Ok(Mask::new(height, width, bits))
}

/// A map `[C, H, W]` or `[1, h, w]`, finite.
pub fn map(path: &Path) -> Result<Tensor, Failure> {
    let bytes = read(path, BYTES)?;
    let tensor = npy::read(&bytes).map_err(|e| Failure::about(path, e))?;
    if !tensor.is_finite() {
        return Err(InputError::NotFinite {
            what: path.display().to_string(),
        }
        .into());
    }
    picture_shape(path, tensor)
}
