//! Any bytes either load as a network within limits, which then runs, or are refused. Half of the inputs are mutated
//! as ONNX structures rather than as bytes, so that they get past the decoder.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};
use lucarne::graph::inspect::inspect;
use lucarne::guard::quiet_caught_panics;
use lucarne::model::{Limits, Model};
use lucarne::{Program, Tensor, Wrt};
use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, TensorProto};

fn limits() -> Limits {
    Limits {
        model_bytes: 1 << 20,
        nodes: 2000,
        tensor_values: 1 << 20,
        memory_bytes: 64 << 20,
        input_side: 64,
        ..Limits::default()
    }
}

fuzz_target!(init: quiet_caught_panics(), |bytes: &[u8]| -> Corpus {
    let limits = limits();
    let Ok(found) = inspect(bytes, &limits) else {
        return Corpus::Keep;
    };
    let mut card = found.card;
    if card.input.shape.iter().any(|&d| d == 0 || d > 64) {
        // Sizes that the file leaves open; small ones are as good.
        for size in &mut card.input.shape[2..] {
            *size = (*size).clamp(1, 32);
        }
    }
    let Ok(model) = Model::load(bytes, card, Vec::new(), &limits) else {
        return Corpus::Keep;
    };
    let [c, h, w] = model.input_dims();
    let x = Tensor::from_fn(&[1, c, h, w], |i| (i as f32 * 0.1).sin());
    let layers: Vec<usize> = model.network().default_layer().into_iter().collect();
    let forward = model.network().plan(1, &Program::forward(&layers));
    if let Ok(Ok(outputs)) = forward.map(|plan| plan.run(&[&x])) {
        assert_eq!(outputs[0].shape(), [1, model.classes()]);
        for (&layer, output) in layers.iter().zip(&outputs[1..]) {
            assert_eq!(output.shape()[1..], model.network().layers()[layer].shape);
        }
    }
    if let Ok(plan) = model.network().plan(1, &Program::gradient(&[Wrt::Input])) {
        let cotangent = Tensor::full(&[1, model.classes()], 1.0);
        if let Ok(outputs) = plan.run(&[&x, &cotangent]) {
            assert_eq!(outputs[1].shape(), x.shape());
        }
    }
    Corpus::Keep
});

/// A small generator; libFuzzer gives one seed a mutation.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }

    fn number(&mut self) -> i64 {
        const ODD: [i64; 14] =
            [-1, 0, 1, 2, 3, 4, 7, 16, 255, 65536, 1 << 31, 1 << 40, i64::MAX, i64::MIN];
        ODD[self.roll(ODD.len())]
    }

    fn of<'a, T>(&mut self, items: &'a mut [T]) -> Option<&'a mut T> {
        let n = items.len();
        if n == 0 { None } else { items.get_mut(self.roll(n)) }
    }
}

const OPERATORS: &[&str] = &[
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "ConstantOfShape", "Conv", "ConvTranspose",
    "CumSum", "DepthToSpace", "Div", "Einsum", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "Gemm",
    "GlobalAveragePool", "GridSample", "If", "InstanceNormalization", "LayerNormalization", "LRN", "LSTM", "MatMul",
    "MaxPool", "Mod", "NonMaxSuppression", "NonZero", "OneHot", "Pad", "Pow", "QuantizeLinear", "Range", "ReduceMean",
    "Relu", "Reshape", "Resize", "Scan", "ScatterND", "Shape", "Slice", "Softmax", "SpaceToDepth", "Split", "Squeeze",
    "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Where",
];

fn change_tensor(tensor: &mut TensorProto, dice: &mut Dice) {
    let number = dice.number();
    match dice.roll(5) {
        0 => tensor.dims.push(number),
        1 => _ = tensor.dims.pop(),
        2 => tensor.data_type = dice.roll(24) as i32,
        3 => {
            if let Some(dim) = dice.of(&mut tensor.dims) {
                *dim = number;
            }
        }
        _ => {
            if let Some(value) = dice.of(&mut tensor.int64_data) {
                *value = number;
            } else if tensor.data_type == 7 && tensor.raw_data.len() >= 8 {
                let at = dice.roll(tensor.raw_data.len() / 8) * 8;
                tensor.raw_data[at..at + 8].copy_from_slice(&number.to_le_bytes());
            } else if let Some(byte) = dice.of(&mut tensor.raw_data) {
                *byte = number as u8;
            }
        }
    }
}

fn change_attribute(attribute: &mut AttributeProto, dice: &mut Dice) {
    match dice.roll(4) {
        0 => attribute.i = dice.number(),
        1 => attribute.f = dice.number() as f32,
        2 => {
            let number = dice.number();
            match dice.of(&mut attribute.ints) {
                Some(int) => *int = number,
                None => attribute.ints.push(number),
            }
        }
        _ => {
            if let Some(tensor) = &mut attribute.t {
                change_tensor(tensor, dice);
            } else if let Some(graph) = &mut attribute.g {
                change_graph(graph, dice);
            }
        }
    }
}

fn change_graph(graph: &mut GraphProto, dice: &mut Dice) {
    match dice.roll(9) {
        0 => {
            if let Some(node) = dice.of(&mut graph.node) {
                node.op_type = OPERATORS[dice.roll(OPERATORS.len())].to_owned();
            }
        }
        1 | 2 => {
            if let Some(attribute) = dice.of(&mut graph.node).and_then(|n| {
                let k = n.attribute.len();
                if k == 0 { None } else { Some(&mut n.attribute) }
            }) {
                let at = dice.roll(attribute.len());
                change_attribute(&mut attribute[at], dice);
            }
        }
        3 => {
            if let Some(tensor) = dice.of(&mut graph.initializer) {
                change_tensor(tensor, dice);
            }
        }
        4 => {
            let names: Vec<String> = graph.node.iter().flat_map(|n| n.output.clone()).collect();
            if let (Some(node), false) = (dice.of(&mut graph.node), names.is_empty()) {
                let name = names[dice.roll(names.len())].clone();
                match dice.of(&mut node.input) {
                    Some(input) => *input = name,
                    None => node.input.push(name),
                }
            }
        }
        5 => {
            if let Some(node) = dice.of(&mut graph.node) {
                _ = node.input.pop();
            }
        }
        6 => {
            let at = dice.roll(graph.node.len());
            if at < graph.node.len() {
                graph.node.remove(at);
            }
        }
        7 => {
            let at = dice.roll(graph.node.len());
            if at < graph.node.len() {
                let mut node = graph.node[at].clone();
                node.output = vec![format!("copy{}", dice.roll(1000))];
                graph.node.insert(at, node);
            }
        }
        _ => {
            if let Some(node) = dice.of(&mut graph.node) {
                _ = node.attribute.pop();
            }
        }
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    if dice.roll(2) == 1
        && let Ok(mut model) = ModelProto::decode(&data[..size])
    {
        for _ in 0..=dice.roll(3) {
            if let Some(graph) = &mut model.graph {
                change_graph(graph, &mut dice);
            }
        }
        let bytes = model.encode_to_vec();
        if bytes.len() <= max_size.min(data.len()) {
            data[..bytes.len()].copy_from_slice(&bytes);
            return bytes.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
});
