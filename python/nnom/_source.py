"""Models in memory, as files that the compiler reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ._nnom import Error

# The packages whose layers the compiler knows, as far as it does.
_KERAS = ("keras", "tf_keras", "tensorflow")


@dataclass
class Source:
    """A model file, and the layers in it that are Python code."""

    path: str
    lambdas: list[str] = field(default_factory=list)  # as --lambda takes them
    callbacks: dict[str, Callable[..., Any]] = field(default_factory=dict)
    temporary: bool = True  # written for the compiler, who shows its name only


def source_of(model: Any, folder: str, example: Callable[[], list[Any]]) -> Source:
    """The file of ``model``, written to ``folder`` where it isn't one already.

    ``model``: a path; a model of Keras 2 or 3; the bytes of a .tflite file; a model of ``onnx``; or
    a module of PyTorch, which is run on ``example()`` once.
    """
    if isinstance(model, (str, os.PathLike)):
        return Source(os.fspath(model), temporary=False)
    if isinstance(model, (bytes, bytearray)):
        return Source(_write(Path(folder, "model.tflite"), bytes(model)))
    if _is_keras(model):
        return _keras(model, folder)
    if hasattr(model, "SerializeToString"):
        return Source(_write(Path(folder, "model.onnx"), model.SerializeToString()))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        return Source(_torch(torch, model, folder, example()))
    raise Error(
        f"a {type(model).__name__} is no model: give a model of Keras, a module of PyTorch, or the "
        "path of a .keras, .h5, .tflite or .onnx file"
    )


def _write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def _package(kind: type) -> str:
    return kind.__module__.split(".")[0]


def _is_keras(model: Any) -> bool:
    return hasattr(model, "layers") and any(_package(c) in _KERAS for c in type(model).__mro__)


def _keras(model: Any, folder: str) -> Source:
    source = Source(str(Path(folder, f"{model.name}.keras")))
    model.save(source.path)
    for layer in _layers(model):
        if type(layer).__name__ != "Lambda" and _package(type(layer)) in _KERAS:
            continue
        shape = _output_shape(layer)
        source.lambdas.append(layer.name + (f"={'x'.join(map(str, shape))}" if shape else ""))
        source.callbacks[layer.name] = _callback(layer)
    return source


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those inside of others too."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
            continue
        yield layer
        inner = getattr(layer, "layer", None)
        if inner is not None:
            yield inner


def _output_shape(layer: Any) -> tuple[int, ...] | None:
    """Without the batch axis; None where Keras doesn't know it."""
    try:
        shape = tuple(layer.output.shape)[1:]
    except (AttributeError, ValueError, RuntimeError):
        return None
    return None if None in shape or not shape else shape


def _callback(layer: Any) -> Callable[[list[Any]], Any]:
    def call(inputs: list[Any]) -> Any:
        batch = [x[np.newaxis] for x in inputs]
        output = layer(batch[0] if len(batch) == 1 else batch)
        if hasattr(output, "detach"):
            output = output.detach().cpu()
        return np.asarray(output, dtype=np.float32)

    return call


def _torch(torch: Any, module: Any, folder: str, example: list[Any]) -> str:
    if not example:
        raise Error(
            "a module of PyTorch doesn't say what it takes: give some 100 typical samples with "
            "calibrate="
        )
    path = str(Path(folder, f"{type(module).__name__}.onnx"))
    tensors = tuple(torch.as_tensor(np.asarray(x, dtype=np.float32)) for x in example)
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            torch.onnx.export(module, tensors, path, dynamo=False)
    finally:
        module.train(training)
    return path
