"""Goldens of the robustness, localisation, complexity, randomisation, axiomatic and agreement metrics.

Quantus and Captum score one picture of one channel, with the network in float64 and the gradient as the method that explains again. The
noisy copies are made here from recorded draws and handed to the reference through its `perturb_func`, so that both sides see the same
pictures bit for bit. Quantus' own faults are kept out: no empty masks, no ties, no comparison by `==`, the right discretisation given to
Consistency. XAI-TRIS and OpenXAI are not packages: their formulas are written out here in a few lines, the optimal transport is POT's.
"""

import numpy as np
import ot
import quantus
import scipy.spatial.distance
import scipy.stats
import skimage.metrics
import torch
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import NearestCentroid
from captum.metrics import sensitivity_max

from common import gradient, load_input, module, relative_input, scalar, top_class, versions, write_case

QUIET = {"disable_warnings": True, "return_aggregate": False}


class Float64(torch.nn.Module):
    """Lets tools that hand over float32 pictures run the network in float64."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x.double())


class Scene:
    """A network of one channel, a picture, its top class, and the gradient of its logit as the map, or another one."""

    def __init__(self, model="plain", index=0, map=None):
        self.model, self.index, self.x = model, index, load_input(model, index)
        self.net = Float64(module(model)).eval()
        self.cls = top_class(model, self.x)
        self.map = (self.gradients(self.x[None], [self.cls])[0] if map is None else map).astype(np.float32)

    def gradients(self, pictures, classes):
        net = module(self.model)
        with torch.enable_grad():
            return np.stack([gradient(net, self.model, np.asarray(x, np.float64), int(c), "logit") for x, c in zip(pictures, classes)])

    def explain(self, model, inputs, targets, **_):
        return self.gradients(inputs, targets)

    def logits(self, pictures):
        with torch.no_grad():
            return self.net(torch.from_numpy(np.asarray(pictures))).numpy()

    def quantus(self, metric, explain=None, masks=None, pictures=None, classes=None, maps=None, **options):
        pictures = self.x[None] if pictures is None else pictures
        return metric(
            model=self.net, x_batch=pictures.astype(np.float32), y_batch=np.array([self.cls] if classes is None else classes),
            a_batch=(self.map[None] if maps is None else maps).astype(np.float64), s_batch=masks, explain_func=explain, device="cpu", **options,
        )

    def write(self, name, id, score, options, *, tools, params=None, arrays=None, explainer=None, tolerance=1e-5, recorded=None, imputer=None,
              mask=None, other=None, set=None, cls=None, kind="logit"):
        arrays = {"map.npy": self.map, **(arrays or {})}
        if mask is not None:
            arrays["mask.npy"] = mask
        if other is not None:
            arrays["other.npy"] = other
        write_case(
            f"metric-{name}", kind="metric", model=self.model, input=relative_input(self.model, self.index), id=id, expected=[score],
            mask=None if mask is None else "mask.npy", other=None if other is None else "other.npy", arrays=arrays,
            tables={
                "target": {"class": self.cls if cls is None else cls, "kind": kind}, "params": params or {}, "imputer": imputer,
                "attribution": {"file": "map.npy"}, "explainer": explainer, "set": set, "recorded": recorded or {},
                "tolerance": {"relative": tolerance}, "reference": {"tool": versions(*tools), "options": options},
            },
        )


GRADIENT = {"id": "gradient"}


class Draws:
    """Noise from recorded draws, for Quantus and Captum alike: `perturb(x)` gives the next noisy copy, in float32."""

    def __init__(self, scene, samples, seed, noise, normal=False):
        rng = np.random.default_rng(seed)
        shape = (samples, *scene.x.shape)
        self.draws = (rng.standard_normal(shape) if normal else rng.random(shape)).astype(np.float32)
        self.copies = (scene.x.astype(np.float64) + noise(self.draws.astype(np.float64))).astype(np.float32)
        self.next = 0

    def quantus(self, arr, indices, **_):
        self.next += 1
        return self.copies[self.next - 1].reshape(arr.shape)

    def captum(self, inputs):
        return torch.from_numpy(self.copies).to(inputs.dtype)


def both_sides(radius):
    return lambda u: radius * (2.0 * u - 1.0)


def sensitivity():
    s, n, radius = Scene(), 12, 0.2
    for id, metric, seed in (("max-sensitivity", quantus.MaxSensitivity, 1), ("average-sensitivity", quantus.AvgSensitivity, 2)):
        d = Draws(s, n, seed, both_sides(radius))
        score = s.quantus(metric(nr_samples=n, abs=False, normalise=False, perturb_func=d.quantus, **QUIET), s.explain)[0]
        s.write(f"{id}-quantus", id, score, f"{metric.__name__}(nr_samples={n}, abs=False, normalise=False, perturb_func=recorded), Saliency(abs=False)",
                tools=["quantus", "torch"], params={"samples": n, "radius": radius}, explainer=GRADIENT,
                arrays={"noise.npy": d.draws}, recorded={f"{id}/noise": "noise.npy"})
    s = Scene(index=1)
    d = Draws(s, n, 3, both_sides(0.05))

    def explain(x):
        """A tuple for a tuple, as Captum's own methods have it."""
        given = isinstance(x, tuple)
        maps = torch.from_numpy(s.gradients((x[0] if given else x).numpy(), [s.cls] * n))
        return (maps,) if given else maps

    score = float(sensitivity_max(explain, torch.from_numpy(s.x).double()[None], perturb_func=d.captum, n_perturb_samples=n)[0])
    s.write("max-sensitivity-captum", "max-sensitivity", score, f"sensitivity_max(n_perturb_samples={n}, norm_ord='fro', perturb_func=recorded)",
            tools=["captum", "torch"], params={"samples": n, "radius": 0.05}, explainer=GRADIENT,
            arrays={"noise.npy": d.draws}, recorded={"max-sensitivity/noise": "noise.npy"})


