//! Preprocessing against Pillow and torchvision: `tests/picture/*.npy`, made by `generate.py` beside them.

use lucarne::model::card::{Interpolation, ResizeMode};
use lucarne::model::{Limits, ModelCard};
use lucarne::npy;
use lucarne::picture::{Picture, crop_box, prepare, to_rgb8};

/// The picture of `generate.py`.
fn picture(width: u32, height: u32) -> Picture {
    let value = |i: u32| {
        let (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
        let wave = (x * 7 + y * 13 + c * 50) % 256;
        let edge = ((x / 5 + y / 4) % 2) * 120;
        ((wave / 2 + edge) % 256) as u8
    };
    Picture {
        width,
        height,
        rgb: (0..width * height * 3).map(value).collect(),
    }
}

fn card(channels: usize, side: usize, resize: ResizeMode, size: usize, interpolation: Interpolation) -> ModelCard {
    let list = |v: f32| vec![format!("{v:?}"); channels].join(", ");
    let text = format!(
        "id = \"p\"\nname = \"p\"\n[input]\nname = \"x\"\nshape = [1, {channels}, {side}, {side}]\n[preprocessing]\n\
         mean = [{}]\nstd = [{}]\n",
        list(0.0),
        list(1.0)
    );
    let mut card = ModelCard::parse(&text).expect("a card");
    card.preprocessing.resize = resize;
    card.preprocessing.size = size;
    card.preprocessing.interpolation = interpolation;
    card
}

#[test]
fn preprocessing_equals_pillow_and_torchvision() {
    let (wide, tall) = (picture(61, 37), picture(23, 41));
    let cases = [
        (
            "shrink-bicubic",
            &wide,
            card(3, 16, ResizeMode::ShorterSide, 20, Interpolation::Bicubic),
        ),
        (
            "shrink-bilinear",
            &wide,
            card(3, 16, ResizeMode::ShorterSide, 19, Interpolation::Bilinear),
        ),
        (
            "enlarge-bicubic",
            &tall,
            card(3, 32, ResizeMode::ShorterSide, 35, Interpolation::Bicubic),
        ),
        (
            "stretch-bilinear",
            &wide,
            card(3, 16, ResizeMode::Stretch, 0, Interpolation::Bilinear),
        ),
        (
            "stretch-nearest",
            &tall,
            card(3, 16, ResizeMode::Stretch, 0, Interpolation::Nearest),
        ),
        (
            "grey-bilinear",
            &wide,
            card(1, 16, ResizeMode::ShorterSide, 20, Interpolation::Bilinear),
        ),
    ];
    for (name, picture, card) in cases {
        let file = format!("{}/tests/picture/{name}.npy", env!("CARGO_MANIFEST_DIR"));
        let expected = npy::read(&std::fs::read(file).expect("committed")).expect("an array");
        let found = prepare(picture, &card).expect("prepares").tensor;
        assert_eq!(found.shape(), expected.shape(), "{name}");
        let worst = found
            .zip(&expected, |a, b| (a - b).abs())
            .data()
            .iter()
            .copied()
            .fold(0.0, f32::max);
        // A 255th is one step of 8 bits; ours are the same steps.
        assert!(worst < 1e-6, "{name}: {worst}");
    }
}

#[test]
#[expect(clippy::float_cmp, reason = "the sizes are powers of two times whole numbers")]
fn the_crop_box_is_where_the_input_lies_in_the_picture() {
    let shorter = card(3, 16, ResizeMode::ShorterSide, 20, Interpolation::Bilinear);
    // 40 x 20 is not resized; the middle 16 x 16 begins at 12, 2.
    assert_eq!(crop_box(40, 20, &shorter), [12.0, 2.0, 16.0, 16.0]);
    assert_eq!(crop_box(80, 40, &shorter), [24.0, 4.0, 32.0, 32.0]);
    let stretch = card(3, 16, ResizeMode::Stretch, 0, Interpolation::Bilinear);
    assert_eq!(crop_box(80, 40, &stretch), [0.0, 0.0, 80.0, 40.0]);
    let letterbox = card(3, 16, ResizeMode::Letterbox, 0, Interpolation::Bilinear);
    assert_eq!(crop_box(80, 40, &letterbox), [0.0, -20.0, 80.0, 80.0]);
}

#[test]
fn a_letterbox_keeps_the_picture_whole_on_grey() {
    let card = card(3, 16, ResizeMode::Letterbox, 0, Interpolation::Nearest);
    let input = prepare(&picture(16, 8), &card).expect("prepares");
    let seen = to_rgb8(&input);
    assert!(seen[..16 * 4 * 3].iter().chain(&seen[16 * 12 * 3..]).all(|&v| v == 128));
    assert_eq!(seen[16 * 4 * 3..16 * 12 * 3], picture(16, 8).rgb[..]);
}

#[test]
fn what_the_network_sees_survives_normalisation() {
    let mut card = card(3, 16, ResizeMode::Stretch, 0, Interpolation::Bilinear);
    card.preprocessing.mean = vec![0.485, 0.456, 0.406];
    card.preprocessing.std = vec![0.229, 0.224, 0.225];
    let picture = picture(16, 16);
    let input = prepare(&picture, &card).expect("prepares");
    assert_eq!(to_rgb8(&input), picture.rgb);
    let first = (f32::from(picture.rgb[1]) / 255.0 - 0.456) / 0.224;
    assert!((input.tensor.data()[256] - first).abs() < 1e-6, "channel 1, pixel 0");
}

#[test]
fn extreme_shapes_take_no_more_memory_than_their_window() {
    let card = card(3, 16, ResizeMode::ShorterSide, 256, Interpolation::Bicubic);
    let strip = Picture {
        width: 1_000_000,
        height: 1,
        rgb: vec![9; 3_000_000],
    };
    // Resized whole, it would be 256 million pixels across.
    let input = prepare(&strip, &card).expect("prepares");
    assert!(input.tensor.data().iter().all(|&v| (v - 9.0 / 255.0).abs() < 1e-6));
}

#[test]
fn transparent_pixels_are_laid_over_grey() {
    let rgba = [255, 0, 0, 255, 255, 0, 0, 0, 255, 0, 0, 128, 0, 0, 0, 255];
    let picture = Picture::from_rgba(2, 2, &rgba, &Limits::default()).expect("a picture");
    assert_eq!(picture.rgb, [255, 0, 0, 128, 128, 128, 192, 64, 64, 0, 0, 0]);
}

/// A JPEG of 16 × 32 pixels, its top left corner white, with this EXIF orientation.
fn jpeg(orientation: u8) -> Vec<u8> {
    use image::ImageEncoder;
    let mut pixels = vec![20u8; 16 * 32 * 3];
    // The top left corner, 8 × 8, is white.
    for y in 0..8 {
        pixels[y * 16 * 3..y * 16 * 3 + 8 * 3].fill(240);
    }
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder
        .write_image(&pixels, 16, 32, image::ExtendedColorType::Rgb8)
        .expect("encodes");
    // APP1 with one entry: tag 0x0112, a SHORT.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend([0, orientation, 0, 0, 0, 0, 0, 0]);
    let mut out = bytes[..2].to_vec();
    out.extend([0xff, 0xe1]);
    out.extend(((exif.len() + 2) as u16).to_be_bytes());
    out.extend(exif);
    out.extend(&bytes[2..]);
    out
}

#[test]
fn pictures_are_turned_upright() {
    for (orientation, size, white) in [
        (1, (16, 32), (2, 2)),
        (3, (16, 32), (13, 29)),
        (6, (32, 16), (29, 2)),
        (8, (32, 16), (2, 13)),
    ] {
        let picture = Picture::decode(&jpeg(orientation), &Limits::default()).expect("decodes");
        assert_eq!((picture.width, picture.height), size, "orientation {orientation}");
        let at = |(x, y): (u32, u32)| picture.rgb[(y * picture.width + x) as usize * 3];
        assert!(at(white) > 200, "orientation {orientation}");
        assert!(at((size.0 / 2, size.1 / 2)) < 60, "orientation {orientation}");
    }
}
