//! The register tile of a matrix product: a few output channels times a few vectors of places.

use super::Epilogue;
use super::lanes::Lanes;

/// Most values of one tile, of any instruction set.
const MOST: usize = 256;

/// A run of places that lie beside each other in the output: lanes `lane..lane + length` of a block of places are
/// places `place..place + length` of the plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub lane: usize,
    pub place: usize,
    pub length: usize,
}

/// Where finished sums go.
pub(super) struct Finish<'a> {
    /// First channel of the strip's first panel, `[channels, plane]`.
    pub output: *mut f32,
    /// What is added, the same shape; or null.
    pub added: *const f32,
    /// One value for each channel from the strip's first on, in whole panels.
    pub bias: &'a [f32],
    /// Lowest and highest value.
    pub bounds: [f32; 2],
    /// Places of a plane.
    pub plane: usize,
    /// Channels from the strip's first on.
    pub channels: usize,
    /// The runs that hold the strip's lanes, the first of them at or before the strip's first lane.
    pub runs: &'a [Run],
    /// The strip's first lane within the runs' numbering.
    pub lane: usize,
}

/// A product of panels of weights with one strip of places.
pub(super) struct Strip<'a> {
    /// Weights `[panel][depth][ROWS]` from the first product on; the next panel starts `weights_step` later.
    pub weights: *const f32,
    pub weights_step: usize,
    /// Number of panels.
    pub panels: usize,
    /// Values `[depth][places]`, rows `places_step` apart.
    pub places: *const f32,
    pub places_step: usize,
    /// Products of each sum.
    pub depth: usize,
    /// Sums `[panel · ROWS][lanes]`, rows `sums_step` apart: continued unless `fresh`, kept unless `finish`.
    pub sums: *mut f32,
    pub sums_step: usize,
    pub fresh: bool,
    pub finish: Option<Finish<'a>>,
}

/// Computes a strip `V` vectors across, `R` channels at a time.
///
/// # Safety
/// All pointers are good for what the strip's fields say, in whole panels and whole vectors; only the lanes within the
/// runs are written to the output. `sums` may dangle if the strip is both fresh and finished.
#[allow(unsafe_code)]
#[inline(always)]
pub(super) unsafe fn strip<L: Lanes, const R: usize, const V: usize>(s: &Strip<'_>) {
    let mut panel = 0;
    // SAFETY: within `panels` panels.
    unsafe {
        // So few sums wait for one another: two panels at once.
        while V == 1 && R <= 4 && panel + 2 <= s.panels {
            let mut sums = [[[L::splat(0.0); V]; R]; 2];
            begin(s, panel, &mut sums[0]);
            begin(s, panel + 1, &mut sums[1]);
            let mut weights = s.weights.add(panel * s.weights_step);
            let mut places = s.places;
            for _ in 0..s.depth {
                add(weights, places, &mut sums[0]);
                add(weights.add(s.weights_step), places, &mut sums[1]);
                weights = weights.add(R);
                places = places.add(s.places_step);
            }
            end(s, panel, &sums[0]);
            end(s, panel + 1, &sums[1]);
            panel += 2;
        }
        while panel < s.panels {
            let mut sums = [[L::splat(0.0); V]; R];
            begin(s, panel, &mut sums);
            tile(
                s.weights.add(panel * s.weights_step),
                s.places,
                s.places_step,
                s.depth,
                &mut sums,
            );
            end(s, panel, &sums);
            panel += 1;
        }
    }
}

/// What the sums of a panel go on from.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn begin<L: Lanes, const R: usize, const V: usize>(s: &Strip<'_>, panel: usize, sums: &mut [[L; V]; R]) {
    if !s.fresh {
        let kept = s.sums.wrapping_add(panel * R * s.sums_step);
        for (r, row) in sums.iter_mut().enumerate() {
            for (v, sum) in row.iter_mut().enumerate() {
                // SAFETY: rows of whole vectors, one for each channel of the panels.
                *sum = unsafe { L::load(kept.add(r * s.sums_step + v * L::N)) };
            }
        }
    }
}

