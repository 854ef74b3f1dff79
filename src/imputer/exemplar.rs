//! # Exemplar
//!
//! **What it computes.** Fills removed regions from their rim inwards by copying patches of what is kept: first where most of a
//! patch is known and where edges run into the hole, so that edges are continued before texture closes over them.
//!
//! **Formula.** Of the removed pixels with a kept or filled neighbour (up, down, left, right) that with the largest priority
//! `C(p) (D(p) + 0.001)` is next. `C(p) = sum of C over the known pixels of the patch around p / its pixels`, `C` 1 where kept, 0
//! where removed, and that of `p` where filled with `p`. `D(p) = |g x n|`: `g` the steepest gradient of the mean of the channels in
//! the patch (central differences of known pixels), over the range of the kept values; `n` the unit normal of the rim. The
//! source is the patch with the least mean squared difference over the pixels known in both, among those kept as a whole;
//! its pixels are copied where the patch's are not known yet. Ties: the first in reading order.
//!
//! Where no patch in the window is kept as a whole (scattered masks), patches of which the centre is kept are compared over
//! the kept pixels that are known in both: those with at least half of the known pixels, else those with most; only their
//! kept pixels are copied. Where there are none either, the search goes over the whole picture; and where no patch fits
//! into it, the nearest kept pixel is copied.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one must be kept. Patches are cut off at the
//! border of the picture.
//!
//! **Parameters.** `patch`: side of a patch in pixels. `window`: how far around a patch sources are looked for, in pixels.
//!
//! **When it misleads.** A wrong copy is copied again: long edges bend, and a part of the object that is still kept may be
//! drawn into the hole. Texture that the window does not hold can't be made.
//!
//! **Reference.** Criminisi, Pérez & Toyama, Region Filling and Object Removal by Exemplar-Based Image Inpainting, IEEE TIP 2004,
//! doi:10.1109/TIP.2004.833105.
//!
//! **Parity.** No library that can be pinned holds it; a slow and plain form in float64 fills the same pixels in
//! `tests/axioms/patches.rs`.

use std::ops::Range;

use super::patches::{Canvas, beside};
use super::sources::{Reach, Sources};
use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::job::Passes;
use crate::{Error, Input, Mask, Tensor};

/// What the priority of a patch without any edge is, over its confidence.
const FLAT: f64 = 0.001;
/// Patches filled between two looks at the job.
const PATIENCE: usize = 4;

/// See the [module](self).
pub struct Exemplar;

crate::params! {
    /// Parameters of [`Exemplar`].
    pub struct ExemplarParams {
        /// Side of a patch in pixels.
        patch: usize = 9usize, int(1, 31);
        /// How far around a patch sources are looked for, in pixels.
        window: usize = 40usize, int(1, 4096);
    }
}

impl Imputer for Exemplar {
    type Params = ExemplarParams;
    const META: ImputerMeta = ImputerMeta {
        id: "exemplar",
        name: "Exemplar (Criminisi)",
        summary: "Copies patches of what is kept into the hole, along edges first.",
        reference: "Criminisi, Pérez & Toyama 2004, doi:10.1109/TIP.2004.833105",
        stochastic: false,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &ExemplarParams,
    ) -> Result<Tensor, Error> {
        let mut hole = Hole::new(Canvas::new(input, removed), p);
        let mut filled = 0;
        while let Some(next) = hole.queue.first() {
            hole.fill(next);
            filled += 1;
            if filled % PATIENCE == 0 {
                cx.job.step(Passes::default()).await?;
            }
        }
        let found = hole.canvas.planes();
        let pixels = removed.bits().len();
        Ok(fill(input, removed, |c, i| found.data()[c * pixels + i]))
    }
}

/// Pixels whose largest priority is kept together.
const BLOCK: usize = 64;
/// The priority of what is not on the rim.
const NONE: f64 = -1.0;

/// The priority of each pixel, of which the largest is found again after a few have changed.
struct Queue {
    priorities: Vec<f64>,
    /// The largest priority of each block.
    tops: Vec<f64>,
    stale: Vec<bool>,
}

impl Queue {
    fn new(pixels: usize) -> Self {
        let blocks = pixels.div_ceil(BLOCK);
        Self {
            priorities: vec![NONE; pixels],
            tops: vec![NONE; blocks],
            stale: vec![false; blocks],
        }
    }

    fn set(&mut self, i: usize, priority: f64) {
        self.priorities[i] = priority;
        self.stale[i / BLOCK] = true;
    }

