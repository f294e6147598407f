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
from impasto.networks.layers import VGGS, Layer, LayerTable

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
    """The convolutions of a VGG in a file: ``NAME.weight`` and ``NAME.bias`` in float32, and whether it names them so."""

    weights: dict[str, Tensor]
    original_names: bool


class _Naming(NamedTuple):
    """How a file calls a convolution, a row of a table."""

    name: Callable[[LayerTable, Layer], str]
    original: bool


_NAMINGS = (
    _Naming(lambda table, row: row.name, original=True),
    _Naming(lambda table, row: f"features.{table.index(row)}", original=False),
    _Naming(lambda table, row: row.name.replace("conv", "block").replace("_", "_conv"), original=True),
    _Naming(lambda table, row: f"{table.index(row)}", original=False),
)


def convolutions(table: LayerTable) -> dict[Layer, tuple[int, int]]:
    """(out, in) channels of each convolution."""
    channels, shapes = 3, {}
    for row in table:
        if row.operation == "conv":
            shapes[row] = (row.channels, channels)
            channels = row.channels
    return shapes


def read_state(path: Path, network: str = "VGG-19") -> State:
    """The weights of a row of :data:`impasto.networks.layers.VGGS` that a file holds.

    They may be nested ("state_dict"), have a common prefix ("module."), other tensors beside them, any floating type, and
    the layout of Keras.

    Raises:
        WeightsError: the file cannot be read, or is of another network.
    """
    found = _read(path)
    for state in _nested(found):
        for naming in _NAMINGS:
            first = naming.name(VGGS[network], VGGS[network][0]) + ".weight"
            prefix = next((name[: -len(first)] for name in state if name == first or name.endswith("." + first)), None)
            if prefix is not None and getattr(state[prefix + first], "ndim", 0) == 4:
                return State(_renamed(path, network, state, prefix, naming), naming.original)
    some = ", ".join(map(str, list(found)[:3])) or "nothing"
    raise WeightsError(f"{path} is not {network}: it holds {some}; conv1_1.weight or features.0.weight was expected")


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


def _renamed(path: Path, network: str, state: Mapping[str, Tensor], prefix: str, naming: _Naming) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    other, table = _likely(network, state, prefix, naming), VGGS[network]
    for row, (outputs, inputs) in convolutions(table).items():
        for part, shape in (("weight", (outputs, inputs, row.kernel, row.kernel)), ("bias", (outputs,))):
            name = f"{prefix}{naming.name(table, row)}.{part}"
            if name not in state:
                raise WeightsError(f"{path} is not a whole {network}: {name} is missing{other}")
            tensor = state[name].detach()
            if part == "weight" and tuple(tensor.shape) == (*shape[2:], inputs, outputs):  # the layout of TensorFlow
                tensor = tensor.permute(3, 2, 0, 1)
            if tuple(tensor.shape) != shape:
                raise WeightsError(
                    f"{path} is not {network}: {name} has shape {tuple(tensor.shape)}, expected {shape}{other}"
                )
            if not tensor.is_floating_point():
                raise WeightsError(f"{path}: {name} is of {tensor.dtype}; floating-point numbers were expected")
            tensor = tensor.float().contiguous()
            if not torch.isfinite(tensor).all():
                raise WeightsError(f"{path} is damaged: {name} has NaN or infinite values")
            weights[f"{row.name}.{part}"] = tensor
    if other:  # it has all these convolutions, and more
        raise WeightsError(f"{path} is not {network}{other}")
    return weights


def _likely(network: str, state: Mapping[str, Tensor], prefix: str, naming: _Naming) -> str:
    """What other network of the family it seems to be."""
    if any(name.endswith("running_mean") for name in state):
        return f" (it has batch normalisation, as {network} BN has; the plain one was expected)"
    names = {
        known: {f"{prefix}{naming.name(table, row)}.weight" for row in table if row.operation == "conv"}
        for known, table in VGGS.items()
    }
    held = {name for name in set().union(*names.values()) if getattr(state.get(name), "ndim", 0) == 4}
    nearest = max(names, key=lambda known: (len(names[known] & held) / len(names[known] | held), known == network))
    return "" if nearest == network else f" (it seems to be {nearest})"
