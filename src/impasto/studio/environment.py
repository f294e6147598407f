"""The environment of this process, changed for a while; and how to change it so that nothing goes through a proxy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    """The environment of this process with these variables (None: without them), as long as the context lasts."""
    before = {name: os.environ.get(name) for name in changes}

    def put(values: Mapping[str, str | None]) -> None:
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    put(changes)
    try:
        yield
    finally:
        put(before)


def without_proxies() -> dict[str, str | None]:
    """Changes to the environment after which no library sends anything through a proxy, whatever the system's settings."""
    proxies = {name: None for name in os.environ if name.lower().endswith("_proxy")}
    return {**proxies, "NO_PROXY": "*", "no_proxy": "*"}
