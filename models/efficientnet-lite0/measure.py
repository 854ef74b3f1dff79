"""Compares model.onnx (float16 weights) with the package's float32 network on photographs, preprocessed as card.toml says.

    python measure.py FOLDER…      # every .webp, .jpg and .png below, e.g. the unpacked photographs of gcompris-qt-data

scikit-image's, scikit-learn's and foolbox's (twenty of ImageNet, with labels) are added. None of them ships because of this.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

import convert

HERE = Path(__file__).resolve().parent


def preprocess(picture, filter=Image.Resampling.BICUBIC):
    """Shorter side to 256, centre crop 224, then (RGB - 127) / 128."""
    picture = picture.convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), filter)
    x, y = (picture.width - 224) // 2, (picture.height - 224) // 2
    array = np.asarray(picture.crop((x, y, x + 224, y + 224)), np.float32)
    return ((array - 127) / 128).transpose(2, 0, 1)


def photographs(folders):
    import foolbox
    import skimage
    import sklearn.datasets

    files = [f for folder in folders for f in sorted(Path(folder).rglob("*")) if f.suffix in (".webp", ".jpg", ".png")]
    files += [Path(skimage.data_dir) / n for n in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "hubble_deep_field.jpg")]
    for f in files:
        picture = Image.open(f)
        if min(picture.size) >= 100:
            yield f.name, None, picture
    for name in ("china.jpg", "flower.jpg"):
        yield name, None, Image.fromarray(sklearn.datasets.load_sample_image(name))
    data = Path(foolbox.__file__).parent / "data"
    for f in sorted(data.glob("imagenet_*")):
        yield f.name, int(f.stem.split("_")[-1]), Image.open(f)


if __name__ == "__main__":
    net = convert.original()
    run = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
    seen, same, worst, top, labelled, right = 0, 0, 0.0, 0.0, 0, 0
    for name, label, picture in photographs(sys.argv[1:]):
        x = preprocess(picture)[None]
        with torch.no_grad():
            a = net(torch.from_numpy(x)).numpy()[0]
        b = run.run(None, {"input": x})[0][0]
        seen += 1
        same += a.argmax() == b.argmax()
        worst, top = max(worst, np.abs(a - b).max()), max(top, np.abs(a).max())
        if a.argmax() != b.argmax():
            print(f"differs: {name}: {a.argmax()} {np.sort(a)[-2:]} / {b.argmax()} {np.sort(b)[-2:]}")
        if label is not None:
            labelled, right = labelled + 1, right + (b.argmax() == label)
    print(f"{same} of {seen} agree ({same / seen:.4f}); largest logit difference {worst:.4f} of {top:.2f}; foolbox labels {right} of {labelled}")
