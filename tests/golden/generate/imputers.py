"""Goldens `imputer-*`: a picture with the removed pixels (mask 1) filled; kept pixels stay as they are, bit for bit.

constant         every channel becomes `value`, in preprocessed space.
channel-mean     each channel becomes its mean over ALL pixels of the original picture, removed ones included, as in ROAD's code.
gaussian-blur    the removed pixels of scipy's gaussian_filter of the whole original picture (sigma in pixels, truncate 4, mode "reflect").
uniform-noise    pixel values drawn from [0, 1), here recorded [C, H, W]; the networks here have no preprocessing, so that is the value.
noisy-linear     ROAD: each removed pixel is the weighted mean of its eight neighbours (1/6 at the sides, 1/12 at the corners; neighbours
                 outside the picture drop out, of the sum of weights too), solved as one sparse system; plus noise, here 0.
"""

import numpy as np
import scipy.ndimage
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer

from common import INPUTS, load_input, relative_input, versions, write_case


def scattered(shape, share, seed):
    """A mask with exactly round(share * pixels) removed."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape[0] * shape[1], np.float32)
    mask[rng.permutation(mask.size)[: round(share * mask.size)]] = 1
    return mask.reshape(shape)


def block(shape, share):
    """A rectangle of about that share of the area, off the centre and away from the border."""
    mask = np.zeros(shape, np.float32)
    h, w = (round(s * share**0.5) for s in shape)
    y, x = (shape[0] - h) // 3, (shape[1] - w) // 2
    mask[y : y + h, x : x + w] = 1
    return mask


def corner(shape):
    """Touches two borders, where neighbours are missing."""
    mask = np.zeros(shape, np.float32)
    mask[: shape[0] // 2, shape[1] // 3 :] = 1
    return mask


def noisy_linear(x, mask):
    picture = torch.from_numpy(x)       # the system itself is set up and solved in float64
    return NoisyLinearImputer(noise=0.0)(picture, torch.from_numpy(1.0 - mask)).numpy()


def case(name, id, x, mask, filled, options, params, tools, model="residual", path=None, tolerance=None, arrays=None, recorded=None):
    expected = np.where(mask[None] > 0, filled, x)
    write_case(
        f"imputer-{name}", kind="imputer", model=model, input=path or relative_input(model), id=id, mask="mask.npy", expected=expected,
        arrays={"mask.npy": mask, **(arrays or {})},
        tables={
            "params": params, "recorded": recorded or {}, "tolerance": tolerance or {"relative": 1e-5},
            "reference": {"tool": versions(*tools), "options": options},
        },
    )


if __name__ == "__main__":
    x = load_input("residual")
    side = x.shape[1:]
    half = scattered(side, 0.5, 1)
    for value in (0.0, -1.5):
        case(f"constant-{'zero' if value == 0 else 'value'}", "constant", x, half, np.full_like(x, value), "value everywhere", {"value": value}, ["numpy"])
    mean = np.broadcast_to(x.astype(np.float64).mean((1, 2), keepdims=True), x.shape)
    case("channel-mean", "channel-mean", x, half, mean, "mean over all pixels of each channel, removed ones included (ROAD's ChannelMeanImputer)", {}, ["numpy"])
    for name, sigma, mask in (("scattered", 2.0, half), ("block", 5.0, block(side, 0.5)), ("wide", 10.0, corner(side))):
        blurred = np.stack([scipy.ndimage.gaussian_filter(c, sigma, mode="reflect", truncate=4.0) for c in x.astype(np.float64)])
        options = f"scipy.ndimage.gaussian_filter(channel, sigma={sigma}, mode='reflect', truncate=4.0) in float64, at the removed pixels"
        case(f"gaussian-blur-{name}", "gaussian-blur", x, mask, blurred, options, {"sigma": sigma}, ["scipy"])
    draws = np.random.default_rng(9).random(x.shape, np.float32)
    case("uniform-noise", "uniform-noise", x, half, draws, "the recorded draws [C, H, W] themselves, at the removed pixels", {}, ["numpy"],
         arrays={"draws.npy": draws}, recorded={"uniform-noise/draws": "draws.npy"})
    masks = {f"scattered-{p}": scattered(side, p / 100, p) for p in (10, 50, 90)}
    masks |= {"block": block(side, 0.4), "corner": corner(side)}
    options = "NoisyLinearImputer(noise=0) of pytorch_grad_cam.metrics.road (ROAD's own code): scipy spsolve in float64"
    for name, mask in masks.items():
        case(f"noisy-linear-{name}", "noisy-linear", x, mask, noisy_linear(x, mask), options, {"noise": 0.0}, ["grad-cam", "scipy"],
             tolerance={"absolute": 1e-4})
    photo = INPUTS / "efficientnet-lite0-1.npy"
    if photo.exists():
        x = np.load(photo)
        mask = np.maximum(scattered(x.shape[1:], 0.3, 4), block(x.shape[1:], 0.25))
        case("noisy-linear-photograph", "noisy-linear", x, mask, noisy_linear(x, mask), options, {"noise": 0.0}, ["grad-cam", "scipy"],
             model="efficientnet-lite0", path=f"../inputs/{photo.name}", tolerance={"absolute": 1e-4})
