"""Goldens of methods that remove pixels on segments (Captum, LIME, SHAP). `sensitivity_cases.py` holds Sobol and HSIC, `authors_code.py` the
methods with masks optimised by gradient.

Networks run in float64. Random draws are recorded and replayed. Removed pixels become 0.
"""

import numpy as np
import shap
import torch
from captum.attr import FeatureAblation, KernelShap, ShapleyValueSampling
from lime.lime_image import LimeImageExplainer
from skimage.segmentation import felzenszwalb, quickshift, slic

from common import INPUTS, load_input, module, relative_input, scalar, versions, write_case
from segments import chw as as_input, first_seen, gray2rgb, photographs, quickshift_recorded, ties

PHOTOGRAPHS = photographs()


def grid(n, height, width):
    """Nearly square cells: rows = round(sqrt(n H / W)), columns = round(n / rows)."""
    rows = min(max(round((n * height / width) ** 0.5), 1), height)
    columns = min(max(round(n / rows), 1), width)
    y, x = np.mgrid[:height, :width]
    return y * rows // height * columns + x * columns // width


class Case:
    """A network, a picture (a photograph's name, or an index of the network's own inputs) and its segments."""

    def __init__(self, model, picture, segmenter=None, params=None, kind="logit", dtype=torch.float64):
        self.model, self.kind = model, kind
        self.photograph = isinstance(picture, str)
        self.chw = as_input(PHOTOGRAPHS[picture]) if self.photograph else load_input(model, picture)
        self.input = f"../inputs/picture-{picture}.npy" if self.photograph else relative_input(model, picture)
        self.net = module(model, dtype)
        self.x = torch.from_numpy(self.chw).to(dtype)[None]
        self.cls = int(self.logits(self.x)[0].argmax())
        self.f = lambda x: scalar(self.net, model, x, self.cls, kind)
        self.params, self.arrays, self.recorded = dict(params or {}), {}, {}
        if segmenter:
            self.labels = first_seen(self.segment(segmenter, picture, self.params))
            self.players = self.labels.max() + 1
            self.mask = torch.from_numpy(self.labels)[None, None]
            self.params["segmenter"] = segmenter

    def logits(self, x):
        return torch.stack([scalar(self.net, self.model, x, k, "logit") for k in range(self.classes())], 1)

    def classes(self):
        y = self.net(self.x)
        return (y[0] if isinstance(y, tuple) else y).shape[1]

    def segment(self, segmenter, picture, p):
        _, height, width = self.chw.shape
        if segmenter == "grid":
            return grid(p["segments"], height, width)
        rgb = gray2rgb(PHOTOGRAPHS[picture])
        if segmenter == "slic":
            return slic(rgb, n_segments=p["segments"], compactness=p["compactness"], start_label=0)
        if segmenter == "felzenszwalb":
            return felzenszwalb(rgb, scale=p["scale"], min_size=p["min_size"])
        draws = ties((height, width))
        self.record("segments/ties", draws)
        assert (quickshift(rgb, kernel_size=p["kernel"], ratio=p["ratio"], max_dist=200) == quickshift_recorded(rgb, draws, kernel_size=p["kernel"], ratio=p["ratio"], max_dist=200)).all()
        return quickshift(rgb, kernel_size=p["kernel"], ratio=p["ratio"], max_dist=200)

    def record(self, stream, draws):
        file = stream.split("/")[1] + ".npy"
        self.arrays[file], self.recorded[stream] = draws, file

    def coalition(self, rows):
        """The target for each row of 0 and 1, one value a segment: hidden ones are 0."""
        rows = torch.as_tensor(np.asarray(rows), dtype=self.x.dtype)
        with torch.no_grad():
            return torch.cat([self.f(self.x * part[:, torch.from_numpy(self.labels)][:, None]) for part in rows.split(256)]).numpy()

    def paint(self, values):
        return np.asarray(values)[self.labels][None]

    def write(self, name, id, map, options, tools, tolerance=1e-4, **extra):
        map = map.detach().numpy() if isinstance(map, torch.Tensor) else map
        if hasattr(self, "players"):
            options += f"; {self.players} segments"
        limits = {"relative": tolerance} | extra.pop("also", {})
        tool = ", ".join(filter(None, (extra.pop("by", None), versions(*tools))))
        write_case(
            name, kind="attribution", model=self.model, input=self.input, id=id, expected=map, arrays=self.arrays,
            tables={
                "target": {"class": self.cls, "kind": self.kind}, "params": self.params | extra, "recorded": self.recorded,
                "tolerance": limits, "reference": {"tool": tool, "options": options},
            },
        )


