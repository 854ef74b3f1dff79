"""Goldens `metric-*` of the faithfulness metrics, from Quantus, Captum, pytorch-grad-cam and PAIR saliency (xplique_cases.py has Xplique's).

Quantus is right on one channel for what is taken from it here; quantus_defects.py shows where it is not. Its curves lack the whole picture,
which is put before them. `sensitivity-n` is Quantus' FaithfulnessCorrelation at each size, as its SensitivityN is another thing.
"""

import captum.metrics
import numpy as np
import quantus
import torch
from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence, IncreaseInConfidence
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from saliency.metrics import pic
from skimage.segmentation import slic

from common import INPUTS, gradient, scalar, top_class, versions, write_case
from metrics import Float64, Scored, area

np.trapz = getattr(np, "trapz", np.trapezoid)          # which Quantus and PAIR call, and NumPy 2.4 no longer has

ZERO = {"id": "constant", "value": 0.0}
EXACT = 1e-5


def quantus_scores(s, metric, softmax=True, batch=None):
    net = Float64(s.net).eval()
    x = s.x[None].astype(np.float64)
    return metric(model=net, x_batch=x, y_batch=np.array([s.cls]), a_batch=s.map[None].astype(np.float64), softmax=softmax, device="cpu")


def options(**more):
    return dict(abs=False, normalise=False, disable_warnings=True) | more


def said(name, given):
    return f"{name}({', '.join(f'{k}={v}' for k, v in given.items() if k != 'disable_warnings')})"


def whole(s, kind="probability"):
    return float(s.target(s.x[None], kind)[0])


