"""What the tests share: models, their data, and the Keras they are made with."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "examples" / "fashion_mnist"

# The smallest backend of Keras 3, where there is no other.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if importlib.util.find_spec("tensorflow") is None:
    os.environ.setdefault("KERAS_BACKEND", "jax")


def need(name: str):
    """The package, or a skipped test that says which one is missing."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed (python/tests/requirements-live.txt)")
    return importlib.import_module(name)


def need_board() -> None:
    for program in ("arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (scripts/setup.sh firmware)")


@pytest.fixture(params=["keras", "tf_keras"])
def keras(request):
    """Keras 3, and Keras 2."""
    module = need(request.param)
    module.utils.set_random_seed(7)
    return module


def small_network(keras, shape=(12, 12, 1)):
    """A classifier of three classes with random weights."""
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="stem"),
            keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.GlobalAveragePooling2D(name="mean"),
            keras.layers.Dense(3, activation="softmax", name="scores"),
        ],
        name="small",
    )


def floats_of(output) -> np.ndarray:
    """What a model in memory gave, as numpy has it."""
    if hasattr(output, "detach"):
        output = output.detach().cpu()
    return np.asarray(output, dtype=np.float32)


@pytest.fixture
def pictures():
    """100 pictures of 12 x 12 x 1."""
    return np.random.default_rng(1).random((100, 12, 12, 1), dtype=np.float32)


@pytest.fixture(scope="session")
def demo():
    """The path of the demo's model, calibration data, test data and labels, all from 0 to 1."""

    def load(name: str) -> np.ndarray:
        return np.load(DEMO / name)

    return (
        str(DEMO / "model.keras"),
        load("calibration.npy") / np.float32(255),
        load("test_images.npy") / np.float32(255),
        load("test_labels.npy"),
    )


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    """Each test runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