SLIC = {"segments": 30, "compactness": 10.0}


def feature_ablation():
    cases = (
        ("depthwise-se", "astronaut-32", "slic", SLIC), ("plain", "camera-28", "felzenszwalb", {"scale": 50.0, "min_size": 10}),
        ("small-rgb", "coffee-30", "slic", {"segments": 100, "compactness": 1.0}), ("dense-concat", 0, "grid", {"segments": 20}),
        ("tiny-vit", 0, "grid", {"segments": 9}), ("residual", 0, "grid", {"segments": 40}),
    )
    for model, picture, segmenter, params in cases:
        c = Case(model, picture, segmenter, params)
        map = FeatureAblation(c.f).attribute(c.x, baselines=0.0, feature_mask=c.mask)[0]
        c.write(f"feature-ablation-{model}", "feature-ablation", map[:1], "FeatureAblation.attribute(baselines=0, feature_mask=segments), channel 0; all are equal", ("captum", "torch", "scikit-image"))


def lime():
    for model, picture, segmenter, params, width, alpha in (
        ("depthwise-se", "astronaut-32", "slic", SLIC, 0.25, 1.0), ("small-rgb", "coffee-30", "quickshift", {"kernel": 1.0, "ratio": 0.2}, 0.25, 1.0),
        ("plain", "camera-28", "grid", {"segments": 12}, 0.5, 0.1),
    ):
        c = Case(model, picture, segmenter, params, kind="probability")
        samples = 300
        draws = np.random.RandomState(4).randint(0, 2, samples * c.players).reshape(samples, c.players)
        c.record("lime/samples", draws)
        image = gray2rgb(np.moveaxis(c.chw.astype(np.float64), 0, -1)[..., 0]) if c.chw.shape[0] == 1 else np.moveaxis(c.chw.astype(np.float64), 0, -1)

        def predict(images):
            pictures = torch.from_numpy(np.moveaxis(images, -1, 1)[:, : c.chw.shape[0]])
            with torch.no_grad():
                p = c.f(pictures).numpy()
            return np.stack([1 - p, p], 1)

        explainer = LimeImageExplainer(kernel_width=width, random_state=4)
        regressor = None
        if alpha != 1.0:
            from sklearn.linear_model import Ridge

            regressor = Ridge(alpha=alpha, fit_intercept=True)
        found = explainer.explain_instance(
            image, predict, labels=(1,), hide_color=0, top_labels=None, num_features=100000, num_samples=samples, random_seed=0,
            segmentation_fn=lambda _: c.labels, model_regressor=regressor,
        )
        values = np.zeros(c.players)
        for k, v in found.local_exp[1]:
            values[k] = v
        c.write(f"lime-{model}", "lime", c.paint(values),
                f"LimeImageExplainer(kernel_width={width}).explain_instance(hide_color=0, top_labels=None, num_samples={samples}, model_regressor=Ridge({alpha})), recorded samples",
                ("lime", "scikit-learn", "torch"), samples=samples, kernel_width=width, ridge=alpha)


