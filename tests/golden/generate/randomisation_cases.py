"""Goldens of the randomisation tests, from Quantus on the weights that the crate draws (draws.py), and of the map of a randomised network.

Quantus resets a layer by its `reset_parameters`: here that puts our weights there. Its networks are in float64, the method is the gradient.
Quantus' mean over layers counts the trained network's own likeness, which is 1, as one of them; here its scores by layer are averaged.
"""

import numpy as np
import quantus
import torch

from common import module, relative_input, versions, write_case
from draws import drawn_like, seed_of
from judgement_cases import GRADIENT, QUIET, Float64, Scene


def redrawn(net, seed):
    """The network with layers whose `reset_parameters` puts our draws there; the groups are its layers with weights, in order."""
    layers = [m for m in net.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    for group, layer in enumerate(layers):
        # The crate holds a dense layer's weights as it multiplies by them: inputs by outputs, or the other way round.
        values = layer.weight.numpy()
        layer.drawn = torch.from_numpy(drawn_like(values, seed, group, 0)).double(), torch.from_numpy(drawn_like(layer.bias.numpy(), seed, group, 1)).double()

        def reset(self):
            self.weight.data, self.bias.data = self.drawn

        layer.__class__ = type(f"Redrawn{type(layer).__name__}", (type(layer),), {"reset_parameters": reset})
    return net


def gradient_of(model, inputs, targets, **_):
    x = torch.from_numpy(np.asarray(inputs, np.float32).astype(np.float64)).requires_grad_()
    with torch.enable_grad():
        y = model(x).gather(1, torch.from_numpy(np.asarray(targets)).long()[:, None]).sum()
        (g,) = torch.autograd.grad(y, x)
    return g.numpy()


class Redrawn(Scene):
    """A scene whose network has layers that reset to the weights of one of our streams."""

    def __init__(self, seed):
        super().__init__()
        self.net = Float64(redrawn(module(self.model), seed)).eval()

    def by_layer(self, metric, **more):
        """Quantus' scores of the one picture for each layer, without those of the trained network."""
        found = self.quantus(metric, explain=gradient_of, **more)
        return [scores[0] for layer, scores in found.items() if layer != "original"]


def said(metric):
    names = ("layer_order", "similarity_func", "nr_samples", "noise_magnitude", "abs", "normalise")
    options = ", ".join(f"{n}={getattr(v, '__name__', v)}" for n in names if (v := getattr(metric, n, None)) is not None)
    return f"{type(metric).__name__}({options}) on the crate's own draws for the weights"


def tests():
    similar = quantus.similarity_func
    for name, id, order, similarity, absolute in (
        ("mprt", "mprt", "bottom_up", "spearman", True), ("mprt-top-down", "mprt", "top_down", "pearson", False), ("model-randomisation", "model-randomisation", "independent", "spearman", True),
    ):
        s = Redrawn(seed_of(f"{id}/weights"))
        metric = quantus.MPRT(similarity_func=getattr(similar, f"correlation_{similarity}"), layer_order=order, abs=absolute, normalise=False, **QUIET)
        y = s.by_layer(metric, maps=np.abs(s.map) if absolute else s.map)
        params = {"similarity": similarity, "absolute": absolute} | ({} if order == "independent" else {"order": order.replace("_", "-")})
        write(s, name, id, np.mean(y), y, metric, params)


def smooth():
    samples, level = 6, 0.1
    s = Redrawn(seed_of("smooth-mprt/weights"))
    draws = np.random.default_rng(21).standard_normal((samples, *s.x.shape)).astype(np.float32)
    draws[-1] = 0                                                  # theirs takes its last copy without noise
    told, draw = iter(()), np.random.randn

    def recorded(*shape):
        nonlocal told
        value = next(told, None)
        if value is None:
            told = iter(draws[:-1])
            value = next(told)
        return value.astype(np.float64).reshape(shape)

    np.random.randn = recorded
    metric = quantus.SmoothMPRT(similarity_func=quantus.similarity_func.correlation_spearman, layer_order="bottom_up", nr_samples=samples, noise_magnitude=level, abs=True, normalise=False, **QUIET)
    found = metric(model=s.net, x_batch=s.x[None], y_batch=np.array([s.cls]), a_batch=None, explain_func=gradient_of, device="cpu")
    np.random.randn = draw
    assert next(told, None) is None, "each map takes all its draws"
    assert abs(found["original"][0] - 1) < 1e-9
    y = [scores[0] for layer, scores in found.items() if layer != "original"]
    write(s, "smooth-mprt", "smooth-mprt", np.mean(y), y, metric, {"samples": samples, "noise_level": level, "similarity": "spearman", "absolute": True, "order": "bottom-up"},
          {"noise.npy": draws}, {"smooth-mprt/noise": "noise.npy"})


def efficient():
    for bins, absolute in ((100, False), (30, True)):
        s = Redrawn(seed_of("efficient-mprt/weights"))
        metric = quantus.EfficientMPRT(complexity_func_kwargs={"n_bins": bins}, layer_order="bottom_up", abs=absolute, normalise=False, **QUIET)
        score = s.quantus(metric, explain=gradient_of, maps=np.abs(s.map) if absolute else s.map, softmax=True)[0]
        write(s, f"efficient-mprt-{bins}", "efficient-mprt", score, None, metric, {"bins": bins, "absolute": absolute})


def write(s, name, id, score, y, metric, params, arrays=None, recorded=None):
    arrays = {"map.npy": s.map, **(arrays or {})} | ({} if y is None else {"similarity.npy": np.array(y)})
    write_case(
        f"metric-{name}-quantus", kind="metric", model=s.model, input=relative_input(s.model, s.index), id=id, expected=[score], arrays=arrays,
        tables={
            "target": {"class": s.cls, "kind": "logit"}, "params": params, "attribution": {"file": "map.npy"}, "explainer": GRADIENT,
            "curves": {} if y is None else {"similarity": "similarity.npy"}, "recorded": recorded or {}, "tolerance": {"absolute": 1e-5},
            "reference": {"tool": versions("quantus", "scipy", "torch"), "options": said(metric)},
        },
    )


def method():
    """`randomised-network`, on the whole network and on its last two layers with weights."""
    for redrawn_share, first in ((1.0, 0), (0.5, 1)):
        s = Redrawn(seed_of("randomised-network/weights", 2**31))
        for layer in [m for m in s.net.modules() if hasattr(m, "drawn")][first:]:
            layer.reset_parameters()
        write_case(f"randomised-network-{s.model}-{redrawn_share:g}".replace(".", "-"), kind="attribution", model=s.model, input=relative_input(s.model), id="randomised-network",
                   expected=gradient_of(s.net, s.x[None], [s.cls])[0],
                   tables={"target": {"class": s.cls, "kind": "logit"}, "params": {"of": "gradient", "redrawn": redrawn_share}, "tolerance": {"relative": 1e-4},
                           "reference": {"tool": versions("torch"), "options": f"torch.autograd.grad of the network with the crate's own draws for the weights of {3 - first} layers (draws.py)"}})


if __name__ == "__main__":
    tests()
    smooth()
    efficient()
    method()
