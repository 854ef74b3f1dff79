"""Goldens of the CAM family: pytorch-grad-cam's maps at the layer's own resolution, cut at 0, before any scaling or enlarging.

Each method looks at six networks, at the last layer of three of them and at a middle one of the others. Eigen-CAM and EigenGrad-CAM
take the sign of the library's `get_2d_projection_with_sign_correction`: the largest magnitude is positive. Ablation-CAM sets channels
to 0 also where a layer has negative values (the library would set them to the minimum less 1e7).
"""

import numpy as np
import pytorch_grad_cam as library
import torch
from pytorch_grad_cam.ablation_layer import AblationLayer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from common import load_input, module, relative_input, versions, write_case


def patches(tokens):
    """[N, 1 + h * h, D] to [N, D, h, h], the class token left out."""
    tokens = tokens[:, 1:].transpose(1, 2)
    side = round(tokens.shape[2] ** 0.5)
    return tokens.reshape(*tokens.shape[:2], side, side)


def channels_first(maps):
    return maps.permute(0, 3, 1, 2)


# Network: for a middle layer and the last, the module, the ONNX node that it ends in, and how its output becomes maps.
NETWORKS = {
    "plain": (("1", "/1/Relu", None), ("4", "/4/Relu", None)),
    "residual": (("1", "/1/Relu", None), ("2", "/2/Relu", None)),
    "depthwise-se": (("1.expand", "/1/expand/expand.2/HardSwish", None), ("3", "/3/Add", None)),
    "dense-concat": (("stem", "/stem/stem.2/Relu", None), ("c", "/c/Conv", None)),
    "conv-gelu-ln": (("3.norm", "/3/norm/LayerNormalization", channels_first), ("6", "/6/Add", None)),
    "tiny-vit": (
        ("blocks.0.norm1", "/blocks/blocks.0/norm1/LayerNormalization", patches),
        ("blocks.1.norm1", "/blocks/blocks.1/norm1/LayerNormalization", patches),
    ),
}
METHODS = {
    "grad-cam": "GradCAM", "grad-cam-plus-plus": "GradCAMPlusPlus", "grad-cam-elementwise": "GradCAMElementWise", "hires-cam": "HiResCAM",
    "x-grad-cam": "XGradCAM", "layer-cam": "LayerCAM", "eigen-cam": "EigenCAM", "eigen-grad-cam": "EigenGradCAM", "kpca-cam": "KPCA_CAM",
    "fem": "FEM", "score-cam": "ScoreCAM", "ablation-cam": "AblationCAM",
}


class Zeroed(AblationLayer):
    """Sets channels to 0 whatever the layer's least value; `axis` is that of the channels."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def set_next_batch(self, input_batch_index, activations, num_channels_to_ablate):
        self.activations = torch.stack([activations[input_batch_index]] * num_channels_to_ablate)

    def __call__(self, x):
        for i in range(len(self.activations)):
            self.activations[i].select(self.axis, int(self.indices[i])).zero_()
        return self.activations


def raw(id, net, layer, reshape, x, cls):
    options = {}
    if id == "ablation-cam":
        options = {"ablation_layer": Zeroed(0 if reshape is None else -1), "batch_size": 7}
    cam = getattr(library, METHODS[id])(net, [layer], reshape_transform=reshape, **options)
    targets = [ClassifierOutputTarget(cls)]
    cam.outputs = cam.activations_and_grads(x)
    if cam.uses_gradients:
        cam.outputs[0, cls].backward()
    store = cam.activations_and_grads
    maps = store.activations[0].numpy()
    slopes = store.gradients[0].numpy() if store.gradients else None
    found = cam.get_cam_image(x.detach(), layer, targets, maps, slopes, eigen_smooth=False)
    store.release()
    if id.startswith("eigen") and abs(found.min()) > abs(found.max()):
        found = -found
    margin = abs(abs(found.min()) - abs(found.max())) / np.abs(found).max()
    assert margin > 1e-3 or not id.startswith(("eigen", "kpca")), f"{id}: the sign is a matter of rounding"
    return np.maximum(found, 0)


def case(id, model, place):
    path, node, reshape = NETWORKS[model][place]
    net = module(model)
    layer = net.get_submodule(path)
    x = torch.from_numpy(load_input(model)).double()[None].requires_grad_()
    scores = net(x)[0].detach().numpy()
    for cls in np.argsort(-scores):     # the first class, best first, whose map is not zero everywhere
        map = raw(id, net, layer, reshape, x, int(cls))
        if (map > 0).mean() > 0.1:
            break
    write_case(
        f"{id}-{model}-{('middle', 'last')[place]}", kind="attribution", model=model, input=relative_input(model), id=id, expected=map,
        tables={
            "target": {"class": int(cls), "kind": "logit"}, "params": {"layer": node}, "tolerance": {"relative": 1e-4},
            "reference": {"tool": versions("grad-cam", "torch"), "options": f"{METHODS[id]}, ClassifierOutputTarget, one layer; float64; max(0, map)"},
        },
    )


if __name__ == "__main__":
    for i, id in enumerate(METHODS):
        for j, model in enumerate(NETWORKS):
            case(id, model, (i + j) % 2)
