"""Goldens of the gradient family from Captum in float64: integrated gradients over other baselines, NoiseTunnel's squares and variances,
GradientSHAP, DeepLIFT, DeepLIFT-SHAP; and FullGrad by the authors' formula.

DeepLIFT has a second reference. Captum's hooks know ReLU, ELU, leaky ReLU, sigmoid, tanh, softplus and max pools that do not overlap; they
leave everything else at the gradient, and of overlapping pool windows keep one. Captum 0.9.0 also loses the multiplier of a hooked module that
directly follows another (a max pool after a ReLU: the ReLU's hook has noted the gradient before the pool's has replaced it). Where a network
holds such operators the reference is `Multipliers`: plain PyTorch in which each operator is applied to picture and baseline, and its backward
replaced by the multiplier. It is held against Captum wherever Captum is defined, and against completeness everywhere.
"""

import numpy as np
import scipy.ndimage
import torch
import torch.fx
import torch.nn.functional as F
from captum.attr import DeepLift, DeepLiftShap, IntegratedGradients, NoiseTunnel, Saliency
from captum.attr._core import gradient_shap
from torch import nn

from captum_cases import Case

rng = np.random.default_rng


def several_baselines():
    def mean_ig(c, baselines, steps):
        maps = [
            IntegratedGradients(c.f).attribute(c.x, baselines=torch.from_numpy(b).double()[None], n_steps=steps, internal_batch_size=8)[0]
            for b in baselines
        ]
        return torch.stack(maps).mean(0)

    note = "IntegratedGradients(multiply_by_inputs=True).attribute(n_steps=20, method='gausslegendre'), "
    c = Case("residual")
    noise = rng(3).random((3, *c.chw.shape)).astype(np.float32)
    c.write("integrated-gradients-noise", "integrated-gradients", mean_ig(c, noise, 20), note + "mean over 3 recorded baselines",
            {"steps": 20, "reference": "noise", "references": 3}, 2e-4, arrays={"noise.npy": noise}, recorded={"baseline/noise": "noise.npy"})
    c = Case("dense-concat")
    others = np.stack([Case("dense-concat", 1).chw, -c.chw])
    c.write("integrated-gradients-picture", "integrated-gradients", mean_ig(c, others, 20), note + "mean over 2 recorded baselines",
            {"steps": 20, "reference": "picture", "references": 2}, 2e-4, arrays={"pictures.npy": others},
            recorded={"baseline/pictures": "pictures.npy"})
    c = Case("plain")
    c.write("integrated-gradients-white", "integrated-gradients", mean_ig(c, np.ones_like(c.chw)[None], 20), note + "baselines=1",
            {"steps": 20, "reference": "white"}, 2e-4)
    c = Case("depthwise-se")
    blurred = scipy.ndimage.gaussian_filter(c.chw.astype(np.float64), (0, 2.5, 2.5), mode="reflect", truncate=4)
    c.write("integrated-gradients-blurred", "integrated-gradients", mean_ig(c, blurred[None], 20),
            note + "baselines=gaussian_filter(x, 2.5, mode='reflect')", {"steps": 20, "reference": "blurred", "blur": 2.5}, 2e-4,
            tools=("captum", "scipy", "torch"))


class Recorded(NoiseTunnel):
    """NoiseTunnel with noise from outside."""

    noise = None

    def _add_noise_to_input(self, input, stdev, nt_samples_partition):
        assert nt_samples_partition == len(self.noise) and input.shape[0] == 1
        return input + stdev * self.noise


