//! Pictures in any order, on random networks and on those of the repository: the bits of a plain run.

use proptest::prelude::*;
use tract_onnx::tract_core::ops::array::{Pad, PadMode, Slice, TypedConcat};
use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{Conv, MaxPool, PaddingSpec, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{DataFormat, Reduce, Reducer, Softmax, SoftmaxKind, sigmoid};

use super::super::fast::Store;
use super::super::vjp::prelude::*;
use super::super::{Network, Plan};
use super::{Growth, Incremental};
use crate::Tensor as Values;
use crate::model::{Limits, ModelCard};
use crate::program::Program;
use crate::rng::{SeedStream, Stream};

#[derive(Clone, Debug)]
enum Step {
    Conv {
        out: usize,
        kernel: [usize; 2],
        stride: usize,
        dilation: usize,
        pad: usize,
        groups: usize,
    },
    Relu,
    Clamp,
    Scale,
    Residual(usize),
    Multiply(usize),
    Highest {
        kernel: [usize; 2],
        stride: usize,
    },
    Mean {
        kernel: [usize; 2],
        inside: bool,
        divided: bool,
    },
    Sigmoid,
    Gate,
    Concat(usize),
    Slice,
    Pad(usize),
    /// Channels last, something, and back.
    Last(bool),
    Shuffle,
    Tokens,
    Back(usize),
}

struct Builder {
    model: TypedModel,
    values: Vec<OutletId>,
    noise: Stream,
}

impl Builder {
    fn new(shape: [usize; 4], seed: u64) -> Self {
        let mut model = TypedModel::default();
        let x = model.add_source("x", f32::fact(shape)).unwrap();
        Self {
            model,
            values: vec![x],
            noise: SeedStream::new(seed).stream("test/weights"),
        }
    }

    fn shape(&self, outlet: OutletId) -> Vec<usize> {
        let fact = self.model.outlet_fact(outlet).unwrap();
        fact.shape.as_concrete().unwrap().to_vec()
    }

    fn konst(&mut self, shape: &[usize], value: Option<f32>) -> OutletId {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| value.unwrap_or_else(|| self.noise.normal()))
            .collect();
        let name = format!("const-{}", self.model.nodes().len());
        let tensor = Tensor::from_shape(shape, &values).unwrap();
        self.model.add_const(name, tensor).unwrap()
    }

    fn wire(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> OutletId {
        let name = format!("node-{}", self.model.nodes().len());
        let outlet = self.model.wire_node(name, op, inputs).unwrap()[0];
        self.values.push(outlet);
        outlet
    }

    fn last(&self) -> OutletId {
        self.values[self.values.len() - 1]
    }

    /// An earlier value of this height and width, and of these channels if they are given.
    fn like(&self, back: usize, shape: &[usize], channels: bool) -> OutletId {
        let fits = |&v: &OutletId| {
            let other = self.shape(v);
            other[2..] == shape[2..] && (!channels || other[1] == shape[1])
        };
        let like: Vec<OutletId> = self.values.iter().copied().filter(fits).collect();
        like[like.len() - 1 - back % like.len()]
    }

    fn pool(&self, kernel: [usize; 2], stride: usize) -> PoolSpec {
        let channels = self.shape(self.last())[1];
        PoolSpec {
            data_format: DataFormat::NCHW,
            kernel_shape: kernel[..].into(),
            padding: PaddingSpec::Explicit(tvec![kernel[0] / 2, 0], tvec![0, kernel[1] / 2]),
            dilations: None,
            strides: Some(tvec![stride; 2]),
            input_channels: channels,
            output_channels: channels,
        }
    }

    fn step(&mut self, step: &Step) {
        let last = self.last();
        let shape = self.shape(last);
        let channels = shape[1];
        match *step {
            Step::Conv {
                out,
                kernel,
                stride,
                dilation,
                pad,
                groups,
            } => {
                let groups = [groups, channels, 1]
                    .into_iter()
                    .find(|&g| channels.is_multiple_of(g))
                    .unwrap();
                let out = out * groups;
                if (0..2).any(|a| shape[2 + a] + 2 * pad < (kernel[a] - 1) * dilation + 1) {
                    return;
                }
                let weights = self.konst(&[out, channels / groups, kernel[0], kernel[1]], None);
                let bias = self.konst(&[out], None);
                let spec = PoolSpec {
                    padding: PaddingSpec::Explicit(tvec![pad; 2], tvec![pad; 2]),
                    dilations: Some(tvec![dilation; 2]),
                    output_channels: out,
                    ..self.pool(kernel, stride)
                };
                self.wire(
                    Conv::new(spec, KernelFormat::OIHW, groups, None),
                    &[last, weights, bias],
                );
            }
            Step::Relu | Step::Clamp => {
                let zero = self.konst(&[1; 4], Some(0.0));
                let relu = self.wire(math::max(), &[last, zero]);
                if matches!(step, Step::Clamp) {
                    let most = self.konst(&[1; 4], Some(1.5));
                    self.wire(math::min(), &[relu, most]);
                }
            }
            Step::Scale => {
                let scale = self.konst(&[1, channels, 1, 1], None);
                self.wire(math::mul(), &[last, scale]);
            }
            Step::Residual(back) => {
                let other = self.like(back, &shape, true);
                self.wire(math::add(), &[other, last]);
            }
            Step::Multiply(back) => {
                let other = self.like(back, &shape, true);
                self.wire(math::mul(), &[last, other]);
            }
            Step::Highest { kernel, stride } if shape[2] > 3 && shape[3] > 3 => {
                self.wire(MaxPool::new(self.pool(kernel, stride), None), &[last]);
            }
            Step::Mean {
                kernel,
                inside,
                divided,
            } if shape[2] > 3 && shape[3] > 3 => {
                self.wire(SumPool::new(self.pool(kernel, 1), !inside, divided), &[last]);
            }
            Step::Sigmoid => {
                self.wire(sigmoid(), &[last]);
            }
            Step::Gate => {
                let sum = self.wire(Reduce::new(tvec![2, 3], Reducer::Sum), &[last]);
                let gate = self.wire(sigmoid(), &[sum]);
                self.wire(math::mul(), &[last, gate]);
            }
            Step::Concat(back) if channels < 16 => {
                let other = self.like(back, &shape, false);
                self.wire(TypedConcat::new(1), &[other, last]);
            }
            Step::Slice => {
                self.wire(Slice::new(1, channels / 3, channels), &[last]);
            }
            Step::Pad(n) => {
                let pads = vec![(0, 0), (0, 0), (n, 1), (0, n)];
                let mode = PadMode::Constant(Arc::new(tensor0(-0.5f32)));
                self.wire(Pad::new(pads, mode), &[last]);
            }
            Step::Last(concat) => {
                let nhwc = self.wire(AxisOp::Move(1, 3), &[last]);
                let mut changed = self.wire(math::square(), &[nhwc]);
                if concat {
                    changed = self.wire(TypedConcat::new(3), &[nhwc, changed]);
                    changed = self.wire(Slice::new(3, 1, channels + 1), &[changed]);
                }
                let back = self.wire(AxisOp::Move(3, 1), &[changed]);
                self.values
                    .retain(|v| *v != nhwc && self.model.outlet_fact(*v).unwrap().shape[0].is_one());
                self.values.retain(|&v| {
                    let fact = self.model.outlet_fact(v).unwrap();
                    v == back || fact.shape[3] == shape[3].to_dim() || fact.shape[3] != channels.to_dim()
                });
                self.values.retain(|&v| v != changed);
                self.values.push(back);
            }
            Step::Shuffle if channels.is_multiple_of(2) => {
                let halves = AxisOp::Reshape(1, tvec![channels.to_dim()], tvec![2.to_dim(), (channels / 2).to_dim()]);
                let merged = AxisOp::Reshape(1, tvec![(channels / 2).to_dim(), 2.to_dim()], tvec![channels.to_dim()]);
                let known = self.values.len();
                let halves = self.wire(halves, &[last]);
                let moved = self.wire(AxisOp::Move(1, 2), &[halves]);
                let shuffled = self.wire(merged, &[moved]);
                self.values.truncate(known);
                self.values.push(shuffled);
            }
            // There is no room for it.
            Step::Highest { .. } | Step::Mean { .. } | Step::Concat(_) | Step::Shuffle => {}
            Step::Tokens => {
                // Every place looks at every other.
                let (h, w) = (shape[2].to_dim(), shape[3].to_dim());
                let known = self.values.len();
                let tokens = AxisOp::Reshape(2, tvec![h.clone(), w.clone()], tvec![h.clone() * &w]);
                let tokens = self.wire(tokens, &[last]);
                let softmax = Softmax {
                    axes: tvec![2],
                    kind: SoftmaxKind::default(),
                    ..Softmax::default()
                };
                let mixed = self.wire(softmax, &[tokens]);
                let back = self.wire(AxisOp::Reshape(2, tvec![h.clone() * &w], tvec![h, w]), &[mixed]);
                self.values.truncate(known);
                self.values.push(back);
            }
            Step::Back(back) => {
                let planes: Vec<OutletId> = self.values.iter().copied().filter(|&v| self.shape(v)[2] > 1).collect();
                if !planes.is_empty() {
                    self.values.push(planes[planes.len() - 1 - back % planes.len()]);
                }
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let kernel = || [1usize..4, 1usize..4];
    let conv = (1usize..6, kernel(), 1usize..3, 1usize..3, 0usize..3, 1usize..4).prop_map(
        |(out, kernel, stride, dilation, pad, groups)| Step::Conv {
            out,
            kernel,
            stride,
            dilation,
            pad,
            groups,
        },
    );
    prop_oneof![
        6 => conv,
        2 => Just(Step::Relu),
        1 => Just(Step::Clamp),
        1 => Just(Step::Scale),
        2 => (0usize..4).prop_map(Step::Residual),
        1 => (0usize..4).prop_map(Step::Multiply),
        2 => (kernel(), 1usize..3).prop_map(|(kernel, stride)| Step::Highest { kernel, stride }),
        1 => (kernel(), any::<bool>(), any::<bool>())
            .prop_map(|(kernel, inside, divided)| Step::Mean { kernel, inside, divided }),
        1 => Just(Step::Sigmoid),
        1 => Just(Step::Gate),
        2 => (0usize..5).prop_map(Step::Concat),
        1 => Just(Step::Slice),
        1 => (0usize..3).prop_map(Step::Pad),
        1 => any::<bool>().prop_map(Step::Last),
        1 => Just(Step::Shuffle),
        1 => Just(Step::Tokens),
        1 => (0usize..6).prop_map(Step::Back),
    ]
}

/// What makes a picture of the pictures before.
#[derive(Clone, Debug)]
enum Picture {
    /// The first picture with a box of another value.
    Occluded([usize; 4]),
    /// The picture before, likewise.
    Deleted([usize; 4]),
    /// The picture before with some places drawn anew.
    Scattered(usize),
    /// The picture before with a place that is not a number.
    Nan([usize; 2]),
    /// The same as the one that many pictures ago.
    Again(usize),
    New,
}

fn picture() -> impl Strategy<Value = Picture> {
    let area = || [0usize..12, 0usize..12, 1usize..5, 1usize..5];
    prop_oneof![
        5 => area().prop_map(Picture::Occluded),
        4 => area().prop_map(Picture::Deleted),
        2 => (1usize..8).prop_map(Picture::Scattered),
        1 => [0usize..12, 0usize..12].prop_map(Picture::Nan),
        2 => (0usize..4).prop_map(Picture::Again),
        1 => Just(Picture::New),
    ]
}

/// The pictures of an order, `[1, C, H, W]`.
fn pictures(shape: [usize; 4], order: &[Picture], seed: u64) -> Vec<Values> {
    let mut noise = SeedStream::new(seed).stream("test/pictures");
    let mut fresh = || Values::from_fn(&shape, |_| noise.normal());
    let mut all = vec![fresh()];
    let [_, _, h, w] = shape;
    let at = |i: usize| (i / w % h, i % w);
    for picture in order {
        let (first, last) = (all[0].clone(), all[all.len() - 1].clone());
        let other = fresh();
        let filled = |base: Values, inside: &dyn Fn((usize, usize)) -> bool, value: Option<f32>| {
            Values::from_fn(&shape, |i| {
                if inside(at(i)) {
                    value.unwrap_or(other.data()[i])
                } else {
                    base.data()[i]
                }
            })
        };
        let boxed = |[y, x, high, wide]: [usize; 4]| {
            let (top, left) = (y % h, x % w);
            move |(y, x): (usize, usize)| (top..top + high).contains(&y) && (left..left + wide).contains(&x)
        };
        all.push(match *picture {
            Picture::Occluded(area) => filled(first, &boxed(area), Some(0.0)),
            Picture::Deleted(area) => filled(last, &boxed(area), None),
            Picture::Scattered(n) => filled(last, &|(y, x)| (7 * y + 3 * x).is_multiple_of(2 * n + 3), None),
            Picture::Nan([y, x]) => filled(last, &boxed([y, x, 1, 1]), Some(f32::NAN)),
            Picture::Again(ago) => all[all.len() - 1 - ago % all.len()].clone(),
            Picture::New => other,
        });
    }
    all
}

fn bits(outputs: &[Values]) -> Vec<Vec<u32>> {
    let of = |t: &Values| t.data().iter().map(|v| v.to_bits()).collect();
    outputs.iter().map(of).collect()
}

/// Runs the pictures in their order, plainly and incrementally.
fn agree(plan: &Plan, pictures: &[Values]) -> Incremental {
    let mut incremental = Incremental::of(plan).expect("one picture at a time");
    for (i, picture) in pictures.iter().enumerate() {
        let plain = plan.run(&[picture]).unwrap();
        let found = incremental.run(plan, picture).unwrap();
        assert_eq!(plain[0].shape(), found[0].shape());
        assert!(bits(&plain) == bits(&found), "picture {i} differs from a plain run");
    }
    incremental
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_networks_and_pictures_in_any_order(
        size in [1usize..4, 6usize..14, 6usize..14], steps in proptest::collection::vec(step(), 1..10),
        order in proptest::collection::vec(picture(), 4..16), also in 0usize..8, seed in 0u64..1000,
    ) {
        let shape = [1, size[0], size[1], size[2]];
        let mut net = Builder::new(shape, seed);
        for step in &steps {
            net.step(step);
        }
        let Builder { mut model, values, .. } = net;
        let mut outputs = vec![values[values.len() - 1]];
        let also = values[also % values.len()];
        if also != outputs[0] {
            outputs.push(also);
        }
        model.select_output_outlets(&outputs).unwrap();
        let plan = Plan::new(model, &Store::default()).unwrap();
        agree(&plan, &pictures(shape, &order, seed));
    }
}

/// Each kind of operator alone: a box computes some places of it, not all.
#[test]
fn every_operator_over_planes_is_run_in_part() {
    let kernel = [3, 3];
    let convolution = |groups: usize| Step::Conv {
        out: 2,
        kernel,
        stride: 1,
        dilation: 2,
        pad: 2,
        groups,
    };
    let steps = [
        vec![convolution(1)],
        vec![convolution(4)],
        vec![convolution(1), Step::Relu, Step::Residual(1)],
        vec![Step::Relu],
        vec![Step::Clamp],
        vec![Step::Scale],
        vec![Step::Sigmoid, Step::Residual(1)],
        vec![Step::Sigmoid, Step::Multiply(1)],
        vec![Step::Highest { kernel, stride: 1 }],
        vec![Step::Highest {
            kernel: [2, 2],
            stride: 2,
        }],
        vec![Step::Mean {
            kernel,
            inside: true,
            divided: true,
        }],
        vec![Step::Sigmoid, Step::Concat(1)],
        vec![Step::Sigmoid, Step::Slice],
        vec![Step::Pad(2)],
        vec![Step::Last(false)],
        vec![Step::Last(true)],
        vec![Step::Shuffle],
    ];
    for steps in steps {
        let shape = [1, 4, 24, 24];
        let mut net = Builder::new(shape, 1);
        for step in &steps {
            net.step(step);
        }
        let Builder { mut model, values, .. } = net;
        model.select_output_outlets(&values[values.len() - 1..]).unwrap();
        let plan = Plan::new(model, &Store::default()).unwrap();
        let mut order: Vec<Picture> = (0..6).map(|i| Picture::Occluded([3 * i, 20 - 4 * i, 3, 3])).collect();
        order.push(Picture::Nan([4, 5]));
        let incremental = agree(&plan, &pictures(shape, &order, 2));
        let reached = incremental.growth(&plan, [8, 8, 3, 3]);
        assert!(!reached.is_empty());
        for Growth {
            name, operator, share, ..
        } in reached
        {
            assert!(share.is_some_and(|s| s < 0.5), "{steps:?}: {name} {operator} {share:?}");
        }
    }
}

/// A small network all of whose operators can be run in part.
fn small() -> (Plan, [usize; 4]) {
    let shape = [1, 2, 24, 24];
    let mut net = Builder::new(shape, 3);
    for _ in 0..3 {
        net.step(&Step::Conv {
            out: 4,
            kernel: [3, 3],
            stride: 1,
            dilation: 1,
            pad: 1,
            groups: 1,
        });
        net.step(&Step::Relu);
    }
    let Builder { mut model, values, .. } = net;
    model.select_output_outlets(&values[values.len() - 1..]).unwrap();
    (Plan::new(model, &Store::default()).unwrap(), shape)
}

fn boxes(count: usize, shape: [usize; 4], of: impl Fn([usize; 4]) -> Picture) -> Vec<Values> {
    let order: Vec<Picture> = (0..count).map(|i| of([3 * i % 20, 7 * i % 20, 3, 3])).collect();
    pictures(shape, &order, 5)
}

#[test]
fn occluding_computes_little() {
    let (plan, shape) = small();
    let all = boxes(40, shape, Picture::Occluded);
    let share = agree(&plan, &all).share().unwrap();
    assert!(share < 0.35, "{share}");
    // Nor where the base itself is never run.
    let share = agree(&plan, &all[1..]).share().unwrap();
    assert!(share < 0.4, "{share}");
}

#[test]
fn the_least_share_is_that_of_the_places_in_reach() {
    let (plan, _) = small();
    let incremental = Incremental::of(&plan).unwrap();
    let least = |changed: fn(usize, usize) -> bool| {
        let bits = (0..24 * 24).map(|i| changed(i / 24, i % 24)).collect();
        incremental.least(&crate::Mask::new(24, 24, bits))
    };
    // Three convolutions 3 x 3, each with a clamp; a place in the middle reaches 3 x 3, 5 x 5 and 7 x 7 places.
    let middle = least(|y, x| (y, x) == (9, 12));
    let [first, other] = [2.0 * 4.0 * 9.0, 4.0 * 4.0 * 9.0];
    let expected = (9.0 * first + (25.0 + 49.0) * other) / (576.0 * (first + 2.0 * other));
    assert!((middle / expected - 1.0).abs() < 0.1, "{middle} {expected}");
    let corner = least(|y, x| (y, x) == (0, 0));
    assert!(corner < 0.5 * middle, "{corner} {middle}");
    assert!(least(|_, _| false) <= 0.0);
    // More than the engine begins to compute in part.
    assert!((0.85..0.99).contains(&least(|y, _| y < 20)));
}

#[test]
fn deleting_computes_little() {
    let (plan, shape) = small();
    let share = agree(&plan, &boxes(40, shape, Picture::Deleted)).share().unwrap();
    assert!(share < 0.35, "{share}");
}

#[test]
fn a_picture_that_was_just_run_computes_nothing() {
    let (plan, shape) = small();
    let mut all = boxes(3, shape, Picture::Occluded);
    let mut incremental = agree(&plan, &all);
    let before = incremental.done[0];
    let again = incremental.run(&plan, &all.remove(3)).unwrap();
    assert_eq!(incremental.done[0].to_bits(), before.to_bits());
    assert_eq!(again[0].shape(), [1, 4, 24, 24]);
}

#[test]
fn pictures_that_differ_everywhere_are_run_plainly_and_nothing_is_kept() {
    let (plan, shape) = small();
    let all = pictures(shape, &vec![Picture::New; 6], 1);
    let incremental = agree(&plan, &all);
    assert!(incremental.kept.is_none());
    assert!((incremental.share().unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn another_base_is_found() {
    let (plan, shape) = small();
    let mut all = boxes(12, shape, Picture::Occluded);
    let other = pictures(shape, &[Picture::New], 9).remove(1);
    for k in 0..12 {
        let mut occluded = other.clone();
        occluded.data_mut()[k * 24..k * 24 + 3].fill(0.5);
        all.push(occluded);
    }
    let share = agree(&plan, &all).share().unwrap();
    assert!(share < 0.6, "{share}");
}

#[test]
fn a_wrong_shape_is_refused_and_changes_nothing() {
    let (plan, shape) = small();
    let all = boxes(6, shape, Picture::Occluded);
    let mut incremental = agree(&plan, &all);
    let why = incremental.run(&plan, &Values::zeros(&[1, 2, 24, 23])).unwrap_err();
    assert!(why.to_string().contains("shape"), "{why}");
    let plain = plan.run(&[&all[2]]).unwrap();
    assert!(bits(&incremental.run(&plan, &all[2]).unwrap()) == bits(&plain));
}

#[test]
fn an_error_in_the_middle_forgets_what_was_kept() {
    let (plan, shape) = small();
    let all = boxes(6, shape, Picture::Occluded);
    let mut incremental = agree(&plan, &all);
    // A result that went astray.
    let kept = incremental.kept.as_mut().unwrap();
    kept.anchor.lose();
    assert!(incremental.run(&plan, &all[1]).is_err());
    assert!(incremental.kept.is_none());
    let plain = plan.run(&[&all[2]]).unwrap();
    assert!(bits(&incremental.run(&plan, &all[2]).unwrap()) == bits(&plain));
}

#[test]
fn committed_networks_give_the_bits_of_plain_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for id in ["efficientnet-lite0", "objects"] {
        let card = ModelCard::parse(&std::fs::read_to_string(folder.join(id).join("card.toml")).unwrap()).unwrap();
        let onnx = std::fs::read(folder.join(id).join(&card.file)).unwrap();
        let network = Network::import(&onnx, &card, &Limits::default()).unwrap();
        let layers = [network.default_layer().unwrap_or(0)];
        let plan = network.plan(1, &Program::forward(&layers)).unwrap();
        let [c, h, w] = network.input_dims();
        let area = |k: usize| [h * k / 9, w * (8 - k) / 9, h / 9, w / 9];
        let order = [
            Picture::Occluded(area(1)),
            Picture::Occluded(area(4)),
            Picture::Deleted(area(7)),
        ];
        agree(&plan, &pictures([1, c, h, w], &order, 1));
    }
}
