"""Makes the networks that the benchmarks run, each in the formats that the engines read.

    python networks.py onnx   [--out DIR]     with torch and torchvision: the ONNX files
    python networks.py others [--out DIR]     with tensorflow: `.tflite` for one and for sixteen pictures, and a list of
                                              layers with weights for TensorFlow.js; both are read off the ONNX file

The two environments may be one (`requirements.txt`). EfficientNet-Lite0 is the committed network; MobileNetV2,
SqueezeNet 1.1 and ResNet-18 are torchvision's with seeded random weights, whose batch norms have seen random pictures,
so that activations have ordinary sizes. Every file is checked against onnxruntime: the largest difference of the
answers must be below 1e-4 of the largest logit.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SIDE = 224
BATCHES = (1, 16)
TOLERANCE = 1e-4
NETWORKS = {
    "efficientnet-lite0": "EfficientNet-Lite0",
    "mobilenet-v2": "MobileNetV2",
    "squeezenet-1-1": "SqueezeNet 1.1",
    "resnet-18": "ResNet-18",
}


def pictures(n):
    """`[n, 3, SIDE, SIDE]` of smooth values, the same in every run."""
    i = np.arange(n * 3 * SIDE * SIDE, dtype=np.float64)
    return (np.sin(i * 0.37) + np.cos(i * 0.011)).astype(np.float32).reshape(n, 3, SIDE, SIDE)


def answers(path, x):
    """onnxruntime's."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def check(what, found, expected):
    difference = np.abs(found.reshape(expected.shape) - expected).max() / np.abs(expected).max()
    print(f"{what}: {difference:.1e} of the largest logit from onnxruntime")
    if not difference < TOLERANCE:
        raise SystemExit(f"{what} differs by {difference:.1e}, more than {TOLERANCE}")


# --- ONNX ---------------------------------------------------------------------------------------------------------


def torchvision_network(name):
    """The network in evaluation mode; also what `jobs.py` runs."""
    import torch
    import torchvision

    make = {
        "mobilenet-v2": torchvision.models.mobilenet_v2,
        "squeezenet-1-1": torchvision.models.squeezenet1_1,
        "resnet-18": torchvision.models.resnet18,
    }[name]
    torch.manual_seed(0)
    network = make(weights=None)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    network.train()
    with torch.no_grad():
        for _ in range(4):
            network(torch.randn(8, 3, SIDE, SIDE))
    return network.eval()


def onnx_files(out):
    import torch

    out.mkdir(parents=True, exist_ok=True)
    for name in NETWORKS:
        path = out / f"{name}.onnx"
        if name == "efficientnet-lite0":
            shutil.copyfile(ROOT / "models" / name / "model.onnx", path)
            continue
        network = torchvision_network(name)
        x = torch.from_numpy(pictures(2))
        torch.onnx.export(
            network, x, str(path), input_names=["input"], output_names=["logits"], opset_version=17, dynamo=False,
            dynamic_axes={"input": {0: "N", 2: "H", 3: "W"}, "logits": {0: "N"}},
        )
        with torch.no_grad():
            check(f"{name}, PyTorch", network(x).numpy(), answers(path, x.numpy()))


# --- Layers, read off the ONNX file ---------------------------------------------------------------------------------


