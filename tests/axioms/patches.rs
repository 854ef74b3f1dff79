//! The fillings that copy patches: flat pictures and patterns come back, and the exemplar fills what a slow and plain form of
//! it fills.

use lucarne::imputer::{self, Networks};
use lucarne::job::{Job, Silent};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Input, Mask, Tensor};

use crate::harness::{imputing, number, values};

const BOTH: [&str; 2] = ["patch-match", "exemplar"];

fn impute(id: &str, params: &ParamValues, x: &Tensor, removed: &Mask) -> Tensor {
    let (job, random, networks) = (Job::new(&Silent), SeedStream::new(5), Networks::default());
    let cx = imputing(&job, &random, &networks);
    let entry = imputer::find(id).expect("it exists");
    pollster::block_on(imputer::impute(
        entry,
        params,
        &cx,
        &Input::preprocessed(x.clone()),
        removed,
    ))
    .expect("it can be filled")
}

fn mask(height: usize, width: usize, gone: impl Fn(usize, usize) -> bool) -> Mask {
    let bits = (0..height * width).map(|i| gone(i / width, i % width)).collect();
    Mask::new(height, width, bits)
}

/// Holes, scattered pixels, and all but one pixel.
fn masks(height: usize, width: usize) -> Vec<Mask> {
    vec![
        mask(height, width, |y, x| {
            y > height / 3 && y < 3 * height / 4 && x > width / 4 && x < 2 * width / 3
        }),
        mask(height, width, |y, x| (y * 31 + x * 17) % 7 < 4 && y + x > 0),
        mask(height, width, |y, x| (y * 31 + x * 17) % 19 != 3 && y + x > 0),
        mask(height, width, |y, x| (y, x) != (height / 2, width - 1)),
        mask(height, width, |y, _| y < height - 1),
    ]
}

#[test]
fn flat_pictures_come_back_bit_for_bit_whatever_their_size() {
    for [channels, height, width] in [[3, 37, 41], [1, 1, 1], [2, 1, 9], [4, 6, 2], [1, 8, 8], [3, 20, 5]] {
        let x = Tensor::from_fn(&[channels, height, width], |i| {
            0.1 + (i / (height * width)) as f32 * 0.7
        });
        for removed in masks(height, width).iter().filter(|m| m.count() < height * width) {
            for id in BOTH {
                assert_eq!(
                    impute(id, &ParamValues::new(), &x, removed),
                    x,
                    "{id} at {height} by {width}"
                );
            }
        }
    }
}

/// Stripes, a chessboard and a lattice: wherever the hole lies, its patches are seen elsewhere.
#[test]
fn periodic_pictures_with_a_hole_come_back() {
    let patterns: [fn(usize, usize) -> f32; 4] = [
        |_, x| [0.0, 1.0, 3.0, -2.0][x % 4],
        |y, x| ((y + x) % 2) as f32,
        |y, x| ((y % 3) * 3 + x % 3) as f32,
        |y, x| ((y + 2 * x) % 5) as f32 / 5.0,
    ];
    for (k, pattern) in patterns.iter().enumerate() {
        let x = Tensor::from_fn(&[1, 48, 52], |i| pattern(i / 52, i % 52));
        let holes = [
            mask(48, 52, |y, x| (14..31).contains(&y) && (17..36).contains(&x)),
            mask(48, 52, |y, x| y.abs_diff(20).pow(2) + x.abs_diff(25).pow(2) < 100),
        ];
        for removed in &holes {
            assert_eq!(impute("exemplar", &ParamValues::new(), &x, removed), x, "pattern {k}");
            let found = impute("patch-match", &ParamValues::new(), &x, removed);
            let square = |a: &Tensor| a.data().iter().zip(x.data()).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            let blank = imputer::fill(&Input::preprocessed(x.clone()), removed, |_, _| 1.0);
            let share = square(&found) / square(&blank);
            assert!(share < 0.02, "pattern {k}: {share}");
        }
    }
}

/// What the module of the exemplar says, in float64 and with everything computed anew at each step.
mod naive {
    pub struct Picture {
        pub height: usize,
        pub width: usize,
        pub channels: Vec<Vec<f64>>,
    }

    fn patch(p: &Picture, i: usize, side: usize) -> Vec<(isize, isize)> {
        let (y, x) = ((i / p.width) as isize, (i % p.width) as isize);
        let (from, to) = (-((side as isize - 1) / 2), side as isize / 2);
        let mut found = Vec::new();
        for dy in from..=to {
            for dx in from..=to {
                if (0..p.height as isize).contains(&(y + dy)) && (0..p.width as isize).contains(&(x + dx)) {
                    found.push((dy, dx));
                }
            }
        }
        found
    }

