//! Any bytes either decode to a picture within limits, which then can be prepared, or are refused.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use lucarne::guard::quiet_caught_panics;
use lucarne::model::{Limits, ModelCard};
use lucarne::npy;
use lucarne::picture::{Picture, crop_box, prepare, to_rgb8};

fn card(resize: &str) -> ModelCard {
    let text = format!(
        "id = \"f\"\nname = \"f\"\n[input]\nname = \"x\"\nshape = [1, 3, 24, 32]\n[preprocessing]\nresize = \"{resize}\"\n\
         mean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\n"
    );
    ModelCard::parse(&text).expect("a card")
}

fuzz_target!(init: quiet_caught_panics(), |bytes: &[u8]| -> Corpus {
    let limits = Limits { picture_pixels: 1 << 20, ..Limits::default() };
    let _ = npy::read(bytes);
    let Ok(picture) = Picture::decode(bytes, &limits) else {
        return Corpus::Keep;
    };
    assert!(u64::from(picture.width) * u64::from(picture.height) <= limits.picture_pixels);
    assert_eq!(picture.rgb.len(), picture.width as usize * picture.height as usize * 3);
    for resize in ["shorter-side", "stretch", "letterbox"] {
        let card = card(resize);
        let input = prepare(&picture, &card).expect("a picture with pixels");
        assert!(input.tensor.is_finite());
        assert_eq!(to_rgb8(&input).len(), 24 * 32 * 3);
        assert!(crop_box(picture.width, picture.height, &card).iter().all(|v| v.is_finite()));
    }
    Corpus::Keep
});
