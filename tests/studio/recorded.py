"""The command ``impasto`` in a process that writes down, in the file named first, every connection it attempts."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

EVENTS = {"socket.connect": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.sendto": 1}


def main() -> None:
    record, limit, *arguments = sys.argv[1:]
    file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, found: tuple[Any, ...]) -> None:
        if event in EVENTS:
            os.write(file, f"{event} {found[EVENTS[event]]!r}\n".encode())

    sys.addaudithook(hook)
    from impasto.studio import uploads

    uploads.MOST_BYTES = int(limit)
    if "SHORT_LECTURE" in os.environ:
        from impasto.studio import lectures

        lectures.give_lecture = partial(lectures.give_lecture, size=64, shortened=2)
    sys.argv = ["impasto", *arguments]
    from impasto.cli import main

    main()


if __name__ == "__main__":
    main()
