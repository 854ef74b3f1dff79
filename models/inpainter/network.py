"""The inpainting network: a pull-push fill, and a U-Net of gated convolutions that corrects it. Also the sampler, with noise.

Input [N, 4 (+ 2), H, W]: RGB in [0, 1] with removed pixels 0, the mask (1 = removed), and for the sampler two channels of standard
normal noise. Output [N, 3, H, W]: a whole picture, of which the caller takes the removed pixels. H and W are multiples of 32.
"""

import torch
from torch import nn
from torch.nn import functional as F

LEVELS = 5
MULTIPLE = 2**LEVELS
RELAXATIONS = 2
NOISE = 2
WIDTHS = (32, 64, 96, 128)


def upsample(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def pull_push(x, mask):
    """Removed pixels from ever coarser averages of kept ones, relaxed at each level on the way back, so that the result is within half a
    decibel of the harmonic one: [N, 3, H, W], [N, 1, H, W] -> [N, 3, H, W]."""
    kept = 1 - mask
    sums, weights = [x * kept], [kept]
    for _ in range(LEVELS):
        sums.append(F.avg_pool2d(sums[-1], 2))
        weights.append(F.avg_pool2d(weights[-1], 2))
    fill = sums[-1].mean((2, 3), keepdim=True) / (weights[-1].mean((2, 3), keepdim=True) + 1e-6)
    for level in range(LEVELS, -1, -1):
        trust, local = torch.clamp(weights[level] * 16, max=1), sums[level] / (weights[level] + 1e-6)
        fill = fill + trust * (local - fill) if level == LEVELS else upsample(fill)
        for _ in range(RELAXATIONS):
            fill = F.avg_pool2d(fill, 3, 1, 1, count_include_pad=False)
            fill = fill + trust * (local - fill)
    return fill


class Gated(nn.Module):
    """A convolution of 3 x 3 whose output is gated by a point-wise one; added to its input where `residual`."""

    def __init__(self, inputs, outputs, stride=1, dilation=1, residual=False):
        super().__init__()
        self.feature = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation)
        self.gate = nn.Conv2d(inputs, outputs, 1, stride)
        self.residual = residual
        if residual:
            with torch.no_grad():
                self.feature.weight *= 0.5

    def forward(self, x):
        y = F.leaky_relu(self.feature(x), 0.2) * torch.sigmoid(self.gate(x))
        return x + y if self.residual else y


class Network(nn.Module):
    def __init__(self, noise=0):
        super().__init__()
        a, b, c, d = WIDTHS
        self.noise = noise
        self.stem = nn.Conv2d(4, a, 4, 2, 1)
        self.encode1 = Gated(a, a, residual=True)
        self.down2 = Gated(a, b, 2)
        self.encode2 = Gated(b, b, residual=True)
        self.down3 = Gated(b, c, 2)
        self.encode3 = Gated(c, c, residual=True)
        self.down4 = Gated(c, d, 2)
        self.middle = nn.ModuleList(Gated(d, d, dilation=n, residual=True) for n in (1, 2, 4, 1))
        self.up3 = nn.Conv2d(d, c, 1)
        self.decode3 = nn.ModuleList(Gated(c, c, dilation=n, residual=True) for n in (2, 1))
        self.up2 = nn.Conv2d(c, b, 1)
        self.decode2 = Gated(b, b, residual=True)
        self.up1 = nn.Conv2d(b, a, 1)
        self.decode1 = Gated(a, a, residual=True)
        self.out = nn.Conv2d(a, 12, 3, 1, 1)
        with torch.no_grad():
            self.out.weight *= 0.1
            self.out.bias.zero_()
        if noise:
            self.noise1 = nn.Conv2d(noise, a, 2, 2, bias=False)
            self.noise2, self.noise3, self.noise4 = (nn.Conv2d(noise, w, 1, bias=False) for w in (b, c, d))
            with torch.no_grad():
                for layer in (self.noise1, self.noise2, self.noise3, self.noise4):
                    layer.weight *= 0.3

    def forward(self, x):
        rgb, mask = x[:, :3], x[:, 3:4]
        with torch.autocast("cpu", enabled=False):
            fill = pull_push(rgb.float(), mask.float())
        if self.noise:
            # Averages of 2 x 2, doubled, so that the noise has variance one at each level.
            z = [x[:, 4:]]
            for _ in range(4):
                z.append(2 * F.avg_pool2d(z[-1], 2))
        h1 = self.encode1(self.stem(torch.cat((fill * 2 - 1, mask), 1)))
        h2 = self.encode2(self.down2(h1))
        h3 = self.encode3(self.down3(h2))
        h = self.down4(h3)
        if self.noise:
            h = h + self.noise4(z[4])
        for block in self.middle:
            h = block(h)
        h = h3 + upsample(self.up3(h))
        if self.noise:
            h = h + self.noise3(z[3])
        for block in self.decode3:
            h = block(h)
        h = h2 + upsample(self.up2(h))
        if self.noise:
            h = h + self.noise2(z[2])
        h = h1 + upsample(self.up1(self.decode2(h)))
        if self.noise:
            h = h + self.noise1(z[0])
        residual = F.pixel_shuffle(self.out(self.decode1(h)), 2)
        return fill + residual.float()
