//! Writes small ONNX files for the tests of the loader.

#![allow(dead_code, reason = "each test binary uses a part")]

use lucarne::error::LoadError;
use lucarne::model::{Limits, Model, ModelCard};
use prost::Message;
use std::sync::Arc;
pub use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_shape_proto, type_proto,
};

/// A file under construction.
#[derive(Clone, Default)]
pub struct File {
    pub graph: GraphProto,
    pub opset: i64,
}

/// `-1` stands for a symbolic size.
pub fn value(name: &str, dtype: DataType, shape: &[i64]) -> ValueInfoProto {
    use tensor_shape_proto::dimension::Value;
    let size = |&d: &i64| tensor_shape_proto::Dimension {
        value: Some(if d < 0 {
            Value::DimParam("N".into())
        } else {
            Value::DimValue(d)
        }),
        ..tensor_shape_proto::Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: dtype as i32,
        shape: Some(TensorShapeProto {
            dim: shape.iter().map(size).collect(),
        }),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

pub fn floats(name: &str, dims: &[i64], values: impl IntoIterator<Item = f32>) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: values.into_iter().collect(),
        ..TensorProto::default()
    }
}

pub fn ints(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

pub fn node(op: &str, name: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    let text = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    NodeProto {
        op_type: op.into(),
        name: name.into(),
        input: text(inputs),
        output: text(outputs),
        ..NodeProto::default()
    }
}

pub trait With {
    fn int(self, name: &str, value: i64) -> Self;
    fn ints(self, name: &str, values: &[i64]) -> Self;
    fn float(self, name: &str, value: f32) -> Self;
    fn graph(self, name: &str, graph: GraphProto) -> Self;
    fn tensor(self, name: &str, tensor: TensorProto) -> Self;
}

impl With for NodeProto {
    fn int(mut self, name: &str, value: i64) -> Self {
        let r#type = AttributeType::Int as i32;
        self.attribute.push(AttributeProto {
            name: name.into(),
            i: value,
            r#type,
            ..AttributeProto::default()
        });
        self
    }
    fn ints(mut self, name: &str, values: &[i64]) -> Self {
        let (ints, r#type) = (values.to_vec(), AttributeType::Ints as i32);
        self.attribute.push(AttributeProto {
            name: name.into(),
            ints,
            r#type,
            ..AttributeProto::default()
        });
        self
    }
    fn float(mut self, name: &str, value: f32) -> Self {
        let r#type = AttributeType::Float as i32;
        self.attribute.push(AttributeProto {
            name: name.into(),
            f: value,
            r#type,
            ..AttributeProto::default()
        });
        self
    }
    fn graph(mut self, name: &str, graph: GraphProto) -> Self {
        let (g, r#type) = (Some(graph), AttributeType::Graph as i32);
        self.attribute.push(AttributeProto {
            name: name.into(),
            g,
            r#type,
            ..AttributeProto::default()
        });
        self
    }
    fn tensor(mut self, name: &str, tensor: TensorProto) -> Self {
        let (t, r#type) = (Some(tensor), AttributeType::Tensor as i32);
        self.attribute.push(AttributeProto {
            name: name.into(),
            t,
            r#type,
            ..AttributeProto::default()
        });
        self
    }
}

impl File {
    /// `input` `[1, 3, 8, 8]` → `[1, 5]`: a convolution, ReLU, mean and dense layer, with `logits` as output.
    pub fn small() -> Self {
        let weight = floats("w", &[4, 3, 3, 3], (0..108).map(|i| (i as f32 * 0.37).sin() * 0.3));
        let dense = floats("d", &[5, 4], (0..20).map(|i| (i as f32 * 0.71).cos()));
        let graph = GraphProto {
            input: vec![value("input", DataType::Float, &[1, 3, 8, 8])],
            output: vec![value("logits", DataType::Float, &[1, 5])],
            initializer: vec![weight, dense],
            node: vec![
                node("Conv", "conv", &["input", "w"], &["c"])
                    .ints("kernel_shape", &[3, 3])
                    .ints("pads", &[1, 1, 1, 1]),
                node("Relu", "relu", &["c"], &["r"]),
                node("GlobalAveragePool", "pool", &["r"], &["p"]),
                node("Flatten", "flat", &["p"], &["f"]).int("axis", 1),
                node("Gemm", "dense", &["f", "d"], &["logits"]).int("transB", 1),
            ],
            ..GraphProto::default()
        };
        Self { graph, opset: 17 }
    }

    /// `input` `[1, 3, 8, 8]` through `nodes` to `logits`.
    pub fn of(nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> Self {
        let graph = GraphProto {
            node: nodes,
            initializer,
            ..Self::small().graph
        };
        Self { graph, opset: 17 }
    }

    pub fn proto(&self) -> ModelProto {
        ModelProto {
            ir_version: 8,
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: self.opset,
            }],
            graph: Some(self.graph.clone()),
            ..ModelProto::default()
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.proto().encode_to_vec()
    }

    pub fn load(&self) -> Result<Arc<Model>, LoadError> {
        load(&self.bytes())
    }
}

pub fn card() -> ModelCard {
    let text = "id = \"t\"\nname = \"t\"\n[input]\nname = \"\"\nshape = [1, 3, 8, 8]\n[preprocessing]\nmean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\n";
    ModelCard::parse(text).expect("a card")
}

pub fn load(bytes: &[u8]) -> Result<Arc<Model>, LoadError> {
    Model::load(bytes, card(), Vec::new(), &Limits::default())
}
