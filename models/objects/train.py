"""Trains the objects network on compositions, measures it on held-out ones, writes model.onnx and labels.txt.

    python train.py --emoji assets --photos activities [--count 40000] [--epochs 12]

Input: RGB / 255, minus 0.5, over 0.25, 1x3x64x64. Output: 16 logits. Seeds are fixed; thread count changes last bits only.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

import compose
import pool

HERE = Path(__file__).resolve().parent


class Unit(nn.Module):
    """Convolution (depthwise and pointwise if `separable`), batch normalisation, ReLU."""

    def __init__(self, cin, cout, stride=1, separable=False):
        super().__init__()
        if separable:
            self.conv = nn.Sequential(
                nn.Conv2d(cin, cin, 3, stride, 1, groups=cin, bias=False), nn.BatchNorm2d(cin), nn.ReLU(), nn.Conv2d(cin, cout, 1, bias=False)
            )
        else:
            self.conv = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.norm(self.conv(x)))


class Objects(nn.Module):
    def __init__(self, classes=len(pool.LABELS)):
        super().__init__()
        self.stem = Unit(3, 20, 2)                  # 32 x 32
        self.block1 = Unit(20, 40, 2)               # 16 x 16
        self.block2 = Unit(40, 56, separable=True)
        self.block3 = Unit(56, 80, 2)               # 8 x 8
        self.block4 = Unit(80, 112)
        self.block5 = Unit(112, 144, separable=True)
        self.head = nn.Linear(144, classes)

    def forward(self, x):
        x = self.block5(self.block4(self.block3(self.block2(self.block1(self.stem(x))))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


def normalised(pictures):
    return (torch.from_numpy(pictures).float() / 255 - 0.5) / 0.25


def accuracy(net, pictures, labels):
    net.eval()
    with torch.no_grad():
        guesses = torch.cat([net(normalised(pictures[i : i + 250])).argmax(1) for i in range(0, len(labels), 250)])
    return guesses.numpy() == labels


def augmented(x, generator):
    """Mirrors half of the batch and shifts it by up to three pixels; a composition has no fixed place anyway."""
    if torch.rand((), generator=generator) < 0.5:
        x = x.flip(3)
    dy, dx = torch.randint(-3, 4, (2,), generator=generator).tolist()
    return F.pad(x, (3, 3, 3, 3), mode="reflect")[:, :, 3 + dy : 67 + dy, 3 + dx : 67 + dx]


def renamed(model):
    """Nodes called after the modules that they come from: `block2.conv`, `block5.relu`, `head`."""
    for node in model.graph.node:
        path = node.name.strip("/").split("/")
        scope = path[:-1] if len(path) > 1 else [path[0].lower()]
        node.name = ".".join(scope).replace("conv.conv.0", "depthwise").replace("conv.conv.2", "depthwise.relu").replace("conv.conv.3", "pointwise")
    return model


def export(net, path):
    torch.onnx.export(
        net.eval(), torch.zeros(1, 3, 64, 64), str(path), dynamo=False, opset_version=17, input_names=["input"], output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
    )
    model = renamed(onnx.load(str(path)))
    model.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--emoji", required=True)
    args.add_argument("--photos", required=True)
    args.add_argument("--count", type=int, default=40000)
    args.add_argument("--epochs", type=int, default=12)
    args.add_argument("--threads", type=int, default=1)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    start = time.time()
    held_out = compose.dataset(compose.Composer(args.emoji, args.photos, "held-out"), 4000, seed=2)
    train = compose.dataset(compose.Composer(args.emoji, args.photos, "train"), args.count, seed=1)
    # The schedule is fixed beforehand: the held-out figures of the epochs are watched, nothing is chosen by them.
    print(f"composed in {time.time() - start:.0f} s", flush=True)
    net = Objects().to(memory_format=torch.channels_last)
    steps = args.count // 100 * args.epochs
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, steps, pct_start=0.2)
    generator = torch.Generator().manual_seed(3)
    for epoch in range(args.epochs):
        net.train()
        order, losses = torch.randperm(args.count, generator=generator).numpy(), []
        for i in range(0, args.count - 99, 100):
            pick = order[i : i + 100]
            x = augmented(normalised(train[0][pick]), generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(net(x), torch.from_numpy(train[1][pick]), label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        right = accuracy(net, *held_out)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, held-out {right.mean():.4f}, {time.time() - start:.0f} s", flush=True)
    for i, label in enumerate(pool.LABELS):
        print(f"  {label:10} {right[held_out[1] == i].mean():.3f}")
    export(net.to(memory_format=torch.contiguous_format), HERE / "model.onnx")
    (HERE / "labels.txt").write_text("\n".join(pool.LABELS) + "\n")


if __name__ == "__main__":
    main()
