"""inputs/efficientnet-lite0-*.npy and inputs/objects-*.npy: samples of the bundled models, preprocessed as their cards say, by Pillow."""

import tomllib

import numpy as np
from PIL import Image

from common import INPUTS, MODELS, save

SAMPLES = {"efficientnet-lite0": ("samples/cat.jpg", "samples/macaw.jpg"), "objects": None}


def preprocess(picture, card):
    how = card["preprocessing"]
    filter = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[how["interpolation"]]
    assert how["resize"] == "shorter-side"
    scale = how["size"] / min(picture.size)
    picture = picture.convert("RGB").resize((round(picture.width * scale), round(picture.height * scale)), filter)
    x, y = (picture.width - how["crop"]) // 2, (picture.height - how["crop"]) // 2
    array = np.asarray(picture.crop((x, y, x + how["crop"], y + how["crop"])), np.float64) / 255
    return ((array - how["mean"]) / how["std"]).transpose(2, 0, 1)


if __name__ == "__main__":
    for model, files in SAMPLES.items():
        if not (MODELS / model / "card.toml").exists():
            continue
        card = tomllib.loads((MODELS / model / "card.toml").read_text())
        for i, file in enumerate(files or [s["file"] for s in card["sample"][:2]]):
            save(INPUTS / f"{model}-{i}.npy", preprocess(Image.open(MODELS / model / file), card))
            print(f"{model}-{i}.npy from {file}")
