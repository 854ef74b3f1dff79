"""Goldens `logits-*`: the first output of every network, by ONNX Runtime from the file itself."""

import sys

import numpy as np

import nets
from common import as_taken, load_input, module, relative_input, session, versions, write_case, INPUTS

BUNDLED = {"efficientnet-lite0": ("efficientnet-lite0-0", "efficientnet-lite0-1"), "objects": ("objects-0", "objects-1")}


def case(name, model, path, x, target=None):
    run = session(model)
    names = [o.name for o in run.get_outputs()]
    outputs = run.run(None, {"input": as_taken(model, x[None])})
    which = names.index(target) if target else 0
    reference = f"onnxruntime with its CPU provider, all optimisations, batch 1, output `{names[which]}`"
    write_case(
        name, kind="logits", model=model, input=path, expected=outputs[which][0],
        tables={
            "target": {"kind": "output", **({"output": target} if target else {})},
            "tolerance": {"relative": 1e-5},
            "reference": {"tool": versions("onnxruntime"), "options": reference},
        },
    )
    return outputs[which][0]


if __name__ == "__main__":
    import torch

    for name in nets.REGISTRY:
        x = load_input(name)
        y = case(f"logits-{name}", name, relative_input(name), x)
        ours = module(name)(as_taken(name, torch.from_numpy(x).double()[None]))
        ours = (ours[0] if isinstance(ours, tuple) else ours)[0].numpy()
        error = np.abs(ours - y).max() / np.abs(ours).max()
        assert error < 3e-6, f"{name}: the file and the module differ by {error}"
    case("logits-multi-output-coarse", "multi-output", relative_input("multi-output"), load_input("multi-output"), "coarse")
    for model, files in BUNDLED.items():
        for i, file in enumerate(files):
            if (INPUTS / f"{file}.npy").exists():
                case(f"logits-{file}", model, f"../inputs/{file}.npy", np.load(INPUTS / f"{file}.npy"))
