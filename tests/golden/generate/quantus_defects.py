"""tests/golden/departures.json: what Quantus 0.6.0 gives where it is wrong, and what is right by the plain formula. docs/departures.md tells it;
tests/axioms/departures.rs recomputes ours. The network is exactly linear, so that every right value follows from sums of products.
"""

import json
import warnings

import numpy as np
import quantus
import torch
from quantus.functions.perturb_func import noisy_linear_imputation
from scipy.spatial.distance import cdist

from common import GOLDEN, versions

warnings.filterwarnings("ignore")
np.trapz = getattr(np, "trapz", np.trapezoid)          # which Quantus calls, and NumPy 2.4 no longer has: its areas can't be had without
QUIET = dict(disable_warnings=True)
RAW = QUIET | dict(abs=False, normalise=False)


def numbers(seed, n):
    """Between -0.5 and 0.5, the same in Rust."""
    i = np.arange(1, n + 1, dtype=np.int64)
    return ((i * i * (2 * seed + 31) + i * 7919 + seed * 104729) % 10007 / 10007 - 0.5).astype(np.float32)


class Linear(torch.nn.Module):
    """Two classes; the answer is W x."""

    def __init__(self, values):
        super().__init__()
        self.w = torch.from_numpy(np.stack([numbers(1, values), numbers(2, values)])).double()

    def forward(self, x):
        return x.reshape(len(x), -1).double() @ self.w.T


def net(channels):
    return Linear(64 * channels).eval()


def weights(channels):
    return net(channels).w.numpy()


def pictures(count, channels, first=10):
    return np.stack([numbers(first + k, 64 * channels).reshape(channels, 8, 8) for k in range(count)])


def maps(count, channels, first=500):
    return pictures(count, channels, first)


def call(metric, x, a, y=None, channels=1, **more):
    return metric(model=net(channels), x_batch=x, y_batch=np.zeros(len(x), int) if y is None else y, a_batch=a, softmax=False, device="cpu", **more)


def failing(run):
    try:
        run()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("this no longer fails")


def answer(x, channels=1, cls=0):
    return np.asarray(x, np.float64).reshape(len(x), -1) @ weights(channels)[cls]


def area(y):
    y = np.asarray(y, np.float64)
    return float((y.sum() - (y[0] + y[-1]) / 2) / (len(y) - 1))


def without(x, pixels):
    x = x.copy().reshape(len(x), -1)
    x[:, pixels] = 0
    return x.reshape(-1, 8, 8)


def falling(x, a, groups):
    y, gone = [answer(x[None], len(x))[0]], []
    for group in groups:
        gone += list(group)
        y.append(answer(without(x, gone)[None], len(x))[0])
    return y


def monotonicity():
    x, a = np.repeat(pictures(1, 1), 6, 0), maps(6, 1)
    theirs = call(quantus.Monotonicity(perturb_baseline=0.0, **QUIET), x, a)
    right = 0
    for m in a:
        base, y = np.zeros(64), []
        for i in np.argsort(np.abs(m.ravel()), kind="stable"):
            base[i] = x[0].ravel()[i]
            y.append(answer(base[None])[0])
        right += bool(np.all(np.diff(y) >= 0))
    return sum(map(bool, theirs)), right


def road_colour():
    x, a = pictures(1, 3), maps(1, 3)
    theirs = failing(lambda: call(quantus.ROAD(percentages=[50], noise=0.0, **RAW), x, a, channels=3))
    return theirs, road(x[0], a[0].astype(np.float64).sum(0).ravel(), 9)


def road(x, ranks, steps):
    right = []
    order = np.argsort(-ranks, kind="stable")
    for p in range(steps, 0, -1):
        gone = order[: 64 - int(np.ceil(p * 63 / (steps + 1)))]
        filled = noisy_linear_imputation(arr=x.astype(np.float64), indices=gone, noise=0.0)[None]
        right.append(answer(filled, len(x), 0)[0] >= answer(filled, len(x), 1)[0])
    return float(np.mean(right))