def lipschitz():
    s, n = Scene(), 12
    for normalise in (True, False):
        d = Draws(s, n, 4, lambda z: 0.1 * z, normal=True)
        score = s.quantus(quantus.LocalLipschitzEstimate(nr_samples=n, abs=False, normalise=normalise, perturb_func=d.quantus, **QUIET), s.explain)[0]
        s.write(f"local-lipschitz-quantus{'' if normalise else '-raw'}", "local-lipschitz", score,
                f"LocalLipschitzEstimate(nr_samples={n}, abs=False, normalise={normalise}, perturb_func=recorded)",
                tools=["quantus", "torch"], params={"samples": n, "deviation": 0.1, "normalise": normalise}, explainer=GRADIENT,
                arrays={"noise.npy": d.draws}, recorded={"local-lipschitz/noise": "noise.npy"})


def continuity():
    s = Scene()
    score = s.quantus(quantus.Continuity(nr_steps=28, abs=True, normalise=True, **QUIET), s.explain)[0]
    s.write("continuity-quantus", "continuity", score, "Continuity(nr_steps=28, abs=True, normalise=True), filled with the picture's smallest value",
            tools=["quantus", "torch"], params={"steps": 28}, explainer=GRADIENT, imputer={"id": "constant", "value": float(s.x.min())})


def relative():
    n, radius = 10, 0.05
    s = Scene()
    # A layer is divided by value by value, so that values near zero decide, of which a float32 network keeps the fewest digits.
    for which, metric, seed in (("input", quantus.RelativeInputStability, 5), ("output", quantus.RelativeOutputStability, 6),
                                ("representation", quantus.RelativeRepresentationStability, 7)):
        d = Draws(s, n, seed, both_sides(radius))
        assert (s.logits(d.copies).argmax(1) == s.cls).all(), "a copy changes the answer, which makes Quantus' score NaN"
        layer = {"layer_names": ["net.0"]} if which == "representation" else {}
        score = s.quantus(metric(nr_samples=n, abs=False, normalise=False, perturb_func=d.quantus, **layer, **QUIET), s.explain)[0]
        id = f"relative-{which}-stability"
        params = {"samples": n, "radius": radius, **({"layer": "/0/Conv"} if layer else {})}
        s.write(f"{id}-quantus", id, score, f"{metric.__name__}(nr_samples={n}, abs=False, normalise=False, perturb_func=recorded{', layer_names=[first convolution]' if layer else ''}){'; loose, as it divides by values of the layer near zero, of which float32 keeps few digits' if layer else ''}",
                tools=["quantus", "torch"], params=params, explainer=GRADIENT, arrays={"noise.npy": d.draws}, recorded={f"{id}/noise": "noise.npy"},
                tolerance=1e-3 if layer else 1e-5)


