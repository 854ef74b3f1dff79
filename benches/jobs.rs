//! Whole jobs on one thread, asked for as the page asks: by the protocol's requests to a service.
//!
//! `cargo xtask bench [FILTER]` times each job once on every network of `benches/networks`. With `--serve` the program
//! reads one measurement a line from standard input and answers with a line each, as `benches/python/jobs.py` does.

#[path = "support/relevances.rs"]
mod relevances;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use lucarne::exec::pool::{Batch, Lanes};
use lucarne::job::Silent;
use lucarne::protocol::{Reply, Request};
use lucarne::service::{Beside, LaneSource, Service};
use lucarne::{BoxFuture, Error, Program, Tensor};
use serde::Deserialize;
use serde_json::{Value, json};

use relevances::{STEPS, relevances};

const JOBS: [&str; 5] = [
    "occlusion",
    "rise",
    "deletion",
    "deletion-scattered",
    "integrated-gradients",
];

/// What to measure.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Spec {
    Forward {
        network: String,
        batch: usize,
        rounds: usize,
    },
    Job {
        network: String,
        job: String,
    },
}

/// As much of an entry of `networks.json` as is needed.
#[derive(Deserialize)]
struct Entry {
    id: String,
    source: String,
    target: String,
    side: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/networks");
    if !folder.join("networks.json").is_file() {
        eprintln!("benches/networks is empty: `cargo xtask bench --networks` says how to fill it");
        return;
    }
    let bench = Bench::open(folder);
    if arguments.iter().any(|a| a == "--serve") {
        return serve(&bench);
    }
    let filter = arguments.into_iter().find(|a| !a.starts_with("--")).unwrap_or_default();
    for Entry { id: network, .. } in &bench.entries {
        for job in JOBS.iter().filter(|job| format!("{network}/{job}").contains(&filter)) {
            let found = bench.measure(&Spec::Job {
                network: network.clone(),
                job: (*job).to_owned(),
            });
            println!("{:<40} {:>10.2} s", format!("{network}/{job}"), found["seconds"]);
        }
    }
}

/// Answers standard input until it ends.
fn serve(bench: &Bench) {
    let say = |answer: &Value| {
        println!("{answer}");
        std::io::stdout().flush().expect("standard output is open");
    };
    say(&json!({ "ready": concat!("Lucarne ", env!("CARGO_PKG_VERSION"), ", native") }));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        if !line.trim().is_empty() {
            say(&bench.measure(&serde_json::from_str(&line).expect("a measurement")));
        }
    }
}

/// No sibling engines: one thread.
struct Alone;

impl LaneSource for Alone {
    fn lanes(&self, _: &str) -> Rc<dyn Lanes> {
        Rc::new(Self)
    }
}

impl Lanes for Alone {
    fn count(&self) -> usize {
        0
    }

    fn send(&self, _: usize, _: Batch) -> BoxFuture<'static, Result<Vec<Tensor>, Error>> {
        unreachable!("there is no sibling to send to")
    }

    fn now(&self) -> f64 {
        0.0
    }
}

struct Bench {
    folder: PathBuf,
    entries: Vec<Entry>,
}

impl Bench {
    fn open(folder: PathBuf) -> Self {
        let index = std::fs::read(folder.join("networks.json")).expect("the index is there");
        let entries = serde_json::from_slice(&index).expect("the index is JSON");
        Self { folder, entries }
    }