def road_batches():
    x, a = pictures(70, 1), maps(70, 1)
    theirs = call(quantus.ROAD(percentages=[50], noise=0.0, **RAW), x, a, batch_size=64)
    right = np.mean([road(p, m.astype(np.float64).ravel(), 1) for p, m in zip(x, a)])
    return float(theirs[50]), float(right)


def infidelity():
    x, a = pictures(1, 1), maps(1, 1)
    of = lambda n: float(np.ravel(call(quantus.Infidelity(perturb_patch_sizes=[4], n_perturb_samples=n, perturb_baseline=0.0, **RAW), x, a))[0])
    assert abs(of(1) - of(10)) < 1e-12, "the samples are no longer the same"
    errors = []
    for top in (0, 4):
        for left in (0, 4):
            moved = np.zeros((8, 8))
            moved[top:top + 4, left:left + 4] = x[0, 0, top:top + 4, left:left + 4]
            errors.append(((moved * a[0, 0]).sum() - answer(moved[None])[0]) ** 2)
    return of(10), float(np.mean(errors))


def infidelity_side():
    x, a, w = numbers(10, 81).reshape(9, 9), numbers(500, 81).reshape(9, 9).astype(np.float64), numbers(1, 81).reshape(9, 9).astype(np.float64)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(81, 2)).eval()
    run = lambda: quantus.Infidelity(perturb_patch_sizes=[4], perturb_baseline=0.0, **RAW)(model=model, x_batch=x[None, None], y_batch=np.array([0]), a_batch=x[None, None], device="cpu")
    errors = []
    for top in (0, 5):
        for left in (0, 5):
            moved = np.zeros((9, 9))
            moved[top:top + 4, left:left + 4] = x[top:top + 4, left:left + 4]
            errors.append(((moved * a).sum() - (moved * w).sum()) ** 2)
    return failing(run).split("\n")[0], float(np.mean(errors))


def flipping_colour():
    x, a = pictures(1, 3), maps(1, 3)
    theirs = np.asarray(call(quantus.PixelFlipping(features_in_step=1, perturb_baseline=0.0, **RAW), x, a, channels=3)[0])
    assert len(theirs) == 192, "a step is one value of one channel"
    order = np.argsort(-a[0].astype(np.float64).sum(0).ravel(), kind="stable")
    return area([answer(x, 3)[0], *theirs]), area(falling(x[0], a[0], [[i] for i in order]))


def flipping_area():
    x, a = pictures(1, 1), maps(1, 1)
    theirs = call(quantus.PixelFlipping(features_in_step=1, perturb_baseline=0.0, return_auc_per_sample=True, **RAW), x, a)
    order = np.argsort(-a[0].ravel(), kind="stable")
    return float(np.ravel(theirs)[0]), area(falling(x[0], a[0], [[i] for i in order]))


def sensitivity():
    x = pictures(6, 1)
    a = (x.astype(np.float64) * weights(1)[0].reshape(1, 1, 8, 8)).astype(np.float32)
    theirs = call(quantus.SensitivityN(features_in_step=1, n_max_percentage=0.8, perturb_baseline=0.0, return_aggregate=True, **RAW), x, a)
    return float(np.mean(theirs)), 1.0


def irof_colour():
    x, a = pictures(1, 3), maps(1, 3)
    theirs = failing(lambda: call(quantus.IROF(perturb_baseline=0.0, **RAW), x, a, channels=3))
    relevance = a[0].astype(np.float64).sum(0)
    groups = [[r * 8 + c for r in range(top, top + 4) for c in range(left, left + 4)] for top in (0, 4) for left in (0, 4)]
    groups.sort(key=lambda g: -relevance.ravel()[g].mean())
    y = falling(x[0], a[0], groups)
    assert y[0] > 0, "the share that is lost needs an answer above 0"
    return theirs, 1 - area(y) / y[0]


def region_direction():
    x = pictures(1, 1)
    a = (x.astype(np.float64) * weights(1)[0].reshape(1, 1, 8, 8)).astype(np.float32)
    metric = quantus.RegionPerturbation(patch_size=2, perturb_baseline=0.0, **RAW)
    theirs = np.asarray(call(metric, x, a)[0])
    flag = str(metric.score_direction.value)
    return f"{flag} is better", float(np.concatenate([[0.0], theirs.astype(np.float64)]).mean())


