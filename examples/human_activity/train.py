"""Train networks that tell shoulder exercises apart by the motion of a watch: LSTM, GRU and Inception.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py              all of them
    venv/bin/python train.py lstm gru     some

The data comes with PyPI's seglearn: ten people, seven exercises, both arms; acceleration and rotation, 50 times a
second. The networks learn from seven people and are tested on three others.

Writes, beside this script:
    NAME.keras         a trained network, without optimizer state; input (128, 6), x / 4096, output seven probabilities
    calibration.npy    100 windows of the people learned from, int16 (100, 128, 6)
    test_windows.npy   all windows of the three others, which don't overlap, int16 (n, 128, 6)
    test_labels.npy    their exercises, uint8 (n,)
"""

import argparse
import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import training  # noqa: I001 (before keras)
import keras
import numpy as np
from keras import layers

SEED = 20240609
EXERCISES = 7
STEPS = 128  # 2.56 s
TEST_PEOPLE = 8, 9, 10
# Counts of a sensor of 16 bits with ranges of 8 g and 2000 degrees a second: per g, and per radian a second.
COUNTS = np.array([32768 / 8] * 3 + [32768 / np.radians(2000)] * 3)
SCALE = np.float32(1 / 4096)  # from counts to what the networks take


def windows(chosen, hop):
    """Windows of the recordings `chosen` (a test of the person): int16 (n, 128, 6), uint8 (n,)."""
    folder = Path(importlib.util.find_spec("seglearn").origin).parent
    data = np.load(folder / "data" / "watch_dataset.npy", allow_pickle=True).item()
    cut, labels = [], []
    for recording, label, person in zip(data["X"], data["y"], data["subject"]):
        if not chosen(person):
            continue
        counts = np.clip(np.rint(recording * COUNTS), -32768, 32767).astype(np.int16)
        for start in range(0, len(counts) - STEPS + 1, hop):
            cut.append(counts[start : start + STEPS])
            labels.append(label)
    return np.stack(cut), np.array(labels, np.uint8)


def classify(x):
    x = layers.Dropout(0.3)(x)
    return layers.Dense(EXERCISES, activation="softmax")(x)


def lstm(x):
    x = layers.LSTM(32, return_sequences=True)(x)
    return classify(layers.LSTM(32)(x))


def gru(x):
    x = layers.GRU(32, return_sequences=True)(x)
    return classify(layers.GRU(32)(x))


def inception(x):
    """Windows of 1, 3 and 5 steps and a pool, side by side."""

    def conv(x, filters, size):
        x = layers.Conv1D(filters, size, padding="same", use_bias=False)(x)
        return layers.ReLU()(layers.BatchNormalization()(x))

    def module(x, width):
        pool = conv(layers.MaxPooling1D(3, 1, padding="same")(x), width, 1)
        return layers.Concatenate()([conv(x, width, 1), conv(x, width, 3), conv(x, width, 5), pool])

    x = conv(x, 16, 5)
    x = layers.MaxPooling1D(2)(x)
    x = module(x, 10)
    x = layers.MaxPooling1D(2)(x)
    x = module(x, 16)
    x = layers.MaxPooling1D(2)(x)
    x = conv(x, 32, 3)
    return classify(layers.GlobalAveragePooling1D()(x))


NETWORKS = {build.__name__: build for build in (lstm, gru, inception)}


def build(name):
    motion = layers.Input((STEPS, 6), name="motion")
    return keras.Model(motion, NETWORKS[name](motion), name=name)


def augmented(counts, labels, seed, batch):
    """The training set in a new order, each window up to a fifth stronger or weaker, with a little noise."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(counts))
    for start in range(0, len(counts) - batch + 1, batch):
        chosen = order[start : start + batch]
        x = counts[chosen].astype(np.float32) * SCALE
        x *= generator.uniform(0.8, 1.2, (batch, 1, 1)).astype(np.float32)
        x += generator.normal(0, 0.05, x.shape).astype(np.float32)
        yield x, labels[chosen]


def accuracy(model, counts, labels):
    scores = model.predict(counts.astype(np.float32) * SCALE, batch_size=256, verbose=0)
    return float(np.mean(np.argmax(scores, axis=1) == labels))


def main():
    options = argparse.ArgumentParser(description="Train networks that tell shoulder exercises apart.")
    options.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    options.add_argument("--output", type=Path, default=HERE)
    options.add_argument("--epochs", type=int, default=20)
    options.add_argument("--batch", type=int, default=64)
    options = training.parse(options)

    counts, labels = windows(lambda person: person not in TEST_PEOPLE, hop=STEPS // 4)
    test_counts, test_labels = windows(lambda person: person in TEST_PEOPLE, hop=STEPS)
    np.save(options.output / "calibration.npy", counts[np.linspace(0, len(counts) - 1, 100).astype(int)])
    np.save(options.output / "test_windows.npy", test_counts)
    np.save(options.output / "test_labels.npy", test_labels)

    for name in options.networks or NETWORKS:
        training.train(
            lambda: build(name),
            options.output / f"{name}.keras",
            lambda epoch: augmented(counts, labels, SEED + epoch, options.batch),
            len(counts) // options.batch,
            options.epochs,
            SEED,
            warmup=1,
            clipnorm=1.0,
        )
        model = keras.saving.load_model(options.output / f"{name}.keras")
        print(
            f"{name}: {model.count_params()} parameters, accuracy {accuracy(model, counts, labels):.4f} on "
            f"{len(counts)} windows of the people learned from, {accuracy(model, test_counts, test_labels):.4f} on "
            f"{len(test_counts)} of others",
            flush=True,
        )


if __name__ == "__main__":
    main()
