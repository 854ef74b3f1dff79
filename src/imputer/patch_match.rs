//! # PatchMatch completion
//!
//! **What it computes.** Completes the picture from coarse to fine, so that every small patch that touches a removed pixel looks
//! like a patch of what is kept somewhere else; all patches over a pixel vote on its colour.
//!
//! **Formula.** On each level, `iterations` times: for each patch `t` with unknown pixels the nearest source patch
//! `s(t) = argmin mean (x[t] - x[s])^2`, found by PatchMatch (two scans that try the neighbours' matches and random ones at
//! halving distance); then each unknown pixel becomes the weighted mean of what the matches of all patches over it hold
//! there, with weights `1.3^-d exp(-e / 2 v)`: `d` steps from the patch's centre to a known pixel, `e` the patch's error, `v` the
//! 75th percentile of all errors. A level has half the size of the next, its pixels the means of the kept ones below; the
//! coarsest starts from means of neighbours, ring by ring, the others from the level before: from votes of its matches, moved
//! along. Sources are patches that are known as a whole. Where those are fewer than 2 % of all (scattered masks), the half of all
//! patches with most known pixels are, compared as they stand at the time; they vote by their known pixels only, and a level
//! then starts from the colours of the one before.
//!
//! **Shapes and sign.** Input and output `[C, H, W]`; kept pixels unchanged; at least one must be kept. Pictures smaller than a
//! patch are taken by patches of their own size.
//!
//! **Parameters.** `patch`: side of a patch in pixels. `iterations`: rounds of matching and voting on each level.
//!
//! **When it misleads.** It writes plausible texture, and may write a second object if one is kept in the picture: what was
//! removed can come back. Votes that disagree average to blur. The search is random: another seed completes otherwise.
//!
//! **Reference.** Barnes et al., PatchMatch: A Randomized Correspondence Algorithm for Structural Image Editing, SIGGRAPH 2009,
//! doi:10.1145/1531326.1531330; completion by Wexler, Shechtman & Irani, Space-Time Completion of Video, TPAMI 2007,
//! doi:10.1109/TPAMI.2007.60.
//!
//! **Parity.** No library holds this form, and the search is random: the tests beside the code hold the search against an
//! exhaustive one and the votes against plain sums in float64, `tests/axioms/patches.rs` what must come back.

use super::patches::{Canvas, Counts, LANES, Lanes, Row, total};
use super::{ImputeContext, Imputer, ImputerMeta, fill};
use crate::job::{Job, Passes};
use crate::rng::Stream;
use crate::{Error, Input, Mask, Tensor};

/// Weight of a patch for each step from its centre to a known pixel.
const FADE: f32 = 1.3;
/// Least share of patches that are sources.
const SOURCES: usize = 50;
/// Rows of patches between two looks at the job.
const PATIENCE: usize = 8;

/// See the [module](self).
pub struct PatchMatch;

crate::params! {
    /// Parameters of [`PatchMatch`].
    pub struct PatchMatchParams {
        /// Side of a patch in pixels.
        patch: usize = 7usize, int(1, 31);
        /// Rounds of matching and voting on each level.
        iterations: usize = 4usize, int(1, 50);
    }
}

impl Imputer for PatchMatch {
    type Params = PatchMatchParams;
    const META: ImputerMeta = ImputerMeta {
        id: "patch-match",
        name: "PatchMatch completion",
        summary: "Completes the picture by patches of what is kept, from coarse to fine.",
        reference: "Barnes et al. 2009, doi:10.1145/1531326.1531330; Wexler et al. 2007, doi:10.1109/TPAMI.2007.60",
        stochastic: true,
        needs_kept: true,
        network: None,
    };

