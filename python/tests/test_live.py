"""Models in memory, of Keras 3, Keras 2 and PyTorch."""

import numpy as np
import pytest
from conftest import floats_of, need, need_board, small_network

import nnom


def files_of(model, folder):
    """The model's files, named alike in folders of their own."""
    for kind in ("keras", "h5"):
        (folder / kind).mkdir()
        path = folder / kind / f"small.{kind}"
        model.save(path)
        yield str(path)


def test_the_same_bytes_from_memory_and_files(keras, pictures, tmp_path):
    model = small_network(keras)
    written = []
    for source in (model, *files_of(model, tmp_path)):
        nnom.convert(source, pictures, target="cortex-m4").save("net.hpp")
        written.append([(tmp_path / name).read_bytes() for name in ("net.hpp", "net.cpp")])
    assert written[0] == written[1] == written[2]


def test_predict_is_near_the_model(keras, pictures):
    model = small_network(keras)
    made = nnom.convert(model, pictures)
    assert np.abs(made.predict(pictures) - floats_of(model(pictures))).max() < 0.02


def test_evaluate_on_a_board(keras, pictures):
    need_board()
    model = small_network(keras)
    y = floats_of(model(pictures)).argmax(1)
    result = nnom.evaluate_model(model, pictures[:5], y[:5], on="cortex-m4")
    assert result.cycles > 1000 and result.float_accuracy == 1


def test_several_inputs_and_outputs(keras, pictures):
    a = keras.Input((12, 12, 1), name="left")
    b = keras.Input((5,), name="right")
    x = keras.layers.Conv2D(3, 3, name="conv")(a)
    flat = keras.layers.Flatten()(x)
    both = keras.layers.Concatenate()([flat, b])
    model = keras.Model([a, b], [x, keras.layers.Dense(2, name="dense")(both)])
    numbers = np.random.default_rng(2).random((100, 5), dtype=np.float32)
    made = nnom.convert(model, {"left": pictures, "right": numbers})
    found = made.predict([pictures, numbers])
    wanted = [floats_of(y) for y in model([pictures, numbers])]
    assert [y.shape for y in found] == [(100, 10, 10, 3), (100, 2)]
    for y, right, port in zip(found, wanted, made.outputs):
        assert np.abs(y - right).max() < 6 * port.scale + 0.02
    raw = made.predict({"right": numbers, "left": pictures}, raw=True)
    assert [y.dtype for y in raw] == [np.int8, np.int8]


def test_a_lambdas_own_python_runs(keras, pictures):
    seen = []

    def squash(x):
        seen.append(x.shape)
        return x / (1.0 + x * x)

    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.Lambda(squash, output_shape=(10, 10, 4), name="squash"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, name="dense"),
        ]
    )
    before = len(seen)
    made = nnom.convert(model, pictures)
    assert len(seen) > before, "calibration didn't run it"
    before = len(seen)
    found = made.predict(pictures)
    assert len(seen) >= before + 100
    wanted = floats_of(model(pictures))
    assert np.abs(found - wanted).max() < 0.05 * np.abs(wanted).max() + 0.02
    with pytest.raises(nnom.Error, match="--hooks"):
        made.save("net.hpp")


def test_mistakes_in_a_lambda_are_raised(keras, pictures):
    fails = []

    def broken(x):
        if fails:
            raise ZeroDivisionError("mine")
        return x

    model = keras.Sequential([keras.Input((5,)), keras.layers.Lambda(broken, output_shape=(5,))])
    fails.append(1)
    with pytest.raises(ZeroDivisionError, match="mine"):
        nnom.convert(model, np.ones((4, 5)))


def test_a_class_of_your_own(keras):
    class Gate(keras.layers.Layer):
        def call(self, x):
            return x * x

    model = keras.Sequential([keras.Input((5,)), Gate(name="gate"), keras.layers.Dense(2)])
    x = np.random.default_rng(3).random((50, 5), dtype=np.float32)
    made = nnom.convert(model, x)
    wanted = floats_of(model(x))
    assert np.abs(made.predict(x) - wanted).max() < 0.05 * np.abs(wanted).max() + 0.02


def test_functions_for_layers_of_a_file(keras):
    layers = [
        keras.Input((5,)),
        keras.layers.Lambda(lambda x: x * 3, name="triple", output_shape=(5,)),
    ]
    keras.Sequential(layers).save("net.keras")
    x = np.random.default_rng(3).random((50, 5), dtype=np.float32)
    made = nnom.convert("net.keras", x, lambdas={"triple": lambda x: 2 * x})
    assert np.abs(made.predict(x) - 2 * x).max() < 0.02


def test_channels_first_outputs_lie_as_in_the_model(keras):
    inputs = keras.Input((2, 6, 7))
    layer = keras.layers.Conv2D(3, 1, data_format="channels_first", name="conv")
    try:
        model = keras.Model(inputs, layer(inputs))
    except Exception as error:  # not on every backend
        pytest.skip(f"this backend has no channels_first: {error}")
    x = np.random.default_rng(3).random((50, 2, 6, 7), dtype=np.float32)
    made = nnom.convert(model, x)
    kernel, bias = (floats_of(w) for w in layer.get_weights())
    wanted = np.einsum("nchw,cf->nfhw", x, kernel[0, 0]) + bias[:, None, None]
    found = made.predict(x)
    assert found.shape == (50, 3, 6, 7) and np.abs(found - wanted).max() < 0.05
    assert made.predict(x, raw=True).shape == (50, 6, 7, 3)


def test_a_dataset_of_tensorflow(pictures):
    tf = need("tensorflow")
    keras = need("keras")
    model = small_network(keras)
    labels = np.zeros(len(pictures), np.int64)
    data = tf.data.Dataset.from_tensor_slices((pictures, labels)).batch(16)
    wanted = nnom.convert(model, pictures).predict(pictures, raw=True)
    np.testing.assert_array_equal(nnom.convert(model, data).predict(data, raw=True), wanted)


def test_the_bytes_of_a_tflite_file(pictures):
    tf = need("tensorflow")
    model = small_network(need("keras"))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    made = nnom.convert(converter.convert(), pictures)
    assert np.abs(made.predict(pictures) - floats_of(model(pictures))).max() < 0.02


def test_a_module_of_pytorch():
    torch = need("torch")
    module = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 4)
    )
    x = torch.rand(100, 2, 6, 6)
    made = nnom.convert(module, x)
    wanted = module(x).detach().numpy()
    assert np.abs(made.predict(x) - wanted).max() < 0.05 * np.abs(wanted).max() + 0.02
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, x[:, 0, 0, 0]), 10)
    np.testing.assert_array_equal(nnom.convert(module, loader).predict(x), made.predict(x))
    with pytest.raises(nnom.Error, match="calibrate="):
        nnom.convert(module)


def test_a_model_of_onnx():
    onnx = need("onnx")
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    data = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32)
    found = nnom.convert(model, data).predict(data)
    assert np.abs(found - np.maximum(data, 0)).max() < 0.03
