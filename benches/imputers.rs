//! How long each imputer takes to fill a picture of 3 x 224 x 224 on one thread.
//!
//! `cargo xtask bench [FILTER]`. Half of the pixels are removed, scattered or as one block, or nine of ten; imputers that
//! run a network are left out.

#[path = "support/clock.rs"]
mod clock;

use std::hint::black_box;

use lucarne::imputer::{self, IMPUTERS, ImputeContext, Networks};
use lucarne::job::{Job, Silent};
use lucarne::params::ParamValues;
use lucarne::rng::SeedStream;
use lucarne::{Input, Mask, Tensor};

const SIDE: usize = 224;

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|a| !a.starts_with("--"))
        .unwrap_or_default();
    println!(
        "{:<40} {:>10} {:>10} {:>12}",
        "", "best ms", "median ms", "fillings / s"
    );
    let (job, random, networks) = (Job::new(&Silent), SeedStream::new(0), Networks::default());
    let cx = ImputeContext {
        job: &job,
        random: &random,
        networks: &networks,
        device: None,
    };
    let mut noise = random.stream("bench/picture");
    let picture = Tensor::from_fn(&[3, SIDE, SIDE], |i| {
        let (y, x) = ((i / SIDE % SIDE) as f32, (i % SIDE) as f32);
        (y / 31.0).sin() * (x / 23.0).cos() + 0.1 * noise.normal()
    });
    let input = Input::preprocessed(picture);
    let mut chance = random.stream("bench/mask");
    let draws: Vec<f32> = (0..SIDE * SIDE).map(|_| chance.uniform()).collect();
    let inside = |i: usize| (20..178).contains(&(i / SIDE)) && (30..188).contains(&(i % SIDE));
    let masks: [(&str, &dyn Fn(usize) -> bool); 3] = [
        ("scattered", &|i| draws[i] < 0.5),
        ("block", &inside),
        ("sparse", &|i| draws[i] < 0.9),
    ];
    let params = ParamValues::new();
    for imputer in IMPUTERS.iter().filter(|i| i.meta().network.is_none()) {
        for (name, gone) in masks {
            let removed = Mask::new(SIDE, SIDE, (0..SIDE * SIDE).map(gone).collect());
            clock::time(&format!("{}/{name}", imputer.meta().id), &filter, || {
                let filled = imputer::impute(*imputer, &params, &cx, black_box(&input), &removed);
                black_box(pollster::block_on(filled).expect("the mask can be filled"));
            });
        }
    }
}
