"""Stores the weights of an exported network small: 8-bit with a dequantising node, or float16 with a cast.

`round_weights` applies the same rounding to the PyTorch module, so that references are made from what the file really holds.
"""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

MINIMUM = 64            # tensors with fewer values stay float32


def quantise(w):
    """uint8 codes, scale and offset with w ~ code * scale + offset, over the whole tensor."""
    low, high = np.float32(w.min()), np.float32(w.max())
    scale = np.float32((high - low) / np.float32(255))
    return np.clip(np.rint((w - low) / scale), 0, 255).astype(np.uint8), scale, low


def quantise_symmetric(w):
    """uint8 codes and scale with w ~ (code - 128) * scale, as DequantizeLinear reads them."""
    scale = np.float32(np.abs(w).max() / np.float32(127))
    return (np.clip(np.rint(w / scale), -127, 127) + 128).astype(np.uint8), scale


def rounded(w, kind):
    w = np.asarray(w, np.float32)
    if kind == "f16":
        return w.astype(np.float16).astype(np.float32)
    if kind == "u8":
        code, scale = quantise_symmetric(w)
        return (code.astype(np.float32) - np.float32(128)) * scale
    code, scale, low = quantise(w)
    return code.astype(np.float32) * scale + low


def is_packed(w):
    return w.ndim >= 2 and w.size >= MINIMUM


def round_weights(module, kind):
    if kind:
        for p in module.parameters():
            if is_packed(p.detach().numpy()):
                p.data = torch.from_numpy(rounded(p.detach().numpy(), kind))
    return module


def nodes_for(name, w, kind):
    """The initialisers and nodes that make tensor `name` from its packed form."""
    const = lambda suffix, value: numpy_helper.from_array(np.asarray(value), f"{name}.{suffix}")
    node = lambda op, inputs, out, **kw: helper.make_node(op, inputs, [out], name=f"{out}/{op}", **kw)
    if kind == "f16":
        return [const("f16", w.astype(np.float16))], [node("Cast", [f"{name}.f16"], name, to=TensorProto.FLOAT)]
    if kind == "u8":
        code, scale = quantise_symmetric(w)
        inits = [const("u8", code), const("scale", scale), const("zero", np.uint8(128))]
        return inits, [node("DequantizeLinear", [i.name for i in inits], name)]
    code, scale, low = quantise(w)
    inits = [const("u8", code), const("scale", scale), const("offset", low)]
    return inits, [
        node("Cast", [f"{name}.u8"], f"{name}.cast", to=TensorProto.FLOAT),
        node("Mul", [f"{name}.cast", f"{name}.scale"], f"{name}.scaled"),
        node("Add", [f"{name}.scaled", f"{name}.offset"], name),
    ]


def pack(model, kind):
    """Replaces every large float32 initialiser of an ONNX model by its packed form, in place."""
    inits, nodes = [], []
    for init in model.graph.initializer:
        w = numpy_helper.to_array(init)
        if w.dtype == np.float32 and is_packed(w):
            i, n = nodes_for(init.name, w, kind)
            inits += i
            nodes += n
        else:
            inits.append(init)
    body = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(inits)
    model.graph.node.extend(nodes + body)
    return model


def contradict(model):
    """Adds value_info that is true for no batch but 3, as some exporters leave behind: readers should infer shapes themselves."""
    model = onnx.shape_inference.infer_shapes(model)
    for info in model.graph.value_info:
        dims = info.type.tensor_type.shape.dim
        if len(dims) == 4:
            dims[0].ClearField("dim_param")
            dims[0].dim_value = 3
    return model


def finish(path, module, kind, symbolic):
    model = onnx.load(str(path))
    model.doc_string = ""
    if kind:
        pack(model, kind)
    if symbolic:
        model = contradict(model)
    else:
        onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