def pointing_game():
    x, a = pictures(6, 1), maps(6, 1)
    theirs = call(quantus.PointingGame(**QUIET), x, a, s_batch=np.zeros((6, 1, 8, 8), int))
    return sum(map(bool, theirs)), "undefined"


def completeness():
    x = pictures(6, 1)
    a = (x.astype(np.float64) * weights(1)[0].reshape(1, 1, 8, 8)).astype(np.float32)
    theirs = call(quantus.Completeness(abs=False, normalise=False, perturb_baseline=0.0, **QUIET), x, a)
    gap = np.abs(a.reshape(6, -1).astype(np.float64).sum(1) - answer(x)).max()
    assert gap < 1e-6
    return sum(map(bool, theirs)), 6


def answers(x):
    return (answer(x, cls=1) > answer(x, cls=0)).astype(int)


def of_own_class(x, classes):
    """Input x gradient, and the gradient."""
    rows = weights(1)[classes].reshape(x.shape)
    return (x.astype(np.float64) * rows).astype(np.float32), rows.astype(np.float32)


def strongest(a):
    """Which quarter of the map has the largest mean magnitude, and its sign."""
    means = a[0].astype(np.float64).reshape(2, 4, 2, 4).mean((1, 3)).ravel()
    k = int(np.argmax(np.abs(means)))
    return k, bool(means[k] > 0)


def consistency():
    x = pictures(20, 1)
    classes = answers(x)
    by_gradient = of_own_class(x, classes)
    given = [maps(20, 1, first) for first in (500, 600, 700)] + list(by_gradient)
    scores = {round(float(np.mean(call(quantus.Consistency(**QUIET), x, a, y=classes))), 6) for a in given}
    assert len(scores) == 1, "the map matters after all"
    same = [(np.sum(classes == c) - 1) / 19 for c in classes]
    assert abs(np.mean(same) - max(scores)) < 1e-6
    right = []
    for a in by_gradient:
        says, shares = [strongest(m) for m in a], []
        for k in range(20):
            alike = [j for j in range(20) if j != k and says[j] == says[k]]
            shares += [np.mean(classes[alike] == classes[k])] if alike else []
        right.append(float(np.mean(shares)))
    return max(scores), right


def sufficiency():
    x = pictures(6, 1)
    x[:, 0, 0, 0] = 0                                           # whose relevance is 0 in every map
    classes = answers(x)
    a, _ = of_own_class(x, classes)
    theirs = call(quantus.Sufficiency(threshold=0.9, abs=True, normalise=False, **QUIET), x, a, y=classes)
    flat = np.abs(a.reshape(6, -1).astype(np.float64))[:, 1:]
    gaps = cdist(flat, flat, "seuclidean")
    near = [[j for j in range(6) if j != k and gaps[k, j] <= 0.9 * gaps.max()] for k in range(6)]
    assert all(near) and np.abs(gaps / gaps.max() - 0.9).min() > 1e-3
    return float(np.mean(theirs)), float(np.mean([np.mean(classes[n] == classes[k]) for k, n in enumerate(near)]))


CASES = {
    "monotonicity": monotonicity, "road-colour": road_colour, "road-batches": road_batches, "infidelity": infidelity, "infidelity-side": infidelity_side,
    "pixel-flipping-colour": flipping_colour, "pixel-flipping-area": flipping_area, "sensitivity-n": sensitivity, "irof-colour": irof_colour,
    "region-perturbation-direction": region_direction, "pointing-game-empty": pointing_game, "completeness": completeness, "consistency": consistency,
    "sufficiency-constant-pixel": sufficiency,
}

if __name__ == "__main__":
    found = {}
    for name, case in CASES.items():
        theirs, right = case()
        found[name] = {"quantus": theirs, "right": right}
        print(f"{name:32} {theirs}  |  {right}")
    text = json.dumps({"reference": versions("quantus", "numpy", "torch"), "cases": found}, indent=2)
    (GOLDEN / "departures.json").write_text(text + "\n")
