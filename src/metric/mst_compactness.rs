//! # MST compactness
//!
//! **What it computes.** How tightly the most relevant pixels sit together: few and short steps join them, in a small
//! part of the picture.
//!
//! **Formula.** `score = 100 d / sqrt(A) * n / L` over the `n` pixels whose magnitude is at least the percentile: `A`
//! the area of their convex hull, `L` the length of their shortest spanning tree, `d` the picture's diagonal. Where
//! the hull has no area, `sqrt(A)` is `d`.
//!
//! **Shapes and sign.** A pixel's relevance is the sum of the map over its channels; coarse maps are resized
//! bilinearly first. Above zero, higher is more compact; pixels are points at their centres. A map of zeros is
//! undefined.
//!
//! **Parameters.** `percentile`: pixels below it are left out, interpolated linearly. A constant map keeps every
//! pixel.
//!
//! **When it misleads.** A compact blob in the wrong place is compact; an object in two parts is punished for the gap.
//! The value depends on the percentile.
//!
//! **Reference.** Mesgari et al., Structural Compactness as a Complementary Criterion for Explanation Quality, 2026,
//! arXiv:2603.29491.
//!
//! **Parity.** Quantus `MSTC` with `auto_increase_k=True`. Its tree follows only each point's 20 nearest neighbours
//! and, unless told so, leaves out the gaps between clusters that these do not join; here the tree is the shortest
//! one. A map of zeros scores 0 there.

use super::{Category, Direction, Evidence, Measurement, Metric, MetricMeta, Score, masked};
use crate::job::Passes;
use crate::{Context, Error, Model};

/// See the [module](self).
pub struct MstCompactness;

crate::params! {
    /// Parameters of [`MstCompactness`].
    pub struct MstCompactnessParams {
        /// Pixels whose magnitude is below this percentile are left out.
        percentile: f64 = 80.0, real(0.0, 99.9);
    }
}

impl Metric for MstCompactness {
    type Params = MstCompactnessParams;
    const META: MetricMeta = MetricMeta {
        id: "mst-compactness",
        name: "MST compactness",
        category: Category::Complexity,
        direction: Direction::Higher,
        range: "above 0",
        summary: "Do the most relevant pixels sit tightly together?",
        caution: "A compact blob in the wrong place is compact too.",
        sensitive: &["percentile"],
        reference: "Mesgari et al. 2026, arXiv:2603.29491",
        needs: &[],
        imputer: "",
        stochastic: false,
    };

    fn passes(&self, _: &Model, _: &Evidence<'_>, _: &MstCompactnessParams) -> Result<Passes, Error> {
        Ok(Passes::default())
    }

    async fn evaluate(
        &self,
        cx: &Context<'_>,
        evidence: &Evidence<'_>,
        p: &MstCompactnessParams,
    ) -> Result<Measurement, Error> {
        let Some(shares) = masked::shares_of_largest(&evidence.relevance) else {
            return Ok(Measurement::undefined(masked::ZERO));
        };
        let [_, height, width] = evidence.input.dims();
        let cut = percentile(&shares, p.percentile);
        let points: Vec<(f64, f64)> = (0..shares.len())
            .filter(|&i| shares[i] >= cut)
            .map(|i| ((i / width) as f64, (i % width) as f64))
            .collect();
        if points.len() < 2 {
            return Ok(Measurement::undefined("fewer than two pixels are above the percentile"));
        }
        let diagonal = (height as f64).hypot(width as f64);
        let area = hull_area(&points);
        let side = if area > 1e-12 { area.sqrt() } else { diagonal };
        let length = tree_length(cx, &points).await?;
        Ok(Measurement::of(Score::Value(
            100.0 * diagonal / side * points.len() as f64 / length,
        )))
    }
}

/// NumPy's `percentile`: interpolated linearly between the values in rising order.
fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = percent / 100.0 * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high, t) = (sorted[below], sorted[above], at - below as f64);
    // From the nearer end, as NumPy does, so that the cut meets the value that it falls on.
    if t < 0.5 {
        low + (high - low) * t
    } else {
        high - (high - low) * (1.0 - t)
    }
}

/// Area of the convex hull, by Andrew's chain; `points` in rising order of both coordinates.
fn hull_area(points: &[(f64, f64)]) -> f64 {
    let turn = |a: (f64, f64), b: (f64, f64), c: (f64, f64)| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    let chain = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut hull: Vec<(f64, f64)> = Vec::new();
        for p in points {
            while hull.len() >= 2 && turn(hull[hull.len() - 2], hull[hull.len() - 1], p) <= 0.0 {
                hull.pop();
            }
            hull.push(p);
        }
        hull
    };
    let mut hull = chain(&mut points.iter().copied());
    let back = chain(&mut points.iter().rev().copied());
    hull.pop();
    hull.extend(&back[..back.len() - 1]);
    let cross = |i: usize| {
        let (a, b) = (hull[i], hull[(i + 1) % hull.len()]);
        a.0 * b.1 - a.1 * b.0
    };
    (0..hull.len()).map(cross).sum::<f64>().abs() / 2.0
}

/// Length of the shortest spanning tree, by Prim's algorithm in `n²` steps and memory of `n`.
async fn tree_length(cx: &Context<'_>, points: &[(f64, f64)]) -> Result<f64, Error> {
    let mut rest: Vec<((f64, f64), f64)> = points[1..].iter().map(|&p| (p, f64::INFINITY)).collect();
    let (mut last, mut length, mut work) = (points[0], 0.0, 0usize);
    while !rest.is_empty() {
        let mut nearest = 0;
        for k in 0..rest.len() {
            let ((y, x), known) = rest[k];
            let square = (y - last.0).powi(2) + (x - last.1).powi(2);
            rest[k].1 = known.min(square);
            if rest[k].1 < rest[nearest].1 {
                nearest = k;
            }
        }
        let (point, square) = rest.swap_remove(nearest);
        last = point;
        length += square.sqrt();
        work += rest.len();
        if work > 1_000_000 {
            work = 0;
            cx.job.step(Passes::default()).await?;
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hulls_by_hand() {
        assert!((hull_area(&[(0.0, 0.0), (0.0, 2.0), (1.0, 1.0), (2.0, 0.0), (2.0, 2.0)]) - 4.0).abs() < 1e-12);
        assert!((hull_area(&[(0.0, 0.0), (1.0, 3.0), (2.0, 0.0)]) - 3.0).abs() < 1e-12);
        assert!(hull_area(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]).abs() < 1e-12);
        assert!(hull_area(&[(0.0, 0.0), (1.0, 1.0)]).abs() < 1e-12);
    }

    #[test]
    fn percentiles_as_by_numpy() {
        let values = [3.0, 1.0, 2.0, 10.0];
        for (percent, expected) in [(0.0, 1.0), (50.0, 2.5), (80.0, 5.8), (90.0, 7.9)] {
            assert!((percentile(&values, percent) - expected).abs() < 1e-12, "{percent}");
        }
    }
}
