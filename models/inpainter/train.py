"""Trains the inpainter until a time of day and keeps checkpoint.pt (weights, their moving average, the optimiser), from which it goes on.

    python train.py PHOTOGRAPHS/training --minutes 40 [--out FOLDER] [--threads 1] [--resume]
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

import data
from losses import Features, distance
from network import Network

SEED, RATE, AVERAGE = 5, 1.5e-3, 0.998
SIZES = ((0.4, 64, 16), (1.0, 96, 12))      # until this share of the time: side and number of crops


def loss_of(net, features, x, m, feature_weight):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(torch.cat((x * (1 - m), m), 1))
    filled = x * (1 - m) + out * m
    error = (((filled - x).abs() * m).sum((1, 2, 3)) / (3 * m.sum((1, 2, 3)))).mean()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.no_grad():
            wanted = features(x)
        far = distance(features(filled), wanted)
    return error + feature_weight * far, error, far


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("photographs", type=Path)
    arguments.add_argument("--minutes", type=float, default=40)
    arguments.add_argument("--out", type=Path, default=Path("."))
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--resume", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    pictures = list(data.load(options.photographs).values())
    net = Network().to(memory_format=torch.channels_last)
    features = Features().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), RATE, (0.9, 0.98), fused=True)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    step, spent = 0, 0.0
    file = options.out / "checkpoint.pt"
    if options.resume and file.exists():
        saved = torch.load(file, weights_only=True)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        average, step, spent = saved["average"], saved["step"], saved["spent"]
        rng = np.random.default_rng((SEED, step))
    start, told, sums = time.monotonic() - spent, time.monotonic(), np.zeros(4)
    limit = options.minutes * 60
    while (spent := time.monotonic() - start) < limit:
        side, count = next((s, n) for end, s, n in SIZES if spent <= end * limit)
        rate = float(RATE * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * spent / limit)) + 1e-5)
        for group in optimiser.param_groups:
            group["lr"] = rate
        x, m = (torch.from_numpy(v) for v in data.batch(rng, pictures, count, side))
        x = x.contiguous(memory_format=torch.channels_last)
        loss, error, far = loss_of(net, features, x, m, 0.5)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        decay = min(AVERAGE, step / (step + 20))
        for k, v in net.state_dict().items():
            average[k].lerp_(v, 1 - decay)
        sums += loss.item(), error.item(), far.item(), norm.item()
        if step % 100 == 0:
            now = time.monotonic()
            print(f"step {step} {spent / 60:.1f} min, {(now - told) / 100:.3f} s a step: loss, L1, features, gradient", *np.round(sums / 100, 5), flush=True)
            told, sums = now, np.zeros(4)
        if step % 200 == 0 or time.monotonic() - start >= limit:
            torch.save({"net": net.state_dict(), "average": average, "optimiser": optimiser.state_dict(), "step": step, "spent": spent}, f"{file}.new")
            Path(f"{file}.new").rename(file)


if __name__ == "__main__":
    main()
