"""Ctrl-C and SIGTERM: the first one ends the work, and none ends the saving of what there is."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM raise KeyboardInterrupt; an impatient second one is ignored."""

    def interrupt(*_: object) -> NoReturn:
        ignore_interruptions()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def note_interruptions(telling: Callable[[], bool]) -> Callable[[], bool]:
    """From here to the end of :func:`interruptible`, the first one is only noted, and the function given back tells.

    Who is impatient, and sends a second one, gets the KeyboardInterrupt, though not while ``telling`` of an evaluation; more
    are ignored.
    """
    noted = False

    def note(*_: object) -> None:
        nonlocal noted
        if noted and not telling():
            ignore_interruptions()
            raise KeyboardInterrupt
        noted = True

    for number in SIGNALS:
        signal.signal(number, note)
    return lambda: noted


def ignore_interruptions() -> None:
    """From here to the end of :func:`interruptible`, what is begun is finished."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
