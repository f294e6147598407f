"""What a first run on a machine takes time for, and later ones do not: a line when it begins, and one when it is done.

The lines go to a log of their own, ``impasto.first_run``, which is silent in a library and told by the command line.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

log = logging.getLogger("impasto.first_run")


@contextlib.contextmanager
def once(doing: str, done: str) -> Iterator[None]:
    """Tell what is being done within the block, once on this machine, and afterwards how long it took."""
    log.info("%s, once on this machine", doing)
    began = time.perf_counter()
    yield
    log.info("%s in %.1f s", done, time.perf_counter() - began)
