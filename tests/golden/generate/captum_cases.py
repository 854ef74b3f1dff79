"""Goldens of attribution methods from Captum, on the networks in float64; and two whose formula is plain: RISE and the controls.

Every option that Captum has is written into the case. The maps are raw: signs kept, nothing normalised.
"""

import numpy as np
import scipy.ndimage
import torch
from captum.attr import InputXGradient, IntegratedGradients, Occlusion, Saliency

from common import load_input, module, relative_input, scalar, top_class, versions, write_case

QUADRATURES = {
    "gauss-legendre": "gausslegendre", "riemann-left": "riemann_left", "riemann-right": "riemann_right",
    "riemann-middle": "riemann_middle", "riemann-trapezoid": "riemann_trapezoid",
}


class Case:
    """One network, picture and target, ready for Captum: `f` gives one number a picture, so Captum needs no target of its own."""

    def __init__(self, model, index=0, kind="logit", cls=None):
        self.model, self.index, self.kind = model, index, kind
        self.chw = load_input(model, index)
        self.net = module(model)
        self.cls = top_class(model, self.chw) if cls is None else cls
        self.x = torch.from_numpy(self.chw).double()[None]
        self.f = lambda x: scalar(self.net, model, x, self.cls, kind)

    def write(self, name, id, map, options, params=None, tolerance=1e-4, tools=("captum", "torch"), **extra):
        map = map.detach().numpy() if isinstance(map, torch.Tensor) else map
        write_case(
            name, kind="attribution", model=self.model, input=relative_input(self.model, self.index), id=id, expected=map,
            arrays=extra.get("arrays"),
            tables={
                "target": {"class": self.cls, "kind": self.kind}, "params": params or {}, "recorded": extra.get("recorded") or {},
                "tolerance": {"relative": tolerance}, "reference": {"tool": versions(*tools), "options": options},
            },
        )


def gradients():
    for model in ("plain", "residual", "two-layer-relu"):
        c = Case(model)
        c.write(f"saliency-{model}", "gradient", Saliency(c.f).attribute(c.x, abs=False)[0], "Saliency.attribute(abs=False)")
    for model in ("linear-rgb", "plain", "residual", "depthwise-se", "tiny-vit"):
        c = Case(model)
        c.write(f"input-x-gradient-{model}", "input-x-gradient", InputXGradient(c.f).attribute(c.x)[0], "InputXGradient.attribute()")


def integrated_gradients():
    def case(name, c, steps, quadrature):
        map = IntegratedGradients(c.f, multiply_by_inputs=True).attribute(
            c.x, baselines=0.0, n_steps=steps, method=QUADRATURES[quadrature], internal_batch_size=8
        )
        options = f"IntegratedGradients(multiply_by_inputs=True).attribute(baselines=0, n_steps={steps}, method='{QUADRATURES[quadrature]}')"
        c.write(name, "integrated-gradients", map[0], options, {"steps": steps, "quadrature": quadrature}, 2e-4)

    for model in ("linear-rgb", "two-layer-relu", "plain", "residual", "depthwise-se", "conv-gelu-ln", "tiny-vit"):
        case(f"integrated-gradients-{model}", Case(model), 50, "gauss-legendre")
    case("integrated-gradients-plain-probability", Case("plain", kind="probability"), 50, "gauss-legendre")
    case("integrated-gradients-other-class", Case("residual", 1, cls=0), 50, "gauss-legendre")
    for quadrature in list(QUADRATURES)[1:]:
        case(f"integrated-gradients-{quadrature}", Case("depthwise-se", 1), 20, quadrature)


def smooth_grad():
    """The mean of Saliency(abs=False) over x + noise_level * (max x - min x) * n for recorded standard normal n."""
    for model, samples, level in (("plain", 8, 0.15), ("depthwise-se", 6, 0.1)):
        c = Case(model)
        noise = np.random.default_rng(77).standard_normal((samples, *c.chw.shape)).astype(np.float32)
        sigma = level * float(c.chw.max() - c.chw.min())
        noisy = c.x + sigma * torch.from_numpy(noise).double()
        map = Saliency(c.f).attribute(noisy, abs=False).mean(0)
        options = "mean of Saliency.attribute(abs=False) over x + noise_level * (max(x) - min(x)) * recorded noise [samples, C, H, W]"
        c.write(f"smooth-grad-{model}", "smooth-grad", map, options, {"samples": samples, "noise_level": level}, 2e-4,
                arrays={"noise.npy": noise}, recorded={"smooth-grad/noise": "noise.npy"})


