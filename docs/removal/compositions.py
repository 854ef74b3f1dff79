"""Writes the compositions of the study: pictures with the exact mask of the object, and compositions.tsv with what they are made of.

    python compositions.py --emoji package/assets --photos activities --out FOLDER [--count 160] [--split held-out]

FOLDER/pictures/LABEL/NNNN.png and FOLDER/masks/LABEL/NNNN.png, 256 x 256. models/objects/README.md says where both packages come from.
Every class gets the same number. `--split train` draws from what the network was trained on: for `lucarne study features`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "models" / "objects"))
import compose  # noqa: E402
import pool  # noqa: E402

SEED = {"held-out": 11, "train": 12}

if __name__ == "__main__":
    args = argparse.ArgumentParser()
    args.add_argument("--emoji", required=True)
    args.add_argument("--photos", required=True)
    args.add_argument("--out", required=True, type=Path)
    args.add_argument("--count", type=int, default=160)
    args.add_argument("--split", choices=SEED, default="held-out")
    args = args.parse_args()
    composer = compose.Composer(args.emoji, args.photos, args.split, object_side=256)
    lines = ["file\tmade of"]
    for i in range(args.count):
        made = composer.draw(np.random.default_rng((SEED[args.split], i)), 256, i % len(pool.LABELS))
        name = f"{pool.LABELS[made.label]}/{i:04}.png"
        for kind, picture in (("pictures", made.picture), ("masks", made.mask)):
            file = args.out / kind / name
            file.parent.mkdir(parents=True, exist_ok=True)
            picture.save(file)
        lines.append(f"{name}\t{made.origin}")
    if args.split == "held-out":
        (HERE / "compositions.tsv").write_text("\n".join(lines) + "\n")
