"""Turns trained neural networks into C++ for microcontrollers.

>>> import nnom
>>> m = nnom.convert(model, calibrate=x, target="cortex-m4")
>>> m.predict(x)[0]  # with the board's arithmetic
>>> m.save("model.hpp")
"""

from ._classic import (
    evaluate_model,
    generate_model,
    generate_test_bin,
    quantize_output,
    quantize_weights,
)
from ._convert import convert
from ._model import Evaluation, Model
from ._nnom import Error, Port
from ._nnom import version as __version__

__all__ = [
    "Error",
    "Evaluation",
    "Model",
    "Port",
    "__version__",
    "convert",
    "evaluate_model",
    "generate_model",
    "generate_test_bin",
    "quantize_output",
    "quantize_weights",
]
