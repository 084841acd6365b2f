"""Have espeak-ng speak words, train two networks to recognise them, and write the files the example needs.

    apt install espeak-ng g++
    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py

Writes, beside this script:
    cnn.keras, rnn.keras   the trained networks, without optimizer state; input (49, 13), features
    calibration.npy        features of 96 training sounds, eight of each class, int16 (96, 49, 13), in units of 1/256
    test_features.npy      of test sounds, by speakers that were not heard in training, as many of each class
    test_labels.npy        their classes, uint8
    words.wav              twelve words by such speakers, a second each, in noise
"""

import argparse
import ctypes
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import training  # noqa: I001 (before keras)
import keras
import numpy as np
from keras import layers

import sound
from sound import RATE

SEED = 20261123
KEYWORDS = "yes no up down left right on off stop go".split()
CLASSES = KEYWORDS + ["unknown", "silence"]
UNKNOWN, SILENCE = len(KEYWORDS), len(KEYWORDS) + 1
OTHER_WORDS = """house bird happy seven eight water apple garden music window paper table river mountain yellow orange
    purple dog cat sun moon under over between never always people children morning evening doctor teacher money city
    follow learn visual backward bed marvin sheila tree wow zero one two three four five six nine book lamp open call
    their late rough sap drown note note lift write wan staff step low yet""".split()
# Never heard in training.
OTHER_TEST_WORDS = "forest kitchen button green coffee hammer number finger letter silver".split()
FRAMES, COEFFICIENTS = 49, 13
PER_CLASS = 40  # test sounds


