"""The crate's own random streams (src/rng.rs), and the weights that it draws anew (src/graph/randomise.rs), so that references can be run on them.

A stream is ChaCha with 8 rounds under the SHA-256 of its seed and name; normal draws are made by the ziggurat of 256 layers, as rand_distr does.
"""

import hashlib
import math
import struct

import numpy as np

MASK = 0xFFFFFFFF
R, V = 3.654152885361008796, 0.00492867323399          # where the lowest layer's tail begins, and the area of a layer


def layers():
    pdf = lambda x: math.exp(-x * x / 2)
    x = [V / pdf(R), R]
    while len(x) < 256:
        x.append(math.sqrt(-2 * math.log(V / x[-1] + pdf(x[-1]))))
    return x + [0.0], [pdf(v) for v in x] + [1.0]


X, F = layers()


def block(key, counter):
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key, counter & MASK, counter >> 32, 0, 0]
    w = state[:]

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            w[x] = (w[x] + w[y]) & MASK
            v = w[z] ^ w[x]
            w[z] = ((v << by) | (v >> (32 - by))) & MASK

    for _ in range(4):
        for a in range(4):
            quarter(a, a + 4, a + 8, a + 12)
        for a in range(4):
            quarter(a, 4 + (a + 1) % 4, 8 + (a + 2) % 4, 12 + (a + 3) % 4)
    return [(a + b) & MASK for a, b in zip(w, state)]


class Stream:
    """As `SeedStream::new(seed).stream(name)`. Draws of one kind only are taken from it: those that need 64 bits."""

    def __init__(self, seed, name):
        self.key = struct.unpack("<8I", hashlib.sha256(struct.pack("<Q", seed) + name.encode()).digest())
        self.words, self.counter = [], 0

    def bits(self):
        if not self.words:
            self.words, self.counter = block(self.key, self.counter)[::-1], self.counter + 1
        low = self.words.pop()
        return low | self.words.pop() << 32

    def index(self, n):
        return self.bits() % n

    def share(self):
        return (self.bits() >> 11) * 2.0**-53

    def open_share(self):
        return ((self.bits() >> 12) + 0.5) * 2.0**-52

    def normal(self):
        """In float32, as the crate draws it."""
        while True:
            bits = self.bits()
            i = bits & 0xFF
            u = (bits >> 12) * 2.0**-51 - 1.0
            x = u * X[i]
            if abs(x) < X[i + 1]:
                return np.float32(x)
            if i == 0:
                a, b = 1.0, 0.0
                while -2 * b < a * a:
                    a, b = math.log(self.open_share()) / R, math.log(self.open_share())
                return np.float32(a - R if u < 0 else R - a)
            if F[i + 1] + (F[i] - F[i + 1]) * self.share() < math.exp(-x * x / 2):
                return np.float32(x)


def drawn_like(values, seed, group, place):
    """A tensor of weights drawn anew: normal, with the mean and the deviation of those it replaces."""
    values = np.asarray(values, np.float64)
    stream = Stream(seed, f"weights/{group}/{place}")
    draws = np.array([stream.normal() for _ in range(values.size)], np.float64).reshape(values.shape)
    return (values.mean() + values.std() * draws).astype(np.float32)


def seed_of(stream, below=2**32 - 1):
    """The seed of the weights that an entry draws from its stream, where the seed of all is 0."""
    return Stream(0, stream).index(below)