def kernel_shap():
    for model, picture, segmenter, params in (
        ("dense-concat", 0, "grid", {"segments": 9}), ("plain", "camera-28", "grid", {"segments": 6}), ("tiny-vit", 0, "grid", {"segments": 9}),
    ):
        c = Case(model, picture, segmenter, params)
        sets = 2 ** int(c.players) - 2
        explainer = shap.KernelExplainer(c.coalition, np.zeros((1, c.players)))
        values = explainer.shap_values(np.ones(c.players), nsamples=sets, l1_reg=False, silent=True)
        c.write(f"kernel-shap-exact-{model}", "kernel-shap", c.paint(values), f"KernelExplainer(nothing shown).shap_values(everything shown, nsamples={sets}, l1_reg=False): all sets",
                ("shap", "torch"), samples=1000)
    for model, picture, segmenter, params in (
        ("depthwise-se", "astronaut-32", "slic", SLIC), ("residual", 0, "grid", {"segments": 16}),
    ):
        c = Case(model, picture, segmenter, params)
        samples, n = 200, int(c.players)
        rng = np.random.default_rng(6)
        weights = np.array([1 / (k * (n - k)) for k in range(1, n)])
        rows = np.zeros((samples, n))
        for row, size in zip(rows, rng.choice(np.arange(1, n), samples, p=weights / weights.sum())):
            row[rng.permutation(n)[:size]] = 1
        c.record("kernel-shap/coalitions", rows)
        explainer = KernelShap(c.f)

        def generator(original, **_):
            yield torch.ones(1, n, dtype=torch.long)
            yield torch.zeros(1, n, dtype=torch.long)
            for row in rows:
                yield torch.from_numpy(row).long()[None]

        explainer.perturb_func = generator
        map = explainer.attribute(c.x, baselines=0.0, feature_mask=c.mask, n_samples=samples + 2)[0]
        c.write(f"kernel-shap-{model}", "kernel-shap", map[:1], f"KernelShap.attribute(baselines=0, feature_mask=segments, n_samples={samples} + 2) on recorded sets, channel 0",
                ("captum", "torch", "scikit-image"), samples=samples)


def shapley_sampling():
    for model, picture, segmenter, params in (
        ("depthwise-se", "astronaut-32", "slic", SLIC), ("conv-gelu-ln", 0, "grid", {"segments": 12}), ("plain", "camera-28", "grid", {"segments": 9}),
    ):
        c = Case(model, picture, segmenter, params)
        rng = np.random.default_rng(8)
        orders = np.stack([rng.permutation(c.players) for _ in range(10)])
        c.record("shapley-sampling/orders", orders)
        explainer = ShapleyValueSampling(c.f)
        explainer.permutation_generator = lambda n, samples: (order.tolist() for order in orders)
        map = explainer.attribute(c.x, baselines=0.0, feature_mask=c.mask, n_samples=10)[0]
        c.write(f"shapley-sampling-{model}", "shapley-sampling", map[:1], "ShapleyValueSampling.attribute(baselines=0, feature_mask=segments, n_samples=10) on recorded orders, channel 0",
                ("captum", "torch", "scikit-image"), samples=10)


def partition_shap():
    """Probabilities, or a whole tree: a convolutional logit is additive in distant parts, so that stakes are equal up to rounding."""
    cases = (
        ("plain", 0, 300, "probability"), ("plain", "camera-28", 100, "probability"), ("depthwise-se", "astronaut-32", 200, "logit"),
        ("residual", 0, 60, "probability"), ("dense-concat", 0, 150, "logit"), ("tiny-vit", 0, 120, "logit"), ("linear", 0, 1000, "logit"),
    )
    for model, picture, evaluations, kind in cases:
        c = Case(model, picture, kind=kind)
        hwc = np.moveaxis(c.chw.astype(np.float64), 0, -1)

        def predict(images):
            with torch.no_grad():
                return c.f(torch.from_numpy(np.moveaxis(images, -1, 1).astype(np.float64))).numpy()

        masker = shap.maskers.Image(np.zeros(hwc.shape))
        explainer = shap.PartitionExplainer(predict, masker)
        found = explainer(hwc[None], max_evals=evaluations, batch_size=10, silent=True)
        map = found.values[0].reshape(hwc.shape).sum(-1)[None]
        name = f"partition-shap-{model}-{picture}" if c.photograph else f"partition-shap-{model}"
        c.write(name, "partition-shap", map, f"PartitionExplainer(maskers.Image(zeros))(max_evals={evaluations}, batch_size=10), summed over channels", ("shap", "torch"), evaluations=evaluations)


if __name__ == "__main__":
    feature_ablation()
    lime()
    kernel_shap()
    shapley_sampling()
    partition_shap()
