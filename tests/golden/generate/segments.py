"""Goldens of superpixels from scikit-image, on 8-bit pictures (photographs that come with it, made small).

Label maps are exact: renumbered in the order of first pixels, on both sides. Two things are said by the reference otherwise than a golden
can use: quickshift draws its tie noise (recorded here as the float32 nearest to scikit-image's own draws of seed 42), and Felzenszwalb
sorts edges of equal weight in no certain order (here with numpy's stable sort). Each case says what share of pixels the untouched call
labels alike.
"""

import numpy as np
import skimage.data
from skimage.color import gray2rgb as tripled
from skimage.segmentation import felzenszwalb, quickshift, slic
from skimage.transform import resize

from common import INPUTS, save, versions, write_case

rng_of = np.random.default_rng
argsort = np.argsort


def photographs():
    """Name -> uint8 [H, W] or [H, W, 3]; `picture-<name>.npy` holds it divided by 255, as a network's input."""
    def small(image, size):
        return np.round(resize(image, size, anti_aliasing=True) * 255).astype(np.uint8)

    return {
        "astronaut-32": small(skimage.data.astronaut()[:300, 80:380], (32, 32)),
        "coffee-30": small(skimage.data.coffee()[:400, 100:500], (30, 30)),
        "coffee-40-56": small(skimage.data.coffee(), (40, 56)),
        "camera-28": small(skimage.data.camera()[50:350, 100:400], (28, 28)),
        "astronaut-33": small(skimage.data.astronaut(), (33, 33)),
    }


def gray2rgb(image):
    return tripled(image) if image.ndim == 2 else image


def first_seen(labels):
    names = {}
    return np.array([names.setdefault(v, len(names)) for v in labels.ravel().tolist()]).reshape(labels.shape)


def chw(image):
    return np.moveaxis(np.atleast_3d(image), -1, 0).astype(np.float32) / np.float32(255)


class Recorded:
    """Stands in for the generator that scikit-image makes: gives the recorded draws, scaled."""

    def __init__(self, draws):
        self.draws = draws

    def normal(self, scale, size):
        return scale * self.draws.reshape(size).astype(np.float64)


def ties(shape):
    return rng_of(42).normal(size=shape).astype(np.float32)


def quickshift_recorded(image, draws, **options):
    np.random.default_rng = lambda _: Recorded(draws)
    try:
        return quickshift(image, **options)
    finally:
        np.random.default_rng = rng_of


def felzenszwalb_stable(image, **options):
    np.argsort = lambda a: argsort(a, kind="stable")
    try:
        return felzenszwalb(image, **options)
    finally:
        np.argsort = argsort


def write(name, photograph, id, labels, options, params, untouched, arrays=None, recorded=None):
    labels = first_seen(labels)
    share = np.mean(labels == first_seen(untouched))
    assert share > 0.98, (name, share)
    height, width = labels.shape
    model = "small-rgb"                                         # no pass is run: any network will do
    write_case(
        f"segments-{name}", kind="segments", model=model, input=f"../inputs/picture-{photograph}.npy", id=id, expected=labels, arrays=arrays,
        tables={
            "params": params, "recorded": recorded, "tolerance": {"absolute": 0.0},
            "reference": {"tool": versions("scikit-image", "numpy"), "options": f"{options}; {labels.max() + 1} segments; untouched call equal on {share:.2%} of pixels"},
        },
    )


def main():
    pictures = photographs()
    for name, image in pictures.items():
        save(INPUTS / f"picture-{name}.npy", chw(image))
    for photograph, n, compactness, sigma in (
        ("astronaut-32", 30, 10.0, 0), ("coffee-40-56", 100, 10.0, 1), ("coffee-30", 100, 1.0, 0), ("camera-28", 20, 10.0, 0), ("astronaut-33", 50, 30.0, 0),
    ):
        image = pictures[photograph]
        rgb = gray2rgb(image)
        labels = slic(rgb, n_segments=n, compactness=compactness, sigma=sigma, enforce_connectivity=True, start_label=0)
        write(f"slic-{photograph}-{n}", photograph, "slic", labels,
              f"slic(n_segments={n}, compactness={compactness}, sigma={sigma}, enforce_connectivity=True, start_label=0) of {'gray2rgb of ' if image.ndim == 2 else ''}the uint8 picture",
              {"segments": n, "compactness": compactness, "sigma": float(sigma)}, labels)
    for photograph, kernel, ratio, reach, sigma in (
        ("astronaut-32", 4.0, 0.2, 200.0, 0), ("coffee-40-56", 2.0, 0.2, 200.0, 0), ("coffee-30", 3.0, 1.0, 6.0, 0), ("camera-28", 2.0, 0.5, 10.0, 1),
    ):
        image = pictures[photograph]
        rgb = gray2rgb(image)
        options = dict(kernel_size=kernel, max_dist=reach, ratio=ratio, sigma=sigma)
        draws = ties(rgb.shape[:2])
        write(f"quickshift-{photograph}", photograph, "quickshift", quickshift_recorded(rgb, draws, **options),
              f"quickshift({', '.join(f'{k}={v}' for k, v in options.items())}) with the draws of seed 42 rounded to float32",
              {"kernel": kernel, "ratio": ratio, "reach": reach, "sigma": float(sigma)}, quickshift(rgb, **options),
              {"ties.npy": draws}, {"segments/ties": "ties.npy"})
    for photograph, scale, sigma, minimum in (
        ("astronaut-32", 100.0, 0.8, 20), ("coffee-40-56", 50.0, 0.8, 50), ("coffee-30", 250.0, 0.5, 5), ("camera-28", 50.0, 0.0, 10),
    ):
        image = pictures[photograph]
        rgb = gray2rgb(image)
        options = dict(scale=scale, sigma=sigma, min_size=minimum)
        write(f"felzenszwalb-{photograph}", photograph, "felzenszwalb", felzenszwalb_stable(rgb, **options),
              f"felzenszwalb({', '.join(f'{k}={v}' for k, v in options.items())}) with a stable sort of edges",
              {"scale": scale, "sigma": sigma, "min_size": minimum}, felzenszwalb(rgb, **options))


if __name__ == "__main__":
    main()
