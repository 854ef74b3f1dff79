//! The executor over a device that runs graphs as their description says, and fails where it is told to.

mod removal;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use pollster::block_on;

use super::{AGREEMENT, Compiled, Compute, Fault, Gpu, Mixes, Shared};
use crate::error::Error;
use crate::exec::pool::{Batch, Lanes};
use crate::exec::{Cpu, Device, Executor, Masks, Mixed, NoteKind, Pool};
use crate::gpu::ir::{Graph, Op, Unary};
use crate::gpu::{Coming, Precision, reference};
use crate::graph::inspect;
use crate::model::Limits;
use crate::program::{Program, Rules, Wrt};
use crate::rng::SeedStream;
use crate::{BoxFuture, Mask, Model, Tensor};

/// Fails the runs that `fails` says, by their number. With 16 bits its results are off by the share `rough`, if it has them.
struct Fake {
    runs: Rc<Cell<usize>>,
    mixers: Rc<Cell<usize>>,
    sizes: RefCell<Vec<usize>>,
    rough: Option<f32>,
    fails: Rc<dyn Fn(usize, usize) -> Option<Fault>>,
}

#[derive(Clone)]
struct Kernel {
    graph: Graph,
    runs: Rc<Cell<usize>>,
    mixers: Rc<Cell<usize>>,
    off: f32,
    fails: Rc<dyn Fn(usize, usize) -> Option<Fault>>,
}

struct FakeMixer {
    kernel: Kernel,
    x: Tensor,
    fill: Tensor,
    coming: Coming,
}

impl Compute for Fake {
    fn name(&self) -> String {
        "Fake".into()
    }
    fn half(&self) -> bool {
        self.rough.is_some()
    }
    fn compile<'a>(&'a self, graph: &'a Graph, precision: Precision) -> BoxFuture<'a, Result<Rc<dyn Compiled>, Fault>> {
        self.sizes.borrow_mut().push(graph.shape(graph.inputs[0])[0]);
        let kernel = Kernel {
            graph: graph.clone(),
            runs: self.runs.clone(),
            mixers: self.mixers.clone(),
            off: match precision {
                Precision::Single => 0.0,
                Precision::Half => self.rough.expect("it has 16 bits"),
            },
            fails: self.fails.clone(),
        };
        Box::pin(std::future::ready(Ok(Rc::new(kernel) as Rc<dyn Compiled>)))
    }
}

impl Compiled for Kernel {
    fn run(&self, inputs: Vec<Tensor>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        let number = self.runs.get();
        self.runs.set(number + 1);
        let size = inputs[0].shape()[0];
        if let Some(fault) = (self.fails)(number, size) {
            return Box::pin(std::future::ready(Err(fault)));
        }
        for (id, input) in self.graph.inputs.iter().zip(&inputs) {
            assert_eq!(self.graph.shape(*id), input.shape());
        }
        let given: Vec<Vec<f32>> = inputs.into_iter().map(Tensor::into_data).collect();
        let outputs = reference::run(&self.graph, &given);
        let shapes = self.graph.outputs.iter().map(|&id| self.graph.shape(id));
        let outputs = shapes
            .zip(outputs)
            .map(|(shape, data)| Tensor::new(shape, data).map(|v| v * (1.0 + self.off)))
            .collect();
        Box::pin(std::future::ready(Ok(outputs)))
    }
    fn mixer<'a>(
        &'a self,
        x: &'a Tensor,
        fill: &'a Tensor,
        coming: &'a Coming,
    ) -> BoxFuture<'a, Result<Rc<dyn Mixes>, Fault>> {
        self.mixers.set(self.mixers.get() + 1);
        let mixer = FakeMixer {
            kernel: self.clone(),
            x: x.clone(),
            fill: fill.clone(),
            coming: coming.clone(),
        };
        Box::pin(std::future::ready(Ok(Rc::new(mixer) as Rc<dyn Mixes>)))
    }
}