def word_requests(random, words, speakers, count):
    """`count` recordings, with each word and each speaker as often as any other."""
    return [
        {"text": words[i % len(words)], **sound.manner(random, [speakers[i // len(words) % len(speakers)]])}
        for i in range(count)
    ]


def recordings(random, speakers, others, per_word, other_count):
    """Words as pairs of a sound and its class."""
    requests = word_requests(random, KEYWORDS, speakers, per_word * len(KEYWORDS))
    requests += word_requests(random, others, speakers, other_count)
    random.shuffle(requests)
    labels = [CLASSES.index(r["text"]) if r["text"] in KEYWORDS else UNKNOWN for r in requests]
    return list(zip(sound.say_all(requests), labels))


def in_noise(random, clip, babble):
    """A sound of a second at some loudness, in some noise, 10 to 35 dB below it."""
    kind = str(random.choice(sound.NOISES))
    hiss = sound.noise(random, kind, RATE, babble)
    loudness = 10 ** random.uniform(-2.0, -0.8)
    if not np.any(clip):
        return hiss * (random.random() < 0.9) * loudness * 10 ** random.uniform(-2, 0)
    clip = clip / np.sqrt(sound.power(clip[np.abs(clip) > 0.01 * np.max(np.abs(clip))]))
    return (clip + hiss * 10 ** (-random.uniform(10, 35) / 20)) * loudness


def second(random, word, label):
    """A word somewhere in a second. Sometimes only part of it, which is an unknown one."""
    room = RATE - len(word)
    clip = np.zeros(RATE, np.float32)
    if random.random() < 0.06:
        missing = int(len(word) * random.uniform(0.5, 0.85))
        word, label = (word[missing:], UNKNOWN) if random.random() < 0.5 else (word[:-missing], UNKNOWN)
        start = 0 if random.random() < 0.5 else RATE - len(word)
    else:
        word = word[:RATE]
        start = int(random.integers(max(room, 0) + 1))
    clip[start : start + len(word)] = word
    return clip, label


def examples(random, words, silences, cut=True):
    """Seconds of sound, as samples, and their classes."""
    babble = [word for word, _ in words]
    clips, labels = [], []
    for word, label in words:
        if cut:
            clip, label = second(random, word, label)
        else:
            clip = np.zeros(RATE, np.float32)
            start = int(random.integers(max(RATE - len(word), 0) + 1))
            clip[start : start + len(word)] = word[: RATE - start]
        clips.append(sound.samples_of(in_noise(random, clip, babble)))
        labels.append(label)
    for _ in range(silences):
        clips.append(sound.samples_of(in_noise(random, np.zeros(RATE, np.float32), babble)))
        labels.append(SILENCE)
    return np.stack(clips), np.array(labels, np.uint8)


def features(library, clips):
    """(n, FRAMES, COEFFICIENTS) of clips (n, RATE), in units of 1/256."""
    clips = np.ascontiguousarray(clips)
    out = np.zeros((len(clips), FRAMES, COEFFICIENTS), np.int16)
    pointer = ctypes.POINTER(ctypes.c_int16)
    count = library.features(clips.ctypes.data_as(pointer), *clips.shape, out.ctypes.data_as(pointer))
    assert count == FRAMES * COEFFICIENTS
    return out


def build_cnn():
    """About 11 k parameters: a convolution, then two that are separable."""

    def separable(x, filters, name):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=name + "_depthwise")(x)
        x = layers.BatchNormalization(name=name + "_depthwise_norm")(x)
        x = layers.ReLU(name=name + "_depthwise_relu")(x)
        x = layers.Conv2D(filters, 1, use_bias=False, name=name)(x)
        x = layers.BatchNormalization(name=name + "_norm")(x)
        return layers.ReLU(name=name + "_relu")(x)

    frames = layers.Input((FRAMES, COEFFICIENTS), name="features")
    x = layers.Reshape((FRAMES, COEFFICIENTS, 1), name="image")(frames)
    x = layers.Conv2D(32, (9, 5), strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = separable(x, 64, "middle")
    x = layers.MaxPooling2D((2, 1), name="middle_pool")(x)
    x = separable(x, 64, "deep")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Dense(len(CLASSES), activation="softmax", name="words")(x)
    return keras.Model(frames, x, name="cnn")


def build_rnn():
    """About 17 k parameters: a GRU over the frames of a second, whose last output decides."""
    frames = layers.Input((FRAMES, COEFFICIENTS), name="features")
    x = layers.BatchNormalization(name="norm")(frames)
    x = layers.Dense(24, activation="relu", name="bands")(x)
    x = layers.GRU(56, name="gru")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Dense(len(CLASSES), activation="softmax", name="words")(x)
    return keras.Model(frames, x, name="rnn")


def train(build, x, y, test_x, test_y, epochs, batch):
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, epochs * (len(x) // batch), warmup_target=4e-3, warmup_steps=len(x) // batch
    )
    optimizer = keras.optimizers.Adam(schedule, clipnorm=1.0)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    for epoch in range(epochs):
        history = model.fit(x, y, batch_size=batch, verbose=0).history
        if epoch % 5 == 4 or epoch == epochs - 1:
            test = np.mean(np.argmax(model.predict(test_x, verbose=0), axis=1) == test_y)
            print(
                f"{model.name} epoch {epoch + 1:2}: loss {history['loss'][0]:.4f}, training accuracy "
                f"{history['accuracy'][0]:.4f}, test accuracy {test:.4f}",
                flush=True,
            )
    fresh = build()  # a model that has never been compiled is saved without optimizer state
    fresh.set_weights(model.get_weights())
    return fresh


def some_of_each(labels, count):
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(len(CLASSES))]))


def stream(random, words):
    """Keywords and two other words, a second each, in noise that changes."""
    order = [KEYWORDS.index(w) for w in "yes stop left go".split()] + [UNKNOWN]
    order += [KEYWORDS.index(w) for w in "up down no right".split()] + [UNKNOWN]
    order += [KEYWORDS.index(w) for w in "off on".split()]
    parts = []
    for label in order:
        word = next(w for w, found in words if found == label and 0.3 * RATE < len(w) < 0.75 * RATE)
        words = [(w, found) for w, found in words if w is not word]
        part = np.zeros(RATE, np.float32)
        start = (RATE - len(word)) // 2
        part[start : start + len(word)] = word / np.sqrt(sound.power(word)) * 0.1
        parts.append(part)
    clip = np.concatenate(parts)
    half = len(clip) // 2
    noise = [sound.noise(random, kind, half, [w for w, _ in words]) for kind in ("pink", "hum")]
    return sound.samples_of(clip + np.concatenate(noise) * 0.1 * 10 ** (-15 / 20))


def main():
    options = argparse.ArgumentParser(description="Train the keyword spotting example.")
    options.add_argument("--output", type=Path, default=HERE)
    options.add_argument("--epochs", type=int, default=14)
    options.add_argument("--rounds", type=int, default=3, help="noises and places each recording is heard in")
    options.add_argument("--per-word", type=int, default=300)
    options = training.parse(options)
    keras.utils.set_random_seed(SEED)
    random = np.random.default_rng(SEED)
    library = sound.compiled(HERE / "features.cpp")

    words = recordings(random, sound.TRAINING_SPEAKERS, OTHER_WORDS, options.per_word, 3 * options.per_word)
    test_words = recordings(random, sound.TEST_SPEAKERS, OTHER_TEST_WORDS, 46, 46)
    print(f"{len(words)} recordings to train on, {len(test_words)} to test with", flush=True)

    test_clips, test_labels = examples(random, test_words, PER_CLASS, cut=False)
    chosen = some_of_each(test_labels, PER_CLASS)
    test_features, test_labels = features(library, test_clips[chosen]), test_labels[chosen]
    np.save(options.output / "test_features.npy", test_features)
    np.save(options.output / "test_labels.npy", test_labels)
    sound.write_wav(options.output / "words.wav", stream(random, test_words))

    rounds = [examples(random, words, len(words) // 12) for _ in range(options.rounds)]
    train_features = np.concatenate([features(library, clips) for clips, _ in rounds])
    train_labels = np.concatenate([labels for _, labels in rounds])
    np.save(options.output / "calibration.npy", train_features[some_of_each(train_labels, 8)])
    print(f"{len(train_features)} seconds; features from {train_features.min() / 256} to {train_features.max() / 256}")

    x, test_x = (f.astype(np.float32) / np.float32(256) for f in (train_features, test_features))
    for build in (build_cnn, build_rnn):
        model = train(build, x, train_labels, test_x, test_labels, options.epochs, 64)
        model.save(options.output / f"{model.name}.keras")
        loaded = keras.saving.load_model(options.output / f"{model.name}.keras")
        right = np.sum(np.argmax(loaded.predict(test_x, verbose=0), axis=1) == test_labels)
        print(f"{model.name}: {loaded.count_params()} parameters, {right} of {len(test_labels)} right")


if __name__ == "__main__":
    main()
