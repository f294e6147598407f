"""Imported by every process whose PYTHONPATH has this folder: writes down which connections it attempts."""

from __future__ import annotations

import os
import sys
from typing import Any

EVENTS = {"socket.connect": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.sendto": 1, "socket.bind": 1}

if "IMPASTO_TEST_CONNECTIONS" in os.environ:
    file = os.open(os.environ["IMPASTO_TEST_CONNECTIONS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, found: tuple[Any, ...]) -> None:
        if event in EVENTS:
            address = found[EVENTS[event]]
            host, port = address[:2] if isinstance(address, tuple) else (address, "")
            os.write(file, f"{os.getpid()} {event} {host} {port}\n".encode())

    sys.addaudithook(hook)
