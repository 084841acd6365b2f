"""Have espeak-ng speak sentences, train a network to take noise from them, and write the files the example needs.

    apt install espeak-ng g++
    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python train.py

Writes, beside this script:
    model.keras        the trained network, stateful, a frame at a time: input (1, 20), features; outputs 20 gains
                       and whether somebody speaks
    calibration.npy    features of training sounds, frame after frame, int16 (2400, 20), in units of 1/256
    noisy.wav, clean.wav
                       ten seconds by speakers that were not heard in training, with and without noise
"""

import argparse
import ctypes
import itertools
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

SEED = 20261124
BANDS, HOP = 20, 256
HOPS = 376  # of a training sound: six seconds
TEST_HOPS = 625  # ten seconds

SENTENCES = """The train to the coast leaves at seven in the morning.
She put the yellow flowers on the table near the window.
Nobody knew how long the bridge would be closed.
We walked along the river until it was dark.
Please bring two bottles of water and some bread.
My brother fixes old radios in his spare time.
The meeting has moved from Tuesday to Friday afternoon.
A small dog chased the ball across the field.
They painted the kitchen green and the hall white.
How much does a ticket to the museum cost?
The engine stopped twice on the way up the hill.
He reads the newspaper before he goes to work.
Turn left at the church, then take the second street.
The children were singing while their mother cooked dinner.
It rained all week, so the garden looks wonderful.
Could you open the door for me, my hands are full.
The doctor asked him to breathe in and hold it.
Six boxes of oranges arrived from the south yesterday.
This machine measures how fast the wheel is turning.
I forgot my keys and had to wait on the stairs.
Few people remember what the old market looked like.
The price of coffee has doubled within three years.
Put the letters in the top drawer and lock it.
Their boat was far too heavy for such shallow water.
Every evening the fox comes to the edge of the wood.
You should have called us before you sold the house.
The judge listened, nodded, and wrote something down.
Quick thinking saved the crew from a very cold bath.
Which of these cups belongs to your grandmother?
There is a long queue in front of the bakery.
Zebras and giraffes drink from the same pool at noon.
The zip of my jacket broke on the first cold day.""".splitlines()
TEST_SENTENCES = """The lighthouse keeper counts the ships that pass at night.
Would you rather have soup or a salad with your fish?
Her violin was made by a carpenter in a mountain village.
All flights were delayed because of fog over the valley.
Check the batteries, then press the button for five seconds.
Our neighbours grow tomatoes, beans and very large pumpkins.""".splitlines()


def speech(random, texts, speakers, count):
    """Sentences one after the other by one speaker, with pauses, until there are `count` samples."""
    who = sound.manner(random, speakers)
    parts, length = [], 0
    while length < count:
        text = str(random.choice(texts))
        said = sound.say(text, **who | {"speed": int(random.integers(130, 200))})
        pause = np.zeros(int(RATE * random.uniform(0.1, 0.9)), np.float32)
        parts += [pause, said]
        length += len(pause) + len(said)
    clip = np.concatenate(parts)[:count]
    return clip / np.sqrt(sound.power(clip))


def mixture(random, said, babble, kind=None, snr=None):
    """Speech and noise, apart, as samples. Noise is of any kind, sometimes of two, unless one is asked for."""
    chosen = kind or str(random.choice(sound.NOISES))
    snr = random.uniform(-5, 20) if snr is None else snr
    hiss = sound.noise(random, chosen, len(said), babble) * 10 ** (-snr / 20)
    if kind is None and chosen != "babble" and random.random() < 0.3:
        hiss += sound.noise(random, "pink", len(said), babble) * 10 ** (-(snr + 5) / 20)
    loudness = 10 ** random.uniform(-2.0, -0.9)
    return sound.samples_of(said * loudness), sound.samples_of(hiss * loudness)