    async fn impute(
        &self,
        cx: &ImputeContext<'_>,
        input: &Input,
        removed: &Mask,
        p: &PatchMatchParams,
    ) -> Result<Tensor, Error> {
        let mut random = cx.random.stream("patch-match/search");
        let mut levels = vec![Canvas::new(input, removed)];
        while let Some(last) = levels.last()
            && last.known.contains(&false)
            && last.height.min(last.width).div_ceil(2) >= p.patch
        {
            levels.push(last.halved());
        }
        let mut coarser: Option<Level> = None;
        while let Some(canvas) = levels.pop() {
            let mut level = Level::new(canvas, p.patch, coarser.as_ref(), &mut random);
            for _ in 0..p.iterations {
                level.measure(cx.job).await?;
                for backwards in [false, true] {
                    level.scan(cx.job, &mut random, backwards).await?;
                }
                level.vote(cx.job, true).await?;
            }
            coarser = Some(level);
        }
        let Some(level) = coarser else {
            return Ok(input.tensor.clone());
        };
        let found = level.canvas.planes();
        let pixels = removed.bits().len();
        Ok(fill(input, removed, |c, i| found.data()[c * pixels + i]))
    }
}

/// One size of the picture. Patches are named by their upper left pixel's place among `rows` by `columns`.
pub struct Level {
    canvas: Canvas,
    /// Height and width of a patch.
    patch: [usize; 2],
    rows: usize,
    columns: usize,
    /// All bits for each value of a row of a patch, none for what fills it up to whole lanes.
    line: Vec<u32>,
    /// Known pixels of each patch.
    counts: Vec<u32>,
    /// Whether each patch may be a source.
    source: Vec<bool>,
    sources: Vec<usize>,
    /// Whether each patch holds an unknown pixel.
    target: Vec<bool>,
    /// The match of each target.
    matched: Vec<usize>,
    /// Its mean squared error.
    error: Vec<f32>,
    fade: Vec<f32>,
}

impl Level {
    fn new(mut canvas: Canvas, side: usize, coarser: Option<&Self>, random: &mut Stream) -> Self {
        let (height, width) = (canvas.height, canvas.width);
        let patch = [side.min(height), side.min(width)];
        let (rows, columns) = (height - patch[0] + 1, width - patch[1] + 1);
        let known = Counts::new(&canvas.known, width);
        let full = (patch[0] * patch[1]) as u32;
        let counts: Vec<u32> = (0..rows * columns)
            .map(|t| known.within(t / columns, t % columns, patch[0], patch[1]))
            .collect();
        let least = least_known(&counts, full);
        let source: Vec<bool> = counts.iter().map(|&n| n >= least).collect();
        let sources: Vec<usize> = (0..source.len()).filter(|&s| source[s]).collect();
        let steps = canvas.steps_to_known();
        let centre = patch[0] / 2 * width + patch[1] / 2;
        let fade = (0..rows * columns)
            .map(|t| FADE.powi(-(steps[t / columns * width + t % columns + centre].min(200) as i32)))
            .collect();
        match coarser {
            Some(coarser) => canvas.enlarge(&coarser.canvas),
            None => canvas.peel(),
        }
        let values = patch[1] * canvas.channels;
        let line = (0..values.next_multiple_of(LANES)).map(|k| if k < values { u32::MAX } else { 0 });
        let mut level = Self {
            line: line.collect(),
            canvas,
            patch,
            rows,
            columns,
            target: counts.iter().map(|&n| n < full).collect(),
            counts,
            source,
            sources,
            matched: vec![0; rows * columns],
            error: vec![0.0; rows * columns],
            fade,
        };
        let mut inherited = false;
        for t in (0..rows * columns).filter(|&t| level.counts[t] < full) {
            let guess = coarser.and_then(|c| level.inherited(t, c));
            inherited |= guess.is_some();
            level.matched[t] = guess.unwrap_or_else(|| level.sources[random.index(level.sources.len())]);
        }
        // Where sources have holes, what the coarser level left is more than their few votes.
        if inherited && least == full {
            level.cast(false);
        }
        level
    }

