"""Writes the network of a checkpoint as ONNX, weights as float16 widened by a Cast, and compares it with PyTorch.

    python export.py CHECKPOINT.pt OUT.onnx        # the inpainter, or the sampler where the checkpoint takes noise

The graph is written node by node, so that names stay put; height and width are symbolic.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from network import LEVELS, NOISE, RELAXATIONS, Network


class Builder:
    def __init__(self):
        self.nodes, self.weights = [], []

    def constant(self, name, array, half=False):
        array = np.asarray(array)
        if half:
            self.weights.append(numpy_helper.from_array(array.astype(np.float16), f"{name}.f16"))
            self.nodes.append(helper.make_node("Cast", [f"{name}.f16"], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
        else:
            self.weights.append(numpy_helper.from_array(array, name))
        return name

    def number(self, value):
        name = f"number.{value:g}"
        if not any(w.name == name for w in self.weights):
            self.constant(name, np.float32(value))
        return name

    def node(self, op, name, *inputs, **attributes):
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def conv(self, name, layer, x, pads=None):
        inputs = [x, self.constant(f"{name}.weight", layer.weight.detach().numpy(), True)]
        if layer.bias is not None:
            inputs.append(self.constant(f"{name}.bias", layer.bias.detach().numpy()))
        pads, dilations = pads or [*layer.padding] * 2, list(layer.dilation)
        return self.node("Conv", name, *inputs, kernel_shape=list(layer.kernel_size), strides=list(layer.stride), dilations=dilations, pads=pads)

    def halve(self, name, x):
        return self.node("AveragePool", name, x, kernel_shape=[2, 2], strides=[2, 2])

    def double(self, name, x):
        scales = "doubled"
        if not any(w.name == scales for w in self.weights):
            self.constant(scales, np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", name, x, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def cut(self, name, x, begin, end):
        ends = [self.constant(f"{name}.{k}", np.array([v], np.int64)) for k, v in (("begin", begin), ("end", end), ("axis", 1))]
        return self.node("Slice", name, x, *ends)

    def gated(self, name, block, x):
        f = self.node("LeakyRelu", f"{name}.relu", self.conv(f"{name}.feature", block.feature, x), alpha=0.2)
        g = self.node("Sigmoid", f"{name}.sigmoid", self.conv(f"{name}.gate", block.gate, x))
        y = self.node("Mul", f"{name}.gated", f, g)
        return self.node("Add", f"{name}.add", x, y) if block.residual else y


def pull_push(b, rgb, mask):
    kept = b.node("Sub", "kept", b.number(1), mask)
    sums, weights = [b.node("Mul", "sum0", rgb, kept)], [kept]
    for i in range(1, LEVELS + 1):
        sums.append(b.halve(f"sum{i}", sums[-1]))
        weights.append(b.halve(f"weight{i}", weights[-1]))
    mean = [b.node("ReduceMean", f"{k}.mean", v, axes=[2, 3], keepdims=1) for k, v in (("sum", sums[-1]), ("weight", weights[-1]))]
    fill = b.node("Div", "mean", mean[0], b.node("Add", "mean.safe", mean[1], b.number(1e-6)))
    for i in range(LEVELS, -1, -1):
        trust = b.node("Min", f"trust{i}", b.node("Mul", f"trust{i}.raw", weights[i], b.number(16)), b.number(1))
        local = b.node("Div", f"local{i}", sums[i], b.node("Add", f"local{i}.safe", weights[i], b.number(1e-6)))

        def step(name, fill, trust=trust, local=local):
            return b.node("Add", name, fill, b.node("Mul", f"{name}.step", trust, b.node("Sub", f"{name}.gap", local, fill)))

        fill = step(f"fill{i}.start", fill) if i == LEVELS else b.double(f"fill{i}.up", fill)
        for j in range(RELAXATIONS):
            smooth = b.node("AveragePool", f"fill{i}.{j}.smooth", fill, kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], count_include_pad=0)
            fill = step(f"fill{i}.{j}", smooth)
    return fill


def graph(net, name):
    b = Builder()
    rgb, mask = b.cut("rgb", "input", 0, 3), b.cut("mask", "input", 3, 4)
    fill = pull_push(b, rgb, mask)
    z = []
    if net.noise:
        z.append(b.cut("noise", "input", 4, 4 + net.noise))
        for i in range(4):
            z.append(b.node("Mul", f"noise.scaled{i}", b.halve(f"noise.half{i}", z[-1]), b.number(2)))

    def noisy(h, level):
        return b.node("Add", f"noise{level}.add", h, b.conv(f"noise{level}", getattr(net, f"noise{level}"), z[level if level > 1 else 0])) if net.noise else h

    centred = b.node("Sub", "centred", b.node("Mul", "twice", fill, b.number(2)), b.number(1))
    h = b.conv("stem", net.stem, b.node("Concat", "seen", centred, mask, axis=1))
    h1 = b.gated("encode1", net.encode1, h)
    h2 = b.gated("encode2", net.encode2, b.gated("down2", net.down2, h1))
    h3 = b.gated("encode3", net.encode3, b.gated("down3", net.down3, h2))
    h = noisy(b.gated("down4", net.down4, h3), 4)
    for i, block in enumerate(net.middle):
        h = b.gated(f"middle{i}", block, h)
    h = noisy(b.node("Add", "join3", h3, b.double("up3.double", b.conv("up3", net.up3, h))), 3)
    for i, block in enumerate(net.decode3):
        h = b.gated(f"decode3.{i}", block, h)
    h = noisy(b.node("Add", "join2", h2, b.double("up2.double", b.conv("up2", net.up2, h))), 2)
    h = b.gated("decode2", net.decode2, h)
    h = noisy(b.node("Add", "join1", h1, b.double("up1.double", b.conv("up1", net.up1, h))), 1)
    h = b.conv("out", net.out, b.gated("decode1", net.decode1, h))
    h = b.node("DepthToSpace", "residual", h, blocksize=2, mode="CRD")
    b.node("Clip", "output", b.node("Add", "corrected", fill, h), b.number(0), b.number(1))
    shapes = (("input", 4 + net.noise), ("output", 3))
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", c, "H", "W"]) for n, c in shapes]
    g = helper.make_graph(b.nodes, name, values[:1], values[1:], b.weights)
    model = helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="lucarne")
    onnx.checker.check_model(model, full_check=True)
    return model


def load(checkpoint):
    """The network with the moving average of its weights, rounded to float16 as the file has them (biases are not)."""
    weights = torch.load(checkpoint, weights_only=True)["average"]
    net = Network(NOISE if "noise1.weight" in weights else 0)
    net.load_state_dict({k: v.half().float() if k.endswith("weight") else v for k, v in weights.items()})
    return net.eval().requires_grad_(False)


def main(checkpoint, out):
    net = load(checkpoint)
    model = graph(net, Path(out).stem)
    run = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = 0.0
    for side in ((224, 224), (64, 96), (32, 32)):
        x = rng.random((1, 4 + net.noise, *side), np.float32)
        x[:, 3] = x[:, 3] > 0.5
        x[:, :3] *= 1 - x[:, 3:4]
        expected = net(torch.from_numpy(x)).clamp(0, 1).numpy()
        worst = max(worst, np.abs(run.run(None, {"input": x})[0] - expected).max())
    assert worst < 1e-4, worst
    onnx.save(model, out)
    print(f"{out}: {Path(out).stat().st_size} bytes, differs from PyTorch by {worst:.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
