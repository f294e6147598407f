"""``impasto resume``: a run that was cut off goes on."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from impasto.cli.paint import FILE, PATHS, paint
from impasto.errors import SettingsError, SignalError
from impasto.transfer.settings import TransferSettings


@click.command()
@click.argument("checkpoint", type=FILE)
@click.option("-o", "--output", type=FILE, metavar="OUT", help="File to write, where it is not to be the one first named.")
@click.option("-v", "--verbose", is_flag=True, help="Log every evaluation.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and results.")
def resume(checkpoint: Path, output: Path | None, **options: Any) -> int:
    """Go on with a run of impasto transfer that was cut off, where CHECKPOINT was written.

    The result, the trace and all else come out as if nothing had happened.
    """
    from impasto.descent.tensor_tree import read_about

    about = read_about(checkpoint)
    command = about["command"]
    if not command:
        raise SettingsError(
            f"{checkpoint} was written from Python, or for one of a folder: call transfer_style with it and the same inputs "
            "again, or give the command of the folder"
        )
    path, folder = checkpoint.resolve(), command.pop("folder")
    if output:
        command["output"] = str(output.resolve())
    try:
        os.chdir(folder)  # what the command named is named from there
    except OSError as error:
        raise SignalError(f"{checkpoint} was written in {folder}, which cannot be entered: {error.strerror}") from None
    if unknown := about["settings"].keys() - {setting.name for setting in fields(TransferSettings)}:
        raise SettingsError(
            f"{checkpoint} was written by impasto {about['version']}, which has settings that are not known here: "
            f"{', '.join(sorted(unknown))}; go on with that one"
        )
    paths = {name: command[name] and Path(command[name]) for name in PATHS}
    paths["style"] = [(Path(path), weight) for path, weight in command["style"]]
    return paint(**command | paths, checkpoint=path, **options, **about["settings"])