class Library:
    """What front_end.hpp defines, computed on whole sounds."""

    def __init__(self):
        self.functions = sound.compiled(HERE / "features.cpp")

    @staticmethod
    def _pointer(array):
        return array.ctypes.data_as(ctypes.c_void_p)

    def features(self, samples):
        """int16 (hops - 1, BANDS), in units of 1/256: a frame is two hops."""
        out = np.zeros((len(samples) // HOP - 1, BANDS), np.int16)
        frames = self.functions.features(self._pointer(samples), len(samples) // HOP, self._pointer(out))
        assert frames == len(out)
        return out

    def energies(self, samples):
        """float (hops - 1, BANDS): of the two hops of each frame."""
        out = np.zeros((len(samples) // HOP, BANDS), np.float32)
        self.functions.energies(self._pointer(samples), len(out), self._pointer(out))
        return out[:-1] + out[1:]

    def equalise(self, samples, gains):
        """Sound (hops x HOP samples) with gains (hops, BANDS) from 0 to 1, each reached at the end of its hop."""
        gains = np.round(np.clip(gains, 0, 1) * 32768).astype(np.uint16)
        out = np.zeros_like(samples)
        self.functions.equalise(self._pointer(samples), len(samples) // HOP, self._pointer(gains), self._pointer(out))
        return out


def targets(library, said, hiss):
    """Wiener's gains, how much each matters, and whether somebody speaks, for each frame."""
    s, n = library.energies(said), library.energies(hiss)
    gains = s / (s + n + 1)
    importance = np.sqrt(s + n + 1)
    importance /= np.mean(importance)
    loud = s.sum(axis=1)
    voice = (loud > 1e-3 * max(np.mean(loud), 1)).astype(np.float32)
    return gains, importance, voice[:, None]


def build(steps=None):
    """About 22 k parameters. For training `steps` frames at once; else one, with the state kept."""
    shape = {"shape": (steps, BANDS)} if steps else {"batch_shape": (1, 1, BANDS)}
    frames = layers.Input(name="features", **shape)
    x = layers.Dense(32, activation="relu", name="bands")(frames)
    x = layers.GRU(64, return_sequences=True, stateful=steps is None, name="gru")(x)
    gains = layers.Dense(BANDS, activation="sigmoid", name="gains")(x)
    voice = layers.Dense(1, activation="sigmoid", name="voice")(x)
    return keras.Model(frames, [gains, voice], name="denoiser")


def gains_loss(truth, gains):
    wanted, importance = truth[..., :BANDS], truth[..., BANDS:]
    return keras.ops.mean(importance * keras.ops.square(gains - wanted), axis=-1) * 10


def snr(reference, samples):
    """In dB: what is not `reference` counts as noise."""
    reference, samples = reference.astype(np.float64), samples.astype(np.float64)
    return 10 * np.log10(np.sum(reference**2) / np.sum((samples - reference) ** 2))


def improvement(library, gains, said, noisy):
    """SNR before and after. The equaliser shifts phases, which is no noise: the reference is shifted too."""
    hops = len(said) // HOP
    all_gains = np.concatenate([gains, gains[-1:]])  # the last hop has no frame that ends later
    reference = library.equalise(said, np.ones((hops, BANDS)))
    return snr(said, noisy), snr(reference, library.equalise(noisy, all_gains))


def add(said, hiss):
    return np.clip(said.astype(np.int32) + hiss, -32768, 32767).astype(np.int16)


def training_sounds(library, count):
    """Features, Wiener's gains and what they matter, and voice: a row a sound."""
    random = np.random.default_rng(SEED)
    voices = [speech(random, SENTENCES, sound.TRAINING_SPEAKERS, HOPS * HOP) for _ in range(count // 2)]
    x, wanted, voice = [], [], []
    for i in range(count):
        said = voices[i % len(voices)] * (random.random() > 1 / 12)  # some have no speech, some no noise
        said, hiss = mixture(random, said, voices)
        hiss = (hiss * (random.random() > 1 / 12)).astype(np.int16)
        x.append(library.features(add(said, hiss)))
        gains, importance, speaks = targets(library, said, hiss)
        wanted.append(np.concatenate([gains, importance], axis=1))
        voice.append(speaks)
    return np.stack(x), np.stack(wanted).astype(np.float32), np.stack(voice)


def train(library, options):
    x, wanted, voice = training_sounds(library, options.sounds)
    np.save(options.output / "calibration.npy", x[:8, :300].reshape(-1, BANDS))
    print(f"{len(x)} sounds; features from {x.min() / 256} to {x.max() / 256}", flush=True)
    model, stateful = build(HOPS - 1), build()
    batch = 16
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, options.epochs * (len(x) // batch), warmup_target=4e-3, warmup_steps=len(x) // batch
    )
    model.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0),
        loss={"gains": gains_loss, "voice": "binary_crossentropy"},
        loss_weights={"gains": 1.0, "voice": 0.1},
    )
    scaled = x.astype(np.float32) / np.float32(256)
    for epoch in range(options.epochs):
        history = model.fit(scaled, {"gains": wanted, "voice": voice}, batch_size=batch, verbose=0).history
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1:2}: loss {history['loss'][0]:.4f}", flush=True)
    stateful.set_weights(model.get_weights())
    stateful.save(options.output / "model.keras")


def test(library, folder, tests):
    """Prints what the network in `folder` does to test sounds, and writes the example's, and all into `tests`."""
    random = np.random.default_rng(SEED + 1)
    voices = [speech(random, TEST_SENTENCES, sound.TEST_SPEAKERS, TEST_HOPS * HOP) for _ in range(8)]
    model = build(TEST_HOPS - 1)
    model.set_weights(keras.saving.load_model(folder / "model.keras").get_weights())
    for kind, level in itertools.product(sound.NOISES, (0, 5, 10)):
        clean, hiss = mixture(random, voices[random.integers(len(voices))], voices, kind, level)
        noisy = add(clean, hiss)
        gains, voice = (y[0] for y in model.predict(library.features(noisy)[None].astype(np.float32) / 256, verbose=0))
        ideal, _, speaks = targets(library, clean, hiss)
        before, after = improvement(library, gains, clean, noisy)
        _, best = improvement(library, ideal, clean, noisy)
        right = np.mean((voice > 0.5) == (speaks > 0.5))
        print(
            f"{kind:7} {before:5.1f} dB before, {after:5.1f} dB after; with Wiener's gains {best:5.1f} dB; "
            f"voice right in {100 * right:.0f} % of frames",
            flush=True,
        )
        if (kind, level) == ("pink", 5):
            sound.write_wav(folder / "clean.wav", clean)
            sound.write_wav(folder / "noisy.wav", noisy)
        if tests:
            tests.mkdir(parents=True, exist_ok=True)
            sound.write_wav(tests / f"{kind}_{level}_clean.wav", clean)
            sound.write_wav(tests / f"{kind}_{level}_noisy.wav", noisy)


def main():
    options = argparse.ArgumentParser(description="Train the noise suppression example.")
    options.add_argument("--output", type=Path, default=HERE)
    options.add_argument("--epochs", type=int, default=60)
    options.add_argument("--sounds", type=int, default=480)
    options.add_argument("--only-test", action="store_true", help="test the network that is there")
    options.add_argument("--tests", type=Path, help="a folder for all test sounds, as wav files")
    options = training.parse(options)
    keras.utils.set_random_seed(SEED)
    library = Library()
    if not options.only_test:
        train(library, options)
    test(library, options.output, options.tests)


if __name__ == "__main__":
    main()