impl Mixes for FakeMixer {
    fn run(&self, masks: Masks<'_>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        assert_eq!(self.coming, masks.coming());
        let (x, fill) = (&self.x, &self.fill);
        let made = Mixed { x, fill, masks }.pictures();
        let size = self.kernel.graph.shape(self.kernel.graph.inputs[0])[0];
        // What a device makes of masks that are not there.
        let rest = Tensor::full(&[&[size - made.shape()[0]], x.shape()].concat(), 7.0);
        self.kernel.run(vec![Tensor::concat(&[made, rest])])
    }
}

struct Alone;

impl Lanes for Alone {
    fn count(&self) -> usize {
        0
    }
    fn send(&self, _: usize, _: Batch) -> BoxFuture<'static, Result<Vec<Tensor>, Error>> {
        unreachable!("there are no siblings")
    }
    fn now(&self) -> f64 {
        0.0
    }
}

fn model(net: &str) -> Arc<Model> {
    let path = format!("{}/tests/nets/{net}.onnx", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let card = inspect::inspect(&bytes, &Limits::default()).unwrap().card;
    Model::load(&bytes, card, Vec::new(), &Limits::default()).unwrap()
}

fn engine(model: &Arc<Model>, fails: impl Fn(usize, usize) -> Option<Fault> + 'static) -> (Gpu, Rc<Fake>) {
    engine_in(Precision::Single, None, model, fails)
}

fn engine_in(
    precision: Precision,
    rough: Option<f32>,
    model: &Arc<Model>,
    fails: impl Fn(usize, usize) -> Option<Fault> + 'static,
) -> (Gpu, Rc<Fake>) {
    let fake = Rc::new(Fake {
        runs: Rc::default(),
        mixers: Rc::default(),
        sizes: RefCell::default(),
        rough,
        fails: Rc::new(fails),
    });
    let pool = Rc::new(Pool::new(Cpu::new(model.clone()), Rc::new(Alone)));
    (Gpu::new(pool, Shared::new(fake.clone(), precision)), fake)
}

fn pictures(model: &Model, n: usize) -> Tensor {
    let [c, h, w] = model.input_dims();
    let mut noise = SeedStream::new(3).stream("x");
    Tensor::from_fn(&[n, c, h, w], |_| noise.normal())
}

fn agree(found: &[Tensor], expected: &[Tensor]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.shape(), expected.shape());
        let largest = expected.data().iter().fold(1e-3f32, |m, v| m.max(v.abs()));
        for (a, b) in found.data().iter().zip(expected.data()) {
            assert!((a - b).abs() <= AGREEMENT * largest, "{a} instead of {b}, of {largest}");
        }
    }
}

/// Runs `program` on 37 pictures, more than a turn; the engine, the device and the processor's results agree.
fn check(fails: impl Fn(usize, usize) -> Option<Fault> + 'static) -> (Gpu, Rc<Fake>) {
    let model = model("plain");
    let (gpu, fake) = engine(&model, fails);
    let x = pictures(&model, 37);
    let cotangent = Tensor::from_fn(&[37, model.classes()], |i| (i % 5) as f32 - 2.0);
    let inputs = [x, cotangent];
    let program = Program::gradient(&[Wrt::Input]);
    let found = block_on(gpu.run(&program, &inputs)).unwrap();
    let expected = Cpu::new(model).run_now(&program, &inputs).unwrap();
    agree(&found, &expected);
    (gpu, fake)
}

#[test]
fn everything_runs_on_the_device() {
    let (gpu, fake) = check(|_, _| None);
    let processor = None;
    assert_eq!(
        gpu.device(),
        Device::Gpu {
            adapter: "Fake".into(),
            processor
        }
    );
    assert_eq!(gpu.device().to_string(), "gpu (Fake)");
    assert!(gpu.notes().is_empty());
    // Compiled once, for batches; the last one is filled up.
    assert_eq!(*fake.sizes.borrow(), [16]);
    assert_eq!(fake.runs.get(), 3);
    let alone = pictures(gpu.model(), 1);
    block_on(gpu.forward(&alone, &[])).unwrap();
    assert_eq!(*fake.sizes.borrow(), [16, 1]);
    // Another job starts with a clean sheet and the same kernels.
    let job = gpu.for_job();
    block_on(job.forward(&alone, &[])).unwrap();
    assert_eq!(*fake.sizes.borrow(), [16, 1]);
}

