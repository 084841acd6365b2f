"""A model that is converted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from . import _data, _nnom
from ._nnom import Error, Port

Array = npt.NDArray[Any]
Metric = Literal["accuracy", "mse", "mae", "auc"]


@dataclass(frozen=True)
class Evaluation:
    """What a model is worth, and what it costs.

    >>> m.evaluate(x_test, y_test, on="cortex-m4").cycles
    """

    text: str  #: the report, as `nnom evaluate` prints it
    figures: dict[str, Any]  #: the same as `nnom evaluate --json` writes it; None: not measured

    @property
    def accuracy(self) -> float | None:
        """The share of samples whose best answer was right."""
        return self.figures["top1"]  # type: ignore[no-any-return]

    @property
    def float_accuracy(self) -> float | None:
        """The same of the model before it was quantised."""
        return self.figures.get("float_top1")

    @property
    def cycles(self) -> int | None:
        """Of one inference, estimated; None on cores without a model, and on this computer."""
        return self.figures["cycles"]  # type: ignore[no-any-return]

    @property
    def seconds(self) -> float | None:
        """Of one inference, on the board or on this computer."""
        return self.figures["seconds"]  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return self.text


class Model:
    """A model as it runs on the board; ``convert`` makes it.

    >>> m = nnom.convert(model, calibrate=x)
    >>> print(m.ram, m.flash)
    """

    def __init__(self, compiled: _nnom.Model) -> None:
        self._compiled = compiled

    @property
    def inputs(self) -> list[Port]:
        """Name, shape, scale and zero point of each input."""
        return self._compiled.inputs

    @property
    def outputs(self) -> list[Port]:
        """The same of each output."""
        return self._compiled.outputs

    @property
    def ram(self) -> int:
        """Bytes of the arena: all but the stack."""
        return self._compiled.arena_bytes

    @property
    def flash(self) -> int:
        """Bytes of constants; the code comes on top, see ``evaluate(on=...)``."""
        return self._compiled.weights_bytes

    def predict(self, x: Any, *, raw: bool = False, on: str = "host") -> Any:
        """The outputs for samples ``x``: one array, or a list of them, with a row for each sample.

        They are the board's own: its bytes as real numbers, or with ``raw`` the bytes themselves
        (int8, of some models int16), whose axes lie as on the board. ``on`` runs them on an
        emulated core, to the same bytes.

        >>> m.predict(x_test).argmax(axis=1)
        """
        samples = _data.gather(x, self.inputs, None, "x")
        arrays = self._compiled.run(samples, on, raw)
        if not raw:
            for i, port in enumerate(self.outputs):
                arrays[i] = arrays[i].transpose([0, *(1 + axis for axis in port.order)])
        return arrays[0] if len(arrays) == 1 else arrays

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        *,
        on: str = "host",
        metric: Metric = "accuracy",
        top_k: int = 3,
        with_float: bool = True,
    ) -> Evaluation:
        """Runs samples ``x`` with the right answers ``y``, on this computer or an emulated core.

        ``y`` holds classes as integers or one-hot; what the outputs should be, for mse and mae.
        Without ``x`` only costs are measured.

        >>> print(m.evaluate(x_test, y_test, on="cortex-m4"))
        """
        if self._compiled.stream:
            raise Error("a model that takes a step a run is evaluated as it was before: whole")
        words = ["--on", on, "--metric", metric, "--top-k", str(top_k)]
        if with_float and x is not None:
            words.append("--with-float")
        text, figures = self._compiled.evaluate(*self._answers(x, y, words))
        return Evaluation(text, json.loads(figures))

    def _answers(
        self, x: Any, y: Any, words: list[str]
    ) -> tuple[list[str], _data.Named, _data.Named]:
        """Words, samples and labels for the compiler, which reads what has a name itself."""
        data: _data.Named = []
        labels: _data.Named = []
        if x is not None and _data.is_path(x):
            words += [word for path in _data.paths(x) for word in ("--data", path)]
        elif x is not None:
            data = _data.gather(x, self.inputs, None, "x")
        if y is not None and _data.is_path(y):
            words += ["--labels", *_data.paths(y)]
        elif y is not None:
            labels = [("y", _data.to_array(y, "y"))]
        return words, data, labels

    def report(
        self,
        path: str | os.PathLike[str],
        x: Any = None,
        y: Any = None,
        *,
        board: str = "",
        classes: Sequence[str] = (),
        metric: Metric = "accuracy",
        measure: bool = True,
    ) -> None:
        """Writes a page of HTML on what the model needs, what it costs and how good it is.

        ``x`` and ``y`` are as in ``evaluate``; ``board`` is a name that `nnom report --help` lists,
        ``classes`` are the names of the classes. Without ``measure`` no firmware is built.

        >>> m.report("report.html", x_test, y_test, board="nano-33-ble")
        """
        words = ["--metric", metric, "--with-float"]
        words, data, labels = self._answers(x, y, words)
        names = list(classes)
        self._compiled.report(os.fspath(path), words, data, labels, board, measure, names)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        single_header: bool = False,
        c_api: bool = False,
        emit: Literal["structures", "layers"] = "structures",
        section: str | None = None,
    ) -> list[str]:
        """Writes the model as C++: a header at ``path``, and its source beside it.

        Returns the paths of what was written. ``name`` is the namespace, else it is the header's
        name; ``c_api`` adds a header of C functions; ``section`` is the linker's, of the weights.

        >>> m.save("mnist.hpp")
        ['mnist.hpp', 'mnist.cpp']
        """
        words = ["-o", os.fspath(path)]
        if emit != "structures":
            words += ["--emit", emit]
        if name is not None:
            words += ["--name", name]
        if section is not None:
            words += ["--section", section]
        words += ["--single-header"] * single_header + ["--c-api"] * c_api
        return self._compiled.save(words)

    def save_test_set(self, path: str | os.PathLike[str], x: Any, y: Any) -> int:
        """Writes samples as the model stores them, and their classes, for a board to read.

        Returns the number of samples. A path that ends in .hpp or .h becomes an array of C++ or C.

        >>> m.save_test_set("test.bin", x_test, y_test)
        """
        samples = _data.gather(x, self.inputs, None, "x")
        labels = [("y", _data.to_array(y, "y"))]
        return self._compiled.testset(samples, labels, os.fspath(path))

    @property
    def scales(self) -> list[dict[str, Any]]:
        """Of each tensor its name, bits, scale and zero_point: scale * (stored - zero_point).

        >>> m.scales[0]["scale"]
        """
        return json.loads(self._compiled.scales())["tensors"]  # type: ignore[no-any-return]

    def __str__(self) -> str:
        columns = min(max(shutil.get_terminal_size((100, 24)).columns, 40), 160)
        text = self._compiled.summary(columns)
        return f"{text}The model is {self._compiled.calibration}."

    def summary(self) -> None:
        """Prints the layers, and the RAM and flash they need.

        >>> m.summary()
        """
        print(self)
