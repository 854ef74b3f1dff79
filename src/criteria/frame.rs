//! The frame of a picture: its outermost rows and columns, of which least is to be expected.

use crate::Mask;

/// Share of the pixels that the frame holds, as nearly as whole rows and columns allow.
pub const SHARE: f64 = 0.1;

/// All pixels of `height` × `width` but the frame, or none where the picture is too small to have an inside.
///
/// The frame is as many pixels thick as bring it nearest to a tenth of the picture, one at least.
pub fn inside(height: usize, width: usize) -> Option<Mask> {
    let kept = |t: usize| 1.0 - ((height - 2 * t) * (width - 2 * t)) as f64 / (height * width) as f64;
    let most = (height.min(width).saturating_sub(1)) / 2;
    let nearest = (1..=most).min_by(|&a, &b| (kept(a) - SHARE).abs().total_cmp(&(kept(b) - SHARE).abs()))?;
    let inner = |i: usize, side: usize| i >= nearest && i + nearest < side;
    let bits = (0..height * width).map(|i| inner(i / width, height) && inner(i % width, width));
    Some(Mask::new(height, width, bits.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_holds_about_a_tenth() {
        for (height, width, thick) in [(224, 224, 6), (64, 64, 2), (30, 31, 1), (3, 3, 1), (100, 20, 1)] {
            let mask = inside(height, width).expect("it has an inside");
            assert_eq!(
                mask.count(),
                (height - 2 * thick) * (width - 2 * thick),
                "{height}×{width}"
            );
            assert!(!mask.bits()[0] && mask.bits()[thick * width + thick]);
        }
        for (height, width) in [(1, 1), (2, 9), (9, 2), (1, 50)] {
            assert!(inside(height, width).is_none(), "{height}×{width}");
        }
    }
}
