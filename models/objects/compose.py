"""Compositions with an exact ground truth: one object of a class on a background, with distractors, and the object's own alpha as mask.

The object is painted last, so that its alpha is exactly how much of each pixel it made: picture = alpha * object + (1 - alpha) * rest.
Distractors are smaller, of no class, and keep clear of the object's box as far as there is room.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

import pool


@dataclass
class Composition:
    picture: Image.Image        # RGB, side x side
    mask: Image.Image           # 8-bit grey, 255 = only the object
    label: int
    origin: str                 # what it is made of, for credits


class Composer:
    """Draws compositions of one split; everything random comes from the generator that is passed in."""

    def __init__(self, emoji, photos, split, object_side=128):
        self.objects = [[(c, pool.load_emoji(emoji, c, object_side)) for c in codes.split()] for codes in pool.CLASSES.values()]
        codes = pool.DISTRACTORS[split == "held-out"]
        self.distractors = [(c, pool.load_emoji(emoji, c, object_side)) for c in codes]
        self.photos = pool.load_photos(photos, split) if photos else []

    def background(self, rng, side):
        if not self.photos or rng.random() < 0.3:
            return "procedural texture", pool.texture(rng, side)
        name, photo = self.photos[rng.integers(len(self.photos))]
        crop = int(min(photo.size) * rng.uniform(0.35, 1.0))
        x, y = rng.integers(photo.width - crop + 1), rng.integers(photo.height - crop + 1)
        picture = photo.resize((side, side), Image.Resampling.BOX if crop > side else Image.Resampling.BILINEAR, (x, y, x + crop, y + crop))
        if rng.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return name, jitter(rng, picture, 0.06, 0.3)

    def draw(self, rng, side=128, label=None):
        label = int(rng.integers(len(pool.LABELS))) if label is None else label
        background, canvas = self.background(rng, side)
        boxes, used = [], []
        code, picture = self.objects[label][rng.integers(len(self.objects[label]))]
        sprite = place(rng, jitter(rng, picture, 0.06, 0.25), side * rng.uniform(0.36, 0.8), 40)
        at = position(rng, sprite, side, boxes)
        boxes.append((*at, *sprite.size))
        for _ in range(rng.integers(0, 4)):
            other, extra = self.distractors[rng.integers(len(self.distractors))]
            extra = place(rng, jitter(rng, extra, 0.1, 0.3), side * rng.uniform(0.14, 0.36), 180)
            spot = position(rng, extra, side, boxes)
            boxes.append((*spot, *extra.size))
            canvas.paste(extra, spot, extra)
            used.append(other)
        canvas.paste(sprite, at, sprite)
        mask = Image.new("L", (side, side))
        mask.paste(sprite.getchannel("A"), at)
        origin = f"object {code}" + (f", distractors {' '.join(used)}" if used else "") + f", background {background}"
        return Composition(canvas, mask, label, origin)


def jitter(rng, picture, hue, brightness):
    """Turns the hue by up to `hue` of the circle and scales brightness and contrast a little; alpha stays."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    h, s, v = picture.convert("RGB").convert("HSV").split()
    turn = int(round(rng.uniform(-hue, hue) * 255))
    h = h.point([(i + turn) % 256 for i in range(256)])
    gain, lift = rng.uniform(1 - brightness, 1 + brightness), rng.uniform(-20, 20)
    v = v.point([int(min(255, max(0, i * gain + lift))) for i in range(256)])
    out = Image.merge("HSV", (h, s, v)).convert("RGB")
    if alpha:
        out.putalpha(alpha)
    return out


def place(rng, picture, size, turn):
    """Scaled to `size` pixels, perhaps mirrored, rotated by up to `turn` degrees, cut to its box. Premultiplied, so no dark seams."""
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    size = max(8, int(round(size)))
    picture = picture.convert("RGBa").resize((size, size), Image.Resampling.BOX if size < picture.width else Image.Resampling.BILINEAR)
    # Pillow turns straight alpha only; four bands turned one by one stay premultiplied.
    angle = float(rng.uniform(-turn, turn))
    bands = [b.rotate(angle, Image.Resampling.BILINEAR, expand=True) for b in picture.split()]
    out = Image.merge("RGBa", bands).convert("RGBA")
    return out.crop(out.getchannel("A").getbbox())


def position(rng, sprite, side, boxes):
    """A place inside the picture that overlaps the boxes so far least of eight tries; a box that does not fit is centred."""
    best = None
    for _ in range(8):
        x = int(rng.integers(0, side - sprite.width + 1)) if sprite.width <= side else (side - sprite.width) // 2
        y = int(rng.integers(0, side - sprite.height + 1)) if sprite.height <= side else (side - sprite.height) // 2
        shared = sum(
            max(0, min(x + sprite.width, bx + bw) - max(x, bx)) * max(0, min(y + sprite.height, by + bh) - max(y, by))
            for bx, by, bw, bh in boxes
        )
        if best is None or shared < best[0]:
            best = (shared, x, y)
        if shared == 0:
            break
    return best[1:]


def dataset(composer, count, seed, side=128, reduce=2):
    """uint8 pictures [count, 3, side/reduce, side/reduce] and labels; composition i depends on (seed, i) only."""
    pictures = np.empty((count, 3, side // reduce, side // reduce), np.uint8)
    labels = np.empty(count, np.int64)
    for i in range(count):
        rng = np.random.default_rng((seed, i))
        made = composer.draw(rng, side)
        small = np.asarray(made.picture.reduce(reduce), np.float32)
        small += rng.normal(0, rng.uniform(0, 5), small.shape)
        pictures[i] = np.clip(small, 0, 255).astype(np.uint8).transpose(2, 0, 1)
        labels[i] = made.label
    return pictures, labels
