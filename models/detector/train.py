"""Trains the detector: which pixels of a picture were filled in? Writes detector.onnx (float16 weights, any size).

    python train.py PHOTOGRAPHS/training INPAINTER.onnx SAMPLER.onnx --minutes 10 [--out FOLDER]

Input [N, 3, H, W] in [0, 1], output [N, 1, H, W]: the logit of "filled in". Each crop is filled by one of all fills, drawn at random.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "inpainter"))
import data  # noqa: E402
from classical import FILLS  # noqa: E402
from evaluate import auc, network, seen  # noqa: E402
from export import Builder  # noqa: E402

SEED, SIDE, BATCH, RATE, AVERAGE, WIDTH = 7, 64, 16, 5e-3, 0.99, 24
DILATIONS = (1, 2, 4, 2, 1)
PADDING = (1, 2, 1, 2)      # one more at the end, for odd sizes; an even one does not see it
CHOICES = (*FILLS, "inpainter", "inpainter", "sampler", "sampler")


# What a pixel has that its neighbours do not foretell: the weights of ROAD's equations.
STENCIL = np.array([[-1 / 12, -1 / 6, -1 / 12], [-1 / 6, 1, -1 / 6], [-1 / 12, -1 / 6, -1 / 12]], np.float32)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stencil = nn.Conv2d(3, 3, 3, 1, 1, groups=3, bias=False).requires_grad_(False)
        self.stencil.weight.copy_(torch.from_numpy(STENCIL)[None, None].expand(3, 1, 3, 3))
        self.stem = nn.Sequential(nn.Conv2d(9, WIDTH, 4, 2), nn.BatchNorm2d(WIDTH))
        self.layers = nn.ModuleList(nn.Sequential(nn.Conv2d(WIDTH, WIDTH, 3, 1, d, d), nn.BatchNorm2d(WIDTH)) for d in DILATIONS)
        self.out = nn.Conv2d(WIDTH, 4, 3, 1, 1)

    def forward(self, x):
        left = self.stencil(x)
        x = torch.cat((4 * x - 2, 8 * left, (left.abs() + 1e-3).log()), 1)
        h = F.leaky_relu(self.stem(F.pad(x, PADDING)), 0.1)
        for layer in self.layers:
            h = h + F.leaky_relu(layer(h), 0.1)
        return F.pixel_shuffle(self.out(h), 2)[..., : x.shape[2], : x.shape[3]]


def folded(pair):
    """A convolution and the batch normalisation after it as one convolution."""
    return nn.utils.fusion.fuse_conv_bn_eval(*pair)


def export(net, out):
    """Writes the network; weights are rounded to float16 after the batch normalisations are folded in."""
    stem, layers = folded(net.stem), [folded(layer) for layer in net.layers]
    for conv in (stem, *layers, net.out):
        conv.weight.data = conv.weight.data.half().float()
    net.stem, net.layers = nn.Sequential(stem), nn.ModuleList(nn.Sequential(layer) for layer in layers)
    b = Builder()
    x = b.node("Sub", "centred", b.node("Mul", "scaled", "input", b.number(4)), b.number(2))
    weight = b.constant("stencil.weight", net.stencil.weight.numpy())
    left = b.node("Conv", "stencil", "input", weight, kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=3)
    size = b.node("Log", "log", b.node("Add", "safe", b.node("Abs", "size", left), b.number(1e-3)))
    x = b.node("Concat", "seen", x, b.node("Mul", "left", left, b.number(8)), size, axis=1)
    h = b.node("LeakyRelu", "stem.relu", b.conv("stem", stem, x, [1, 1, 2, 2]), alpha=0.1)
    for i, layer in enumerate(layers):
        h = b.node("Add", f"layer{i}.add", h, b.node("LeakyRelu", f"layer{i}.relu", b.conv(f"layer{i}", layer, h), alpha=0.1))
    y = b.node("DepthToSpace", "shuffled", b.conv("out", net.out, h), blocksize=2, mode="CRD")
    size = b.node("Slice", "extent", b.node("Shape", "shape", "input"), b.constant("two", np.array([2])), b.constant("four", np.array([4])))
    b.node("Slice", "output", y, b.constant("start", np.array([0, 0])), size, b.constant("axes", np.array([2, 3])))
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", c, "H", "W"]) for n, c in (("input", 3), ("output", 1))]
    g = helper.make_graph(b.nodes, "detector", values[:1], values[1:], b.weights)
    model = helper.make_model(g, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="lucarne")
    onnx.checker.check_model(model, full_check=True)
    run = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    worst = 0.0
    for size in ((64, 96), (33, 30), (1, 5)):
        x = np.random.default_rng(0).random((1, 3, *size), np.float32)
        with torch.no_grad():
            worst = max(worst, np.abs(run.run(None, {"input": x})[0] - net(torch.from_numpy(x)).numpy()).max())
    assert worst < 1e-3, worst
    onnx.save(model, out)
    print(f"{out}: {Path(out).stat().st_size} bytes, differs from PyTorch by {worst:.1e}")


def main():
    arguments = argparse.ArgumentParser()
    for name in ("photographs", "inpainter", "sampler"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--minutes", type=float, default=10)
    arguments.add_argument("--out", type=Path, default=Path("."))
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    pictures = list(data.load(options.photographs).values())
    nets = {n: network(getattr(options, n)) for n in ("inpainter", "sampler")}

    def fill(name, picture, removed):
        if name not in nets:
            return np.clip(FILLS[name](picture, removed, rng), 0, 1)
        noise = [rng.standard_normal((2, SIDE, SIDE))] if name == "sampler" else []
        return np.where(removed[..., None], nets[name](seen(picture, removed, *noise))[0].transpose(1, 2, 0), picture)

    net = Detector().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], RATE, (0.9, 0.98), fused=True)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    start, step, limit, sums, found = time.monotonic(), 0, options.minutes * 60, 0.0, []
    while (spent := time.monotonic() - start) < limit:
        for group in optimiser.param_groups:
            group["lr"] = float(RATE * min(1, (step + 1) / 50) * (0.5 + 0.5 * np.cos(np.pi * spent / limit)) + 1e-5)
        x, m = [], []
        for _ in range(BATCH):
            m.append(data.mask(rng, SIDE, SIDE))
            x.append(fill(CHOICES[rng.integers(len(CHOICES))], data.crop(rng, pictures, SIDE), m[-1]).transpose(2, 0, 1))
        m = torch.from_numpy(np.stack(m)[:, None].astype(np.float32))
        y = net(torch.from_numpy(np.stack(x).astype(np.float32)).contiguous(memory_format=torch.channels_last))
        loss = F.binary_cross_entropy_with_logits(y, m)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        decay = min(AVERAGE, step / (step + 20))
        for k, v in net.state_dict().items():
            if v.is_floating_point():
                average[k].lerp_(v, 1 - decay)
        sums += loss.item()
        found += [auc(a.ravel(), b.ravel() > 0) for a, b in zip(y.detach().numpy(), m.numpy())]
        if step % 100 == 0 or time.monotonic() - start >= limit:
            print(f"step {step} {spent / 60:.1f} min: loss {sums * BATCH / len(found):.4f}, mean AUC {np.mean(found):.4f}", flush=True)
            sums, found = 0.0, []
            shown = Detector()
            shown.load_state_dict(average)
            export(shown.eval().requires_grad_(False), options.out / "detector.onnx")


if __name__ == "__main__":
    main()
