"""Makes the tiny models beside this file, and what onnxruntime computes with them.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime
    venv/bin/python fuzz/corpus/onnx/make_models.py

The models are seeds of fuzz/onnx_import_fuzz.cpp, and with tests/fixtures/onnx/NAME.npz (input_0,
..., output_0, ...) the cases of tests/onnx_models_test.cpp: what moves tensors between ONNX's order
of axes and the graph's.
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
NUMBERS = HERE.parents[2] / "tests/fixtures/onnx"
random = np.random.default_rng(1)


class Model:
    """Nodes, added one after the other; a numpy array as an input becomes an initializer."""

    def __init__(self, name, opset=17, **inputs):
        self.name, self.opset, self.inputs = name, opset, inputs
        self.nodes, self.constants = [], []

    def __call__(self, op, *inputs, outputs=1, **attributes):
        names = []
        for i in inputs:
            if isinstance(i, (np.ndarray, list, float)):
                array = np.array(i, np.int64 if isinstance(i, list) else None)
                if array.dtype == np.float64:
                    array = array.astype(np.float32)
                self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
                i = self.constants[-1].name
            names.append(i)
        made = [f"t{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, names, made, name=f"{op}_{len(self.nodes)}", **attributes))
        return made[0] if outputs == 1 else made

    def save(self, *outputs, shapes=None, samples=2):
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs.items()]
        outs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs]
        graph = helper.make_graph(self.nodes, self.name, inputs, outs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        onnx.save(model, HERE / f"{self.name}.onnx")
        session = onnxruntime.InferenceSession(model.SerializeToString())
        arrays = {}
        for i, (name, shape) in enumerate(self.inputs.items()):
            arrays[f"input_{i}"] = random.standard_normal([n if isinstance(n, int) else 1 for n in shape]).astype(
                np.float32
            )
        feed = {n: arrays[f"input_{i}"] for i, n in enumerate(self.inputs)}
        for i, value in enumerate(session.run(list(outputs), feed)):
            arrays[f"output_{i}"] = value.astype(np.float32)
        np.savez(NUMBERS / f"{self.name}.npz", **arrays)


def weights(*shape):
    return (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def norm(m, x, c):
    return m("BatchNormalization", x, 1 + 0.1 * weights(c), weights(c), weights(c), 0.5 + random.random(c).astype(np.float32))


def cnn():
    m = Model("cnn", x=["N", 3, 9, 8])
    x = m("Relu", norm(m, m("Conv", "x", weights(4, 3, 3, 3), weights(4), pads=[1, 1, 1, 1]), 4))
    x = m("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = m("Clip", norm(m, m("Conv", x, weights(4, 1, 3, 3), group=4, auto_pad="SAME_UPPER", strides=[2, 2]), 4), 0.0, 6.0)
    x = m("GlobalAveragePool", x)
    m.save(m("Softmax", m("Gemm", m("Flatten", x), weights(5, 4), weights(5), transB=1)))


def flat():
    m = Model("flat", opset=11, x=[1, 2, 5, 7])
    x = m("LeakyRelu", m("Conv", "x", weights(3, 2, 3, 3), weights(3)), alpha=0.1)
    m.save(m("Gemm", m("Flatten", x), weights(45, 4), weights(4), alpha=0.5, beta=2.0))


def view():
    """What PyTorch makes of x.view(x.size(0), -1)."""
    m = Model("view", x=["batch", 2, 4, 4])
    x = m("Conv", "x", weights(3, 2, 3, 3), dilations=[1, 1])
    size = m("Unsqueeze", m("Gather", m("Shape", x), np.array(0)), [0])
    x = m("Reshape", x, m("Concat", size, [-1], axis=0))
    x = m("Relu", m("Add", m("MatMul", x, weights(12, 6)), weights(6)))
    m.save(m("Mul", norm(m, x, 6), weights(6)))


def shuffle():
    m = Model("shuffle", x=[1, 6, 4, 5])
    x = m("Conv", "x", weights(6, 3, 1, 1), group=2)
    x = m("Transpose", m("Reshape", x, [1, 2, 3, 4, 5]), perm=[0, 2, 1, 3, 4])
    x = m("Conv", m("Reshape", x, [1, 6, 4, 5]), weights(4, 6, 2, 3))
    a, b = m("Split", x, [1, 3], axis=1, outputs=2)
    m.save(m("Concat", b, a, b, axis=1))


def nhwc():
    """What tf2onnx makes of a model with channels last."""
    m = Model("nhwc", opset=13, x=["N", 6, 5, 3])
    x = m("Conv", m("Transpose", "x", perm=[0, 3, 1, 2]), weights(4, 3, 3, 3), pads=[0, 1, 1, 0])
    x = m("Transpose", m("Relu", x), perm=[0, 2, 3, 1])
    x = m("Add", x, weights(4))
    m.save(m("MatMul", m("Reshape", x, [-1, 80]), weights(80, 3)))


def squeeze_excite():
    m = Model("squeeze_excite", x=[1, 4, 6, 6])
    x = m("Conv", "x", weights(4, 4, 3, 3), pads=[1, 1, 1, 1])
    s = m("ReduceMean", x, axes=[2, 3], keepdims=1)
    s = m("HardSigmoid", m("Conv", m("Relu", m("Conv", s, weights(2, 4, 1, 1))), weights(4, 2, 1, 1)))
    y = m("Add", m("Mul", x, s), "x")
    z = m("Concat", y, m("Resize", m("AveragePool", y, kernel_shape=[2, 2], strides=[2, 2]), np.array([], np.float32),
                         np.array([1, 1, 2, 2], np.float32), mode="nearest", coordinate_transformation_mode="asymmetric",
                         nearest_mode="floor"), axis=1)
    m.save(z, m("ReduceMax", z, axes=[1], keepdims=0))


def conv1d():
    m = Model("conv1d", x=[1, 3, 16])
    x = m("Relu", m("Conv", "x", weights(4, 3, 3), weights(4), pads=[2, 0], dilations=[1]))
    x = m("MaxPool", x, kernel_shape=[3], strides=[2], ceil_mode=1)
    x = m("Conv", x, weights(4, 1, 2), group=4, dilations=[2])
    m.save(m("ReduceMean", x, axes=[2], keepdims=0), m("Transpose", x, perm=[0, 2, 1]))


def attention():
    m = Model("attention", x=[1, 5, 8])
    x = m("LayerNormalization", "x", 1 + weights(8), weights(8))
    def heads(perm):
        y = m("Add", m("MatMul", x, weights(8, 8)), weights(8))
        return m("Transpose", m("Reshape", y, [0, 0, 2, 4]), perm=perm)
    q, k, v = heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])
    a = m("Softmax", m("Div", m("MatMul", q, k), 2.0))
    y = m("Transpose", m("MatMul", a, v), perm=[0, 2, 1, 3])
    y = m("Add", m("MatMul", m("Reshape", y, [0, 0, 8]), weights(8, 8)), "x")
    m.save(m("Mul", y, m("Sigmoid", y)))


def segment():
    m = Model("segment", x=[1, 2, 4, 6])
    x = m("ConvTranspose", "x", weights(2, 3, 3, 3), weights(3), strides=[2, 2], pads=[1, 1, 0, 1], output_padding=[0, 1])
    x = m("PRelu", x, 0.3 * random.random((3, 1, 1)).astype(np.float32))
    x = m("Resize", x, np.array([], np.float32), np.array([], np.float32), [1, 3, 12, 15], mode="linear")
    m.save(m("Softmax", m("InstanceNormalization", x, weights(3), weights(3)), axis=1))


def there_and_back():
    """Works on a flattened picture, and makes it a picture again."""
    m = Model("there_and_back", x=[1, 2, 3, 4], y=[1, 24])
    x = m("Conv", "x", weights(2, 2, 1, 1))
    x = m("Add", norm(m, m("Flatten", x), 24), "y")
    x = m("Reshape", x, [1, 2, 3, 4])
    x = m("Conv", x, weights(3, 2, 2, 2))
    m.save(m("Reshape", x, [9, 2]), m("Tanh", m("Squeeze", m("ReduceSum", x, [3], keepdims=1), [3])))


def pieces():
    m = Model("pieces", x=[1, 3, 6, 5])
    x = m("Pad", "x", [0, 0, 1, 0, 0, 0, 0, 2], mode="reflect")
    x = m("MaxPool", x, kernel_shape=[2, 2])
    y = m("Slice", x, [1, -1], [100, -100], [2, 3], [2, -1])
    z = m("Gather", y, [0, 2, 1, 1], axis=1)
    z = m("Sub", z, m("Slice", z, [0], [1], [1]))
    m.save(m("Where", m("Greater", z, 0.1), z, m("Exp", z)), m("Transpose", z, perm=[1, 0, 3, 2]))


def depth():
    m = Model("depth", x=[1, 4, 4, 6])
    x = m("DepthToSpace", m("Conv", "x", weights(8, 4, 1, 1)), blocksize=2, mode="CRD")
    x = m("SpaceToDepth", m("Relu", x), blocksize=4)
    m.save(m("LRN", m("Conv", x, weights(5, 32, 1, 1)), size=3), m("DepthToSpace", "x", blocksize=2))


def recurrent(m, op, x, inputs, units, directions=1, outputs=3, state=None, bias=True, **attributes):
    """PyTorch's way: weights of all directions; a first state where `state` is given, for each of h and c."""
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    rows = gates * units
    arrays = [weights(directions, rows, inputs), weights(directions, rows, units)]
    if bias:
        arrays.append(weights(directions, 2 * rows))
    if state is not None:
        arrays += [""] * (not bias) + ["", *state]
    direction = "bidirectional" if directions == 2 else attributes.pop("direction", "forward")
    return m(op, x, *arrays, outputs=outputs, hidden_size=units, direction=direction, **attributes)


