"""Operators that ordinary networks use seldom, a family at a time, each as a block that takes and gives 12 channels."""

import torch
import torch.nn.functional as F
from torch import nn


class Convolutions(nn.Module):
    """Asymmetric padding, dilation, groups, strides that differ, kernels that are not square, a constant pad, a 1-wide kernel."""

    def __init__(self):
        super().__init__()
        self.dilated = nn.Conv2d(12, 12, 3, padding=2, dilation=2, groups=3)
        self.oblong = nn.Conv2d(12, 12, (5, 1), stride=(2, 1), padding=(2, 0))
        self.same = nn.Conv2d(12, 12, 2, padding="same", groups=2)
        self.depthwise = nn.Conv2d(12, 24, 3, stride=2, groups=12)
        self.point = nn.Conv2d(24, 12, 1, bias=False)

    def forward(self, x):
        x = F.relu(self.dilated(x))
        x = F.relu(self.oblong(F.pad(x, (0, 2, 1, 0), value=0.25)))
        x = F.relu(self.same(x))
        return self.point(F.relu(self.depthwise(F.pad(x, (1, 2, 0, 1)))))


class Pooling(nn.Module):
    """ceil_mode, padding with and without counting it, overlapping and oblong windows, dilation, global maximum."""

    def forward(self, x):
        a = F.max_pool2d(x, 3, 2, ceil_mode=True)
        b = F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)
        c = F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=True)
        d = F.max_pool2d(x, (2, 3), (2, 2), padding=(1, 1), dilation=1)
        h, w = min(t.shape[2] for t in (a, b, c, d)), min(t.shape[3] for t in (a, b, c, d))
        y = a[:, :, :h, :w] + b[:, :, :h, :w] * c[:, :, :h, :w] + d[:, :, :h, :w]
        y = F.avg_pool2d(y, 2, 2, ceil_mode=True, count_include_pad=False) + 0.1 * F.adaptive_max_pool2d(y, 1)
        return F.max_pool2d(F.pad(y, (0, 1, 1, 0)), 3, 1, dilation=1, padding=1)


class Activations(nn.Module):
    """One activation a channel group: leaky ReLU, ELU, softplus, tanh, sigmoid, PReLU, clip, hard sigmoid, SELU, CELU, GELU, Mish."""

    def __init__(self):
        super().__init__()
        self.prelu, self.prelu_channels = nn.PReLU(), nn.PReLU(12)
        self.mix = nn.Conv2d(12, 12, 3, padding=1)

    def forward(self, x):
        g = x.split(1, 1)
        acts = [
            F.leaky_relu(g[0], 0.1), F.elu(g[1], 0.7), F.softplus(g[2]), torch.tanh(g[3]), torch.sigmoid(g[4]), self.prelu(g[5]),
            g[6].clamp(-0.8, 0.9), F.hardsigmoid(g[7]), F.selu(g[8]), F.hardswish(g[9]), F.gelu(g[10], approximate="tanh"), F.mish(g[11]),
        ]
        y = self.prelu_channels(self.mix(torch.cat(acts, 1)))
        return y + F.softsign(y) + F.relu6(3 * y) + F.celu(y, 0.5)


class Shapes(nn.Module):
    """Split in unequal parts, strided and backward slices, gather, transpose, pixel shuffle both ways, tile, expand, squeeze, where."""

    def __init__(self):
        super().__init__()
        self.register_buffer("order", torch.tensor([3, 0, 2, 2, 1]))
        self.mix = nn.Conv2d(12, 12, 1)

    def forward(self, x):
        a, b, c = x.split([5, 3, 4], 1)
        a = a.index_select(1, self.order)
        b = b.transpose(2, 3)[:, :, 1:-1:2, :].transpose(2, 3)
        b = F.pad(b, (1, x.shape[3] - b.shape[3] - 1, 0, 0))
        c = F.pixel_shuffle(c, 2).unsqueeze(1).squeeze(1)[:, :, ::2, ::2].repeat(1, 4, 1, 1)
        y = torch.cat([a, b, c], 1)
        y = torch.where(y > 0.1, y, 0.3 * y - 0.05)
        y = F.pixel_unshuffle(F.pixel_shuffle(y, 2).flip(2), 2)
        head, tail = y.chunk(2, 1)
        y = torch.stack([tail, head], 2).flatten(1, 2)
        y = F.pad(y, (2, 1, 1, 2), mode="reflect")[:, :, 1:-2, 2:-1]
        return self.mix(y)


class Reductions(nn.Module):
    """Means, maxima, norms, variance, products of powers and roots, division, a matrix product, log-sum-exp, minimum and maximum."""

    def forward(self, x):
        mean = x.mean((2, 3), keepdim=True)
        std = (x.var((2, 3), keepdim=True, unbiased=False) + 1e-3).sqrt()
        x = (x - mean) / std
        peak = x.amax((2, 3), keepdim=True)
        low = x.amin(1, keepdim=True)
        norm = x.norm(dim=1, keepdim=True)
        l1 = x.abs().mean(1, keepdim=True)
        lse = torch.logsumexp(x, 1, keepdim=True)
        y = x / (norm + 0.1) + 0.1 * low * l1 + 0.2 * torch.exp(-(x**2)) + 0.1 * torch.log(1.0 + x.abs()) / peak
        y = y + (0.5 + torch.sigmoid(x)).pow(1.7) - torch.rsqrt(1.0 + x * x) + 0.05 * lse
        n, c, h, w = y.shape
        flat = y.reshape(-1, c, h * w)
        gram = torch.softmax(flat @ flat.transpose(1, 2) / (h * w), -1)
        y = torch.maximum((gram @ flat).reshape(-1, c, h, w), 0.2 * y) + torch.minimum(y, 0.5 * x)
        return y + 0.1 * torch.erf(y)


class Mix(nn.Module):
    """A stem to 12 channels, the blocks one after another, and a linear head over the mean of the last map."""

    def __init__(self, *blocks):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, padding=1)
        self.blocks = nn.ModuleList(b() for b in blocks)
        self.head = nn.Linear(12, 6)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            if isinstance(block, Shapes):       # needs even sides
                x = x[:, :, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]
            x = block(x)
        return self.head(x.mean((2, 3)))