def noise_tunnel():
    for kind, id in (("smoothgrad_sq", "smooth-grad-squared"), ("vargrad", "var-grad")):
        for model, samples, level in (("plain", 8, 0.15), ("residual", 6, 0.1), ("depthwise-se", 6, 0.2), ("dense-concat", 5, 0.15),
                                      ("conv-gelu-ln", 5, 0.15), ("tiny-vit", 6, 0.15)):
            c = Case(model)
            noise = rng(78).standard_normal((samples, *c.chw.shape)).astype(np.float32)
            tunnel = Recorded(Saliency(c.f))
            tunnel.noise = torch.from_numpy(noise).double()
            sigma = level * float(c.chw.max() - c.chw.min())
            map = tunnel.attribute(c.x, nt_type=kind, nt_samples=samples, stdevs=sigma, abs=False)[0]
            options = (f"NoiseTunnel(Saliency).attribute(nt_type='{kind}', nt_samples={samples}, "
                       "stdevs=noise_level * (max(x) - min(x)), abs=False) with recorded noise [samples, C, H, W]")
            c.write(f"{id}-{model}", id, map, options, {"samples": samples, "noise_level": level}, 2e-4,
                    arrays={"noise.npy": noise}, recorded={f"{id}/noise": "noise.npy"})


def gradient_shaps():
    for model, samples, level, kind in (("plain", 8, 0.0, "noise"), ("residual", 6, 0.1, "picture"), ("depthwise-se", 6, 0.05, "noise"),
                                        ("dense-concat", 6, 0.0, "constant"), ("conv-gelu-ln", 6, 0.0, "noise"), ("tiny-vit", 6, 0.1, "noise")):
        c = Case(model)
        draw = rng(79)
        u = draw.random(samples).astype(np.float32)
        noise = draw.standard_normal((samples, *c.chw.shape)).astype(np.float32)
        arrays, recorded = {"coefficient.npy": u}, {"gradient-shap/coefficient": "coefficient.npy"}
        params = {"samples": samples, "noise_level": level, "reference": kind}
        if level:
            arrays["noise.npy"], recorded["gradient-shap/noise"] = noise, "noise.npy"
        if kind == "noise":
            baselines = draw.random((samples, *c.chw.shape)).astype(np.float32)
            arrays["baselines.npy"], recorded["baseline/noise"] = baselines, "baselines.npy"
        elif kind == "picture":
            pictures = np.stack([Case(model, 1).chw, Case(model, 2).chw])
            choice = draw.integers(0, 2, samples)
            baselines = pictures[choice]
            arrays |= {"pictures.npy": pictures, "choice.npy": choice.astype(np.float32)}
            recorded |= {"baseline/pictures": "pictures.npy", "gradient-shap/choice": "choice.npy"}
            params["references"] = 2
        else:
            baselines = np.full((samples, *c.chw.shape), 0.3, np.float32)
            params["baseline"] = 0.3
        sigma = level * float(c.chw.max() - c.chw.min())
        noisy = c.x + sigma * torch.from_numpy(noise).double()
        before = np.random.uniform
        np.random.uniform = lambda low, high, n: u.astype(np.float64)
        map = gradient_shap.InputBaselineXGradient(c.f).attribute(noisy, baselines=torch.from_numpy(baselines).double()).mean(0)
        np.random.uniform = before
        options = ("GradientShap: the mean of its InputBaselineXGradient over x + noise_level * (max(x) - min(x)) * recorded noise, recorded "
                   "baselines and recorded coefficients")
        c.write(f"gradient-shap-{model}", "gradient-shap", map, options, params, 2e-4, arrays=arrays, recorded=recorded)


class Pair:
    """A value for the picture, which carries the backward pass, and one for the baseline, which does not."""

    def __init__(self, x, base):
        self.x, self.base = x, base

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return Multipliers.call(func, args, kwargs or {})

    def __getattr__(self, name):
        value = getattr(self.x, name)
        if not callable(value) or name in ("dim", "size"):
            return value
        return lambda *a, **k: Multipliers.call(getattr(torch.Tensor, name), (self, *a), k)

    def __add__(self, o): return Multipliers.call(torch.Tensor.add, (self, o), {})
    def __radd__(self, o): return Multipliers.call(torch.Tensor.add, (self, o), {})
    def __mul__(self, o): return Multipliers.call(torch.Tensor.mul, (self, o), {})
    def __rmul__(self, o): return Multipliers.call(torch.Tensor.mul, (self, o), {})
    def __matmul__(self, o): return Multipliers.call(torch.matmul, (self, o), {})
    def __getitem__(self, i): return Multipliers.call(torch.Tensor.__getitem__, (self, i), {})