    fn moved(p: &Picture, i: usize, (dy, dx): (isize, isize)) -> Option<usize> {
        let (y, x) = ((i / p.width) as isize + dy, (i % p.width) as isize + dx);
        let inside = (0..p.height as isize).contains(&y) && (0..p.width as isize).contains(&x);
        inside.then_some((y * p.width as isize + x) as usize)
    }

    /// Row by row, so that equal patches have equal sums, bit for bit.
    fn total(p: &Picture, places: &[usize], confidence: &[f64]) -> f64 {
        let rows = places.chunk_by(|a, b| a / p.width == b / p.width);
        rows.map(|row| row.iter().map(|&k| confidence[k]).sum::<f64>()).sum()
    }

    fn priority(p: &Picture, known: &[bool], confidence: &[f64], range: f64, i: usize, side: usize) -> f64 {
        let around = patch(p, i, side);
        let places: Vec<usize> = around.iter().filter_map(|&d| moved(p, i, d)).collect();
        let trust = total(p, &places, confidence) / places.len() as f64;
        let grey = |k: usize| p.channels.iter().map(|c| c[k]).sum::<f64>() / p.channels.len() as f64 * (1.0 / range);
        let mut best = (0.0, 0.0, 0.0);
        for &k in &places {
            let cross = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)].map(|d| moved(p, k, d));
            if cross.iter().all(|k| k.is_some_and(|k| known[k])) {
                let [_, up, down, left, right] = cross.map(|k| grey(k.unwrap_or(0)));
                let (gy, gx) = ((down - up) / 2.0, (right - left) / 2.0);
                if gy * gy + gx * gx > best.0 {
                    best = (gy * gy + gx * gx, gy, gx);
                }
            }
        }
        let unknown = |d| f64::from(u8::from(moved(p, i, d).is_some_and(|k| !known[k])));
        let mut normal = (0.0, 0.0);
        for k in -1..=1 {
            normal.0 += unknown((1, k)) - unknown((-1, k));
            normal.1 += unknown((k, 1)) - unknown((k, -1));
        }
        let length = f64::sqrt(normal.0 * normal.0 + normal.1 * normal.1);
        let edge = if length > 0.0 {
            (best.2 * normal.0 - best.1 * normal.1).abs() / length
        } else {
            0.0
        };
        trust * (edge + 0.001)
    }

    /// The least mean squared difference among the sources of the best kind: (kind, error), larger kinds first.
    fn source(p: &Picture, known: &[bool], kept: &[bool], i: usize, side: usize, window: usize) -> Option<usize> {
        let around = patch(p, i, side);
        let wanted: Vec<_> = around
            .iter()
            .filter(|&&d| moved(p, i, d).is_some_and(|k| known[k]))
            .collect();
        let mut best: Option<(usize, f64, usize)> = None;
        for s in 0..known.len() {
            let apart = (s / p.width)
                .abs_diff(i / p.width)
                .max((s % p.width).abs_diff(i % p.width));
            if apart > window || !kept[s] || around.iter().any(|&d| moved(p, s, d).is_none()) {
                continue;
            }
            let there = |d: (isize, isize)| moved(p, s, d).is_some_and(|k| kept[k]);
            let compared: Vec<_> = wanted.iter().filter(|d| there(***d)).collect();
            let kind = if around.iter().all(|&d| there(d)) {
                usize::MAX
            } else if compared.is_empty() {
                continue;
            } else {
                compared.len().min(wanted.len().div_ceil(2))
            };
            let mut error = 0.0;
            for &&&d in &compared {
                for c in &p.channels {
                    let (a, b) = (moved(p, i, d).map(|k| c[k]), moved(p, s, d).map(|k| c[k]));
                    error += (a.unwrap_or(0.0) - b.unwrap_or(0.0)).powi(2);
                }
            }
            error /= (compared.len() * p.channels.len()).max(1) as f64;
            if best.is_none_or(|(k, e, _)| kind > k || (kind == k && error < e)) {
                best = Some((kind, error, s));
            }
        }
        best.map(|(_, _, s)| s)
    }

    pub fn exemplar(p: &mut Picture, kept: &[bool], side: usize, window: usize) {
        let mut known = kept.to_vec();
        let mut confidence: Vec<f64> = kept.iter().map(|&k| f64::from(u8::from(k))).collect();
        let values = || {
            p.channels
                .iter()
                .flat_map(|c| c.iter().zip(kept).filter(|(_, k)| **k).map(|(v, _)| *v))
        };
        let range = values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min);
        loop {
            let mut next: Option<(f64, usize)> = None;
            for i in (0..known.len()).filter(|&i| !known[i]) {
                let rim = [(-1, 0), (1, 0), (0, -1), (0, 1)];
                if rim.iter().any(|&d| moved(p, i, d).is_some_and(|k| known[k])) {
                    let priority = priority(p, &known, &confidence, range, i, side);
                    if next.is_none_or(|(best, _)| priority > best) {
                        next = Some((priority, i));
                    }
                }
            }
            let Some((_, i)) = next else { return };
            let around = patch(p, i, side);
            let places: Vec<usize> = around.iter().filter_map(|&d| moved(p, i, d)).collect();
            let trust = total(p, &places, &confidence) / places.len() as f64;
            let found =
                source(p, &known, kept, i, side, window).or_else(|| source(p, &known, kept, i, side, usize::MAX));
            let mut copies = Vec::new();
            if let Some(s) = found {
                for d in around {
                    if let (Some(to), Some(from)) = (moved(p, i, d), moved(p, s, d))
                        && !known[to]
                        && kept[from]
                    {
                        copies.push((to, from));
                    }
                }
            } else {
                let apart =
                    |k: usize| (k / p.width).abs_diff(i / p.width).pow(2) + (k % p.width).abs_diff(i % p.width).pow(2);
                let near = (0..kept.len())
                    .filter(|&k| kept[k])
                    .min_by_key(|&k| apart(k))
                    .expect("one is kept");
                copies.push((i, near));
            }
            for (to, from) in copies {
                for c in &mut p.channels {
                    c[to] = c[from];
                }
                known[to] = true;
                confidence[to] = trust;
            }
        }
    }
}

