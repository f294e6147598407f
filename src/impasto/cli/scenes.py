"""``impasto transfer --cluster`` of a movie: its scenes are painted at once, and joined."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from impasto.cli.imports import large_imports
from impasto.cli.interruption import cancelling, ignore_interruptions
from impasto.cli.output import check_outputs, tell_painting, write_somewhere
from impasto.cli.telling import set_level
from impasto.cli.watch import progress_bar
from impasto.cluster.connection import parse_cluster

if TYPE_CHECKING:
    from impasto.transfer.at_work import AtWork
    from impasto.transfer.settings import TransferSettings


def paint_movie(
    content: Path,
    styles: list[tuple[Path, float]],
    output: Path,
    settings: TransferSettings,
    options: dict[str, Any],
    *,
    cluster_given: str,
    checkpoint: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Paint the scenes of a movie, and report; the exit code."""
    from impasto.media.read_write import check_options, find_medium

    parse_cluster(cluster_given)
    set_level(verbose=verbose, quiet=quiet)
    medium = find_medium(content, output)
    check_outputs([content, *(path for path, _ in styles)], medium, output, None, [], None)
    check_options(medium, options)
    with large_imports():
        from impasto.cluster.executor import Cluster
        from impasto.transfer.scenes import transfer_scenes

    shown = sys.stderr.isatty() and not quiet and not verbose
    with Cluster(cluster_given) as executor, cancelling() as cancel, progress_bar(not shown) as bar:

        def tell(done: int, total: int, at_work: AtWork) -> None:
            bar(done, total, at_work_text(at_work))

        how = {"executor": executor, "options": options, "on_progress": tell, "cancel": cancel, "checkpoint": checkpoint}
        painting = transfer_scenes(content, styles, output, settings, **how)
    ignore_interruptions()  # nothing shall stop the movie on its way to the disk
    write_somewhere(painting, output, options)
    tell_painting(painting, output, as_json=as_json)
    if not painting.finished:
        way = "; the same command paints them" if checkpoint else ""
        click.echo(f"impasto: interrupted; the scenes that were not painted to their end are as they were{way}", err=True)
    return 0 if painting.finished else 130


def at_work_text(at_work: AtWork) -> str:
    """What is being painted, in one line."""
    return "; ".join(f"{name}, evaluation {done} of {count}" for name, (done, count) in at_work.items())
