"""Whole jobs with PyTorch, Captum and Quantus on one thread, beside which Lucarne is measured.

    python jobs.py [--networks DIR]

Reads one measurement a line from standard input, as JSON, and answers with a line each:
`{"kind": "forward", "network": ID, "batch": N, "rounds": R}` with milliseconds a call, and
`{"kind": "job", "network": ID, "job": JOB}` with seconds, passes and the map or curve. The networks are run from the
ONNX files that `networks.py` made, with batch norms folded into the convolutions: what an exporter's user would run,
and a little faster than the original modules.
"""

import argparse
import json
import math
import os
import sys
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import captum  # noqa: E402
import numpy as np  # noqa: E402
import quantus  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import networks  # noqa: E402

# As in www/src/bench/jobs.ts.
WINDOW, STRIDE, MASKS, STEPS, NODES, TOGETHER = 8, 4, 1000, 48, 50, 16


class Network(torch.nn.Module):
    """The layers of an ONNX file, `[n, 3, h, w]` to logits."""

    def __init__(self, path):
        super().__init__()
        self.source, self.target, self.plan = networks.layers(path)
        self.weights = torch.nn.ParameterList()
        for layer in self.plan:
            if "weight" in layer:
                weight = layer.pop("weight")
                weight = weight.T if weight.ndim == 2 else weight.transpose(
                    (2, 3, 0, 1) if layer["op"] == "depthwise" else (3, 2, 0, 1)
                )
                layer["at"] = len(self.weights)
                for array in (weight, layer.pop("bias")):
                    tensor = torch.from_numpy(np.ascontiguousarray(array))
                    self.weights.append(torch.nn.Parameter(tensor, requires_grad=False))

    def forward(self, x):
        values = {self.source: x}
        for layer in self.plan:
            reads = [values[name] for name in layer["reads"]]
            y, op = reads[0], layer["op"]
            top, left, bottom, right = layer.get("pads", (0, 0, 0, 0))
            even = (top, left) == (bottom, right)
            if not even:
                y = F.pad(y, (left, right, top, bottom))
            padding = (top, left) if even else 0
            weight, bias = self.weights[layer["at"]:layer["at"] + 2] if "at" in layer else (None, None)
            if op in ("conv", "depthwise"):
                groups = weight.shape[0] if op == "depthwise" else 1
                y = F.conv2d(y, weight, bias, layer["strides"], padding, groups=groups)
            elif op == "max-pool":
                y = F.max_pool2d(y, layer["kernel"], layer["strides"], padding)
            elif op == "mean":
                y = y.mean((2, 3))
            elif op == "dense":
                y = F.linear(y, weight, bias)
            elif op == "add":
                y = reads[0] + reads[1]
            elif op == "concat":
                y = torch.cat(reads, 1)
            if layer["act"] != "none":
                y = F.relu(y) if layer["act"] == "relu" else F.relu6(y)
            values[layer["out"]] = y
        return values[self.target]


def picture(side):
    """`[1, 3, side, side]`, the picture of the browser's jobs."""
    y, x = np.mgrid[:side, :side] / side
    c = np.arange(3)[:, None, None]
    rgb = np.floor(127.5 + 80 * np.sin(9 * x + 3 * c) + 40 * np.cos(13 * y * (c + 1)) + 0.5).clip(0, 255)
    return torch.from_numpy(((rgb / 255 - 0.5) / 0.5).astype(np.float32))[None]


