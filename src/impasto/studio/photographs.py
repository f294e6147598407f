"""What is dropped on the Explore tab: photographs to be searched, and perhaps an index of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import SignalError
from impasto.explore.index import PatchIndex
from impasto.studio.uploads import MIB, Upload, inspect, safe_name, within

MOST_PHOTOGRAPHS = 1000
_MOST_INDEX_BYTES = 64 * MIB


@dataclass(frozen=True)
class Sorted:
    """Files by what they are; ``refused`` says why the others are neither."""

    index: PatchIndex | None
    photographs: list[Upload]
    refused: list[str]


def sort_photographs(files: Sequence[Mapping[str, str]], folder: Path) -> Sorted:
    """Look into files that were uploaded to ``folder``, each with its "path" and "name"; of very many the first ones."""
    index: PatchIndex | None = None
    photographs: list[Upload] = []
    refused: list[str] = []
    for file in files[:MOST_PHOTOGRAPHS]:
        path, name = str(file["path"]), str(file["name"])
        try:
            if name.lower().endswith(".json"):
                index = _read_index(path, name, folder)
            else:
                photographs.append(inspect(path, name, folder))
        except SignalError as error:
            refused.append(str(error))
    return Sorted(index, photographs, refused)


def _read_index(path: str, name: str, folder: Path) -> PatchIndex:
    found = within(path, folder)
    if found.stat().st_size > _MOST_INDEX_BYTES:
        raise SignalError(f"{safe_name(name)} is too large for an index: up to {_MOST_INDEX_BYTES // MIB} MB are taken")
    try:
        return PatchIndex.load(found)
    except SignalError as error:
        raise SignalError(str(error).replace(str(found), safe_name(name))) from None
