"""convert and what it gives, from files."""

import itertools
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import DEMO, ROOT, need_board

import nnom


@pytest.fixture(scope="module")
def model():
    x = np.load(DEMO / "calibration.npy") / np.float32(255)
    return nnom.convert(str(DEMO / "model.keras"), calibrate=x, target="cortex-m4")


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "nnom", *map(str, words)], capture_output=True, text=True
    )


def test_the_bytes_are_those_of_the_command(model, tmp_path):
    demo = [DEMO / "model.keras", "--calibrate", DEMO / "calibration.npy", "--scale", "1/255"]
    convert = ["convert", *demo, "--target", "cortex-m4", "-o", tmp_path / "a" / "m.hpp"]
    done = command(*convert)
    assert done.returncode != 0 and "error" in done.stderr  # there is no such folder
    (tmp_path / "a").mkdir()
    done = command(*convert)
    assert done.returncode == 0, done.stderr
    scaled = nnom.convert(
        DEMO / "model.keras", np.load(DEMO / "calibration.npy"), scale="1/255", target="cortex-m4"
    )
    assert scaled.save(tmp_path / "m.hpp") == [str(tmp_path / "m.hpp"), str(tmp_path / "m.cpp")]
    for name in ("m.hpp", "m.cpp"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "a" / name).read_bytes()


def test_predict_gives_what_the_command_gives(model, tmp_path, demo):
    path, x, images, labels = demo
    np.save("x.npy", x)
    np.save("images.npy", images[:20])
    for output in ("y.npy", "y.bin"):
        done = command("run", path, "--calibrate", "x.npy", "--input", "images.npy", "-o", output)
        assert done.returncode == 0, done.stderr
    real = model.predict(images[:20])
    assert real.dtype == np.float32 and real.shape == (20, 10)
    np.testing.assert_array_equal(real, np.load("y.npy"))
    raw = model.predict(images[:20], raw=True)
    assert raw.dtype == np.int8
    assert raw.tobytes() == Path("y.bin").read_bytes()
    (port,) = model.outputs
    np.testing.assert_allclose(real, port.scale * (raw - np.float32(port.zero_point)), rtol=1e-6)
    assert (model.predict(images).argmax(1) == labels).mean() > 0.9


def test_predict_on_a_board_gives_the_same_bytes(model, demo):
    need_board()
    images = demo[2][:2]
    np.testing.assert_array_equal(
        model.predict(images, raw=True, on="cortex-m4"), model.predict(images, raw=True)
    )


def test_summary_and_sizes(model, capsys):
    model.summary()
    shown = capsys.readouterr().out
    assert "stem" in shown and "calibrated on 100 samples" in shown
    assert f"{model.ram:,} B" in shown and f"{model.flash:,} B" in shown
    assert [port.shape for port in model.inputs] == [(28, 28, 1)]
    assert [port.shape for port in model.outputs] == [(10,)]
    assert {"name", "scale", "zero_point", "bits"} <= set(model.scales[0])


def test_evaluate(model, demo):
    _, _, images, labels = demo
    result = model.evaluate(images, labels)
    assert result.accuracy == pytest.approx(465 / 500, abs=0.01)
    assert result.float_accuracy == pytest.approx(465 / 500, abs=0.01)
    assert "Accuracy" in str(result) and result.figures["samples"] == 500
    one_hot = np.eye(10)[labels]
    assert model.evaluate(images, one_hot, with_float=False).accuracy == result.accuracy


def test_evaluate_on_a_board(model):
    need_board()
    result = model.evaluate(on="cortex-m4")
    assert result.cycles > 1_000_000 and result.seconds > 0.01
    assert result.figures["stack_bytes"] > 0 and result.accuracy is None


FORMS = {
    "array": lambda x: x,
    "float64": lambda x: x.astype(np.float64),
    "not in order": lambda x: np.asfortranarray(x),
    "big endian": lambda x: x.astype(">f4"),
    "list of samples": list,
    "nested lists": lambda x: x.tolist(),
    "list of one array": lambda x: [x],
    "dict": lambda x: {"input_layer": x},
    "generator of samples": lambda x: (s for s in x),
    "generator of batches": lambda x: (x[i : i + 7] for i in range(0, len(x), 7)),
    "with labels": lambda x: ((s, 1) for s in x),
    "batches with labels": lambda x: ([x[i : i + 9], np.ones(9)] for i in range(0, len(x), 9)),
    "without end": lambda x: itertools.cycle(x),
}


@pytest.mark.parametrize("form", FORMS)
def test_calibration_data_in_any_form(form, demo):
    path, x, images, _ = demo
    wanted = nnom.convert(path, x).predict(images[:5], raw=True)
    if form == "dict":
        data = {nnom.convert(path, x).inputs[0].name: x}
    else:
        data = FORMS[form](x)
    made = nnom.convert(path, data)
    assert "100 samples" in str(made)
    np.testing.assert_array_equal(made.predict(images[:5], raw=True), wanted)


