//! SLIC: k-means of colour and place, each centre seeing only its surroundings, then every segment made connected.
//!
//! Achanta et al., SLIC Superpixels Compared to State-of-the-art Superpixel Methods, TPAMI 2012. Equal to
//! `skimage.segmentation.slic` 0.26 on the RGB picture (gray ones with three equal channels), `start_label=0`.

use super::{Pixels, Segments};
use crate::Error;
use crate::job::{Job, Passes};

/// How to segment; the defaults are scikit-image's.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// About how many segments.
    pub segments: usize,
    /// How much nearness in the picture counts against nearness of colour.
    pub compactness: f64,
    /// Blur before, in pixels; 0 for none.
    pub sigma: f64,
    /// Rounds of k-means at most.
    pub rounds: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segments: 100,
            compactness: 10.0,
            sigma: 0.0,
            rounds: 10,
        }
    }
}

/// Where the first centres lie along one side: `start, start + step, …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Every {
    start: usize,
    step: usize,
}

/// About `points` places spread evenly over `height * width`, along each side.
fn spread(height: usize, width: usize, points: usize) -> [Every; 2] {
    if height * width <= points {
        return [Every { start: 0, step: 1 }; 2];
    }
    let (short, long) = (height.min(width) as f64, height.max(width) as f64);
    let mut steps = [(short * long / points as f64).sqrt(); 2];
    if short < steps[0] {
        steps = [short, long / points as f64];
    }
    let every = steps.map(|s| Every {
        start: (s / 2.0).floor() as usize,
        step: (s.round_ties_even() as usize).max(1),
    });
    if height <= width { every } else { [every[1], every[0]] }
}

/// One centre: row, column, colour; without members it attracts nothing any more.
#[derive(Clone, Copy)]
struct Centre {
    place: [f64; 2],
    colour: [f64; 3],
    empty: bool,
}

const NOBODY: usize = usize::MAX;

/// The superpixels of `pixels`.
pub async fn segment(job: &Job<'_>, pixels: &Pixels, options: &Options) -> Result<Segments, Error> {
    let (height, width) = (pixels.height, pixels.width);
    let shrink = 1.0 / options.compactness;
    let colours = pixels
        .stretched()
        .lab()
        .blurred(options.sigma)
        .map(|v| v.map(|x| x * shrink));
    job.step(Passes::default()).await?;
    let [rows, columns] = spread(height, width, options.segments);
    let mut centres = Vec::new();
    for y in (rows.start..height).step_by(rows.step) {
        for x in (columns.start..width).step_by(columns.step) {
            centres.push(Centre {
                place: [y as f64, x as f64],
                colour: [0.0; 3],
                empty: false,
            });
        }
    }
    let step = rows.step.max(columns.step) as f64;
    let [rows, columns] = spread(height, width, centres.len());
    let reach = [rows.step as f64 * 2.0, columns.step as f64 * 2.0];
    let weight = 1.0 / (step * step);
    let mut nearest = vec![NOBODY; height * width];
    for _ in 0..options.rounds {
        if !assign(&colours, &centres, reach, weight, &mut nearest) {
            break;
        }
        move_to_means(&colours, &nearest, &mut centres);
        job.step(Passes::default()).await?;
    }
    let size = (height * width) as f64 / centres.len() as f64;
    let labels = connect(&nearest, height, width, (0.5 * size) as usize, (3.0 * size) as usize);
    Ok(Segments::new(height, width, &labels))
}

/// Gives each pixel the nearest centre of those that see it; whether anything came nearer than nothing.
fn assign(colours: &Pixels, centres: &[Centre], reach: [f64; 2], weight: f64, nearest: &mut [usize]) -> bool {
    let (height, width) = (colours.height, colours.width);
    let mut distance = vec![f64::MAX; height * width];
    let mut changed = false;
    let window = |at: f64, reach: f64, side: usize| {
        let from = (at - reach).max(0.0) as usize;
        from..(at + reach + 1.0).min(side as f64) as usize
    };
    for (k, centre) in centres.iter().enumerate().filter(|(_, c)| !c.empty) {
        let [cy, cx] = centre.place;
        for y in window(cy, reach[0], height) {
            let dy = (cy - y as f64) * (cy - y as f64);
            for x in window(cx, reach[1], width) {
                let i = y * width + x;
                let dx = (cx - x as f64) * (cx - x as f64);
                let colour = difference(&colours.values[i], &centre.colour);
                let found = (dy + dx) * weight + colour;
                if distance[i] > found {
                    distance[i] = found;
                    nearest[i] = k;
                    changed = true;
                }
            }
        }
    }
    changed
}

