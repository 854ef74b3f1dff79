"""Distances between pictures in the early blocks of EfficientNet-Lite0."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "efficientnet-lite0"))


def fold(module, conv, norm):
    """Puts a batch normalisation into the convolution before it, where the module has both."""
    if hasattr(module, conv):
        conv, n = getattr(module, conv), getattr(module, norm)
        scale = n.weight / torch.sqrt(n.running_var + n.eps)
        conv.weight = torch.nn.Parameter(conv.weight * scale[:, None, None, None])
        conv.bias = torch.nn.Parameter(n.bias - n.running_mean * scale)
        setattr(module, norm, torch.nn.Identity())


class Features(torch.nn.Module):
    """Channel-normalised features of the stem and of blocks 0, 2 and 4: four maps, at a half to an eighth of the resolution."""

    BLOCKS = (0, 2, 4)

    def __init__(self):
        super().__init__()
        import convert

        net = convert.original()
        self.stem, self.blocks = net._conv_stem, torch.nn.ModuleList(net._blocks[: self.BLOCKS[-1] + 1])
        fold(net, "_conv_stem", "_bn0")
        for block in self.blocks:
            for pair in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
                fold(block, *pair)
        self.requires_grad_(False).eval()

    def forward(self, x):
        h = torch.nn.functional.relu6(self.stem((x * 255 - 127) / 128))
        out = [h]
        for i, block in enumerate(self.blocks):
            h = block(h)
            if i in self.BLOCKS:
                out.append(h)
        return [f.float() / (f.float().square().sum(1, keepdim=True) + 1e-4).sqrt() for f in out]


def distance(a, b):
    """Mean squared distance of the normalised features, summed over the maps."""
    return sum((x - y).square().sum(1).mean() for x, y in zip(a, b))
