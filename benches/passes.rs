//! How long one forward pass and one gradient pass of each bundled network take on one thread.
//!
//! `cargo xtask bench [FILTER]`. Plans are built before the clock starts; the median of at least two seconds is given.

#[path = "support/clock.rs"]
mod clock;

use std::hint::black_box;
use std::path::Path;

use lucarne::exec::Cpu;
use lucarne::model::{Limits, ModelCard};
use lucarne::rng::SeedStream;
use lucarne::{Model, Program, Tensor, Wrt};

use clock::time;

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|a| !a.starts_with("--"))
        .unwrap_or_default();
    println!("{:<40} {:>10} {:>10} {:>12}", "", "best ms", "median ms", "passes / s");
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let mut folders: Vec<_> = std::fs::read_dir(models)
        .expect("the models are there")
        .filter_map(|entry| Some(entry.ok()?.path()).filter(|folder| folder.join("card.toml").is_file()))
        .collect();
    folders.sort();
    for folder in folders {
        let text = std::fs::read_to_string(folder.join("card.toml")).expect("a card is text");
        let card = ModelCard::parse(&text).expect("bundled cards are right");
        let onnx = std::fs::read(folder.join(&card.file)).expect("the network is there");
        let id = card.id.clone();
        let model = Model::load(&onnx, card, Vec::new(), &Limits::default()).expect("bundled networks load");
        let [c, h, w] = model.input_dims();
        let mut noise = SeedStream::new(0).stream("bench/input");
        let x = Tensor::from_fn(&[1, c, h, w], |_| noise.normal());
        let cotangent = Tensor::from_fn(&[1, model.classes()], |k| f32::from(u8::from(k == 0)));
        let engine = Cpu::new(model);
        let (forward, gradient) = (Program::forward(&[]), Program::gradient(&[Wrt::Input]));
        let inputs = [x, cotangent];
        time(&format!("{id}/forward"), &filter, || {
            black_box(
                engine
                    .run_now(&forward, black_box(&inputs[..1]))
                    .expect("a forward pass"),
            );
        });
        time(&format!("{id}/gradient"), &filter, || {
            black_box(engine.run_now(&gradient, black_box(&inputs)).expect("a gradient pass"));
        });
    }
}