    /// Twice the match of the coarser level's patch at half the place.
    fn inherited(&self, t: usize, coarser: &Self) -> Option<usize> {
        let (y, x) = (t / self.columns, t % self.columns);
        let (row, column) = ((y / 2).min(coarser.rows - 1), (x / 2).min(coarser.columns - 1));
        let before = row * coarser.columns + column;
        if !coarser.target[before] {
            return None;
        }
        let s = coarser.matched[before];
        let (row, column) = (s / coarser.columns * 2 + y % 2, s % coarser.columns * 2 + x % 2);
        let s = row * self.columns + column;
        (row < self.rows && column < self.columns && self.allowed(t, s)).then_some(s)
    }

    /// A patch that is not known as a whole is no match for itself.
    fn allowed(&self, t: usize, s: usize) -> bool {
        self.source[s] && s != t
    }

    /// The mean squared error of `s` for `t`; anything from `limit` on once it is reached.
    fn distance(&self, t: usize, s: usize, limit: f32) -> f32 {
        let (width, channels) = (self.canvas.width, self.canvas.channels);
        let place = |p: usize| p / self.columns * width + p % self.columns;
        let (t, from) = (place(t), place(s));
        let n = (self.patch[0] * self.patch[1] * channels) as f32;
        let limit = limit * n;
        let row = |first: usize, row: usize| {
            let at = (first + row * width) * channels;
            Row::new(&self.canvas.values[at..at + self.line.len()], &self.line)
        };
        let mut lanes = Lanes::default();
        for y in 0..self.patch[0] {
            row(t, y).squares(row(from, y), &mut lanes);
            if total(&lanes) >= limit {
                return f32::INFINITY;
            }
        }
        total(&lanes) / n.max(1.0)
    }

    /// The errors of the matches that there are.
    async fn measure(&mut self, job: &Job<'_>) -> Result<(), Error> {
        for t in 0..self.target.len() {
            if self.target[t] {
                self.error[t] = if self.allowed(t, self.matched[t]) {
                    self.distance(t, self.matched[t], f32::INFINITY)
                } else {
                    f32::INFINITY
                };
            }
            if t % (PATIENCE * self.columns) == 0 {
                job.step(Passes::default()).await?;
            }
        }
        Ok(())
    }

    fn attempt(&mut self, t: usize, s: usize) {
        if self.allowed(t, s) {
            let error = self.distance(t, s, self.error[t]);
            if error < self.error[t] {
                self.error[t] = error;
                self.matched[t] = s;
            }
        }
    }

    /// One scan over all targets, from the upper left or backwards: the matches of the two neighbours before, moved along, then
    /// random ones around the best.
    async fn scan(&mut self, job: &Job<'_>, random: &mut Stream, backwards: bool) -> Result<(), Error> {
        let all = self.target.len();
        for k in 0..all {
            if k % (PATIENCE * self.columns) == 0 {
                job.step(Passes::default()).await?;
            }
            let t = if backwards { all - 1 - k } else { k };
            if !self.target[t] {
                continue;
            }
            let (y, x) = (t / self.columns, t % self.columns);
            let (rows, columns) = (self.rows, self.columns);
            if backwards {
                if x + 1 < columns && self.target[t + 1] && !self.matched[t + 1].is_multiple_of(columns) {
                    self.attempt(t, self.matched[t + 1] - 1);
                }
                if y + 1 < rows && self.target[t + columns] && self.matched[t + columns] >= columns {
                    self.attempt(t, self.matched[t + columns] - columns);
                }
            } else {
                if x > 0 && self.target[t - 1] && self.matched[t - 1] % columns + 1 < columns {
                    self.attempt(t, self.matched[t - 1] + 1);
                }
                if y > 0 && self.target[t - columns] && self.matched[t - columns] + columns < all {
                    self.attempt(t, self.matched[t - columns] + columns);
                }
            }
            let mut radius = rows.max(columns);
            while radius > 0 {
                let best = self.matched[t];
                let mut near = |at: usize, end: usize| {
                    let from = at.saturating_sub(radius);
                    from + random.index((at + radius + 1).min(end) - from)
                };
                let s = near(best / columns, rows) * columns + near(best % columns, columns);
                self.attempt(t, s);
                radius /= 2;
            }
        }
        Ok(())
    }