    /// The pixel with the largest priority; of equal ones the first.
    fn first(&mut self) -> Option<usize> {
        let blocks = self.priorities.chunks(BLOCK).zip(&mut self.tops).zip(&mut self.stale);
        for ((block, top), stale) in blocks {
            if !std::mem::take(stale) {
                continue;
            }
            *top = block.iter().fold(NONE, |top, &p| if p > top { p } else { top });
        }
        let best = self.tops.iter().fold(NONE, |top, &p| if p > top { p } else { top });
        if best < 0.0 {
            return None;
        }
        let same = |p: &f64| p.total_cmp(&best).is_eq();
        let block = self.tops.iter().position(same)?;
        let within = &self.priorities[block * BLOCK..];
        within.iter().position(same).map(|k| block * BLOCK + k)
    }
}

/// How steep the picture is at a pixel.
#[derive(Clone, Copy, Default)]
struct Slope {
    /// The square of its length; 0 where a neighbour is not known.
    steep: f64,
    down: f64,
    across: f64,
}

impl Slope {
    fn steeper(self, than: Self) -> Self {
        if self.steep > than.steep { self } else { than }
    }
}

struct Hole {
    /// Known pixels are those kept or filled.
    canvas: Canvas,
    sources: Sources,
    confidence: Vec<f64>,
    /// Mean of the channels over the range of the kept values.
    grey: Vec<f64>,
    slopes: Vec<Slope>,
    /// Of the row of a patch around each pixel: the sum of its confidences, and its steepest slope, of equal ones the first.
    rows: Vec<(f64, Slope)>,
    queue: Queue,
    before: usize,
    after: usize,
    window: usize,
}