#[test]
fn a_lost_device_leaves_the_rest_to_the_processor() {
    let lost = || Fault::Lost {
        why: "unplugged".into(),
    };
    let (gpu, fake) = check(move |run, _| (run > 0).then(lost));
    let notes = gpu.notes();
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].kind, notes[0].text.as_str()), (NoteKind::Lost, "unplugged"));
    // The first batch was the device's.
    assert_eq!(gpu.device().to_string(), "gpu (Fake) and cpu x1");
    assert_eq!(gpu.shared().lost().as_deref(), Some("unplugged"));
    // No later job asks the device, and each tells why.
    let runs = fake.runs.get();
    let job = gpu.for_job();
    block_on(job.forward(&pictures(job.model(), 2), &[])).unwrap();
    assert_eq!(fake.runs.get(), runs);
    assert_eq!(job.device().to_string(), "cpu x1");
    assert_eq!(job.notes()[0].kind, NoteKind::Lost);
}

#[test]
fn less_memory_takes_fewer_pictures_at_a_time() {
    let short = |size: usize| (size > 4).then(|| Fault::OutOfMemory { why: "full".into() });
    let (gpu, fake) = check(move |_, size| short(size));
    assert!(gpu.notes().is_empty());
    assert_eq!(*fake.sizes.borrow(), [16, 8, 4]);
    assert_eq!(gpu.device().to_string(), "gpu (Fake)");
    let none = |_, _| Some(Fault::OutOfMemory { why: "full".into() });
    let (gpu, fake) = check(none);
    assert_eq!(gpu.notes()[0].kind, NoteKind::Memory);
    assert_eq!(*fake.sizes.borrow(), [16, 8, 4, 2, 1]);
    assert_eq!(gpu.device().to_string(), "cpu x1");
}

#[test]
fn a_program_that_fails_is_left_to_the_processor_alone() {
    let (gpu, _) = check(|run, _| (1..4).contains(&run).then(|| Fault::Failed { why: "a bug".into() }));
    assert_eq!(gpu.notes()[0].kind, NoteKind::Failed);
    assert_eq!(gpu.shared().lost(), None);
    let job = gpu.for_job();
    block_on(job.forward(&pictures(job.model(), 2), &[])).unwrap();
    assert_eq!(job.device().to_string(), "gpu (Fake)");
}

#[test]
fn what_has_no_gpu_form_is_named() {
    let model = model("plain");
    let (gpu, fake) = engine(&model, |_, _| None);
    let x = pictures(&model, 2);
    let baseline = Tensor::zeros(x.shape());
    let cotangent = Tensor::from_fn(&[2, model.classes()], |_| 1.0);
    let program = Program::backward(Rules::DeepLift, &[Wrt::Input]);
    let inputs = [x.clone(), baseline, cotangent];
    let found = block_on(gpu.run(&program, &inputs)).unwrap();
    assert_eq!(found, Cpu::new(model).run_now(&program, &inputs).unwrap());
    let notes = gpu.notes();
    assert_eq!(notes[0].kind, NoteKind::Operator);
    assert!(notes[0].text.contains("Secant"), "{}", notes[0].text);
    assert_eq!(gpu.turn(&Program::default()), 32);
    assert_eq!(fake.runs.get(), 0);
    assert_eq!(gpu.device().to_string(), "cpu x1");
}

