"""Makes OUT/evaluation and OUT/training: photographs under free licences, from Debian packages and scikit-image, and split.tsv.

    python fetch.py OUT            # downloads three Debian packages with apt-get (74 MB), unpacks them under OUT/packages

Which photograph belongs to which half is decided by its folder (FOLDERS), never by chance, so that no two crops of one picture, nor two
pictures of one session of a camera, fall on both sides. What looks like a picture of the evaluation half (difference hash of the picture
and of its mirror image, at most NEAR of 64 bits apart) is left out of training. Licence and author come from the README beside the files;
a file without a free licence there is left out. split.tsv beside this script is what came out, with checksums: `--check` compares.
"""

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import unpack_rcc  # noqa: E402

HERE = Path(__file__).resolve().parent
Image.MAX_IMAGE_PIXELS = None
PACKAGES = {"gcompris-qt-data": "3.1-2", "lomiri-wallpapers-16.04": "20.04.0-2", "lomiri-wallpapers-20.04": "20.04.0-2"}
ACTIVITIES = "gcompris/src/activities"
CATEGORIES = "categorization/resource/images"
FOLDERS = {
    "evaluation": (
        f"{CATEGORIES}/tools", f"{CATEGORIES}/renewable", f"{CATEGORIES}/fishes", f"{CATEGORIES}/monuments", f"{CATEGORIES}/others",
        "explore_farm_animals/resource/animals", "explore_world_animals/resource/animals", "explore_world_music/resource/music",
        "explore_monuments/resource/egypt", "explore_monuments/resource/india", "explore_monuments/resource/usa",
        "explore_monuments/resource/wonders",
    ),
    "training": ("erase/resource", "explore_monuments/resource/france", "explore_monuments/resource/germany"),
}
# Of scikit-image; licences as its data/README.txt states them.
SCIKIT = {
    "astronaut.png": "public domain (NASA)", "brick.png": "CC0-1.0", "chelsea.png": "CC0-1.0", "coffee.png": "CC0-1.0", "grass.png": "CC0-1.0",
    "gravel.png": "CC0-1.0", "hubble_deep_field.jpg": "public domain (NASA)", "motorcycle_left.png": "CC0-1.0", "rocket.jpg": "CC0-1.0 (SpaceX)",
}
FREE = re.compile(r"^(CC0|CC[- ]BY(-SA)?[- ]\d|public domain)", re.I)
SHORTER, NEAR = 1024, 8


def readme(folder, stop):
    """File name -> (licence, author), from the READMEs beside and above the files."""
    found = {}
    while folder != stop:
        if (folder / "README").exists():
            for block in re.split(r"\n\s*\n", (folder / "README").read_text(errors="replace")):
                fields, key = {}, None
                for line in block.splitlines():
                    match = re.match(r"(Copyright|License|Source|Comments?|Files):\s*(.*)", line)
                    key = match[1] if match else key
                    fields.setdefault(key, []).append(match[2] if match else line.strip())
                for name in fields.get("Files", []):
                    if name and "License" in fields:
                        found.setdefault(Path(name).name, (fields["License"][0].strip(), " ".join(fields.get("Copyright", ["?"])).strip()))
        folder = folder.parent
    return found


def copyright_file(path):
    """Base name -> (licence, author), from a machine-readable debian/copyright."""
    found = {}
    for block in re.split(r"\n\s*\n", path.read_text()):
        files, owner, licence = (re.search(rf"^{k}: *(.+)$", block, re.M) for k in ("Files", "Copyright", "License"))
        if files and licence:
            found[Path(files[1].strip()).name] = (licence[1].strip(), owner[1].strip())
    return found


def difference_hash(picture):
    small = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), np.int16)
    return (small[:, 1:] > small[:, :-1]).ravel()


def same(a, b):
    return min(np.count_nonzero(a[0] != b[0]), np.count_nonzero(a[0] != b[1])) <= NEAR


def sources(packages):
    """(half, name, file, licence, author) of every candidate."""
    import skimage

    root = packages / "rcc" / ACTIVITIES
    for half, folders in FOLDERS.items():
        for sub in folders:
            licences = readme(root / sub, root)
            for file in sorted((root / sub).glob("*.webp")):
                parts = [p for p in sub.split("/") if p not in ("resource", "images")]
                yield half, "-".join([*parts, file.stem]), file, *licences.get(file.name, ("unknown", "?"))
    for name in (n for n in PACKAGES if n.startswith("lomiri")):
        licences = copyright_file(packages / name / "usr/share/doc" / name / "copyright")
        for file in sorted((packages / name / "usr/share/backgrounds").glob("*.jpg")):
            if not file.is_symlink():
                yield "training", f"lomiri-{file.stem}", file, *licences.get(file.name, ("unknown", "?"))
    for name, licence in SCIKIT.items():
        yield "training", f"scikit-image-{Path(name).stem}", Path(skimage.data_dir) / name, licence, "see its data/README.txt"


def unpack(out):
    out.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        if not (out / name).exists():
            if not list(out.glob(f"{name}_*.deb")):
                subprocess.run(["apt-get", "download", name], cwd=out, check=True)
            subprocess.run(["dpkg-deb", "-x", next(out.glob(f"{name}_*.deb")), out / name], check=True)
    if not (out / "rcc").exists():
        for file in sorted((out / "gcompris-qt-data").rglob("*.rcc")):
            unpack_rcc.unpack(file, out / "rcc")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--check", action="store_true", help="fail where the outcome differs from the committed split.tsv")
    options = arguments.parse_args()
    unpack(options.out / "packages")
    rows, kept, refused = [], {"evaluation": [], "training": []}, []
    for half, name, file, licence, author in sources(options.out / "packages"):
        if not FREE.match(licence):
            refused.append((name, licence))
            continue
        picture = Image.open(file).convert("RGB")
        pair = (difference_hash(picture), difference_hash(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
        if half == "training" and any(same(pair, other) for other in kept["evaluation"]):
            refused.append((name, "looks like a photograph of the evaluation half"))
            continue
        kept[half].append(pair)
        scale = SHORTER / min(picture.size)
        if scale < 1:
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)
        target = options.out / half / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target, compress_level=1)
        rows.append("\t".join((half, name, *map(str, picture.size), licence, author, hashlib.sha256(file.read_bytes()).hexdigest())))
    for name, why in refused:
        print(f"left out: {name}: {why}")
    for half, pairs in kept.items():
        print(half, len(pairs))
    text = "half\tname\twidth\theight\tlicence\tauthor\tsha256 of the source\n" + "\n".join(rows) + "\n"
    if options.check:
        assert text == (HERE / "split.tsv").read_text(), "the outcome is not split.tsv's"
    else:
        (HERE / "split.tsv").write_text(text)


if __name__ == "__main__":
    main()
