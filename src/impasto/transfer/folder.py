"""Many paintings: every signal of a folder, in one style or in each of several, so that none is lost and none made twice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

from impasto.descent.descend import Progress
from impasto.descent.memory import default_memory
from impasto.errors import ImpastoError, SettingsError, SignalError, WeightsError
from impasto.files import first_line, opened_whole
from impasto.networks.device import find_device
from impasto.transfer.checkpoint import Checkpoint, machine_of
from impasto.transfer.folder_plan import FolderPlan, Task, plan_folder
from impasto.transfer.manifest import Manifest, digest_of
from impasto.transfer.painter import Painter
from impasto.transfer.painting import Painting
from impasto.transfer.settings import TransferSettings
from impasto.validation import Part, named_files
from impasto.validation import part as part_of_names

log = logging.getLogger("impasto")

# a painting that takes longer is kept on its way, and goes on from there
_FIRST_SECONDS = 60.0
# where and with what is computed is not what is painted
_NOT_MADE_OF = ("memory", "device")


@dataclass(frozen=True)
class FolderProgress:
    """How far a folder is.

    Attributes:
        done: how many results are there.
        total: how many there are to be.
        name: of the result at hand.
        progress: of the painting at hand; None once it is written.
        row: of the manifest, once it is written; None if it was there.
    """

    done: int
    total: int
    name: str
    progress: Progress | None = None
    row: Mapping[str, Any] | None = None


@dataclass
class FolderResult:
    """What has become of a folder.

    Attributes:
        painted: the rows of the manifest of what was painted now.
        kept: names of results that were there already, whole.
        failed: what could not be painted, by its name, with the reason.
        left: how many are not painted, as it was cancelled.
    """

    painted: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    kept: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    left: int = 0


def transfer_folder(
    content: str | Path,
    style: str | Path | tuple[str | Path, float] | Sequence[str | Path | tuple[str | Path, float]],
    output: str | Path,
    settings: TransferSettings | None = None,
    *,
    painter: Painter | None = None,
    each_style: bool = False,
    part: Part | tuple[int, int] | str | None = None,
    options: Mapping[str, Any] | None = None,
    checkpoint_every: float | None = 60.0,
    on_progress: Callable[[FolderProgress], object] | None = None,
    cancel: Event | None = None,
) -> FolderResult:
    """Paint every signal of a folder and its subfolders into another one, in the style of another signal or of several.

    Network and styles are loaded and measured once. Results have the names of the contents, and are listed in the manifest,
    ``impasto.jsonl``: one line of JSON with input, output, style, J, seconds and settings for each. Those that are there
    and as they were written, of the same contents, styles and settings, are not painted again; so the same call goes on
    where one was cut off, and gives the same files, bit for bit.

    Args:
        content: a folder; or one file, which is then painted in every style.
        style: the files of one style, or of several, each alone or with its weight, which are blended.
        output: the folder of the results, which is made if need be.
        settings: how; the defaults of :class:`impasto.TransferSettings` if None.
        painter: in place of the settings, with a network, a J or an optimizer of its own.
        each_style: paint in each of the styles by itself, into a folder with the name of the style.
        part: ``"2/8"`` or (2, 8) paints the second of eight parts of the names, which are the same wherever it is called.
        options: how pictures are written, as of :meth:`impasto.Painting.write`.
        checkpoint_every: how often a painting that takes more than a minute is kept on its way, in seconds; None: never.
        on_progress: called after each evaluation, and with each result.
        cancel: once it is set no other evaluation begins; what is painted to its end is there.

    Raises:
        SettingsError: a setting is wrong, or was given twice.
        SignalError: there is nothing to paint, a style cannot be read, or the folder of results cannot be written to or
            holds files that are not listed in its manifest. What cannot be read of the contents is in ``failed`` instead.
        WeightsError: the weights of the network are missing or damaged.
        TransferInterrupted: Ctrl-C; what is painted to its end is there.
    """
    if painter is not None and settings is not None:
        raise SettingsError("settings and a painter, which has settings, were given: give the one or the other")
    painter = painter or Painter(settings=settings)
    plan = plan_folder(content, style, output, painter.settings, each_style=each_style)
    share = None if part is None else part_of_names("part", part)
    return paint_plan(plan, painter, share, options, checkpoint_every, on_progress, cancel)


def paint_plan(
    plan: FolderPlan,
    painter: Painter,
    part: Part | None = None,
    options: Mapping[str, Any] | None = None,
    checkpoint_every: float | None = 60.0,
    on_progress: Callable[[FolderProgress], object] | None = None,
    cancel: Event | None = None,
) -> FolderResult:
    """Paint what was planned; the arguments, and what is raised, are those of :func:`transfer_folder`."""
    tasks = plan.tasks if part is None else part.of(plan.tasks)
    manifest = _begun(plan.folder, tasks, part, painter)
    made_of = _digests(painter, options)
    result = FolderResult(failed=dict(plan.failed))
    tell = on_progress or (lambda progress: None)
    for done, task in enumerate(tasks):
        if cancel is not None and cancel.is_set():
            result.left = len(tasks) - done
            break

        def watch(progress: Progress, name: str = task.name, done: int = done) -> None:
            tell(FolderProgress(done, len(tasks), name, progress))

        checkpoint = _checkpoint(task.output, checkpoint_every)
        try:
            digest = made_of(task)
            if manifest.is_whole(task.name, task.output, digest):
                checkpoint.remove()  # a kill may have come before that
                result.kept.append(task.name)
                tell(FolderProgress(done + 1, len(tasks), task.name))
                continue
            how: dict[str, Any] = {"memory": manifest.head["memory"], "on_progress": watch, "cancel": cancel}
            how["checkpoint"] = None if checkpoint_every is None else checkpoint
            painting = _painted(task, painter, options, how)
            if not painting.finished:
                result.left = len(tasks) - done
                break
            data = painting.encode(task.output, **(options or {}))
        except WeightsError:
            raise
        except Exception as error:  # whatever is wrong with a file, the others are painted
            reason = first_line(error)
            result.failed[task.name] = reason if isinstance(error, ImpastoError) else f"{type(error).__name__}: {reason}"
            continue
        row = _row(task, painting, data, digest)
        _publish(task.output, painting, data, lambda row=row: manifest.add(row))
        checkpoint.remove()
        result.painted.append(row)
        tell(FolderProgress(done + 1, len(tasks), task.name, row=row))
    return result


def _begun(folder: Path, tasks: Sequence[Task], part: Part | None, painter: Painter) -> Manifest:
    """The manifest of a folder of results, in which everything that is to be replaced is listed."""
    manifest = Manifest(folder, part)
    others = [task.output for task in tasks if os.path.lexists(task.output) and not manifest.lists(task.name)]
    if others:
        more = f" and other files ({len(others) - 1})" if others[1:] else ""
        raise SignalError(
            f"{others[0]}{more} would be replaced, and no manifest in {folder} lists them as results: name another folder"
        )
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SignalError(f"{folder} cannot be made: {error.strerror}") from None
    device = find_device(painter.settings.device)
    machine = machine_of(device)
    manifest.begin(machine | {"memory": painter.settings.memory or default_memory(device)})
    was = ", ".join(f"{name} {value}" for name, value in manifest.head.items() if machine.get(name, value) != value)
    if was:
        log.warning("%s was begun with %s: results may differ in their last digits", folder, was)
    return manifest


def _digests(painter: Painter, options: Mapping[str, Any] | None) -> Callable[[Task], str]:
    """A function that gives the SHA-256 of all that a painting is made of; files are known by what is in them."""
    digest = cache(digest_of)
    files = named_files(painter.settings)
    without = {*_NOT_MADE_OF, *(name.split()[0] for name in files)}
    common = {
        "settings": {name: value for name, value in painter.settings.as_dict().items() if name not in without},
        "files": {name: digest(path) for name, path in files.items()},
        "parts": painter.described(),
        "options": dict(options or {}),
    }

    def made_of(task: Task) -> str:
        inputs = {"content": digest_of(task.content), "styles": [(digest(path), share) for path, share in task.styles]}
        return hashlib.sha256(json.dumps(common | inputs, sort_keys=True, default=str).encode()).hexdigest()

    return made_of


def _checkpoint(output: Path, every: float | None) -> Checkpoint:
    return Checkpoint(output.with_name(f"{output.name}.checkpoint"), every or 0.0, _FIRST_SECONDS)


def _painted(task: Task, painter: Painter, options: Mapping[str, Any] | None, how: Mapping[str, Any]) -> Painting:
    """The painting, which goes on from its checkpoint, unless that is of another one."""
    task.output.parent.mkdir(parents=True, exist_ok=True)
    inputs = painter.take_in(task.content, task.styles, output=task.output, options=options, memory=how["memory"])
    checkpoint = how["checkpoint"]
    try:
        return painter.descend(inputs, **how)
    except SettingsError:
        if checkpoint is None or not checkpoint.path.exists():
            raise
    log.warning("%s was kept of a painting with other settings or inputs, which is begun anew", checkpoint.path)
    checkpoint.remove()
    return painter.descend(inputs, **how)


def _row(task: Task, painting: Painting, data: bytes, made_of: str) -> dict[str, Any]:
    """The row of the manifest."""
    return {
        "input": str(task.content),
        "output": task.name,
        "style": painting.about["style"],
        "J": painting.best.cost,
        "seconds": round(painting.history[-1].seconds, 3),
        "evaluations": len(painting.history),
        "settings": painting.settings.as_dict(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "made_of": made_of,
    }


def _publish(output: Path, painting: Painting, data: bytes, listed: Callable[[], None]) -> None:
    """Write the file of a result, whole or not at all, and never before it is listed.

    So whatever is there and is not listed is somebody else's. Listed and not there is no harm: it is painted again.
    """
    # of the same name each time, so that a process that is killed leaves one at most; with the ending, by which it is read
    beside = output.with_name(
        f".impasto-{hashlib.sha256(output.name.encode(errors='replace')).hexdigest()[:8]}-{output.name[-12:]}"
    )
    with opened_whole(output, beside) as file:
        file.write(data)
        file.flush()
        painting.check_written(beside)
        listed()
