"""The functions that users of NNoM know, by the names and the parameters they know."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy.typing as npt

from ._convert import convert
from ._model import Evaluation, Model
from ._nnom import Error

Format = Literal["hwc", "chw"]
_METHODS = {"max_min": "min-max", "kld": "kl"}
_last: Model | None = None  # that generate_model made


def generate_model(
    model: Any,
    x_test: Any = None,
    per_channel_quant: bool = True,
    name: str | os.PathLike[str] = "weights.h",
    format: Format = "hwc",
    quantize_method: str = "auto",
    **options: Any,
) -> Model:
    """Converts ``model`` and writes it: ``convert`` and ``Model.save`` in one.

    A ``name`` that ends in .h is a header for C; the C++ lies beside it (weights.hpp, weights.cpp).
    One that ends in .hpp is for C++ alone. ``format`` is the order of axes on the board, channels
    last or first. ``quantize_method`` is "auto", "max_min", "kld", "mse" or "percentile". Other
    options are those of ``convert``.

    >>> nnom.generate_model(model, x_test, name="weights.h")
    """
    global _last
    made = convert(
        model,
        x_test,
        per_channel=per_channel_quant,
        layout=None if format == "hwc" else format,
        calibration=_METHODS.get(quantize_method, quantize_method),  # type: ignore[arg-type]
        **options,
    )
    _write(made, name)
    _last = made
    return made


def _write(model: Model, name: str | os.PathLike[str]) -> None:
    path = Path(name)
    c_api = path.suffix == ".h"
    model.save(path.with_suffix(".hpp") if c_api else path, c_api=c_api)


def evaluate_model(
    model: Any,
    x_test: Any,
    y_test: Any,
    running_time: bool = False,
    to_file: str | os.PathLike[str] | None = None,
    *,
    on: str = "host",
    calibrate: Any = None,
    **options: Any,
) -> Evaluation:
    """Prints accuracy, confusion matrix and the cost of each layer; gives them back too.

    The model is quantised, on ``calibrate`` or else on ``x_test`` itself, and runs on this computer
    or, emulated, on a core such as "cortex-m4". ``running_time`` adds a line with the time of one
    inference; ``to_file`` names a file for what is printed. ``model`` may be one that is converted.

    >>> nnom.evaluate_model(model, x_test, y_test, on="cortex-m4")
    """
    if not isinstance(model, Model):
        if on != "host":  # cores that pack weights alike are one target
            options.setdefault("target", "cortex-m0" if on == "cortex-m0plus" else on)
        model = convert(model, x_test if calibrate is None else calibrate, **options)
    result: Evaluation = model.evaluate(x_test, y_test, on=on)
    text = result.text
    if running_time and result.seconds is not None:
        text += f"Running time: {result.seconds * 1e6:.2f} us\n"
    print(text, end="")
    if to_file is not None:
        Path(to_file).write_text(text, encoding="utf-8")
    return result


def generate_test_bin(
    x: Any,
    y: Any,
    name: str | os.PathLike[str] = "test_data_with_label.bin",
    model: Model | None = None,
) -> int:
    """Writes a file of quantised samples and their classes, for a board to read.

    ``model`` decides how samples are stored; without it the one that ``generate_model`` made last
    does. The file's form is in nnom/testset.hpp. Returns the number of samples.

    >>> nnom.generate_test_bin(x_test, y_test)
    """
    model = model or _last
    if model is None:
        raise Error("generate_test_bin: convert a model first, or give one with model=")
    return model.save_test_set(name, x, y)


class Scale(NamedTuple):
    """What the stored integers of a tensor stand for: scale * (stored - zero_point)."""

    scale: float
    zero_point: int
    bits: int

    @property
    def dec_bits(self) -> int:
        """Fractional bits, as NNoM counts them; exact with ``scheme="power-of-two"``."""
        return math.floor(-math.log2(self.scale))


class Scales(dict[str, Scale]):
    """Scales by the names of inputs and layers, and the model that has them."""

    def __init__(self, model: Model) -> None:
        super().__init__(
            (t["name"], Scale(t["scale"], t["zero_point"], t["bits"])) for t in model.scales
        )
        self.model = model


def quantize_output(
    model: Any, x_test: Any, quantize_method: str = "auto", **options: Any
) -> Scales:
    """The scale of each layer's output, chosen from samples.

    >>> nnom.quantize_output(model, x_test, scheme="power-of-two")["dense"].dec_bits
    """
    method: Any = _METHODS.get(quantize_method, quantize_method)
    return Scales(convert(model, x_test, calibration=method, **options))


class Weights(NamedTuple):
    """A layer's quantised weights: real weights are scale * values."""

    values: npt.NDArray[
        Any
    ]  #: int8, a row for each output channel, in the order of the layer's axes
    scale: npt.NDArray[Any]  #: of each row
    bias: npt.NDArray[Any]  #: of each row, in units of the input's scale times the row's


def quantize_weights(
    model: Any,
    name: str | os.PathLike[str] | None = None,
    format: Format = "hwc",
    per_channel_quant: bool = True,
    layer_q_list: Scales | None = None,
) -> dict[str, Weights]:
    """The quantised weights of each layer that has them.

    With ``layer_q_list``, which is what ``quantize_output`` gave, the biases are right too, and
    ``name`` writes the model as ``generate_model`` does.

    >>> nnom.quantize_weights(model)["dense"].values.dtype
    dtype('int8')
    """
    if layer_q_list is None:
        if name is not None:
            raise Error("quantize_weights: a model is written with the scales of quantize_output")
        made = convert(
            model,
            "random",
            per_channel=per_channel_quant,
            layout=None if format == "hwc" else format,
        )
    else:
        made = layer_q_list.model
    if name is not None:
        _write(made, name)
    layers = made._compiled.weights()
    return {layer: Weights(values, scale, bias) for layer, values, scale, bias in layers}
