"""Goldens `layer-masking-*`: the logits of networks that are handed a picture with missing pixels.

    python layer_masking.py CHECKOUT        # of github.com/SriramB-98/layer_masking, whose sal_layers.py is imported

The masked layers are the authors' own classes, in float64, put in the place of ours with the same weights, wherever they have
such a layer. How two branches meet is written in their networks, not in their layers: sums as in their Bottleneck and MBConv (known
where both are, the rest 0), gates as in their SqueezeExcitation, stacked maps by the majority as in their DenseNet. Plain code here:
what they have no layer for (layer normalisation by channels, linear layers by place, the local mean of dense-concat, which they leave
diluted), and files that have no module (asymmetric padding), whose neighbours are filled by their fast_fmm.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, sys.argv[1])
import sal_layers as theirs                 # noqa: E402

import nets                                 # noqa: E402
from bundled import OnnxNet                 # noqa: E402
from common import MODELS, load_input, module, relative_input, versions, write_case  # noqa: E402
from imputers import block, corner, scattered  # noqa: E402
from layers import ConvNextBlock, InvertedResidual, LayerNorm2d, ResidualBlock, SqueezeExcite  # noqa: E402

NEIGHBOURS = 100        # what their notebooks hand on with a picture: every convolution fills from neighbours
SWAPS = {
    nn.Conv2d: theirs.MyConv2d, nn.BatchNorm2d: theirs.MyBatchNorm2d, nn.ReLU: theirs.MyReLU, nn.SiLU: theirs.MySiLU,
    nn.Hardswish: theirs.MyHardswish, nn.MaxPool2d: theirs.MyMaxPool2d, nn.AdaptiveAvgPool2d: theirs.MyAdaptiveAvgPool2d,
    nn.Identity: theirs.MyIdentity, nn.GELU: theirs.MyGELU,
}


def meet(a, b):
    mask = a[1] * b[1]
    return (a[0] + b[0]) * mask, mask, a[2]


def stack(parts):
    mask = (sum(m for _, m, _ in parts) > len(parts) * 0.5).double()
    return torch.cat([x * m for x, m, _ in parts], 1) * mask, mask, parts[0][2]


def local_mean(state, side):
    x, mask, it = state
    share = F.avg_pool2d(mask, side)
    return F.avg_pool2d(x * mask, side) / share.clamp(min=1e-12), (share > 0).double(), it


class Residual(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.a, self.b, self.short = swapped(ours.a), swapped(ours.b), swapped(ours.short)
        self.relu = theirs.MyReLU()

    def forward(self, x):
        return self.relu(meet(self.b(self.a(x)), self.short(x)))


class Gate(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.pool, self.ours = theirs.MyAdaptiveAvgPool2d(1), ours

    def forward(self, state):
        o, (x, mask, it) = self.ours, state
        return o.gate(o.expand(o.act(o.reduce(self.pool(state))))) * x, mask, it


class Inverted(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.body = nn.Sequential(*(swapped(m) for m in (ours.expand, ours.depthwise, ours.se, ours.project)))
        self.add = ours.add

    def forward(self, x):
        y = self.body(x)
        return meet(x, y) if self.add else y


class ByPlace(nn.Module):
    """Any module that maps each place on its own."""

    def __init__(self, ours):
        super().__init__()
        self.ours = ours

    def forward(self, state):
        return self.ours(state[0]) * state[1], state[1], state[2]


class ConvNext(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.depthwise, self.ours = swapped(ours.depthwise), ours

    def forward(self, state):
        o, (x, mask, it) = self.ours, self.depthwise(state)
        y = (o.scale * o.down(o.act(o.up(o.norm(x.permute(0, 2, 3, 1)))))).permute(0, 3, 1, 2)
        return meet(state, (y, mask, it))


class Flatten(nn.Module):
    def forward(self, x):
        return (x[0] * x[1] if isinstance(x, tuple) else x).flatten(1)


class Dense(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.relu, self.pool = theirs.MyReLU(), theirs.MyAdaptiveAvgPool2d(1)
        for name in ("stem", "a", "b", "transition", "c"):
            setattr(self, name, swapped(getattr(ours, name)))
        self.head = ours.head

    def forward(self, x):
        x = self.stem(x)
        x = stack([x, self.relu(self.a(x))])
        x = stack([x, self.relu(self.b(x))])
        x = local_mean(self.relu(self.transition(x)), 2)
        x = stack([x, self.relu(self.c(x))])
        return self.head(self.pool(x).flatten(1))


BLOCKS = {
    ResidualBlock: Residual, InvertedResidual: Inverted, SqueezeExcite: Gate, LayerNorm2d: ByPlace, ConvNextBlock: ConvNext,
    nn.Flatten: lambda _: Flatten(), nets.DenseConcat: Dense,
}


def swapped(ours):
    """The module with the authors' layers in place of PyTorch's, on the same weights."""
    for kind, make in BLOCKS.items():
        if type(ours) is kind:
            return make(ours)
    if isinstance(ours, nn.Sequential):
        return nn.Sequential(*(swapped(m) for m in ours))
    for kind, make in SWAPS.items():
        if type(ours) is not kind:
            continue
        if kind is nn.Conv2d:
            new = make(ours.in_channels, ours.out_channels, ours.kernel_size, ours.stride, ours.padding, groups=ours.groups, bias=ours.bias is not None)
        elif kind is nn.BatchNorm2d:
            new = make(ours.num_features, eps=ours.eps)
        elif kind is nn.MaxPool2d:
            new = make(ours.kernel_size, ours.stride, ours.padding)
        elif kind is nn.AdaptiveAvgPool2d:
            new = make(ours.output_size)
        elif kind is nn.GELU:
            new = make(ours.approximate)
        else:
            new = make()
        new.load_state_dict(ours.state_dict())
        return new.eval()
    return ours


def walked(net, x, mask):
    """An ONNX file, node by node: `values` are tensors, or maps with their masks."""
    ones, values = torch.ones(1, 1, 3, 3).double(), {"input": (x * mask, mask)}
    for op in net.layers.values():
        inputs = [net.get_parameter(net.weights[i]) if i in net.weights else values[i] for i in op.inputs]
        if not any(isinstance(i, tuple) for i in inputs):
            values[op.output] = op(*inputs)
            continue
        x, m = inputs[0]
        kernel, strides, pads = op.a.get("kernel_shape"), op.a.get("strides", 1), op.a.get("pads", [0, 0, 0, 0])
        seen = lambda: F.max_pool2d(F.pad(m, (pads[1], pads[3], pads[0], pads[2]), value=-np.inf), kernel, strides)
        if op.kind == "Conv":
            values[op.output] = (op(theirs.fast_fmm(x, m, ones, iters=kernel[-1]), *inputs[1:]), seen())
        elif op.kind == "MaxPool":
            values[op.output] = (op(x * m), seen())     # after a ReLU: nothing is below 0
        elif op.kind == "Add":
            values[op.output] = (x + inputs[1][0], m * inputs[1][1])
        elif op.kind == "GlobalAveragePool":
            values[op.output] = (x * m).mean((2, 3), keepdim=True) / m.mean((2, 3), keepdim=True)
        elif op.kind == "Concat":
            total = (sum(i[1] for i in inputs) > len(inputs) * 0.5).double()
            values[op.output] = (op(*(i[0] * i[1] for i in inputs)), total)
        elif op.kind in ("Relu", "Clip", "BatchNormalization", "Identity"):
            values[op.output] = (op(x, *inputs[1:]), m)
        else:
            raise NotImplementedError(op.kind)
    return values[net.output]


def case(name, model, x, mask, logits, who):
    write_case(
        f"layer-masking-{name}", kind="logits", model=model, input=relative_input(model), mask="mask.npy",
        expected=logits.detach().numpy().ravel(), arrays={"mask.npy": mask},
        tables={
            "imputer": {"id": "layer-masking"}, "tolerance": {"relative": 1e-4},
            "reference": {"tool": f"layer_masking a2610a5, {versions('torch')}", "options": who},
        },
    )


if __name__ == "__main__":
    own = "the authors' layers in float64 on the network's weights, state [100, 6] as in their notebooks"
    partly = "as layer-masking-residual-*; plain code for what the authors have no layer for (generate/layer_masking.py)"
    masks = {"scattered": lambda s: scattered(s, 0.5, 1), "block": lambda s: block(s, 0.4), "corner": corner, "most": lambda s: scattered(s, 0.97, 3)}
    for model, who in (("plain", own), ("residual", own), ("depthwise-se", own), ("conv-gelu-ln", partly), ("dense-concat", partly)):
        x = load_input(model)
        ours = module(model)
        torch.set_default_dtype(torch.float64)      # their layers hold filters of the default type
        net = swapped(ours)
        torch.set_default_dtype(torch.float32)      # the networks' weights are drawn in it
        picture = torch.from_numpy(x).double()[None]
        whole = net((picture, torch.ones_like(picture[:, :1]), [NEIGHBOURS, 6]))
        assert torch.allclose(whole, ours(picture), rtol=1e-6, atol=1e-6), model
        for name, make in masks.items():
            mask = make(x.shape[1:])
            kept = torch.from_numpy(1.0 - mask).double()[None, None]
            case(f"{model}-{name}", model, x, mask, net((picture, kept, [NEIGHBOURS, 6])), who)
    for model in ("objects", "efficientnet-lite0"):
        x = load_input(model)
        net = OnnxNet(MODELS / model / "model.onnx").double()
        mask = block(x.shape[1:], 0.4)
        kept = torch.from_numpy(1.0 - mask).double()[None, None]
        logits = walked(net, torch.from_numpy(x).double()[None], kept)
        who = "their fast_fmm, masks by max_pool2d, sums where both are known, mean of the known: the file's nodes in float64"
        case(f"{model}-block", model, x, mask, logits, who)
