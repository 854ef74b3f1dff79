//! Small random movements of the picture, so that what is found does not hang on single pixels.

use crate::rng::Stream;

/// How far a picture may move before each look.
#[derive(Clone, Copy, Debug)]
pub struct Movement {
    /// Pixels, at most, in each direction.
    pub jitter: f64,
    /// Largest relative change of size.
    pub scale: f64,
    /// Degrees, at most, in each direction.
    pub rotation: f64,
}

/// One movement: where in the picture each pixel of the moved one lies.
pub struct Warp {
    height: usize,
    width: usize,
    /// For each pixel: up to four sources with their shares; what lies outside the picture has none.
    taps: Vec<[(u32, f32); 4]>,
}

impl Warp {
    /// A movement drawn from `stream`: uniform shifts, size and angle, about the centre, read off bilinearly.
    pub fn draw(movement: Movement, height: usize, width: usize, stream: &mut Stream) -> Self {
        let mut between = |most: f64| most * (2.0 * f64::from(stream.uniform()) - 1.0);
        let (down, right) = (between(movement.jitter), between(movement.jitter));
        let size = 1.0 + between(movement.scale);
        let (sin, cos) = between(movement.rotation).to_radians().sin_cos();
        let (cy, cx) = ((height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0);
        let tap = |i: usize| {
            let (y, x) = ((i / width) as f64 - cy - down, (i % width) as f64 - cx - right);
            let (y, x) = ((cos * y - sin * x) / size + cy, (sin * y + cos * x) / size + cx);
            let (top, left) = (y.floor(), x.floor());
            let (fy, fx) = (y - top, x - left);
            let place = |dy: f64, dx: f64, share: f64| {
                let (y, x) = (top + dy, left + dx);
                let inside = y >= 0.0 && x >= 0.0 && y < height as f64 && x < width as f64;
                let source = if inside { y as usize * width + x as usize } else { 0 };
                (source as u32, if inside { share as f32 } else { 0.0 })
            };
            [
                place(0.0, 0.0, (1.0 - fy) * (1.0 - fx)),
                place(0.0, 1.0, (1.0 - fy) * fx),
                place(1.0, 0.0, fy * (1.0 - fx)),
                place(1.0, 1.0, fy * fx),
            ]
        };
        Self {
            height,
            width,
            taps: (0..height * width).map(tap).collect(),
        }
    }

    /// The moved picture `[C, H, W]`; what comes from outside is `outside`.
    pub fn apply(&self, picture: &[f32], outside: f32) -> Vec<f32> {
        let pixels = self.height * self.width;
        let moved = |channel: &[f32]| -> Vec<f32> {
            let read = |taps: &[(u32, f32); 4]| {
                let (sum, share) = taps.iter().fold((0.0, 0.0), |(sum, share), &(source, part)| {
                    (sum + part * channel[source as usize], share + part)
                });
                sum + (1.0 - share) * outside
            };
            self.taps.iter().map(read).collect()
        };
        picture.chunks_exact(pixels).flat_map(moved).collect()
    }

    /// The gradient by the picture, of a function whose gradient by the moved picture is given.
    pub fn adjoint(&self, by_moved: &[f32]) -> Vec<f32> {
        let pixels = self.height * self.width;
        let mut gradient = vec![0.0; by_moved.len()];
        for (to, from) in gradient.chunks_exact_mut(pixels).zip(by_moved.chunks_exact(pixels)) {
            for (taps, &g) in self.taps.iter().zip(from) {
                for &(source, part) in taps {
                    to[source as usize] += part * g;
                }
            }
        }
        gradient
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    fn noise(n: usize, name: &str) -> Vec<f32> {
        let mut stream = SeedStream::new(2).stream(name);
        (0..n).map(|_| stream.normal()).collect()
    }

    const STILL: Movement = Movement {
        jitter: 0.0,
        scale: 0.0,
        rotation: 0.0,
    };

    #[test]
    fn no_movement_changes_nothing() {
        let picture = noise(2 * 5 * 4, "x");
        let warp = Warp::draw(STILL, 5, 4, &mut SeedStream::new(0).stream("w"));
        assert_eq!(warp.apply(&picture, 9.0), picture);
    }

    #[test]
    fn the_adjoint_is_the_transpose_and_shares_add_up() {
        let movement = Movement {
            jitter: 2.0,
            scale: 0.2,
            rotation: 20.0,
        };
        for seed in 0..5 {
            let warp = Warp::draw(movement, 7, 6, &mut SeedStream::new(seed).stream("w"));
            let (x, g) = (noise(3 * 42, "x"), noise(3 * 42, "g"));
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            assert!((dot(&warp.apply(&x, 0.0), &g) - dot(&x, &warp.adjoint(&g))).abs() < 1e-4);
            let flat = warp.apply(&[0.5; 42], 0.5);
            assert!(flat.iter().all(|v| (v - 0.5).abs() < 1e-6));
        }
    }
}
