"""Where results go: looked at before the work, found another place for at its end if it must be, and told."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from impasto.errors import SignalError

if TYPE_CHECKING:
    from impasto.media.medium import Medium
    from impasto.transfer.painter import Painting

PLOT_FORMATS = (".png", ".svg", ".pdf")


def check_page(page: Path) -> None:
    """See, before any work, that a page can be written; by its ending it is no input.

    Raises:
        SignalError: it cannot.
    """
    from impasto.files import check_replaceable, check_writable

    if page.suffix.lower() not in (".html", ".htm"):
        raise SignalError(f"{page}: a page is written with the ending .html, not {page.suffix!r}")
    check_writable(page)
    check_replaceable(page)


def tell_painting(painting: Painting, output: Path, *, as_json: bool) -> None:
    """Print where the painting is, its size, its J and how long it took: in a line, or with all that is known as JSON."""
    summary = {"output": str(output), **painting.summary()}
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        size = painting.medium.describe(painting.signal)
        click.echo(f"{click.format_filename(output)}: {size}, J {summary['cost']:.4g}, {summary['seconds']:.0f} s")


def write_somewhere(painting: Painting, output: Path, options: dict[str, Any]) -> None:
    """Write the painting, and if that cannot be, at least to a place for temporary files, in a form that always can.

    Raises:
        SignalError: it could not be written to ``output``; the message says where it is.
    """
    from impasto.files import first_line

    try:
        painting.write(output, **options)
    except Exception as error:  # whatever it is, the work is not to be lost
        refuge = _written_elsewhere(painting, output, options)
        kept = painting.checkpoint and painting.checkpoint.path
        if refuge:
            end = f"; the painting is in {refuge}"
        elif kept and kept.exists():
            way = f"'impasto resume {kept}' goes on" if kept.is_file() else f"the same command goes on from {kept}"
            end = f"; {way}, with -o OUT elsewhere"
        else:
            end = ""
        reason = first_line(error)
        if str(output) not in reason:  # of another library
            reason = f"{output} cannot be written: {reason}"
        raise SignalError(reason + end) from error


def _written_elsewhere(painting: Painting, output: Path, options: dict[str, Any]) -> Path | None:
    """Where the painting has been written for want of a better place, if it could be."""
    safest = output.stem + painting.medium.safest
    for name, how in ((output.name, options), (safest, {})):
        with suppress(Exception):  # the error on its way tells more
            import tempfile  # not for `impasto --help`

            path = Path(tempfile.mkdtemp(prefix="impasto-")) / name
            painting.write(path, **how)
            return path
    return None


def check_outputs(
    inputs: list[Any], medium: Medium, output: Path, plot: Path | None, others: list[Path | None], folder: Path | None
) -> None:
    """See, before any work, that the outputs can be written and overwrite no input.

    Raises:
        SignalError: one of them cannot.
    """
    from impasto.files import check_replaceable, check_writable, is_pattern
    from impasto.media.read_write import check_ending

    check_ending(medium, output)
    if plot and plot.suffix.lower() not in PLOT_FORMATS:
        raise SignalError(f"{plot}: a plot is written as {', '.join(PLOT_FORMATS)}; {plot.suffix!r} is none of them")
    sources = {Path(source).resolve() for source in inputs if isinstance(source, str | Path) and Path(source).exists()}
    # numbered files, given by their pattern or their folder
    named = {os.path.realpath(source) for source in inputs if isinstance(source, str | Path)}
    frames = {os.path.realpath(output), os.path.realpath(output.parent)} if is_pattern(output) else set[str]()
    if frames & named:
        raise SignalError(f"{output} are inputs; write the frames to another folder, or under other names")
    taken: set[str] = set()
    for path in (output, plot, *others):
        if path is None:
            continue
        check_writable(path)
        if path not in others:  # a trace may go to a pipe
            check_replaceable(path)
        if path.exists() and any(path.samefile(source) for source in sources):
            raise SignalError(f"{path} is an input; write the result to another file")
        place = os.path.realpath(path)
        if place in taken:
            raise SignalError(f"{path} is named for two outputs")
        taken.add(place)
    if folder:
        there = next(part for part in (folder, *folder.parents) if part.exists())
        if not there.is_dir():
            raise SignalError(f"{there} is a file; a folder for the frames was expected")
        check_writable(there / "frame")
        for source in sources:
            if source.match("frame_*.png") and source.parent == folder.resolve():
                raise SignalError(f"{folder} has the input {source.name}, which a frame could overwrite; use another folder")