class Multipliers:
    """DeepLIFT's multipliers by autograd: each result has the value that the operator gives, and the multipliers as its gradient."""

    SINGLE = {F.relu, F.gelu, F.silu, F.hardswish, F.hardsigmoid, torch.sigmoid, torch.Tensor.sigmoid, torch.exp, torch.rsqrt, torch.reciprocal,
              torch.square}
    NAMES = {f.__name__ for f in SINGLE} | {"relu", "gelu", "silu", "hardswish", "hardsigmoid", "sigmoid"}

    @staticmethod
    def single(f, p):
        x, base = p.x.detach(), p.base
        step = x - base
        with torch.enable_grad():
            leaf = x.clone().requires_grad_()
            (slope,) = torch.autograd.grad(f(leaf).sum(), leaf)
        slope = torch.where(step.abs() < 1e-10, slope, (f(x) - f(base)) / torch.where(step == 0, 1.0, step))
        return Pair(f(x) + slope * (p.x - x), f(base))

    @staticmethod
    def product(f, p, q):
        """f is linear in each of two values."""
        x, y = p.x.detach(), q.x.detach()
        surrogate = f(p.x, (y + q.base) / 2) + f((x + p.base) / 2, q.x)
        return Pair(f(x, y) + surrogate - surrogate.detach(), f(p.base, q.base))

    @staticmethod
    def max_pool(p, *args, **kwargs):
        """Each window's change goes to its two winners; windows add up."""
        kwargs.pop("return_indices", None)
        x, base = p.x.detach(), p.base

        def send(at, g):
            leaf = at.clone().requires_grad_()
            with torch.enable_grad():
                return torch.autograd.grad(F.max_pool2d(leaf, *args, **kwargs), leaf, g)[0]

        class Pool(torch.autograd.Function):
            @staticmethod
            def forward(ctx, value):
                return F.max_pool2d(value, *args, **kwargs)

            @staticmethod
            def backward(ctx, g):
                y, y_base = F.max_pool2d(x, *args, **kwargs), F.max_pool2d(base, *args, **kwargs)
                top = torch.maximum(y, y_base)
                change = send(x, g * (top - y_base)) + send(base, g * (y - top))
                step = x - base
                return torch.where(step.abs() < 1e-10, send(x, g), change / torch.where(step == 0, 1.0, step))

        return Pair(Pool.apply(p.x), F.max_pool2d(base, *args, **kwargs))

    @staticmethod
    def softmax(p, dim):
        top = torch.maximum(p.x.detach(), p.base).amax(dim, keepdim=True)
        e = Multipliers.single(torch.exp, Pair(p.x - top, p.base - top))
        s = Pair(e.x.sum(dim, keepdim=True), e.base.sum(dim, keepdim=True))
        return Multipliers.product(torch.mul, e, Multipliers.single(torch.reciprocal, s))

    @staticmethod
    def layer_norm(p, shape, weight=None, bias=None, eps=1e-5):
        dims = tuple(range(-len(shape), 0))
        d = Pair(*(v - v.mean(dims, keepdim=True) for v in (p.x, p.base)))
        square = Multipliers.single(torch.square, d)
        r = Multipliers.single(torch.rsqrt, Pair(*(v.mean(dims, keepdim=True) + eps for v in (square.x, square.base))))
        y = Multipliers.product(torch.mul, d, r)
        return Pair(y.x * weight + bias, y.base * weight + bias)

    @classmethod
    def call(cls, func, args, kwargs):
        name = func.__name__
        pairs = [a for a in args if isinstance(a, Pair)]
        if name in cls.NAMES:
            return cls.single(lambda v: func(v, *args[1:], **{k: a for k, a in kwargs.items() if k != "inplace"}), args[0])
        if "max_pool2d" in name or name in ("boolean_dispatch", "fn"):
            return cls.max_pool(*args, **kwargs)
        if name == "softmax":
            return cls.softmax(args[0], kwargs.get("dim", args[1] if len(args) > 1 else -1))
        if name == "layer_norm":
            return cls.layer_norm(*args, **{k: a for k, a in kwargs.items()})
        if name in ("mul", "matmul") and len(pairs) == 2:
            return cls.product(func, *args)
        linear = {"add", "mul", "matmul", "conv2d", "linear", "batch_norm", "flatten", "reshape", "permute", "transpose", "unbind", "cat",
                  "__getitem__", "adaptive_avg_pool2d", "avg_pool2d", "expand", "mean", "sum"}
        assert name in linear, name

        def pick(values, which):
            if isinstance(values, (list, tuple)):
                return type(values)(pick(v, which) for v in values)
            return getattr(values, which) if isinstance(values, Pair) else values

        x, base = func(*pick(args, "x"), **kwargs), func(*pick(args, "base"), **kwargs)
        if isinstance(x, tuple):
            return tuple(Pair(a, b) for a, b in zip(x, base))
        return Pair(x, base)

    @classmethod
    def attribute(cls, net, x, base, cls_index):
        x = x.clone().requires_grad_()
        y = net(Pair(x, base))
        (multipliers,) = torch.autograd.grad(y.x[:, cls_index].sum(), x)
        map = (x.detach() - base) * multipliers
        gap = map.sum() - (y.x - y.base)[:, cls_index].sum()
        assert abs(gap) < 1e-8, f"completeness {gap}"
        return map[0]


