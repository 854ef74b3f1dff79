//! Felzenszwalb: pixels are joined along edges of growing colour difference, as long as the difference is small against
//! what either side holds already.
//!
//! Felzenszwalb & Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004. Equal to
//! `skimage.segmentation.felzenszwalb` 0.26 on the RGB picture (gray ones with three equal channels), whose sort leaves
//! open which of two edges of the very same weight is first: here it is the one listed first.

use super::slic::difference;
use super::{Pixels, Segments};
use crate::Error;
use crate::job::{Job, Passes};

/// How to segment; the defaults are those of scikit-image but for the scale, as PAIR's XRAI begins with 50 to 1200.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Larger gives larger segments; differences count in 255ths.
    pub scale: f64,
    /// Blur before, in pixels; 0 for none.
    pub sigma: f64,
    /// Least pixels of a segment.
    pub min_size: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scale: 100.0,
            sigma: 0.8,
            min_size: 20,
        }
    }
}

/// Trees of pixels, each rooted at its least one.
struct Forest {
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl Forest {
    fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    /// Joins the trees of two roots; the root of the result.
    fn join(&mut self, a: usize, b: usize) -> usize {
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high] = low;
        self.size[low] += self.size[high];
        low
    }
}

/// Pairs of 8-connected pixels by growing difference of colour.
fn edges(pixels: &Pixels) -> Vec<(f64, usize, usize)> {
    let (height, width) = (pixels.height, pixels.width);
    let mut edges = Vec::with_capacity(4 * height * width);
    let mut add = |a: usize, b: usize| {
        let cost = difference(&pixels.values[a], &pixels.values[b]).sqrt();
        edges.push((cost, a, b));
    };
    for i in 0..height * width {
        if i % width + 1 < width {
            add(i + 1, i);
        }
    }
    for i in width..height * width {
        add(i, i - width);
    }
    for i in width..height * width {
        if i % width > 0 {
            add(i, i - width - 1);
        }
    }
    for i in width..height * width {
        if i % width + 1 < width {
            add(i - width + 1, i);
        }
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    edges
}

/// The regions of `pixels`, whose values are taken as they are.
pub async fn segment(job: &Job<'_>, pixels: &Pixels, options: &Options) -> Result<Segments, Error> {
    let (height, width) = (pixels.height, pixels.width);
    let blurred = pixels.blurred(options.sigma);
    job.step(Passes::default()).await?;
    let edges = edges(&blurred);
    job.step(Passes::default()).await?;
    let mut forest = Forest {
        parent: (0..height * width).collect(),
        size: vec![1; height * width],
    };
    let scale = options.scale / 255.0;
    let mut inner = vec![0.0f64; height * width];
    for chunk in edges.chunks(1 << 16) {
        for &(cost, a, b) in chunk {
            let (a, b) = (forest.root(a), forest.root(b));
            // In single precision, as the reference compares.
            let bound = |k: usize| (inner[k] + scale / forest.size[k] as f64) as f32;
            if a != b && cost < f64::from(bound(a).min(bound(b))) {
                let root = forest.join(a, b);
                inner[root] = cost;
            }
        }
        job.step(Passes::default()).await?;
    }
    for &(_, a, b) in &edges {
        let (a, b) = (forest.root(a), forest.root(b));
        if a != b && forest.size[a].min(forest.size[b]) < options.min_size {
            forest.join(a, b);
        }
    }
    let labels: Vec<usize> = (0..height * width).map(|i| forest.root(i)).collect();
    Ok(Segments::new(height, width, &labels))
}