def says(a, grid=3, top=1):
    """The discretisation of our consistency, for one map as Quantus hands it over: flat."""
    side = int(np.sqrt(a.size))
    a = a.reshape(side, side)
    cell = np.arange(side) * grid // side
    means = np.array([[a[np.ix_(cell == r, cell == c)].mean() for c in range(grid)] for r in range(grid)]).ravel()
    cells = sorted(np.argsort(-np.abs(means), kind="stable")[:top])
    return hash(tuple((int(k), bool(means[k] > 0)) for k in cells))


def consistency():
    s = Scene()
    rng = np.random.default_rng(8)
    others = [load_input("plain", 1), load_input("plain", 2)]
    while len(others) < 10:
        x = others[len(others) % 2] if len(others) % 3 else s.x
        others.append((x + 0.6 * rng.standard_normal(x.shape)).astype(np.float32))
    pictures = np.stack([s.x, *others])
    classes = s.logits(pictures).argmax(1)
    maps = s.gradients(pictures, classes)
    for grid, top in ((2, 1), (3, 1)):
        metric = quantus.Consistency(abs=False, normalise=False, discretise_func=lambda a: says(a, grid, top), **QUIET)
        scores = s.quantus(metric, pictures=pictures, classes=classes, maps=maps)
        labels = [says(m.sum(0).ravel(), grid, top) for m in maps]
        alike = sum(label == labels[0] for label in labels[1:])
        if alike >= 2 and 0 < scores[0] < 1:
            break
    else:
        raise SystemExit(f"no telling set: {scores} {alike}")
    files = {f"other-{k}.npy": x for k, x in enumerate(others)}
    s.write("consistency-quantus", "consistency", scores[0],
            f"Consistency(abs=False, normalise=False, discretise_func=the strongest of {grid} x {grid} cells with its sign) over 11 pictures, the first one's score",
            tools=["quantus", "torch"], params={"grid": grid, "top": top}, explainer=GRADIENT, arrays=files,
            set={f: int(c) for f, c in zip(files, classes[1:])})


def located():
    """A map of several channels' worth of noise, and a mask that it half follows."""
    rng = np.random.default_rng(9)
    mask = np.zeros((28, 28))
    mask[6:17, 9:22] = 1
    mask[18:20, 3:6] = 1
    values = rng.standard_normal((1, 28, 28)) + 0.8 * mask
    return Scene(map=values), mask


