"""Samples in any form as arrays, one for each input of a model."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._nnom import Error, Port

Array = npt.NDArray[Any]
Named = list[tuple[str, Array]]


def to_array(value: Any, name: str) -> Array:
    """An array of numpy, PyTorch, TensorFlow or JAX, or nested lists, as the compiler takes it."""
    if hasattr(value, "detach"):  # a tensor of PyTorch may need a gradient, or lie on a GPU
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise Error(f"{name}: its samples differ in shape ({error})") from None
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def is_array(value: Any) -> bool:
    """Whether ``value`` is an array already, not something to go through."""
    return hasattr(value, "__array__") and hasattr(value, "shape")


def is_path(value: Any) -> bool:
    """Whether ``value`` names files, folders or ``random``, as on the command line."""
    if isinstance(value, (str, os.PathLike)):
        return True
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(map(is_path, value))


def paths(value: Any) -> list[str]:
    """The names that ``is_path`` found."""
    return [os.fspath(value)] if isinstance(value, (str, os.PathLike)) else [*map(os.fspath, value)]


def gather(data: Any, ports: Sequence[Port], limit: int | None, name: str) -> Named:
    """``data`` as one array of samples for each of ``ports``.

    Takes an array; a list of arrays, one for each input; a dict of them by the inputs' names; or
    anything to go through, such as a ``tf.data.Dataset`` or a ``DataLoader``, that gives samples or
    batches, alone or with their labels behind. Of these at most ``limit`` samples are taken.

    >>> gather((x for x in images), ports, 100, "calibrate")
    """
    if isinstance(data, Mapping):
        return _by_name(data, ports, name)
    if is_array(data):
        return [(name, to_array(data, name))]
    if isinstance(data, (list, tuple)):
        if len(ports) > 1 and len(data) == len(ports) and all(map(_is_batch, data, ports)):
            return [(f"{name}[{i}]", to_array(x, f"{name}[{i}]")) for i, x in enumerate(data)]
        if len(ports) == 1 and _is_batch(data, ports[0]):
            return [(name, to_array(data, name))]
    if not isinstance(data, Iterable):
        raise Error(f"{name}: is a {type(data).__name__}, not an array or a list of arrays")
    return _go_through(data, ports, limit, name)


def _by_name(data: Mapping[str, Any], ports: Sequence[Port], name: str) -> Named:
    wanted = [port.name for port in ports]
    if set(data) != set(wanted):
        raise Error(
            f"{name}: has {', '.join(map(repr, data)) or 'nothing'}, "
            f"but the model's inputs are {', '.join(map(repr, wanted))}"
        )
    return [(f"{name}[{key!r}]", to_array(data[key], f"{name}[{key!r}]")) for key in wanted]


def _is_batch(value: Any, port: Port) -> bool:
    """Whether ``value`` is an array of samples for ``port``, or lists that make one."""
    if isinstance(value, (list, tuple)) and any(isinstance(x, (Mapping, tuple)) for x in value):
        return False
    return _samples(value, port) is not None


def _samples(value: Any, port: Port) -> Array | None:
    """An array with samples on its first axis; None if ``value`` holds none of the port's size."""
    try:
        array = to_array(value, "")
    except Error:
        return None
    size = math.prod(port.shape)
    if array.dtype.kind not in "buif" or array.ndim == 0:
        return None
    if array.size == size:
        array = array[np.newaxis]
    if array.size != len(array) * size:
        return None
    # The compiler doesn't mind axes of size 1.
    return array.reshape(len(array), *(n for n in array.shape[1:] if n != 1))


def _go_through(data: Iterable[Any], ports: Sequence[Port], limit: int | None, name: str) -> Named:
    parts: list[list[Array]] = [[] for _ in ports]
    for number, item in enumerate(data):
        for part, array in zip(parts, _inputs_of(item, ports, f"{name}, item {number}")):
            part.append(array)
        if limit is not None and sum(map(len, parts[0])) >= limit:
            break
    if not parts[0]:
        raise Error(f"{name}: holds no samples")
    try:
        arrays = [np.concatenate(part) for part in parts]
    except ValueError as error:
        raise Error(f"{name}: its samples differ in shape ({error})") from None
    names = [name] if len(ports) == 1 else [f"{name}[{i}]" for i in range(len(ports))]
    return [(n, to_array(array[:limit], n)) for n, array in zip(names, arrays)]


def _inputs_of(item: Any, ports: Sequence[Port], name: str) -> list[Array]:
    """What one item holds for each input: the whole of it, or what comes before the labels."""
    tries: list[Sequence[Any]] = []
    inner = item[0] if isinstance(item, (list, tuple)) and item else None
    for one in (item, inner):
        if isinstance(one, Mapping):
            tries.append([array for _, array in _by_name(one, ports, name)])
        elif len(ports) == 1:
            tries.append([one])
        elif isinstance(one, (list, tuple)):
            tries.append(one)
    for one in tries:
        if len(one) != len(ports) or any(not is_array(x) and not isinstance(x, list) for x in one):
            continue
        arrays = [_samples(x, port) for x, port in zip(one, ports)]
        found = [array for array in arrays if array is not None]
        if len(found) == len(ports):
            return found
    shapes = " and ".join(str(port.shape) for port in ports)
    raise Error(f"{name}: is neither a sample nor a batch of {shapes}, alone or with its labels")
