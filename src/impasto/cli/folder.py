"""``impasto transfer`` of a folder: what it is, and all that is in it painted."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from impasto.cli.imports import large_imports
from impasto.cli.interruption import cancelling
from impasto.cli.progress import log_progress
from impasto.cli.scenes import at_work_text
from impasto.cli.telling import set_level
from impasto.cli.watch import progress_bar
from impasto.cluster.connection import parse_cluster
from impasto.errors import SettingsError, SignalError
from impasto.media.registry import BUILT_IN
from impasto.validation import part

if TYPE_CHECKING:
    from impasto.transfer.folder import FolderProgress, FolderResult
    from impasto.transfer.folder_plan import FolderPlan
    from impasto.transfer.painter import Painter
    from impasto.transfer.settings import TransferSettings

log = logging.getLogger("impasto")

CLUSTER_HELP = "Several at once, by N processes here (local:N) or the workers of a Dask scheduler (tcp://HOST:8786)."
PART_HELP = "Paint one part of a folder, the I-th of N, which are the same wherever it is called."


def folder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what may be said of a folder."""
    for option in (
        click.option("--part", metavar="I/N", help=PART_HELP),
        click.option("--cluster", metavar="local:N|tcp://HOST:PORT", help=CLUSTER_HELP),
        click.option(
            "--each-style",
            is_flag=True,
            help="Paint in every STYLE by itself, into a folder with its name; none are blended.",
        ),
        click.option(
            "--as",
            "taken_as",
            type=click.Choice(["folder", "movie", "volume"]),
            help="What a folder is: many contents, the numbered frames of a movie, or the slices of a volume; if not given, "
            "what is in it decides, and the output.",
        ),
    ):
        command = option(command)
    return command


def content_of_folder(folder: Path, output: Path, taken_as: str | None) -> Path | None:
    """What is painted of a folder if that is one signal; None if it is a folder of many.

    Raises:
        SignalError: it is not what it is taken for, or holds nothing that could be painted into one file.
    """
    from impasto.files import is_folder
    from impasto.media.folders import holds_slices
    from impasto.media.movie.numbered import pattern_in
    from impasto.media.read_write import find_medium

    if taken_as == "movie":
        return pattern_in(folder)
    file = output.name.lower().endswith(tuple(ending for medium in BUILT_IN.values() for ending in medium.writable))
    if taken_as == "folder" or (taken_as is None and (is_folder(output) or not file) and not holds_slices(folder)):
        return None
    try:
        medium = find_medium(folder, output)
    except SignalError:
        raise SignalError(
            f"{folder} is a folder without DICOM slices; a file was expected, or a folder as output, for all that is in it"
        ) from None
    if taken_as is None:
        log.warning("%s is taken for %s, with what is in it; --as folder paints each of its files", folder, medium.noun)
    return folder


def paint_folder(
    content: Path,
    styles: list[tuple[Path, float]],
    output: Path,
    settings: TransferSettings,
    options: dict[str, Any],
    *,
    each_style: bool,
    as_one: bool,
    part_given: str | None,
    cluster_given: str | None,
    checkpoint_every: float | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Paint everything in a folder, or one content in every style, and report; the exit code."""
    share = None if part_given is None else part("part", part_given)
    if cluster_given:
        parse_cluster(cluster_given)
    set_level(verbose=verbose, quiet=quiet)
    with large_imports():
        from impasto.cluster.executor import Cluster
        from impasto.transfer.folder import paint_plan
        from impasto.transfer.folder_plan import plan_folder
        from impasto.transfer.painter import Painter

    painter = Painter(settings=settings)
    plan = plan_folder(content, styles, output, settings, each_style=each_style, as_one=as_one)
    if not as_one:
        _tell_plan(plan, content)
    if dry_run:
        return _tell_first(plan, painter, options, as_json)
    shown = sys.stderr.isatty() and not quiet and not verbose
    began = time.monotonic()
    with ExitStack() as stack:
        executor = stack.enter_context(Cluster(cluster_given)) if cluster_given else None
        cancel, bar = stack.enter_context(cancelling()), stack.enter_context(progress_bar(not shown))

        def tell(progress: FolderProgress) -> None:
            if progress.progress and verbose:
                log_progress(progress.progress)
            bar(progress.done, progress.total, at_work_text(progress.at_work) or progress.name)
            if progress.row and not shown and not as_json and not quiet:
                row = progress.row
                click.echo(f"{click.format_filename(plan.folder / row['output'])}: J {row['J']:.4g}, {row['seconds']:.0f} s")

        try:
            result = paint_plan(plan, painter, share, options, checkpoint_every, tell, cancel, executor)
        except KeyboardInterrupt:  # the second one
            click.echo("impasto: interrupted; the same command goes on", err=True)
            return 130
    _tell_result(result, output, time.monotonic() - began, as_json)
    return 130 if result.left else 1 if result.failed else 0


def _tell_plan(plan: FolderPlan, content: Path) -> None:
    count = len({task.content for task in plan.tasks})
    text = f"{content} is a folder of {count} contents, which are painted one by one"
    if plan.passed_over:
        some = ", ".join(plan.passed_over[:3]) + ", ..." * (len(plan.passed_over) > 3)
        text += f"; what is no signal is passed over: {some}"
    log.warning("%s", text)


def _tell_first(plan: FolderPlan, painter: Painter, options: dict[str, Any], as_json: bool) -> int:
    """What the first painting would take."""
    from impasto.cli.dry_run import tell

    if not plan.tasks:
        raise SignalError(f"nothing can be painted: {next(iter(plan.failed.values()))}")
    first = plan.tasks[0]
    if not as_json:
        click.echo(f"{len(plan.tasks)} paintings, of which the first is {first.name}:")
    return tell(painter.take_in(first.content, first.styles), as_json=as_json)


def _tell_result(result: FolderResult, output: Path, seconds: float, as_json: bool) -> None:
    if as_json:
        numbers = {
            "output": str(output),
            "painted": len(result.painted),
            "kept": len(result.kept),
            "left": result.left,
            "failed": result.failed,
            "seconds": round(seconds, 3),
            "seconds_of_descent": round(sum(row["seconds"] for row in result.painted), 3),
        }
        click.echo(json.dumps(numbers, indent=2))
    else:
        kept = f", {len(result.kept)} were there" if result.kept else ""
        click.echo(f"{click.format_filename(output)}: {len(result.painted)} painted{kept}, {seconds:.0f} s")
    if result.left:
        click.echo(f"impasto: interrupted; {result.left} are left, and the same command goes on", err=True)
    reasons: dict[str, list[str]] = {}
    for name, reason in result.failed.items():
        reasons.setdefault(reason, []).append(name)
    if reasons:
        click.echo(f"impasto: {len(result.failed)} could not be painted:", err=True)
    for reason, (name, *others) in reasons.items():
        more = f" and {len(others)} other{'s' * (len(others) > 1)}" if others else ""
        click.echo(f"  {reason if name in reason and not others else f'{name}{more}: {reason}'}", err=True)


def check_one(given: dict[str, Any], what: str) -> None:
    """See that no option was given that needs a single painting.

    Raises:
        SettingsError: one was.
    """
    for name, value in given.items():
        if value:
            raise SettingsError(f"--{name} is for one painting, and {what} gives many: leave it out")