#[test]
fn masks_go_to_the_device_instead_of_pictures() {
    let model = model("plain");
    let [c, h, w] = model.input_dims();
    let mut noise = SeedStream::new(5).stream("x");
    let x = Tensor::from_fn(&[c, h, w], |_| noise.normal());
    let fill = Tensor::from_fn(&[c, h, w], |_| noise.normal());
    let shares: Vec<f32> = (0..35 * h * w).map(|_| noise.uniform()).collect();
    let (x, fill) = (&x, &fill);
    let masks = Masks::Shares(&shares);
    let mixed = Mixed { x, fill, masks };
    let program = Program::forward(&[0]);
    let expected = Cpu::new(model.clone()).run_now(&program, &[mixed.pictures()]).unwrap();
    let (gpu, fake) = engine(&model, |_, _| None);
    agree(&block_on(gpu.run_mixed(&program, mixed)).unwrap(), &expected);
    assert_eq!(gpu.device().to_string(), "gpu (Fake)");
    assert_eq!(fake.runs.get(), 3);
    // Picture and fill went up once; a turn later they are still there, other masks come in another form.
    assert_eq!(fake.mixers.get(), 1);
    block_on(gpu.run_mixed(&program, mixed.part(3..30))).unwrap();
    assert_eq!(fake.mixers.get(), 1);
    let removed: Vec<Mask> = (0..5)
        .map(|k| Mask::new(h, w, (0..h * w).map(|i| i % 5 == k).collect()))
        .collect();
    let masks = Masks::Removed(&removed);
    let removed = Mixed { x, fill, masks };
    let bare = Cpu::new(model.clone())
        .run_now(&program, &[removed.pictures()])
        .unwrap();
    agree(&block_on(gpu.run_mixed(&program, removed)).unwrap(), &bare);
    assert_eq!(fake.mixers.get(), 2);
    // What is left to the processor is mixed there.
    let (gpu, _) = engine(&model, |run, _| {
        (run > 0).then(|| Fault::Lost {
            why: "unplugged".into(),
        })
    });
    agree(&block_on(gpu.run_mixed(&program, mixed)).unwrap(), &expected);
    assert_eq!(gpu.device().to_string(), "gpu (Fake) and cpu x1");
}

#[test]
fn sixteen_bits_are_asked_for_measured_and_told() {
    let model = model("plain");
    let x = pictures(&model, 3);
    let expected = Cpu::new(model.clone())
        .run_now(&Program::default(), std::slice::from_ref(&x))
        .unwrap();
    let run = |rough| {
        let (gpu, _) = engine_in(Precision::Half, rough, &model, |_, _| None);
        let mut found = block_on(gpu.forward(&x, &[])).unwrap();
        block_on(gpu.forward(&x, &[])).unwrap();
        // Said once a job and program.
        let [note] = &gpu.notes()[..] else {
            panic!("{:?}", gpu.notes())
        };
        assert_eq!(note.kind, NoteKind::Half);
        (found.remove(0), note.text.clone())
    };
    let (found, note) = run(Some(0.01));
    assert!(note.contains("off by 1.00 %"), "{note}");
    let scaled = expected[0].map(|v| v * 1.01);
    agree(&[found], &[scaled]);
    for (rough, why) in [
        (Some(0.5), "off by 50 %"),
        (Some(f32::NAN), "off by inf %"),
        (None, "does not compute"),
    ] {
        let (found, note) = run(rough);
        assert!(note.starts_with("not used") && note.contains(why), "{note}");
        agree(&[found], &expected);
    }
    // Who does not ask gets 32, and no word of it.
    let (gpu, _) = engine_in(Precision::Single, Some(0.01), &model, |_, _| None);
    agree(&block_on(gpu.forward(&x, &[])).unwrap(), &expected);
    assert_eq!(gpu.notes(), []);
}

/// Twice the exponential of 3 values.
fn doubled() -> Result<Graph, String> {
    let mut graph = Graph::default();
    let x = graph.input(&[3]);
    let y = graph.push(Op::Unary(Unary::Exp), &[x]).map_err(|why| why.to_string())?;
    graph.outputs.push(y);
    Ok(graph)
}

