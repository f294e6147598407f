"""``impasto explore walk``: a picture goes through the network, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from impasto.cli.output import check_page
from impasto.cli.paint import FILE, result_option
from impasto.cli.synthesise import network_options, opened
from impasto.validation import whole


@click.command()
@click.argument("photo", type=FILE)
@result_option("Page to write (.html).")
@click.option(
    "--layer", "layers", metavar="NAMES", default="all", show_default="those after a ReLU, and the poolings", help="Layers."
)
@click.option("--channels", metavar="N", default=48, show_default=True, help="So many of each layer, the most active ones.")
@click.option("--size", metavar="N", default=256, show_default=True, help="Longest side that the network sees.")
@network_options
def walk(photo: Path, output: Path, layers: str, channels: int, size: int, quiet: bool, **network: Any) -> int:
    """Show what each layer of the network makes of PHOTO: its shape, what it sees, and its channels, as one offline page.

    \b
    impasto explore walk harbour.jpg -o walk.html
    impasto explore walk harbour.jpg -o walk.html --layer relu3_1,relu4_1 --channels 256
    """
    whole(1)("channels", channels)
    whole(32)("size", size)
    check_page(output)
    network["network"] = opened(network["network"], layers.split(","))

    from impasto.explanation.walk import write_walk

    steps = write_walk(photo, output, layers, size=size, channels=channels, **network)
    click.echo(f"{click.format_filename(output)}: {len(steps)} layers, {output.stat().st_size / 2**20:.1f} MiB")
    return 0
