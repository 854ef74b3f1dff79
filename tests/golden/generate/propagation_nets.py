"""The test networks once more, for libraries that see modules only: every ReLU, sum, average pool and gate is one.

Zennit and Captum hook modules and leave what a `forward` does between them to autograd, which is no relevance rule. Each function here
takes a network of nets.py and gives one that computes the same from the same weights (`check` says so), in which nothing that has a
rule is hidden. What no library defines is decided as src/graph/rules/lrp/mod.rs says: gates and attention weights are constants.
"""

import torch
import torch.nn.functional as F
from torch import nn
from zennit.layer import Sum

from common import load_input, module


class Add(nn.Module):
    """A residual sum through Zennit's `Sum`, as its canonizers of torchvision's ResNets put it."""

    def __init__(self):
        super().__init__()
        self.sum = Sum()

    def forward(self, a, b):
        return self.sum(torch.stack([a, b], dim=-1))


class Gate(nn.Module):
    """`x * s` for a constant `s`, which is put into `self.s` before."""

    def forward(self, x):
        return x * self.s


class Weigh(nn.Module):
    """`weights @ v` for constant attention weights, which are put into `self.weights` before."""

    def forward(self, v):
        return self.weights @ v


class Residual(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.a, self.b, self.short, self.add, self.relu = block.a, block.b, block.short, Add(), nn.ReLU()

    def forward(self, x):
        return self.relu(self.add(self.b(self.a(x)), self.short(x)))


class Inverted(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.expand, self.depthwise, self.project = block.expand, block.depthwise, block.project
        self.gate, self.add = Gate(), Add() if block.add else None
        self.se = (block.se,)       # in a tuple, so that its modules are not hooked

    def forward(self, x):
        y = self.depthwise(self.expand(x))
        se = self.se[0].to(x.dtype)
        with torch.no_grad():
            self.gate.s = se.gate(se.expand(se.act(se.reduce(F.adaptive_avg_pool2d(y, 1)))))
        y = self.project(self.gate(y))
        return self.add(x, y) if self.add else y


class DenseConcat(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.stem, self.a, self.b, self.transition, self.c, self.head = net.stem, net.a, net.b, net.transition, net.c, net.head
        self.relus = nn.ModuleList([nn.ReLU() for _ in range(4)])
        self.pool, self.last = nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        a, b, t, c = self.relus
        x = self.stem(x)
        x = torch.cat([x, a(self.a(x))], 1)
        x = torch.cat([x, b(self.b(x))], 1)
        x = self.pool(t(self.transition(x)))
        x = torch.cat([x, c(self.c(x))], 1)
        return self.head(self.last(x).flatten(1))


class ConvNext(nn.Module):
    """The layer scale merged into the linear layer before it."""

    def __init__(self, block):
        super().__init__()
        self.depthwise, self.norm, self.up, self.act, self.down, self.add = (
            block.depthwise, block.norm, block.up, block.act, block.down, Add()
        )
        self.down.weight.data = block.scale.data[:, None] * self.down.weight.data
        self.down.bias.data = block.scale.data * self.down.bias.data

    def forward(self, x):
        y = self.down(self.act(self.up(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))))
        return self.add(x, y.permute(0, 3, 1, 2))


class Vit(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.patch, self.token, self.position = net.patch, net.token, net.position
        self.blocks, self.norm, self.head = nn.Sequential(*[VitBlock(b) for b in net.blocks]), net.norm, net.head

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class VitBlock(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.norm1, self.norm2, self.mlp = block.norm1, block.norm2, block.mlp
        self.qkv, self.out, self.heads, self.factor = (
            block.attention.qkv, block.attention.out, block.attention.heads, block.attention.factor
        )
        self.weigh, self.add1, self.add2 = Weigh(), Add(), Add()

    def attention(self, x):
        n, dim = x.shape[1], x.shape[2]
        q, k, v = self.qkv(x).reshape(-1, n, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        self.weigh.weights = (q @ k.transpose(-2, -1) * self.factor).softmax(-1).detach()
        return self.out(self.weigh(v).transpose(1, 2).reshape(-1, n, dim))

    def forward(self, x):
        x = self.add1(x, self.attention(self.norm1(x)))
        return self.add2(x, self.mlp(self.norm2(x)))


class Nodes(nn.Module):
    """A bundled network (bundled.py), each node a module of PyTorch's own."""

    def __init__(self, net):
        super().__init__()
        self.plan, self.result = [], net.output
        self.steps = nn.ModuleList()
        for op in net.layers.values():
            weights = [net.get_parameter(net.weights[i]).data for i in op.inputs if i in net.weights]
            self.plan.append(([i for i in op.inputs if i not in net.weights], op.output))
            self.steps.append(self.step(op, weights))

    @staticmethod
    def step(op, weights):
        a = op.a
        match op.kind:
            case "Conv":
                weight, bias = weights
                top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
                even = (top, left) == (bottom, right)
                group = a.get("group", 1)
                conv = nn.Conv2d(weight.shape[1] * group, weight.shape[0], weight.shape[2:], a.get("strides", 1),
                                 (top, left) if even else 0, groups=group)
                conv.weight.data, conv.bias.data = weight, bias
                return conv if even else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), conv)
            case "Gemm":
                assert a.get("transB") and a.get("alpha", 1.0) == a.get("beta", 1.0) == 1.0
                linear = nn.Linear(*weights[0].shape[::-1])
                linear.weight.data, linear.bias.data = weights
                return linear
            case "Clip":
                assert [float(w) for w in weights] == [0.0, 6.0]
                return nn.ReLU6()
        return {"Relu": nn.ReLU, "Add": Add, "GlobalAveragePool": lambda: nn.AdaptiveAvgPool2d(1), "Flatten": nn.Flatten}[op.kind]()

    def forward(self, x):
        values = {"input": x}
        for (inputs, output), step in zip(self.plan, self.steps):
            values[output] = step(*(values[i] for i in inputs))
        return values[self.result]


def _sequential(net, swaps):
    """`net` with its blocks replaced by class."""
    def swap(m):
        return next((new(m) for old, new in swaps.items() if type(m).__name__ == old), m)

    return nn.Sequential(*[swap(m) for m in net])


def canonical(name, dtype=torch.float64):
    """The network as modules."""
    net = module(name)
    if name == "dense-concat":
        made = DenseConcat(net)
    elif name == "tiny-vit":
        made = Vit(net)
    elif type(net).__name__ == "OnnxNet":
        made = Nodes(net)
    else:
        made = _sequential(net, {"ResidualBlock": Residual, "InvertedResidual": Inverted, "ConvNextBlock": ConvNext})
    made = made.eval().requires_grad_(False)
    x = torch.from_numpy(load_input(name)).double()[None]
    assert torch.allclose(made(x), module(name)(x), rtol=1e-9, atol=1e-9), name
    return made.to(dtype)