MISTAKES = {
    "no data": (None, {}, "needs samples to choose the ranges of int8 from"),
    "shape": (np.zeros((10, 9, 9)), {}, "takes samples of 28 x 28 x 1"),
    "empty list": ([], {}, "takes samples of 28 x 28 x 1"),
    "no array": (7, {}, "calibrate: is a int, not an array"),
    "empty": (iter([]), {}, "calibrate: holds no samples"),
    "ragged": ([np.zeros((28, 28)), np.zeros((27, 28))], {}, "calibrate, item 1: is neither"),
    "no numbers": (np.full((10, 28, 28), "a"), {}, "not real numbers"),
    "names": ({"x": np.zeros((10, 28, 28))}, {}, "calibrate: has 'x', but the model's inputs are"),
    "not finite": (np.full((10, 28, 28), np.nan), {}, "not finite"),
    "target": (np.zeros((10, 28, 28)), {"target": "z80"}, "z80"),
    "option": (np.zeros((10, 28, 28)), {"rounding": "up"}, "--rounding: up not in"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors(mistake):
    data, options, message = MISTAKES[mistake]
    with pytest.raises(nnom.Error) as raised:
        nnom.convert(str(DEMO / "model.keras"), data, **options)
    assert message in str(raised.value)


def test_what_is_no_model():
    with pytest.raises(nnom.Error, match="a int is no model"):
        nnom.convert(3, np.zeros(3))
    with pytest.raises(nnom.Error, match="nowhere.keras"):
        nnom.convert("nowhere.keras", np.zeros(3))


def test_doubts_are_warnings(demo):
    with pytest.warns(UserWarning, match="--scale 1/255"):
        nnom.convert(demo[0], np.load(DEMO / "calibration.npy"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nnom.convert(demo[0], demo[1])


def test_paths_as_on_the_command_line(demo):
    np.save("x.npy", demo[1])
    made = nnom.convert(demo[0], "x.npy")
    np.save("images.npy", demo[2])
    result = made.evaluate("images.npy", str(DEMO / "test_labels.npy"), with_float=False)
    assert result.accuracy > 0.9
    sizing = nnom.convert(demo[0], "random")
    assert "FOR SIZING ONLY" in str(sizing) and sizing.ram == made.ram


def test_options_do_what_they_do_in_the_command(demo):
    path, x, _, _ = demo
    made = nnom.convert(
        path,
        x,
        ranges={"scores": (-8, 8)},
        per_channel=False,
        calibration="kl",
        scheme="power-of-two",
        optimise="size",
        calibration_samples=10,
    )
    scale = next(t for t in made.scales if t["name"] == "scores")["scale"]
    assert scale == 2.0**-4 and "10 samples" in str(made)
    limited = nnom.convert(path, x, ram_limit="9k")
    assert limited.ram <= 9 * 1024 < made.ram


def test_several_inputs():
    fixture = ROOT / "tests" / "fixtures" / "keras" / "fault_two_inputs"
    held = np.load(fixture.with_suffix(".npz"))
    x = [held["input_0"], held["input_1"]]
    made = nnom.convert(fixture.with_suffix(".keras"), x)
    wanted = made.predict(x)
    names = [port.name for port in made.inputs]
    assert len(names) == 2
    np.testing.assert_array_equal(made.predict(dict(zip(names, x))), wanted)
    np.testing.assert_array_equal(made.predict(zip(*x)), wanted)
    np.testing.assert_array_equal(made.predict(((a, b), 1) for a, b in zip(*x)), wanted)
    with pytest.raises(nnom.Error, match="once for each"):
        made.predict(x[0])


def test_save(model, tmp_path):
    assert model.save("one.hpp", single_header=True, name="net") == ["one.hpp"]
    assert "namespace net" in Path("one.hpp").read_text()
    assert model.save("c.hpp", c_api=True, section=".qspi") == ["c.hpp", "c.cpp", "c.h"]
    assert "Network" in Path(model.save("layers.hpp", emit="layers")[0]).read_text()
    with pytest.raises(nnom.Error, match="namespace"):
        model.save("x.hpp", name="class")


def test_set_of_the_board(model, demo):
    _, _, images, labels = demo
    assert model.save_test_set("t.bin", images[:30], labels[:30]) == 30
    held = Path("t.bin").read_bytes()
    assert held[:4] == b"NNTS" and len(held) == 16 + 12 + 30 * (784 + 1)
    stored = np.frombuffer(held[28 : 28 + 784], np.int8)
    (port,) = model.inputs
    wanted = np.clip(np.round(images[0].ravel() / port.scale) + port.zero_point, -128, 127)
    assert np.abs(stored - wanted).max() <= 1
    with pytest.raises(nnom.Error, match="labels for 3 samples"):
        model.save_test_set("t.bin", images[:30], labels[:3])


def test_errors_of_the_compiler_are_shown(tmp_path):
    header = tmp_path / "hooks.hpp"
    header.write_text("namespace hooks { void swirl( }")
    lambdas = next((ROOT / "tests" / "fixtures" / "lambda").glob("arguments.keras"))
    with pytest.raises(nnom.Error, match="hooks.hpp"):
        nnom.convert(lambdas, np.ones((4, 4)), hooks=header)


def test_the_command(tmp_path):
    done = command("--version")
    assert done.stdout == f"nnom {nnom.__version__}\n"
    done = command("inspect", DEMO / "model.keras", "--target", "cortex-m4")
    assert done.returncode == 0 and "stem" in done.stdout
    assert command("nonsense").returncode == 2


def test_a_report(model, tmp_path):
    x = np.load(DEMO / "test_images.npy")[:20] / np.float32(255)
    y = np.load(DEMO / "test_labels.npy")[:20]
    page = tmp_path / "report.html"
    model.report(page, x, y, classes=[f"class {i}" for i in range(10)], measure=False)
    text = page.read_text()
    assert "Arduino Nano 33 BLE" in text and "class 7" in text and "of 20" in text
    with pytest.raises(nnom.Error, match="no-such-board"):
        model.report(tmp_path / "other.html", board="no-such-board")
    assert not (tmp_path / "other.html").exists()