def localisation():
    s, mask = located()
    masks = mask[None, None].astype(bool)
    quiet = {"normalise": False, **QUIET}
    cases = (
        ("pointing-game", quantus.PointingGame(abs=False, **quiet), {}),
        ("attribution-localisation", quantus.AttributionLocalisation(abs=True, **quiet), {}),
        ("attribution-localisation-positive", quantus.AttributionLocalisation(abs=False, positive_attributions=True, **quiet), {"sign": "positive"}),
        ("top-k-intersection", quantus.TopKIntersection(k=100, abs=False, **quiet), {"k": 100}),
        ("top-k-intersection-concept", quantus.TopKIntersection(k=60, abs=True, concept_influence=True, **quiet), {"k": 60, "absolute": True, "concept_influence": True}),
        ("relevance-rank-accuracy", quantus.RelevanceRankAccuracy(abs=False, **quiet), {}),
        ("relevance-mass-accuracy", quantus.RelevanceMassAccuracy(abs=True, **quiet), {"sign": "absolute"}),
        ("relevance-mass-accuracy-signed", quantus.RelevanceMassAccuracy(abs=False, **quiet), {"sign": "signed"}),
        ("localisation-auc", quantus.AUC(abs=False, **quiet), {}),
        ("localisation-auc-absolute", quantus.AUC(abs=True, **quiet), {"absolute": True}),
    )
    for name, metric, params in cases:
        id = next(i for i in ("pointing-game", "attribution-localisation", "top-k-intersection", "relevance-rank-accuracy", "relevance-mass-accuracy", "localisation-auc") if name.startswith(i))
        score = float(s.quantus(metric, masks=masks)[0])
        options = f"{type(metric).__name__}({', '.join(f'{k}={getattr(metric, k)}' for k in ('abs', 'k', 'concept_influence', 'positive_attributions') if hasattr(metric, k))}, normalise=False)"
        s.write(f"{name}-quantus", id, score, options, tools=["quantus", "scikit-learn"], params=params, mask=mask)


def emd(a, mask, places, diagonal):
    cost = scipy.spatial.distance.cdist(places, places)
    return 1 - ot.emd2(a / a.sum(), mask / mask.sum(), cost, numItermax=1_000_000) / diagonal


def xai_tris():
    s, mask = located()
    rng = np.random.default_rng(10)
    sparse = (np.abs(s.map[0]) * (rng.random((28, 28)) < 0.12)).astype(np.float32)
    for name, map in (("", s.map[0]), ("-sparse", sparse)):
        t = Scene(map=map[None])
        a, m = np.abs(map.astype(np.float64)).ravel(), mask.ravel()
        n = int(m.sum())
        chosen = np.argsort(-a, kind="stable")[: min(n, int((a > 0).sum()))]
        t.write(f"xai-tris-precision{name}", "xai-tris-precision", m[chosen].sum() / n,
                "numpy: braindatalab/xai-tris eval_utils.precision: the mask's number of pixels of largest magnitude, zeros never", tools=["numpy"], mask=mask)
        places = np.argwhere(np.ones((28, 28))).astype(np.float64)
        t.write(f"xai-tris-emd{name}", "xai-tris-emd", emd(a, m, places, np.hypot(28, 28)),
                "POT emd2 with Euclidean costs, as braindatalab/xai-tris eval_utils.continuous_emd", tools=["POT", "scipy"], mask=mask)
    block = lambda v: v.reshape(14, 2, 14, 2).sum((1, 3)).ravel()
    places = 2 * np.argwhere(np.ones((14, 14))) + 0.5
    s.write("xai-tris-emd-blocks", "xai-tris-emd", emd(block(np.abs(s.map[0].astype(np.float64))), block(mask), places, np.hypot(28, 28)),
            "POT emd2 with Euclidean costs between blocks of 2 x 2 pixels", tools=["POT", "scipy"], mask=mask, params={"side": 14})


def half(x):
    return x.reshape(x.shape[0], 14, 2, 14, 2).mean((2, 4), dtype=np.float64)


