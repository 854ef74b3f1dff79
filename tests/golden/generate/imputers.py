"""Goldens `imputer-*`: a picture with the removed pixels (mask 1) filled; kept pixels stay as they are, bit for bit.

constant         every channel becomes `value`, in preprocessed space.
channel-mean     each channel becomes its mean over ALL pixels of the original picture, removed ones included, as in ROAD's code.
gaussian-blur    the removed pixels of scipy's gaussian_filter of the whole original picture (sigma in pixels, truncate 4, mode "reflect").
uniform-noise    pixel values drawn from [0, 1), here recorded [C, H, W]; the networks here have no preprocessing, so that is the value.
noisy-linear     ROAD: each removed pixel is the weighted mean of its eight neighbours (1/6 at the sides, 1/12 at the corners; neighbours
                 outside the picture drop out, of the sum of weights too), solved as one sparse system; plus noise, here 0.
harmonic         each removed pixel is the mean of its neighbours beside it, as far as they lie in the picture: scipy's spsolve in float64.
biharmonic       scikit-image's inpaint_biharmonic on float64, which cuts fills to the range of the kept values of each channel.
telea,           OpenCV's inpaint of each channel on its own, as 32-bit floats in grey levels 0 to 255. Removed pixels are set to the mean of
navier-stokes    the channel's kept ones first, because OpenCV reads some of them near the border before they are filled.
random-colour    FIDO's RandomColorWithNoiseInpainter in PyTorch: one uniform colour and normal noise of standard deviation 0.2, both recorded
                 here, cut to [0, 1]; the networks here have no preprocessing.
neighbourhood-   FIDO's LocalMeanInpainter in PyTorch: sums of kept values and numbers of kept pixels by convolution with a window of ones.
mean             `grown`: where the window holds no kept pixel its half width doubles until it does, pixel by pixel.
gaussian-noise   mean + std * recorded draws, the channel's over all pixels, in numpy float64.
"""

import cv2
import numpy as np
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg
import torch
from pytorch_grad_cam.metrics.road import NoisyLinearImputer
from skimage.restoration import inpaint_biharmonic

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


def blob(shape, seed):
    """An irregular hole in the middle, about 40 % of the picture."""
    rough = scipy.ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2.5)
    y, x = np.mgrid[: shape[0], : shape[1]]
    rough = rough / rough.std() - 0.35 * np.hypot(y - shape[0] / 2, x - shape[1] / 2)
    rough[[0, 1, -2, -1]], rough[:, [0, 1, -2, -1]] = -np.inf, -np.inf
    return (rough >= np.sort(rough.ravel())[-round(0.4 * rough.size)]).astype(np.float32)


