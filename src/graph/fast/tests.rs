//! The rewritten graph against the graph as it was, on random networks and on those of the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{
    Conv as Convolution, Deconv as Deconvolution, MaxPool, PaddingSpec, PoolSpec, SumPool,
};
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{DataFormat, Reduce, Reducer};

use super::super::backward::differentiate;
use super::super::vjp::prelude::*;
use super::super::{Network, Plan};
use super::chain::NARROW;
use super::{Conv, Store, rewrite};
use crate::model::{Limits, ModelCard};
use crate::program::{Program, Wrt};

/// Fails unless all outputs of the graphs agree to `tolerance` of the largest value of each output. The first is run as
/// it is: the engine's own rewrites make `constant - convolution` something else.
fn agree(plain: &TypedModel, fast: &TypedModel, seed: u64, tolerance: f32) {
    let inputs: Vec<crate::Tensor> = plain
        .inputs
        .iter()
        .enumerate()
        .map(|(i, &input)| {
            let shape = plain.outlet_fact(input).unwrap().shape.as_concrete().unwrap().to_vec();
            let mut noise = crate::rng::SeedStream::new(seed).stream(&format!("test/{i}"));
            crate::Tensor::from_fn(&shape, |_| noise.normal())
        })
        .collect();
    let inputs: Vec<&crate::Tensor> = inputs.iter().collect();
    let plain = Plan::unchanged(plain.clone()).unwrap().run(&inputs).unwrap();
    let fast = Plan::of(fast.clone()).unwrap().run(&inputs).unwrap();
    assert_eq!(plain.len(), fast.len());
    for (i, (a, b)) in plain.iter().zip(&fast).enumerate() {
        assert_eq!(a.shape(), b.shape());
        let largest = a.data().iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        for (at, (a, b)) in a.data().iter().zip(b.data()).enumerate() {
            let same = a.is_nan() && b.is_nan();
            assert!(
                same || (a - b).abs() <= tolerance * largest,
                "output {i}, value {at}: {a} and {b}, of {largest}"
            );
        }
    }
}

fn count<O: TypedOp>(model: &TypedModel) -> usize {
    model.nodes().iter().filter(|node| node.op_is::<O>()).count()
}

/// Number of operators that should have become kernels.
fn slow(model: &TypedModel) -> usize {
    let wide = |node: &&TypedNode| {
        let op = node.op_as::<Deconvolution>();
        op.is_some_and(|op| op.pool_spec.output_channels / op.group >= NARROW)
    };
    let adjoints = model.nodes().iter().filter(wide).count();
    adjoints + count::<Convolution>(model) + count::<MaxPool>(model) + count::<SumPool>(model)
}

/// A network under construction: values of several shapes, the last of which is continued.
struct Builder {
    model: TypedModel,
    values: Vec<OutletId>,
    noise: crate::rng::Stream,
}

#[derive(Clone, Debug)]
enum Step {
    Conv {
        out: usize,
        kernel: [usize; 2],
        stride: usize,
        dilation: usize,
        pad: [usize; 2],
        groups: usize,
        bias: bool,
    },
    Scale(bool),
    Shift(bool),
    Div,
    Minus(bool),
    Relu,
    Relu6,
    /// With the value that many steps before, if it has the shape.
    Add(usize),
    Max,
    Mean,
    Sigmoid,
    Gate,
    /// Continues from an earlier value.
    Back(usize),
}

impl Builder {
    fn new(shape: [usize; 4], seed: u64) -> Self {
        let mut model = TypedModel::default();
        let x = model.add_source("x", f32::fact(shape)).unwrap();
        Self {
            model,
            values: vec![x],
            noise: crate::rng::SeedStream::new(seed).stream("test/weights"),
        }
    }

    fn shape(&self, outlet: OutletId) -> Vec<usize> {
        self.model
            .outlet_fact(outlet)
            .unwrap()
            .shape
            .as_concrete()
            .unwrap()
            .to_vec()
    }

