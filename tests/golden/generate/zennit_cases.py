"""Goldens of relevance propagation from Zennit, and of the ReLU rules from Captum, on the networks in float64.

Every map starts from the logit's own value (one for excitation backpropagation), as a callable given to Zennit's `Gradient`.
"""

import warnings

import torch
from captum.attr import Deconvolution, GuidedBackprop, GuidedGradCam
from torch import nn
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import (
    EpsilonAlpha2Beta1, EpsilonAlpha2Beta1Flat, EpsilonGammaBox, EpsilonPlus, EpsilonPlusFlat, ExcitationBackprop, LayerMapComposite,
    SpecialFirstLayerMapComposite, layer_map_base,
)
from zennit.rules import AlphaBeta, Epsilon, Flat, Gamma, Norm, Pass, WSquare, ZBox, ZPlus
from zennit.types import Activation, Linear

from common import load_input, relative_input, top_class, versions, write_case
from propagation_nets import Gate, Weigh, canonical

warnings.filterwarnings("ignore", message="Setting forward, backward hooks")
NETS = ("plain", "residual", "depthwise-se", "dense-concat", "conv-gelu-ln", "tiny-vit")
LOW, HIGH = -4.0, 4.0
# With these two, relevance is divided by sums that normalisations make small whatever they are: only a large stabiliser
# keeps float32 within 1e-4.
STIFF = ("conv-gelu-ln", "tiny-vit")
SAID = "layer_map += [(gates, Pass()), (LayerNorm, Pass()), (attention weights @ values, Norm())]"


def ours(stabiliser=1e-6):
    return [(Gate, Pass()), (nn.LayerNorm, Pass()), (Weigh, Norm(stabilizer=stabiliser))]


def target(name, index=0):
    return top_class(name, load_input(name, index))


def write(case, id, name, index, cls, map, options, params, tool, tolerance=1e-4):
    write_case(
        case, kind="attribution", model=name, input=relative_input(name, index), id=id, expected=map.detach().numpy(),
        tables={
            "target": {"class": cls, "kind": "logit"}, "params": params, "tolerance": {"relative": tolerance},
            "reference": {"tool": versions(tool, "torch"), "options": options},
        },
    )


def relevance(case, id, name, composite, options, params=None, index=0, start="logit"):
    cls = target(name, index)
    chw = torch.from_numpy(load_input(name, index))[None]

    def run(dtype):
        x = chw.to(dtype).requires_grad_()
        hot = torch.eye(canonical(name)(chw.double()).shape[1], dtype=dtype)[[cls]]
        begin = (lambda out: hot * out) if start == "logit" else (lambda out: hot)
        with Gradient(model=canonical(name, dtype), composite=composite(), attr_output=begin) as attributor:
            return attributor(x)[1][0].detach()

    map = run(torch.float64)
    single = float((run(torch.float32).double() - map).abs().max() / map.abs().max())
    tolerance = 1e-4
    if single > 3e-5:
        tolerance = float(f"{4 * single:.0e}")
        options += f"; Zennit's own float32 map is off by {single:.1e}, for outputs near 0 that relevance is divided by"
    print(f"float32: {single:.1e}", end="  ")
    write(case, id, name, index, cls, map, options, params or {}, "zennit", tolerance)


class MergeBatchNorm(SequentialMergeBatchNorm):
    """Zennit leaves `eps` in the emptied normalisation, which then divides by sqrt(1 + eps): 5e-6 for each on the way."""

    def register(self, linears, batch_norm):
        super().register(linears, batch_norm)
        batch_norm.eps = 0.0


def merged():
    return [MergeBatchNorm()]


def composites():
    bounds = {"low": LOW, "high": HIGH}
    table = {
        "epsilon-plus": (EpsilonPlus, {}, {}),
        "epsilon-plus-flat": (EpsilonPlusFlat, {}, {}),
        "epsilon-gamma-box": (EpsilonGammaBox, bounds, bounds),
        "epsilon-alpha2-beta1": (EpsilonAlpha2Beta1, {}, {}),
        "epsilon-alpha2-beta1-flat": (EpsilonAlpha2Beta1Flat, {}, {}),
    }
    for name in NETS:
        by = 0.1 if name in STIFF else 1e-6
        for composite, (make, options, params) in table.items():
            relevance(
                f"lrp-{composite}-{name}", "lrp", name,
                lambda: make(layer_map=ours(by), canonizers=merged(), epsilon=by, stabilizer=by, **options),
                f"{make.__name__}(epsilon={by}, stabilizer={by}, {options}, canonizers=[SequentialMergeBatchNorm() with eps set to 0]), {SAID}",
                {"composite": composite, "epsilon": by, "stabiliser": by, **params},
            )
    for name in STIFF:
        relevance(f"lrp-epsilon-plus-{name}-unstable", "lrp", name, lambda: EpsilonPlus(layer_map=ours(), canonizers=merged()),
                  f"EpsilonPlus(), {SAID}", {"composite": "epsilon-plus"})
    relevance("lrp-epsilon-plus-residual-1", "lrp", "residual", lambda: EpsilonPlus(layer_map=ours(), canonizers=merged(), epsilon=0.1, stabilizer=0.01),
              "EpsilonPlus(epsilon=0.1, stabilizer=0.01, canonizers=[SequentialMergeBatchNorm() with eps set to 0])",
              {"composite": "epsilon-plus", "epsilon": 0.1, "stabiliser": 0.01}, index=1)
    relevance("lrp-epsilon-gamma-box-residual-zero-bias", "lrp", "residual",
              lambda: EpsilonGammaBox(layer_map=ours(), canonizers=merged(), zero_params="bias", gamma=0.5, **bounds),
              "EpsilonGammaBox(gamma=0.5, zero_params='bias', canonizers=[SequentialMergeBatchNorm() with eps set to 0])",
              {"composite": "epsilon-gamma-box", "gamma": 0.5, "zero_bias": True, **bounds})


