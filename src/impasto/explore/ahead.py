"""What is read while what came before is worked on: in order, and not more than fits into the memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Name = TypeVar("Name")
Read = TypeVar("Read")
FEW = 3
_MOST_BYTES = 2**28


def read_ahead(
    names: Iterable[str],
    read: Callable[[str], Read],
    ahead: int = FEW,
    *,
    readers: int = 1,
    memory: Callable[[Read], int] | None = None,
) -> Iterator[tuple[str, Read | Exception]]:
    """Each name and what is read of it by other threads, in order; a failure takes its place.

    Args:
        names: of what is read.
        read: called in other threads.
        ahead: how many wait at most.
        readers: how many are read at the same time.
        memory: how many bytes something takes, as of :func:`in_order`; if that is not told, no more than three wait.
    """

    def attempt(name: str) -> Read | Exception:
        try:
            return read(name)
        except Exception as error:  # one file that no reader expects does not end a long search
            return error

    def taken(item: Read | Exception) -> int:
        return 0 if memory is None or isinstance(item, Exception) else memory(item)

    with ThreadPoolExecutor(readers, thread_name_prefix="read-ahead") as reader:
        try:
            yield from in_order(names, lambda name: reader.submit(attempt, name).result, ahead, taken)
        finally:
            reader.shutdown(wait=False, cancel_futures=True)


def in_order(
    names: Iterable[Name], begin: Callable[[Name], Callable[[], Read]], ahead: int, memory: Callable[[Read], int]
) -> Iterator[tuple[Name, Read]]:
    """Each name and what is read of it, in order, begun while those before are worked on.

    Args:
        names: of what is read.
        begin: begins to read, and gives what waits for the end of it.
        ahead: how many wait at most.
        memory: how many bytes something takes, 0 if it can't be read. As long as none is known, and while as many as the
            largest one would take more than 256 MiB together, no more than three wait.
    """
    waiting: deque[tuple[Name, Callable[[], Read]]] = deque()
    largest, most = 0, min(ahead, FEW)
    for name in names:
        waiting.append((name, begin(name)))
        while len(waiting) > most:
            name_read, result = waiting.popleft()
            item = result()
            if bytes_taken := memory(item):
                largest = max(largest, bytes_taken)
                most = min(ahead, max(FEW, _MOST_BYTES // largest))
            yield name_read, item
    while waiting:
        name_read, result = waiting.popleft()
        yield name_read, result()
