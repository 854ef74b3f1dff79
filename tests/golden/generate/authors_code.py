"""Goldens of methods whose authors' code is no package: run from a checkout that is given, never copied into this repository.

    python authors_code.py extremal-perturbation …/TorchRay          # github.com/facebookresearch/TorchRay, 6a198ee
    python authors_code.py fido …/FIDO-saliency                      # github.com/zzzace2000/FIDO-saliency, 146021d
    python authors_code.py meaningful-perturbation …/pytorch-explain-black-box   # github.com/jacobgil/pytorch-explain-black-box, 74dd6f7
    python authors_code.py meaningful-perturbation-authors …/perturb_explanations   # github.com/ruthcfong/perturb_explanations, 1260ce8

Each function says what it pins, and which lines of code for Python 2, PyTorch 0.3 or Caffe it reads otherwise so that they run today. Networks
and masks are in float64. Removed pixels become 0.
"""

import subprocess
import sys
import types
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from perturbation_cases import Case


def commit(folder):
    """The commit that a checkout is at; its folder is called as the repository is."""
    return subprocess.run(["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def read_otherwise(path, lines):
    """The text of a file, with each of `lines` (old, new) replaced wherever it stands; it must stand somewhere."""
    text = Path(path).read_text()
    for old, new in lines:
        assert old in text, f"{path} no longer has: {old}"
        text = text.replace(old, new)
    return text


def as_module(name, path, lines=(), **members):
    """A file as a module of that name, with names that its imports or its caller would give."""
    module = types.ModuleType(name)
    module.__package__ = name.rpartition(".")[0]
    vars(module).update(members)
    sys.modules[name] = module
    exec(compile(read_otherwise(path, lines), str(path), "exec"), vars(module))
    return module


def stub(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    return module


@contextmanager
def double_precision():
    """Tensors made without a type, or asked to be float32, are float64."""
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(torch, "float32", torch.float64):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


class Answers(torch.nn.Module):
    """All logits, or probabilities, of a case's network."""

    def __init__(self, case):
        super().__init__()
        self.case = case

    def forward(self, x):
        y = self.case.logits_of(x)
        return y.softmax(1) if self.case.kind == "probability" else y


class Known(Case):
    def logits_of(self, x):
        y = self.net(x)
        return y[0] if isinstance(y, tuple) else y


def extremal_perturbation(folder):
    """TorchRay's `extremal_perturbation`, untouched, in float64. Pinned: two levels of removal by fading, which is the picture and zeros; equal
    pixels of a mask are sorted by place, where it leaves them to rounding.
    """
    sys.path.insert(0, str(folder))
    from torchray.attribution import extremal_perturbation as theirs

    plainly = torch.Tensor.sort

    def sort(self, dim=-1):
        order = plainly(torch.round(self.detach() * 1e9), dim=dim, stable=True)[1]
        return self.gather(dim, order), order

    for model, game, area, steps, step, sigma, flip in (("plain", "preserve", 0.2, 25, 4, 5, True), ("depthwise-se", "delete", 0.1, 15, 7, 9, False), ("conv-gelu-ln", "dual", 0.3, 12, 5, 6, True)):
        c = Known(model, 0)
        with double_precision(), mock.patch.object(torch.Tensor, "sort", sort):
            mask, _ = theirs.extremal_perturbation(
                Answers(c), c.x, c.cls, areas=[area], perturbation=theirs.FADE_PERTURBATION, max_iter=steps, num_levels=2, step=step, sigma=sigma,
                jitter=flip, variant=game,
            )
        c.write(f"extremal-perturbation-{model}", "extremal-perturbation", mask[0],
                f"extremal_perturbation(areas=[{area}], perturbation='fade', max_iter={steps}, num_levels=2, step={step}, sigma={sigma}, jitter={flip}, variant='{game}'), sorted to nine digits, then by place",
                ("torch",), 1e-4, by=f"{folder.name} {commit(folder)}", area=area, game=game, steps=steps, spacing=step, smoothing=sigma, flip=flip)


class Zeros(torch.nn.Module):
    """As their MeanInpainter, whose file wants ImageNet."""

    def generate_background(self, x, mask):
        return torch.zeros_like(x)


def fido(folder):
    """`GernarativeBDNet` and `OppositeGernarativeBDNet` with their own `fit`: its schedules of rate and cost too. Pinned: the uniform draws of the
    relaxed coins; the loss is minus the target, where their script gives the log odds. Its last look is not taken: it enlarges log odds, where
    the training enlarged probabilities; the map is `eval_reg()`, the rates of keeping that were trained.

    Read otherwise, for PyTorch 0.3: `async` is `non_blocking`; `.data[0]` of a number is `.item()`; `Upsample` put corners on corners; the first
    step of a schedule was its start; MeanInpainter is a default that their file forgets to import.
    """
    for name in ("arch", "arch.sensitivity", "arch.binary", "exp"):
        stub(name).__path__ = []
    stub("visdom")
    as_module("exp.general_utils", folder / "exp/general_utils.py")
    as_module("arch.binary.ConcreteNeuron", folder / "arch/binary/ConcreteNeuron.py")
    as_module("arch.sensitivity.DNetBase", folder / "arch/sensitivity/DNetBase.py",
              [("async=True", "non_blocking=True"), ("loss.data[0]", "loss.item()"), ("self.scheduler.step()", "self.scheduler.step(epoch)")])
    nets = as_module("arch.sensitivity.BDNet", folder / "arch/sensitivity/BDNet.py",
                     [("mode='bilinear')", "mode='bilinear', align_corners=True)"), ("generative_model=MeanInpainter()", "generative_model=None")])

    for model, region, sparsity, ramp in (("plain", "ssr", 0.001, 4), ("depthwise-se", "sdr", 0.002, 4), ("conv-gelu-ln", "ssr", 0.003, 0)):
        c = Known(model, 0)
        steps, draws, points = 12, 3, 8
        shape = c.chw.shape[1:]
        coins = np.random.default_rng(9).random((steps, draws, *shape)).astype(np.float32)
        c.record("fido/coins", coins)
        recorded = iter(torch.from_numpy(coins).double()[:, :, None])
        with double_precision(), mock.patch.object(torch.Tensor, "uniform_", lambda self: next(recorded).reshape(self.shape)):
            net = (nets.GernarativeBDNet if region == "ssr" else nets.OppositeGernarativeBDNet)(
                dropout_param_size=(1, points, points), trained_classifier=Answers(c), generative_model=Zeros(), loss_criteria=lambda y, _: -y[:, c.cls].mean(),
                ard_init=0.0, lr=0.05, reg_coef=sparsity, rw_max=ramp or -1, cuda_enabled=False, upsample_to_size=tuple(shape))
            net.fit([(c.x.expand(draws, -1, -1, -1), torch.full((draws,), c.cls))], epochs=steps)
            keep = net.eval_reg().detach()
        assert next(recorded, None) is None
        c.write(f"fido-{model}", "fido", keep if region == "ssr" else 1 - keep,
                f"{type(net).__name__}(ard_init=0, lr=0.05, reg_coef={sparsity}, rw_max={ramp or -1}, upsample_to_size={tuple(shape)}).fit(epochs={steps}), batches of {draws} on recorded coins, zeros for the background",
                ("torch",), 1e-4, by=f"{folder.name} {commit(folder)}", region=region, steps=steps, draws=draws, grid=points, sparsity=sparsity, warm_up=ramp)


def meaningful_perturbation(folder):
    """The script explain.py with a mask that is enlarged. Pinned: no noise on the picture, zeros for its blurred copy; weights, steps and sizes.
    Its costs are means where ours are sums: they are divided by the number of points, and of neighbours in one direction.

    Read otherwise: what is printed, for Python 2; the sizes of ImageNet; loading, preparing and saving pictures, and the network.
    """
    sizes = [("(224, 224, 3)", "(*SIZE, CHANNELS)"), ("(224, 224)", "SIZE"), ("expand(1, 3, ", "expand(1, CHANNELS, "), ("(28, 28)", "(POINTS, POINTS)"), ("np.float32", "np.float64")]
    options = [("max_iterations = 500", "max_iterations = STEPS"), ("l1_coeff = 0.01", "l1_coeff = SMALL"), ("tv_coeff = 0.2", "tv_coeff = SMOOTH")]
    ours = [(f"def {name}(", f"def their_{name}(") for name in ("preprocess_image", "save", "load_model")]
    python = [('print "Category with highest probability", category', "pass"), ('print "Optimizing.. "', "pass"),
              (" \tfor p in model.classifier.parameters():\n            p.requires_grad = False\n", "")]
    for model, steps, points, small, smooth in (("plain", 20, 14, 0.02, 2.0), ("depthwise-se", 15, 8, 0.05, 3.0), ("conv-gelu-ln", 15, 10, 0.05, 5.0)):
        c = Known(model, 0, kind="probability")
        pictures, saved = iter([c.x, torch.zeros_like(c.x)]), []
        channels, *size = c.chw.shape
        same = lambda image, *_: image
        stub("cv2", imread=lambda *_: np.zeros((*size, channels)), resize=same, GaussianBlur=same, medianBlur=same, randn=same)
        network = Answers(c)
        c.kind = "logit"                                           # which the script's softmax follows
        as_module("__main__", folder / "explain.py", sizes + options + ours + python, SIZE=tuple(size), CHANNELS=channels, POINTS=points, STEPS=steps,
                  SMALL=small, SMOOTH=smooth, load_model=lambda: network, preprocess_image=lambda _: next(pictures), save=lambda mask, *_: saved.append(mask))
        c.kind = "probability"
        c.write(f"meaningful-perturbation-{model}", "meaningful-perturbation", 1 - saved[0][0].detach(),
                f"explain.py with {steps} steps, {points} x {points} points, l1_coeff={small}, tv_coeff={smooth}, no noise, zeros for the blurred picture",
                ("torch",), 1e-4, by=f"{folder.name} {commit(folder)}", steps=steps, grid=points, sparsity=small / points**2, smoothness=smooth / points / (points - 1))


class Caffe:
    """As much of a Caffe network as the authors ask for, around a case's probabilities."""

    class Blob:
        def __init__(self, shape):
            self.data, self.diff = np.zeros(shape), np.zeros(shape)

        def reshape(self, *shape):
            assert self.data.shape == shape

    def __init__(self, case):
        self.answers, self.blobs = Answers(case), {"data": self.Blob((1, *case.chw.shape)), "prob": self.Blob((1, case.classes()))}

    def forward(self, **_):
        with torch.no_grad():
            self.blobs["prob"].data[...] = self.answers(torch.from_numpy(self.blobs["data"].data)).numpy()

    def backward(self, **_):
        x = torch.from_numpy(self.blobs["data"].data).requires_grad_()
        (self.answers(x) * torch.from_numpy(self.blobs["prob"].diff)).sum().backward()
        self.blobs["data"].diff[...] = x.grad.numpy()


def meaningful_perturbation_authors(folder):
    """Fong & Vedaldi's own optimize_mask on a network that answers as a Caffe one does. Pinned: a mask of one point a pixel that starts at 1, for
    theirs is enlarged to the nearest point and blurred in 8 bits; no jitter, zeros for the blurred picture, and no smoothness, for their code joins both
    directions in one length where the paper's formula, and ours, adds them.

    Read otherwise: what is printed, for Python 2. Absent: Caffe, COCO, plots.
    """
    from lib2to3.refactor import RefactoringTool

    case = Known("plain", 0, kind="probability")
    image = types.SimpleNamespace(preprocess=lambda *_: case.chw.astype(np.float64))
    stub("caffe", io=types.SimpleNamespace(load_image=lambda _: None), set_mode_cpu=lambda: None)
    stub("pycocotools").__path__ = []
    for name, member in (("pylab", "plot"), ("pycocotools.coco", "COCO"), ("pycocotools.cocoeval", "COCOeval"), ("pycocotools.mask", "decode")):
        stub(name, **{member: None})
    stub("defaults", caffe_dir="")
    stub("helpers", get_ILSVRC_net_transformer=lambda _: image, get_ILSVRC_net_transformer_with_shape=lambda _: image)
    stub("coco_util", loadTags=lambda _: (None, None))
    path = folder / "code/caffe/python/optimize_mask.py"
    code = str(RefactoringTool(["lib2to3.fixes.fix_print"]).refactor_string(path.read_text() + "\n", str(path)))
    theirs = types.ModuleType("optimize_mask")
    with mock.patch.object(np, "loadtxt", lambda *_, **__: None):      # names of ImageNet's classes
        exec(compile(code, str(path), "exec"), vars(theirs))
    steps, sparsity = 20, 1e-4
    wanted = np.zeros(case.classes())
    wanted[case.cls] = 1
    keep = theirs.optimize_mask(
        Caffe(case), None, wanted, None, given_gradient=True, num_iters=steps, lr=0.1, l1_lambda=sparsity, tv_lambda=0, mask_scale=1, blur_mask=0, jitter=0,
        null_type="mean_img", mask_init=np.ones(case.chw.shape[1:]), start_layer="data", end_layer="prob")
    case.write("meaningful-perturbation-authors", "meaningful-perturbation", 1 - keep[None],
               f"optimize_mask(num_iters={steps}, lr=0.1, l1_lambda={sparsity}, tv_lambda=0, mask_scale=1, blur_mask=0, jitter=0, null_type='mean_img', mask_init=ones)",
               ("torch",), 1e-4, by=f"{folder.name} {commit(folder)}", steps=steps, grid=28, sparsity=sparsity, smoothness=0.0)


CASES = {
    "extremal-perturbation": extremal_perturbation, "fido": fido, "meaningful-perturbation": meaningful_perturbation,
    "meaningful-perturbation-authors": meaningful_perturbation_authors,
}

if __name__ == "__main__":
    CASES[sys.argv[1]](Path(sys.argv[2]).resolve())