#[test]
fn the_exemplar_fills_what_its_plain_form_fills() {
    let shapes = [
        ([1, 24, 29], 5, 6),
        ([3, 19, 17], 9, 40),
        ([2, 30, 13], 4, 5),
        ([1, 9, 33], 3, 3),
    ];
    for (k, (dims, side, window)) in shapes.into_iter().enumerate() {
        let [channels, height, width] = dims;
        let mut noise = SeedStream::new(k as u64).stream("test/picture");
        let x = Tensor::from_fn(&dims, |i| (i as f32 * 0.21).sin() + 0.3 * noise.normal());
        for (m, removed) in masks(height, width).iter().enumerate() {
            let params = values([number("patch", side as f64), number("window", window as f64)]);
            let found = impute("exemplar", &params, &x, removed);
            let mut plain = naive::Picture {
                height,
                width,
                channels: (0..channels)
                    .map(|c| x.row(c).iter().map(|&v| f64::from(v)).collect())
                    .collect(),
            };
            let kept: Vec<bool> = removed.bits().iter().map(|gone| !gone).collect();
            naive::exemplar(&mut plain, &kept, side, window);
            for c in 0..channels {
                let alike = found
                    .row(c)
                    .iter()
                    .zip(&plain.channels[c])
                    .filter(|(a, b)| (f64::from(**a) - **b).abs() < 1e-6);
                assert_eq!(alike.count(), height * width, "shape {k}, mask {m}, channel {c}");
            }
        }
    }
}

#[test]
fn parameters_and_whole_pictures_are_refused_by_name() {
    let x = Tensor::zeros(&[1, 9, 9]);
    let (job, random, networks) = (Job::new(&Silent), SeedStream::new(5), Networks::default());
    let cx = imputing(&job, &random, &networks);
    for id in BOTH {
        let entry = imputer::find(id).expect("it exists");
        let run = |params: &ParamValues, removed: &Mask| {
            pollster::block_on(imputer::impute(
                entry,
                params,
                &cx,
                &Input::preprocessed(x.clone()),
                removed,
            ))
        };
        let error = run(&ParamValues::new(), &Mask::all(9, 9, true)).expect_err("nothing is kept");
        assert_eq!(error.code(), "cannot-impute");
        let error = run(&values([number("patch", 0.0)]), &masks(9, 9)[0]).expect_err("no patch is that small");
        assert_eq!(error.place(), Some("patch"));
    }
}
