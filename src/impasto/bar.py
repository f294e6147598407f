"""A bar for ``on_progress``: in a notebook a line of HTML that is kept up to date, elsewhere a line on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from html import escape
from typing import Any

# seconds between two showings; a notebook is sent a message for each
_OFTEN = 0.1


def progress_bar() -> Callable[..., None]:
    """What to give as ``on_progress`` to see how far a call is, in Jupyter or in a terminal.

    It is for one call of :func:`impasto.transfer_style`, :meth:`impasto.Painter.paint`, :func:`impasto.transfer_folder`,
    :func:`impasto.top_patches` or :func:`impasto.synthesise`. It raises nothing.
    """
    show, shown = _notebook() or _terminal, -1.0

    def tell(progress: Any, *more: Any) -> None:
        nonlocal shown
        done, total, what = _read(progress, *more)
        now = time.monotonic()
        if now - shown >= _OFTEN or done == total:
            shown = now
            show(done, total, what)

    return tell


def _read(progress: Any, *more: Any) -> tuple[int, int | None, str]:
    """How much is done, of how much, and what else there is to tell."""
    if isinstance(progress, int):  # a step of synthesise and the activation there
        return progress, None, "".join(f"activation {value:.4g}" for value in more)
    if hasattr(progress, "latest"):
        return progress.latest.evaluation, progress.iterations, f"J {progress.best.cost:.4g}"
    return progress.done, progress.total, getattr(progress, "name", "")


def _text(done: int, total: int | None, what: str) -> str:
    return f"{done}{f' of {total}' if total else ''}{f', {what}' if what else ''}"


def _terminal(done: int, total: int | None, what: str) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r\x1b[K{_text(done, total, what)}{end}")
        sys.stderr.flush()


def _notebook() -> Callable[[int, int | None, str], None] | None:
    """Shows a bar below the cell; None if this process is not the kernel of a notebook."""
    python = sys.modules.get("IPython")
    shell = python.get_ipython() if python else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import HTML, display  # pyright: ignore[reportMissingImports]

    handle: Any = None

    def show(done: int, total: int | None, what: str) -> None:
        nonlocal handle
        of = f' value="{done}" max="{total}"' if total else ""
        bar = HTML(f"<progress{of}></progress> <small>{escape(_text(done, total, what))}</small>")
        if handle is None:
            handle = display(bar, display_id=True)
        else:
            handle.update(bar)

    return show
