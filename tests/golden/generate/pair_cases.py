"""Goldens of Blur IG, Guided IG and XRAI from PAIR's saliency package, on the networks in float64.

NumPy 2.4 no longer knows `np.quantile(interpolation=)`, which saliency 0.2.1 calls: it is handed on as `method=`, its new name.
"""

import numpy as np
import torch
from saliency.core import XRAI, BlurIG, GuidedIG, XRAIParameters
from saliency.core.base import INPUT_OUTPUT_GRADIENTS

from captum_cases import Case

quantile = np.quantile
np.quantile = lambda a, q, interpolation="linear": quantile(a, q, method=interpolation)


def hwc(chw):
    return np.moveaxis(np.asarray(chw, np.float64), 0, -1)


def caller(c):
    def call(x, call_model_args=None, expected_keys=None):
        x = torch.from_numpy(np.ascontiguousarray(np.moveaxis(np.asarray(x, np.float64), -1, 1))).requires_grad_()
        (g,) = torch.autograd.grad(c.f(x).sum(), x)
        return {INPUT_OUTPUT_GRADIENTS: np.moveaxis(g.numpy(), 1, -1)}

    return call


NETS = ("plain", "residual", "depthwise-se", "dense-concat", "conv-gelu-ln", "tiny-vit")


def blur_ig():
    for model, sigma, steps, root in zip(NETS, (6, 8, 4, 50, 12, 8), (20, 16, 12, 10, 12, 12), (False, False, True, False, False, True)):
        c = Case(model)
        map = BlurIG().GetMask(hwc(c.chw), caller(c), max_sigma=sigma, steps=steps, grad_step=0.01, sqrt=root, batch_size=1)
        c.write(f"blur-ig-{model}", "blur-ig", np.moveaxis(map, -1, 0),
                f"BlurIG.GetMask(max_sigma={sigma}, steps={steps}, grad_step=0.01, sqrt={root}) in float64",
                {"max_sigma": float(sigma), "steps": steps, "square_root": root}, 2e-4, tools=("saliency", "scipy", "torch"))


def guided_ig():
    cases = zip(NETS, (0.25, 0.1, 0.25, 0.25, 0.25, 0.25), (0.02, 0.1, 0.02, 1.0, 0.02, 0.0), (40, 20, 20, 20, 20, 20), (0.0, 0.0, 0.3, 0.0, 0.0, 0.0))
    for model, fraction, reach, steps, value in cases:
        c = Case(model)
        map = GuidedIG().GetMask(hwc(c.chw), caller(c), x_baseline=np.full(hwc(c.chw).shape, value), x_steps=steps, fraction=fraction, max_dist=reach)
        c.write(f"guided-ig-{model}", "guided-ig", np.moveaxis(map, -1, 0),
                f"GuidedIG.GetMask(x_baseline={value}, x_steps={steps}, fraction={fraction}, max_dist={reach}) in float64",
                {"steps": steps, "fraction": fraction, "max_dist": reach, "baseline": value}, 1e-4, tools=("saliency", "numpy", "torch"))


def xrai():
    for model, steps, algorithm in (("plain", 10, "full"), ("residual", 12, "full"), ("tiny-vit", 8, "full"), ("dense-concat", 10, "fast")):
        c = Case(model)
        parameters = XRAIParameters(steps=steps, algorithm=algorithm)
        map = XRAI().GetMask(hwc(c.chw), caller(c), extra_parameters=parameters)
        print(f"  {len(np.unique(map))} values")
        c.write(f"xrai-{model}", "xrai", map[None], f"XRAI.GetMask(XRAIParameters(steps={steps}, algorithm='{algorithm}')), its own segmentation",
                {"steps": steps, "algorithm": algorithm}, 1e-4, tools=("saliency", "scikit-image", "torch"))


if __name__ == "__main__":
    blur_ig()
    guided_ig()
    xrai()
