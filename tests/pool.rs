//! The pool, whose results must not depend on how many engines share the work.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use lucarne::error::{Error, RunError};
use lucarne::exec::pool::{Batch, Lanes};
use lucarne::exec::{Cpu, Executor, Pool};
use lucarne::graph::Wrt;
use lucarne::graph::inspect::inspect;
use lucarne::model::Limits;
use lucarne::protocol::Inspected;
use lucarne::rng::SeedStream;
use lucarne::{BoxFuture, Model, Tensor};
use pollster::block_on;

fn onnx(net: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/nets/{net}.onnx", env!("CARGO_MANIFEST_DIR"))).expect("the test network is there")
}

fn model(net: &str) -> Arc<Model> {
    let bytes = onnx(net);
    let found = inspect(&bytes, &Limits::default()).expect("it is readable");
    let card = Inspected::new(&format!("{net}.onnx"), found).card;
    Model::load(&bytes, card, Vec::new(), &Limits::default()).expect("it loads")
}

/// Siblings in this thread; the ones in `broken` answer that they are lost.
struct Here {
    engines: Vec<Rc<Cpu>>,
    broken: Vec<usize>,
    sent: Cell<usize>,
}

impl Lanes for Here {
    fn count(&self) -> usize {
        self.engines.len()
    }
    fn send(&self, lane: usize, batch: Batch) -> BoxFuture<'static, Result<Vec<Tensor>, Error>> {
        self.sent.set(self.sent.get() + 1);
        let broken = self.broken.contains(&lane);
        let engine = self.engines[lane].clone();
        Box::pin(async move {
            if broken {
                Err(RunError::WorkerLost { why: "gone".into() }.into())
            } else {
                Pool::run(&engine, &batch)
            }
        })
    }
    fn now(&self) -> f64 {
        0.0
    }
}

fn pool(model: &Arc<Model>, lanes: usize, broken: Vec<usize>) -> (Pool, Rc<Here>) {
    let engines = (0..lanes).map(|_| Rc::new(Cpu::new(model.clone()))).collect();
    let here = Rc::new(Here {
        engines,
        broken,
        sent: Cell::new(0),
    });
    (Pool::new(Cpu::new(model.clone()), here.clone()), here)
}

#[test]
fn the_number_of_engines_changes_no_bit() {
    let model = model("residual");
    let [c, h, w] = model.input_dims();
    let mut noise = SeedStream::new(3).stream("x");
    let x = Tensor::from_fn(&[7, c, h, w], |_| noise.normal());
    let cotangent = Tensor::from_fn(&[7, model.classes()], |i| (i % 5) as f32 - 2.0);
    let wrt = [Wrt::Input, Wrt::Layer(0)];
    let (alone, _) = pool(&model, 0, vec![]);
    let logits = block_on(alone.forward(&x, &[0])).expect("forward");
    let gradients = block_on(alone.gradient(&x, &cotangent, &wrt)).expect("gradient");
    for (lanes, broken) in [(1, vec![]), (2, vec![]), (3, vec![1]), (9, vec![0, 8])] {
        let lost = broken.len();
        let (many, here) = pool(&model, lanes, broken);
        assert_eq!(
            block_on(many.forward(&x, &[0])).expect("forward"),
            logits,
            "{lanes} siblings"
        );
        let got = block_on(many.gradient(&x, &cotangent, &wrt)).expect("gradient");
        assert_eq!(
            (got.logits, got.by),
            (gradients.logits.clone(), gradients.by.clone()),
            "{lanes} siblings"
        );
        assert!(here.sent.get() >= lanes.min(6), "the siblings were used");
        assert!(lost == 0 || !many.take_notes().is_empty(), "lost siblings are told of");
    }
}
