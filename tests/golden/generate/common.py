"""What every generator shares: where things are, inputs, targets in float64, and how a case is written."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import nets

GOLDEN = Path(__file__).resolve().parents[1]
MODELS = GOLDEN.parents[1] / "models"
INPUTS = GOLDEN / "inputs"
torch.set_num_threads(1)


def versions(*names):
    """As in "captum 0.9.0, torch 2.15.0", for the reference line of a case."""
    return ", ".join(f"{n} {version(n).split('+')[0]}" for n in names)


def session(name):
    path = nets.NETS / f"{name}.onnx" if name in nets.REGISTRY else MODELS / name / "model.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def module(name, dtype=torch.float64):
    """The network as a PyTorch module in the given precision, its parameters frozen."""
    if name in nets.REGISTRY:
        net = nets.build(name)
    else:
        import bundled

        net = bundled.build(name)
    return net.to(dtype).requires_grad_(False)


def as_taken(name, chw):
    """A picture [.., C, H, W] in the layout that the network takes."""
    nhwc = name in nets.REGISTRY and nets.REGISTRY[name].layout == "nhwc"
    if isinstance(chw, torch.Tensor):
        return chw.movedim(-3, -1) if nhwc else chw
    return np.ascontiguousarray(np.moveaxis(chw, -3, -1)) if nhwc else chw


def input_path(name, index=0):
    """Networks that differ only in storage or head share their inputs."""
    base = "residual" if name.startswith("residual-") else {"log-softmax-head": "softmax-head", "sigmoid-head": "softmax-head"}.get(name, name)
    return INPUTS / f"{base}-{index}.npy"


def load_input(name, index=0):
    return np.load(input_path(name, index))


def first(output):
    return output[0] if isinstance(output, tuple) else output


def scalar(net, name, x, cls, kind="output", output=0):
    """The number that is explained, for a batch x [N, C, H, W]: one value a picture.

    output: the network's own last tensor. logit: the tensor before a final softmax, log-softmax or sigmoid, which is the same where
    there is none. probability: after it; where the network ends in logits, their softmax.
    """
    head = name.removesuffix("-head") if name.endswith("-head") else None       # softmax, log-softmax or sigmoid
    taken = as_taken(name, x)
    if head and kind == "logit":
        y = net[:-1](taken)
    else:
        y = net(taken)
        y = y[output] if isinstance(y, tuple) else y
    if kind == "probability":
        y = y.exp() if head == "log-softmax" else y if head else y.softmax(1)
    return y[:, cls]


def gradient(net, name, chw, cls, kind="output", output=0):
    """d scalar / d input of one picture, by autograd, in the module's own precision."""
    dtype = next(iter(net.parameters())).dtype
    x = torch.from_numpy(np.asarray(chw)).to(dtype)[None].requires_grad_()
    (g,) = torch.autograd.grad(scalar(net, name, x, cls, kind, output).sum(), x)
    return g[0].numpy()


def top_class(name, chw, output=0):
    net = module(name)
    y = net(as_taken(name, torch.from_numpy(chw).double()[None]))
    return int((y[output] if isinstance(y, tuple) else y)[0].argmax())


def save(path, array):
    """float32, C order, npy format 1.0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        np.lib.format.write_array(f, np.ascontiguousarray(array, np.float32), version=(1, 0))


def _toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return repr(value)


def write_case(name, *, expected, tables, arrays=None, **keys):
    """tests/golden/<name>/: case.toml, expected.npy and any further arrays (file name -> array).

    `keys` are the top-level keys, `tables` the TOML tables in order; both are written as they are given.
    """
    folder = GOLDEN / name
    save(folder / "expected.npy", expected)
    for file, array in (arrays or {}).items():
        save(folder / file, array)
    lines = [f"{k} = {_toml(v)}" for k, v in keys.items() if v is not None]
    lines.append('expected = "expected.npy"')
    for table, entries in tables.items():
        if entries:
            lines += ["", f"[{table}]"] + [f"{_toml(k) if set('/.') & set(k) else k} = {_toml(v)}" for k, v in entries.items()]
    (folder / "case.toml").write_text("\n".join(lines) + "\n")
    print(f"{name:48} {np.asarray(expected).shape}")


def relative_input(name, index=0):
    return f"../inputs/{input_path(name, index).name}"
