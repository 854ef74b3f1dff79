"""Building blocks of the test networks (see nets.py), and the seeded weights they all get."""

import torch
import torch.nn.functional as F
from torch import nn


def seeded(module, seed):
    """Random weights of a sensible scale, so that activations stay alive, and running statistics that are not 0 and 1."""
    g = torch.Generator().manual_seed(seed)

    def normal(tensor, std, mean=0.0):
        tensor.data = torch.randn(tensor.shape, generator=g) * std + mean

    def uniform(tensor, low, high):
        tensor.data = torch.rand(tensor.shape, generator=g) * (high - low) + low

    for m in module.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            fan_in = m.weight[0].numel()
            if isinstance(m, nn.ConvTranspose2d):
                fan_in = m.in_channels // m.groups * m.weight[0, 0].numel() / (m.stride[0] * m.stride[1])
            normal(m.weight, (2.0 / fan_in) ** 0.5)
            if m.bias is not None:
                normal(m.bias, 0.1)
        elif isinstance(m, nn.BatchNorm2d):
            uniform(m.weight, 0.5, 1.5)
            normal(m.bias, 0.2)
            normal(m.running_mean, 0.3)
            uniform(m.running_var, 0.5, 1.5)
        elif isinstance(m, nn.LayerNorm):
            uniform(m.weight, 0.5, 1.5)
            normal(m.bias, 0.2)
        elif isinstance(m, nn.PReLU):
            uniform(m.weight, 0.05, 0.4)
        for name, p in m.named_parameters(recurse=False):
            if name in ("token", "position", "scale"):
                normal(p, 0.5)
    return module.eval()


class ConvBn(nn.Sequential):
    """Convolution without bias, batch normalisation, and an activation (or none)."""

    def __init__(self, cin, cout, kernel, stride=1, groups=1, act=nn.ReLU):
        layers = [nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(cout)]
        super().__init__(*layers, *([act()] if act else []))


class ResidualBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a = ConvBn(cin, cout, 3, stride)
        self.b = ConvBn(cout, cout, 3, act=None)
        self.short = ConvBn(cin, cout, 1, stride, act=None) if stride > 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return F.relu(self.b(self.a(x)) + self.short(x))


class SqueezeExcite(nn.Module):
    def __init__(self, channels, hidden, act):
        super().__init__()
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.act = act()
        self.expand = nn.Conv2d(hidden, channels, 1)
        self.gate = nn.Hardsigmoid() if act is nn.ReLU else nn.Sigmoid()

    def forward(self, x):
        s = F.adaptive_avg_pool2d(x, 1)
        return x * self.gate(self.expand(self.act(self.reduce(s))))


class InvertedResidual(nn.Module):
    """MobileNet-like: expand, depthwise, squeeze-and-excite, project, add."""

    def __init__(self, cin, cout, stride, act):
        super().__init__()
        mid = 3 * cin
        self.expand = ConvBn(cin, mid, 1, act=act)
        self.depthwise = ConvBn(mid, mid, 5 if stride > 1 else 3, stride, groups=mid, act=act)
        self.se = SqueezeExcite(mid, 6, nn.ReLU if act is nn.Hardswish else nn.SiLU)
        self.project = ConvBn(mid, cout, 1, act=None)
        self.add = stride == 1 and cin == cout

    def forward(self, x):
        y = self.project(self.se(self.depthwise(self.expand(x))))
        return x + y if self.add else y


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation over the channels of an NCHW map."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNextBlock(nn.Module):
    def __init__(self, dim, approximate="none"):
        super().__init__()
        self.depthwise = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.up = nn.Linear(dim, 3 * dim)
        self.act = nn.GELU(approximate)
        self.down = nn.Linear(3 * dim, dim)
        self.scale = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.down(self.act(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.factor = heads, (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        n, dim = x.shape[1], x.shape[2]
        q, k, v = self.qkv(x).reshape(-1, n, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * self.factor).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(-1, n, dim))


class VitBlock(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class WindowedBlock(VitBlock):
    """Attention within four windows of a square of tokens, as a Swin transformer has it."""

    def windows(self, x):
        n, tokens, dim = x.shape
        half = int(tokens**0.5) // 2
        return x.reshape(n, 2, half, 2, half, dim).transpose(2, 3).reshape(-1, half * half, dim)

    def forward(self, x):
        n, tokens, dim = x.shape
        half = int(tokens**0.5) // 2
        mixed = self.attention(self.windows(self.norm1(x)))
        x = x + mixed.reshape(n, 2, 2, half, half, dim).transpose(2, 3).reshape(n, tokens, dim)
        return x + self.mlp(self.norm2(x))


class PooledBlock(VitBlock):
    """Attention to tokens that were pooled two by two, as a pyramid vision transformer has it."""

    def forward(self, x):
        n, tokens, dim = x.shape
        side, a = int(tokens**0.5), self.attention
        y = self.norm1(x)
        few = F.avg_pool2d(y.transpose(1, 2).reshape(n, dim, side, side), 2).flatten(2).transpose(1, 2)
        part = lambda z, k: (z @ a.qkv.weight[k * dim : (k + 1) * dim].T + a.qkv.bias[k * dim : (k + 1) * dim]).reshape(n, -1, a.heads, dim // a.heads).transpose(1, 2)
        weights = (part(y, 0) @ part(few, 1).transpose(-2, -1) * a.factor).softmax(-1)
        x = x + a.out((weights @ part(few, 2)).transpose(1, 2).reshape(n, tokens, dim))
        return x + self.mlp(self.norm2(x))


class StandardisedConv(nn.Conv2d):
    """Weight standardisation as timm's NFNets write it: a batch normalisation of the weights, which are constants."""

    def forward(self, x):
        w = self.weight.reshape(1, self.out_channels, -1)
        w = F.batch_norm(w, None, None, training=True, momentum=0.0, eps=1e-6).reshape_as(self.weight)
        return F.conv2d(x, w, self.bias, self.stride, self.padding)
