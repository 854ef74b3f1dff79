//! Exact optimal transport between two distributions over the cells of a small grid.

use crate::job::Passes;
use crate::{Context, Error};

/// Units that the whole mass is cut into: coarse enough to be exact as integers, fine enough to be below rounding.
const UNITS: f64 = (1u64 << 44) as f64;

/// A point `(y, x)`.
pub type Point = (f64, f64);

/// The least cost of carrying the mass `from` into `to` over the same `points`, a unit of mass over a unit of Euclidean
/// distance costing one. Both are not negative and have a sum above zero, by which they are divided.
///
/// What lies at one point in both stays there, which is optimal as distances are a metric. The rest goes by successive
/// shortest paths over whole units, which end; memory is the product of the points that give and take.
pub async fn cost(cx: &Context<'_>, points: &[Point], from: &[f64], to: &[f64]) -> Result<f64, Error> {
    let (a, b) = (units(from), units(to));
    let side = |a: &[u64], b: &[u64]| -> Vec<(Point, u64)> {
        let more = (0..points.len()).filter(|&i| a[i] > b[i]);
        more.map(|i| (points[i], a[i] - b[i])).collect()
    };
    let (sources, sinks) = (side(&a, &b), side(&b, &a));
    if sources.is_empty() {
        return Ok(0.0);
    }
    let mut flow = Flow::new(&sources, &sinks);
    let mut work = 0;
    while let Some(steps) = flow.augment() {
        work += steps;
        if work > 2_000_000 {
            work = 0;
            cx.job.step(Passes::default()).await?;
        }
    }
    Ok(flow.cost() / UNITS)
}

/// The distribution in whole units that sum to [`UNITS`].
fn units(mass: &[f64]) -> Vec<u64> {
    let total: f64 = mass.iter().sum();
    // Differences of the rounded running sum, so that nothing is lost.
    let (mut sum, mut before) = (0.0, 0u64);
    let last = mass.iter().rposition(|&m| m > 0.0).unwrap_or(0);
    let mut out = vec![0; mass.len()];
    for (i, m) in mass.iter().enumerate().take(last + 1) {
        sum += m;
        let now = if i == last {
            UNITS as u64
        } else {
            (sum / total * UNITS).min(UNITS) as u64
        };
        out[i] = now - before;
        before = now;
    }
    out
}

struct Flow {
    /// Distances, `[sources, sinks]`.
    costs: Vec<f64>,
    /// Units carried, `[sources, sinks]`.
    carried: Vec<u64>,
    left: Vec<u64>,
    wanted: Vec<u64>,
    /// Potentials of sources, then of sinks: reduced costs `c + p(source) - p(sink)` are not negative.
    potential: Vec<f64>,
}

impl Flow {
    fn new(sources: &[(Point, u64)], sinks: &[(Point, u64)]) -> Self {
        let distance = |a: Point, b: Point| (a.0 - b.0).hypot(a.1 - b.1);
        let row = |s: &(Point, u64)| sinks.iter().map(|t| distance(s.0, t.0)).collect::<Vec<_>>();
        let costs: Vec<f64> = sources.iter().flat_map(row).collect();
        Self {
            carried: vec![0; costs.len()],
            costs,
            left: sources.iter().map(|s| s.1).collect(),
            wanted: sinks.iter().map(|t| t.1).collect(),
            potential: vec![0.0; sources.len() + sinks.len()],
        }
    }

