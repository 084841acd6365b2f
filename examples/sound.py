"""Speech that espeak-ng speaks, noises, and front ends of runtime/nnom/dsp: what the examples with sound train on.

Needs the programs `espeak-ng` (1.51) and `c++`. Sounds are numpy arrays of float32 in [-1, 1) at 16 kHz.
"""

import ctypes
import subprocess
import tempfile
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

RATE = 16000
ROOT = Path(__file__).resolve().parent.parent

ACCENTS = "en-us en-gb en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-gb-x-gbcwmd en-029 en-us-nyc".split()

# Speakers, which espeak-ng calls variants. A person's several variants are all on one side.
TRAINING_SPEAKERS = """Alex Andrea AnxiousAndy Andy Denis Diogo gustave Henrique Jacky Lee marcelo Mario Michael
    Nguyen RicishayMax RicishayMax2 RicishayMax3 Storm Tweaky UniRobot adam antonio aunty belinda benjamin boris caleb
    david ed f1 f3 f5 grandma iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt3 klatt4 m1 m2 m4 m6 m8 max
    norbert paul pedro quincy rob robert robosoft robosoft2 robosoft3 robosoft4 robosoft5 robosoft6 robosoft7 robosoft8
    steph steph2 steph3 travis victor""".split()
TEST_SPEAKERS = """Alicia Annie Gene Gene2 Hugo Marco Mike zac anika edward edward2 f2 f4 grandpa linda m3 m5 m7 michel
    miguel pablo sandro shelby""".split()


def resampled(sound, rate):
    """A sound of `rate` at RATE, through its spectrum."""
    divisor = np.gcd(rate, RATE)
    up, down = RATE // divisor, rate // divisor
    blocks = -(-len(sound) // down)
    spectrum = np.fft.rfft(sound, blocks * down)[: blocks * up // 2 + 1]
    return (np.fft.irfft(spectrum, blocks * up) * (up / down)).astype(np.float32)


def say(text, speaker, accent="en-us", speed=160, pitch=50):
    """`text`, without the silence around it. Speed is in words a minute, pitch from 0 to 99."""
    command = ["espeak-ng", "-v", f"{accent}+{speaker}", "-s", str(speed), "-p", str(pitch), "--stdout", text]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    sound = np.frombuffer(data[44 : len(data) // 2 * 2], np.int16) / np.float32(32768)
    sound = resampled(sound, int.from_bytes(data[24:28], "little"))
    loud = np.flatnonzero(np.abs(sound) > 0.01 * np.max(np.abs(sound), initial=1e-9))
    return sound[loud[0] : loud[-1] + 1] if len(loud) else sound


def say_all(requests):
    """What `say` gives for each dictionary of arguments."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda request: say(**request), requests))


def manner(random, speakers):
    """How somebody speaks, as arguments of `say`."""
    return {
        "speaker": str(random.choice(speakers)),
        "accent": str(random.choice(ACCENTS)),
        "speed": int(random.integers(120, 220)),
        "pitch": int(random.integers(20, 85)),
    }


def coloured(random, count, slope):
    """Noise whose power falls with frequency to the power of `slope`: 0 is white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    f = np.maximum(np.arange(len(spectrum)), count * 50 / RATE)
    return np.fft.irfft(spectrum * f ** (-slope / 2), count)


def hum(random, count):
    """Mains and its overtones, or a motor's."""
    t = np.arange(count) / RATE
    f = random.choice([50, 60, random.uniform(80, 400)])
    tones = range(1, int(random.integers(3, 12)))
    return sum(np.sin(2 * np.pi * (k * f * t + random.random())) * random.random() / k for k in tones)


def clicks(random, count):
    """Short bursts, as of a keyboard, over faint noise."""
    sound = random.standard_normal(count) * 0.02
    for start in random.integers(0, count, max(1, count * 5 // RATE)):
        length = min(int(random.integers(80, 600)), count - start)
        sound[start : start + length] += random.standard_normal(length) * np.exp(-np.arange(length) / 100)
    return sound


def babble(random, count, voices):
    """Six of `voices` (sounds) at once, from anywhere in them."""
    sound = np.zeros(count)
    for _ in range(6):
        voice = voices[random.integers(len(voices))]
        sound += np.roll(np.resize(voice, max(count, len(voice))), random.integers(len(voice)))[:count]
    return sound


NOISES = "white pink brown hum clicks babble".split()


def noise(random, kind, count, voices):
    """`count` samples of a kind of NOISES, of power 1."""
    if kind == "hum":
        sound = hum(random, count)
    elif kind == "clicks":
        sound = clicks(random, count)
    elif kind == "babble":
        sound = babble(random, count, voices)
    else:
        sound = coloured(random, count, NOISES.index(kind))
    return (sound / (np.sqrt(np.mean(sound**2)) + 1e-9)).astype(np.float32)


def power(sound):
    return float(np.mean(np.square(sound))) + 1e-12


def samples_of(sound):
    """As the 16-bit samples of a wav file or a microphone."""
    return np.clip(np.round(sound * 32768), -32768, 32767).astype(np.int16)


def write_wav(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def compiled(source):
    """The functions of a C++ file that uses the runtime: what the board computes, computed here."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library.so"
        options = ["-std=c++20", "-O2", "-ffp-contract=off", "-shared", "-fPIC", f"-I{ROOT / 'runtime'}"]
        subprocess.run(["c++", *options, str(source), "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))
