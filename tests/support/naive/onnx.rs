//! Writes small ONNX files: just enough of the wire format for networks made by hand.

/// Bytes of a protobuf message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }
}

fn tensor(name: &str, dims: &[usize], values: &[f32]) -> Message {
    const FLOAT: u64 = 1;
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    dims.iter()
        .fold(Message::default(), |m, &d| m.int(1, d as u64))
        .int(2, FLOAT)
        .text(8, name)
        .bytes(9, &raw)
}

fn value(name: &str, dims: &[usize]) -> Message {
    let shape = dims.iter().fold(Message::default(), |m, &d| {
        m.message(1, Message::default().int(1, d as u64))
    });
    let tensor = Message::default().int(1, 1).message(2, shape);
    Message::default()
        .text(1, name)
        .message(2, Message::default().message(1, tensor))
}

fn node(op: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) -> Message {
    const INT: u64 = 2;
    let mut m = inputs
        .iter()
        .fold(Message::default(), |m, i| m.text(1, i))
        .text(2, output)
        .text(3, output)
        .text(4, op);
    for &(name, value) in attributes {
        m = m.message(5, Message::default().text(1, name).int(3, value).int(20, INT));
    }
    m
}

/// An ONNX file of dense layers with ReLU between them. A layer is its weights `[outputs][inputs]` and its bias.
pub fn dense_network(dims: [usize; 3], layers: &[(Vec<Vec<f32>>, Vec<f32>)]) -> Vec<u8> {
    let [c, h, w] = dims;
    let mut graph = Message::default().message(1, node("Flatten", &["input"], "flat", &[("axis", 1)]));
    let mut last = "flat".to_owned();
    for (i, (weights, bias)) in layers.iter().enumerate() {
        if i > 0 {
            let relu = format!("relu{i}");
            graph = graph.message(1, node("Relu", &[&last], &relu, &[]));
            last = relu;
        }
        let out = if i + 1 == layers.len() {
            "logits".to_owned()
        } else {
            format!("dense{i}")
        };
        let (weight_name, bias_name) = (format!("w{i}"), format!("b{i}"));
        graph = graph
            .message(
                1,
                node("Gemm", &[&last, &weight_name, &bias_name], &out, &[("transB", 1)]),
            )
            .message(
                5,
                tensor(&weight_name, &[weights.len(), weights[0].len()], &weights.concat()),
            )
            .message(5, tensor(&bias_name, &[bias.len()], bias));
        last = out;
    }
    let classes = layers[layers.len() - 1].1.len();
    let graph = graph
        .text(2, "made-by-hand")
        .message(11, value("input", &[1, c, h, w]))
        .message(12, value("logits", &[1, classes]));
    Message::default()
        .int(1, 8)
        .message(8, Message::default().text(1, "").int(2, 17))
        .message(7, graph)
        .0
}

/// A convolution without padding at stride 1: weights `[outputs][inputs][k][k]` flat, bias, and what a batch normalisation
/// after it has for each channel: scale, shift, mean, variance.
pub struct Convolution {
    pub outputs: usize,
    pub inputs: usize,
    pub side: usize,
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub norm: [Vec<f32>; 4],
}

/// An ONNX file of convolutions, each with a batch normalisation (epsilon 1e-5) and a ReLU, and one dense layer.
pub fn conv_network(dims: [usize; 3], convolutions: &[Convolution], head: &(Vec<Vec<f32>>, Vec<f32>)) -> Vec<u8> {
    let [c, h, w] = dims;
    let mut graph = Message::default();
    let mut last = "input".to_owned();
    for (i, conv) in convolutions.iter().enumerate() {
        let name = |part: &str| format!("{part}{i}");
        let shape = [conv.outputs, conv.inputs, conv.side, conv.side];
        graph = graph
            .message(1, node("Conv", &[&last, &name("w"), &name("b")], &name("conv"), &[]))
            .message(5, tensor(&name("w"), &shape, &conv.weights))
            .message(5, tensor(&name("b"), &[conv.outputs], &conv.bias));
        for (part, values) in ["scale", "shift", "mean", "variance"].iter().zip(&conv.norm) {
            graph = graph.message(5, tensor(&name(part), &[conv.outputs], values));
        }
        let inputs = ["conv", "scale", "shift", "mean", "variance"].map(&name);
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        graph = graph
            .message(1, node("BatchNormalization", &inputs, &name("norm"), &[]))
            .message(1, node("Relu", &[&name("norm")], &name("relu"), &[]));
        last = name("relu");
    }
    let graph = graph
        .message(1, node("Flatten", &[&last], "flat", &[("axis", 1)]))
        .message(
            1,
            node("Gemm", &["flat", "head.w", "head.b"], "logits", &[("transB", 1)]),
        )
        .message(5, tensor("head.w", &[head.0.len(), head.0[0].len()], &head.0.concat()))
        .message(5, tensor("head.b", &[head.1.len()], &head.1))
        .text(2, "made-by-hand")
        .message(11, value("input", &[1, c, h, w]))
        .message(12, value("logits", &[1, head.1.len()]));
    Message::default()
        .int(1, 8)
        .message(8, Message::default().text(1, "").int(2, 17))
        .message(7, graph)
        .0
}
