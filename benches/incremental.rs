//! What is saved where pictures differ little: whole jobs' pictures with results kept from one to the next, and without.
//!
//! `cargo xtask bench [FILTER]`. Both engines run one short share of each job in turn, on one thread; given are the
//! pictures a second of both, the ratio of the times, and the share of the multiply-adds that was computed. The last
//! table says how far one changed box reaches, layer by layer.
//!
//! With `--least` nothing is timed: a line of JSON for each job of `benches/jobs.rs` gives the share of the multiply-adds
//! that is left where each place in reach of a change is computed and no other.

#[path = "support/relevances.rs"]
mod relevances;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use lucarne::exec::Cpu;
use lucarne::graph::Incremental;
use lucarne::model::{Limits, ModelCard};
use lucarne::rng::SeedStream;
use lucarne::{Mask, Model, Program, Tensor};
use serde_json::json;

use relevances::{STEPS, relevances};

/// Pictures of a job that are timed at most.
const PICTURES: usize = 60;
/// Pictures that one engine runs before the other does.
const TURN: usize = 6;

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|a| !a.starts_with("--"))
        .unwrap_or_default();
    if std::env::args().any(|a| a == "--least") {
        return least();
    }
    println!(
        "{:<42} {:>8} {:>8} {:>7} {:>7}",
        "", "dense/s", "kept/s", "ratio", "share"
    );
    for id in ["efficientnet-lite0", "objects"] {
        let model = load(id);
        for (name, pictures) in jobs(model.input_dims()) {
            let name = format!("incremental/{id}/{name}");
            if name.contains(&filter) {
                compare(&name, &model, &pictures);
            }
        }
        if format!("incremental/{id}/growth").contains(&filter) {
            growth(&model);
        }
    }
}

fn load(id: &str) -> Arc<Model> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(id);
    let text = std::fs::read_to_string(folder.join("card.toml")).expect("a card is text");
    let card = ModelCard::parse(&text).expect("bundled cards are right");
    let onnx = std::fs::read(folder.join(&card.file)).expect("the network is there");
    Model::load(&onnx, card, Vec::new(), &Limits::default()).expect("bundled networks load")
}

/// What each job of `benches/jobs.rs` must compute at least. A picture is compared with the nearest one that was run: an
/// occluded one with the whole, one of a deletion with the one before.
fn least() {
    let id = "efficientnet-lite0";
    let model = load(id);
    let [_, h, w] = model.input_dims();
    let plan = model.network().plan(1, &Program::forward(&[])).expect("a plan");
    let incremental = Incremental::of(&plan).expect("one picture at a time");
    let say = |job: &str, changes: &[Mask]| {
        let sum: f64 = changes.iter().map(|changed| incremental.least(changed)).sum();
        let share = sum / changes.len() as f64;
        println!("{}", json!({ "network": id, "job": job, "share": share }));
    };
    let corners = |end: usize| (0..=end - 8).step_by(4);
    let windows: Vec<Mask> = corners(h)
        .flat_map(|top| corners(w).map(move |left| [top, left]))
        .map(|[top, left]| {
            let inside = |i: usize| (top..top + 8).contains(&(i / w)) && (left..left + 8).contains(&(i % w));
            Mask::new(h, w, (0..h * w).map(inside).collect())
        })
        .collect();
    say("occlusion", &windows);
    for job in ["deletion", "deletion-scattered"] {
        let map = relevances(job, h);
        let mut order: Vec<usize> = (0..map.len()).collect();
        order.sort_by(|&a, &b| map[b].total_cmp(&map[a]));
        let steps: Vec<Mask> = (0..STEPS)
            .map(|step| {
                let mut removed = vec![false; map.len()];
                let edge = |step: usize| step * map.len() / STEPS;
                order[edge(step)..edge(step + 1)]
                    .iter()
                    .for_each(|&k| removed[k] = true);
                Mask::new(h, w, removed)
            })
            .collect();
        say(job, &steps);
    }
}

/// Both engines on the same pictures, in turns.
fn compare(name: &str, model: &Arc<Model>, pictures: &[Tensor]) {
    let program = Program::forward(&[]);
    let engines = [Cpu::dense(model.clone()), Cpu::new(model.clone())];
    let mut spent = [0.0f64; 2];
    for turn in pictures.chunks(TURN) {
        for (engine, spent) in engines.iter().zip(&mut spent) {
            let start = Instant::now();
            for picture in turn {
                let outputs = engine.run_now(&program, std::slice::from_ref(black_box(picture)));
                black_box(outputs.expect("a forward pass"));
            }
            *spent += start.elapsed().as_secs_f64();
        }
    }
    let [dense, kept] = spent.map(|s| pictures.len() as f64 / s);
    let share = engines[1].share().unwrap_or(1.0);
    println!("{name:<42} {dense:>8.1} {kept:>8.1} {:>7.2} {share:>7.3}", kept / dense);
}

