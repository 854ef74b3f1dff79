"""Exports a zoo of networks to ONNX as their users do, with the logits and the gradient that their own framework gives.

    python make.py OUT [--keras]

For each network NAME: NAME.onnx, NAME.input.npy [1, C, H, W] (or [1, H, W, C] for Keras, transposed to channels first in
the file), NAME.logits.npy [K], NAME.gradient.npy [C, H, W] of the logit of the largest class by the input, and one line in
OUT/zoo.jsonl, which also says how far the framework's own single-precision gradient is from that one: where a ReLU's kink or
a tie of a max pool lies within rounding of the input, any engine in float32 may take the other side. Weights are random (no registry carries trained ones), drawn from fixed seeds. Keras needs an environment of
its own (tensorflow-cpu, tf2onnx); quantised networks are made from exports by onnxruntime's static quantisation.
`cargo xtask zoo OUT` then holds the engine against them and writes docs/gradient-coverage.md.
"""

import argparse
import json
import pathlib
import warnings

import numpy as np

warnings.filterwarnings("ignore")

TIMM = [
    "test_byobnet", "test_coatnet", "test_convnext", "test_convnext2", "test_convnext3", "test_efficientnet",
    "test_efficientnet_evos", "test_efficientnet_gn", "test_efficientnet_ln", "test_mambaout", "test_maxvit", "test_nfnet",
    "test_resnet", "test_vit", "test_vit2", "test_vit3", "test_vit4", "test_vit_relpos",
]
TORCHVISION = [
    ("alexnet", 224), ("squeezenet1_1", 96), ("mobilenet_v2", 64), ("mobilenet_v3_small", 64), ("shufflenet_v2_x0_5", 64),
    ("mnasnet0_5", 64), ("resnet18", 64), ("densenet121", 64), ("googlenet", 64), ("efficientnet_b0", 64),
    ("regnet_y_400mf", 64), ("convnext_tiny", 64),
]
KERAS = [("MobileNetV2", 64), ("MobileNetV3Small", 64), ("EfficientNetB0", 64), ("DenseNet121", 64), ("ResNet50V2", 64), ("NASNetMobile", 224)]


def settle(net, torch):
    """Statistics of batch norms and scales that initialise to constants get values that matter."""
    generator = torch.Generator().manual_seed(7)
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.8, 1.2, generator=generator)
    return net.eval()


def write(out, name, source, exporter, picture, logits, gradient, single=0.0):
    np.save(out / f"{name}.input.npy", picture.astype(np.float32))
    np.save(out / f"{name}.logits.npy", logits.astype(np.float32))
    np.save(out / f"{name}.gradient.npy", gradient.astype(np.float32))
    line = {"name": name, "source": source, "exporter": exporter, "class": int(logits.argmax()), "single": single}
    with open(out / "zoo.jsonl", "a") as f:
        f.write(json.dumps(line) + "\n")
    print(name, flush=True)


def from_torch(out, torch, name, source, net, size, dynamo):
    net = settle(net, torch)
    generator = torch.Generator().manual_seed(11)
    x = torch.rand((1, 3, size, size), generator=generator) * 2 - 1
    file = out / f"{name}.onnx"
    if dynamo:
        torch.onnx.export(net, (x,), str(file), dynamo=True, external_data=False, verbose=False)
    else:
        torch.onnx.export(net, (x,), str(file), dynamo=False, opset_version=17, input_names=["input"], output_names=["logits"])

    def gradient(net, x):
        y = x.clone().requires_grad_(True)
        logits = net(y)
        logits[0, logits[0].argmax()].backward()
        return logits[0].detach().numpy(), y.grad[0].numpy()

    _, rounded = gradient(net, x)
    logits, exact = gradient(net.double(), x.double())
    single = float(np.abs(rounded - exact).max() / np.abs(exact).max())
    exporter = "torch.onnx dynamo" if dynamo else "torch.onnx TorchScript"
    write(out, name, source, exporter, x.numpy(), logits, exact, single)


def torch_zoo(out):
    import timm
    import torch
    import torchvision

    torch.set_num_threads(1)

    def animal(name, source, make, size, dynamo):
        try:
            torch.manual_seed(3)
            net = make()
            from_torch(out, torch, name, source, net, size or net.default_cfg["input_size"][1], dynamo)
        except Exception as error:
            print(name, "was not exported:", str(error).splitlines()[0][:150], flush=True)

    for name in TIMM:
        for dynamo in (False, True):
            full = f"{name}-{'dynamo' if dynamo else 'script'}"
            animal(full, f"timm {timm.__version__}", lambda: timm.create_model(name, pretrained=False, num_classes=10), None, dynamo)
    for name, size in TORCHVISION:
        extra = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
        source = f"torchvision {torchvision.__version__.split('+')[0]}"
        animal(name, source, lambda: getattr(torchvision.models, name)(weights=None, num_classes=10, **extra), size, False)
    quantised(out, "resnet18", "resnet18-qdq")


def quantised(out, base, name):
    """The static QDQ form of an export, calibrated on its own input; its gradient is that of the float network."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Once(CalibrationDataReader):
        def __init__(self):
            self.rows = iter([{"input": np.load(out / f"{base}.input.npy")}])

        def get_next(self):
            return next(self.rows, None)

    quantize_static(str(out / f"{base}.onnx"), str(out / f"{name}.onnx"), Once(), quant_format=QuantFormat.QDQ)
    arrays = [np.load(out / f"{base}.{part}.npy") for part in ("input", "logits", "gradient")]
    write(out, name, "onnxruntime static quantisation", "QDQ", *arrays)


def keras_gradient(tf, name, size, extra, net, x, precision):
    """The same weights in this precision: logits [K], and the gradient of the largest [C, H, W]."""
    tf.keras.config.set_dtype_policy(precision)
    same = getattr(tf.keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None, **extra)
    same.set_weights([w.astype(precision) for w in net.get_weights()])
    y = tf.Variable(x.astype(precision))
    with tf.GradientTape() as tape:
        logits = same(y, training=False)
        top = logits[0, int(tf.argmax(logits[0]))]
    gradient = tape.gradient(top, y).numpy()[0].transpose(2, 0, 1)
    tf.keras.config.set_dtype_policy("float32")
    return logits[0].numpy(), gradient


def keras_zoo(out):
    import tensorflow as tf
    import tf2onnx

    tf.random.set_seed(3)
    for name, size in KERAS:
        extra = {"include_preprocessing": False} if name == "MobileNetV3Small" else {}
        net = getattr(tf.keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None, **extra)
        x = np.random.default_rng(11).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
        spec = (tf.TensorSpec((1, size, size, 3), tf.float32, name="input"),)
        function = tf.function(lambda input, net=net: net(input, training=False), input_signature=spec)
        tf2onnx.convert.from_function(function, input_signature=spec, opset=17, output_path=str(out / f"keras-{name}.onnx"))
        logits, exact = keras_gradient(tf, name, size, extra, net, x, "float64")
        _, rounded = keras_gradient(tf, name, size, extra, net, x, "float32")
        single = float(np.abs(rounded - exact).max() / np.abs(exact).max())
        source = f"Keras {tf.keras.__version__}"
        write(out, f"keras-{name}", source, f"tf2onnx {tf2onnx.__version__}", x.transpose(0, 3, 1, 2), logits, exact, single)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--keras", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    (keras_zoo if arguments.keras else torch_zoo)(arguments.out)
