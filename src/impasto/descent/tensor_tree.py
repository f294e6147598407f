"""Trees of numbers and tensors in a file of the safetensors format: no pickle, and no part is taken for the whole.

The tensors are the file's tensors; all else is JSON in its header, with references to them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from impasto.errors import SignalError
from impasto.files import existing_file, first_line, opened_whole

# grows with each change of what a checkpoint holds, or of what goes on from it: another number is another painting
FORMAT = 5
_ABOUT, _SUM, _TENSOR = "impasto", "crc32", "__tensor__"
_DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL"}


def part_of(path: Path) -> Path:
    """The file beside ``path`` to which it is written first; whoever is killed meanwhile leaves it behind."""
    return path.with_name(path.name + ".part")


def write_tree(path: Path, about: Mapping[str, Any], tree: Mapping[str, Any]) -> None:
    """Write ``tree``, of dicts, lists, tensors and what JSON has, and ``about``, of what JSON has.

    Raises:
        SignalError: the disk is full, the folder missing or closed, or something else is in the tree.
    """
    tensors: dict[int, Tensor] = {}
    made = {"format": FORMAT, "version": version("impasto"), **about, "tree": _packed(tree, tensors)}
    text = json.dumps(made)
    header: dict[str, Any] = {"__metadata__": {_ABOUT: text, _SUM: str(zlib.crc32(text.encode()))}}
    end = 0
    for name, tensor in zip(map(str, range(len(tensors))), tensors.values(), strict=True):
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    # the library's own writer, killed, would leave a file of an unknown name behind
    with opened_whole(path, part_of(path)) as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        for tensor in tensors.values():
            file.write(_bytes(tensor))


def read_about(path: Path) -> dict[str, Any]:
    """What a checkpoint tells of itself; its tensors are still to be read, by :func:`read_tree`.

    Raises:
        SignalError: the file is missing, damaged, no checkpoint, or of another format.
    """
    with _opened(existing_file(path, "a checkpoint")) as file:
        made = file.metadata() or {}
    if _ABOUT not in made:
        raise SignalError(f"{path} is not a checkpoint of impasto")
    if made.get(_SUM) != str(zlib.crc32(made[_ABOUT].encode())):
        raise _damaged(path)
    about = json.loads(made[_ABOUT])
    if about.get("format") != FORMAT:
        raise SignalError(
            f"{path} was written by impasto {about.get('version')} in format {about.get('format')}, and this is "
            f"{version('impasto')} with {FORMAT}, which would not paint the same: go on with that one"
        )
    return about


def read_tree(path: Path, packed: Any) -> Any:
    """The tree of a checkpoint, or a part of it, as :func:`read_about` found it.

    Raises:
        SignalError: the file is damaged.
    """
    with _opened(path) as file:
        return _unpacked(packed, file, path, {})


def columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of numbers, and of dicts of numbers, as a tensor for each number."""
    return {
        name: columns([row[name] for row in rows])
        if isinstance(value, dict)
        else torch.tensor([row[name] for row in rows], dtype=torch.float64 if isinstance(value, float) else torch.int64)
        for name, value in (rows[0] if rows else {}).items()
    }


def rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """What :func:`columns` took apart."""
    count = next((len(column) for column in columns.values() if not isinstance(column, dict)), 0)
    lists = {
        name: (rows(column) or [{}] * count) if isinstance(column, dict) else column.tolist()
        for name, column in columns.items()
    }
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _packed(tree: Any, tensors: dict[int, Tensor]) -> Any:
    """The tree with references in place of its tensors, which are gathered, each once however often it is there."""
    if isinstance(tree, Tensor) and tree.dtype in _DTYPES:
        tensors.setdefault(id(tree), tree)
        return {_TENSOR: str(list(tensors).index(id(tree))), _SUM: zlib.crc32(_bytes(tree))}
    if isinstance(tree, Mapping) and all(isinstance(name, str) for name in tree):
        return {name: _packed(value, tensors) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_packed(value, tensors) for value in tree]
    if tree is None or isinstance(tree, str | int | float):
        return tree
    what = f"a tensor of {tree.dtype}" if isinstance(tree, Tensor) else f"a {type(tree).__name__}"
    raise SignalError(
        f"a state with {what} in it cannot be kept: numbers, texts, tensors of {', '.join(str(kind) for kind in _DTYPES)}, "
        "lists, and dicts by names can"
    )


def _unpacked(packed: Any, file: Any, path: Path, known: dict[str, Tensor]) -> Any:
    if isinstance(packed, list):
        return [_unpacked(value, file, path, known) for value in packed]
    if not isinstance(packed, dict):
        return packed
    if _TENSOR not in packed:
        return {name: _unpacked(value, file, path, known) for name, value in packed.items()}
    name = packed[_TENSOR]
    if name not in known:
        known[name] = file.get_tensor(name).clone()  # the file may be replaced while it is in use
        if zlib.crc32(_bytes(known[name])) != packed[_SUM]:
            raise _damaged(path)
    return known[name]


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise SignalError(f"{path} is damaged, or no checkpoint: {first_line(error)}") from None


def _damaged(path: Path) -> SignalError:
    return SignalError(f"{path} is damaged: its checksum is not the one it was written with")
