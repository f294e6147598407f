"""Images seen in batches of one shape; what is found comes in the order of the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from impasto.errors import SizeError
from impasto.explore.responses import BATCH, Responses
from impasto.explore.seen import Item, Seen
from impasto.explore.table import Found
from impasto.media.signal import Signal
from impasto.networks.device import memory_told

_WINDOW, _WINDOW_MEMORY = 2 * BATCH, 2**27  # images among which those of one shape are looked for


class Looked(NamedTuple):
    """What has been found in an image, or why it cannot be seen; its signature and its shape."""

    found: Found | str
    signature: str = ""
    shape: tuple[int, ...] = ()


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
