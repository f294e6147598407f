"""``impasto explore merge``: indexes of several parts, or of different photographs, put together."""

from __future__ import annotations

from pathlib import Path

import click

from impasto.cli.exploration import check_exploration, index_file, target_of
from impasto.cli.paint import FILE, result_option
from impasto.cli.patches import merged_index, tell_exploration, write_exploration


@click.command()
@click.argument("indexes", type=FILE, nargs=-1, required=True, metavar="INDEX...")
@result_option("An index (.json), a sheet (.png), or a folder: a report.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def merge(indexes: tuple[Path, ...], output: Path, quiet: bool) -> int:
    """Put indexes together, each INDEX made by impasto explore patches of different photographs, with the same options.

    \b
    impasto explore patches photos/ --part 1/2 -o 1.json
    impasto explore patches photos/ --part 2/2 -o 2.json
    impasto explore merge 1.json 2.json -o photos.json
    """
    from impasto.explore.tiles import patch_values

    target = target_of(output)
    check_exploration(indexes, output, target, index_file(output, target))
    index = merged_index(indexes, target, quiet=quiet)
    write_exploration(index, output, target, {"patches": patch_values}, False, quiet, {})
    tell_exploration(index, output)
    return 0