    /// A service that holds `network` and the picture that every job explains.
    fn service(&self, network: &str) -> (Service, &Entry) {
        let entry = self.entries.iter().find(|e| e.id == network);
        let entry = entry.unwrap_or_else(|| panic!("there is no network {network}"));
        let (service, side) = (Service::new(Box::new(Alone)), entry.side);
        let onnx = std::fs::read(self.folder.join(format!("{network}.onnx"))).expect("the network is there");
        let beside = || vec![Beside::Bytes(onnx.clone())];
        let inspected = ask(&service, json!({ "kind": "inspect", "name": network }), beside());
        let (Reply::Inspected(found), _) = inspected else {
            panic!("the network can be inspected")
        };
        let mut card = serde_json::to_value(found.card).expect("cards are JSON");
        for (field, value) in [
            ("id", json!(network)),
            ("labels", json!("")),
            (
                "input",
                json!({ "name": entry.source, "shape": [1, 3, side, side], "layout": "nchw" }),
            ),
            ("output", json!({ "name": entry.target, "head": "logits" })),
            (
                "preprocessing",
                json!({ "resize": "shorter-side", "size": side, "crop": side, "interpolation": "bilinear",
                        "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5] }),
            ),
        ] {
            card[field] = value;
        }
        ask(
            &service,
            json!({ "kind": "load-model", "card": card, "labels": [] }),
            beside(),
        );
        let load = json!({ "kind": "load-picture", "picture": "p", "width": side, "height": side });
        ask(&service, load, vec![Beside::Bytes(picture(side))]);
        (service, entry)
    }

    fn measure(&self, spec: &Spec) -> Value {
        match spec {
            Spec::Forward { network, batch, rounds } => self.forward(network, *batch, *rounds),
            Spec::Job { network, job } => self.job(network, job),
        }
    }

    /// Milliseconds a call.
    fn forward(&self, network: &str, n: usize, rounds: usize) -> Value {
        let (service, entry) = self.service(network);
        let values = |i: usize| ((i as f64 * 0.37).sin() + (i as f64 * 0.011).cos()) as f32;
        // A picture that was just run would not be computed again; each round gets others, different everywhere.
        let batch = |round: usize| Batch {
            program: Program::forward(&[]),
            inputs: vec![Tensor::from_fn(&[n, 3, entry.side, entry.side], |i| {
                values(i) * (1.0 + 0.001 * round as f32)
            })],
        };
        let run = |batch: &Batch| {
            std::hint::black_box(service.run_lane(network, batch).expect("a forward pass"));
        };
        run(&batch(0));
        let times: Vec<f64> = (1..=rounds)
            .map(|round| {
                let batch = batch(round);
                let from = Instant::now();
                run(&batch);
                from.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        json!({ "kind": "forward", "times": times })
    }

    fn job(&self, network: &str, job: &str) -> Value {
        let (service, entry) = self.service(network);
        let side = entry.side;
        let logit = json!({ "class": 0, "kind": "logit" });
        let attribute = |method: &str, params: Value, kind: &str| {
            json!({ "kind": "attribute", "method": { "id": method, "params": params },
                    "target": { "class": 0, "kind": kind } })
        };
        let (warm, asked, beside) = match job {
            "occlusion" => {
                let windows = json!({ "window": 8, "stride": 4 });
                (
                    attribute("rise", json!({ "samples": 2 }), "probability"),
                    attribute(job, windows, "logit"),
                    Vec::new(),
                )
            }
            "rise" => (
                attribute(job, json!({ "samples": 2 }), "probability"),
                attribute(job, json!({ "samples": 1000 }), "probability"),
                Vec::new(),
            ),
            "integrated-gradients" => (
                attribute("gradient", json!({}), "logit"),
                attribute(job, json!({ "steps": 50 }), "logit"),
                Vec::new(),
            ),
            "deletion" | "deletion-scattered" => (
                attribute("rise", json!({ "samples": 2 }), "probability"),
                json!({ "kind": "evaluate", "shape": [1, side, side], "method": null, "truth": false, "other": null,
                        "set": [], "metric": { "id": "deletion", "params": { "steps": STEPS } }, "draws": 1,
                        "target": logit }),
                vec![Beside::Floats(relevances(job, side))],
            ),
            _ => panic!("there is no job {job}"),
        };
        let whole = |mut request: Value| {
            for (field, value) in [
                ("model", json!(network)),
                ("picture", json!("p")),
                ("removal", json!({ "id": "constant", "params": {} })),
                ("seed", json!(0)),
            ] {
                request[field] = value;
            }
            request
        };
        ask(&service, whole(warm), Vec::new());
        let from = Instant::now();
        let (reply, arrays) = ask(&service, whole(asked), beside);
        let seconds = from.elapsed().as_secs_f64();
        let (passes, answer) = match (&reply, arrays.first()) {
            (Reply::Attributed(it), Some(Beside::Floats(map))) => {
                let answer = if job == "rise" { json!([]) } else { json!(map) };
                (it.provenance.forward + it.provenance.backward, answer)
            }
            (Reply::Evaluated(it), _) => (it.provenance.forward, json!(it.curves[0].y)),
            _ => panic!("an unexpected answer"),
        };
        json!({ "kind": "job", "seconds": seconds, "passes": passes, "answer": answer })
    }
}

fn ask(service: &Service, mut request: Value, beside: Vec<Beside>) -> (Reply, Vec<Beside>) {
    request["job"] = json!(1);
    let request: Request = serde_json::from_value(request).expect("a request of the protocol");
    pollster::block_on(service.answer(request, beside, &Silent)).expect("the service can answer")
}

/// RGBA, as in the browser.
fn picture(side: usize) -> Vec<u8> {
    let at = |k: usize| {
        let (p, c) = (k / 4, k % 4);
        let (y, x) = ((p / side) as f64 / side as f64, (p % side) as f64 / side as f64);
        let c = c as f64;
        let value = 127.5 + 80.0 * (9.0 * x + 3.0 * c).sin() + 40.0 * (13.0 * y * (c + 1.0)).cos();
        if k % 4 == 3 {
            255
        } else {
            (value + 0.5).floor().clamp(0.0, 255.0) as u8
        }
    };
    (0..side * side * 4).map(at).collect()
}
