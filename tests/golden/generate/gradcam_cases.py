"""Goldens `grad-cam-*`: pytorch-grad-cam's GradCAM, its weighted sum of the layer's maps after ReLU, before any scaling or enlarging."""

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

import nets
from bundled import OnnxNet
from common import INPUTS, MODELS, load_input, relative_input, versions, write_case

# Network, index of its input, ONNX node name
CASES = (
    ("plain", 0, "/1/Relu"), ("plain", 1, "/4/Relu"), ("residual", 0, "/2/Relu"), ("residual", 1, "/1/Add"),
    ("dense-concat", 0, "/Concat_2"), ("residual-symbolic", 0, "/2/b/b.1/BatchNormalization"),
)


def raw_cam(net, layer, x, cls):
    cam = GradCAM(net, [net.layer(layer)])
    targets = [ClassifierOutputTarget(cls)]
    cam.activations_and_grads(x)
    cam(x, targets)
    store = cam.activations_and_grads
    maps, slopes = store.activations[0].numpy(), store.gradients[0].numpy()
    weighted = cam.get_cam_image(x, net.layer(layer), targets, maps, slopes, eigen_smooth=False)
    return np.maximum(weighted, 0)


def case(name, model, path, chw, layer, tolerance):
    file = nets.NETS / f"{model}.onnx" if model in nets.REGISTRY else MODELS / model / "model.onnx"
    net = OnnxNet(file).double()
    x = torch.from_numpy(chw).double()[None].requires_grad_()
    scores = net(x)[0].detach().numpy()
    for cls in np.argsort(-scores):     # the first class, best first, whose map is not zero everywhere
        map = raw_cam(net, layer, x, int(cls))
        if (map > 0).mean() > 0.1:
            break
    write_case(
        name, kind="attribution", model=model, input=path, id="grad-cam", expected=map,
        tables={
            "target": {"class": int(cls), "kind": "logit"}, "params": {"layer": layer}, "tolerance": tolerance,
            "reference": {
                "tool": versions("grad-cam", "torch"),
                "options": "GradCAM, ClassifierOutputTarget, one layer, eigen_smooth=False, aug_smooth=False; float64; "
                           "max(0, sum_k mean(gradient_k) * map_k) at the layer's resolution",
            },
        },
    )


if __name__ == "__main__":
    for model, index, layer in CASES:
        name = f"grad-cam-{model}-{layer.strip('/').replace('/', '-').replace('.', '-').lower()}"
        case(name, model, relative_input(model, index), load_input(model, index), layer, {"relative": 1e-4})
    for file, model, layer in (
        ("efficientnet-lite0-0", "efficientnet-lite0", "head.relu6"), ("efficientnet-lite0-1", "efficientnet-lite0", "head.relu6"),
        ("efficientnet-lite0-0", "efficientnet-lite0", "block10.add"), ("objects-0", "objects", None),
    ):
        if not (INPUTS / f"{file}.npy").exists():
            continue
        if layer is None:
            import tomllib

            layer = tomllib.loads((MODELS / model / "card.toml").read_text())["layers"]["default"]
        name = f"grad-cam-{file}-{layer.strip('/').replace('/', '-').replace('.', '-').lower()}"
        case(name, model, f"../inputs/{file}.npy", np.load(INPUTS / f"{file}.npy"), layer, {"cosine": 0.999})
