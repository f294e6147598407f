"""What is to be painted of a folder, and what each result is called."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from impasto.errors import SettingsError, SignalError
from impasto.files import existing_file, first_line, is_folder, is_pattern
from impasto.media.folders import Contents, contents_of, holds_slices
from impasto.media.read_write import find_medium, read_signal
from impasto.media.registry import media
from impasto.media.styles import shares
from impasto.transfer.manifest import has_manifest
from impasto.transfer.settings import TransferSettings
from impasto.validation import named_files

log = logging.getLogger("impasto")

# the longest side at which a style is read to see that it can be
_ENOUGH = 64


class Task(NamedTuple):
    """One painting of many.

    Attributes:
        name: of the result, within the folder of results, with ``/`` between its parts.
        content: the file, or a folder of slices.
        styles: with their shares.
        output: where the result is written.
    """

    name: str
    content: Path
    styles: list[tuple[Path, float]]
    output: Path


@dataclass(frozen=True)
class FolderPlan:
    """What is to be painted.

    Attributes:
        folder: of the results.
        tasks: in the order of their names, and of all parts.
        failed: what cannot be painted, by its name, with the reason.
        passed_over: names of files that are no signals.
    """

    folder: Path
    tasks: Sequence[Task]
    failed: Mapping[str, str]
    passed_over: Sequence[str]


def plan_folder(
    content: str | Path,
    style: Any,
    output: str | Path,
    settings: TransferSettings,
    *,
    each_style: bool = False,
    as_one: bool | None = None,
) -> FolderPlan:
    """What is to be painted of a folder, and what each result is called: as its content.

    Where no file of such an ending can be written, another ending follows. The arguments, and what is raised, are those of
    :func:`impasto.transfer_folder`; ``as_one`` is whether the content is one signal, as it is by default if it is a file or
    a folder of slices.
    """
    content, folder = Path(content), Path(output)
    styles = [(_style(source, settings), share) for source, share in shares(style)]
    blends = {f"{path.stem}/": [(path, 1.0)] for path, _ in styles} if each_style else {"": styles}
    if each_style and len({share for _, share in styles}) > 1:
        raise SettingsError("weights of styles blend them, and with --each-style none are blended: leave the weights out")
    if each_style and len(blends) < len(styles):
        raise SettingsError(
            f"of {len(styles)} styles two have the same name, and so would their folders: rename one of them"
        )
    if folder.exists() and not folder.is_dir():
        raise SignalError(f"{folder} is a file; a folder for the results was expected")
    if as_one is None:
        as_one = not is_folder(content) or holds_slices(content)
    if as_one:
        if is_pattern(content):
            raise SettingsError(f"{content} is a movie of numbered frames, which is painted in one style at a time")
        one = content if is_folder(content) else existing_file(content, "a file or a folder")
        found = Contents({one.resolve().name: one})
    else:
        found = _contents(content, folder, [*(path for path, _ in styles), *named_files(settings).values()])
    names: dict[str, Path] = {}
    failed = dict(found.closed)
    for name, path in found.signals.items():
        try:
            result = name + _ending(path)
        except Exception as error:  # whatever is wrong with a file, the others are painted
            failed[name] = first_line(error)
            continue
        if result in names:
            failed[name] = f"{path} would be painted to {result}, as {names[result]} is: rename one of them"
        names.setdefault(result, path)
    if not names and not failed:
        raise SignalError(f"{content} holds no picture, series, sound, volume or movie")
    tasks = [
        Task(before + name, path, blend, folder / (before + name))
        for before, blend in blends.items()
        for name, path in names.items()
    ]
    return FolderPlan(folder, sorted(tasks), failed, found.passed_over)


def _style(source: Any, settings: TransferSettings) -> Path:
    """The file of a style, which can be read."""
    if not isinstance(source, str | Path):
        raise SettingsError(f"a style is a {type(source).__name__}; where a folder is painted, its file was expected")
    if find_medium(source).is_picture:
        read_signal(source, settings.rate, _ENOUGH)
    return Path(source)


def _contents(content: Path, folder: Path, others: list[Path]) -> Contents:
    """The signals of a folder, without what else is named, and results of impasto."""
    aside = {os.path.realpath(path) for path in (folder, *others)}
    if os.path.realpath(content) in aside:
        raise SettingsError(f"{content} is the folder of the contents; another one for the results was expected")

    def apart(path: Path) -> bool:
        if is_folder(path) and has_manifest(path):
            log.warning("%s holds results of impasto, and is passed over", path)
            return True
        return os.path.realpath(path) in aside

    return contents_of(content, apart)


def _ending(content: Path) -> str:
    """What follows the name of a content in the name of its result: nothing, if a file with its ending can be written."""
    writable = tuple(ending for medium in media().values() for ending in medium.writable)
    if content.name.lower().endswith(writable) and not is_folder(content):
        return ""
    medium = find_medium(content)
    return medium.kept or medium.safest