    /// Sends as much as fits from one source with mass left along the shortest path to any sink that wants some, by
    /// Dijkstra's algorithm over reduced costs, which are zero where something is carried. Returns the steps it took, or
    /// `None` when all is carried.
    fn augment(&mut self) -> Option<usize> {
        let (m, n) = (self.left.len(), self.wanted.len());
        let start = (0..m).find(|&i| self.left[i] > 0)?;
        // Distances and the source before each sink; the sink before each source that is on the way.
        let (mut reach, mut before) = (vec![f64::INFINITY; n], vec![usize::MAX; n]);
        let mut done: Vec<usize> = Vec::new();
        let mut open: Vec<usize> = (0..n).collect();
        let mut sources = vec![(start, 0.0, usize::MAX)];
        let mut seen = vec![false; m];
        seen[start] = true;
        let (mut next, mut steps) = (0, m + n);
        let end = loop {
            for &(i, at, _) in &sources[next..] {
                steps += open.len();
                for &j in &open {
                    let reduced = self.costs[i * n + j] + self.potential[i] - self.potential[m + j];
                    let through = at + reduced.max(0.0);
                    if through < reach[j] {
                        (reach[j], before[j]) = (through, i);
                    }
                }
            }
            next = sources.len();
            let nearest = (0..open.len()).min_by(|&a, &b| reach[open[a]].total_cmp(&reach[open[b]]))?;
            let j = open.swap_remove(nearest);
            done.push(j);
            if self.wanted[j] > 0 {
                break j;
            }
            steps += m + open.len();
            for (i, seen) in seen.iter_mut().enumerate() {
                if !*seen && self.carried[i * n + j] > 0 {
                    *seen = true;
                    sources.push((i, reach[j], j));
                }
            }
        };
        let far = reach[end];
        for &(i, at, _) in &sources {
            self.potential[i] += at - far;
        }
        for &j in &done {
            self.potential[m + j] += reach[j] - far;
        }
        let mut came = vec![usize::MAX; m];
        for &(i, _, from) in &sources {
            came[i] = from;
        }
        self.send(start, end, &before, &came);
        Some(steps)
    }

    fn send(&mut self, start: usize, end: usize, before: &[usize], came: &[usize]) {
        let n = self.wanted.len();
        let mut path = Vec::new();
        let mut sink = end;
        loop {
            let source = before[sink];
            path.push((source, sink));
            if source == start {
                break;
            }
            sink = came[source];
        }
        let back = path.iter().filter(|(source, _)| *source != start);
        let held = back.map(|&(source, _)| self.carried[source * n + came[source]]).min();
        let amount = self.wanted[end].min(self.left[start]).min(held.unwrap_or(u64::MAX));
        self.left[start] -= amount;
        self.wanted[end] -= amount;
        for (source, sink) in path {
            self.carried[source * n + sink] += amount;
            if source != start {
                self.carried[source * n + came[source]] -= amount;
            }
        }
    }

    fn cost(&self) -> f64 {
        self.carried.iter().zip(&self.costs).map(|(&f, c)| f as f64 * c).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeedStream;

    fn least(points: &[Point], from: &[f64], to: &[f64]) -> f64 {
        let (a, b) = (units(from), units(to));
        let side = |a: &[u64], b: &[u64]| -> Vec<(Point, u64)> {
            (0..points.len())
                .filter(|&i| a[i] > b[i])
                .map(|i| (points[i], a[i] - b[i]))
                .collect()
        };
        let mut flow = Flow::new(&side(&a, &b), &side(&b, &a));
        while flow.augment().is_some() {}
        assert!(flow.left.iter().chain(&flow.wanted).all(|&v| v == 0), "all is carried");
        flow.cost() / UNITS
    }

    fn line(n: usize) -> Vec<Point> {
        (0..n).map(|i| (0.0, i as f64)).collect()
    }

    #[test]
    fn whole_units_sum_to_one() {
        for mass in [vec![1.0; 7], vec![0.1, 0.0, 1e-9, 3.0, 0.0], vec![0.0, 2.0]] {
            assert_eq!(units(&mass).iter().sum::<u64>(), UNITS as u64, "{mass:?}");
        }
        assert_eq!(units(&[0.0, 2.0]), [0, UNITS as u64]);
    }

    /// On a line, the cost is the area between the running sums.
    #[test]
    fn on_a_line_it_is_the_area_between_the_running_sums() {
        for seed in 0..20 {
            let mut stream = SeedStream::new(seed).stream("t");
            let mut draw = || (0..17).map(|_| f64::from(stream.uniform())).collect::<Vec<_>>();
            let (a, b) = (draw(), draw());
            let (ta, tb): (f64, f64) = (a.iter().sum(), b.iter().sum());
            let (mut gap, mut expected) = (0.0f64, 0.0);
            for (a, b) in a.iter().zip(&b) {
                gap += a / ta - b / tb;
                expected += gap.abs();
            }
            let found = least(&line(17), &a, &b);
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }

    #[test]
    fn a_pixel_far_away_costs_its_distance() {
        let points = [(0.0, 0.0), (0.0, 1.0), (3.0, 4.0), (1.0, 1.0)];
        assert!((least(&points, &[2.0, 0.0, 0.0, 0.0], &[0.0, 0.0, 5.0, 0.0]) - 5.0).abs() < 1e-9);
        assert!(least(&points, &[1.0, 2.0, 3.0, 4.0], &[0.1, 0.2, 0.3, 0.4]).abs() < 1e-9);
    }
}