def lstm():
    """Two layers, both directions, batch first, as PyTorch exports them; the last step goes on."""
    m = Model("lstm", x=["N", 6, 3])
    x = m("Transpose", "x", perm=[1, 0, 2])
    zeros = m("ConstantOfShape", [2, 1, 4], value=numpy_helper.from_array(np.zeros(1, np.float32)))
    for inputs in (3, 8):
        y, h, c = recurrent(m, "LSTM", x, inputs, 4, 2, state=[zeros, zeros])
        x = m("Reshape", m("Transpose", y, perm=[0, 2, 1, 3]), [0, 0, -1])
    out = m("Gather", m("Transpose", x, perm=[1, 0, 2]), np.array(-1), axis=1)
    m.save(m("Gemm", out, weights(5, 8), weights(5), transB=1), h, c)


def gru():
    """A direction axis that is squeezed away; states that the caller gives and gets."""
    m = Model("gru", x=[7, 1, 3], h0=[1, 1, 5])
    y, h = recurrent(m, "GRU", "x", 3, 5, outputs=2, state=["h0"], linear_before_reset=1)
    y = m("Squeeze", y, [1])
    z, _ = recurrent(m, "GRU", y, 5, 4, outputs=2, direction="reverse")
    m.save(m("Softmax", m("MatMul", m("Squeeze", z, [1]), weights(4, 3)), axis=-1), h)


