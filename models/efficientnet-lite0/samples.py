"""Writes samples/*.jpg: real photographs whose licence lets anyone ship them, at most 640 pixels on the longer side.

    python samples.py ACTIVITIES       # the unpacked activities/ folder of gcompris-qt-data 3.1
"""

import sys
from pathlib import Path

import skimage
from PIL import Image

HERE = Path(__file__).resolve().parent
GCOMPRIS = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
FILES = {
    "cat": Path(skimage.data_dir) / "chelsea.png",
    "coffee": Path(skimage.data_dir) / "coffee.png",
    "shepherd": GCOMPRIS / "explore_farm_animals/resource/animals/dog.webp",
    "panda": GCOMPRIS / "explore_world_animals/resource/animals/panda.webp",
    "macaw": GCOMPRIS / "explore_world_animals/resource/animals/scarlet_macaw.webp",
    "crab": GCOMPRIS / "erase/resource/crab.webp",
}

if __name__ == "__main__":
    for name, file in FILES.items():
        picture = Image.open(file).convert("RGB")
        picture.thumbnail((640, 640), Image.Resampling.LANCZOS)
        out = HERE / "samples" / f"{name}.jpg"
        for quality in range(88, 50, -4):
            picture.save(out, quality=quality, optimize=True, subsampling="4:2:0")
            if out.stat().st_size <= 100_000:
                break
        print(out.name, picture.size, out.stat().st_size, quality)
