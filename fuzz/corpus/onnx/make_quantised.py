"""Makes the tiny quantised models q_*.onnx beside this file, and what onnxruntime computes with them.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime
    venv/bin/python fuzz/corpus/onnx/make_quantised.py

tests/fixtures/onnx/q_NAME.npz has samples (input_0, stacked on a new first axis) and the outputs, for
tests/onnx_quantised_test.cpp. Layers of one operator are written by hand, so that scales and zero points are odd
ones; networks are what onnxruntime.quantization makes of float ones, in QDQ and in QOperator form.
"""
import pathlib
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization as ort

HERE = pathlib.Path(__file__).parent
NUMBERS = HERE.parents[2] / "tests/fixtures/onnx"
SAMPLES = 4


class Model:
    """Nodes, added one after the other; arrays as inputs become initializers."""

    def __init__(self, name, opset=17):
        self.name, self.opset = name, opset
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []
        self.random = np.random.default_rng(zlib.crc32(name.encode()))

    def __call__(self, op, *inputs, outputs=1, **attributes):
        names = []
        for i in inputs:
            if isinstance(i, list):
                i = np.array(i, np.int64)
            if isinstance(i, float):
                i = np.array(i, np.float32)
            if isinstance(i, (np.ndarray, np.generic)):
                self.constants.append(numpy_helper.from_array(np.asarray(i), f"c{len(self.constants)}"))
                i = self.constants[-1].name
            names.append(i)
        made = [f"t{len(self.nodes)}_{k}" for k in range(outputs)]
        domain, _, op = op.rpartition(".")
        self.nodes.append(
            helper.make_node(op, names, made, name=f"{op}_{len(self.nodes)}", domain=domain, **attributes)
        )
        return made[0] if outputs == 1 else made

    def input(self, *shape):
        self.inputs.append((f"x{len(self.inputs)}", shape))
        return self.inputs[-1][0]

    def real(self, *shape, spread=1.0):
        return (self.random.standard_normal(shape) * spread).astype(np.float32)

    def proto(self, *outputs):
        ins = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs]
        outs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs]
        graph = helper.make_graph(self.nodes, self.name, ins, outs, self.constants)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)]
        return onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=opsets, ir_version=8))

    # Quantised tensors

    def q(self, x, scale, zero, kind=np.int8, **attributes):
        return self("QuantizeLinear", x, np.float32(scale), np.array(zero, kind), **attributes)

    def dq(self, x, scale, zero, kind=np.int8, **attributes):
        return self("DequantizeLinear", x, np.float32(scale), np.array(zero, kind), **attributes)

    def qdq(self, x, scale, zero, kind=np.int8):
        return self.dq(self.q(x, scale, zero, kind), scale, zero, kind)

    def weights(self, *shape, axis=None, kind=np.int8, zero=0, spread=40):
        """Dequantised integers, of one scale or of one for each entry of an axis."""
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        stored = np.clip(np.round(self.random.standard_normal(shape) * spread) + zero, low, high).astype(kind)
        if axis is None:
            self.scale = np.float32(0.0173)
            return self.dq(stored, self.scale, zero, kind)
        self.scale = self.random.uniform(0.004, 0.03, shape[axis]).astype(np.float32)
        return self.dq(stored, self.scale, np.full(shape[axis], zero), kind, axis=axis)

    def bias(self, count, in_scale):
        stored = np.round(self.random.standard_normal(count) * 900).astype(np.int32)
        scale = np.float32(in_scale) * self.scale
        if scale.ndim:
            return self.dq(stored, scale, np.zeros(count), np.int32, axis=0)
        return self.dq(stored, scale, 0, np.int32)


def save(model, proto, samples=None, options=None):
    onnx.save(proto, HERE / f"q_{model.name}.onnx")
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    arrays = {}
    for i, (name, shape) in enumerate(model.inputs):
        arrays[f"input_{i}"] = samples if samples is not None else model.real(SAMPLES, *shape, spread=1.3)
    runs = [
        session.run(None, {n: arrays[f"input_{i}"][k] for i, (n, _) in enumerate(model.inputs)}) for k in range(SAMPLES)
    ]
    for i in range(len(runs[0])):
        arrays[f"output_{i}"] = np.stack([r[i] for r in runs]).astype(np.float32)
    for name in arrays:
        if name.startswith("input"):
            arrays[name] = arrays[name][:, 0]  # no batch
    np.savez_compressed(NUMBERS / f"q_{model.name}.npz", **arrays)