def layers(path):
    """The network as a list of layers in NHWC: dictionaries of plain values, weights as arrays (HWIO, or HWC1)."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    made, alias, fused = [], {}, set()

    def activation(name):
        """The activation that alone reads `name`, and what then carries its value."""
        [reader, *more] = readers.get(name, [None])
        if more or reader is None or reader.op_type not in ("Relu", "Clip"):
            return "none", name
        fused.add(reader.output[0])
        return act_of(reader), reader.output[0]

    def act_of(node):
        if node.op_type == "Relu":
            return "relu"
        low, high = (float(values[name]) for name in node.input[1:3])
        assert (low, high) == (0.0, 6.0), node
        return "relu6"

    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [alias.get(name, name) for name in node.input]
        op, out = node.op_type, node.output[0]
        if out in fused or op == "Constant":
            continue
        if op == "Cast":
            assert attributes["to"] == onnx.TensorProto.FLOAT, node
            values[out] = values[inputs[0]].astype(np.float32)
        elif op == "Conv":
            weight = values[inputs[1]].astype(np.float32)
            bias = values[inputs[2]] if len(inputs) > 2 else np.zeros(weight.shape[0], np.float32)
            group = attributes.get("group", 1)
            depthwise = group == weight.shape[0] and group > 1
            assert (depthwise or group == 1) and set(attributes.get("dilations", [1])) == {1}, node
            act, result = activation(out)
            made.append(dict(
                op="depthwise" if depthwise else "conv", reads=inputs[:1], out=result, act=act,
                weight=weight.transpose(2, 3, 0, 1) if depthwise else weight.transpose(2, 3, 1, 0),
                bias=bias.astype(np.float32), strides=list(attributes.get("strides", [1, 1])),
                pads=list(attributes.get("pads", [0, 0, 0, 0])),
            ))
        elif op == "MaxPool":
            # With ceil_mode a window may hang over the border; at this size of picture none does, which the check of
            # the whole network's answer would show.
            made.append(dict(
                op="max-pool", reads=inputs[:1], out=out, act="none", kernel=list(attributes["kernel_shape"]),
                strides=list(attributes["strides"]), pads=list(attributes.get("pads", [0, 0, 0, 0])),
            ))
        elif op == "GlobalAveragePool" or (op == "ReduceMean" and list(axes_of(attributes, values, inputs)) == [2, 3]):
            made.append(dict(op="mean", reads=inputs[:1], out=out, act="none"))
        elif op == "Gemm":
            weight = values[inputs[1]].astype(np.float32)
            weight = weight.T if attributes.get("transB", 0) else weight
            assert attributes.get("alpha", 1.0) == attributes.get("beta", 1.0) == 1.0, node
            made.append(dict(op="dense", reads=inputs[:1], out=out, act="none", weight=weight, bias=values[inputs[2]]))
        elif op in ("Add", "Concat"):
            act, result = activation(out) if op == "Add" else ("none", out)
            made.append(dict(op=op.lower(), reads=inputs, out=result, act=act))
        elif op in ("Relu", "Clip"):
            made.append(dict(op="activation", reads=inputs[:1], out=out, act=act_of(node)))
        elif op in ("Flatten", "Reshape", "Identity"):
            # Every one of these networks flattens after its mean, where there is nothing left to flatten.
            alias[out] = inputs[0]
        else:
            raise SystemExit(f"{path.name} has the operator {op}, which this script can't carry over")
    target = graph.output[0].name
    return graph.input[0].name, alias.get(target, target), made


def output_name(path):
    """The ONNX file's own name of its output, which may only be another name of a layer's value."""
    import onnx

    return onnx.load(str(path)).graph.output[0].name


def axes_of(attributes, values, inputs):
    return attributes.get("axes", values.get(inputs[1]) if len(inputs) > 1 else None)


def operations(source, made):
    """Multiplications and additions of one picture."""
    size, total = {source: (SIDE, SIDE)}, 0
    for layer in made:
        height, width = size.get(layer["reads"][0], (1, 1))
        if "strides" in layer:
            kernel = layer["kernel"] if "kernel" in layer else layer["weight"].shape[:2]
            top, left, bottom, right = layer["pads"]
            height = (height + top + bottom - kernel[0]) // layer["strides"][0] + 1
            width = (width + left + right - kernel[1]) // layer["strides"][1] + 1
        if layer["op"] == "mean":
            height, width = 1, 1
        if "weight" in layer:
            total += 2 * height * width * layer["weight"].size
        size[layer["out"]] = (height, width)
    return total


# --- .tflite --------------------------------------------------------------------------------------------------------


def same(side, kernel, stride):
    """TensorFlow's `SAME` padding: before, after."""
    whole = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return whole // 2, whole - whole // 2