/// Where they go.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn end<L: Lanes, const R: usize, const V: usize>(s: &Strip<'_>, panel: usize, sums: &[[L; V]; R]) {
    if let Some(finish) = &s.finish {
        // SAFETY: the caller's promise.
        unsafe { write(finish, panel * R, sums) };
        return;
    }
    let kept = s.sums.wrapping_add(panel * R * s.sums_step);
    for (r, row) in sums.iter().enumerate() {
        for (v, sum) in row.iter().enumerate() {
            // SAFETY: as in `begin`.
            unsafe { sum.store(kept.add(r * s.sums_step + v * L::N)) };
        }
    }
}

/// Adds `depth` products to every sum, in their order.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn tile<L: Lanes, const R: usize, const V: usize>(
    mut weights: *const f32,
    mut places: *const f32,
    step: usize,
    depth: usize,
    sums: &mut [[L; V]; R],
) {
    let mut acc = *sums;
    // SAFETY: `depth` rows of `R` weights and of `V` vectors.
    unsafe {
        for _ in 0..depth {
            add(weights, places, &mut acc);
            weights = weights.add(R);
            places = places.add(step);
        }
    }
    *sums = acc;
}

/// Adds one product to every sum. Not a closure: those are compiled without the caller's instructions.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn add<L: Lanes, const R: usize, const V: usize>(
    weights: *const f32,
    places: *const f32,
    sums: &mut [[L; V]; R],
) {
    // SAFETY: a row of `R` weights and one of `V` vectors.
    unsafe {
        let mut across = [L::splat(0.0); V];
        for (v, vector) in across.iter_mut().enumerate() {
            *vector = L::load(places.add(v * L::N));
        }
        for (r, row) in sums.iter_mut().enumerate() {
            let weight = L::splat(*weights.add(r));
            for (sum, &vector) in row.iter_mut().zip(&across) {
                *sum = sum.plus_product(weight, vector);
            }
        }
    }
}

/// Writes finished sums of the channels from `first` on.
#[allow(unsafe_code)]
#[inline(always)]
unsafe fn write<L: Lanes, const R: usize, const V: usize>(f: &Finish<'_>, first: usize, sums: &[[L; V]; R]) {
    let rows = R.min(f.channels - first);
    let run = f.runs[0];
    let skipped = f.lane - run.lane;
    // SAFETY: channels below `channels`, and places of the runs.
    unsafe {
        if run.length >= skipped + V * L::N {
            let [low, high] = [L::splat(f.bounds[0]), L::splat(f.bounds[1])];
            let from = first * f.plane + run.place + skipped;
            for (r, row) in sums.iter().enumerate() {
                if r >= rows {
                    break;
                }
                let bias = L::splat(f.bias[first + r]);
                for (v, &sum) in row.iter().enumerate() {
                    let at = from + r * f.plane + v * L::N;
                    let mut value = sum.plus(bias);
                    if !f.added.is_null() {
                        value = value.plus(L::load(f.added.add(at)));
                    }
                    value.clamped(low, high).store(f.output.add(at));
                }
            }
        } else {
            let mut values = [0.0; MOST];
            for (r, row) in sums.iter().enumerate() {
                for (v, sum) in row.iter().enumerate() {
                    sum.store(values[(r * V + v) * L::N..][..L::N].as_mut_ptr());
                }
            }
            scatter(f, first, rows, V * L::N, &values);
        }
    }
}

/// Writes the lanes that the runs hold, one by one.
#[allow(unsafe_code)]
#[inline(never)]
unsafe fn scatter(f: &Finish<'_>, first: usize, rows: usize, lanes: usize, values: &[f32; MOST]) {
    for run in f.runs {
        if run.lane >= f.lane + lanes {
            break;
        }
        let from = run.lane.max(f.lane);
        let to = (run.lane + run.length).min(f.lane + lanes);
        for r in 0..rows {
            let start = (first + r) * f.plane + run.place - run.lane;
            for lane in from..to {
                // SAFETY: a place of a run, of a channel below `channels`.
                unsafe {
                    let at = start + lane;
                    let added = (!f.added.is_null()).then(|| *f.added.add(at));
                    let sum = values[r * lanes + lane - f.lane];
                    *f.output.add(at) = Epilogue::apply(sum, f.bias[first + r], added, f.bounds);
                }
            }
        }
    }
}
