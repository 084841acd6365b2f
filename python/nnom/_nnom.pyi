from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

version: str

class Error(RuntimeError): ...

_Arrays = Sequence[tuple[str, npt.NDArray[Any]]]

def command(words: Sequence[str]) -> int: ...

class Port:
    name: str
    shape: tuple[int, ...]
    order: tuple[int, ...]
    scale: float
    zero_point: int
    bits: int

class Network:
    inputs: list[Port]
    quantised: bool
    calibration_samples: int
    warnings: list[str]
    def __init__(
        self, arguments: Sequence[str], callbacks: dict[str, Callable[..., Any]], shown: str
    ) -> None: ...
    def compile(self, samples: _Arrays) -> Model: ...

class Model:
    inputs: list[Port]
    outputs: list[Port]
    arena_bytes: int
    weights_bytes: int
    calibration: str
    stream: bool
    def run(self, inputs: _Arrays, on: str, stored: bool) -> list[npt.NDArray[Any]]: ...
    def evaluate(
        self, arguments: Sequence[str], data: _Arrays, labels: _Arrays
    ) -> tuple[str, str]: ...
    def save(self, arguments: Sequence[str]) -> list[str]: ...
    def testset(self, data: _Arrays, labels: _Arrays, path: str) -> int: ...
    def report(
        self,
        path: str,
        arguments: Sequence[str],
        data: _Arrays,
        labels: _Arrays,
        board: str,
        measure: bool,
        classes: Sequence[str],
    ) -> None: ...
    def summary(self, width: int) -> str: ...
    def scales(self) -> str: ...
    def weights(
        self,
    ) -> list[tuple[str, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]: ...
