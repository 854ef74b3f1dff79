"""Measures model.onnx on held-out compositions: photographs and distractors never trained on, new positions, scales, turns and colours.

    python evaluate.py --emoji assets --photos activities

Drawn at 256 pixels, resized as card.toml says, so this is what the page does. None of these compositions was looked at in training.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

import compose
import pool

HERE = Path(__file__).resolve().parent
SEED = 4


def network():
    run = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
    return lambda x: run.run(None, {"input": x})[0]


def preprocess(picture):
    small = picture.convert("RGB").resize((64, 64), Image.Resampling.BILINEAR)
    return ((np.asarray(small, np.float32) / 255 - 0.5) / 0.25).transpose(2, 0, 1)


def arguments():
    args = argparse.ArgumentParser()
    args.add_argument("--emoji", required=True)
    args.add_argument("--photos", required=True)
    args.add_argument("--count", type=int, default=4000)
    return args.parse_args()


if __name__ == "__main__":
    args, net = arguments(), network()
    composer = compose.Composer(args.emoji, args.photos, "held-out", object_side=256)
    found = []
    for i in range(args.count):
        made = composer.draw(np.random.default_rng((SEED, i)), 256)
        share = np.asarray(made.mask, np.float64).mean() / 255
        found.append((made.label, int(net(preprocess(made.picture)[None])[0].argmax()), "texture" in made.origin, "distractors" in made.origin, share))
    label, guess, texture, distracted, share = (np.array(v) for v in zip(*found))
    right = label == guess
    print(f"{right.sum()} of {len(right)} right ({right.mean():.4f})")
    for name, which in (("photographs", ~texture), ("textures", texture), ("with distractors", distracted), ("without", ~distracted),
                        ("smallest tenth of the objects", share <= np.quantile(share, 0.1)), ("largest tenth", share >= np.quantile(share, 0.9))):
        print(f"  {name:30} {right[which].mean():.4f} of {which.sum()}")
    print(f"  the object covers {np.quantile(share, [0.05, 0.5, 0.95]).round(3)} of the picture (5th, 50th, 95th percentile)")
    for i, name in enumerate(pool.LABELS):
        wrong = [pool.LABELS[g] for g in guess[(label == i) & ~right]]
        print(f"  {name:10} {right[label == i].mean():.3f}  {' '.join(sorted(wrong))}")
