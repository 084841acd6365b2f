"""Train the example's network on Fashion-MNIST and write the files the example needs.

    apt install dataset-fashion-mnist
    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py

Writes, beside this script:
    model.keras        the trained network, without optimizer state; input (28, 28, 1), x / 255
    calibration.npy    100 training images, uint8 (100, 28, 28), ten of each class
    test_images.npy    the first 500 test images, uint8 (500, 28, 28)
    test_labels.npy    their classes, uint8 (500,)
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import training  # noqa: I001 (before keras)
import keras
import numpy as np
from keras import layers

from data import accuracy, augmented, read_data

SEED = 20240607


def build():
    """About 1.5 M multiplications and 20 k parameters, in the several ways Keras lets one write the same thing."""
    return keras.Sequential(
        [
            layers.Input((28, 28, 1), name="image"),
            # Activation inside the layer.
            layers.Conv2D(16, 3, padding="same", activation="relu", name="stem"),
            layers.MaxPooling2D(2, name="stem_pool"),
            # Convolution, normalisation and activation as three layers.
            layers.Conv2D(24, 3, padding="same", use_bias=False, name="middle"),
            layers.BatchNormalization(name="middle_norm"),
            layers.ReLU(name="middle_relu"),
            layers.MaxPooling2D(2, name="middle_pool"),
            layers.Conv2D(48, 3, padding="same", use_bias=False, name="deep"),
            layers.BatchNormalization(name="deep_norm"),
            layers.Activation("relu", name="deep_relu"),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise"),
            layers.BatchNormalization(name="depthwise_norm"),
            layers.ReLU(name="depthwise_relu"),
            layers.Conv2D(96, 1, activation="relu", name="pointwise"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dropout(0.1, name="dropout"),
            layers.Dense(10, name="scores"),
            layers.Softmax(name="probabilities"),
        ],
        name="fashion_mnist",
    )


def save(model, folder, train_images, train_labels, test_images, test_labels):
    # A model that has never been compiled is saved without optimizer state.
    fresh = build()
    fresh.set_weights(model.get_weights())
    fresh.save(folder / "model.keras")
    calibration = np.concatenate([np.flatnonzero(train_labels == label)[:10] for label in range(10)])
    np.save(folder / "calibration.npy", train_images[np.sort(calibration)])
    np.save(folder / "test_images.npy", test_images[:500])
    np.save(folder / "test_labels.npy", test_labels[:500])


def main():
    options = argparse.ArgumentParser(description="Train the Fashion-MNIST example.")
    options.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    options.add_argument("--output", type=Path, default=HERE)
    options.add_argument("--epochs", type=int, default=14)
    options.add_argument("--batch", type=int, default=128)
    options = training.parse(options)
    keras.utils.set_random_seed(SEED)

    (train_images, train_labels), (test_images, test_labels) = read_data(options.data)

    model = build()
    steps = len(train_images) // options.batch
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, options.epochs * steps, warmup_target=4e-3, warmup_steps=steps
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    for epoch in range(options.epochs):
        history = model.fit(
            augmented(train_images, train_labels, SEED + epoch, options.batch),
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
        ).history
        print(
            f"epoch {epoch + 1:2}: loss {history['loss'][0]:.4f}, training accuracy {history['accuracy'][0]:.4f}, "
            f"test accuracy {accuracy(model, test_images, test_labels):.4f}",
            flush=True,
        )

    save(model, options.output, train_images, train_labels, test_images, test_labels)

    loaded = keras.saving.load_model(options.output / "model.keras")
    loaded.summary()
    print(f"accuracy on all {len(test_images)} test images: {accuracy(loaded, test_images, test_labels):.4f}")
    print(f"accuracy on the first 500: {accuracy(loaded, test_images[:500], test_labels[:500]):.4f}")


if __name__ == "__main__":
    main()
