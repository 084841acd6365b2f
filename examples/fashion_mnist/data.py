"""Fashion-MNIST as Debian's package dataset-fashion-mnist has it, for the scripts that train on it."""

import gzip
import struct

import numpy as np


def read_idx(path):
    """One array from a gzipped IDX file of bytes (magic 0, 0, type 8, rank; big-endian sizes; the data)."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    zero, kind, rank = struct.unpack_from(">HBB", data)
    if zero != 0 or kind != 8:
        raise ValueError(f"{path} is not an IDX file of bytes")
    shape = struct.unpack_from(f">{rank}I", data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def read_data(folder):
    """(images, labels) to train on and to test with: uint8 (n, 28, 28) and (n,)."""

    def part(name):
        images = read_idx(folder / f"{name}-images-idx3-ubyte.gz")
        labels = read_idx(folder / f"{name}-labels-idx1-ubyte.gz")
        return images, labels

    return part("train"), part("t10k")


def scaled(images):
    """What the networks take: float32 (n, 28, 28, 1), 0 to 1."""
    return images[..., None].astype(np.float32) / np.float32(255)


def augmented(images, labels, seed, batch):
    """The training set in a new order; half of the images mirrored, each moved by up to one pixel."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(images))
    images, labels = images[order].copy(), labels[order]
    mirrored = generator.random(len(images)) < 0.5
    images[mirrored] = images[mirrored, :, ::-1]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    dy, dx = generator.integers(0, 3, (2, len(images)))
    for y in range(3):
        for x in range(3):
            chosen = (dy == y) & (dx == x)
            images[chosen] = padded[chosen, y : y + 28, x : x + 28]
    for start in range(0, len(images) - batch + 1, batch):
        yield scaled(images[start : start + batch]), labels[start : start + batch]


def accuracy(model, images, labels):
    """The share of images whose largest score is the right one's, 0 to 1."""
    return float(np.mean(np.argmax(model.predict(scaled(images), batch_size=500, verbose=0), axis=1) == labels))
