"""Files of weights, as they are passed around: what is in them, under whatever names, in whatever wrapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from impasto.errors import WeightsError
from impasto.files import first_line
from impasto.networks.layers import VGG19, Layer

_DEEPEST = 3
# how files begin that hold weights in a way that is not read here, or none at all, and what to do with them
_OTHERS = {
    b"\x89HDF\r\n": "a file of Keras (HDF5), which is not read",
    b"MATLAB": "a file of MATLAB, which is not read",
    b"\x93NUMPY": "a NumPy file, which is not read",
    b"version https://git-lfs": "a pointer of Git LFS, and not the file itself: git lfs pull fetches that",
    b"<": "a web page, and not the file that was to be fetched",
}
_INSTEAD = "a state dict saved by torch.save, or a .safetensors file, was expected"


class State(NamedTuple):
    """The convolutions of VGG-19 in a file: ``NAME.weight`` and ``NAME.bias`` in float32, and whether it names them so."""

    weights: dict[str, Tensor]
    original_names: bool


class _Naming(NamedTuple):
    """How a file calls a convolution."""

    name: Callable[[Layer], str]
    original: bool


_NAMINGS = (
    _Naming(lambda row: row.name, original=True),
    _Naming(lambda row: f"features.{VGG19.index(row)}", original=False),
    _Naming(lambda row: row.name.replace("conv", "block").replace("_", "_conv"), original=True),
    _Naming(lambda row: f"{VGG19.index(row)}", original=False),
)


def convolutions() -> dict[Layer, tuple[int, int]]:
    """(out, in) channels of each convolution."""
    channels, shapes = 3, {}
    for row in VGG19:
        if row.operation == "conv":
            shapes[row] = (row.channels, channels)
            channels = row.channels
    return shapes


def read_state(path: Path) -> State:
    """The weights of VGG-19 that a file holds.

    They may be nested ("state_dict"), have a common prefix ("module."), other tensors beside them, any floating type, and
    the layout of Keras.

    Raises:
        WeightsError: the file cannot be read, or is of another network.
    """
    found = _read(path)
    for state in _nested(found):
        for naming in _NAMINGS:
            first = naming.name(VGG19[0]) + ".weight"
            prefix = next((name[: -len(first)] for name in state if name == first or name.endswith("." + first)), None)
            if prefix is not None and getattr(state[prefix + first], "ndim", 0) == 4:
                return State(_renamed(path, state, prefix, naming), naming.original)
    some = ", ".join(map(str, list(found)[:3])) or "nothing"
    raise WeightsError(f"{path} is not VGG-19: it holds {some}; conv1_1.weight or features.0.weight was expected")


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        start = file.read(32)
    other = next((what for begins, what in _OTHERS.items() if start.lstrip().startswith(begins)), None)
    if other:
        raise WeightsError(f"{path} is {other}; {_INSTEAD}")
    try:
        if start[8:9] == b"{":
            state = load_file(path)
        else:
            with path.open("rb") as file:  # of a path torch would go by its ending
                state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # readers of damaged files raise whatever comes to them
        if "Unsupported global" in str(error) or "Unsupported class" in str(error):
            raise WeightsError(
                f"{path} holds a program beside its weights (a whole module?), which is not run; save its state_dict()"
            ) from None
        raise WeightsError(f"{path} cannot be read as weights: {first_line(error)}") from None
    if not isinstance(state, dict):
        raise WeightsError(f"{path} is not a state dict of names and tensors")
    return {str(name): value for name, value in state.items()}


def _nested(tree: Mapping[Any, Any], depth: int = 0) -> Iterator[dict[str, Tensor]]:
    """The tensors by name, of it and of what is in it."""
    yield {str(name): value for name, value in tree.items() if isinstance(value, Tensor)}
    if depth < _DEEPEST:
        for value in tree.values():
            if isinstance(value, Mapping):
                yield from _nested(value, depth + 1)


def _renamed(path: Path, state: Mapping[str, Tensor], prefix: str, naming: _Naming) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for row, (outputs, inputs) in convolutions().items():
        for part, shape in (("weight", (outputs, inputs, row.kernel, row.kernel)), ("bias", (outputs,))):
            name = f"{prefix}{naming.name(row)}.{part}"
            if name not in state:
                raise WeightsError(f"{path} is not a whole VGG-19: {name} is missing{_likely(state, prefix)}")
            tensor = state[name].detach()
            if part == "weight" and tuple(tensor.shape) == (*shape[2:], inputs, outputs):  # the layout of TensorFlow
                tensor = tensor.permute(3, 2, 0, 1)
            if tuple(tensor.shape) != shape:
                raise WeightsError(
                    f"{path} is not VGG-19: {name} has shape {tuple(tensor.shape)}, expected {shape}{_likely(state, prefix)}"
                )
            if not tensor.is_floating_point():
                raise WeightsError(f"{path}: {name} is of {tensor.dtype}; floating-point numbers were expected")
            tensor = tensor.float().contiguous()
            if not torch.isfinite(tensor).all():
                raise WeightsError(f"{path} is damaged: {name} has NaN or infinite values")
            weights[f"{row.name}.{part}"] = tensor
    return weights


def _likely(state: Mapping[str, Tensor], prefix: str) -> str:
    """What other network of the family it seems to be."""
    if any(name.endswith("running_mean") for name in state):
        return " (it has batch normalisation, as VGG-19 BN has; the plain one was expected)"
    if f"{prefix}features.17.weight" in state or f"{prefix}conv4_1.weight" in state:
        return " (it seems to be VGG-16)"
    return ""
