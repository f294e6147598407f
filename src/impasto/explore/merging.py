"""Many indexes put together, of which one at a time is in memory.

They are read twice: first the names of the images, from which it follows which are nearly equal across the parts, and then
the patches, of which only the best so far are held. So the memory is that of the names, whatever the number of parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from impasto.errors import SettingsError
from impasto.explore.index import PatchIndex, first_images
from impasto.explore.near_duplicates import regrouped


def merge_files(
    paths: Sequence[str | Path], on_progress: Callable[[int, int], object] = lambda done, total: None
) -> PatchIndex:
    """The index of all images of several indexes, as :meth:`impasto.PatchIndex.merge` puts two of them together.

    Args:
        paths: where :meth:`impasto.PatchIndex.save` wrote them.
        on_progress: is told how many files have been read, and how often one is to be read.

    Raises:
        SettingsError: they were made differently, or share an image by name.
        SignalError: one is missing, or no index.
    """
    if len(paths) == 1:
        return PatchIndex.load(paths[0])
    total = 2 * len(paths)
    firsts: dict[str, str] = {}
    holders: dict[str, int] = {}
    for number, path in enumerate(paths):
        images = _images(path)
        shared = sorted(holders.keys() & images.keys())
        if shared:
            raise SettingsError(
                f"{paths[holders[shared[0]]]} and {path}: both indexes hold {shared[0]}; only indexes of different images "
                "can be merged"
            )
        holders.update(dict.fromkeys(images, number))
        first_images(firsts, images)
        on_progress(number + 1, total)
    del holders
    changed = regrouped(firsts)
    del firsts
    merged: PatchIndex | None = None
    for number, path in enumerate(paths, start=len(paths) + 1):
        index = PatchIndex.load(path).in_groups(changed)
        merged = index if merged is None else merged.beside(index)
        on_progress(number, total)
    assert merged is not None
    return merged


def _images(path: str | Path) -> dict[str, str]:
    """The images of an index, each with its group."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        data: Any = json.loads(Path(path).read_bytes())
        if isinstance(data["images"], dict):
            return data["images"]
    return dict(PatchIndex.load(path).images)  # which tells what is wrong