def keras_model(source, target, made, batch):
    import keras

    x = keras.Input(batch_shape=(batch, SIDE, SIDE, 3))
    values = {source: x}
    acts = {"none": None, "relu": "relu", "relu6": "relu6"}
    for layer in made:
        reads = [values[name] for name in layer["reads"]]
        y, act = reads[0], acts[layer["act"]]
        padding = "valid"
        if any(layer.get("pads", [])):
            (top, left, bottom, right), (sy, sx) = layer["pads"], layer["strides"]
            ky, kx = layer["kernel"] if "kernel" in layer else layer["weight"].shape[:2]
            if ((top, bottom), (left, right)) == (same(y.shape[1], ky, sy), same(y.shape[2], kx, sx)):
                padding = "same"
            else:
                # Zeros also before a maximum: what it reads has been through a ReLU.
                y = keras.layers.ZeroPadding2D(((top, bottom), (left, right)))(y)
        if layer["op"] == "conv":
            made_by = keras.layers.Conv2D(
                layer["weight"].shape[3], layer["weight"].shape[:2], layer["strides"], padding, activation=act
            )
        elif layer["op"] == "depthwise":
            made_by = keras.layers.DepthwiseConv2D(
                layer["weight"].shape[:2], layer["strides"], padding, activation=act
            )
        elif layer["op"] == "max-pool":
            made_by = keras.layers.MaxPooling2D(layer["kernel"], layer["strides"], padding)
        elif layer["op"] == "mean":
            made_by = keras.layers.GlobalAveragePooling2D()
        elif layer["op"] == "dense":
            made_by = keras.layers.Dense(layer["weight"].shape[1])
        elif layer["op"] == "activation":
            made_by = keras.layers.ReLU(max_value=6.0 if act == "relu6" else None)
        else:
            y = keras.layers.Add()(reads) if layer["op"] == "add" else keras.layers.Concatenate()(reads)
            made_by = keras.layers.Activation(act) if act else None
        y = made_by(y) if made_by else y
        if "weight" in layer:
            made_by.set_weights([layer["weight"], layer["bias"]])
        values[layer["out"]] = y
    return keras.Model(x, values[target])


def tflite_files(out, name, parsed):
    import tensorflow as tf

    for batch in BATCHES:
        path = out / f"{name}.b{batch}.tflite"
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(keras_model(*parsed, batch)).convert())
        interpreter = tf.lite.Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
        x = pictures(batch)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x.transpose(0, 2, 3, 1))
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        check(f"{path.name}", found, answers(out / f"{name}.onnx", x))


# --- TensorFlow.js --------------------------------------------------------------------------------------------------


def layer_files(out, name, parsed):
    """`NAME.layers.json` and `NAME.weights.bin`: little-endian float32, offsets in elements."""
    source, target, made = parsed
    offset, weights, plain = 0, [], []
    for layer in made:
        layer = dict(layer)
        for key in ("weight", "bias"):
            if key in layer:
                array = np.ascontiguousarray(layer[key], dtype="<f4")
                layer[key] = {"offset": offset, "shape": list(array.shape)}
                offset += array.size
                weights.append(array.tobytes())
        plain.append(layer)
    (out / f"{name}.weights.bin").write_bytes(b"".join(weights))
    (out / f"{name}.layers.json").write_text(json.dumps({"source": source, "target": target, "layers": plain}))


def others(out):
    index = []
    for name, title in NETWORKS.items():
        path = out / f"{name}.onnx"
        parsed = layers(path)
        layer_files(out, name, parsed)
        tflite_files(out, name, parsed)
        data = path.read_bytes()
        index.append({
            "id": name, "name": title, "source": parsed[0], "target": output_name(path), "side": SIDE,
            "operations": operations(parsed[0], parsed[2]), "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        })
    (out / "networks.json").write_text(json.dumps(index, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["onnx", "others"])
    parser.add_argument("--out", type=Path, default=ROOT / "benches" / "networks")
    arguments = parser.parse_args()
    (onnx_files if arguments.step == "onnx" else others)(arguments.out)


if __name__ == "__main__":
    main()