def rnn():
    """Other functions, a batch axis in the middle, first states that are constants, no bias; CNN before it."""
    m = Model("rnn", x=[1, 3, 9])
    x = m("Transpose", m("Relu", m("Conv", "x", weights(4, 3, 3), weights(4))), perm=[2, 0, 1])
    y, h = recurrent(m, "RNN", x, 4, 6, 2, outputs=2, activations=["Relu", "Tanh"], bias=False,
                     state=[weights(2, 1, 6)])
    z, _, c = recurrent(m, "LSTM", x, 4, 3, activations=["HardSigmoid", "Tanh", "Relu"],
                        activation_alpha=[0.25], activation_beta=[0.4])
    m.save(y, h, m("Squeeze", z, [1]), c)


def batches():
    """More than one sequence at once."""
    m = Model("batches", x=[5, 3, 4], h0=[2, 3, 6])
    y, h = recurrent(m, "GRU", "x", 4, 6, 2, outputs=2, state=["h0"])
    z, _, c = recurrent(m, "LSTM", m("Reshape", m("Transpose", y, perm=[0, 2, 1, 3]), [0, 0, -1]), 12, 3)
    m.save(y, h, z, c)


for make in (cnn, flat, view, shuffle, nhwc, squeeze_excite, conv1d, attention, segment, there_and_back, pieces, depth,
             lstm, gru, rnn, batches):
    make()