def by_modules(net):
    """The network with each functional ReLU a module of its own, which Captum's hooks need."""
    graph = torch.fx.Tracer().trace(net)
    module = torch.fx.GraphModule(net, graph)
    for k, node in enumerate(list(graph.nodes)):
        relu = node.op == "call_function" and node.target in (F.relu, torch.relu)
        shared = node.op == "call_module" and isinstance(module.get_submodule(node.target), nn.ReLU)
        if relu or shared:
            module.add_submodule(f"relu_{k}", nn.ReLU())
            with graph.inserting_after(node):
                new = graph.call_module(f"relu_{k}", (node.args[0],))
            node.replace_all_uses_with(new)
            graph.erase_node(node)
    graph.lint()
    module.recompile()
    return module


def check_pools():
    """Where windows do not overlap and no hooked module follows another, the oracle is Captum."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), Between(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)).double().eval()
    x, base = torch.randn(1, 1, 8, 8).double(), torch.randn(1, 1, 8, 8).double()
    map = DeepLift(net).attribute(x, baselines=base, target=1)[0]
    assert torch.allclose(map, Multipliers.attribute(net, x, base, 1), rtol=1e-10, atol=1e-12)


def deep_lift():
    check_pools()
    captum = "DeepLift(multiply_by_inputs=True, eps=1e-10).attribute(baselines={}), each ReLU a module of its own"
    oracle = ("Multipliers of gradient_family.py in float64: {}, where Captum leaves the gradient; completeness to 1e-8")
    for model, index, value in (("linear-rgb", 0, 0.0), ("two-layer-relu", 0, 0.0), ("residual", 0, 0.0), ("residual", 1, 0.4), ("dense-concat", 0, 0.0),
                                ("multi-output", 0, -0.2), ("small-rgb", 0, 0.0)):
        c = Case(model, index)
        net = by_modules(c.net)
        inner = net
        if model == "multi-output":
            inner = nn.Sequential(net, First())
        base = torch.full_like(c.x, value)
        map = DeepLift(inner).attribute(c.x, baselines=base, target=c.cls)[0]
        again = Multipliers.attribute(lambda p: first(c.net(p)), c.x, base, c.cls)
        assert (map - again).abs().max() < 1e-10 * map.abs().max(), "the plain oracle is Captum"
        name = f"deep-lift-{model}" + (f"-{index}" if index else "")
        c.write(name, "deep-lift", map, captum.format(value), {"baseline": value})
    # A softmax and a sigmoid as the target.
    for head in ("softmax-head", "sigmoid-head"):
        c = Case(head, kind="probability")
        map = DeepLift(by_modules(c.net)).attribute(c.x, baselines=torch.zeros_like(c.x), target=c.cls)[0]
        c.write(f"deep-lift-{head}", "deep-lift", map, captum.format(0) + "; the last module is the head")
    for model, why in (("plain", "overlapping max pools"), ("depthwise-se", "gates, hard-swish, SiLU"),
                       ("conv-gelu-ln", "layer normalisation, GELU"), ("tiny-vit", "attention, layer normalisation, GELU")):
        c = Case(model)
        map = Multipliers.attribute(c.net, c.x, torch.zeros_like(c.x), c.cls)
        c.write(f"deep-lift-{model}", "deep-lift", map, oracle.format(why), tolerance=1e-4, tools=("torch",))


class Between(nn.Module):
    """Changes nothing, and keeps two hooked modules apart."""

    def forward(self, x):
        return x * 1.0


class First(nn.Module):
    def forward(self, outputs):
        return outputs[0]


def first(outputs):
    return outputs[0] if isinstance(outputs, tuple) else outputs


def deep_lift_shap():
    for model, kind in (("residual", "noise"), ("dense-concat", "picture")):
        c = Case(model)
        baselines = rng(80).random((3, *c.chw.shape)).astype(np.float32)
        if kind == "picture":
            baselines = np.stack([Case(model, 1).chw, np.flip(c.chw, 2)])
        map = DeepLiftShap(by_modules(c.net)).attribute(c.x, baselines=torch.from_numpy(baselines).double(), target=c.cls)[0]
        stream = "baseline/noise" if kind == "noise" else "baseline/pictures"
        c.write(f"deep-lift-shap-{model}", "deep-lift-shap", map, "DeepLiftShap(multiply_by_inputs=True) on recorded baselines",
                {"reference": kind, "references": len(baselines)}, arrays={"baselines.npy": baselines}, recorded={stream: "baselines.npy"})
    c = Case("tiny-vit")
    baselines = rng(81).random((2, *c.chw.shape)).astype(np.float32)
    maps = [Multipliers.attribute(c.net, c.x, torch.from_numpy(b).double()[None], c.cls) for b in baselines]
    c.write("deep-lift-shap-tiny-vit", "deep-lift-shap", torch.stack(maps).mean(0), "mean of Multipliers of gradient_family.py in float64",
            {"references": 2}, tools=("torch",), arrays={"baselines.npy": baselines}, recorded={"baseline/noise": "baselines.npy"})


def full_grad():
    """The authors' FullGrad.saliency (github.com/idiap/fullgrad-saliency): its formula on the biases of Conv2d, BatchNorm2d and Linear."""

    def scaled(v):
        v = v.abs()
        v = v - v.min()
        return v / (v.max() + 1e-6)

    for model in ("plain", "residual", "depthwise-se", "dense-concat", "transposed-resize", "two-layer-relu"):
        c = Case(model)
        x = c.x.clone().requires_grad_()
        parts, hooks = [], []

        def keep(module, _, output):
            if isinstance(module, nn.BatchNorm2d):
                bias = module.bias - module.running_mean * module.weight / torch.sqrt(module.running_var + module.eps)
            else:
                bias = module.bias
            if bias is not None:
                parts.append((bias, output))

        for module in c.net.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.Linear)):
                hooks.append(module.register_forward_hook(keep))
        y = c.f(x).sum()
        grads = torch.autograd.grad(y, [x, *(output for _, output in parts)])
        flows = [grads[0] * x.detach()] + [g * b.reshape(1, -1, *[1] * (g.dim() - 2)) for (b, _), g in zip(parts, grads[1:])]
        gap = float(sum(f.sum() for f in flows) - y)
        map = scaled(flows[0]).sum(1, keepdim=True)
        for flow in flows[1:]:
            if flow.dim() == 4:
                map = map + F.interpolate(scaled(flow), size=x.shape[2:], mode="bilinear", align_corners=True).sum(1, keepdim=True)
        options = ("FullGrad.saliency of github.com/idiap/fullgrad-saliency, its formula in float64; f(x) less the sum of all parts: "
                   f"{gap:.1e}")
        c.write(f"full-grad-{model}", "full-grad", map[0], options, tools=("torch",))
        for hook in hooks:
            hook.remove()


if __name__ == "__main__":
    several_baselines()
    noise_tunnel()
    gradient_shaps()
    deep_lift()
    deep_lift_shap()
    full_grad()
