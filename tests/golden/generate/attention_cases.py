"""Goldens of the methods that follow attention, on tiny-vit: the published formulas in plain PyTorch, float64.

attention-rollout            Abnar & Zuidema 2020; head fusion and discarding as jacobgil/vit-explain's `rollout`, but each row of
                             (A + I) / 2 is divided by its own sum (vit-explain divides column j by the sum of row j: the same where
                             nothing is discarded, since rows then sum to 1).
gradient-attention-rollout   `relevance`: Chefer et al. 2021, equations 5 and 6. `rollout`: vit-explain's `grad_rollout`, rows divided
                             by their own sum.
"""

import torch

from common import load_input, module, relative_input, scalar, top_class, versions, write_case

MODEL = "tiny-vit"


def attentions(x, cls):
    """Each layer's softmax [heads, T, T], and the gradient of the logit by it."""
    net, found = module(MODEL), []

    def kept(tensor):
        tensor.retain_grad()
        found.append(tensor)
        return tensor

    softmax = torch.Tensor.softmax
    torch.Tensor.softmax = lambda self, *a, **k: kept(softmax(self, *a, **k))
    try:
        scalar(net, MODEL, torch.from_numpy(x).double()[None].requires_grad_(), cls).sum().backward()
    finally:
        torch.Tensor.softmax = softmax
    return [a.detach()[0] for a in found], [a.grad[0] for a in found]


def rollout(matrices, discard):
    result = torch.eye(matrices[0].shape[-1], dtype=torch.float64)
    for matrix in matrices:
        flat = matrix.flatten().clone()
        _, least = flat.topk(int(len(flat) * discard), largest=False)
        flat[least[least != 0]] = 0
        a = (flat.view_as(matrix) + torch.eye(len(matrix))) / 2
        result = (a / a.sum(-1, keepdim=True)) @ result
    return result


def on_patches(result):
    return result[0, 1:].reshape(1, 4, 4).numpy()


if __name__ == "__main__":
    x, cls = load_input(MODEL), top_class(MODEL, load_input(MODEL))
    values, slopes = attentions(x, cls)
    assert len(values) == 2

    def case(name, id, params, result, options):
        write_case(
            name, kind="attribution", model=MODEL, input=relative_input(MODEL), id=id, expected=on_patches(result),
            tables={
                "target": {"class": cls, "kind": "logit"}, "params": params, "tolerance": {"relative": 1e-4},
                "reference": {"tool": versions("torch"), "options": f"{options}; float64"},
            },
        )

    fusions = {"mean": lambda a: a.mean(0), "max": lambda a: a.amax(0), "min": lambda a: a.amin(0)}
    for fusion, discard in (("mean", 0.0), ("max", 0.9), ("min", 0.5)):
        result = rollout([fusions[fusion](a) for a in values], discard)
        case(f"attention-rollout-{fusion}", "attention-rollout", {"fusion": fusion, "discard": discard}, result, f"rollout, {fusion} over heads")
    relevance = torch.eye(17, dtype=torch.float64)
    for a, g in zip(values, slopes):
        relevance = relevance + (a * g).clamp(min=0).mean(0) @ relevance
    case("gradient-attention-rollout-relevance", "gradient-attention-rollout", {}, relevance, "R + mean(max(0, gradient * A)) R")
    for discard in (0.0, 0.5):
        result = rollout([(a * g).mean(0).clamp(min=0) for a, g in zip(values, slopes)], discard)
        params = {"rule": "rollout", "discard": discard}
        case(f"gradient-attention-rollout-{discard:g}".replace(".", "-"), "gradient-attention-rollout", params, result, "grad_rollout")
