"""The fills to compare with: OpenCV's, scikit-image's, ROAD's, and plain ones. Pictures [H, W, 3] float32 in [0, 1], masks [H, W] bool."""

import cv2
import numpy as np
import scipy.ndimage
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve
from skimage.restoration import inpaint_biharmonic

EIGHT = ((-1, -1, 1 / 12), (-1, 0, 1 / 6), (-1, 1, 1 / 12), (0, -1, 1 / 6), (0, 1, 1 / 6), (1, -1, 1 / 12), (1, 0, 1 / 6), (1, 1, 1 / 12))
FOUR = ((-1, 0, 1.0), (0, -1, 1.0), (0, 1, 1.0), (1, 0, 1.0))


def composed(picture, removed, fill):
    return np.where(removed[..., None], fill, picture).astype(np.float32)


def mean(picture, removed, rng):
    return composed(picture, removed, picture.mean((0, 1)))


def constant(picture, removed, rng):
    return composed(picture, removed, np.float32(rng.choice((0, 0.5, 1))))


def noise(picture, removed, rng):
    return composed(picture, removed, rng.random(picture.shape, np.float32))


def blur(picture, removed, rng):
    return composed(picture, removed, cv2.GaussianBlur(picture, (0, 0), rng.uniform(3, 8), borderType=cv2.BORDER_REFLECT))


def solved(picture, removed, neighbours):
    """Each removed pixel is the weighted mean of those of its neighbours that lie in the picture."""
    h, w = removed.shape
    index = np.full((h, w), -1)
    ys, xs = np.nonzero(removed)
    index[ys, xs] = np.arange(len(ys))
    rows, columns, values, diagonal, right = [], [], [], np.zeros(len(ys)), np.zeros((len(ys), 3))
    for dy, dx, weight in neighbours:
        y, x = ys + dy, xs + dx
        inside = (y >= 0) & (y < h) & (x >= 0) & (x < w)
        i = np.nonzero(inside)[0]
        y, x = y[i], x[i]
        diagonal[i] += weight
        gone = removed[y, x]
        rows.append(i[gone])
        columns.append(index[y, x][gone])
        values.append(np.full(gone.sum(), -weight))
        right[i[~gone]] += weight * picture[y, x][~gone]
    rows, columns, values = (np.concatenate([a, b]) for a, b in ((np.concatenate(rows), np.arange(len(ys))), (np.concatenate(columns), np.arange(len(ys))), (np.concatenate(values), diagonal)))
    matrix = sp.csc_matrix((values, (rows, columns)), (len(ys), len(ys)))
    out = picture.copy()
    out[ys, xs] = spsolve(matrix, right).reshape(-1, 3)
    return out


def noisy_linear(picture, removed, rng):
    out = solved(picture, removed, EIGHT)
    return composed(picture, removed, out + 0.01 * 0.225 * rng.standard_normal(out.shape))    # 0.01 in values divided by 0.225, as in ROAD


def harmonic(picture, removed, rng):
    return solved(picture, removed, FOUR)


def opencv(flag):
    def fill(picture, removed, rng):
        bytes_ = cv2.inpaint((picture * 255).round().astype(np.uint8), removed.astype(np.uint8), 3, flag)
        return composed(picture, removed, bytes_.astype(np.float32) / 255)

    return fill


def biharmonic(picture, removed, rng):
    return composed(picture, removed, np.clip(inpaint_biharmonic(picture, removed, channel_axis=-1), 0, 1))


FILLS = {
    "constant": constant, "mean": mean, "noise": noise, "blur": blur, "noisy linear": noisy_linear, "harmonic": harmonic,
    "Telea": opencv(cv2.INPAINT_TELEA), "Navier-Stokes": opencv(cv2.INPAINT_NS), "biharmonic": biharmonic,
}
