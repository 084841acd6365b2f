"""Train five well-known structures on Fashion-MNIST: a simple CNN, DenseNet, ResNet, Inception, octave convolution.

    apt install dataset-fashion-mnist
    python3 -m venv venv && venv/bin/pip install -r ../fashion_mnist/requirements.txt
    venv/bin/python train.py                    all of them
    venv/bin/python train.py resnet inception   some

Writes NAME.keras beside this script, without optimizer state; input (28, 28, 1), x / 255, output ten probabilities.
The data to calibrate and to test with is the demo's, in ../fashion_mnist.
"""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "fashion_mnist")]

import training  # noqa: I001 (before keras)
import keras
from keras import layers

from data import accuracy, augmented, read_data  # noqa: E402

SEED = 20240608


def conv(x, filters, size=3, strides=1, activation="relu"):
    """Convolution, normalisation, activation. Normalised after the convolution, it costs nothing on the board."""
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


def classify(x):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(10, activation="softmax")(x)


def simple(x):
    """Convolutions and pooling, then two Dense layers."""
    for filters in 16, 24, 32:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(96, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    return layers.Dense(10, activation="softmax")(x)


def densenet(x):
    """Each layer of a block sees the outputs of all those before it (Huang et al. 2017)."""

    def block(x, growth):
        for _ in range(4):
            x = layers.Concatenate()([x, conv(x, growth)])
        return x

    x = conv(x, 24)
    x = layers.MaxPooling2D(2)(x)
    x = block(x, growth=12)
    x = conv(x, 36, size=1)
    x = layers.AveragePooling2D(2)(x)
    x = block(x, growth=16)
    return classify(x)


def resnet(x):
    """What two convolutions make is added to their input (He et al. 2016)."""

    def block(x, filters, strides):
        y = conv(x, filters, strides=strides)
        y = conv(y, filters, activation=None)
        if strides > 1:
            x = conv(x, filters, size=1, strides=strides, activation=None)
        return layers.ReLU()(layers.Add()([x, y]))

    x = conv(x, 16)
    x = layers.MaxPooling2D(2)(x)
    x = block(x, 16, strides=1)
    x = block(x, 32, strides=2)
    x = block(x, 48, strides=2)
    return classify(x)


def inception(x):
    """Windows of 1x1, 3x3 and 5x5 and a pool, side by side (Szegedy et al. 2015)."""

    def module(x, width):
        one = conv(x, width, 1)
        three = conv(conv(x, width, 1), 2 * width, 3)
        five = conv(conv(x, width // 2, 1), width, 5)
        pool = conv(layers.MaxPooling2D(3, 1, padding="same")(x), width, 1)
        return layers.Concatenate()([one, three, five, pool])

    x = conv(x, 16)
    x = layers.MaxPooling2D(2)(x)
    x = module(x, 8)
    x = layers.MaxPooling2D(2)(x)
    x = module(x, 16)
    return classify(x)


def octave(x):
    """Half of the channels at half the resolution, each half computed from both (Chen et al. 2019)."""

    def plain(x, filters):
        return layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)

    def finish(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    def octave_conv(high, low, filters):
        to_high, to_low = plain(high, filters), plain(layers.AveragePooling2D(2)(high), filters)
        if low is not None:
            to_high = layers.Add()([to_high, layers.UpSampling2D()(plain(low, filters))])
            to_low = layers.Add()([to_low, plain(low, filters)])
        return finish(to_high), finish(to_low)

    high, low = octave_conv(x, None, 8)
    high, low = octave_conv(high, low, 16)
    high, low = layers.MaxPooling2D(2)(high), layers.MaxPooling2D(2)(low)
    high, low = octave_conv(high, low, 24)
    x = layers.Concatenate()([layers.MaxPooling2D(2)(high), low])
    return classify(conv(x, 24))


STRUCTURES = {build.__name__: build for build in (simple, densenet, resnet, inception, octave)}


def build(name):
    image = layers.Input((28, 28, 1), name="image")
    return keras.Model(image, STRUCTURES[name](image), name=name)


def main():
    options = argparse.ArgumentParser(description="Train the structures on Fashion-MNIST.")
    options.add_argument("structures", nargs="*", metavar="STRUCTURE", help=", ".join(STRUCTURES))
    options.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    options.add_argument("--output", type=Path, default=HERE)
    options.add_argument("--epochs", type=int, default=6)
    options.add_argument("--batch", type=int, default=128)
    options = training.parse(options)

    (train_images, train_labels), (test_images, test_labels) = read_data(options.data)
    for name in options.structures or STRUCTURES:
        training.train(
            lambda: build(name),
            options.output / f"{name}.keras",
            lambda epoch: augmented(train_images, train_labels, SEED + epoch, options.batch),
            len(train_images) // options.batch,
            options.epochs,
            SEED,
            warmup=0.5,
        )
        model = keras.saving.load_model(options.output / f"{name}.keras")
        print(
            f"{name}: {model.count_params()} parameters, "
            f"accuracy {accuracy(model, test_images, test_labels):.4f} on all {len(test_images)} test images, "
            f"{accuracy(model, test_images[:500], test_labels[:500]):.4f} on the first 500",
            flush=True,
        )


if __name__ == "__main__":
    main()
