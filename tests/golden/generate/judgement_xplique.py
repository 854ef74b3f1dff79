"""Golden `metric-average-stability-xplique`: AverageStability of Xplique, with the network as a Keras model of its own. Runs where
tensorflow-cpu, xplique and onnx are (see requirements.txt)."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import tensorflow as tf
from xplique.metrics import AverageStability

GOLDEN = Path(__file__).resolve().parents[1]
MODEL, SAMPLES, RADIUS = "two-layer-relu", 15, 0.1

weights = {t.name: onnx.numpy_helper.to_array(t).astype(np.float64) for t in onnx.load(GOLDEN.parent / "nets" / f"{MODEL}.onnx").graph.initializer}
matrices, biases = ([w for w in weights.values() if w.ndim == d] for d in (2, 1))
inputs = tf.keras.Input((6, 6, 1), dtype="float64")
hidden = tf.keras.layers.Dense(16, activation="relu", dtype="float64")(tf.keras.layers.Flatten(dtype="float64")(inputs))
model = tf.keras.Model(inputs, tf.keras.layers.Dense(4, dtype="float64")(hidden))
model.set_weights([v for w, b in zip(matrices, biases) for v in (w.T, b)])

x = np.load(GOLDEN / "inputs" / f"{MODEL}-0.npy")
picture = np.moveaxis(x, 0, -1)[None].astype(np.float64)
cls = int(model(picture)[0].numpy().argmax())


def gradient(pictures, targets):
    pictures = tf.cast(pictures, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        score = tf.reduce_sum(model(pictures) * tf.cast(targets, tf.float64))
    return tape.gradient(score, pictures)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        np.lib.format.write_array(f, np.ascontiguousarray(array, np.float32), version=(1, 0))


target = np.eye(4)[[cls]]
map = gradient(picture, target)[0].numpy().astype(np.float32)
# Large enough a radius that gates of the hidden layer switch, else the gradient would stay.
radius = 10 * RADIUS
draws = np.random.default_rng(15).random((SAMPLES, *x.shape)).astype(np.float32)
noise = np.moveaxis(draws, 1, -1).astype(np.float64) * radius
folder = GOLDEN / "metric-average-stability-xplique"
metric = AverageStability(model, picture, target, radius=radius, distance="l2", nb_samples=SAMPLES)
# Xplique keeps float32; the copies are those that we make.
metric.noisy_masks = ((picture[0] + noise).astype(np.float32) - picture[0]).astype(np.float64)
metric.inputs, metric.targets = tf.constant(picture), tf.constant(target)
score = metric.evaluate(gradient, map.astype(np.float64)[None])
assert score > 0
save(folder / "expected.npy", [score])
save(folder / "map.npy", np.moveaxis(map, -1, 0))
save(folder / "noise.npy", draws)
(folder / "case.toml").write_text(f"""kind = "metric"
model = "{MODEL}"
input = "../inputs/{MODEL}-0.npy"
id = "average-stability"
expected = "expected.npy"

[target]
class = {cls}
kind = "logit"

[params]
samples = {SAMPLES}
radius = {radius}
distance = "l2"

[attribution]
file = "map.npy"

[explainer]
id = "gradient"

[recorded]
"average-stability/noise" = "noise.npy"

[tolerance]
relative = 1e-05

[reference]
tool = "xplique {version('xplique')}, tensorflow-cpu {version('tensorflow-cpu')}"
options = "AverageStability(radius={radius}, distance='l2', nb_samples={SAMPLES}), recorded noise, the gradient as the explainer"
""")
print(folder.name, score)