    /// Unknown pixels become the mean of what the matches of the patches over them hold there.
    async fn vote(&mut self, job: &Job<'_>, weighed: bool) -> Result<(), Error> {
        self.cast(weighed);
        job.step(Passes::default()).await
    }

    fn cast(&mut self, weighed: bool) {
        let spread = if weighed { self.spread() } else { 0.0 };
        let (width, channels) = (self.canvas.width, self.canvas.channels);
        let mut weights = vec![0f32; self.canvas.known.len()];
        // Sums of differences from each pixel's first vote, so that votes which agree win bit for bit.
        let mut first = vec![0f32; self.canvas.values.len()];
        let mut sums = vec![0f32; self.canvas.values.len()];
        for t in (0..self.target.len()).filter(|&t| self.target[t]) {
            let s = self.matched[t];
            if !self.allowed(t, s) {
                continue;
            }
            let closeness = match self.error[t] {
                _ if !weighed => 1.0,
                e if e <= 0.0 => 1.0,
                e if spread > 0.0 => (-e / (2.0 * spread)).exp(),
                _ => 0.0,
            };
            let weight = self.fade[t] * closeness.max(1e-12);
            let (at, from) = (
                t / self.columns * width + t % self.columns,
                s / self.columns * width + s % self.columns,
            );
            for row in 0..self.patch[0] {
                for k in row * width..row * width + self.patch[1] {
                    let (to, from) = (at + k, from + k);
                    if self.canvas.known[to] || !self.canvas.known[from] {
                        continue;
                    }
                    let fresh = weights[to] <= 0.0;
                    weights[to] += weight;
                    for c in 0..channels {
                        let (to, value) = (to * channels + c, self.canvas.values[from * channels + c]);
                        if fresh {
                            first[to] = value;
                        }
                        sums[to] += weight * (value - first[to]);
                    }
                }
            }
        }
        for (i, weight) in weights.into_iter().enumerate() {
            if weight > 0.0 {
                for at in i * channels..(i + 1) * channels {
                    self.canvas.values[at] = first[at] + sums[at] / weight;
                }
            }
        }
    }

    /// The 75th percentile of the errors.
    fn spread(&self) -> f32 {
        let mut errors: Vec<f32> = (0..self.target.len())
            .filter(|&t| self.target[t])
            .map(|t| self.error[t])
            .collect();
        if errors.is_empty() {
            return 0.0;
        }
        let at = errors.len() * 3 / 4;
        *errors.select_nth_unstable_by(at, f32::total_cmp).1
    }
}

/// How many known pixels make a source: all, or where that leaves less than a share of `1 / SOURCES` of the patches, as many
/// as leave half of them.
fn least_known(counts: &[u32], full: u32) -> u32 {
    let enough = counts.len().div_ceil(SOURCES).max(counts.len().min(16));
    let mut having = vec![0usize; full as usize + 1];
    for &n in counts {
        having[n as usize] += 1;
    }
    if having[full as usize] >= enough {
        return full;
    }
    let mut total = 0;
    for n in (1..=full).rev() {
        total += having[n as usize];
        if total >= counts.len().div_ceil(2) {
            return n;
        }
    }
    1
}