def relevances(job, side):
    """Relevances whose order is one disc that grows, or scattered; as in the browser."""
    k = np.arange(side * side)
    if job == "deletion-scattered":
        places = 2 ** math.ceil(math.log2(side * side))
        return ((k * 40503 + 17) % places / places).astype(np.float32)
    far = (k // side - side * 0.45) ** 2 + (k % side - side * 0.55) ** 2
    order = np.lexsort((k, far))
    relevance = np.empty(side * side, np.float32)
    relevance[order] = 1 - k / (side * side)
    return relevance


def occlusion(model, x):
    method = captum.attr.Occlusion(model)
    # Sixteen windows a call, as LiteRT.js gets them; one a call, Captum's default, is slower.
    relevance = method.attribute(
        x, sliding_window_shapes=(3, WINDOW, WINDOW), strides=(3, STRIDE, STRIDE), baselines=0.0, target=0,
        perturbations_per_eval=TOGETHER,
    )
    return (math.ceil((x.shape[2] - WINDOW) / STRIDE) + 1) ** 2 + 1, relevance[0, 0].flatten().tolist()


def integrated_gradients(model, x):
    method = captum.attr.IntegratedGradients(model)
    relevance = method.attribute(x, baselines=0.0, target=0, n_steps=NODES, internal_batch_size=TOGETHER)
    return 2 * NODES, relevance[0].flatten().tolist()


def deletion(job):
    def run(model, x):
        side = x.shape[2]
        # Quantus counts the values of all channels, and takes divisors of the number of pixels only.
        metric = quantus.PixelFlipping(
            features_in_step=3 * side * side // STEPS, perturb_baseline=0.0, normalise=False, abs=False,
            disable_warnings=True, display_progressbar=False,
        )
        relevance = relevances(job, side).reshape(1, 1, side, side)
        curve = metric(
            model=model, x_batch=x.numpy(), y_batch=np.array([0]), a_batch=relevance, device="cpu", softmax=False,
            channel_first=True,
        )
        return STEPS, np.asarray(curve[0], float).tolist()

    return run


def rise(model, x):
    """The authors' loop, with their masks."""
    side, grid = x.shape[2], 7
    cell = math.ceil(side / grid)
    random = np.random.default_rng(0)
    total = torch.zeros(side, side)
    with torch.no_grad():
        for start in range(0, MASKS, TOGETHER):
            n = min(TOGETHER, MASKS - start)
            open_ = torch.from_numpy((random.random((n, 1, grid + 1, grid + 1)) < 0.5).astype(np.float32))
            large = F.interpolate(open_, size=(grid + 1) * cell, mode="bilinear", align_corners=False)
            shifts = random.integers(0, cell, (n, 2))
            masks = torch.stack([m[:, a:a + side, b:b + side] for m, (a, b) in zip(large, shifts)])
            scores = torch.softmax(model(x * masks), 1)[:, 0]
            total += (scores[:, None, None] * masks[:, 0]).sum(0)
    return MASKS, []


JOBS = {
    "occlusion": occlusion,
    "rise": rise,
    "deletion": deletion("deletion"),
    "deletion-scattered": deletion("deletion-scattered"),
    "integrated-gradients": integrated_gradients,
}


def answer(folder, opened, spec):
    if spec["network"] not in opened:
        opened[spec["network"]] = Network(folder / f"{spec['network']}.onnx").eval()
    model = opened[spec["network"]]
    if spec["kind"] == "forward":
        x = torch.from_numpy(networks.pictures(spec["batch"]))
        times = []
        with torch.no_grad():
            model(x)
            for _ in range(spec["rounds"]):
                start = time.perf_counter()
                model(x)
                times.append((time.perf_counter() - start) * 1e3)
        return {"kind": "forward", "times": times}
    x = picture(networks.SIDE)
    with torch.no_grad():
        model(x.repeat(TOGETHER, 1, 1, 1))
    start = time.perf_counter()
    passes, values = JOBS[spec["job"]](model, x)
    return {"kind": "job", "seconds": time.perf_counter() - start, "passes": passes, "answer": values}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=Path, default=networks.ROOT / "benches" / "networks")
    folder = parser.parse_args().networks
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    opened = {}
    versions = f"PyTorch {torch.__version__.split('+')[0]}, Captum {captum.__version__}, Quantus {quantus.__version__}"
    # Libraries print on standard output; only answers may.
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps({"ready": versions}), file=out, flush=True)
    for line in sys.stdin:
        if line.strip():
            try:
                found = answer(folder, opened, json.loads(line))
            except Exception as why:  # Told to the program that asked; it decides.
                found = {"failed": f"{type(why).__name__}: {why}"}
            print(json.dumps(found), file=out, flush=True)


if __name__ == "__main__":
    main()
