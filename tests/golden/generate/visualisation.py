"""visualisation-*: ten steps of feature visualisation without movement, in float64 PyTorch, from a recorded spectrum.

The picture is sigmoid(M irfft2(s / max(f, 1 / max(H, W)), norm="ortho") / 4) with Lucid's colour matrix M (none for one
channel), normalised by the card's mean and deviation (0 and 1 for these networks); Adam of rate 0.05 climbs the objective.
"""

import numpy as np
import torch

import common
import nets
from bundled import OnnxNet

STEPS = 10
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], dtype=torch.float64)
COLOURS = COLOURS / COLOURS.norm(dim=0).max()


def picture(spectrum, height, width):
    fy = np.fft.fftfreq(height)[:, None]
    frequency = torch.from_numpy(np.maximum(np.hypot(fy, np.fft.rfftfreq(width)[None]), 1 / max(height, width)))
    z = torch.complex(spectrum[0], spectrum[1]) / frequency
    grid = torch.fft.irfft2(z, s=(height, width), norm="ortho") / 4
    if grid.shape[0] == 3:
        grid = torch.einsum("ab,bhw->ahw", COLOURS, grid)
    return torch.sigmoid(grid)


def climb(objective, dims):
    channels, height, width = dims
    generator = np.random.default_rng(5)
    start = (0.3 * generator.standard_normal((2, channels, height, width // 2 + 1))).astype(np.float32)
    spectrum = torch.from_numpy(start.astype(np.float64)).requires_grad_(True)
    adam = torch.optim.Adam([spectrum], lr=0.05)
    for _ in range(STEPS):
        adam.zero_grad()
        (-objective(picture(spectrum, height, width)[None])).backward()
        adam.step()
    return start, picture(spectrum, height, width).detach().numpy()


def case(name, model, dims, params, objective, cls=0):
    start, found = climb(objective, dims)
    common.write_case(
        f"visualisation-{name}", kind="visualisation", model=model, input=common.relative_input(model), expected=found,
        tables={
            "target": {"class": cls, "kind": "logit"},
            "params": {"steps": STEPS, "learning_rate": 0.05, "jitter": 0.0, "scale": 0.0, "rotation": 0.0, **params},
            "recorded": {"visualise/spectrum": "spectrum.npy"},
            "tolerance": {"relative": 1e-3},
            "reference": {"tool": common.versions("torch"), "options": "float64; Lucid's parametrisation, torch.optim.Adam(lr=0.05), ten steps, no movement"},
        },
        arrays={"spectrum.npy": start},
    )


if __name__ == "__main__":
    net = OnnxNet(nets.NETS / "plain.onnx").double()
    dims = common.load_input("plain").shape
    case("logit", "plain", dims, {"objective": "logit"}, lambda x: net(x)[0, 2], 2)
    seen = {}
    net.layer("/1/Relu").register_forward_hook(lambda m, i, o: seen.update(value=o))

    def channel(x):
        net(x)
        return seen["value"][0, 3].mean()

    def neuron(x):
        net(x)
        map = seen["value"][0, 1]
        return map[int(0.25 * map.shape[0]), int(0.75 * map.shape[1])]

    case("channel", "plain", dims, {"objective": "channel", "layer": "/1/Relu", "channel": 3}, channel)
    case("neuron", "plain", dims, {"objective": "neuron", "layer": "/1/Relu", "channel": 1, "row": 0.25, "column": 0.75}, neuron)
    colour = OnnxNet(nets.NETS / "residual.onnx").double()
    case("colour", "residual", common.load_input("residual").shape, {"objective": "logit"}, lambda x: colour(x)[0, 1], 1)