impl Canvas {
    /// Unknown pixels from the picture of half the size.
    fn enlarge(&mut self, half: &Self) {
        for i in 0..self.known.len() {
            if !self.known[i] {
                let k = i / self.width / 2 * half.width + i % self.width / 2;
                let channels = self.channels;
                self.values[i * channels..(i + 1) * channels].copy_from_slice(half.pixel(k));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Silent;
    use crate::rng::SeedStream;

    fn level(gone: impl Fn(usize, usize) -> bool) -> (Level, Stream) {
        let mut random = SeedStream::new(4).stream("test");
        let x = Tensor::from_fn(&[2, 22, 24], |i| (i as f32 * 0.3).sin() + 0.05 * random.normal());
        let removed = Mask::new(22, 24, (0..22 * 24).map(|i| gone(i / 24, i % 24)).collect());
        let canvas = Canvas::new(&Input::preprocessed(x), &removed);
        (Level::new(canvas, 5, None, &mut random), random)
    }

    fn search(level: &mut Level, random: &mut Stream, rounds: usize) {
        let job = Job::new(&Silent);
        pollster::block_on(async {
            level.measure(&job).await.expect("nobody cancels");
            for k in 0..rounds {
                level.scan(&job, random, k % 2 == 1).await.expect("nobody cancels");
            }
        });
    }

    fn block(y: usize, x: usize) -> bool {
        (8..15).contains(&y) && (9..16).contains(&x)
    }

    fn scattered(y: usize, x: usize) -> bool {
        (y * 5 + x * 3) % 7 < 3
    }

    #[test]
    fn the_search_ends_where_an_exhaustive_one_does_and_comes_near_soon() {
        for gone in [block, scattered] {
            let (mut level, mut random) = level(gone);
            let total = |level: &Level| {
                let targets = (0..level.target.len()).filter(|&t| level.target[t] && level.error[t].is_finite());
                targets.map(|t| level.error[t]).sum::<f32>()
            };
            search(&mut level, &mut random, 0);
            let random_matches = total(&level);
            search(&mut level, &mut random, 4);
            let soon = total(&level);
            search(&mut level, &mut random, 250);
            let (mut found, mut least) = (0.0, 0.0);
            for t in (0..level.target.len()).filter(|&t| level.target[t]) {
                let all = level.sources.iter().filter(|&&s| s != t);
                let best = all
                    .map(|&s| level.distance(t, s, f32::INFINITY))
                    .fold(f32::INFINITY, f32::min);
                assert!(level.error[t] >= best && level.source[level.matched[t]]);
                found += level.error[t];
                least += best;
            }
            assert!(found <= 1.1 * least, "{found} {least}");
            assert!(soon < 0.25 * random_matches, "{soon} {random_matches}");
        }
    }

    /// For each unknown pixel the weighted mean over the patches that hold it, as the module says.
    #[test]
    fn votes_are_weighted_means() {
        for gone in [block, scattered] {
            let (mut level, mut random) = level(gone);
            search(&mut level, &mut random, 1);
            let (before, width) = (level.canvas.clone(), level.canvas.width);
            let spread = f64::from(level.spread());
            let steps = before.steps_to_known();
            level.cast(true);
            for i in (0..before.known.len()).filter(|&i| !before.known[i]) {
                let (y, x) = (i / width, i % width);
                for c in 0..2 {
                    let (mut sum, mut weights) = (0f64, 0f64);
                    for t in (0..level.target.len()).filter(|&t| level.target[t] && level.matched[t] != t) {
                        let (top, left) = (t / level.columns, t % level.columns);
                        if !(top..top + 5).contains(&y) || !(left..left + 5).contains(&x) {
                            continue;
                        }
                        let s = level.matched[t];
                        let from = (s / level.columns + y - top) * width + s % level.columns + x - left;
                        if before.known[from] {
                            let depth = steps[(top + 2) * width + left + 2];
                            let error = f64::from(level.error[t]);
                            let weight = 1.3f64.powi(-(depth as i32)) * (-error / (2.0 * spread)).exp().max(1e-12);
                            sum += weight * f64::from(before.values[from * 2 + c]);
                            weights += weight;
                        }
                    }
                    let found = f64::from(level.canvas.values[i * 2 + c]);
                    let expected = if weights > 0.0 {
                        sum / weights
                    } else {
                        f64::from(before.values[i * 2 + c])
                    };
                    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn sources_are_whole_patches_or_the_fullest() {
        assert_eq!(least_known(&[9; 100], 9), 9);
        let mut counts = vec![3; 1000];
        counts[..19].fill(9);
        counts[19..40].fill(8);
        assert_eq!(least_known(&counts, 9), 3);
        counts[..20].fill(9);
        assert_eq!(least_known(&counts, 9), 9);
        assert_eq!(least_known(&[0, 0, 1, 0], 9), 1);
    }
}
