"""Ctrl-C and SIGTERM: the first one ends the work, and none ends the saving of what there is."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM raise KeyboardInterrupt; an impatient second one is ignored.

    This is for the time in which there is nothing to be saved; work that can keep what it has is cancelled instead.
    """

    def interrupt(*_: object) -> NoReturn:
        ignore_interruptions()
        raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextmanager
def cancelling() -> Iterator[Event]:
    """An event that the first Ctrl-C or SIGTERM sets; a second one raises KeyboardInterrupt, as Python does."""
    cancel = Event()

    def note(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    with _handled(note):
        yield cancel


@contextmanager
def _handled(handle: Callable[..., None]) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def cancel_on_interruption(cancel: Event, telling: Callable[[], bool]) -> None:
    """From here to the end of :func:`interruptible`, the first one sets ``cancel``.

    Who is impatient, and sends a second one, gets the KeyboardInterrupt, though not while ``telling`` of an evaluation; more
    are ignored.
    """

    def note(*_: object) -> None:
        if cancel.is_set() and not telling():
            ignore_interruptions()
            raise KeyboardInterrupt
        cancel.set()

    for number in SIGNALS:
        signal.signal(number, note)


def ignore_interruptions() -> None:
    """From here to the end of :func:`interruptible`, what is begun is finished."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
