"""Goldens `metric-*`. A pixel is one unit: all its channels go together, ranked by the map summed over channels, most relevant first.

deletion     at step k = 0 … steps the first round(k * pixels / steps) pixels of the order are removed; the score is the area under the
             target by trapezoids over the removed share 0 … 1 (Petsiuk et al. 2018). `order = "lerf"` removes the least relevant first.
insertion    starts from the picture with every pixel removed and puts pixels back, most relevant first; x is the share kept.
road         pytorch-grad-cam's ROADCombined: (mean LeRF - mean MoRF) / 2 over the removed shares 0.1 … 0.9 (its percentiles 90 … 10); at percentile p
             ceil(p / 100 * (pixels - 1)) pixels are kept, which on 1089 pixels is not always the nearest count.
faithfulness-correlation  Quantus: Pearson of the summed map and the fall of the target, over recorded random subsets of pixels set to 0.

The RISE authors' own evaluation.py, run on four of the MoRF cases (zeros and blur, both ways), gave these curves to 3e-8; Quantus'
PixelFlipping gives the one of `deletion-quantus`.

`expected.npy` is the score [1]; `[curves]` names the files with the curves behind it. Pictures have a number of pixels that the steps
divide, so that rounding does not matter, and no step cuts between two pixels of nearly the same relevance.
"""

import numpy as np
import quantus
import scipy.ndimage
import torch
from pytorch_grad_cam.metrics import road
from pytorch_grad_cam.metrics.perturbation_confidence import RemoveLeastRelevantFirst, RemoveMostRelevantFirst
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

from common import gradient, load_input, module, relative_input, scalar, top_class, versions, write_case


class Scored:
    """A network, a picture, its top class, and a map of it: of the given shape and random, or gradient x input with a twentieth of noise."""

    def __init__(self, model, shape=None, seed=0):
        self.model, self.x = model, load_input(model)
        self.net, self.cls = module(model), top_class(model, self.x)
        self.map = np.random.default_rng(seed).standard_normal(shape or self.x.shape)
        if not shape:
            worth = gradient(self.net, model, self.x, self.cls) * self.x
            self.map = worth + 0.05 * worth.std() * self.map
        self.map = self.map.astype(np.float32)
        height, width = self.x.shape[1:]
        relevance = torch.from_numpy(self.map.astype(np.float64).sum(0))[None, None]
        if relevance.shape[2:] != (height, width):
            relevance = torch.nn.functional.interpolate(relevance, size=(height, width), mode="bilinear", align_corners=False)
        self.relevance = relevance[0, 0].numpy()
        self.order = np.argsort(-self.relevance.ravel(), kind="stable")

    @classmethod
    def first(cls, model, *steps, shape=None):
        """The first seed whose map is clear at all these numbers of steps."""
        return next(s for s in (cls(model, shape, k) for k in range(1000)) if all(map(s.clear, steps)))

    def clear(self, steps):
        """Whether no step cuts between two pixels of nearly the same relevance, whose order would be a matter of rounding."""
        ranked = self.relevance.ravel()[self.order]
        cuts = np.array([round(k * ranked.size / steps) for k in range(1, steps)])
        return (ranked[cuts - 1] - ranked[cuts]).min() > 3e-6 * np.abs(ranked).max()

    def target(self, pictures, kind="probability"):
        with torch.no_grad():
            return scalar(self.net, self.model, torch.from_numpy(np.asarray(pictures, np.float64)), self.cls, kind).numpy()

    def write(self, name, id, score, options, *, tools, kind="probability", params=None, imputer=None, curves=None, arrays=None, recorded=None, tolerance=1e-4, explainer=None):
        files = {label: f"{label.lower()}.npy" for label in curves or {}}
        write_case(
            f"metric-{name}", kind="metric", model=self.model, input=relative_input(self.model), id=id, expected=[score],
            arrays={"map.npy": self.map, **{files[k]: v for k, v in (curves or {}).items()}, **(arrays or {})},
            tables={
                "target": {"class": self.cls, "kind": kind}, "params": params or {}, "imputer": imputer, "attribution": {"file": "map.npy"},
                "explainer": explainer, "curves": files, "recorded": recorded or {}, "tolerance": {"absolute": tolerance},
                "reference": {"tool": versions(*tools), "options": options},
            },
        )


