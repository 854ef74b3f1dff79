"""The small test networks: seeded weights, exported to tests/nets/*.onnx (opset 17).

`python nets.py` writes them all. The other scripts call `build(name)`, which gives the same network as a float32 PyTorch module,
so that references can be made in float64 from exactly the weights in the file.
"""

import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import packing
from layers import (
    ConvBn, ConvNextBlock, InvertedResidual, LayerNorm2d, PooledBlock, ResidualBlock, SqueezeExcite, StandardisedConv, VitBlock, WindowedBlock,
    seeded,
)
from mixes import Activations, Convolutions, Mix, Pooling, Reductions, Shapes

NETS = Path(__file__).resolve().parents[2] / "nets"
OPSET = 17


class TinyVit(nn.Module):
    def __init__(self, side=32, patch=8, dim=32, heads=4, classes=6):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.position = nn.Parameter(torch.zeros(1, (side // patch) ** 2 + 1, dim))
        self.blocks = nn.Sequential(VitBlock(dim, heads), VitBlock(dim, heads))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class PartialVit(nn.Module):
    """A block whose attention mixes not all tokens with all, before one that does."""

    def __init__(self, block, side=32, patch=8, dim=16, heads=2, classes=5):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, patch, patch)
        self.position = nn.Parameter(torch.zeros(1, (side // patch) ** 2, dim))
        self.blocks = nn.Sequential(block(dim, heads), VitBlock(dim, heads))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.blocks(x)).mean(1))


class DenseConcat(nn.Module):
    """Dense blocks: every convolution reads all maps made so far."""

    def __init__(self):
        super().__init__()
        self.stem = ConvBn(3, 8, 3)
        self.a, self.b = nn.Conv2d(8, 6, 3, padding=1), nn.Conv2d(14, 6, 3, padding=1)
        self.transition = nn.Conv2d(20, 10, 1)
        self.c = nn.Conv2d(10, 6, 3, padding=1)
        self.head = nn.Linear(16, 7)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([x, F.relu(self.a(x))], 1)
        x = torch.cat([x, F.relu(self.b(x))], 1)
        x = F.avg_pool2d(F.relu(self.transition(x)), 2)
        x = torch.cat([x, F.relu(self.c(x))], 1)
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class TransposedResize(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, 2, 1)
        self.up = nn.ConvTranspose2d(8, 6, 4, 2, 1)
        self.up_odd = nn.ConvTranspose2d(6, 8, 3, 2, 1, output_padding=1, groups=2)
        self.mix = nn.Conv2d(8, 6, 3, 2, 1)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = F.relu(self.down(x))
        x = F.relu(self.up_odd(F.relu(self.up(x))))
        x = F.interpolate(F.relu(self.mix(x)), scale_factor=2, mode="nearest")
        x = F.interpolate(x, size=(21, 19), mode="bilinear", align_corners=False)
        x = x * torch.sigmoid(F.interpolate(x[:, :, ::2, ::2], size=(21, 19), mode="bilinear", align_corners=True))
        return self.head(x.sum((2, 3)) / 64.0)


class Nhwc(nn.Module):
    """Takes pictures as TensorFlow's exporters write them: channels last."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return self.body(x.permute(0, 3, 1, 2))


class MultiOutput(nn.Module):
    """Three outputs: ten fine logits, four coarse ones, and the map they are made from."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(ConvBn(3, 8, 3), ConvBn(8, 12, 3, 2))
        self.fine, self.coarse = nn.Linear(12, 10), nn.Linear(12, 4)

    def forward(self, x):
        maps = self.body(x)
        pooled = F.adaptive_avg_pool2d(maps, 1).flatten(1)
        return self.fine(pooled), self.coarse(pooled), maps


def two_layer():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 4))


def plain():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(12 * 5 * 5, 10),
    )


def residual():
    return nn.Sequential(
        ConvBn(3, 12, 3, 2), ResidualBlock(12, 12, 1), ResidualBlock(12, 20, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(20, 8)
    )


def depthwise_se():
    return nn.Sequential(
        ConvBn(3, 8, 3, 2, act=nn.Hardswish), InvertedResidual(8, 8, 1, nn.Hardswish), InvertedResidual(8, 12, 2, nn.SiLU),
        InvertedResidual(12, 12, 1, nn.SiLU), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 8),
    )


def conv_gelu_ln():
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, 4), LayerNorm2d(16, eps=1e-6), ConvNextBlock(16), ConvNextBlock(16, "tanh"),
        LayerNorm2d(16, eps=1e-6), nn.Conv2d(16, 24, 2, 2), ConvNextBlock(24),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(24, eps=1e-6), nn.Linear(24, 7),
    )


def weight_standardisation():
    return nn.Sequential(
        StandardisedConv(3, 10, 3, 2, 1), nn.SiLU(), StandardisedConv(10, 12, 3, 2, 1), nn.SiLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 6),
    )


