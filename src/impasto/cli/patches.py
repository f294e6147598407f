"""``impasto explore patches``: what in photographs excites the units of the network."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from impasto.cli.exploration import check_exploration, index_file, target_of
from impasto.cli.folder import CLUSTER_HELP
from impasto.cli.interruption import cancelling
from impasto.cli.paint import FILE, result_option
from impasto.cli.synthesise import SHOWN_COUNT, SHOWN_UNITS, described, network_options, opened
from impasto.cli.watch import keep_index, keeper, progress_bar
from impasto.cluster.connection import parse_cluster
from impasto.errors import SettingsError
from impasto.explore.settings import PATCHES, Layered, parse_layers, parse_size, parse_units
from impasto.media.registry import BUILT_IN
from impasto.validation import Part, whole
from impasto.validation import part as part_of_names

if TYPE_CHECKING:
    from impasto.explore.index import PatchIndex
    from impasto.explore.patches import PatchProgress
    from impasto.explore.tiles import Panel
    from impasto.media.signal import Signal


@click.command()
@click.argument("photos", type=FILE, nargs=-1, required=True)
@result_option("A sheet (.png), an index (.json), or a folder: a report.")
@click.option("--layer", "layers", metavar="NAMES", help=f"Layers, or all.  [default: {PATCHES.layers}, if there is one]")
@click.option(
    "--units", metavar="0-15|3,17|all", help=f"Units of each layer.  [default: {SHOWN_UNITS} on a sheet, else all]"
)
@click.option("--top", metavar="N", type=int, default=PATCHES.top, show_default=True, help="Patches of each unit.")
@click.option(
    "--per-image", metavar="N", type=int, default=PATCHES.per_image, show_default=True, help="Of them, of one image."
)
@click.option(
    "--size",
    metavar="N|full",
    help="Longest side that the network sees, of series and sounds samples a second.  "
    f"[default: {', '.join(f'{name} {medium.view.size}' for name, medium in BUILT_IN.items() if medium.view)}]",
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
@click.option("--synthesise", "synthesised", is_flag=True, help="In a report: what each unit wants to see (takes long).")
@click.option(
    "--part", metavar="I/N", help="See one part of the photographs, the I-th of N; 'explore merge' puts them together."
)
@click.option("--towards", metavar="LAYER:UNIT", help="Patches that matter most for this unit further on.")
@click.option("--cluster", metavar="local:N|tcp://HOST:PORT", help=CLUSTER_HELP)
@network_options
def patches(
    photos: tuple[Path, ...],
    output: Path,
    part: str | None,
    cluster: str | None,
    layers: str | None,
    units: str | None,
    top: int,
    per_image: int,
    size: str | None,
    show: str,
    gradient: Any,
    synthesised: bool,
    towards: str | None,
    quiet: bool,
    **network: Any,
) -> int:
    """Find the patches in PHOTOS (files and folders) that excite each unit most.

    Series such as EKGs, sounds, or volumes are explored like photographs: their segments or cubes are found.

    \b
    impasto explore patches photos/ --layer relu3_1 -o sheet.png
    impasto explore patches photos/ --layer relu1_1,relu2_1,relu3_1,relu4_1,relu5_1 -o sheet.png
    impasto explore patches photos/ --layer all -o report/
    impasto explore patches ekgs/ --layer relu4_1 -o waves.png
    impasto explore patches photos/ --network mine.py:make --layer layer3.1.conv2 -o report/

    Instead of photographs, indexes (.json) of different photographs can be given: they are merged, as by impasto explore
    merge.

    Ctrl-C keeps what was found; the same command again goes on from there.
    """
    network["network"] = opened(network["network"], (layers or "").split(","))
    known = described(**network)
    names = parse_layers(layers or None, known)
    target = target_of(output)
    units_given = units is not None
    fewest = min(SHOWN_COUNT, *(known.channels(name) for name in names))
    units = units or (f"0-{fewest - 1}" if target == "sheet" else "all")
    for name in names:
        parse_units(units, name, known)
    shown = _parse_show(show)
    how: dict[str, Any] = {
        "top": whole(1)("top", top),
        "per_image": whole(1)("per-image", per_image),
        "size": None if size is None else parse_size(size),
    }
    state = index_file(output, target)
    check_exploration(photos, output, target, state)
    share = None if part is None else part_of_names("part", part)
    if cluster:
        parse_cluster(cluster)
    if synthesised:
        _check_pictures(photos)
    if all(path.suffix.lower() == ".json" for path in photos):
        for name, value in (("part", part), ("cluster", cluster), ("towards", towards)):
            if value:
                raise SettingsError(f"--{name} is for photographs; indexes are merged whole: leave it out")
        index = merged_index(photos, target, names if layers else None, units if units_given else None, known, quiet=quiet)
    else:
        index = _searched(_part_of(photos, share), state, names, units, quiet, cluster, towards=towards, **network, **how)
    if index is None:
        return 130
    write_exploration(index, output, target, _panels(index, shown, gradient, network), synthesised, quiet, network)
    if target == "sheet":
        state.unlink(missing_ok=True)
    tell_exploration(index, output)
    return 0


def _part_of(photos: tuple[Path, ...], part: Part | None) -> tuple[Path, ...] | dict[str, Any]:
    """The photographs, or of a part those that it has."""
    from impasto.explore.sources import find_sources

    if part is None:
        return photos
    found = find_sources(photos)
    if part.number > len(found):
        raise SettingsError(f"part {part.number} of {part.total} is empty: there are {len(found)} photographs")
    return {name: found[name] for name in part.of(list(found))}


def merged_index(
    paths: tuple[Path, ...],
    target: str,
    layers: tuple[str, ...] | None = None,
    units: str | None = None,
    known: Layered | None = None,
    *,
    quiet: bool = False,
) -> PatchIndex:
    """The union of the indexes, of it the layers and units that are asked for; on a sheet the first sixteen."""
    from impasto.explore.merging import merge_files

    with progress_bar(quiet) as tell:
        index = merge_files(paths, lambda done, total: tell(done, total, "reading"))
    if not index.complete:
        click.echo("impasto: a search that was interrupted is among them; the images it has not seen are missing", err=True)
    found = index.units()
    shown = SHOWN_COUNT if target == "sheet" else None
    return index.select(
        {
            layer: parse_units(units, layer, known) if units and known else found.get(layer, ())[:shown]
            for layer in (found if layers is None else layers)
        }
    )


def _searched(
    photos: tuple[Path, ...] | dict[str, Any],
    state: Path,
    layers: tuple[str, ...],
    units: str,
    quiet: bool,
    cluster: str | None,
    **how: Any,
) -> PatchIndex | None:
    """The index of the photographs, continued if there is one of an interrupted search; None if it is interrupted."""
    from impasto.cluster.executor import Cluster
    from impasto.explore.index import ExploreInterrupted, PatchIndex
    from impasto.explore.patches import top_patches

    before = PatchIndex.load(state) if state.exists() else None
    resume = before if before and not before.complete else None
    if resume:
        click.echo(f"going on from {state}, which holds {len(resume.images)} images", err=True)
    with ExitStack() as stack:
        if cluster:
            how["executor"] = stack.enter_context(Cluster(cluster))
        cancel, tell = stack.enter_context(cancelling()), stack.enter_context(progress_bar(quiet))
        keep = keeper(state)

        def watch(progress: PatchProgress) -> None:
            tell(progress.done, progress.total, f"{progress.images_per_second:.1f} images/s")
            keep(progress)

        try:
            index = top_patches(photos, layers, units=units, resume=resume, on_progress=watch, cancel=cancel, **how)
        except SettingsError as error:
            if resume is None:
                raise
            raise SettingsError(f"{error}; delete {state} to begin anew") from None
        except ExploreInterrupted as impatient:
            index = impatient.index
    keep_index(index, state)  # also of a search that is complete: drawing a report can take longer than that
    if index.complete:
        return index
    seen = len(index.images)
    click.echo(f"impasto: interrupted; {state} keeps the {seen} images seen, the same command goes on", err=True)
    return None


def _parse_show(show: str) -> list[str]:
    names = [name.strip() for name in show.split(",")]
    for name in names:
        if name not in ("patches", "gradients"):
            raise SettingsError(f"--show {name!r}: patches, gradients, or both were expected")
    return list(dict.fromkeys(names))


def _check_pictures(photos: tuple[Path, ...]) -> None:
    from impasto.explore.index import PatchIndex
    from impasto.explore.sources import common_kind, find_sources
    from impasto.media.registry import medium_of

    for path in photos:
        merged = path.suffix.lower() == ".json"
        kind = common_kind({name: name for name in PatchIndex.load(path).images} if merged else find_sources(path))
        if not medium_of(kind).is_picture:
            raise SettingsError(f"--synthesise makes pictures, but {path} holds another kind of signal: {kind}")


def _panels(index: PatchIndex, shown: list[str], gradient: Any, network: dict[str, Any]) -> dict[str, Panel]:
    from impasto.explore.gradients import gradient_panel
    from impasto.explore.patches import trained_network
    from impasto.explore.tiles import kind_of_index, patch_values

    kind = kind_of_index(index)
    make: dict[str, Callable[[], Panel]] = {
        "patches": lambda: patch_values,
        "gradients": lambda: gradient_panel(trained_network(kind=kind, **network)[0], gradient),
    }
    return {name: make[name]() for name in shown}


def write_exploration(
    index: PatchIndex,
    output: Path,
    target: str,
    panels: dict[str, Panel],
    synthesised: bool,
    quiet: bool,
    network: dict[str, Any],
) -> None:
    """Write the index, the sheet or the report."""
    from impasto.explore.render import sheet_of
    from impasto.explore.report import write_report
    from impasto.explore.sheet import write_sheet
    from impasto.explore.synthesis import synthesise

    if target == "index":
        index.save(output)
    elif target == "sheet":
        write_sheet(sheet_of(index, panels=list(panels.values())), output)
    else:

        def wanted(layer: str, unit: int) -> Signal:
            return synthesise(f"{layer}:{unit}", size=128, iterations=128, **network)[0]

        with progress_bar(quiet) as tell:
            write_report(index, output, panels=panels, synthesise=wanted if synthesised else None, on_progress=tell)


def tell_exploration(index: PatchIndex, output: Path) -> None:
    """Say what was written, and what was skipped."""
    from impasto.explore.tiles import kind_of_index
    from impasto.media.registry import medium_of

    units, nouns = (
        sum(len(units) for units in index.layers.values()),
        medium_of(kind_of_index(index)).plural(len(index.images)),
    )
    click.echo(f"{output}: {len(index.images)} {nouns}, {units} units of {', '.join(index.layers)}")
    copies = len(index.images) - len(set(index.images.values()))
    if copies:
        click.echo(f"{copies} {nouns} are nearly equal to others and were not counted twice", err=True)
    if index.skipped:
        click.echo(f"{len(index.skipped)} skipped:", err=True)
        for name, reason in index.skipped.items():
            click.echo(f"  {reason if name in reason else f'{name}: {reason}'}", err=True)