def area(y):
    return (y.sum() - (y[0] + y[-1]) / 2) / (len(y) - 1)


def sweep(s, fill, steps, order, insertion):
    """The target after each step. `fill` is the whole picture as the imputer would make it, for imputers that ignore the mask."""
    assert s.clear(steps), "a tie at a step"
    ranks = s.order if order == "morf" else s.order[::-1]
    y = []
    for k in range(steps + 1):
        first = np.zeros(ranks.size, bool)
        first[ranks[: round(k * ranks.size / steps)]] = True
        removed = (~first if insertion else first).reshape(s.relevance.shape)
        y.append(s.target(np.where(removed, fill, s.x)[None])[0])
    return np.array(y)


def curves():
    s = Scored.first("small-rgb", 10, 20)
    blurred = np.stack([scipy.ndimage.gaussian_filter(c, 4.0, mode="reflect", truncate=4.0) for c in s.x.astype(np.float64)])
    mean = np.broadcast_to(s.x.astype(np.float64).mean((1, 2), keepdims=True), s.x.shape)
    zero = np.zeros_like(s.x)
    coarse = Scored.first("small-rgb", 10, shape=(1, 5, 6))
    cases = (
        ("deletion", s, "constant", {"value": 0.0}, zero, 20, "morf"), ("deletion", s, "constant", {"value": 0.0}, zero, 20, "lerf"),
        ("deletion", s, "channel-mean", {}, mean, 10, "morf"), ("deletion", s, "gaussian-blur", {"sigma": 4.0}, blurred, 10, "morf"),
        ("deletion", coarse, "constant", {"value": 0.0}, zero, 10, "morf"), ("insertion", s, "constant", {"value": 0.0}, zero, 20, "morf"),
        ("insertion", s, "gaussian-blur", {"sigma": 4.0}, blurred, 20, "morf"), ("insertion", s, "constant", {"value": 0.0}, zero, 10, "lerf"),
    )
    for id, scored, imputer, values, fill, steps, order in cases:
        y = sweep(scored, fill, steps, order, id == "insertion")
        name = f"{id}-{'coarse-map-' if scored is coarse else ''}{imputer}-{order}"
        options = "numpy, float64, as the RISE paper's code defines it, with all channels of a pixel as one unit; see generate/metrics.py"
        scored.write(name, id, area(y), options, tools=["numpy", "torch"], params={"steps": steps, "order": order},
                     imputer={"id": imputer, **values}, curves={"MoRF" if order == "morf" else "LeRF": y})


class Float64(torch.nn.Module):
    """Lets tools that hand over float32 pictures run the network in float64."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x.double())


def pixel_flipping():
    """Quantus' PixelFlipping on one channel is the deletion curve without its first point."""
    s, steps = Scored.first("plain", 28), 28
    metric = quantus.PixelFlipping(
        features_in_step=s.relevance.size // steps, abs=False, normalise=False, perturb_baseline=0.0, return_auc_per_sample=False, disable_warnings=True
    )
    values = metric(model=Float64(s.net).eval(), x_batch=s.x[None], y_batch=np.array([s.cls]), a_batch=s.map[None], softmax=True, device="cpu")
    y = np.concatenate([s.target(s.x[None]), np.asarray(values[0], np.float64)])
    own = sweep(s, np.zeros_like(s.x), steps, "morf", False)
    assert np.abs(own - y).max() < 1e-5, "our sweep and Quantus' disagree"
    options = (f"PixelFlipping(features_in_step={s.relevance.size // steps}, abs=False, normalise=False, perturb_baseline=0.0), softmax=True; "
               "the unperturbed point put before it; area by trapezoids over the share")
    s.write("deletion-quantus", "deletion", area(y), options, tools=["quantus", "torch"], params={"steps": steps, "order": "morf"},
            imputer={"id": "constant", "value": 0.0}, curves={"MoRF": y})


