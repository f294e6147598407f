"""What is read ahead: in order, by several threads, and not more than fits."""

from __future__ import annotations

import time
from collections.abc import Generator
from threading import Event, current_thread

import pytest

from impasto.explore.ahead import FEW, read_ahead

NAMES = [f"{number:03d}" for number in range(100)]


def test_several_readers_keep_the_order_and_a_failure_takes_its_place() -> None:
    threads: set[str] = set()

    def read(name: str) -> str:
        threads.add(current_thread().name)
        time.sleep(0.002 if int(name) % 3 else 0.006)
        if name == "007":
            raise ValueError("no picture")
        return name

    items = list(read_ahead(NAMES, read, 16, readers=4, memory=len))
    assert [name for name, _ in items] == NAMES
    assert [str(item) for _, item in items] == [name if name != "007" else "no picture" for name in NAMES]
    assert len(threads) == 4


@pytest.mark.parametrize(("bytes_each", "most"), [(2**20, 20), (2**26, 4), (2**30, 3)])
def test_as_many_wait_as_fit(bytes_each: int, most: int) -> None:
    begun: list[str] = []
    waiting: list[int] = []
    for number, _ in enumerate(read_ahead(NAMES, begun.append, 20, readers=2, memory=lambda _: bytes_each)):
        time.sleep(0.002)
        waiting.append(len(begun) - number - 1)
    assert max(waiting) == most
    assert waiting[0] <= FEW


def test_nothing_is_read_any_more_once_nobody_asks() -> None:
    begun: list[str] = []
    going_on = Event()

    def read(name: str) -> str:
        begun.append(name)
        if len(begun) > 3:
            going_on.wait(10)
        return name

    ahead = read_ahead(NAMES, read, 50, readers=2, memory=len)
    next(ahead)
    assert isinstance(ahead, Generator)
    ahead.close()
    going_on.set()
    time.sleep(0.05)
    assert len(begun) <= 6