    fn konst(&mut self, shape: &[usize]) -> OutletId {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| 0.5 * self.noise.normal()).collect();
        let name = format!("const-{}", self.model.nodes().len());
        self.model
            .add_const(name, Tensor::from_shape(shape, &values).unwrap())
            .unwrap()
    }

    fn scalar(&mut self, value: f32) -> OutletId {
        let name = format!("const-{}", self.model.nodes().len());
        self.model
            .add_const(name, Tensor::from_shape(&[1, 1, 1, 1], &[value]).unwrap())
            .unwrap()
    }

    fn wire(&mut self, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) {
        let name = format!("node-{}", self.model.nodes().len());
        let outlet = self.model.wire_node(name, op, inputs).unwrap()[0];
        self.values.push(outlet);
    }

    fn step(&mut self, step: &Step) {
        let last = self.values[self.values.len() - 1];
        let shape = self.shape(last);
        let channels = shape[1];
        let of_channels = |by_channel: bool| [1, if by_channel { channels } else { 1 }, 1, 1];
        let spec =
            |kernel: [usize; 2], stride: usize, dilation: usize, before: [usize; 2], after: [usize; 2], out| PoolSpec {
                data_format: DataFormat::NCHW,
                kernel_shape: kernel[..].into(),
                padding: PaddingSpec::Explicit(before[..].into(), after[..].into()),
                dilations: Some(tvec![dilation; 2]),
                strides: Some(tvec![stride; 2]),
                input_channels: channels,
                output_channels: out,
            };
        match *step {
            Step::Conv {
                out,
                kernel,
                stride,
                dilation,
                pad: [before, after],
                groups,
                bias,
            } => {
                let groups = [groups, channels, 1]
                    .into_iter()
                    .find(|g| channels.is_multiple_of(*g))
                    .unwrap_or(1);
                let out = out * groups;
                let reach = |k: usize| (k - 1) * dilation + 1;
                if (0..2).any(|a| shape[2 + a] + before + after < reach(kernel[a])) {
                    return;
                }
                let weights = self.konst(&[out, channels / groups, kernel[0], kernel[1]]);
                let bias = if bias {
                    self.konst(&[out])
                } else {
                    let name = format!("const-{}", self.model.nodes().len());
                    self.model.add_const(name, tensor0(0f32)).unwrap()
                };
                let spec = spec(kernel, stride, dilation, [before; 2], [after; 2], out);
                let conv = Convolution::new(spec, KernelFormat::OIHW, groups, None);
                self.wire(conv, &[last, weights, bias]);
            }
            Step::Scale(by_channel) => {
                let scale = self.konst(&of_channels(by_channel));
                self.wire(math::mul(), &[scale, last]);
            }
            Step::Shift(by_channel) => {
                let shift = self.konst(&of_channels(by_channel));
                self.wire(math::add(), &[last, shift]);
            }
            Step::Div => {
                let by = self.scalar(0.7);
                self.wire(math::div(), &[last, by]);
            }
            Step::Minus(first) => {
                let shift = self.konst(&of_channels(true));
                self.wire(math::sub(), &if first { [last, shift] } else { [shift, last] });
            }
            Step::Relu | Step::Relu6 => {
                let zero = self.scalar(0.0);
                self.wire(math::max(), &[last, zero]);
                if matches!(step, Step::Relu6) {
                    let six = self.scalar(6.0);
                    let last = self.values[self.values.len() - 1];
                    self.wire(math::min(), &[six, last]);
                }
            }
            Step::Add(back) => {
                let like: Vec<OutletId> = self
                    .values
                    .iter()
                    .copied()
                    .filter(|&v| self.shape(v) == shape)
                    .collect();
                let other = like[like.len() - 1 - back % like.len()];
                self.wire(math::add(), &[other, last]);
            }
            Step::Max if shape[2] > 2 && shape[3] > 2 => {
                let pool = MaxPool::new(spec([3, 2], 2, 1, [1, 0], [0, 1], channels), None);
                self.wire(pool, &[last]);
            }
            Step::Mean if shape[2] > 2 && shape[3] > 2 => {
                let pool = SumPool::new(spec([2, 3], 1, 1, [0, 1], [0, 1], channels), false, true);
                self.wire(pool, &[last]);
            }
            Step::Max | Step::Mean => {}
            Step::Sigmoid => {
                self.wire(tract_onnx::tract_core::ops::nn::sigmoid(), &[last]);
            }
            Step::Gate => {
                self.wire(Reduce::new(tvec![2, 3], Reducer::Sum), &[last]);
                let sum = self.values[self.values.len() - 1];
                let small = self.scalar(0.01);
                self.wire(math::mul(), &[sum, small]);
                let sum = self.values[self.values.len() - 1];
                self.wire(tract_onnx::tract_core::ops::nn::sigmoid(), &[sum]);
                let gate = self.values[self.values.len() - 1];
                self.wire(math::mul(), &[last, gate]);
            }
            Step::Back(back) => {
                let whole: Vec<OutletId> = (self.values.iter().copied())
                    .filter(|&v| self.shape(v)[2..] != [1, 1])
                    .collect();
                if !whole.is_empty() {
                    self.values.push(whole[whole.len() - 1 - back % whole.len()]);
                }
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let conv = (
        1usize..12,
        [1usize..4, 1usize..4],
        1usize..3,
        1usize..3,
        [0usize..3, 0usize..3],
        1usize..4,
        any::<bool>(),
    )
        .prop_map(|(out, kernel, stride, dilation, pad, groups, bias)| Step::Conv {
            out,
            kernel,
            stride,
            dilation,
            pad,
            groups,
            bias,
        });
    prop_oneof![
        6 => conv,
        1 => any::<bool>().prop_map(Step::Scale),
        1 => any::<bool>().prop_map(Step::Shift),
        1 => Just(Step::Div),
        1 => any::<bool>().prop_map(Step::Minus),
        3 => Just(Step::Relu),
        2 => Just(Step::Relu6),
        3 => (0usize..4).prop_map(Step::Add),
        1 => Just(Step::Max),
        1 => Just(Step::Mean),
        1 => Just(Step::Sigmoid),
        1 => Just(Step::Gate),
        1 => (0usize..6).prop_map(Step::Back),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn random_networks_stay_what_they_were(
        size in [1usize..4, 3usize..12, 3usize..12], pictures in 1usize..3, steps in proptest::collection::vec(step(), 1..10),
        also in 0usize..8, seed in 0u64..1000,
    ) {
        let mut net = Builder::new([pictures, size[0], size[1], size[2]], seed);
        for step in &steps {
            net.step(step);
        }
        let Builder { mut model, values, .. } = net;
        let last = values[values.len() - 1];
        let mut outputs = vec![last];
        let also = values[also % values.len()];
        if also != last {
            outputs.push(also);
        }
        model.select_output_outlets(&outputs).unwrap();
        let fast = rewrite(&model, &Store::default()).unwrap();
        prop_assert_eq!(fast.inputs.len(), model.inputs.len());
        let reached = model.eval_order().unwrap();
        let convs = reached.iter().filter(|&&id| model.node(id).op_is::<Convolution>()).count();
        prop_assert_eq!(count::<Conv>(&fast), convs);
        prop_assert_eq!(slow(&fast), 0);
        agree(&model, &fast, seed, 1e-4);

        if values.len() > 1 && model.node(last.node).inputs.iter().any(|i| model.outlet_fact(*i).unwrap().konst.is_none()) {
            let gradient = differentiate(&model, last, &model.inputs);
            if let Ok(gradient) = gradient {
                let fast = rewrite(&gradient, &Store::default()).unwrap();
                prop_assert_eq!(slow(&fast), 0);
                agree(&gradient, &fast, seed, 1e-4);
            }
        }
    }
}

fn committed() -> BTreeMap<String, (PathBuf, ModelCard)> {
    let mut found = BTreeMap::new();
    for folder in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap() {
        let folder = folder.unwrap().path();
        let Ok(text) = std::fs::read_to_string(folder.join("card.toml")) else {
            continue;
        };
        let card = ModelCard::parse(&text).unwrap();
        found.insert(card.id.clone(), (folder.join(&card.file), card));
    }
    found
}

fn network(id: &str) -> Network {
    let (file, card) = &committed()[id];
    Network::import(&std::fs::read(file).unwrap(), card, &Limits::default()).unwrap()
}

fn forward(network: &Network, layers: &[usize]) -> TypedModel {
    let (mut model, values) = network.prepared(1, &Program::default()).unwrap();
    model.outputs = std::iter::once(values[0])
        .chain(layers.iter().map(|&i| network.outlet(&values, i).unwrap()))
        .collect();
    model
}

#[test]
fn bundled_networks_stay_what_they_were() {
    let networks = committed();
    assert!(networks.len() >= 2);
    for id in networks.keys() {
        let network = network(id);
        let store = Store::default();
        let every: Vec<usize> = (0..network.layers().len()).collect();
        let some: Vec<usize> = every.iter().copied().step_by(5).collect();
        for layers in [&[][..], &some, &every] {
            let plain = forward(&network, layers);
            let fast = rewrite(&plain, &store).unwrap();
            assert_eq!(slow(&fast), 0);
            agree(&plain, &fast, 1, 1e-5);
        }
        let gradient = network.adjoint(1, &Program::gradient(&[Wrt::Input])).unwrap();
        let fast = rewrite(&gradient, &store).unwrap();
        assert_eq!(slow(&fast), 0);
        // A picture whose sums before a clamp all lie further from its bounds than they are rounded.
        agree(&gradient, &fast, 2, 1e-3);
    }
}

#[test]
fn everything_after_a_convolution_of_a_mobile_network_is_fused() {
    let network = network("efficientnet-lite0");
    let plain = forward(&network, &[]);
    let fast = rewrite(&plain, &Store::default()).unwrap();
    assert_eq!(count::<Convolution>(&plain), 49);
    assert_eq!((count::<Conv>(&fast), count::<Convolution>(&fast)), (49, 0));
    let left: Vec<String> = fast
        .nodes()
        .iter()
        .filter(|node| node.op_is::<TypedBinOp>() && node.outputs[0].fact.shape.volume().to_usize().unwrap() > 2000)
        .map(|node| format!("{} {}", node.op.name(), node.name))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn plans_of_one_network_share_their_kernels() {
    let network = network("objects");
    let rewritten = |model: &TypedModel| rewrite(model, &network.kernels).unwrap();
    let first = rewritten(&forward(&network, &[]));
    let kernels = network.kernels.len();
    assert!(kernels > 0);
    let gradient = network.adjoint(1, &Program::gradient(&[Wrt::Input])).unwrap();
    let second = rewritten(&forward(&network, &[]));
    assert_eq!(network.kernels.len(), kernels);
    let third = rewritten(&gradient);
    assert!(network.kernels.len() <= 2 * kernels, "only the adjoint's are new");
    drop((first, second, third));
    assert_eq!(network.kernels.len(), 0);
}
