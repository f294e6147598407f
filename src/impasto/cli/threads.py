"""Threads that wait for each other, so that two programs on the same cores do not fight."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

# how often a waiting thread looks again before it sleeps; GNU's own default is 300 times as often
_LOOKS = "1000"


def sleep_soon(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads of OpenMP that wait give their core away soon, unless the user decided how they wait.

    It has to be said before torch is imported: GNU's OpenMP, which comes with torch for Linux, reads it when it is loaded.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", _LOOKS)
