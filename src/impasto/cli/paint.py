"""``impasto transfer`` and ``impasto demo``: options become settings, progress becomes a bar."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from impasto import validation
from impasto.cli.dry_run import tell
from impasto.cli.folder import check_one, content_of_folder, folder_options, paint_folder
from impasto.cli.imports import large_imports
from impasto.cli.interruption import cancel_on_interruption, ignore_interruptions
from impasto.cli.output import check_outputs, tell_painting, write_somewhere
from impasto.cli.progress import log_progress, progress_bar
from impasto.cli.scenes import paint_movie
from impasto.cli.styles import parse_style
from impasto.cli.telling import set_level
from impasto.errors import SettingsError, SignalError
from impasto.files import is_folder
from impasto.media.image.options import ImageOutput
from impasto.transfer.choices import CHOICES
from impasto.transfer.default_text import default_text
from impasto.transfer.settings import TransferSettings

if TYPE_CHECKING:
    from impasto.descent.descend import Progress

log = logging.getLogger("impasto")


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option for each field of the settings, with the default written there."""
    for setting in reversed(fields(TransferSettings)):
        choices, default, option = CHOICES.get(setting.name), default_text(setting.name), setting.name.replace("_", "-")
        if isinstance(setting.default, bool):
            names = f"--{option}/--no-{option}"
            command = click.option(names, default=None, help=f"{setting.metadata['help']}  [default: {default}]")(command)
            continue
        command = click.option(
            f"--{option}",
            metavar=None if choices else setting.metadata["metavar"],
            type=click.Choice(choices) if choices else str,
            multiple=setting.metadata["check"] is validation.texts,
            help=setting.metadata["help"] + (f"  [default: {default}]" if default else ""),
        )(command)
    return command