# Layers of one operator. `kind` and the zero point of its output: int8 around 3, uint8 around 131.

KINDS = {"i8": (np.int8, 3), "u8": (np.uint8, 131)}


def layer(name, build, in_shape=(1, 5, 9, 7), scale=0.0417, out_scale=0.093, out_zero=None, options=None):
    for k in KINDS:
        kind, zero = KINDS[k]
        m = Model(f"{name}_{k}")
        m.in_scale = scale
        x = m.qdq(m.input(*in_shape), scale, zero - 12, kind)
        y = build(m, x, kind)
        out = zero if out_zero is None else out_zero + np.iinfo(kind).min
        save(m, m.proto(m.qdq(y, out_scale, out, kind)), options=options)


def conv(outs, kernel, axis=None, groups=1, kind=np.int8, zero=0, **attributes):
    def build(m, x, _):
        w = m.weights(outs, 5 // groups, *kernel, axis=axis, kind=kind, zero=zero)
        return m("Conv", x, w, m.bias(outs, m.in_scale), group=groups, **attributes)

    return build


def layers():
    layer("conv", conv(6, (3, 3), pads=[1, 1, 1, 1]), out_scale=0.31)
    layer("conv_channel", conv(7, (3, 2), 0, strides=[2, 1], pads=[1, 0, 0, 1]), out_scale=0.27)
    layer("conv_u8_weights", conv(6, (3, 3), kind=np.uint8, zero=128, dilations=[2, 1]), out_scale=0.4)
    layer("conv_odd_weights", conv(6, (3, 3), kind=np.uint8, zero=117), out_scale=0.4)
    layer("depthwise", conv(5, (3, 3), 0, groups=5, pads=[1, 1, 1, 1]), out_scale=0.11)
    layer("depthwise_multiplier", conv(10, (3, 3), 0, groups=5), out_scale=0.11)
    layer("conv_relu", lambda m, x, k: m("Relu", conv(6, (3, 3), 0)(m, x, k)), out_scale=0.14, out_zero=0)
    layer("conv_relu_apart", lambda m, x, k: m("Relu", conv(6, (3, 3), 0)(m, x, k)), out_scale=0.14, out_zero=17)
    layer(
        "conv_clip",
        lambda m, x, k: m("Clip", conv(6, (3, 3), 0)(m, x, k), 0.0, 6.0),
        out_scale=0.0241,
        out_zero=0,
    )

    def torch_conv(m, x, kind):
        """As PyTorch exports it: real weights that a QuantizeLinear reads, real biases."""
        scale = m.random.uniform(0.002, 0.01, 6).astype(np.float32)
        w = m.q(m.real(6, 5, 3, 3, spread=0.25), scale, np.zeros(6), axis=0)
        return m("Conv", x, m.dq(w, scale, np.zeros(6), axis=0), m.real(6))

    layer("torch_conv", torch_conv, out_scale=0.06)

    def batch_norm(m, x, kind):
        y = conv(6, (3, 3), 0)(m, x, kind)
        scale = m.random.uniform(0.5, 1.5, 6).astype(np.float32) * np.array([1, -1, 1, 1, -1, 1], np.float32)
        return m("BatchNormalization", y, scale, m.real(6), m.real(6), abs(m.real(6)) + np.float32(0.5))

    layer("conv_batch_norm", batch_norm, out_scale=0.2)

    def torch_7_bits(m, x, kind):
        """As PyTorch exports activations of 0 to 127."""
        y = m.q(m("Relu", conv(6, (3, 3), 0)(m, x, kind)), 0.07, 0, np.uint8)
        y = m.dq(m("Clip", y, "", np.array(127, np.uint8)), 0.07, 0, np.uint8)
        return m("MaxPool", y, kernel_shape=[2, 2])

    layer("torch_7_bits", torch_7_bits, out_scale=0.07, out_zero=0)

    def conv_transpose(m, x, kind):
        return m("ConvTranspose", x, m.weights(5, 4, 3, 3, axis=1), strides=[2, 2])

    layer("conv_transpose", conv_transpose, out_scale=0.2)
    layer("conv_1d", lambda m, x, k: m("Conv", x, m.weights(4, 5, 3), pads=[1, 1]), in_shape=(1, 5, 11), out_scale=0.2)

    layer("gemm", lambda m, x, k: m("Gemm", x, m.weights(6, 33, axis=0), m.bias(6, 0.0417), transB=1), (1, 33), out_scale=0.12)
    layer("gemm_bias", lambda m, x, k: m("Gemm", x, m.weights(33, 6), m.real(6)), (1, 33), out_scale=0.12)
    layer("matmul", lambda m, x, k: m("MatMul", x, m.weights(33, 6, axis=1)), (1, 4, 33), out_scale=0.12)

    def torch_linear(m, x, kind):
        w = m("Transpose", m.weights(6, 33, axis=0), perm=[1, 0])
        return m("Add", m("MatMul", x, w), m.real(6))

    layer("torch_linear", torch_linear, (1, 4, 33), out_scale=0.12)

    def product(m, x, kind):
        other = m.qdq(m("Transpose", x, perm=[0, 2, 1]), 0.05, 4, kind)
        return m("MatMul", x, other)

    layer("matmul_both", product, (1, 6, 9), out_scale=0.06)

    def pair(op, scale):
        def build(m, x, kind):
            return m(op, x, m.qdq(m.input(1, 5, 9, 7), scale, KINDS["i8" if kind == np.int8 else "u8"][1] + 20, kind))

        return build

    layer("add", pair("Add", 0.0263), out_scale=0.0531)
    layer("sub", pair("Sub", 0.0263), out_scale=0.0531)
    layer("mul", pair("Mul", 0.0263), out_scale=0.0531)
    layer("add_relu", lambda m, x, k: m("Relu", pair("Add", 0.0263)(m, x, k)), out_scale=0.0371, out_zero=0)
    layer("concat", lambda m, x, k: m("Concat", x, m.qdq(m.input(1, 3, 9, 7), 0.02, 7, k), axis=1), out_scale=0.05)
    layer("add_constant", lambda m, x, k: m("Add", x, m.real(1, 5, 1, 1)), out_scale=0.05)
    layer("mul_constant", lambda m, x, k: m("Mul", x, m.real(1, 5, 1, 1)), out_scale=0.05)

    layer("max_pool", lambda m, x, k: m("MaxPool", x, kernel_shape=[3, 2], strides=[2, 2]), out_scale=0.0417)
    layer("max_pool_rescaled", lambda m, x, k: m("MaxPool", x, kernel_shape=[3, 2], strides=[2, 2]), out_scale=0.03)
    layer("average_pool", lambda m, x, k: m("AveragePool", x, kernel_shape=[3, 2], strides=[2, 1]), out_scale=0.021)
    layer("average_pool_same", lambda m, x, k: m("AveragePool", x, kernel_shape=[2, 2]), out_scale=0.0417, out_zero=119)
    layer(
        "average_pool_padded",
        lambda m, x, k: m("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        out_scale=0.021,
    )
    layer("global_average", lambda m, x, k: m("GlobalAveragePool", x), out_scale=0.0077)
    layer("whole_average", lambda m, x, k: m("AveragePool", x, kernel_shape=[9, 7]), out_scale=0.0077)
    layer("reduce_mean", lambda m, x, k: m("ReduceMean", x, axes=[2, 3], keepdims=0), out_scale=0.0077)
    layer("sigmoid", lambda m, x, k: m("Sigmoid", x), out_scale=1 / 256, out_zero=0)
    layer("tanh", lambda m, x, k: m("Tanh", x), out_scale=0.0079)
    layer("leaky_relu", lambda m, x, k: m("LeakyRelu", x, alpha=0.1), out_scale=0.031)
    layer("hard_swish", lambda m, x, k: m("HardSwish", x), out_scale=0.031)
    layer("relu", lambda m, x, k: m("Relu", x), out_scale=0.031, out_zero=0)
    layer("clip", lambda m, x, k: m("Clip", x, -1.0, 2.0), out_scale=0.031)
    plain = onnxruntime.SessionOptions()  # otherwise it leaves one of the scales out
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    layer("requantise", lambda m, x, k: x, out_scale=0.0834, options=plain)
    layer("softmax", lambda m, x, k: m("Softmax", x, axis=-1), (1, 10), scale=0.07, out_scale=1 / 256, out_zero=0)
    layer("softmax_odd", lambda m, x, k: m("Softmax", x, axis=-1), (1, 10), scale=0.07, out_scale=1 / 255, out_zero=0)
    layer("pad", lambda m, x, k: m("Pad", x, [0, 0, 1, 2, 0, 0, 2, 1]), out_scale=0.0417)
    layer("pieces", lambda m, x, k: m("Transpose", m("Slice", x, [1, 2], [5, 7], [1, 3], [2, 1])), out_scale=0.0417)
    layer("resize", lambda m, x, k: m("Resize", x, "", np.array([1, 1, 2, 2], np.float32), mode="nearest",
          coordinate_transformation_mode="asymmetric", nearest_mode="floor"), out_scale=0.0417)
    layer("prelu", lambda m, x, k: m("PRelu", x, m.real(5, 1, 1)), out_scale=0.05)


def tails():
    """Real numbers after the last DequantizeLinear; integers at the ends."""
    for name, tail in {"softmax_tail": "Softmax", "sigmoid_tail": "Sigmoid"}.items():
        m = Model(name)
        x = m.qdq(m.input(1, 33), 0.0417, -9)
        y = m("Gemm", x, m.weights(6, 33, axis=0), m.bias(6, 0.0417), transB=1)
        save(m, m.proto(m(tail, m.qdq(y, 0.06, 5))))
    m = Model("stored_pieces")  # integers are moved between Q and DQ
    x = m.q(m.input(1, 5, 8, 6), 0.0417, 120, np.uint8)
    x = m("Reshape", m("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), [1, -1])
    x = m.dq(x, 0.0417, 120, np.uint8)
    save(m, m.proto(m.qdq(m("Gemm", x, m.weights(60, 7), m.bias(7, 0.0417)), 0.2, 130, np.uint8)))


# Operators of onnxruntime that its quantiser leaves out of the networks below.


def contrib():
    def operands(m, x, scale=0.0417, zero=120):
        return [m.q(x, scale, zero, np.uint8), np.float32(scale), np.uint8(zero)]

    def one(name, op, shape=(1, 5, 9, 7), out=(0.031, 128), more=(), **attributes):
        m = Model(name)
        given = operands(m, m.input(*shape))
        for i in more:
            given += operands(m, m.input(*shape), 0.03 + 0.01 * i, 100 + i)
        to = [np.float32(out[0]), np.uint8(out[1])]
        given = to + given if op == "QLinearConcat" else given + to
        y = m(f"com.microsoft.{op}", *given, **attributes)
        save(m, m.proto(m.dq(y, *out, np.uint8)))

    one("op_add", "QLinearAdd", more=(1,), out=(0.05, 131))
    one("op_mul", "QLinearMul", more=(1,), out=(0.05, 131))
    one("op_concat", "QLinearConcat", more=(1, 2), out=(0.05, 131), axis=1)
    one("op_average_pool", "QLinearAveragePool", out=(0.02, 129), kernel_shape=[3, 2], strides=[2, 1])
    one("op_global_average", "QLinearGlobalAveragePool", out=(0.008, 129))
    one("op_sigmoid", "QLinearSigmoid", out=(1 / 256, 0))
    one("op_leaky_relu", "QLinearLeakyRelu", alpha=0.1)
    one("op_softmax", "QLinearSoftmax", (1, 10), out=(1 / 256, 0), axis=-1, opset=13)

    m = Model("op_matmul")
    w = np.clip(np.round(m.real(33, 6, spread=40)), -127, 127).astype(np.int8)
    y = m("QLinearMatMul", *operands(m, m.input(1, 33)), w, np.float32(0.0173), np.int8(0), np.float32(0.12), np.uint8(131))
    save(m, m.proto(m.dq(y, 0.12, 131, np.uint8)))


# Networks, quantised by onnxruntime


def residual(m):
    x = m.input(1, 3, 13, 11)
    x = m("Relu", m("Conv", x, m.real(6, 3, 3, 3, spread=0.3), m.real(6), pads=[1, 1, 1, 1], strides=[2, 2]))
    y = m("Relu", m("Conv", x, m.real(6, 6, 3, 3, spread=0.2), m.real(6), pads=[1, 1, 1, 1]))
    y = m("Conv", y, m.real(6, 6, 3, 3, spread=0.2), m.real(6), pads=[1, 1, 1, 1])
    x = m("Relu", m("Add", x, y))
    x = m("Flatten", m("GlobalAveragePool", m("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])))
    return m("Softmax", m("Gemm", x, m.real(5, 6, spread=0.5), m.real(5), transB=1), axis=-1)


def mobile(m):
    x = m.input(1, 3, 12, 9)
    x = m("Clip", m("Conv", x, m.real(8, 3, 3, 3, spread=0.3), m.real(8), strides=[2, 2]), 0.0, 6.0)
    x = m("Clip", m("Conv", x, m.real(8, 1, 3, 3, spread=0.4), m.real(8), group=8, pads=[1, 1, 1, 1]), 0.0, 6.0)
    x = m("Conv", x, m.real(6, 8, 1, 1, spread=0.4), m.real(6))
    x = m("Reshape", m("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), [1, -1])
    return m("MatMul", x, m.real(24, 4, spread=0.3))


def branches(m):
    x = m.input(1, 3, 9, 9)
    a = m("Relu", m("Conv", x, m.real(4, 3, 1, 1, spread=0.6), m.real(4)))
    b = m("Sigmoid", m("Conv", x, m.real(4, 3, 3, 3, spread=0.3), m.real(4), pads=[1, 1, 1, 1]))
    c = m("LeakyRelu", m("Conv", x, m.real(4, 3, 3, 3, spread=0.3), pads=[2, 2, 2, 2], dilations=[2, 2]), alpha=0.2)
    x = m("Concat", m("Mul", a, b), c, axis=1)
    return m("Conv", x, m.real(5, 8, 3, 3, spread=0.2), m.real(5), strides=[2, 2])


class Reader(ort.CalibrationDataReader):
    def __init__(self, name, samples):
        self.rows = iter([{name: s} for s in samples])

    def get_next(self):
        return next(self.rows, None)


def networks():
    forms = {
        "qdq_i8": (ort.QuantFormat.QDQ, ort.QuantType.QInt8, ort.QuantType.QInt8, True),
        "qdq_u8": (ort.QuantFormat.QDQ, ort.QuantType.QUInt8, ort.QuantType.QUInt8, False),
        "qop_u8i8": (ort.QuantFormat.QOperator, ort.QuantType.QUInt8, ort.QuantType.QInt8, True),
        "qop_u8": (ort.QuantFormat.QOperator, ort.QuantType.QUInt8, ort.QuantType.QUInt8, False),
    }
    for build in residual, mobile, branches:
        for form, (form_of, activation, weight, per_channel) in forms.items():
            m = Model(f"{build.__name__}_{form}")
            m.random = np.random.default_rng(zlib.crc32(build.__name__.encode()))
            proto = m.proto(build(m))
            name, shape = m.inputs[0]
            samples = m.real(SAMPLES, *shape, spread=1.3)
            with tempfile.TemporaryDirectory() as folder:
                real, stored = f"{folder}/real.onnx", f"{folder}/stored.onnx"
                onnx.save(proto, real)
                ort.quantize_static(
                    real, stored, Reader(name, samples), quant_format=form_of, activation_type=activation,
                    weight_type=weight, per_channel=per_channel,
                    extra_options={"WeightSymmetric": True} if weight == ort.QuantType.QUInt8 else {},
                )
                save(m, onnx.load(stored), samples)


layers()
tails()
contrib()
networks()