def estimate():
    s, steps = Scored.first("plain", 28), 28
    given = options(features_in_step=s.relevance.size // steps, perturb_baseline=0.0)
    score = quantus_scores(s, quantus.FaithfulnessEstimate(**given))[0]
    s.write("faithfulness-estimate-quantus", "faithfulness-estimate", score, said("FaithfulnessEstimate", given), tools=["quantus", "torch"],
            params={"steps": steps}, imputer=ZERO, tolerance=EXACT)


def flipping():
    s, steps = Scored.first("plain", 28), 28
    given = options(features_in_step=s.relevance.size // steps, perturb_baseline=0.0, return_auc_per_sample=False)
    y = np.concatenate([[whole(s)], np.asarray(quantus_scores(s, quantus.PixelFlipping(**given))[0], np.float64)])
    s.write("pixel-flipping-quantus", "pixel-flipping", area(y), said("PixelFlipping", given) + "; the whole picture put before it; area over the share",
            tools=["quantus", "torch"], params={"steps": steps}, imputer=ZERO, curves={"MoRF": y}, tolerance=EXACT)


def regions():
    for patch, order, many, model in ((4, "morf", 100, "plain"), (5, "lerf", 20, "plain"), (6, "morf", 9, "small-rgb")):
        s = Scored(model)
        given = options(patch_size=patch, order=order, regions_evaluation=many, perturb_baseline=0.0)
        if len(s.x) > 1:                                                                        # a region is ranked by all channels
            s.map = np.repeat(s.map.sum(0, keepdims=True) / len(s.x), len(s.x), 0).astype(np.float32)
            s.relevance = s.map.astype(np.float64).sum(0)
        falls = np.asarray(quantus_scores(s, quantus.RegionPerturbation(**given))[0], np.float64)
        falls = falls[:many]
        y = whole(s) - np.concatenate([[0.0], falls])
        label = "MoRF" if order == "morf" else "LeRF"
        s.write(f"region-perturbation-{model}-{patch}-{order}", "region-perturbation", float(np.mean(y[0] - y)),
                said("RegionPerturbation", given) + "; the whole picture put before it; mean over the curve as in the paper", tools=["quantus", "torch"],
                params={"patch": patch, "order": order, "regions": many}, imputer=ZERO, curves={label: y}, tolerance=EXACT)


def selectivity():
    s = Scored("plain")
    given = options(patch_size=4, perturb_baseline=0.0)
    y = np.concatenate([[whole(s)], np.asarray(quantus_scores(s, quantus.Selectivity(**given))[0], np.float64)])
    s.write("selectivity-quantus", "selectivity", area(y), said("Selectivity", given) + "; the whole picture put before it; area over the share",
            tools=["quantus", "torch"], params={"patch": 4}, imputer=ZERO, curves={"MoRF": y}, tolerance=EXACT)


def sensitivity():
    s, runs, largest, sizes = Scored("plain"), 25, 0.8, 4
    most = int(largest * s.relevance.size)
    counts = [round(most ** (k / (sizes - 1))) for k in range(sizes)]
    drawn, choose, scores, arrays = [], np.random.choice, [], {}

    def record(*args, **kwargs):
        drawn.append(choose(*args, **kwargs))
        return drawn[-1]

    np.random.seed(0)
    np.random.choice = record
    for n in counts:
        drawn.clear()
        given = options(nr_runs=runs, subset_size=n, perturb_baseline=0.0, return_aggregate=False)
        scores.append(quantus_scores(s, quantus.FaithfulnessCorrelation(**given), softmax=False)[0])
        arrays[f"subsets-{n}.npy"] = np.array(drawn).reshape(runs, n)
    np.random.choice = choose
    s.write("sensitivity-n-quantus", "sensitivity-n", float(np.mean(scores)), f"FaithfulnessCorrelation(nr_runs={runs}, subset_size={counts}), mean",
            tools=["quantus", "torch"], kind="logit", params={"sizes": sizes, "runs": runs, "share": largest}, imputer=ZERO,
            curves={"correlation": np.array(scores)}, arrays=arrays, recorded={f"sensitivity-n/{n}": f"subsets-{n}.npy" for n in counts}, tolerance=2e-5)


def irof():
    """On one channel, as Quantus' own fails on three. It is given the segments of the picture shown in three equal channels, which is how we cut."""
    picture = np.load(INPUTS / "picture-camera-28.npy")
    s = Scored("plain")
    s.x, s.cls = picture, top_class("plain", picture)
    s.map = np.random.default_rng(4).standard_normal((1, 28, 28)).astype(np.float32)
    s.relevance = s.map[0].astype(np.float64)
    curves, keep = [], (quantus.helpers.utils.calculate_auc, quantus.helpers.utils.slic)

    def area_of(values, *args, **kwargs):
        curves.append(np.array(values))
        return keep[0](values, *args, **kwargs)

    def segmented(image, **kwargs):
        return slic(np.repeat(np.round(image * 255).astype(np.uint8), 3, -1), **kwargs)

    given = options(segmentation_method="slic", perturb_baseline=0.0, return_aggregate=False)
    quantus.helpers.utils.calculate_auc, quantus.helpers.utils.slic = area_of, segmented
    score = float(np.ravel(quantus_scores(s, quantus.IROF(**given)))[0])
    quantus.helpers.utils.calculate_auc, quantus.helpers.utils.slic = keep
    y = np.concatenate([[1.0], curves[0][0]])
    segments = len(y) - 1
    assert abs(score - (segments - (y[1:].sum() - (y[1] + y[-1]) / 2))) < 1e-9
    write_case("metric-irof-quantus", kind="metric", model="plain", input="../inputs/picture-camera-28.npy", id="irof", expected=[1 - area(y)],
               arrays={"map.npy": s.map, "morf.npy": y * whole(s)},
               tables={"target": {"class": s.cls, "kind": "probability"}, "params": {"segments": 100, "compactness": 10.0}, "imputer": ZERO,
                       "attribution": {"file": "map.npy"}, "curves": {"MoRF": "morf.npy"}, "tolerance": {"absolute": EXACT},
                       "reference": {"tool": versions("quantus", "scikit-image", "torch"), "options": said("IROF", given) +
                                     f"; {segments} segments of the picture in three channels; the whole picture put before its curve, area over the share of segments"}})


def infidelity():
    samples, patch = 40, 5
    for model, scaled in (("plain", False), ("plain", True), ("small-rgb", False)):
        s = Scored(model)
        height, width = s.relevance.shape
        rng = np.random.default_rng(11)
        corners = np.stack([rng.integers(0, height - patch + 1, samples), rng.integers(0, width - patch + 1, samples)], 1)
        queue = [tuple(c) for c in corners]

        def perturb(inputs):
            moved, out = torch.zeros_like(inputs), inputs.clone()
            for i in range(len(inputs)):
                top, left = queue.pop(0)
                moved[i, :, top:top + patch, left:left + patch] = inputs[i, :, top:top + patch, left:left + patch]
                out[i, :, top:top + patch, left:left + patch] = 0
            return moved, out

        forward = lambda x: scalar(s.net, model, x, s.cls, "logit")
        x = torch.from_numpy(s.x).double()[None]
        score = captum.metrics.infidelity(forward, perturb, x, torch.from_numpy(s.map).double()[None], n_perturb_samples=samples,
                                          max_examples_per_batch=1, normalize=scaled).item()
        assert not queue
        s.write(f"infidelity-{model}{'-scaled' if scaled else ''}", "infidelity", score,
                f"infidelity(n_perturb_samples={samples}, normalize={scaled}); recorded squares of {patch} pixels set to 0", tools=["captum", "torch"], kind="logit",
                params={"samples": samples, "patch": patch, "scaled": scaled}, imputer=ZERO, arrays={"squares.npy": corners.ravel()},
                recorded={"infidelity/squares": "squares.npy"}, tolerance=EXACT * max(1.0, abs(score)))


def monotonicity():
    """AIX360's monotonicity_metric (BSD): the prediction as features are set from the base to x, in increasing order of coefficient."""
    for kind in ("share", "all"):
        s, steps = Scored.first("plain", 28), 28
        order, base = np.argsort(s.relevance.ravel(), kind="stable"), np.zeros(s.relevance.size)
        y = []
        for group in np.split(order, steps):
            base[group] = s.x.ravel()[group]
            y.append(float(s.target(base.reshape(1, *s.x.shape))[0]))
        rises = np.diff(y) >= 0
        assert np.abs(np.diff(y)).min() > 1e-5 * max(y), "a step too small to tell from rounding"
        empty = float(s.target(np.zeros((1, *s.x.shape)))[0])
        s.write(f"monotonicity-{kind}", "monotonicity", float(rises.mean() if kind == "share" else rises.all()),
                "numpy, float64: AIX360's definition, in groups", tools=["numpy", "torch"], params={"steps": steps, "counts": kind}, imputer=ZERO,
                curves={"LeRF": np.array([empty, *y])}, tolerance=EXACT)


def monotonicity_correlation():
    s, steps = Scored("plain"), 28
    s.map = np.abs(s.map)
    s.relevance = s.map.sum(0).astype(np.float64)
    s.order = np.argsort(-s.relevance.ravel(), kind="stable")
    assert s.clear(steps)
    given = options(features_in_step=s.relevance.size // steps, perturb_baseline=0.0, nr_samples=2)
    score = quantus_scores(s, quantus.MonotonicityCorrelation(**given))[0]
    s.write("monotonicity-correlation-quantus", "monotonicity-correlation", score, said("MonotonicityCorrelation", given), tools=["quantus", "torch"],
            params={"steps": steps, "samples": 2}, imputer=ZERO, tolerance=EXACT)


def between_curves():
    s = Scored.first("plain", 14, 56)
    curves = {}
    pixels = s.relevance.size
    for label, order in (("MoRF", "morf"), ("LeRF", "lerf")):
        given = options(patch_size=1, order=order, regions_evaluation=pixels, perturb_baseline=0.0)
        falls = np.asarray(quantus_scores(s, quantus.RegionPerturbation(**given))[0], np.float64)
        y = whole(s) - np.concatenate([[0.0], falls])
        curves[label] = y[:: pixels // 56]
    s.write("abpc-quantus", "abpc", area(curves["LeRF"]) - area(curves["MoRF"]), "RegionPerturbation(patch_size=1, order morf and lerf), every 14th step",
            tools=["quantus", "torch"], params={"steps": 56}, imputer=ZERO, curves=curves, tolerance=EXACT)


def seen_through():
    for model in ("plain", "small-rgb"):
        for seed in range(50):                      # one picture that loses by it, and one that gains
            s = Scored(model, seed=seed, shape=(1, *Scored(model).relevance.shape))
            cams = (s.relevance - s.relevance.min()) / (s.relevance.max() - s.relevance.min())
            x, targets, net = torch.from_numpy(s.x)[None].double(), [ClassifierOutputSoftmaxTarget(s.cls)], Float64(s.net).eval()
            drop = float(DropInConfidence()(x, cams[None], targets, net)[0])
            increase = float(IncreaseInConfidence()(x, cams[None], targets, net)[0])
            part = float(s.target((s.x * cams)[None].astype(np.float64))[0])
            y = whole(s)
            assert abs(drop - max(0, y - part)) < 1e-6 and increase == (part > y)
            if (increase > 0) == (model == "plain"):
                break
        tools = ["grad-cam", "torch"]
        s.write(f"average-drop-{model}", "average-drop", drop / y, "DropInConfidence of the map stretched to 0 … 1, divided by the target", tools=tools,
                imputer=ZERO, tolerance=EXACT)
        s.write(f"average-increase-{model}", "average-increase", increase, "IncreaseInConfidence of the map stretched to 0 … 1", tools=tools, imputer=ZERO,
                tolerance=EXACT)
        s.write(f"average-gain-{model}", "average-gain", max(0, part - y) / (1 - y), "numpy, float64: the formula of Opti-CAM", tools=["numpy", "torch"],
                imputer=ZERO, tolerance=EXACT)


def predicted(levels):
    """The median edge predictor of JPEG-LS."""
    out = np.zeros_like(levels)
    out[0, 1:], out[1:, 0] = levels[0, :-1], levels[:-1, 0]
    left, up, corner = levels[1:, :-1], levels[:-1, 1:], levels[:-1, :-1]
    low, high = np.minimum(left, up), np.maximum(left, up)
    out[1:, 1:] = np.where(corner >= high, low, np.where(corner <= low, high, left + up - corner))
    return out


def information(image):
    bits = 0.0
    for c in range(image.shape[2]):
        levels = image[:, :, c].astype(np.int64)
        counts = np.bincount(((levels - predicted(levels)) % 256).ravel(), minlength=256)
        counts = counts[counts > 0]
        bits -= float((counts * np.log2(counts / counts.sum())).sum())
    return bits


def information_curves():
    shares = [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10, 0.13, 0.21, 0.34, 0.5, 0.75]
    scale, shift = 4.0, -1.2                                     # network values of 8-bit pixels
    for id, model, order in (("pic-sic", "small-rgb", "morf"), ("pic-aic", "small-rgb", "morf"), ("pic-sic", "small-rgb", "lerf"), ("pic-aic", "small-rgb", "lerf")):
        for seed in range(400):
            rng = np.random.default_rng(seed)
            s = Scored(model)
            image = (np.moveaxis(s.x, 0, -1) - s.x.min()) / (s.x.max() - s.x.min()) * 255
            image = np.round(image + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)
            image.flat[0], image.flat[-1] = 0, 255
            as_net = lambda images: np.moveaxis(images.astype(np.float64) / 255 * scale + shift, -1, 1).astype(np.float32)
            s.x = as_net(image[None])[0]
            s.cls = top_class(model, s.x)
            s.map = (np.abs(s.x).sum(0, keepdims=True) + rng.standard_normal((1, 30, 30))).astype(np.float32)
            s.relevance = s.map[0].astype(np.float64)
            start = rng.choice(900, 9, replace=False)
            mask = np.zeros((30, 30), bool)
            mask.flat[start] = True

            def fill(full_img, pixel_mask, method="linear"):
                return np.where(pixel_mask[:, :, None], full_img, np.uint8(77))

            def predict(images):
                p = torch.from_numpy(as_net(images)).double()
                logits = s.net(p)
                return logits.softmax(1)[:, s.cls].tolist() if id == "pic-sic" else (logits.argmax(1) == s.cls).double().tolist()

            keep = pic.create_blurred_image, pic.estimate_image_entropy
            pic.create_blurred_image, pic.estimate_image_entropy = fill, information
            try:
                found = pic.compute_pic_metric(image, s.relevance if order == "morf" else -s.relevance, mask, predict, shares, min_pred_value=0.2)
            except pic.ComputePicMetricError:
                continue
            finally:
                pic.create_blurred_image, pic.estimate_image_entropy = keep
            if 0.2 < found.auc < 0.8:
                break
        else:
            raise AssertionError("no picture gives a curve")
        value = float(np.float32(77 / 255 * scale + shift))
        write_case(f"metric-{id}-{'' if order == 'morf' else 'lerf-'}pair", kind="metric", model=model, input="picture.npy", id=id, expected=[found.auc],
                   arrays={"picture.npy": s.x, "map.npy": s.map, "start.npy": start[None]},
                   tables={"target": {"class": s.cls, "kind": "probability"}, "params": {"least": 0.2} | ({} if order == "morf" else {"order": order}), "imputer": {"id": "constant", "value": value},
                           "attribution": {"file": "map.npy"}, "recorded": {"pic/start": "start.npy"}, "tolerance": {"absolute": EXACT},
                           "reference": {"tool": versions("saliency", "numpy", "torch"), "options":
                                         f"compute_pic_metric(min_pred_value=0.2) of the map{'' if order == 'morf' else ' times -1'} at {shares}, with a constant for create_blurred_image and our estimate for estimate_image_entropy"}})


def road_parts():
    """ROAD's other readings, from the case that pytorch-grad-cam makes (metrics.py): one order alone, and accuracy as in the paper."""
    from pytorch_grad_cam.metrics import road

    s = Scored.first("small-rgb", 5)
    fill = road.NoisyLinearImputer(noise=0.0)
    ranks, curves, right = s.relevance.ravel(), {}, {}
    for label, values in (("MoRF", -ranks), ("LeRF", ranks)):
        y, hits = [], []
        for p in (80, 60, 40, 20):
            kept = int(np.ceil(p / 100 * (ranks.size - 1)))
            mask = np.ones(ranks.size, np.float32)
            mask[np.argsort(values, kind="stable")[: ranks.size - kept]] = 0
            picture = fill(torch.from_numpy(s.x), torch.from_numpy(mask.reshape(30, 30))).numpy()[None]
            y.append(s.target(picture)[0])
            with torch.no_grad():
                hits.append(float(s.net(torch.from_numpy(picture).double()).argmax() == s.cls))
        curves[label], right[label] = np.array(y), np.array(hits)
    noiseless = {"id": "noisy-linear", "noise": 0.0}
    s.write("road-lerf", "road", float(curves["LeRF"].mean()), "NoisyLinearImputer(noise=0) at percentiles 80 … 20, mean", tools=["grad-cam", "torch"],
            params={"steps": 4, "order": "lerf"}, imputer=noiseless, curves={"LeRF": curves["LeRF"]}, tolerance=2e-4)
    s.write("road-accuracy", "road", float(right["LeRF"].mean() - right["MoRF"].mean()) / 2, "NoisyLinearImputer(noise=0) at percentiles 80 … 20, share of right answers",
            tools=["grad-cam", "torch"], params={"steps": 4, "reads": "accuracy"}, imputer=noiseless, curves=right, tolerance=EXACT)


def arcc():
    """pytorch-grad-cam's ARCC, with the gradient of the target in the place of a CAM, and ROAD's filling without noise."""
    from pytorch_grad_cam.metrics import arcc as theirs, road

    for model, explainer in (("small-rgb", "gradient"), ("plain", "input-x-gradient")):
        s = Scored.first(model, 5)
        net = Float64(s.net).eval()

        def explain(input_tensor, targets):
            x = input_tensor[0].numpy()
            g = gradient(s.net, model, x, s.cls, "probability")
            return (g if explainer == "gradient" else g * x).sum(0)[None]

        cams = ((s.relevance - s.relevance.min()) / (s.relevance.max() - s.relevance.min()))[None]
        given = road.NoisyLinearImputer.__init__.__defaults__
        road.NoisyLinearImputer.__init__.__defaults__ = (0.0, *given[1:])
        score = float(theirs.ARCC(explain)(torch.from_numpy(s.x)[None], cams, [ClassifierOutputSoftmaxTarget(s.cls)], net)[0])
        road.NoisyLinearImputer.__init__.__defaults__ = given
        assert 0.1 < score < 0.99, score
        s.write(f"arcc-{model}", "arcc", score, "ARCC of the map stretched to 0 … 1, NoisyLinearImputer(noise=0); the gradient of the probability"
                + ("" if explainer == "gradient" else ", times the picture,") + " as the method that explains again", tools=["grad-cam", "scipy", "torch"],
                imputer={"id": "noisy-linear", "noise": 0.0}, tolerance=2e-4, explainer={"id": explainer})


if __name__ == "__main__":
    import sys

    for case in (estimate, flipping, regions, selectivity, sensitivity, irof, infidelity, monotonicity, monotonicity_correlation, between_curves,
                 seen_through, information_curves, road_parts, arcc):
        if len(sys.argv) == 1 or case.__name__ in sys.argv:
            case()
