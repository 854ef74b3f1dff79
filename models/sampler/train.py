"""Trains the sampler, from the inpainter's weights, with the energy score; keeps checkpoint.pt and goes on from it.

    python train.py PHOTOGRAPHS/training INPAINTER-CHECKPOINT.pt --minutes 25 [--out FOLDER] [--resume]

For two fillings x, x' of one picture y by two draws of noise the loss is (d(x, y) + d(x', y)) / 2 - d(x, x') / 2: on average least where the
fillings are distributed as the pictures are (Gneiting & Raftery 2007), so that nothing has to judge them and none is lost. d is a sum of
means of Euclidean distances, each a norm to which that applies: of patches of 1, 4 and 16 pixels' side, and of Lite0's features per place.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "inpainter"))
import data  # noqa: E402
from losses import Features  # noqa: E402
from network import NOISE, Network  # noqa: E402

SEED, RATE, AVERAGE = 6, 6e-4, 0.997
SIZES = ((0.5, 64, 8), (1.0, 96, 5))
PATCHES = ((1, 1.0), (4, 1.0), (16, 0.5))


def parts(x, features):
    """Maps [N, D, h, w] whose vectors over D are compared."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        deep = features(x)
    # Divided so that a difference of d in every pixel is a distance of d, whatever the patch.
    return [weight * F.pixel_unshuffle(x, side) / (3**0.5 * side) for side, weight in PATCHES], deep


def far(a, b, weight):
    total = 0
    for maps, other, w in ((a[0], b[0], 4.0), (a[1], b[1], weight)):
        for x, y in zip(maps, other):
            total = total + w * ((x - y).square().sum(1) + 1e-6).sqrt().mean()
    return total


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("photographs", type=Path)
    arguments.add_argument("inpainter", type=Path)
    arguments.add_argument("--minutes", type=float, default=25)
    arguments.add_argument("--out", type=Path, default=Path("."))
    arguments.add_argument("--resume", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    pictures = list(data.load(options.photographs).values())
    net = Network(NOISE).to(memory_format=torch.channels_last)
    net.load_state_dict(torch.load(options.inpainter, weights_only=True)["average"], strict=False)
    features = Features().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), RATE, (0.9, 0.98), fused=True)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    step, spent, file = 0, 0.0, options.out / "checkpoint.pt"
    if options.resume and file.exists():
        saved = torch.load(file, weights_only=True)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        average, step, spent = saved["average"], saved["step"], saved["spent"]
        rng = np.random.default_rng((SEED, step))
    start, told, sums, limit = time.monotonic() - spent, time.monotonic(), np.zeros(4), options.minutes * 60
    while (spent := time.monotonic() - start) < limit:
        side, count = next((s, n) for end, s, n in SIZES if spent <= end * limit)
        for group in optimiser.param_groups:
            group["lr"] = float(RATE * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * spent / limit)) + 1e-5)
        x, m = (torch.from_numpy(v) for v in data.batch(rng, pictures, count, side))
        twice, mask = x.repeat(2, 1, 1, 1), m.repeat(2, 1, 1, 1)
        noise = torch.randn(2 * count, NOISE, side, side)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net(torch.cat((twice * (1 - mask), mask, noise), 1))
        filled = (twice * (1 - mask) + out * mask).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            wanted = parts(x, features)
        made = parts(filled, features)
        first, second = (tuple([p[i * count : (i + 1) * count] for p in group] for group in made) for i in (0, 1))
        fit = (far(first, wanted, 1.0) + far(second, wanted, 1.0)) / 2
        apart = far(first, second, 1.0)
        loss = fit - apart / 2
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        optimiser.step()
        step += 1
        decay = min(AVERAGE, step / (step + 20))
        for k, v in net.state_dict().items():
            average[k].lerp_(v, 1 - decay)
        sums += loss.item(), fit.item(), apart.item(), norm.item()
        if step % 100 == 0:
            now = time.monotonic()
            print(f"step {step} {spent / 60:.1f} min, {(now - told) / 100:.3f} s a step: score, fit, apart, gradient", *np.round(sums / 100, 4), flush=True)
            told, sums = now, np.zeros(4)
        if step % 100 == 0 or time.monotonic() - start >= limit:
            torch.save({"net": net.state_dict(), "average": average, "optimiser": optimiser.state_dict(), "step": step, "spent": spent}, f"{file}.new")
            Path(f"{file}.new").rename(file)


if __name__ == "__main__":
    main()