def focus():
    s, mosaics = Scene(), 5
    rng = np.random.default_rng(11)
    noisy = lambda x: (x + 0.3 * rng.standard_normal(x.shape)).astype(np.float32)
    pool = [(noisy(s.x), s.cls), (noisy(s.x), s.cls)]
    pool += [(load_input("plain", k), (s.cls + k) % 10) for k in (1, 2)] + [(noisy(load_input("plain", 1)), (s.cls + 1) % 10)]
    same, others = [x for x, c in pool if c == s.cls], [x for x, c in pool if c != s.cls]
    draws, batch, positions = [], [], []
    for _ in range(mosaics):
        companion, first, second = rng.integers(len(same)), rng.integers(len(others)), rng.integers(len(others) - 1)
        places, shuffle = [0, 1, 2, 3], []
        for i in (3, 2, 1):
            j = int(rng.integers(i + 1))
            shuffle.append(j)
            places[i], places[j] = places[j], places[i]
        draws.append([companion, first, second, *shuffle])
        four = [s.x, same[companion], others[first], others[second + (second >= first)]]
        quarters = [half(four[k]) for k in places]
        batch.append(np.concatenate([np.concatenate(quarters[:2], 2), np.concatenate(quarters[2:], 2)], 1).astype(np.float32))
        positions.append(tuple(int(k < 2) for k in places))
    maps = s.gradients(batch, [s.cls] * mosaics)
    metric = quantus.Focus(abs=False, normalise=False, **QUIET)
    scores = metric(model=s.net, x_batch=np.array(batch), y_batch=np.array([s.cls] * mosaics), a_batch=maps, custom_batch=positions, device="cpu")
    files = {f"picture-{k}.npy": x for k, (x, _) in enumerate(pool)}
    s.write("focus-quantus", "focus", np.mean(scores), "Focus(abs=False, normalise=False) of the recorded mosaics, the mean of their scores", tools=["quantus", "torch"],
            params={"mosaics": mosaics}, explainer=GRADIENT, arrays={**files, "mosaics.npy": np.array(draws)}, recorded={"focus/mosaics": "mosaics.npy"},
            set={f: c for f, (_, c) in zip(files, pool)})


def complexity():
    s = Scene()
    cases = (("sparseness", quantus.Sparseness, {}, {}), ("complexity", quantus.Complexity, {}, {}),
             ("effective-complexity", quantus.EffectiveComplexity, {"eps": 0.05}, {"threshold": 0.05}))
    for id, metric, options, params in cases:
        score = float(s.quantus(metric(abs=True, normalise=True, **options, **QUIET))[0])
        s.write(f"{id}-quantus", id, score, f"{metric.__name__}(abs=True, normalise=True{''.join(f', {k}={v}' for k, v in options.items())})", tools=["quantus"], params=params)
    rng = np.random.default_rng(12)
    places = np.stack(np.meshgrid(np.arange(28), np.arange(28), indexing="ij"))
    blob = sum(np.exp(-((places[0] - y) ** 2 + (places[1] - x) ** 2) / 18) for y, x in ((8, 9), (15, 17)))
    for name, map in (("noise", rng.standard_normal((28, 28))), ("blobs", blob + 0.02 * rng.standard_normal((28, 28)))):
        t = Scene(map=map[None])
        t.write(f"mst-compactness-{name}", "mst-compactness", mstc(np.abs(t.map[0].astype(np.float64))),
                "numpy, scipy: the formula of Quantus' MSTC (added after 0.6.0), on the complete graph of the points", tools=["numpy", "scipy"])


def mstc(a, percentile=80.0):
    points = np.argwhere(a >= np.percentile(a, percentile)).astype(np.float64)
    tree = scipy.sparse.csgraph.minimum_spanning_tree(scipy.spatial.distance.cdist(points, points)).sum()
    return np.hypot(*a.shape) * 100 / np.sqrt(scipy.spatial.ConvexHull(points).volume) * len(points) / tree


def random_logit():
    s = Scene()
    other = (s.cls + 4) % 10
    drawn, draw = [], np.random.randint
    index = [c for c in range(10) if c != s.cls].index(other)
    np.random.randint = lambda *_: np.array([index])
    metric = quantus.RandomLogit(num_classes=10, abs=False, normalise=False, similarity_func=quantus.similarity_func.correlation_spearman, **QUIET)
    score = s.quantus(metric, s.explain)[0]
    np.random.randint = draw
    s.write("random-logit-quantus", "random-logit", score, "RandomLogit(num_classes=10, similarity_func=correlation_spearman, normalise=False), the class recorded",
            tools=["quantus", "scipy", "torch"], params={"similarity": "spearman"}, explainer=GRADIENT,
            arrays={"classes.npy": np.array([index])}, recorded={"random-logit/classes": "classes.npy"})
    a, b = s.map[0].astype(np.float64), s.gradients(s.x[None], [other])[0][0]
    score = ssim(a, b)
    s.write("random-logit-ssim", "random-logit", score, "scikit-image structural_similarity of both maps over their largest magnitudes, with their common range",
            tools=["scikit-image", "torch"], explainer=GRADIENT, arrays={"classes.npy": np.array([index])}, recorded={"random-logit/classes": "classes.npy"})