def road_combined():
    for name, model, shape in (("input-x-gradient", "small-rgb", None), ("random", "small-rgb", (1, 30, 30)), ("1089-pixels", "residual", None)):
        s = Scored.first(model, 10, shape=shape)
        # pytorch-grad-cam compares 1 - map for the other order; scaled so that this loses no rank in float32
        cams = (s.relevance / np.abs(s.relevance).max()).astype(np.float32)[None]
        x, targets, net = torch.from_numpy(s.x)[None], [ClassifierOutputSoftmaxTarget(s.cls)], Float64(s.net).eval()
        imputer = road.NoisyLinearImputer(noise=0.0)
        curves = {}
        for label, remove in (("MoRF", RemoveMostRelevantFirst), ("LeRF", RemoveLeastRelevantFirst)):
            metric = lambda p: road.PerturbationConfidenceMetric(remove(p, imputer))
            curves[label] = np.array([metric(p)(x, cams, targets, net, return_diff=False)[0] for p in range(90, 0, -10)])
        without_noise = road.NoisyLinearImputer.__init__.__defaults__
        road.NoisyLinearImputer.__init__.__defaults__ = (0.0, *without_noise[1:])
        score = float(road.ROADCombined(percentiles=list(range(10, 100, 10)))(x, cams, targets, net)[0])
        road.NoisyLinearImputer.__init__.__defaults__ = without_noise
        assert abs(score - (curves["LeRF"].mean() - curves["MoRF"].mean()) / 2) < 1e-6
        options = ("ROADCombined(percentiles 10 … 90), ClassifierOutputSoftmaxTarget, NoisyLinearImputer(noise=0); curves: the target after "
                   "removing the shares 0.1 … 0.9, from PerturbationConfidenceMetric(return_diff=False)")
        s.write(f"road-{name}", "road", score, options, tools=["grad-cam", "scipy", "torch"],
                imputer={"id": "noisy-linear", "noise": 0.0}, curves=curves, tolerance=2e-4)


def faithfulness_correlation():
    runs, size = 50, 56
    s = Scored("plain")
    drawn, choose = [], np.random.choice

    def record(*args, **kwargs):
        drawn.append(choose(*args, **kwargs))
        return drawn[-1]

    np.random.seed(0)
    np.random.choice = record
    metric = quantus.FaithfulnessCorrelation(
        nr_runs=runs, subset_size=size, abs=False, normalise=False, perturb_baseline=0.0, return_aggregate=False, disable_warnings=True
    )
    score = metric(model=Float64(s.net).eval(), x_batch=s.x[None], y_batch=np.array([s.cls]), a_batch=s.map[None], softmax=False, device="cpu")[0]
    np.random.choice = choose
    subsets = np.array(drawn)
    assert subsets.shape == (runs, size)
    assert abs(correlation(s, subsets) - score) < 1e-5, "our formula and Quantus' disagree"
    options = f"FaithfulnessCorrelation(nr_runs={runs}, subset_size={size}, abs=False, normalise=False, perturb_baseline=0.0), softmax=False"
    keys = {"params": {"runs": runs, "subset_size": size}, "imputer": {"id": "constant", "value": 0.0}, "kind": "logit"}
    recorded = {"recorded": {"faithfulness-correlation/subsets": "subsets.npy"}}
    s.write("faithfulness-correlation-quantus", "faithfulness-correlation", score, options, tools=["quantus", "torch"],
            arrays={"subsets.npy": subsets}, **keys, **recorded)
    s = Scored("small-rgb")
    subsets = np.stack([np.random.default_rng(k).permutation(900)[:size] for k in range(runs)])
    options = "numpy, float64: Quantus' formula with all channels of a pixel as one unit (Quantus would change single channel values)"
    s.write("faithfulness-correlation-rgb", "faithfulness-correlation", correlation(s, subsets), options, tools=["numpy", "torch"],
            arrays={"subsets.npy": subsets}, **keys, **recorded)


def correlation(s, subsets):
    falls, sums = [], []
    for subset in subsets:
        x = s.x.reshape(len(s.x), -1).copy()
        x[:, subset] = 0
        falls.append(s.target(s.x[None], "logit")[0] - s.target(x.reshape(1, *s.x.shape), "logit")[0])
        sums.append(s.relevance.ravel()[subset].sum())
    return np.corrcoef(sums, falls)[0, 1]


if __name__ == "__main__":
    curves()
    pixel_flipping()
    road_combined()
    faithfulness_correlation()
