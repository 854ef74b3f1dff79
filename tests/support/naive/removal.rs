//! Removal by the definitions: ROAD's equations and those of surfaces solved densely, and windows and sweeps one pixel at a time.

/// ROAD's linear imputation of one channel `[h * w]` by Gaussian elimination over all pixels: a kept pixel equals its
/// value, a removed one the weighted mean of its neighbours inside the picture.
pub fn linear_imputation(channel: &[f64], removed: &[bool], h: usize, w: usize) -> Vec<f64> {
    let n = h * w;
    let mut system = vec![vec![0.0; n + 1]; n];
    for i in 0..n {
        system[i][i] = 1.0;
        if !removed[i] {
            system[i][n] = channel[i];
            continue;
        }
        let mut neighbours = Vec::new();
        for (dy, dx) in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)] {
            let (y, x) = ((i / w) as isize + dy, (i % w) as isize + dx);
            if (0..h as isize).contains(&y) && (0..w as isize).contains(&x) {
                let weight = if dy == 0 || dx == 0 { 1.0 / 6.0 } else { 1.0 / 12.0 };
                neighbours.push((y as usize * w + x as usize, weight));
            }
        }
        let total: f64 = neighbours.iter().map(|(_, weight)| weight).sum();
        for (j, weight) in neighbours {
            system[i][j] -= weight / total;
        }
    }
    solve(system)
}

/// A surface over the removed pixels of one channel `[h * w]`, by Gaussian elimination over all pixels: a kept pixel equals
/// its value; at a removed one the differences to its neighbours beside it sum to zero, or, of a stiff surface, the
/// differences of those sums do.
pub fn surface(channel: &[f64], removed: &[bool], h: usize, w: usize, stiff: bool) -> Vec<f64> {
    let n = h * w;
    let mut membrane = vec![vec![0.0; n]; n];
    for (i, row) in membrane.iter_mut().enumerate() {
        for j in 0..n {
            let apart = (i / w).abs_diff(j / w) + (i % w).abs_diff(j % w);
            if apart == 1 {
                row[i] += 1.0;
                row[j] -= 1.0;
            }
        }
    }
    let mut system = vec![vec![0.0; n + 1]; n];
    for i in 0..n {
        if !removed[i] {
            system[i][i] = 1.0;
            system[i][n] = channel[i];
        } else if stiff {
            for j in 0..n {
                system[i][j] = (0..n).map(|k| membrane[i][k] * membrane[k][j]).sum();
            }
        } else {
            system[i][..n].copy_from_slice(&membrane[i]);
        }
    }
    solve(system)
}

/// What the rows `[n][n + 1]` of a system say, its right side last.
fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let n = system.len();
    for k in 0..n {
        let pivot = (k..n)
            .max_by(|&a, &b| system[a][k].abs().total_cmp(&system[b][k].abs()))
            .expect("rows are left");
        system.swap(k, pivot);
        let row = system[k].clone();
        for other in system.iter_mut().skip(k + 1) {
            let factor = other[k] / row[k];
            if factor != 0.0 {
                for (a, b) in other.iter_mut().zip(&row).skip(k) {
                    *a -= factor * b;
                }
            }
        }
    }
    let mut solution = vec![0.0; n];
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| system[k][j] * solution[j]).sum();
        solution[k] = (system[k][n] - known) / system[k][k];
    }
    solution
}

/// Occlusion with zeros by asking, for each pixel, which windows cover it.
pub fn occlusion(
    score: impl Fn(&[f64]) -> f64,
    x: &[f64],
    [c, h, w]: [usize; 3],
    window: usize,
    stride: usize,
) -> Vec<f64> {
    let starts = |side: usize| -> Vec<usize> {
        let mut at = vec![0];
        while at[at.len() - 1] + window < side {
            at.push(at[at.len() - 1] + stride);
        }
        at
    };
    let inside = |i: usize, start: usize| (start..start + window).contains(&i);
    (0..h * w)
        .map(|pixel| {
            let (mut sum, mut count) = (0.0, 0.0);
            for &top in starts(h).iter().filter(|&&s| inside(pixel / w, s)) {
                for &left in starts(w).iter().filter(|&&s| inside(pixel % w, s)) {
                    let hidden: Vec<f64> = (0..c * h * w)
                        .map(|i| {
                            if inside(i % (h * w) / w, top) && inside(i % w, left) {
                                0.0
                            } else {
                                x[i]
                            }
                        })
                        .collect();
                    sum += score(x) - score(&hidden);
                    count += 1.0;
                }
            }
            sum / count
        })
        .collect()
}

/// Scores as pixels are set to zero one by one in the given order: `pixels + 1` values.
pub fn deletion(score: impl Fn(&[f64]) -> f64, x: &[f64], pixels: usize, order: &[usize]) -> Vec<f64> {
    let mut x = x.to_vec();
    let mut out = vec![score(&x)];
    for &i in order {
        x.iter_mut().skip(i).step_by(pixels).for_each(|v| *v = 0.0);
        out.push(score(&x));
    }
    out
}
