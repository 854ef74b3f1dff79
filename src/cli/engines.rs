//! Sibling engines on threads of their own.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use lucarne::error::{Error, RunError};
use lucarne::exec::pool::{Batch, Lanes};
use lucarne::exec::{Cpu, Pool};
use lucarne::{BoxFuture, Model, Tensor};

type Answer = Result<Vec<Tensor>, Error>;
/// A batch, and where its answer goes.
type Work = (Batch, Sender<Answer>);

/// One thread an engine. They end when this is dropped.
struct Threads {
    lanes: Vec<Sender<Work>>,
    start: Instant,
}

/// `model` on `workers` engines; none for the default, one a processor.
pub fn pool(model: &Arc<Model>, workers: Option<u16>) -> Pool {
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
