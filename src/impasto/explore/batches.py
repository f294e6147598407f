"""Images read ahead in several threads, and seen in batches of one shape; what is found comes in the order of the images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch

from impasto.errors import SignalError, SizeError
from impasto.explore.near_duplicates import signature
from impasto.explore.responses import BATCH, Responses
from impasto.explore.sources import Source, read_ahead, view
from impasto.explore.table import Found
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.networks.device import memory_told

MOST_READERS = 8
_WINDOW, _WINDOW_MEMORY = 2 * BATCH, 2**27  # images among which those of one shape are looked for


class Seen(NamedTuple):
    """An image as the network sees it, and its signature (:mod:`impasto.explore.near_duplicates`)."""

    signal: Signal
    signature: str

    @property
    def memory(self) -> int:
        """Bytes that it takes."""
        return self.signal.values.nbytes


Item = Seen | Exception


class Looked(NamedTuple):
    """What has been found in an image, or why it cannot be seen; its signature and its shape."""

    found: Found | str
    signature: str = ""
    shape: tuple[int, ...] = ()


def seen(name: str, source: Source, size: int | str, kind: str | None) -> Seen:
    """An image as the network sees it.

    Raises:
        SignalError: it cannot be read, or is not of this kind.
    """
    signal = view(source, size)
    if kind not in (None, signal.kind):
        raise SignalError(f"{name} is {medium_of(signal.kind).noun} among {medium_of(kind).plural(2)}")
    return Seen(signal, signature(signal))


def read_images(names: Iterable[str], read: Callable[[str], Seen], device: torch.device) -> Iterator[Item]:
    """Each image or why it cannot be read, in order, read while others are seen.

    Where the network takes the cores there is one thread, and three images wait at most. Beside a GPU there are up to eight
    threads, and at most 128 images wait, as many as fit into 256 MiB, but three in any case.
    """
    if device.type == "cpu":
        ahead = read_ahead(names, read)
    else:
        readers = min(MOST_READERS, os.cpu_count() or 1)
        ahead = read_ahead(names, read, 2 * _WINDOW, readers=readers, memory=lambda seen: seen.memory)
    return (item for _, item in ahead)


def in_batches(responses: Responses, items: Iterator[Item], *, together: bool) -> Iterator[Looked]:
    """What may be among the best patches in each image, or why it cannot be seen.

    Args:
        responses: looks for them.
        items: the images, in the order of their numbers.
        together: whether several are looked at at once; 64 at most are then held, and 128 MiB and an image.
    """
    first = 0
    for window in _windows(items) if together else ([item] for item in items):
        for item, found in zip(window, _found_in(responses, window, first), strict=True):
            yield Looked(found, item.signature, item.signal.shape) if isinstance(item, Seen) else Looked(found)
        first += len(window)


def _windows(items: Iterator[Item]) -> Iterator[list[Item]]:
    window: list[Item] = []
    memory = 0
    for item in items:
        window.append(item)
        memory += item.memory if isinstance(item, Seen) else 0
        if len(window) == _WINDOW or memory >= _WINDOW_MEMORY:
            yield window
            window, memory = [], 0
    if window:
        yield window


def _found_in(responses: Responses, window: Sequence[Item], first: int) -> list[Found | str]:
    found: dict[int, Found | str] = {}
    alike: dict[tuple[int, ...], dict[int, Signal]] = {}
    for image, item in enumerate(window, start=first):
        if isinstance(item, Exception):
            found[image] = str(item)
            continue
        reason = responses.obstacle(item.signal.shape)
        if reason is None:
            alike.setdefault(item.signal.values.shape, {})[image] = item.signal
        else:
            found[image] = reason
    for signals in alike.values():
        batch = responses.batch(next(iter(signals.values())).shape)
        images = list(signals)
        for start in range(0, len(images), batch):
            found |= _found_of(responses, {image: signals[image] for image in images[start : start + batch]}, batch)
    return [found[image] for image in range(first, first + len(window))]


def _found_of(responses: Responses, signals: dict[int, Signal], batch: int) -> dict[int, Found | str]:
    try:
        with memory_told(responses.device, "give a smaller size"):
            found = responses.find(list(signals), list(signals.values()), batch)
            return dict(zip(signals, found, strict=True))
    except SizeError as error:
        if batch == 1:
            return dict.fromkeys(signals, str(error))
    one_by_one: dict[int, Found | str] = {}
    for image, signal in signals.items():  # somebody else took memory of the device meanwhile
        one_by_one |= _found_of(responses, {image: signal}, 1)
    return one_by_one