def uniform():
    """One rule for all layers with weights."""
    rules = {
        "epsilon": (lambda by: Epsilon(epsilon=by), {}), "gamma": (lambda by: Gamma(gamma=0.3, stabilizer=by), {"gamma": 0.3}),
        "z-plus": (lambda by: ZPlus(stabilizer=by), {}),
        "alpha-beta": (lambda by: AlphaBeta(alpha=1.5, beta=0.5, stabilizer=by), {"alpha": 1.5}),
        "w-square": (lambda by: WSquare(stabilizer=by), {}), "flat": (lambda by: Flat(stabilizer=by), {}),
    }
    for rule, (make, params) in rules.items():
        for name in ("plain", "residual", "conv-gelu-ln"):
            by = 0.1 if name in STIFF else 1e-6
            relevance(
                f"lrp-{rule}-{name}", "lrp", name,
                lambda: LayerMapComposite(ours(by) + layer_map_base(by) + [(Linear, make(by))], canonizers=merged()),
                f"LayerMapComposite(layer_map_base({by}) + [(Linear, {type(make(by)).__name__}({params}, {by}))], "
                f"canonizers=[SequentialMergeBatchNorm() with eps set to 0])",
                {"composite": rule, "epsilon": by, "stabiliser": by, **params},
            )
    relevance("lrp-epsilon-plain-zero-bias", "lrp", "plain",
              lambda: LayerMapComposite(layer_map_base() + [(Linear, Epsilon(epsilon=0.25, zero_params="bias"))]),
              "LayerMapComposite(layer_map_base() + [(Linear, Epsilon(epsilon=0.25, zero_params='bias'))])",
              {"composite": "epsilon", "epsilon": 0.25, "zero_bias": True})


def bundled():
    """A network as trained, with a photograph; a picture cannot promise that it sits on no kink."""
    name, bounds = "objects", {"low": -2.5, "high": 2.75}
    for composite, make, options in (("epsilon-plus", EpsilonPlus, {}), ("epsilon-gamma-box", EpsilonGammaBox, bounds)):
        relevance(f"lrp-{composite}-{name}", "lrp", name, lambda: make(**options), f"{make.__name__}({options})", {"composite": composite, **options})


def others():
    for name in ("plain", "residual", "dense-concat", "depthwise-se"):
        extra = [] if name != "depthwise-se" else [(Activation, Pass())]
        relevance(f"excitation-backprop-{name}", "excitation-backprop", name,
                  lambda: ExcitationBackprop(layer_map=ours() + extra, canonizers=merged()),
                  "ExcitationBackprop(canonizers=[SequentialMergeBatchNorm() with eps set to 0]); activations other than ReLU by Pass", start="one")
    for name in ("plain", "residual", "dense-concat", "two-layer-relu"):
        relevance(f"deep-taylor-{name}", "deep-taylor", name,
                  lambda: SpecialFirstLayerMapComposite(
                      ours() + layer_map_base() + [(Linear, ZPlus(zero_params="bias"))],
                      [(Linear, ZBox(LOW, HIGH, zero_params="bias"))], canonizers=merged()),
                  "ZBox(low, high, zero_params='bias') first, ZPlus(zero_params='bias') in the other layers with weights, layer_map_base()",
                  {"low": LOW, "high": HIGH})


def relus():
    for name in ("plain", "residual", "dense-concat", "two-layer-relu"):
        cls, x = target(name), torch.from_numpy(load_input(name)).double()[None]
        for id, method in (("guided-backprop", GuidedBackprop), ("deconvnet", Deconvolution)):
            write(f"{id}-{name}", id, name, 0, cls, method(canonical(name)).attribute(x.clone().requires_grad_(), cls)[0],
                  f"{method.__name__}.attribute()", {}, "captum")
    layers = (("plain", "/4/Relu", lambda net: net[4]), ("residual", "/1/Relu", lambda net: net[1].relu),
              ("dense-concat", "/Relu_3", lambda net: net.relus[3]))
    for name, layer, find in layers:
        cls, x, net = target(name), torch.from_numpy(load_input(name)).double()[None], canonical(name)
        map = GuidedGradCam(net, find(net)).attribute(x.requires_grad_(), cls, interpolate_mode="nearest")
        write(f"guided-grad-cam-{name}", "guided-grad-cam", name, 0, cls, map[0], "GuidedGradCam.attribute(interpolate_mode='nearest')",
              {"layer": layer}, "captum")


if __name__ == "__main__":
    composites()
    uniform()
    bundled()
    others()
    relus()
