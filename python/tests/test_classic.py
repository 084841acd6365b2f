"""The functions that users of NNoM know."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import DEMO, ROOT, need_board

import nnom


def test_generate_model_writes_c_and_cpp(demo):
    made = nnom.generate_model(demo[0], demo[1])
    assert sorted(p.name for p in Path().iterdir()) == ["weights.cpp", "weights.h", "weights.hpp"]
    Path("main.c").write_text('#include "weights.h"\nint main(void) { weights_run(); return 0; }\n')
    compiled = ["cc", "-std=c99", "-Wall", "-Werror", "-fsyntax-only", "main.c"]
    subprocess.run([*compiled, f"-I{ROOT / 'runtime'}"], check=True)
    assert made.ram > 0
    nnom.generate_model(demo[0], demo[1], name="only.hpp")
    assert Path("only.cpp").exists() and not Path("only.h").exists()


def test_generate_model_takes_nnoms_parameters(demo):
    made = nnom.generate_model(demo[0], demo[1], False, "w.h", "chw", "kld", target="cortex-m0")
    same = nnom.convert(
        demo[0], demo[1], per_channel=False, layout="chw", calibration="kl", target="cortex-m0"
    )
    same.save("same.hpp", name="w", c_api=True)
    text = Path("same.cpp").read_text().replace("same.h", "w.h")
    assert Path("w.cpp").read_text() == text
    assert "cortex-m0" not in str(made) or made.ram == same.ram


def test_evaluate_model_prints_and_writes(demo, capsys):
    path, x, images, labels = demo
    result = nnom.evaluate_model(
        path, images, labels, running_time=True, to_file="evaluation.txt", calibrate=x
    )
    shown = capsys.readouterr().out
    assert shown == Path("evaluation.txt").read_text()
    assert "top-1" in shown and "Running time: " in shown and result.accuracy > 0.9
    converted = nnom.convert(path, x)
    assert nnom.evaluate_model(converted, images, labels).accuracy == result.accuracy


def test_evaluate_model_on_a_board(demo):
    need_board()
    path, _, images, labels = demo
    result = nnom.evaluate_model(path, images[:3], labels[:3], on="cortex-m4")
    assert result.figures["on"] == "cortex-m4" and result.cycles > 1_000_000
    # With the weights packed for that core.
    generic = nnom.convert(path, images[:3]).evaluate(on="cortex-m4")
    assert result.cycles < generic.cycles


def test_generate_test_bin(demo):
    path, x, images, labels = demo
    made = nnom.generate_model(path, x)
    assert nnom.generate_test_bin(images[:9], labels[:9]) == 9
    made.save_test_set("same.bin", images[:9], labels[:9])
    assert Path("test_data_with_label.bin").read_bytes() == Path("same.bin").read_bytes()
    other = nnom.convert(path, x * 2)
    nnom.generate_test_bin(images[:9], labels[:9], "other.bin", model=other)
    assert Path("other.bin").read_bytes() != Path("same.bin").read_bytes()


def test_quantize_output(demo):
    scales = nnom.quantize_output(demo[0], demo[1], "max_min", scheme="power-of-two")
    pixels = scales[next(iter(scales))]
    assert pixels == (2.0**-7, 0, 8) and pixels.dec_bits == 7
    assert "scores" in scales and len(scales) > 5


def test_quantize_weights(demo):
    layers = nnom.quantize_weights(demo[0])
    keras_weights = read_keras_weights()
    stored = layers["stem"]
    assert stored.values.dtype == np.int8
    real = keras_weights["stem"].transpose(3, 0, 1, 2).reshape(len(stored.values), -1)
    np.testing.assert_allclose(
        stored.scale[:, None] * stored.values, real, atol=stored.scale.max() / 2 * 1.001
    )
    np.testing.assert_allclose(stored.scale, np.abs(real).max(1) / 127, rtol=1e-5)
    scales = nnom.quantize_output(demo[0], demo[1])
    assert nnom.quantize_weights(demo[0], "w.h", layer_q_list=scales).keys() == layers.keys()
    assert Path("w.hpp").exists()
    with pytest.raises(nnom.Error, match="quantize_output"):
        nnom.quantize_weights(demo[0], "w.h")


def read_keras_weights():
    """The kernels in the demo's file, by layer, read by h5py."""
    import io
    import json
    import zipfile

    h5py = pytest.importorskip("h5py")
    with zipfile.ZipFile(DEMO / "model.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
        names = [layer["config"]["name"] for layer in layers]
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as held:
            kernels = [
                held["layers"][key]["vars"]["0"][()]
                for key in held["layers"]
                if len(held["layers"][key]["vars"]) and key.startswith("conv2d")
            ]
    return dict(zip(["stem"], kernels[:1])) if "stem" in names else {}
