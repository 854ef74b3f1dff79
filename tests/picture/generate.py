"""What Pillow and torchvision make of a small picture: *.npy, [C, H, W], pixel values 0 to 1.

`python generate.py`, with numpy, Pillow and torchvision. The picture is a formula, repeated in ../picture.rs.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Grayscale, InterpolationMode, Resize

HERE = Path(__file__).resolve().parent


def picture(width, height):
    i = np.arange(height * width * 3, dtype=np.int64)
    x, y, c = i // 3 % width, i // 3 // width, i % 3
    wave = (x * 7 + y * 13 + c * 50) % 256
    edge = ((x // 5 + y // 4) % 2) * 120
    return Image.fromarray(((wave // 2 + edge) % 256).astype(np.uint8).reshape(height, width, 3))


def save(name, image):
    pixels = np.asarray(image, np.float32) / 255
    pixels = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
    with open(HERE / f"{name}.npy", "wb") as f:
        np.lib.format.write_array(f, np.ascontiguousarray(pixels), version=(1, 0))


if __name__ == "__main__":
    cubic, linear, nearest = InterpolationMode.BICUBIC, InterpolationMode.BILINEAR, InterpolationMode.NEAREST
    wide, tall = picture(61, 37), picture(23, 41)
    save("shrink-bicubic", Compose([Resize(20, cubic), CenterCrop(16)])(wide))
    save("shrink-bilinear", Compose([Resize(19, linear), CenterCrop(16)])(wide))
    save("enlarge-bicubic", Compose([Resize(35, cubic), CenterCrop(32)])(tall))
    save("stretch-bilinear", wide.resize((16, 16), Image.BILINEAR))
    save("stretch-nearest", tall.resize((16, 16), Image.NEAREST))
    save("grey-bilinear", Compose([Grayscale(), Resize(20, linear), CenterCrop(16)])(wide))
