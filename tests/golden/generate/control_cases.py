"""Goldens of the controls that have a reference: scipy's Laplacian, a blurred copy by scipy's Gaussian filter, the centred Gaussian."""

import numpy as np
import scipy.ndimage

from common import gradient, load_input, module, relative_input, top_class, versions, write_case


def case(name, model, id, expected, params=None, cls=0, relative=1e-5, options=""):
    write_case(
        name, kind="attribution", model=model, input=relative_input(model), id=id, expected=expected,
        tables={
            "target": {"class": cls, "kind": "logit"}, "params": params or {}, "tolerance": {"relative": relative},
            "reference": {"tool": versions("scipy", "torch"), "options": options},
        },
    )


if __name__ == "__main__":
    for model in ("plain", "residual"):
        x = load_input(model).astype(np.float64)
        edges = np.abs(scipy.ndimage.laplace(x.mean(0), mode="reflect"))[None]
        case(f"laplace-{model}", model, "laplace", edges, options='abs(laplace(mode="reflect")) of the mean over channels')
        _, h, w = x.shape
        y, z = np.mgrid[:h, :w]
        away = ((y - (h - 1) / 2) / (0.3 * h)) ** 2 + ((z - (w - 1) / 2) / (0.3 * w)) ** 2
        case(f"centred-gaussian-{model}", model, "centred-gaussian", np.exp(-away / 2)[None], {"spread": 0.3}, options="numpy")
        cls = top_class(model, load_input(model))
        slopes = gradient(module(model), model, load_input(model), cls)
        blurred = np.stack([scipy.ndimage.gaussian_filter(g, 2.5, truncate=4, mode="reflect") for g in slopes])
        case(f"blurred-{model}", model, "blurred", blurred, {"of": "gradient", "sigma": 2.5}, cls, 1e-4, "autograd, gaussian_filter(2.5)")
