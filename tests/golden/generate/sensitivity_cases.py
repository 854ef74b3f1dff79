"""Goldens of Sobol and HSIC attribution from Xplique: its samplers, perturbation, estimators and enlargement, on the networks' ONNX files.

The networks run in float32, wrapped as what Xplique calls a model; the recorded designs are Xplique's Sobol sequences.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
import tensorflow as tf
from xplique.attributions import HsicAttributionMethod, SobolAttributionMethod

GOLDEN = Path(__file__).resolve().parents[1]


class Network:
    """One picture a call, as probabilities or logits, for batches of channels-last pictures."""

    def __init__(self, name, kind):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(GOLDEN.parent / "nets" / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
        self.input, self.kind = self.session.get_inputs()[0].name, kind

    def run(self, nhwc):
        logits = np.concatenate([self.session.run(None, {self.input: x[None]})[0] for x in np.moveaxis(np.asarray(nhwc, np.float32), -1, 1)])
        if self.kind == "logit":
            return logits
        e = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
        return (e / e.sum(1, keepdims=True)).astype(np.float32)

    def __call__(self, x):
        return tf.numpy_function(self.run, [x], tf.float32)


def toml(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)


def save(path, array):
    with open(path, "wb") as f:
        np.lib.format.write_array(f, np.ascontiguousarray(array, np.float32), version=(1, 0))


def write(name, id, model, cls, kind, map, design, params, options):
    folder = GOLDEN / name
    folder.mkdir(exist_ok=True)
    save(folder / "expected.npy", map)
    save(folder / "design.npy", design)
    tool = ", ".join(f"{n} {version(n)}" for n in ("xplique", "tensorflow-cpu", "onnxruntime"))
    lines = ['kind = "attribution"', f'model = "{model}"', f'input = "../inputs/{model}-0.npy"', f'id = "{id}"', 'expected = "expected.npy"', "", "[target]", f"class = {cls}", f'kind = "{kind}"', "", "[params]"]
    lines += [f"{k} = {toml(v)}" for k, v in params.items()]
    lines += ["", "[recorded]", f'"{id}/design" = "design.npy"', "", "[tolerance]", "relative = 0.0001", "", "[reference]", f"tool = {toml(tool)}", f"options = {toml(options)}"]
    (folder / "case.toml").write_text("\n".join(lines) + "\n")
    print(f"{name:40} {map.shape} {map.min():.4g} {map.max():.4g}")


def main():
    for method, id, model, kind, grid, designs in (
        (SobolAttributionMethod, "sobol", "plain", "logit", 4, 16), (SobolAttributionMethod, "sobol", "depthwise-se", "probability", 8, 8),
        (SobolAttributionMethod, "sobol", "residual", "logit", 5, 8), (HsicAttributionMethod, "hsic", "plain", "logit", 4, 60),
        (HsicAttributionMethod, "hsic", "depthwise-se", "probability", 8, 120), (HsicAttributionMethod, "hsic", "tiny-vit", "logit", 5, 80),
    ):
        network = Network(model, kind)
        chw = np.load(GOLDEN / "inputs" / f"{model}-0.npy")
        nhwc = np.moveaxis(chw, 0, -1)[None]
        answers = network.run(nhwc)
        cls = int(answers[0].argmax())
        explainer = method(network, grid_size=grid, nb_design=designs, perturbation_function="inpainting", batch_size=64)
        map = np.asarray(explainer.explain(nhwc, np.eye(answers.shape[1], dtype=np.float32)[[cls]]))[0, :, :, 0]
        masks = np.asarray(explainer.masks).reshape(-1, grid * grid)
        design = np.concatenate([masks[:designs], masks[designs : 2 * designs]], 1) if id == "sobol" else masks
        write(f"{id}-{model}", id, model, cls, kind, map[None], design, {"designs": designs, "grid": grid},
              f"{method.__name__}(grid_size={grid}, nb_design={designs}, perturbation_function='inpainting'), its Sobol sequence recorded")


if __name__ == "__main__":
    main()
