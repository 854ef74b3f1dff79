//! Pictures: decoding, and bringing them to a network's input as the model card says.

use std::ops::Range;

use crate::error::InputError;
use crate::model::card::ResizeMode;
use crate::model::{Limits, ModelCard};
use crate::resample::{Plane, resize};
use crate::{Input, Tensor};

/// What transparent pixels are laid over, and what fills a letterbox.
const GREY: u8 = 128;

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

/// Refuses sizes over the limit, and pictures without pixels.
fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), InputError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.picture_pixels {
        return Err(InputError::OverLimit {
            what: "the number of pixels of the picture".into(),
            found: pixels,
            limit: limits.picture_pixels,
        });
    }
    if pixels == 0 {
        return Err(undecodable("it has no pixels"));
    }
    Ok(())
}

fn undecodable(why: impl Into<String>) -> InputError {
    InputError::Decode {
        what: "the picture".into(),
        why: why.into(),
    }
}

impl Picture {
    /// From row-major RGBA as browsers decode it.
    pub fn from_rgba(width: u32, height: u32, rgba: &[u8], limits: &Limits) -> Result<Self, InputError> {
        check_size(width, height, limits)?;
        if rgba.len() as u64 != u64::from(width) * u64::from(height) * 4 {
            return Err(undecodable(format!(
                "{} bytes are not {width} x {height} pixels of RGBA",
                rgba.len()
            )));
        }
        let over = |value: u8, alpha: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + u32::from(GREY) * (255 - alpha) + 127) / 255) as u8
        };
        let pixels = rgba.as_chunks::<4>().0;
        let rgb = pixels
            .iter()
            .flat_map(|&[r, g, b, a]| [over(r, a), over(g, a), over(b, a)])
            .collect();
        Ok(Self { width, height, rgb })
    }

    /// Decodes a PNG, JPEG, WebP, BMP or GIF (its first frame), turned upright as its EXIF data say. The size is
    /// checked before pixels are decoded.
    #[cfg(feature = "cli")]
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, InputError> {
        crate::guard::catch(|| decode(bytes, limits)).unwrap_or_else(|why| Err(undecodable(why)))
    }

    fn plane(&self) -> Plane<'_> {
        Plane {
            width: self.width as usize,
            height: self.height as usize,
            channels: 3,
            data: &self.rgb,
        }
    }
}

#[cfg(feature = "cli")]
fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, InputError> {
    use image::{DynamicImage, ImageDecoder, ImageReader};

    let text = |e: image::ImageError| undecodable(e.to_string());
    let reader = ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| undecodable(e.to_string()))?;
    let mut decoder = reader.into_decoder().map_err(text)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    // Sixteen bytes a pixel cover the widest format and a decoder's own copy.
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(limits.picture_pixels.saturating_mul(16));
    decoder.set_limits(bounds).map_err(text)?;
    let orientation = decoder.orientation().map_err(text)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(text)?;
    picture.apply_orientation(orientation);
    let (width, height) = (picture.width(), picture.height());
    if picture.color().has_alpha() {
        return Picture::from_rgba(width, height, picture.to_rgba8().as_raw(), limits);
    }
    Ok(Picture {
        width,
        height,
        rgb: picture.into_rgb8().into_raw(),
    })
}

/// How a picture is laid into a network's input.
struct Plan {
    /// Size of the whole picture once resized, across and down.
    full: (usize, usize),
    /// Part of it that the input shows.
    columns: Range<usize>,
    rows: Range<usize>,
    /// Where that part begins in the input; grey around it.
    offset: (usize, usize),
    /// Size of the crop, before it is brought to the input's size where that differs.
    crop: (usize, usize),
}

fn plan(width: u32, height: u32, card: &ModelCard) -> Plan {
    let [_, rows, columns] = card.dims();
    let (w, h) = (width.max(1) as usize, height.max(1) as usize);
    let whole = |full: (usize, usize), offset, crop| Plan {
        full,
        columns: 0..full.0,
        rows: 0..full.1,
        offset,
        crop,
    };
    match card.preprocessing.resize {
        ResizeMode::Stretch => whole((columns, rows), (0, 0), (columns, rows)),
        ResizeMode::Letterbox => {
            let scale = (columns as f64 / w as f64).min(rows as f64 / h as f64);
            let fit = |side: usize, most: usize| ((side as f64 * scale).round() as usize).clamp(1, most);
            let full = (fit(w, columns), fit(h, rows));
            whole(full, ((columns - full.0) / 2, (rows - full.1) / 2), (columns, rows))
        }
        ResizeMode::ShorterSide => {
            let crop = match card.preprocessing.crop {
                0 => (columns, rows),
                side => (side, side),
            };
            let size = card.preprocessing.size;
            let full = if size == 0 {
                let scale = (crop.0 as f64 / w as f64).max(crop.1 as f64 / h as f64);
                ((w as f64 * scale).round() as usize, (h as f64 * scale).round() as usize)
            } else if w <= h {
                (size, size * h / w)
            } else {
                (size * w / h, size)
            };
            let full = (full.0.max(crop.0), full.1.max(crop.1));
            // Ties to even, as torchvision's centre crop rounds.
            let start = |full: usize, crop: usize| ((full - crop) as f64 / 2.0).round_ties_even() as usize;
            let (left, top) = (start(full.0, crop.0), start(full.1, crop.1));
            Plan {
                full,
                columns: left..left + crop.0,
                rows: top..top + crop.1,
                offset: (0, 0),
                crop,
            }
        }
    }
}

