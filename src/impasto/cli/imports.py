"""Large imports, quickly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def large_imports() -> Iterator[None]:
    """Within it torch and what needs it are imported. Among a million objects that all stay nobody looks for garbage.

    That takes a tenth of the time of importing torch, and most of the time in which the process ends.
    """
    if "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