def occlusion():
    cases = (
        ("plain", 8, 4, "28 = 8 + 5 * 4: windows fit"), ("dense-concat", 8, 4, "windows fit, three channels"),
        ("residual", 8, 4, "33 is not 8 + n * 4: Captum's last window is cut at the edge"),
        ("depthwise-se", 5, 3, "32 = 5 + 9 * 3"), ("nhwc", 7, 5, "32 = 7 + 5 * 5, while 30 has a cut window"),
        ("plain", 8, 8, "no overlap; the last window is cut"), ("plain", 5, 2, "28 has a cut window, much overlap"),
    )
    for model, window, stride, note in cases:
        c = Case(model)
        channels = c.x.shape[1]
        map = Occlusion(c.f).attribute(
            c.x, sliding_window_shapes=(channels, window, window), strides=(channels, stride, stride), baselines=0.0, perturbations_per_eval=8
        )[0]
        assert torch.allclose(map[0], map[-1]), "one window covers all channels"
        options = (f"Occlusion.attribute(sliding_window_shapes=(C, {window}, {window}), strides=(C, {stride}, {stride}), baselines=0); "
                   f"channel 0 of it, all are equal; {note}")
        c.write(f"occlusion-{model}-{window}-{stride}", "occlusion", map[:1], options, {"window": window, "stride": stride})


def rise():
    """sum_i f(x * m_i) m_i / (samples * keep): the formula of Petsiuk et al. 2018 and of their code; removed pixels become 0."""
    for model, samples, keep, grid in (("plain", 40, 0.5, 7), ("depthwise-se", 30, 0.4, 5)):
        c = Case(model, kind="probability")
        masks = rise_masks(samples, grid, keep, c.chw.shape[1:])
        with torch.no_grad():
            weights = c.f(c.x * torch.from_numpy(masks).double()).numpy()
        map = (weights[:, None, None] * masks[:, 0]).sum(0)[None] / (samples * keep)
        options = "sum_i p(x * m_i) m_i / (samples * keep) in float64, recorded masks m [samples, 1, H, W]; p is the class's probability"
        c.write(f"rise-{model}", "rise", map, options, {"samples": samples, "keep": keep, "grid": grid}, 1e-4,
                tools=("torch",), arrays={"masks.npy": masks}, recorded={"rise/masks": "masks.npy"})


def rise_masks(samples, grid, keep, shape):
    """RISE's masks: grid x grid cells that are 1 with probability keep, enlarged bilinearly beyond the picture, cropped at a random shift."""
    rng = np.random.default_rng(5)
    height, width = shape
    cell = (-(-height // grid), -(-width // grid))
    cells = torch.from_numpy((rng.random((samples, 1, grid, grid)) < keep).astype(np.float64))
    large = torch.nn.functional.interpolate(cells, size=((grid + 1) * cell[0], (grid + 1) * cell[1]), mode="bilinear", align_corners=False).numpy()
    masks = np.empty((samples, 1, height, width), np.float32)
    for i in range(samples):
        dy, dx = rng.integers(0, cell[0]), rng.integers(0, cell[1])
        masks[i, 0] = large[i, 0, dy : dy + height, dx : dx + width]
    return masks


def controls():
    for model in ("residual", "plain"):
        c = Case(model)
        grey = c.chw.astype(np.float64).mean(0)
        sobel = np.hypot(scipy.ndimage.sobel(grey, axis=0, mode="reflect"), scipy.ndimage.sobel(grey, axis=1, mode="reflect"))[None]
        options = "scipy.ndimage.sobel(mean of channels, axis, mode='reflect') along both axes, sqrt of the sum of squares, preprocessed values"
        c.write(f"sobel-{model}", "sobel", sobel, options, tolerance=1e-5, tools=("scipy", "numpy"))
        c.write(f"input-magnitude-{model}", "input-magnitude", np.abs(c.chw.astype(np.float64)).sum(0)[None],
                "sum over channels of |x|, preprocessed values", tolerance=1e-5, tools=("numpy",))


if __name__ == "__main__":
    gradients()
    integrated_gradients()
    smooth_grad()
    occlusion()
    rise()
    controls()