#[test]
fn what_imputers_ask_for_is_compiled_once_and_its_faults_are_told() {
    let model = model("plain");
    let x = || vec![Tensor::new(&[3], vec![0.0, 1.0, -1.0])];
    let (gpu, fake) = engine(&model, |run, _| {
        (run == 2).then(|| Fault::Failed { why: "a bug".into() })
    });
    let device = gpu.coprocessor().unwrap();
    let ask = |key: &'static str| block_on(device.compute(key, &doubled, x()));
    for _ in 0..2 {
        let found = ask("a").unwrap();
        agree(&found, &[Tensor::new(&[3], vec![1.0, 1f32.exp(), (-1f32).exp()])]);
    }
    assert_eq!(*fake.sizes.borrow(), [3]);
    // It fails, and is not asked again, of this alone.
    assert!(ask("a").is_none());
    assert!(ask("a").is_none());
    assert_eq!(fake.runs.get(), 3);
    assert_eq!((gpu.notes().len(), gpu.notes()[0].kind), (1, NoteKind::Failed));
    assert!(ask("b").is_some());
    let refused = || Err("it has no form".to_owned());
    assert!(block_on(device.compute("c", &refused, x())).is_none());
    assert_eq!(gpu.notes()[1].kind, NoteKind::Operator);
    // A later job is told again.
    let job = gpu.for_job();
    assert!(block_on(job.coprocessor().unwrap().compute("c", &refused, x())).is_none());
    assert_eq!(job.notes()[0].text, "it has no form");
    // Old ones go.
    for key in ["d", "e", "f", "g"] {
        assert!(ask(key).is_some());
    }
    let compiled = fake.sizes.borrow().len();
    assert!(ask("g").is_some());
    assert_eq!(fake.sizes.borrow().len(), compiled);
    assert!(ask("b").is_some());
    assert_eq!(fake.sizes.borrow().len(), compiled + 1);

    let (gpu, _) = engine(&model, |_, _| {
        Some(Fault::Lost {
            why: "unplugged".into(),
        })
    });
    assert!(block_on(gpu.coprocessor().unwrap().compute("a", &doubled, x())).is_none());
    assert_eq!(gpu.shared().lost().as_deref(), Some("unplugged"));
    assert_eq!(gpu.notes()[0].kind, NoteKind::Lost);
}

#[test]
fn a_network_that_takes_one_picture_at_a_time_still_runs() {
    let model = model("tiny-vit");
    let (gpu, fake) = engine(&model, |_, _| None);
    let x = pictures(&model, 3);
    let found = block_on(gpu.forward(&x, &[])).unwrap();
    let expected = Cpu::new(model)
        .run_now(&Program::default(), std::slice::from_ref(&x))
        .unwrap();
    agree(&found, &expected);
    assert_eq!(*fake.sizes.borrow(), [1]);
    assert_eq!(gpu.device().to_string(), "gpu (Fake)");
}

/// The software adapter that kernels are tested on; nothing where there is none and none is required.
fn software() -> Option<Rc<crate::gpu::Gpu>> {
    match block_on(crate::gpu::Gpu::open(crate::gpu::Options { software: true })) {
        Ok(gpu) => Some(Rc::new(gpu)),
        Err(why) => {
            let required = std::env::var_os("LUCARNE_REQUIRE_GPU").is_some_and(|v| v == "1");
            assert!(!required, "{why}");
            println!("skipped: {why}");
            None
        }
    }
}

