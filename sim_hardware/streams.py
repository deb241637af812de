"""Named random streams: a draw belongs to its name and seed, so that a new draw shifts nothing elsewhere.

Neighbours: `params` and `scenarios` draw here. It must not know what is drawn.
"""

import hashlib

import numpy as np


def stream(family: str, key: str, seed: int) -> np.random.Generator:
    """The generator of one named quantity: seeded with SHA-256 of family, key and seed, the same everywhere."""
    digest = hashlib.sha256(f"{family}\0{key}\0{seed}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def uniform(family: str, key: str, seed: int, low: float, high: float) -> float:
    """One number of low..high."""
    return float(stream(family, key, seed).uniform(low, high))