/// Squared Euclidean distance.
pub(super) fn difference(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    let [r, g, b] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    r * r + g * g + b * b
}

fn move_to_means(colours: &Pixels, nearest: &[usize], centres: &mut [Centre]) {
    let mut counts = vec![0u32; centres.len()];
    for centre in centres.iter_mut() {
        *centre = Centre {
            place: [0.0; 2],
            colour: [0.0; 3],
            empty: false,
        };
    }
    for (i, &k) in nearest.iter().enumerate().filter(|(_, k)| **k != NOBODY) {
        counts[k] += 1;
        let centre = &mut centres[k];
        centre.place[0] += (i / colours.width) as f64;
        centre.place[1] += (i % colours.width) as f64;
        for c in 0..3 {
            centre.colour[c] += colours.values[i][c];
        }
    }
    for (centre, n) in centres.iter_mut().zip(counts) {
        centre.empty = n == 0;
        let n = f64::from(n.max(1));
        centre.place = centre.place.map(|v| v / n);
        centre.colour = centre.colour.map(|v| v / n);
    }
}

/// Renumbers 4-connected pieces in scan order; those of fewer than `min` pixels join a neighbour that was numbered
/// before, and a piece ends at `max` pixels, the rest being another.
fn connect(labels: &[usize], height: usize, width: usize, min: usize, max: usize) -> Vec<usize> {
    let mut out = vec![NOBODY; labels.len()];
    let mut next = 0;
    let mut piece = Vec::new();
    for start in 0..labels.len() {
        if labels[start] == NOBODY || out[start] != NOBODY {
            continue;
        }
        let mut adjacent = next;
        out[start] = next;
        piece.clear();
        piece.push(start);
        let mut visited = 0;
        while visited < piece.len() && piece.len() < max {
            let (y, x) = (piece[visited] / width, piece[visited] % width);
            let around = [
                (x + 1 < width).then(|| y * width + x + 1),
                (x > 0).then(|| y * width + x.wrapping_sub(1)),
                (y + 1 < height).then(|| (y + 1) * width + x),
                (y > 0).then(|| y.wrapping_sub(1) * width + x),
            ];
            for i in around.into_iter().flatten() {
                if labels[i] == labels[start] && out[i] == NOBODY {
                    out[i] = next;
                    piece.push(i);
                    if piece.len() >= max {
                        break;
                    }
                } else if out[i] != NOBODY && out[i] != next {
                    adjacent = out[i];
                }
            }
            visited += 1;
        }
        if piece.len() < min {
            for &i in &piece {
                out[i] = adjacent;
            }
        } else {
            next += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Silent;

    /// Made by scikit-image 0.26: `skimage.util.regular_grid((1, h, w), n)`.
    #[test]
    fn seeds_lie_where_scikit_image_puts_them() {
        let every = |start, step| Every { start, step };
        assert_eq!(spread(224, 224, 100), [every(11, 22), every(11, 22)]);
        assert_eq!(spread(20, 40, 8), [every(5, 10), every(5, 10)]);
        assert_eq!(spread(3, 40, 2), [every(1, 3), every(10, 20)]);
        assert_eq!(spread(40, 3, 2), [every(10, 20), every(1, 3)]);
        assert_eq!(spread(4, 4, 16), [every(0, 1), every(0, 1)]);
    }

    #[test]
    fn every_size_comes_out_in_whole_labels() {
        for (h, w, n) in [(1, 1, 1), (1, 9, 3), (7, 2, 14), (5, 5, 1), (31, 17, 40)] {
            let values = (0..h * w).map(|i| [(i * 37 % 11) as f64 / 11.0, 0.3, 0.1]).collect();
            let pixels = Pixels {
                height: h,
                width: w,
                values,
            };
            let options = Options {
                segments: n,
                ..Options::default()
            };
            let found = pollster::block_on(segment(&Job::new(&Silent), &pixels, &options)).unwrap();
            assert!(found.count >= 1 && found.labels.iter().all(|&l| (l as usize) < found.count));
        }
    }
}
