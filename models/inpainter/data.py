"""Crops of photographs at several scales, and masks such as rankings of pixels make them."""

from pathlib import Path

import cv2
import numpy as np

cv2.setNumThreads(1)
KINDS = ("scattered", "blobs", "segments", "boxes", "outside")


def load(folder):
    """Every PNG of a folder as [H, W, 3] uint8 RGB, by name."""
    return {f.stem: cv2.imread(str(f))[..., ::-1].copy() for f in sorted(Path(folder).glob("*.png"))}


def crop(rng, pictures, side):
    """[side, side, 3] float32 in [0, 1]: any photograph, any place, reduced so that its shorter side is 160 to 640; flipped, recoloured."""
    picture = pictures[rng.integers(len(pictures))]
    shorter = min(picture.shape[:2])
    scale = min(1.0, np.exp(rng.uniform(np.log(max(160, side)), np.log(640))) / shorter)
    size = min(shorter, round(side / scale))
    y, x = rng.integers(picture.shape[0] - size + 1), rng.integers(picture.shape[1] - size + 1)
    out = picture[y : y + size, x : x + size]
    if size != side:
        out = cv2.resize(out, (side, side), interpolation=cv2.INTER_AREA if size > side else cv2.INTER_CUBIC)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    if rng.random() < 0.3:
        out = out[..., rng.permutation(3)]
    out = out.astype(np.float32) / 255
    if rng.random() < 0.5:
        out = np.clip(out * rng.uniform(0.7, 1.3) + rng.uniform(-0.15, 0.15), 0, 1)
    return np.ascontiguousarray(out)


def smooth_noise(rng, height, width):
    noise = np.zeros((height, width), np.float32)
    cells = rng.choice((3, 5, 8, 14))
    for octave in range(rng.integers(1, 4)):
        n = cells * 2**octave
        small = rng.standard_normal((n, n)).astype(np.float32)
        noise += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) / 1.7**octave
    return noise


def ranking(rng, kind, height, width):
    """Something to threshold: the share removed is then exact, but for ties and boxes."""
    if kind == "scattered":
        return rng.random((height, width), np.float32)
    if kind == "blobs":
        return smooth_noise(rng, height, width)
    if kind == "outside":
        # All but what lies about a point, with a ragged border.
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        cy, cx = rng.uniform(0.2, 0.8, 2) * (height, width)
        r = np.hypot((y - cy) / height, ((x - cx) * rng.uniform(0.6, 1.6)) / width)
        return r + 0.06 * smooth_noise(rng, height, width)
    n = int(rng.choice((5, 8, 12, 18)))
    if kind == "segments":
        # Cells of a jittered, warped grid, each with one value.
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        warp = height / n * 0.35
        y, x = y + warp * smooth_noise(rng, height, width), x + warp * smooth_noise(rng, height, width)
        cy, cx = (np.clip((v * n / s).astype(int) + 1, 0, n + 1) for v, s in ((y, height), (x, width)))
        return rng.random((n + 2, n + 2), np.float32)[cy, cx]
    # Boxes of a regular grid, as occlusion and RISE make them.
    shift = rng.integers(0, max(1, height // n), 2)
    cells = rng.random((n + 2, n + 2), np.float32)
    y, x = np.mgrid[0:height, 0:width]
    return cells[(y + shift[0]) * n // height, (x + shift[1]) * n // width]


def mask(rng, height, width, kind=None, share=None):
    """[height, width] bool, True = removed; at least one pixel of each sort."""
    kind = kind or KINDS[rng.choice(5, p=(0.3, 0.25, 0.2, 0.15, 0.1))]
    share = share or rng.uniform(0.05, 0.95)
    values = ranking(rng, kind, height, width).ravel()
    order = np.argsort(values + 1e-7 * rng.random(values.size), kind="stable")
    count = int(np.clip(round(share * values.size), 1, values.size - 1))
    out = np.zeros(values.size, bool)
    out[order[values.size - count :]] = True
    out = out.reshape(height, width)
    if kind == "blobs" and rng.random() < 0.15:
        out ^= rng.random((height, width)) < 0.05           # a ranking's edge is seldom clean
        out[0, 0], out[-1, -1] = out[0, 0] and not out.all(), True
        if out.all():
            out[0, 0] = False
    return out


def batch(rng, pictures, count, side):
    """Pictures [N, 3, side, side] and masks [N, 1, side, side], float32."""
    x = np.stack([crop(rng, pictures, side) for _ in range(count)]).transpose(0, 3, 1, 2)
    m = np.stack([mask(rng, side, side) for _ in range(count)])[:, None].astype(np.float32)
    return np.ascontiguousarray(x), m
