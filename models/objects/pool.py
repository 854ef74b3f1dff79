"""What compositions are made from: objects and distractors (fluent-emoji-3d), photographs (gcompris-qt-data, scikit-image) and textures.

Both packages are unpacked beforehand (README.md says how); nothing here reads the network.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

# Class -> emoji of it. Everything that shows such an object and is not listed here is kept out of the distractors too.
CLASSES = {
    "airplane": "2708-fe0f 1f6e9-fe0f",
    "apple": "1f34e 1f34f",
    "bicycle": "1f6b2",
    "book": "1f4d5 1f4d7 1f4d8 1f4d9 1f4d6",
    "car": "1f697 1f699 1f695 1f698 1f693 1f696",
    "cat": "1f408 1f431 1f408-200d-2b1b",
    "clock": "1f550 1f553 1f559 23f0 1f570-fe0f",
    "cup": "2615 1f375",
    "dog": "1f415 1f436 1f429",
    "fish": "1f41f 1f420 1f421",
    "flower": "1f33b 1f33c 1f33a 1f338",
    "guitar": "1f3b8",
    "hat": "1f452 1f3a9 1f9e2",
    "key": "1f511 1f5dd-fe0f",
    "mushroom": "1f344",
    "umbrella": "2602-fe0f 2614",
}
LABELS = tuple(CLASSES)

# Objects of no class. The second half is seen in the held-out compositions only.
DISTRACTORS = (
    "1f34c 1f353 1f347 1f951 1f955 1f33d 1f95a 1f9c0 1f355 1f354 1f369 1f36a 1f370 1f382 1f36d 1f9f8 1f3b2 1f9e9 1f381 1f388 1f9f2 1f52b "
    "1f50b 1f4a1 1f526 1f6d2 1f4e6 1f4ed 270f-fe0f 1f58d-fe0f 1f4cf 1f4ce 2702-fe0f 1f512 1f528 1fa93 1f527 1f529 1f9f1 1fa9c"
).split(), (
    "1f349 1f34d 1f96d 1f95d 1f966 1f336-fe0f 1f95e 1f9c7 1f32d 1f32e 1f366 1f36b 1f3af 1f3b3 1f3ae 1fa81 1f380 1f9f5 1f9f6 1f48e "
    "1f4f7 1f4fa 1f4bb 1f5a8-fe0f 260e-fe0f 1f4e3 1f514 1f3ba 1fa98 1f6b0 1faa3 1f9fd 1f9fa 1f6aa 1fa91 1f6cb-fe0f 1f4a3 1f9ea 1f52d 1f6f4"
).split()

# Folders of gcompris-qt-data (below activities/) whose photographs are CC0 or in the public domain, but for those left out.
PHOTO_FOLDERS = (
    "explore_monuments/resource/egypt", "explore_monuments/resource/france", "explore_monuments/resource/germany",
    "explore_monuments/resource/india", "explore_monuments/resource/usa", "explore_monuments/resource/wonders",
    "categorization/resource/images/monuments", "categorization/resource/images/renewable",
)
NOT_FREE = ("renewable/windmill6.webp", "wonders/chichenItza.webp", "wonders/christTheRedeemer.webp", "wonders/tajMahal.webp")
TEXTURES = ("brick.png", "grass.png", "gravel.png", "moon.png", "hubble_deep_field.jpg", "rocket.jpg")
HELD_OUT_SHARE = 4      # every fourth photograph, in the order of the names, is held out


def load_emoji(folder, code, side=128):
    picture = Image.open(Path(folder) / f"{code}.webp").convert("RGBA")
    return picture.resize((side, side), Image.Resampling.LANCZOS) if side != picture.width else picture


def load_photos(folder, split, shortest=320):
    """The photographs of one split ("train" or "held-out"), reduced so that the shorter side is `shortest` pixels."""
    import skimage

    files = sorted(f for sub in PHOTO_FOLDERS for f in (Path(folder) / sub).glob("*.webp"))
    files = [f for f in files if f"{f.parent.name}/{f.name}" not in NOT_FREE]
    files += [Path(skimage.data_dir) / t for t in TEXTURES]
    photos = []
    for i, file in enumerate(files):
        if (i % HELD_OUT_SHARE == HELD_OUT_SHARE - 1) != (split == "held-out"):
            continue
        picture = Image.open(file).convert("RGB")
        scale = shortest / min(picture.size)
        if scale < 1:
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BOX)
        photos.append((f"{file.parent.name}/{file.name}", picture))
    return photos


def texture(rng, side):
    """A procedural background: a gradient, clouds, stripes, a chequer or dots, in two to three random colours."""
    a, b, c = rng.integers(0, 256, (3, 3)).astype(np.float32)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    f = rng.uniform(2, 14)
    kind = rng.integers(5)
    if kind == 0:
        t = (along - along.min()) / np.ptp(along)
    elif kind == 1:
        t = clouds(rng, side)
    elif kind == 2:
        t = 0.5 + 0.5 * np.tanh(rng.uniform(1, 8) * np.sin(2 * np.pi * f * along + phase))
    elif kind == 3:
        t = ((np.floor(f * along) + np.floor(f * across)) % 2).astype(np.float32)
    else:
        t = 0.5 + 0.5 * np.tanh(4 * (np.sin(2 * np.pi * f * along + phase) + np.sin(2 * np.pi * f * across) - 0.6))
    colour = a + (b - a) * t[..., None]
    if rng.random() < 0.5:
        colour += (c - colour) * (0.6 * clouds(rng, side))[..., None]
    return Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))


def clouds(rng, side):
    total = np.zeros((side, side), np.float32)
    for octave in range(5):
        n = 2 ** (octave + 1) + 1
        small = Image.fromarray((rng.random((n, n)) * 255).astype(np.uint8))
        total += np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255 / 2**octave
    return (total - total.min()) / max(np.ptp(total), 1e-6)


def blur(picture, radius):
    return picture.filter(ImageFilter.GaussianBlur(radius))
