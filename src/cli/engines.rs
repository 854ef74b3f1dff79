//! Sibling engines on threads of their own, and the GPU.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use lucarne::error::{Error, RunError};
use lucarne::exec::gpu::Shared;
use lucarne::exec::pool::{Batch, Lanes};
use lucarne::exec::{Cpu, Executor, Gpu, Pool};
use lucarne::gpu;
use lucarne::{BoxFuture, Model, Tensor};
use pollster::block_on;

use super::arguments::{Network, Where};
use super::failure::Failure;
use super::output;

type Answer = Result<Vec<Tensor>, Error>;
/// A batch, and where its answer goes.
type Work = (Batch, Sender<Answer>);

/// One thread an engine. They end when this is dropped.
struct Threads {
    lanes: Vec<Sender<Work>>,
    start: Instant,
}

/// What runs `model` as `network` says.
///
/// # Errors
/// A GPU that was asked for and is not there. With `auto`, standard error says why the processor is used.
pub fn engine(model: &Arc<Model>, network: &Network) -> Result<Rc<dyn Executor>, Failure> {
    let pool = Rc::new(pool(model, network.workers));
    if network.device == Where::Cpu {
        return Ok(pool);
    }
    match block_on(gpu::Gpu::open(options())) {
        Ok(found) => {
            let precision = if network.device == Where::GpuF16 {
                gpu::Precision::Half
            } else {
                gpu::Precision::Single
            };
            Ok(Rc::new(Gpu::new(pool, Shared::new(Rc::new(found), precision))))
        }
        Err(why) if network.device != Where::Auto => Err(Failure::new(why.to_string(), "Use --device auto or cpu.")),
        Err(why) => {
            eprintln!("lucarne: {why}; the processor is used.");
            Ok(pool)
        }
    }
}

/// `LUCARNE_SOFTWARE_GPU=1` takes a GPU that is a program, for tests.
fn options() -> gpu::Options {
    gpu::Options {
        software: std::env::var_os("LUCARNE_SOFTWARE_GPU").is_some_and(|set| set == "1"),
    }
}

/// `devices`: what networks can run on here.
pub fn list(json: bool) -> Result<(), Failure> {
    #[derive(serde::Serialize)]
    struct Found {
        device: &'static str,
        name: String,
        usable: bool,
        why: String,
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = Found {
        device: "cpu",
        name: format!("{threads} threads"),
        usable: true,
        why: String::new(),
    };
    let gpu = match block_on(gpu::Gpu::open(options())) {
        Ok(found) => Found {
            device: "gpu",
            name: format!(
                "{} ({}{})",
                found.adapter().name,
                found.adapter().backend,
                if found.adapter().half { ", 16 bits" } else { "" }
            ),
            usable: true,
            why: String::new(),
        },
        Err(why) => Found {
            device: "gpu",
            name: String::new(),
            usable: false,
            why: why.to_string(),
        },
    };
    let found = [processor, gpu];
    if json {
        return output::print_json(&found);
    }
    let row = |f: &Found| {
        vec![
            f.device.to_owned(),
            if f.usable { f.name.clone() } else { f.why.clone() },
        ]
    };
    output::print_table(&found.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// `model` on `workers` engines; none for the default, one a processor.
fn pool(model: &Arc<Model>, workers: Option<u16>) -> Pool {
    let workers = workers.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let lanes = (1..workers).map(|_| start(model.clone())).collect();
    let threads = Threads {
        lanes,
        start: Instant::now(),
    };
    Pool::new(Cpu::new(model.clone()), Rc::new(threads))
}

fn start(model: Arc<Model>) -> Sender<Work> {
    let (sender, batches): (_, Receiver<Work>) = channel();
    std::thread::spawn(move || {
        let engine = Cpu::new(model);
        for (batch, answer) in batches {
            // Nobody waits for the answer of a job that has failed elsewhere.
            let _ = answer.send(Pool::run(&engine, &batch));
        }
    });
    sender
}

impl Lanes for Threads {
    fn count(&self) -> usize {
        self.lanes.len()
    }

    fn send(&self, lane: usize, batch: Batch) -> BoxFuture<'static, Answer> {
        let (sender, answer) = channel();
        let sent = self.lanes[lane].send((batch, sender));
        Box::pin(async move {
            let lost = || RunError::WorkerLost {
                why: "a thread ended".into(),
            };
            sent.map_err(|_| lost())?;
            answer.recv().map_err(|_| lost())?
        })
    }

    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1e3
    }
}
