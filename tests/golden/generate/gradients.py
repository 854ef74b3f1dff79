"""Goldens `gradient-*`: d target / d input of every network, by PyTorch's autograd in float64."""

import numpy as np

import nets
from common import INPUTS, gradient, load_input, module, relative_input, top_class, versions, write_case
from logits import BUNDLED

OPTIONS = "float64 autograd of the module that was exported, weights as stored in the file; class = largest output of this picture"


def case(name, model, path, x, cls, tolerance, kind="logit", output=0, output_name=None, options=OPTIONS):
    write_case(
        name, kind="gradient", model=model, input=path, id="gradient",
        expected=gradient(module(model), model, x, cls, kind, output),
        tables={
            "target": {"class": cls, "kind": kind, **({"output": output_name} if output_name else {})},
            "tolerance": tolerance,
            "reference": {"tool": versions("torch"), "options": options},
        },
    )


if __name__ == "__main__":
    for name in nets.REGISTRY:
        x = load_input(name)
        case(f"gradient-{name}", name, relative_input(name), x, top_class(name, x), {"relative": 1e-4})
    for name in ("plain", "softmax-head", "log-softmax-head", "sigmoid-head"):
        x = load_input(name)
        kinds = ["probability"] if name == "plain" else ["output", "probability"]
        for kind in kinds:
            case(f"gradient-{name}-{kind}", name, relative_input(name), x, top_class(name, x), {"relative": 1e-4}, kind)
    x = load_input("multi-output")
    case("gradient-multi-output-coarse", "multi-output", relative_input("multi-output"), x, top_class("multi-output", x, 1),
         {"relative": 1e-4}, output=1, output_name="coarse")
    for name in ("plain", "residual"):
        for index in (1, 2):
            x = load_input(name, index)
            case(f"gradient-{name}-{index}", name, relative_input(name, index), x, top_class(name, x), {"relative": 1e-4})
    for model, files in BUNDLED.items():
        for file in files:
            if (INPUTS / f"{file}.npy").exists():
                x = np.load(INPUTS / f"{file}.npy")
                case(f"gradient-{file}", model, f"../inputs/{file}.npy", x, top_class(model, x), {"cosine": 0.999})