def headed(head):
    body = [ConvBn(3, 8, 3, 2), ConvBn(8, 12, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 6)]
    return nn.Sequential(*body, *([head] if head else []))


@dataclass
class Net:
    make: object
    shape: tuple                        # as the file takes it, batch first
    outputs: tuple = ("logits",)
    layout: str = "nchw"
    pack: str = ""                      # how the weights are stored: "", "u8", "u8-affine", "f16"
    symbolic: bool = False              # batch dimension "N", and value_info that contradicts what is run
    seed: int = field(default=0)


REGISTRY = {
    "linear": Net(lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), (1, 1, 4, 4), seed=1),
    "linear-rgb": Net(lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), (1, 3, 8, 8), seed=2),
    "two-layer-relu": Net(two_layer, (1, 1, 6, 6), seed=3),
    "plain": Net(plain, (1, 1, 28, 28), seed=4),
    "residual": Net(residual, (1, 3, 33, 33), seed=5),
    "depthwise-se": Net(depthwise_se, (1, 3, 32, 32), seed=6),
    "dense-concat": Net(DenseConcat, (1, 3, 28, 28), seed=7),
    "conv-gelu-ln": Net(conv_gelu_ln, (1, 3, 32, 32), seed=8),
    "tiny-vit": Net(TinyVit, (1, 3, 32, 32), seed=9),
    "transposed-resize": Net(TransposedResize, (1, 3, 16, 16), seed=10),
    "ops-conv": Net(partial(Mix, Convolutions), (1, 3, 17, 19), seed=11),
    "ops-pool": Net(partial(Mix, Pooling), (1, 3, 17, 19), seed=12),
    "ops-activations": Net(partial(Mix, Activations), (1, 3, 17, 19), seed=13),
    "ops-shape": Net(partial(Mix, Shapes), (1, 3, 16, 20), seed=14),
    "ops-reduce": Net(partial(Mix, Reductions), (1, 3, 17, 19), seed=15),
    "ops-mix": Net(partial(Mix, Shapes, Activations, Convolutions, Pooling, Reductions), (1, 3, 41, 45), seed=16),
    "softmax-head": Net(partial(headed, nn.Softmax(1)), (1, 3, 32, 32), ("probabilities",), seed=17),
    "log-softmax-head": Net(partial(headed, nn.LogSoftmax(1)), (1, 3, 32, 32), ("log_probabilities",), seed=17),
    "sigmoid-head": Net(partial(headed, nn.Sigmoid()), (1, 3, 32, 32), ("probabilities",), seed=17),
    "nhwc": Net(lambda: Nhwc(headed(None)), (1, 32, 30, 3), layout="nhwc", seed=18),
    "multi-output": Net(MultiOutput, (1, 3, 32, 32), ("fine", "coarse", "maps"), seed=19),
    "residual-u8": Net(residual, (1, 3, 33, 33), pack="u8", seed=5),
    "residual-u8-affine": Net(residual, (1, 3, 33, 33), pack="u8-affine", seed=5),
    "residual-f16": Net(residual, (1, 3, 33, 33), pack="f16", seed=5),
    "residual-symbolic": Net(residual, (1, 3, 33, 33), symbolic=True, seed=5),
    "weight-standardisation": Net(weight_standardisation, (1, 3, 32, 32), seed=20),
    "small-rgb": Net(partial(headed, None), (1, 3, 30, 30), seed=21),     # 900 pixels: every tenth and twentieth is whole
    "windowed-vit": Net(partial(PartialVit, WindowedBlock), (1, 3, 32, 32), seed=22),
    "pooled-vit": Net(partial(PartialVit, PooledBlock), (1, 3, 32, 32), seed=23),
}


def build(name):
    """The network as an evaluation-mode float32 module, with the weights that the file holds once unpacked."""
    net = REGISTRY[name]
    return packing.round_weights(seeded(net.make(), net.seed), net.pack)


def export(name):
    net, module = REGISTRY[name], build(name)
    path = NETS / f"{name}.onnx"
    axes = {k: {0: "N"} for k in ("input", *net.outputs)} if net.symbolic else None
    torch.onnx.export(
        module, torch.randn(net.shape, generator=torch.Generator().manual_seed(0)), str(path), dynamo=False, opset_version=OPSET,
        input_names=["input"], output_names=list(net.outputs), dynamic_axes=axes,
        training=torch.onnx.TrainingMode.PRESERVE,      # evaluation mode, yet batch normalisation stays a node of its own
        do_constant_folding=name != "weight-standardisation",
    )
    packing.finish(path, module, net.pack, net.symbolic)
    return path


if __name__ == "__main__":
    NETS.mkdir(parents=True, exist_ok=True)
    for each in sys.argv[1:] or REGISTRY:
        file = export(each)
        print(f"{file.name:32} {file.stat().st_size:8}")