impl Hole {
    fn new(canvas: Canvas, p: &ExemplarParams) -> Self {
        let kept = &canvas.known;
        let values = || {
            let known = kept.iter().enumerate().filter(|(_, k)| **k);
            known.flat_map(|(i, _)| canvas.pixel(i)).map(|&v| f64::from(v))
        };
        let range = values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min);
        let scale = if range > 0.0 { 1.0 / range } else { 0.0 };
        let grey = |i: usize| {
            let sum: f64 = canvas.pixel(i).iter().map(|&v| f64::from(v)).sum();
            sum / canvas.channels as f64 * scale
        };
        let mut hole = Self {
            sources: Sources::new(&canvas),
            confidence: kept.iter().map(|&k| f64::from(u8::from(k))).collect(),
            grey: (0..kept.len()).map(grey).collect(),
            slopes: vec![Slope::default(); kept.len()],
            rows: vec![(0.0, Slope::default()); kept.len()],
            queue: Queue::new(kept.len()),
            before: (p.patch - 1) / 2,
            after: p.patch / 2,
            window: p.window,
            canvas,
        };
        // The scale of filled values is kept for later.
        hole.changed(0..hole.canvas.height, 0..hole.canvas.width);
        hole
    }

    fn reach(&self, i: usize) -> Reach {
        let (y, x) = (i / self.canvas.width, i % self.canvas.width);
        Reach {
            up: self.before.min(y),
            down: self.after.min(self.canvas.height - 1 - y),
            left: self.before.min(x),
            right: self.after.min(self.canvas.width - 1 - x),
        }
    }

    /// The patch around `i`, row by row.
    fn patch(&self, i: usize, reach: Reach) -> impl Iterator<Item = usize> + use<> {
        let (width, corner) = (self.canvas.width, reach.corner(i, self.canvas.width));
        (0..reach.height()).flat_map(move |y| (0..reach.width()).map(move |x| corner + y * width + x))
    }

    fn is_rim(&self, i: usize) -> bool {
        !self.canvas.known[i] && beside(i, self.canvas.height, self.canvas.width).any(|k| self.canvas.known[k])
    }

    /// Reckons again what depends on the pixels of some rows and columns, of which some have become known.
    fn changed(&mut self, rows: Range<usize>, columns: Range<usize>) {
        let (height, width) = (self.canvas.height, self.canvas.width);
        let wider = |r: &Range<usize>, before: usize, after: usize, end: usize| {
            r.start.saturating_sub(before)..(r.end + after).min(end)
        };
        let (rows, columns) = (wider(&rows, 1, 1, height), wider(&columns, 1, 1, width));
        for (y, x) in rows.clone().flat_map(|y| columns.clone().map(move |x| (y, x))) {
            self.slopes[y * width + x] = self.slope(y, x);
        }
        // A patch reaches `before` to the left and above, so that what lies there is seen from `after` away, and vice versa.
        let columns = wider(&columns, self.after, self.before, width);
        for (y, x) in rows.clone().flat_map(|y| columns.clone().map(move |x| (y, x))) {
            let around = y * width + x.saturating_sub(self.before)..y * width + (x + self.after + 1).min(width);
            let sum = self.confidence[around.clone()].iter().sum();
            let steepest = self.slopes[around]
                .iter()
                .fold(Slope::default(), |top, s| s.steeper(top));
            self.rows[y * width + x] = (sum, steepest);
        }
        let rows = wider(&rows, self.after, self.before, height);
        for i in rows.flat_map(|y| columns.clone().map(move |x| y * width + x)) {
            let rim = self.is_rim(i);
            if rim || self.queue.priorities[i] >= 0.0 {
                let priority = if rim {
                    self.trust(i) * (self.edge(i) + FLAT)
                } else {
                    NONE
                };
                self.queue.set(i, priority);
            }
        }
    }

    /// Central differences, where all that they take is known.
    fn slope(&self, y: usize, x: usize) -> Slope {
        let (height, width) = (self.canvas.height, self.canvas.width);
        if y == 0 || x == 0 || y + 1 == height || x + 1 == width {
            return Slope::default();
        }
        let k = y * width + x;
        let around = [k, k - 1, k + 1, k - width, k + width];
        if !around.iter().all(|&k| self.canvas.known[k]) {
            return Slope::default();
        }
        let down = (self.grey[k + width] - self.grey[k - width]) / 2.0;
        let across = (self.grey[k + 1] - self.grey[k - 1]) / 2.0;
        Slope {
            steep: down * down + across * across,
            down,
            across,
        }
    }

    /// The rows of the patch around a pixel, each by the pixel in its middle.
    fn patch_rows(&self, i: usize, reach: Reach) -> impl Iterator<Item = &(f64, Slope)> {
        let first = i - reach.up * self.canvas.width;
        self.rows[first..]
            .iter()
            .step_by(self.canvas.width)
            .take(reach.height())
    }

    /// The confidence of the patch around a pixel.
    fn trust(&self, i: usize) -> f64 {
        let reach = self.reach(i);
        let sum: f64 = self.patch_rows(i, reach).map(|(sum, _)| sum).sum();
        sum / (reach.height() * reach.width()) as f64
    }

    /// The data term: how steeply an edge runs into the hole.
    fn edge(&self, i: usize) -> f64 {
        let (height, width) = (self.canvas.height, self.canvas.width);
        let rows = self.patch_rows(i, self.reach(i));
        let steepest = rows.fold(Slope::default(), |top, (_, slope)| slope.steeper(top));
        // The rim's normal: where among the eight neighbours unknown pixels lie.
        let (y, x) = (i / width, i % width);
        let unknown = |dy: isize, dx: isize| {
            let inside = y
                .checked_add_signed(dy)
                .filter(|&y| y < height)
                .zip(x.checked_add_signed(dx).filter(|&x| x < width));
            f64::from(u8::from(inside.is_some_and(|(y, x)| !self.canvas.known[y * width + x])))
        };
        let side = |f: &dyn Fn(isize, isize) -> f64| (-1..=1).map(|k| f(1, k) - f(-1, k)).sum::<f64>();
        let normal = [side(&|a, b| unknown(a, b)), side(&|a, b| unknown(b, a))];
        let length = (normal[0] * normal[0] + normal[1] * normal[1]).sqrt();
        if length <= 0.0 {
            return 0.0;
        }
        // An isophote is the gradient turned by a right angle.
        (steepest.across * normal[0] - steepest.down * normal[1]).abs() / length
    }

    /// Copies the best source into the patch around `i`.
    fn fill(&mut self, i: usize) {
        let trust = self.trust(i);
        let reach = self.reach(i);
        let places: Vec<usize> = self.patch(i, reach).collect();
        let copies: Vec<(usize, usize)> = match self.source(i, reach) {
            Some(source) => {
                let from = |k: usize| source + k - i;
                let open = places
                    .iter()
                    .filter(|&&k| !self.canvas.known[k] && self.sources.kept[from(k)]);
                open.map(|&k| (k, from(k))).collect()
            }
            None => vec![(i, self.nearest(i))],
        };
        let channels = self.canvas.channels;
        for &(to, from) in &copies {
            self.canvas
                .values
                .copy_within(from * channels..(from + 1) * channels, to * channels);
            self.canvas.known[to] = true;
            self.confidence[to] = trust;
            self.grey[to] = self.grey[from];
        }
        let (y, x) = (i / self.canvas.width, i % self.canvas.width);
        self.changed(y - reach.up..y + reach.down + 1, x - reach.left..x + reach.right + 1);
    }

    /// The centre of the best source for the patch around `i`: in the window, else in the whole picture.
    fn source(&self, i: usize, reach: Reach) -> Option<usize> {
        let whole = self.canvas.height.max(self.canvas.width);
        let within = |window| self.sources.best(&self.canvas, i, reach, window);
        within(self.window).or_else(|| (self.window < whole).then(|| within(whole)).flatten())
    }

    /// The nearest kept pixel; of equally near ones the first.
    fn nearest(&self, i: usize) -> usize {
        let width = self.canvas.width;
        let apart = |k: usize| (k / width).abs_diff(i / width).pow(2) + (k % width).abs_diff(i % width).pow(2);
        let kept = (0..self.sources.kept.len()).filter(|&k| self.sources.kept[k]);
        kept.min_by_key(|&k| apart(k)).unwrap_or(i)
    }
}