/// The network's input: resized, cropped, normalised as `card` says, with Pillow's filters and torchvision's rounding.
/// A network of one channel gets the luma of ITU-R BT.601; of four, an opaque alpha.
pub fn prepare(picture: &Picture, card: &ModelCard) -> Result<Input, InputError> {
    let [channels, height, width] = card.dims();
    let space = card.preprocessing.normalisation();
    if !matches!(channels, 1 | 3 | 4) || space.mean.len() != channels || space.std.len() != channels {
        return Err(InputError::Shape {
            what: "the network's input".into(),
            found: card.input.shape.clone(),
            expected: "one, three or four channels with a mean and a deviation each".into(),
        });
    }
    if picture.rgb.len() != picture.width as usize * picture.height as usize * 3 || picture.rgb.is_empty() {
        return Err(undecodable("it has no pixels"));
    }
    let luma;
    let mut plane = picture.plane();
    if channels == 1 {
        let weigh = |&[r, g, b]: &[u8; 3]| {
            ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
        };
        luma = picture.rgb.as_chunks::<3>().0.iter().map(weigh).collect::<Vec<u8>>();
        plane = Plane {
            channels: 1,
            data: &luma,
            ..plane
        };
    }
    let filter = card.preprocessing.interpolation;
    let plan = plan(picture.width, picture.height, card);
    let part = (plan.columns.len(), plan.rows.len());
    let mut data = resize(&plane, plan.full, (plan.columns, plan.rows), filter);
    let depth = plane.channels;
    let mut size = part;
    if part == plan.crop && part != (width, height) {
        let crop = Plane {
            width: part.0,
            height: part.1,
            channels: depth,
            data: &data,
        };
        data = resize(&crop, (width, height), (0..width, 0..height), filter);
        size = (width, height);
    }
    let (left, top) = plan.offset;
    let tensor = Tensor::from_fn(&[channels, height, width], |i| {
        let (c, y, x) = (i / (height * width), i / width % height, i % width);
        let inside = (left..left + size.0).contains(&x) && (top..top + size.1).contains(&y);
        let value = match c {
            3 => 255,
            _ if inside => data[((y - top) * size.0 + x - left) * depth + c],
            _ => GREY,
        };
        space.forward(c, f32::from(value) / 255.0)
    });
    Ok(Input { tensor, space })
}

/// The part of a `width` × `height` picture that the network sees, in its pixels: left, top, width, height. The box of
/// a letterbox is larger than the picture, and begins left of it or above.
pub fn crop_box(width: u32, height: u32, card: &ModelCard) -> [f64; 4] {
    let plan = plan(width, height, card);
    let (x, y) = (
        f64::from(width) / plan.full.0 as f64,
        f64::from(height) / plan.full.1 as f64,
    );
    [
        (plan.columns.start as f64 - plan.offset.0 as f64) * x,
        (plan.rows.start as f64 - plan.offset.1 as f64) * y,
        plan.crop.0 as f64 * x,
        plan.crop.1 as f64 * y,
    ]
}

/// The squares of the chessboard that stands for missing pixels: so many pixels wide, in these two greys.
const BOARD: (usize, [u8; 2]) = (8, [0x80, 0xc0]);

/// What the network sees, as row-major RGB of 8 bits, `[H, W, 3]`; values outside `[0, 1]` are clipped, and pixels with a
/// missing value (NaN) are a square of a grey chessboard.
pub fn to_rgb8(input: &Input) -> Vec<u8> {
    let [channels, height, width] = input.dims();
    let plane = height * width;
    let byte = |c: usize, i: usize| {
        let c = if channels < 3 { 0 } else { c };
        let value = input.space.inverse(c, input.tensor.data()[c * plane + i]);
        (value * 255.0).round().clamp(0.0, 255.0) as u8
    };
    let missing = |i: usize| (0..channels).any(|c| input.tensor.data()[c * plane + i].is_nan());
    let pixel = |i: usize| {
        if missing(i) {
            let (side, greys) = BOARD;
            [greys[(i / width / side + i % width / side) % 2]; 3]
        } else {
            [byte(0, i), byte(1, i), byte(2, i)]
        }
    };
    (0..plane).flat_map(pixel).collect()
}
