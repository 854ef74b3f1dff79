"""Goldens `metric-*-xplique`: Deletion, Insertion and MuFidelity of Xplique. Runs where tensorflow-cpu, xplique and onnxruntime are (see
requirements.txt); the network runs in onnxruntime, and Xplique calls it as a function."""


import numpy as np


import onnxruntime
import tensorflow as tf
from xplique.metrics import Deletion, Insertion, MuFidelity

from pathlib import Path
from importlib.metadata import version

GOLDEN = Path(__file__).resolve().parents[1]
MODEL = "small-rgb"
EXACT = 1e-5
session = onnxruntime.InferenceSession(str(GOLDEN.parent / "nets" / f"{MODEL}.onnx"), providers=["CPUExecutionProvider"])
x = np.load(GOLDEN / "inputs" / f"{MODEL}-0.npy")


def logits(pictures):
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: p[None]})[0] for p in np.ascontiguousarray(pictures, np.float32)])


def probabilities(pictures):
    e = logits(pictures).astype(np.float64)
    e = np.exp(e - e.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


cls = int(logits(x[None])[0].argmax())


class Net:
    """A network of channels last, as Xplique expects."""

    def __call__(self, pictures):
        return tf.constant(probabilities(np.moveaxis(np.asarray(pictures), -1, 1)), tf.float64)

    predict = __call__


def operator(model, inputs, targets):
    return tf.reduce_sum(model(inputs) * tf.cast(targets, tf.float64), -1)


def toml(value):
    if isinstance(value, str):
        return '"' + value + '"'
    return repr(value)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        np.lib.format.write_array(f, np.ascontiguousarray(array, np.float32), version=(1, 0))


def write(name, id, score, params, arrays, options, curves=None, recorded=None):
    folder = GOLDEN / f"metric-{name}"
    save(folder / "expected.npy", [score])
    for file, array in arrays.items():
        save(folder / file, array)
    tables = {
        "target": {"class": cls, "kind": "probability"}, "params": params, "imputer": {"id": "constant", "value": 0.0}, "attribution": {"file": "map.npy"},
        "curves": curves or {}, "recorded": recorded or {}, "tolerance": {"absolute": EXACT},
        "reference": {"tool": f"xplique {version('xplique')}, tensorflow-cpu {version('tensorflow-cpu')}, onnxruntime {version('onnxruntime')}", "options": options},
    }
    lines = [f'kind = "metric"\nmodel = "{MODEL}"\ninput = "../inputs/{MODEL}-0.npy"\nid = "{id}"\nexpected = "expected.npy"']
    for table, entries in tables.items():
        if entries:
            lines += ["", f"[{table}]"] + [f"{toml(k) if '/' in k else k} = {toml(v)}" for k, v in entries.items()]
    (folder / "case.toml").write_text("\n".join(lines) + "\n")
    print(f"metric-{name:40} {score}")


target = np.eye(session.get_outputs()[0].shape[1])[[cls]].astype(np.float32)
map_ = np.random.default_rng(3).standard_normal((1, 30, 30)).astype(np.float32)
last = np.moveaxis(x, 0, -1)[None]

for id, metric, share in (("deletion", Deletion, 1.0), ("deletion", Deletion, 0.5), ("insertion", Insertion, 1.0), ("insertion", Insertion, 0.3)):
    made = metric(Net(), last, target, batch_size=1, baseline_mode=0.0, steps=10, max_percentage_perturbed=share, operator=operator)
    curve = np.array(list(made.detailed_evaluate(map_).values()))
    write(f"{id}-xplique-{round(share * 100)}", id, float(made.evaluate(map_)), {"steps": 10, "share": share}, {"map.npy": map_, "morf.npy": curve},
          f"{metric.__name__}(steps=10, max_percentage_perturbed={share}, baseline_mode=0.0)", {"MoRF": "morf.npy"})

samples, grid = 60, 6
drawn = []
uniform = tf.random.uniform


def record(shape, *args, **kwargs):
    drawn.append(np.random.default_rng(len(drawn)).random(tuple(shape)).astype(np.float32))
    return tf.constant(drawn[-1])


tf.random.uniform = record
tf.config.run_functions_eagerly(True)
made = MuFidelity(Net(), last, target, batch_size=samples, grid_size=grid, subset_percent=0.2, baseline_mode=0.0, nb_samples=samples, operator=operator)
score = made.evaluate(map_[:, :, :])
tf.random.uniform = uniform
write("mu-fidelity-xplique", "mu-fidelity", float(score), {"samples": samples, "grid": grid, "share": 0.2}, {"map.npy": map_, "cells.npy": np.concatenate(drawn)},
      f"MuFidelity(grid_size={grid}, subset_percent=0.2, nb_samples={samples}, baseline_mode=0.0)", recorded={"mu-fidelity/cells": "cells.npy"})
