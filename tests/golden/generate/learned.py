"""Goldens `imputer-inpainter-*` and `imputer-sampler-*`: ONNX Runtime on the networks of models/inpainter and models/sampler.

The networks take [1, 4, H, W]: pixel values in [0, 1] with removed pixels 0, and the mask (1 = removed); the sampler two channels of
standard normal noise more, here recorded [2, H, W]. H and W are padded at the right and below to multiples of 32 by removed pixels. One
channel is shown three times and the answers are averaged. Where kept values lie outside of [0, 1] their range is mapped onto it and back.
"""

import numpy as np
import onnxruntime

from common import INPUTS, MODELS, versions, write_case


def network(name):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    run = onnxruntime.InferenceSession(str(MODELS / name / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
    return lambda x: run.run(None, {"input": x})[0][0]


def filled(name, x, mask, noise=None):
    c, h, w = x.shape
    kept = x[:, mask == 0]
    low, size = (0.0, 1.0) if kept.min() >= 0 and kept.max() <= 1 else (kept.min(), np.ptp(kept))
    rows, columns = (-(-s // 32) * 32 for s in (h, w))
    asked = np.zeros((1, 4, rows, columns), np.float32)
    asked[0, 3] = 1
    asked[0, 3, :h, :w] = mask
    asked[0, :3, :h, :w] = np.where(mask > 0, 0, (np.broadcast_to(x, (3, h, w)) - low) / size)
    if noise is not None:
        asked = np.concatenate([asked, noise[None]], 1)
    y = network(name)(asked)[:, :h, :w]
    y = y if c == 3 else y.mean(0, keepdims=True)
    return np.where(mask > 0, low + size * y, x)


def masks(shape, kind, seed):
    h, w = shape
    y, x = np.mgrid[0:h, 0:w]
    if kind == "scattered":
        return (np.random.default_rng(seed).random(shape) < 0.6).astype(np.float32)
    if kind == "block":
        return ((abs(y - h * 0.4) < h * 0.25) & (abs(x - w * 0.5) < w * 0.3)).astype(np.float32)
    return (y + 2 * x > 0.6 * (h + w)).astype(np.float32)           # touches three borders, padding included


if __name__ == "__main__":
    cases = (
        ("inpainter-colour", "inpainter", "picture-astronaut-32", "scattered"),
        ("inpainter-padded", "inpainter", "picture-coffee-40-56", "border"),
        ("inpainter-grey", "inpainter", "picture-camera-28", "block"),
        ("inpainter-range", "inpainter", "residual-0", "scattered"),
        ("sampler-colour", "sampler", "picture-astronaut-32", "block"),
        ("sampler-padded", "sampler", "picture-coffee-30", "border"),
    )
    for i, (name, id, picture, kind) in enumerate(cases):
        x = np.load(INPUTS / f"{picture}.npy")
        mask = masks(x.shape[1:], kind, i)
        arrays, recorded = {"mask.npy": mask}, {}
        if id == "sampler":
            padded = [-(-s // 32) * 32 for s in x.shape[1:]]
            arrays["noise.npy"] = np.random.default_rng(i).standard_normal((2, *padded)).astype(np.float32)
            recorded = {"sampler/noise": "noise.npy"}
        expected = filled(id, x, mask, arrays.get("noise.npy"))
        size = np.ptp(x) if kind == "scattered" and picture == "residual-0" else 1.0
        write_case(
            f"imputer-{name}", kind="imputer", model="residual", input=f"../inputs/{picture}.npy", id=id, mask="mask.npy",
            expected=expected, arrays=arrays,
            tables={
                "recorded": recorded, "tolerance": {"absolute": float(f"{1e-4 * size:.0e}")},
                "reference": {"tool": versions("onnxruntime"), "options": f"models/{id}/{id}.onnx on the CPU, composed with the kept pixels"},
            },
        )