def one_kept(shape):
    mask = np.ones(shape, np.float32)
    mask[shape[0] // 3, shape[1] // 4] = 0
    return mask


def harmonic(x, mask):
    """Dense loops over removed pixels; each row sums the differences to the neighbours beside."""
    gone = np.argwhere(mask > 0)
    number = {tuple(p): k for k, p in enumerate(gone)}
    matrix, right = scipy.sparse.lil_array((len(gone), len(gone))), np.zeros((len(gone), len(x)))
    for k, (i, j) in enumerate(gone):
        for n in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= n[0] < x.shape[1] and 0 <= n[1] < x.shape[2]:
                matrix[k, k] += 1
                if n in number:
                    matrix[k, number[n]] -= 1
                else:
                    right[k] += x[:, *n]
    out = x.astype(np.float64)
    out[:, mask > 0] = scipy.sparse.linalg.spsolve(matrix.tocsc(), right).reshape(len(gone), -1).T
    return out


def biharmonic(x, mask):
    return inpaint_biharmonic(x.astype(np.float64), mask > 0, channel_axis=0)


def opencv(x, mask, radius, flag):
    out = []
    for channel in x:
        levels = channel * np.float32(255)
        levels[mask > 0] = np.float32(levels[mask == 0].astype(np.float64).mean())
        out.append(cv2.inpaint(levels, (mask > 0).astype(np.uint8), radius, flag) / np.float32(255))
    return np.stack(out)


def local_mean(x, mask, window):
    kept = torch.from_numpy(1.0 - mask).double()[None, None]
    ones = torch.ones(1, 1, window, window, dtype=torch.float64)
    around = lambda planes: torch.nn.functional.conv2d(planes, ones, padding=window // 2)  # noqa: E731
    sums, counts = around(torch.from_numpy(x).double()[:, None] * kept), around(kept)
    assert counts[0, 0].numpy()[mask > 0].min() > 0
    return (sums / counts.clamp(min=1.0))[:, 0].numpy()


def growing_mean(x, mask, window):
    out = x.astype(np.float64)
    for i, j in np.argwhere(mask > 0):
        half = window // 2
        while True:
            part = np.s_[max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1]
            kept = mask[part] == 0
            if kept.any():
                break
            half *= 2
        out[:, i, j] = x[:, *part].astype(np.float64)[:, kept].mean(1)
    return out


def spanning():
    """The imputers that fill from kept pixels, on two photographs."""
    for picture, seed in (("astronaut-32", 11), ("coffee-30", 12)):
        path = INPUTS / f"picture-{picture}.npy"
        x = np.load(path)
        side = x.shape[1:]
        masks = {"scattered": scattered(side, 0.5, seed), "blob": blob(side, seed), "border": corner(side),
                 "sparse": scattered(side, 0.9, seed), "one-kept": one_kept(side)}
        for name, mask in masks.items():
            where = {"path": f"../inputs/{path.name}", "tolerance": {"absolute": 1e-5}}
            case(f"harmonic-{name}-{picture}", "harmonic", x, mask, harmonic(x, mask), "spsolve of the plain equations in float64", {}, ["scipy"], **where)
            case(f"biharmonic-{name}-{picture}", "biharmonic", x, mask, biharmonic(x, mask), "inpaint_biharmonic(x, mask, channel_axis=0) in float64", {},
                 ["scikit-image"], **where)
            for id, flag, radius in (("telea", cv2.INPAINT_TELEA, 3), ("navier-stokes", cv2.INPAINT_NS, 5 if name == "blob" else 3)):
                options = f"inpaint(channel * 255 as CV_32FC1, mask, {radius}, {['INPAINT_NS', 'INPAINT_TELEA'][flag]}), removed pixels at the kept mean before"
                case(f"{id}-{name}-{picture}", id, x, mask, opencv(x, mask, radius, flag), options, {"radius": radius}, ["opencv-python-headless"],
                     **where | {"tolerance": {"absolute": 0.012 if id == "telea" and name in ("sparse", "one-kept") else 1e-6}})
            if name in ("scattered", "blob"):
                window = 15 if name == "scattered" else 25      # so that something is kept in each
                case(f"neighbourhood-mean-{name}-{picture}", "neighbourhood-mean", x, mask, local_mean(x, mask, window), f"FIDO's LocalMeanInpainter(window={window})",
                     {"window": window}, ["torch"], **where | {"tolerance": {"absolute": 1e-6}})
        case(f"neighbourhood-mean-grown-{picture}", "neighbourhood-mean", x, masks["one-kept"], growing_mean(x, masks["one-kept"], 3), "pixel by pixel, growing",
             {"window": 3}, ["numpy"], **where | {"tolerance": {"absolute": 1e-6}})
        case(f"neighbourhood-mean-wide-{picture}", "neighbourhood-mean", x, masks["border"], growing_mean(x, masks["border"], 5), "pixel by pixel, growing",
             {"window": 5}, ["numpy"], **where | {"tolerance": {"absolute": 1e-6}})
        case(f"noisy-linear-one-kept-{picture}", "noisy-linear", x, masks["one-kept"], noisy_linear(x, masks["one-kept"]),
             "NoisyLinearImputer(noise=0) of pytorch_grad_cam.metrics.road (ROAD's own code): scipy spsolve in float64", {"noise": 0.0}, ["grad-cam", "scipy"],
             **where | {"tolerance": {"absolute": 1e-4}})


def drawn():
    """The imputers that draw, on recorded draws."""
    rng = np.random.default_rng(13)
    path = INPUTS / "picture-astronaut-32.npy"
    x = np.load(path)
    mask = scattered(x.shape[1:], 0.5, 13)
    colour, noise = rng.random(len(x), np.float32), rng.standard_normal(x.shape, np.float32)
    filled = torch.from_numpy(colour)[:, None, None].repeat(1, *x.shape[1:])
    filled += torch.from_numpy(noise) * 0.2
    where = {"path": f"../inputs/{path.name}"}
    case("random-colour", "random-colour", x, mask, filled.clamp_(0.0, 1.0).numpy(), "FIDO's RandomColorWithNoiseInpainter on recorded draws", {"noise": 0.2},
         ["torch"], arrays={"colour.npy": colour, "noise.npy": noise},
         recorded={"random-colour/colour": "colour.npy", "random-colour/noise": "noise.npy"}, **where)
    wide = x.astype(np.float64)
    filled = wide.mean((1, 2), keepdims=True) + 0.5 * wide.std((1, 2), keepdims=True) * noise
    case("gaussian-noise", "gaussian-noise", x, mask, filled, "mean + 0.5 * std * recorded draws, of all pixels of each channel", {"scale": 0.5}, ["numpy"],
         arrays={"noise.npy": noise}, recorded={"gaussian-noise/draws": "noise.npy"}, **where)


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
    spanning()
    drawn()
