"""An ONNX file as a PyTorch module, node by node: for networks that have no PyTorch source here, and for layers by their ONNX names.

Each node is a submodule, so that hooks (pytorch-grad-cam's) can be put on it. Only what the networks in question use is known.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn


class Op(nn.Module):
    def __init__(self, node):
        super().__init__()
        self.kind, self.inputs, self.output = node.op_type, list(node.input), node.output[0]
        self.a = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    def forward(self, *x):
        a = self.a
        match self.kind:
            case "Conv":
                top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
                padded = F.pad(x[0], (left, right, top, bottom))
                return F.conv2d(padded, *x[1:], stride=a.get("strides", 1), dilation=a.get("dilations", 1), groups=a.get("group", 1))
            case "BatchNormalization":
                scale, bias, mean, var = x[1:5]
                return F.batch_norm(x[0], mean, var, scale, bias, eps=a.get("epsilon", 1e-5))
            case "Gemm":
                return a.get("alpha", 1.0) * x[0] @ (x[1].T if a.get("transB") else x[1]) + a.get("beta", 1.0) * x[2]
            case "MaxPool":
                assert not any(a.get("pads", [])) and not a.get("ceil_mode")
                return F.max_pool2d(x[0], a["kernel_shape"], a["strides"])
            case "AveragePool":
                assert not any(a.get("pads", [])) and not a.get("ceil_mode")
                return F.avg_pool2d(x[0], a["kernel_shape"], a["strides"])
            case "Relu":
                return F.relu(x[0])
            case "Clip":
                return torch.clamp(x[0], x[1], x[2])
            case "Add":
                return x[0] + x[1]
            case "Concat":
                return torch.cat(x, a["axis"])
            case "GlobalAveragePool":
                return x[0].mean((2, 3), keepdim=True)
            case "Flatten":
                return x[0].flatten(a.get("axis", 1))
            case "Identity":
                return x[0]
        raise NotImplementedError(self.kind)


class OnnxNet(nn.Module):
    def __init__(self, path):
        super().__init__()
        graph = onnx.load(str(path)).graph
        values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
        self.names, nodes = [], []
        for node in graph.node:
            if node.op_type == "Constant":
                values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type == "Cast" and node.input[0] in values:        # a weight that is stored in float16
                values[node.output[0]] = values[node.input[0]].astype(np.float32)
            else:
                nodes.append(node)
        used = {i for n in nodes for i in n.input}
        self.weights = {k: k.replace(".", "/") for k in values if k in used}
        for k, safe in self.weights.items():
            self.register_parameter(safe, nn.Parameter(torch.tensor(values[k], dtype=torch.float32), requires_grad=False))
        self.layers = nn.ModuleDict()
        for node in nodes:
            self.layers[node.name.replace(".", ":")] = Op(node)
        self.output = graph.output[0].name

    def layer(self, name):
        return self.layers[name.replace(".", ":")]

    def forward(self, x):
        values = {"input": x}
        for op in self.layers.values():
            values[op.output] = op(*(self.get_parameter(self.weights[i]) if i in self.weights else values[i] for i in op.inputs))
        return values[self.output]


def build(name):
    from common import MODELS

    return OnnxNet(MODELS / name / "model.onnx")