/// The pictures of jobs, in the order in which methods and metrics make them.
fn jobs([c, h, w]: [usize; 3]) -> Vec<(String, Vec<Tensor>)> {
    let mut noise = SeedStream::new(0).stream("bench/input");
    let base = Tensor::from_fn(&[1, c, h, w], |_| noise.normal());
    let with = |picture: &Tensor, inside: &dyn Fn(usize, usize) -> bool, from: Option<&Tensor>| {
        Tensor::from_fn(&[1, c, h, w], |i| {
            if inside(i / w % h, i % w) {
                from.map_or(0.0, |t| t.data()[i])
            } else {
                picture.data()[i]
            }
        })
    };
    let occlusion = |side: usize, stride: usize| {
        let (rows, columns) = ((h - side) / stride + 1, (w - side) / stride + 1);
        // A stretch from the middle of the picture.
        let first = (rows * columns / 2).saturating_sub(PICTURES / 2);
        let place = |k: usize| ((first + k) / columns * stride, (first + k) % columns * stride);
        let count = PICTURES.min(rows * columns);
        (0..count)
            .map(place)
            .map(|(y, x)| {
                with(
                    &base,
                    &|i, j| (y..y + side).contains(&i) && (x..x + side).contains(&j),
                    None,
                )
            })
            .collect::<Vec<_>>()
    };
    // An order of the pixels as a smooth map gives it: by the distance from a point, and that of a random map.
    let mut noise = SeedStream::new(1).stream("bench/order");
    let near: Vec<f32> = (0..h * w)
        .map(|i| ((i / w) as f32 - 0.4 * h as f32).hypot((i % w) as f32 - 0.6 * w as f32))
        .collect();
    let random: Vec<f32> = (0..h * w).map(|_| noise.uniform()).collect();
    let steps = |map: &[f32], from: &Tensor, to: Option<&Tensor>| {
        let mut sorted = map.to_vec();
        sorted.sort_by(f32::total_cmp);
        (0..=50)
            .map(|step| {
                let limit = sorted.get(step * h * w / 50).copied().unwrap_or(f32::INFINITY);
                with(from, &|i, j| map[i * w + j] < limit, to)
            })
            .collect::<Vec<_>>()
    };
    let blank = Tensor::zeros(&[1, c, h, w]);
    // 7 x 7 tiles as segments, of which a random half is kept.
    let mut noise = SeedStream::new(2).stream("bench/masks");
    let mut halves = |cells: usize| {
        (0..30)
            .map(|_| {
                let keep: Vec<bool> = (0..cells * cells).map(|_| noise.uniform() < 0.5).collect();
                with(&base, &|i, j| keep[i * cells / h * cells + j * cells / w], None)
            })
            .collect::<Vec<_>>()
    };
    let lime = halves(7);
    // As RISE: every pixel is scaled.
    let rise = halves(7)
        .iter()
        .map(|mask| {
            let soft = |i: usize| 0.25 + 0.5 * mask.data()[i].abs().min(1.0);
            Tensor::from_fn(&[1, c, h, w], |i| base.data()[i] * soft(i))
        })
        .collect();
    vec![
        ("occlusion-8-4".into(), occlusion(8, 4)),
        ("occlusion-16-8".into(), occlusion(16, 8)),
        ("occlusion-32-16".into(), occlusion(32, 16)),
        ("deletion-50".into(), steps(&near, &base, None)),
        ("insertion-50".into(), steps(&near, &blank, Some(&base))),
        ("deletion-50-random".into(), steps(&random, &base, None)),
        ("lime".into(), lime),
        ("rise".into(), rise),
    ]
}

/// How far a box in the middle reaches.
fn growth(model: &Model) {
    let plan = model.network().plan(1, &Program::forward(&[])).expect("a plan");
    let [_, h, w] = model.input_dims();
    let incremental = Incremental::of(&plan).expect("one picture at a time");
    for side in [8, 16, 32] {
        println!("\na box of {side} x {side} pixels reaches");
        let area = [h / 2 - side / 2, w / 2 - side / 2, side, side];
        for layer in incremental.growth(&plan, area) {
            let share = layer.share.map_or("all".into(), |s| format!("{:.1} %", 100.0 * s));
            println!(
                "{:<50} {:<16} {share:>8} {:>8.2} %",
                layer.name,
                layer.operator,
                100.0 * layer.cost
            );
        }
    }
}