#[test]
fn a_driver_agrees_with_the_processor() {
    let Some(device) = software() else { return };
    for net in [
        "plain",
        "residual",
        "depthwise-se",
        "conv-gelu-ln",
        "dense-concat",
        "tiny-vit",
    ] {
        let model = model(net);
        let pool = Rc::new(Pool::new(Cpu::new(model.clone()), Rc::new(Alone)));
        let gpu = Gpu::new(pool, Shared::new(device.clone(), Precision::Single));
        let layer = model.network().default_layer().unwrap();
        let x = pictures(&model, 3);
        let cotangent = Tensor::from_fn(&[3, model.classes()], |i| (i % 5) as f32 - 2.0);
        let forward = Program::forward(&[layer]);
        let gradient = Program::gradient(&[Wrt::Input, Wrt::Layer(layer)]);
        for (program, inputs) in [(forward, vec![x.clone()]), (gradient, vec![x, cotangent])] {
            let found = block_on(gpu.run(&program, &inputs)).unwrap();
            agree(&found, &Cpu::new(model.clone()).run_now(&program, &inputs).unwrap());
            // The same bits alone as in a batch.
            let second: Vec<Tensor> = inputs.iter().map(|t| t.rows(1, 2)).collect();
            let alone = block_on(gpu.run(&program, &second)).unwrap();
            let row: Vec<Tensor> = found.iter().map(|t| t.rows(1, 2)).collect();
            assert_eq!(alone, row, "{net}");
        }
        assert!(gpu.notes().is_empty(), "{net}: {:?}", gpu.notes());
        assert!(gpu.device().to_string().starts_with("gpu ("), "{net}: {}", gpu.device());
    }
}

/// Ends the device once the first batch has gone through it.
struct Ending {
    inner: Rc<crate::gpu::Gpu>,
    left: Rc<Cell<usize>>,
}

struct EndingKernel {
    inner: Rc<dyn Compiled>,
    device: Rc<crate::gpu::Gpu>,
    left: Rc<Cell<usize>>,
}

impl Compute for Ending {
    fn name(&self) -> String {
        self.inner.name()
    }
    fn half(&self) -> bool {
        Compute::half(&*self.inner)
    }
    fn compile<'a>(&'a self, graph: &'a Graph, precision: Precision) -> BoxFuture<'a, Result<Rc<dyn Compiled>, Fault>> {
        Box::pin(async move {
            let inner = Compute::compile(&*self.inner, graph, precision).await?;
            let (device, left) = (self.inner.clone(), self.left.clone());
            Ok(Rc::new(EndingKernel { inner, device, left }) as Rc<dyn Compiled>)
        })
    }
}

impl Compiled for EndingKernel {
    fn run(&self, inputs: Vec<Tensor>) -> BoxFuture<'static, Result<Vec<Tensor>, Fault>> {
        match self.left.get() {
            0 => self.device.destroy(),
            left => self.left.set(left - 1),
        }
        self.inner.run(inputs)
    }
    fn mixer<'a>(
        &'a self,
        x: &'a Tensor,
        fill: &'a Tensor,
        coming: &'a Coming,
    ) -> BoxFuture<'a, Result<Rc<dyn Mixes>, Fault>> {
        self.inner.mixer(x, fill, coming)
    }
}

#[test]
fn a_driver_that_dies_in_a_job_loses_nothing() {
    let Some(device) = software() else { return };
    let model = model("plain");
    let ending = Ending {
        inner: device,
        left: Rc::new(Cell::new(2)),
    };
    let pool = Rc::new(Pool::new(Cpu::new(model.clone()), Rc::new(Alone)));
    let gpu = Gpu::new(pool, Shared::new(Rc::new(ending), Precision::Single));
    let x = pictures(&model, 60);
    let found = block_on(gpu.forward(&x, &[])).unwrap();
    agree(
        &found,
        &Cpu::new(model)
            .run_now(&Program::default(), std::slice::from_ref(&x))
            .unwrap(),
    );
    assert_eq!(gpu.notes().len(), 1);
    assert_eq!(gpu.notes()[0].kind, NoteKind::Lost, "{:?}", gpu.notes());
    assert!(gpu.shared().lost().is_some());
    assert!(gpu.device().to_string().ends_with("cpu x1"), "{}", gpu.device());
}