def ssim(a, b):
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return skimage.metrics.structural_similarity(a, b, data_range=max(a.max(), b.max()) - min(a.min(), b.min()))


def axiomatic():
    s = Scene("two-layer-relu")
    net = module(s.model)
    value = lambda x: scalar(net, s.model, torch.from_numpy(np.asarray(x, np.float64))[None], s.cls, "logit").item()
    change = value(s.x) - value(np.zeros_like(s.x))
    s.write("completeness", "completeness", abs(s.map.astype(np.float64).sum() - change) / abs(change),
            "numpy, torch in float64: |sum of the map - change of the logit from zeros| over the change", tools=["numpy", "torch"], imputer={"id": "constant", "value": 0.0})
    rng = np.random.default_rng(13)
    map = rng.standard_normal(s.x.shape) * (rng.random(s.x.shape) < 0.6)
    s = Scene("two-layer-relu", map=map)
    eps = 0.05
    metric = quantus.NonSensitivity(eps=eps, features_in_step=1, abs=True, normalise=True, perturb_baseline=0.0, **QUIET)
    score = s.quantus(metric, softmax=False)[0] / 36
    s.write("non-sensitivity-quantus", "non-sensitivity", score, f"NonSensitivity(eps={eps}, features_in_step=1, abs=True, normalise=True, perturb_baseline=0.0), softmax=False; over the 36 pixels",
            tools=["quantus", "torch"], params={"patch": 1, "relevance_threshold": eps, "answer_threshold": eps}, imputer={"id": "constant", "value": 0.0})
    s = Scene()
    ixg = s.map.astype(np.float64) * s.x
    s = Scene(map=ixg)
    shifted = (s.x.astype(np.float64) - 1.0)
    moved = s.gradients([shifted + 1.0], [s.cls])[0] * shifted      # the network x -> f(x + 1) at x - 1
    score = np.linalg.norm(moved - ixg) / np.linalg.norm(ixg)
    s.write("input-invariance", "input-invariance", score, "numpy, torch in float64: input x gradient of the network x -> f(x + 1) at x - 1, against that of f at x",
            tools=["numpy", "torch"], explainer={"id": "input-x-gradient"}, params={"shift": -1.0})


def agreement():
    rng = np.random.default_rng(14)
    a = rng.standard_normal((1, 28, 28)).astype(np.float32)
    b = a.copy()
    # Half of the top keeps its rank, some of it with the other sign; the rest is mixed.
    order = np.argsort(-np.abs(a[0].ravel()), kind="stable")
    mixed = np.concatenate([order[:78:3], order[100:]])
    flat = b.reshape(-1)
    flat[mixed] = flat[rng.permutation(mixed)]
    flat[order[::7]] *= -1
    s = Scene(map=a)
    x, y, k = a.ravel().astype(np.float64), b.ravel().astype(np.float64), 78
    top = lambda v: np.argsort(-np.abs(v), kind="stable")[:k]
    rank = lambda v: scipy.stats.rankdata(-np.abs(v), method="dense")
    both = sorted(set(top(x)) & set(top(y)))
    same_rank, same_sign = rank(x)[both] == rank(y)[both], np.sign(x[both]) == np.sign(y[both])
    cases = (("feature-agreement", len(both) / k), ("rank-agreement", same_rank.sum() / k), ("sign-agreement", same_sign.sum() / k),
             ("signed-rank-agreement", (same_rank & same_sign).sum() / k))
    for id, score in cases:
        assert 0 < score < 1
        s.write(f"{id}-openxai", id, score, f"numpy, scipy: OpenXAI's definition with dense ranks, k={k}", tools=["numpy", "scipy"], other=b)
    for id, params, score in (
        ("rank-correlation", {}, scipy.stats.spearmanr(x, y)[0]), ("rank-correlation", {"measure": "kendall"}, scipy.stats.kendalltau(x, y)[0]),
        ("rank-correlation", {"absolute": True}, scipy.stats.spearmanr(np.abs(x), np.abs(y))[0]),
        ("structural-similarity", {}, ssim(a[0].astype(np.float64), b[0].astype(np.float64))),
        ("structural-similarity", {"absolute": True}, ssim(np.abs(a[0].astype(np.float64)), np.abs(b[0].astype(np.float64)))),
    ):
        name = "".join(f"-{v if isinstance(v, str) else key}" for key, v in params.items())
        s.write(f"{id}{name}", id, score, "the function on all pixels", tools=["scipy", "scikit-image"], params=params, other=b)