def result_option(help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option of a command that says where its result goes."""
    return click.option("-o", "--output", type=FILE, required=True, metavar="OUT", help=help)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the picture it writes."""
    for option in reversed(fields(ImageOutput)):
        text = option.metadata["help"] + ("" if option.default is None else f"  [default: {option.default}]")
        command = click.option("--" + option.name, metavar=option.metadata["metavar"], help=text)(command)
    return command


FILE = click.Path(path_type=Path)
PATHS = ("content", "output", "trace", "frames", "plot")
CHECKPOINT = ".checkpoint"
FIRST_SECONDS = 60.0


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command that paints can tell and keep of its way."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Log every evaluation."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results."),
        click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON."),
        click.option(
            "--plot",
            type=FILE,
            metavar="FILE",
            help="Draw the curves of J; not of a picture, content, style and result (png, svg or pdf).",
        ),
        click.option(
            "--frames-every", type=click.IntRange(1), metavar="N", default=10, help="One frame every N.  [default: 10]"
        ),
        click.option("--frames", type=FILE, metavar="DIR", help="Write pictures of the descent into a folder."),
        click.option("--trace", type=FILE, metavar="FILE", help="Write one line of JSON per evaluation."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("content", type=FILE)
@click.argument("style", nargs=-1, required=True, metavar="STYLE[:WEIGHT]...")
@result_option("File to write, of the content's kind; or a folder, for many.")
@folder_options
@settings_options
@click.option(
    "--checkpoint",
    type=FILE,
    metavar="FILE",
    help="Where the run is kept, to go on with if cut off, and deleted when done; of a movie with --cluster a folder.  "
    f"[default: OUT{CHECKPOINT}, for runs of more than a minute]",
)
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="How often it is written, at most; 0 after each evaluation.",
)
@click.option("--no-checkpoint", is_flag=True, help="Keep nothing on the way.")
@click.option("--dry-run", is_flag=True, help="Only tell size, tiles, memory and time, by a short measurement.")
@output_options
@shared_options
def transfer(
    content: Path,
    style: tuple[str, ...],
    output: Path,
    checkpoint: Path | None,
    no_checkpoint: bool,
    taken_as: str | None,
    each_style: bool,
    part: str | None,
    cluster: str | None,
    **options: Any,
) -> int:
    """Paint CONTENT in the style of STYLE, or of several styles, blended by their weights.

    CONTENT is a file, numbered frames such as frame%04d.png, or a folder: of slices, of frames, or of anything that can be
    painted, with its subfolders. The same command goes on where a folder was left.

    \b
    impasto transfer harbour.jpg monet.jpg -o out.png
    impasto transfer harbour.jpg monet.jpg -o out.jpg --size 1024 --beta 100
    impasto transfer harbour.jpg monet.jpg:0.7 hokusai.jpg:0.3 -o out.png
    impasto transfer photos/ monet.jpg -o painted/
    """
    if checkpoint and no_checkpoint:
        raise click.UsageError("--checkpoint and --no-checkpoint were given: one of them was expected")
    styles = [parse_style(text) for text in style]
    one: Path | None = content
    if is_folder(content):
        one = content_of_folder(content, output, taken_as)
    elif taken_as:
        raise SettingsError(f"--as {taken_as} says what a folder is; {content} is none")
    if one is None or each_style:
        extras = {name: options.pop(name) for name in ("trace", "frames", "frames_every", "plot")}
        del extras["frames_every"]
        check_one({"checkpoint": checkpoint, **extras}, "--each-style" if each_style else f"the folder {content}")
        how = {name: options.pop(name) for name in ("dry_run", "as_json", "quiet", "verbose", "checkpoint_every")}
        how |= {"each_style": each_style, "as_one": one is not None, "part_given": part, "cluster_given": cluster}
        how |= {"checkpoint_every": None} if no_checkpoint else {}
        return paint_folder(one or content, styles, output, *divided(options), **how)
    path = None if no_checkpoint else checkpoint or Path(f"{output}{CHECKPOINT}")
    if part:
        raise SettingsError(f"--part is for a folder or --each-style; {content} is one content")
    if cluster:
        for name in ("trace", "frames", "plot", "dry_run"):
            if options.pop(name):
                raise SettingsError(f"--{name.replace('_', '-')} is for a painting by one process: leave out --cluster")
        del options["frames_every"], options["checkpoint_every"]
        how = {name: options.pop(name) for name in ("as_json", "quiet", "verbose")}
        return paint_movie(one, styles, output, *divided(options), cluster_given=cluster, checkpoint=path, **how)
    first = 0.0 if checkpoint else FIRST_SECONDS
    return paint(one, styles, output, checkpoint=path, first=first, **options)


def divided(options: dict[str, Any]) -> tuple[TransferSettings, dict[str, Any]]:
    """The settings, and how a picture is written, among the options that were given."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    written = {option.name: given.pop(option.name) for option in fields(ImageOutput) if option.name in given}
    return TransferSettings(**given), written


@click.command()
@click.option("-o", "--output", type=FILE, default=Path("impasto-demo.png"), metavar="OUT", help="Picture to write.")
@shared_options
def demo(output: Path, **options: Any) -> int:
    """Paint a photograph of a cup of coffee in the style of a picture that impasto makes itself."""
    try:
        from skimage.data import coffee
    except ImportError:
        raise SignalError(
            "the demo's photograph is in the package scikit-image, which is missing: pip install scikit-image"
        ) from None
    from impasto.flow_painting import flow_painting

    return paint(coffee(), flow_painting(384), output, size=256, iterations=60, **options)


def paint(
    content: Any,
    style: Any,
    output: Path,
    *,
    trace: Path | None,
    frames: Path | None,
    frames_every: int,
    plot: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    checkpoint: Path | None = None,
    checkpoint_every: float = 60.0,
    first: float = 0.0,
    dry_run: bool = False,
    **options: Any,
) -> int:
    """Paint, watch, write and report; the exit code.

    After ``first`` seconds the run is kept in the file ``checkpoint``, with what :func:`resume` needs to know.
    """
    from impasto.media.read_write import check_options, find_medium
    from impasto.media.styles import shares

    settings, written = divided(options)
    set_level(verbose=verbose, quiet=quiet)
    medium = find_medium(content, output)
    if frames and not medium.is_picture:
        raise SettingsError(f"--frames writes pictures; {medium.noun} has none: use --plot or --trace")
    styles = [source for source, _ in shares(style)]
    inputs = [content, *styles, *validation.named_files(settings).values()]
    check_outputs(inputs, medium, output, plot, [trace, checkpoint], frames)
    check_options(medium, written)
    with large_imports():
        from impasto.transfer.checkpoint import Checkpoint, read_history
        from impasto.transfer.painter import Painter, TransferInterrupted
        from impasto.transfer.recorders import frames_to, optional, trace_to

    painter = Painter(settings=settings)
    taken = painter.take_in(content, style, medium=medium, output=output, options=written)
    if dry_run:
        return tell(taken, as_json=as_json)
    kept = None
    if checkpoint:
        named = dict(zip(PATHS, (content, output, trace, frames, plot), strict=True))
        command: dict[str, Any] = {name: path and str(path) for name, path in named.items()}
        command["style"] = [[str(path), weight] for path, weight in style]
        command |= {"frames_every": frames_every, "as_json": as_json, "checkpoint_every": checkpoint_every} | written
        kept = Checkpoint(checkpoint, checkpoint_every, first, command | {"folder": str(Path.cwd())})
    last, telling, cancel = None, False, Event()
    with ExitStack() as stack:
        watchers: list[Callable[[Progress], None]] = [log_progress] if verbose else []
        if sys.stderr.isatty() and not quiet and not verbose:
            watchers.append(stack.enter_context(progress_bar()))
        if trace:
            before = read_history(checkpoint) if checkpoint and checkpoint.exists() else ()
            watchers.append(optional(trace_to(trace, before), f"the trace {trace}"))
        if frames:
            watchers.append(optional(frames_to(frames, frames_every), f"writing into {frames}"))

        def watch(progress: Progress) -> None:
            nonlocal last, telling
            if last is None:
                cancel_on_interruption(cancel, lambda: telling)
            telling, last = True, progress
            for watcher in watchers:
                watcher(progress)
            telling = False
            if cancel.is_set():
                ignore_interruptions()  # it ends here, and nothing shall stop it on its way to the disk

        try:
            painting = painter.descend(taken, on_progress=watch, cancel=cancel, checkpoint=kept)
        except TransferInterrupted as interrupted:
            painting = interrupted.painting
    ignore_interruptions()  # nothing shall stop the picture on its way to the disk
    if not painting.finished and last:
        goes_on = f"; 'impasto resume {checkpoint}' goes on" if checkpoint and checkpoint.exists() else ""
        log.warning("interrupted after %d of %d evaluations%s", len(painting.history), last.iterations, goes_on)
    write_somewhere(painting, output, written)
    if plot:
        painting.plot(plot)
    tell_painting(painting, output, as_json=as_json)
    return 0 if painting.finished else 130
