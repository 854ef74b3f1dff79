//! Pictures as real Fourier spectra: the same step size moves all scales alike, so that ascent does not end in noise.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// The linear map from a spectrum of `channels * height * (width / 2 + 1)` complex values to `[C, H, W]`: each frequency
/// is weighed by `1 / max(|f|, 1 / max(H, W))^decay` (`f` in cycles a pixel), transformed back orthonormally as the
/// spectrum of a real picture, and divided by 4.
pub struct Fourier {
    channels: usize,
    height: usize,
    width: usize,
    weights: Vec<f32>,
    rows: [Arc<dyn Fft<f32>>; 2],
    columns: [Arc<dyn Fft<f32>>; 2],
}

/// Divides the picture, so that spectra of deviation 0.01 give pictures of a range that a logistic function does not cut.
const SHRINK: f32 = 4.0;

impl Fourier {
    /// The map for pictures of this size.
    pub fn new([channels, height, width]: [usize; 3], decay: f64) -> Self {
        let least = 1.0 / height.max(width) as f64;
        let cycles = |k: usize, n: usize| if 2 * k < n + 1 { k as f64 } else { k as f64 - n as f64 } / n as f64;
        let half = width / 2 + 1;
        let weights = (0..height * half)
            .map(|i| {
                let frequency = cycles(i / half, height).hypot((i % half) as f64 / width as f64);
                frequency.max(least).powf(-decay) as f32
            })
            .collect();
        let mut planner = FftPlanner::new();
        let mut both = |n| [planner.plan_fft_forward(n), planner.plan_fft_inverse(n)];
        Self {
            channels,
            height,
            width,
            weights,
            rows: both(width),
            columns: both(height),
        }
    }

    /// Complex values of a spectrum.
    pub fn values(&self) -> usize {
        self.channels * self.weights.len()
    }

    fn half(&self) -> usize {
        self.width / 2 + 1
    }

    /// How often a stored frequency stands for itself and its mirror image.
    fn copies(&self, column: usize) -> f32 {
        if column == 0 || 2 * column == self.width {
            1.0
        } else {
            2.0
        }
    }

    /// The picture `[C, H, W]` of a spectrum.
    pub fn picture(&self, spectrum: &[Complex<f32>]) -> Vec<f32> {
        let (h, w, half) = (self.height, self.width, self.half());
        let scale = 1.0 / (SHRINK * ((h * w) as f32).sqrt());
        let mut picture = Vec::with_capacity(self.channels * h * w);
        for channel in spectrum.chunks_exact(self.weights.len()) {
            let mut grid: Vec<Complex<f32>> = channel.iter().zip(&self.weights).map(|(z, &s)| z * s).collect();
            self.along_columns(&mut grid, 1);
            for row in grid.chunks_exact(half) {
                let mut line = vec![Complex::default(); w];
                line[..half].copy_from_slice(row);
                for x in half..w {
                    line[x] = row[w - x].conj();
                }
                // What a real picture cannot have is dropped, as an inverse transform to real values does.
                line[0].im = 0.0;
                if w % 2 == 0 {
                    line[w / 2].im = 0.0;
                }
                self.rows[1].process(&mut line);
                picture.extend(line.iter().map(|z| z.re * scale));
            }
        }
        picture
    }

    /// The gradient by the spectrum's real and imaginary parts, of a function whose gradient by the picture is given.
    pub fn adjoint(&self, by_picture: &[f32]) -> Vec<Complex<f32>> {
        let (h, w, half) = (self.height, self.width, self.half());
        let scale = 1.0 / (SHRINK * ((h * w) as f32).sqrt());
        let mut gradient = Vec::with_capacity(self.values());
        for channel in by_picture.chunks_exact(h * w) {
            let mut grid = Vec::with_capacity(h * half);
            for row in channel.chunks_exact(w) {
                let mut line: Vec<Complex<f32>> = row.iter().map(|&g| Complex::new(g, 0.0)).collect();
                self.rows[0].process(&mut line);
                grid.extend((0..half).map(|x| {
                    let z = line[x] * self.copies(x);
                    if self.copies(x) < 2.0 {
                        Complex::new(z.re, 0.0)
                    } else {
                        z
                    }
                }));
            }
            self.along_columns(&mut grid, 0);
            gradient.extend(grid.iter().zip(&self.weights).map(|(z, &s)| z * s * scale));
        }
        gradient
    }

    fn along_columns(&self, grid: &mut [Complex<f32>], direction: usize) {
        let (h, half) = (self.height, self.half());
        let mut column = vec![Complex::default(); h];
        for x in 0..half {
            for (y, value) in column.iter_mut().enumerate() {
                *value = grid[y * half + x];
            }
            self.columns[direction].process(&mut column);
            for (y, value) in column.iter().enumerate() {
                grid[y * half + x] = *value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    fn noise(n: usize, name: &str) -> Vec<Complex<f32>> {
        let mut stream = SeedStream::new(1).stream(name);
        (0..n).map(|_| Complex::new(stream.normal(), stream.normal())).collect()
    }

    #[test]
    fn the_adjoint_is_the_transpose() {
        for dims in [[1, 4, 6], [3, 5, 7], [2, 6, 5], [1, 1, 2]] {
            let map = Fourier::new(dims, 1.0);
            let z = noise(map.values(), "z");
            let g: Vec<f32> = noise(dims.iter().product(), "g").iter().map(|c| c.re).collect();
            let forward: f64 = map.picture(&z).iter().zip(&g).map(|(a, b)| f64::from(a * b)).sum();
            let back: f64 = map
                .adjoint(&g)
                .iter()
                .zip(&z)
                .map(|(a, b)| f64::from(a.re * b.re + a.im * b.im))
                .sum();
            assert!(
                (forward - back).abs() < 1e-4 * forward.abs().max(1.0),
                "{dims:?}: {forward} {back}"
            );
        }
    }

    /// Made by NumPy: `numpy.fft.irfft2(s / numpy.maximum(f, 1/4), norm="ortho") / 4` with
    /// `s[y, x] = (3 y + x + 1) + i (y - x)` and `f = hypot(fftfreq(4)[:, None], rfftfreq(4)[None, :])`.
    #[test]
    fn pictures_are_numpys() {
        let map = Fourier::new([1, 4, 4], 1.0);
        let z: Vec<_> = (0..12)
            .map(|i| (i / 3, i % 3))
            .map(|(y, x)| Complex::new((3 * y + x + 1) as f32, y as f32 - x as f32))
            .collect();
        let found = map.picture(&z);
        for (i, (a, b)) in found.iter().zip(EXPECTED).enumerate() {
            assert!((a - b).abs() < 1e-5 * 30.0, "{i}: {a} {b}");
        }
    }

    const EXPECTED: [f32; 16] = [
        16.253_7, 1.011_33, -0.637_752, 1.872_76, -0.403_636, 2.916_82, -0.240_141, -2.773_04, -6.084_97, -0.549_534,
        -0.348_966, -2.516_53, -3.265_06, -1.878_61, -0.273_141, 0.916_815,
    ];
}