def sufficiency():
    """On a network whose maps vary at every pixel: where one does not, SciPy's distance is not a number and Quantus gives 0 (quantus_defects.py)."""
    s = Scene("two-layer-relu")
    rng = np.random.default_rng(15)
    others = [(s.x + 0.5 * (1 + k / 4) * rng.standard_normal(s.x.shape)).astype(np.float32) for k in range(1, 12)]
    pictures = np.stack([s.x, *others])
    classes = s.logits(pictures).argmax(1)
    maps = s.gradients(pictures, classes) * pictures
    s.map = maps[0].astype(np.float32)
    files = {f"other-{k}.npy": x for k, x in enumerate(others)}
    gaps = scipy.spatial.distance.cdist(*[np.abs(maps.reshape(len(maps), -1))] * 2, "seuclidean")
    for threshold in (0.5, 0.6):
        assert np.abs(gaps[0] / gaps.max() - threshold).min() > 1e-3
        metric = quantus.Sufficiency(threshold=threshold, abs=True, normalise=False, **QUIET)
        score = s.quantus(metric, pictures=pictures, classes=classes, maps=maps)[0]
        assert 0.1 < score < 0.9
        s.write(f"sufficiency-{threshold}-quantus".replace(".", "-"), "sufficiency", score, f"Sufficiency(threshold={threshold}, abs=True, normalise=False) over 12 pictures, the first one's score",
                tools=["quantus", "scipy", "torch"], params={"threshold": threshold}, explainer={"id": "input-x-gradient"}, arrays=files,
                set={f: int(c) for f, c in zip(files, classes[1:])})


def leakage():
    """Pictures of three kinds with noise, each under the network's own answer."""
    s = Scene()
    rng = np.random.default_rng(15)
    kinds = [load_input("plain", k) for k in range(3)]
    others = [(kinds[k % 3] + (0.1 + 0.05 * k) * rng.standard_normal(s.x.shape)).astype(np.float32) for k in range(1, 12)]
    pictures = np.stack([s.x, *others])
    classes = s.logits(pictures).argmax(1)
    maps = s.gradients(pictures, classes)
    files = {f"other-{k}.npy": x for k, x in enumerate(others)}
    share = 0.1
    flat = maps.sum(1).reshape(len(maps), -1)
    masks = np.zeros_like(flat)
    for row, order in zip(masks, np.argsort(-flat, axis=1, kind="stable")):
        row[order[: int(share * flat.shape[1])]] = 1
    right = cross_val_score(NearestCentroid(), masks, classes, cv=LeaveOneOut())
    chance = np.bincount(classes).max() / len(classes)
    s.write("mask-leakage-scikit-learn", "mask-leakage", (right.mean() - chance) / (1 - chance),
            f"cross_val_score(NearestCentroid(), masks of the first {share:.0%} of the pixels, cv=LeaveOneOut()), over the most frequent class", tools=["scikit-learn", "torch"],
            params={"share": share}, explainer=GRADIENT, arrays=files, set={f: int(c) for f, c in zip(files, classes[1:])})


if __name__ == "__main__":
    for part in (sensitivity, lipschitz, continuity, relative, consistency, localisation, xai_tris, focus, complexity, random_logit, axiomatic, agreement, sufficiency, leakage):
        part()
