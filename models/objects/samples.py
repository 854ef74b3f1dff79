"""Writes samples/: a dozen held-out compositions of 256 x 256, each with its exact mask, and samples.toml with what they are made of.

    python samples.py --emoji assets --photos activities

Only photographs of known author and free licence serve as backgrounds here, and each sample must be one that the network gets right.
"""

from pathlib import Path

import numpy as np

import compose
import pool
from evaluate import arguments, network, preprocess

HERE = Path(__file__).resolve().parent
LABELS = "dog cat guitar car umbrella mushroom airplane key clock bicycle flower fish".split()
# All of Wikimedia Commons, from GCompris.
CREDITS = {
    "monuments/colosseum.webp": ("public domain", "Urse Ovidiu"),
    "monuments/greatWall.webp": ("public domain", "Ahazan"),
    "renewable/solar7.webp": ("CC0-1.0", "MarkBuckawicki"),
    "renewable/windmill15.webp": ("CC0-1.0", "Aschroet"),
    "usa/navajo.webp": ("public domain", "Jon Sullivan"),
    "usa/fortSumter.webp": ("CC0-1.0", "Gary Todd"),
    "france/arlesAmphitheater.webp": ("public domain", "OT Arles"),
    "wonders/machuPicchu.webp": ("CC0-1.0", "Guillaume Pascal"),
    "india/goldenTemple.webp": ("CC0-1.0", "Jasdeep Singh"),
}


def wanted(made, background, confidence):
    """A new background each time, a distractor, an object that is neither tiny nor all of the picture, and an answer that is right."""
    share = np.asarray(made.mask).mean() / 255
    return f"background {background}" in made.origin and "distractors" in made.origin and 0.06 < share < 0.3 and confidence > 0.85


def credit(background):
    if background not in CREDITS:
        return "MIT", "object and distractors: fluent-emoji-3d (Microsoft, LobeHub); texture: our own"
    licence, author = CREDITS[background]
    return f"MIT and {licence}", f"object and distractors: fluent-emoji-3d (Microsoft, LobeHub); background: {author}, Wikimedia Commons, from GCompris"


if __name__ == "__main__":
    args, net = arguments(), network()
    composer = compose.Composer(args.emoji, None, "held-out", object_side=256)
    composer.photos = [p for p in pool.load_photos(args.photos, "held-out", shortest=720) if p[0] in CREDITS]
    assert len(composer.photos) == len(CREDITS), "a credited photograph is not among the held-out ones"
    backgrounds = [*CREDITS, *["procedural texture"] * (len(LABELS) - len(CREDITS))]
    backgrounds = [backgrounds[(5 * i) % 12] for i in range(12)]        # textures in between
    toml = []
    for i, (label, background) in enumerate(zip(LABELS, backgrounds)):
        for seed in range(100000):
            made = composer.draw(np.random.default_rng((6, i, seed)), 256, pool.LABELS.index(label))
            if f"background {background}" not in made.origin:
                continue
            logits = net(preprocess(made.picture)[None])[0]
            p = np.exp(logits - logits.max())
            if wanted(made, background, p[made.label] / p.sum()):
                break
        made.picture.save(HERE / "samples" / f"{label}.png", optimize=True)
        made.mask.save(HERE / "samples" / f"{label}-mask.png", optimize=True)
        licence, who = credit(background)
        toml.append(f'[[sample]]\nfile = "samples/{label}.png"\nmask = "samples/{label}-mask.png"\nlabel = "{label}"\n'
                    f'licence = "{licence}"\ncredit = "{who}"\nsource = "{made.origin}"\n')
        print(label, seed, made.origin, round(float(p[made.label] / p.sum()), 3), (HERE / "samples" / f"{label}.png").stat().st_size, flush=True)
    (HERE / "samples.toml").write_text("# Written by samples.py; card.toml repeats all but `source`.\n\n" + "\n".join(toml))
