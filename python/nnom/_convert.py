"""From a trained model to a ``Model``."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Union

from . import _data, _nnom
from ._model import Model
from ._source import Source, source_of

PathLike = Union[str, "os.PathLike[str]"]
Bytes = Union[int, str]


def convert(
    model: Any,
    calibrate: Any = None,
    *,
    target: str = "any",
    per_channel: bool = True,
    calibration: Literal["auto", "min-max", "percentile", "kl", "mse"] = "auto",
    calibration_samples: int = 100,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    scale: float | str = 1,
    offset: float | str = 0,
    scheme: Literal["affine", "power-of-two"] = "affine",
    rounding: Literal["single", "double", "nearest", "truncate"] | None = None,
    layout: Literal["hwc", "chw"] | None = None,
    kernels: Literal["nnom", "cmsis-nn"] = "nnom",
    optimise: Literal["size", "speed", "balanced"] = "balanced",
    ram_limit: Bytes | None = None,
    flash_limit: Bytes | None = None,
    input_by_rows: bool = False,
    keep_state: bool = False,
    stream: bool = False,
    lambdas: Mapping[str, Callable[..., Any] | None] | None = None,
    hooks: PathLike | None = None,
) -> Model:
    """Quantises ``model`` and plans its memory, as ``nnom convert`` does with the same options.

    >>> m = nnom.convert(model, calibrate=x_train, target="cortex-m4")

    ``model``: a model of Keras 2 or 3, a module of PyTorch, or the path of a .keras, .h5, .tflite
    or .onnx file.

    ``calibrate``: typical samples that the ranges of int8 are chosen from. One array; a list of
    them, or a dict by name, for several inputs; anything to go through that gives samples or
    batches; or the names of files and folders, as on the command line. ``"random"`` shows sizes and
    speed, no more. A model that its file quantises needs none.

    ``lambdas``: by name, functions of arrays for layers that are code of your own; those of a model
    in memory run by themselves. Keys may add a shape and parameters: ``"swirl=28x28x1,alpha=0.5"``.
    ``hooks`` is a C++ header with them, which saving such a model needs.

    Raises ``Error`` with the compiler's message where the model or an option can't be used.
    """
    options = {
        "target": target,
        "calibration": calibration,
        "calibration-samples": calibration_samples,
        "scale": scale,
        "offset": offset,
        "scheme": scheme,
        "rounding": rounding,
        "layout": layout,
        "kernels": kernels,
        "optimise": optimise,
        "ram-limit": ram_limit,
        "flash-limit": flash_limit,
        "hooks": None if hooks is None else os.fspath(hooks),
    }
    words = [w for name, v in options.items() if v is not None for w in (f"--{name}", str(v))]
    for name, (low, high) in (ranges or {}).items():
        words += ["--range", f"{name}={low!r}..{high!r}"]
    if not per_channel:
        words.append("--per-tensor")
    if input_by_rows:
        words.append("--input-by-rows")
    if keep_state:
        words.append("--keep-state")
    if stream:
        words.append("--stream")
    if _data.is_path(calibrate):
        words += [w for path in _data.paths(calibrate) for w in ("--calibrate", path)]
    example, calibrate = _example(calibrate)
    with tempfile.TemporaryDirectory(prefix="nnom-") as folder:
        source = source_of(model, folder, example)
        _add_lambdas(source, lambdas)
        words += [w for text in source.lambdas for w in ("--lambda", text)]
        shown = os.path.relpath(source.path, folder) if source.temporary else source.path
        try:
            network = _nnom.Network([source.path, *words], source.callbacks, shown)
        except _nnom.Error as error:
            raise _nnom.Error(str(error).replace(source.path, shown)) from None
    samples: _data.Named = []
    if calibrate is not None and not _data.is_path(calibrate) and not network.quantised:
        limit = network.calibration_samples
        samples = _data.gather(calibrate, network.inputs, limit, "calibrate")
    compiled = network.compile(samples)
    for text in network.warnings:
        warnings.warn(text, stacklevel=2)
    return Model(compiled)


def _add_lambdas(source: Source, lambdas: Mapping[str, Callable[..., Any] | None] | None) -> None:
    for text, function in (lambdas or {}).items():
        name = text.replace(",", "=").split("=")[0]
        source.lambdas = [t for t in source.lambdas if t.split("=")[0] != name] + [text]
        source.callbacks.pop(name, None)
        if function is not None:
            source.callbacks[name] = lambda inputs, function=function: function(*inputs)


def _example(calibrate: Any) -> tuple[Callable[[], list[Any]], Any]:
    """What gives one sample for each input, and ``calibrate``, which it may have begun to read."""
    if calibrate is None or _data.is_path(calibrate) or isinstance(calibrate, Mapping):
        held: Any = calibrate
    elif _data.is_array(calibrate) or isinstance(calibrate, (list, tuple)):
        held = calibrate
    else:
        held = _Peeked(calibrate) if isinstance(calibrate, Iterable) else calibrate
    return (lambda: _first(held)), held


class _Peeked:
    """Something to go through, whose first item can be looked at before."""

    def __init__(self, items: Any) -> None:
        self._items = iter(items)
        self._seen: list[Any] = []

    def first(self) -> Any:
        if not self._seen:
            self._seen.append(next(self._items))
        return self._seen[0]

    def __iter__(self) -> Any:
        yield from self._seen
        yield from self._items


def _first(data: Any) -> list[Any]:
    if data is None or _data.is_path(data):
        return []
    if isinstance(data, _Peeked):
        item = data.first()
        data = item[0] if isinstance(item, (list, tuple)) else item
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, (list, tuple)):
        return [_data.to_array(x, "calibrate")[:1] for x in data]
    return [_data.to_array(data, "calibrate")[:1]]
