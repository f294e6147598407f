"""Many paintings: every signal of a folder, in one style or in each of several, so that none is lost and none made twice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

from impasto.cluster.executor import Cluster
from impasto.descent.descend import Progress
from impasto.descent.memory import default_memory, gibibytes
from impasto.errors import SettingsError, SignalError
from impasto.files import held_alone, sync_folder
from impasto.networks.device import find_device
from impasto.transfer.at_work import AtWork
from impasto.transfer.checkpoint import machine_of
from impasto.transfer.folder_elsewhere import painted_elsewhere
from impasto.transfer.folder_job import Job, beside_of, checkpoint_of, paint_job
from impasto.transfer.folder_plan import FolderPlan, Task, plan_folder
from impasto.transfer.manifest import Manifest, digest_of
from impasto.transfer.painter import Painter
from impasto.transfer.settings import TransferSettings
from impasto.validation import Part, named_files
from impasto.validation import part as part_of_names

log = logging.getLogger("impasto")

# where and with what is computed is not what is painted
_NOT_MADE_OF = ("memory", "device")
# settings that older manifests do not have, and how their folders were painted
_NEWER = {"precision": "tf32"}


@dataclass(frozen=True)
class FolderProgress:
    """How far a folder is.

    Attributes:
        done: how many results are there.
        total: how many there are to be.
        name: of the result at hand.
        progress: of the painting at hand; None once it is written, and of what other processes paint.
        at_work: by the names of what is being painted, how many evaluations of J are done, and how many there are to be.
        row: of the manifest, once it is written; None if it was there.
    """

    done: int
    total: int
    name: str
    progress: Progress | None = None
    at_work: AtWork = field(default_factory=dict[str, tuple[int, int]])
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
    part: tuple[int, int] | str | None = None,
    options: Mapping[str, Any] | None = None,
    checkpoint_every: float | None = 60.0,
    on_progress: Callable[[FolderProgress], object] | None = None,
    cancel: Event | None = None,
    executor: Executor | None = None,
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
        executor: paints several at once: a :class:`impasto.Cluster`; or any other, e.g. a
            :class:`concurrent.futures.ProcessPoolExecutor`, of which no evaluations are told, and what has begun is painted
            to its end. Each painting has the settings, the memory and the threads of this process, so that the results
            are the same. Give ``memory``, of which each takes as much.

    Raises:
        SettingsError: a setting is wrong, or was given twice.
        SignalError: there is nothing to paint, a style cannot be read, or the folder of results cannot be written to or
            holds files that are not listed in its manifest. What cannot be read of the contents is in ``failed`` instead.
        WeightsError: the weights of the network are missing or damaged.
        ClusterError: the cluster is lost; what is painted to its end is there.
        TransferInterrupted: Ctrl-C; what is painted to its end is there.
    """
    if painter is not None and settings is not None:
        raise SettingsError("settings and a painter, which has settings, were given: give the one or the other")
    painter = painter or Painter(settings=settings)
    plan = plan_folder(content, style, output, painter.settings, each_style=each_style)
    share = None if part is None else part_of_names("part", part)
    if executor is not None and painter.described():
        raise SettingsError("a painter with a network, a J or an optimizer of its own cannot be sent to an executor")
    return paint_plan(plan, painter, share, options, checkpoint_every, on_progress, cancel, executor)


def paint_plan(
    plan: FolderPlan,
    painter: Painter,
    part: Part | None = None,
    options: Mapping[str, Any] | None = None,
    checkpoint_every: float | None = 60.0,
    on_progress: Callable[[FolderProgress], object] | None = None,
    cancel: Event | None = None,
    executor: Executor | None = None,
) -> FolderResult:
    """Paint what was planned; the arguments, and what is raised, are those of :func:`transfer_folder`."""
    tasks = plan.tasks if part is None else part.of(plan.tasks)
    cluster = executor if isinstance(executor, Cluster) else None
    manifest, memory = _begun(plan, tasks, part, painter, cluster)
    with held_alone(manifest.path):
        return _paint_all(
            plan, tasks, manifest, memory, painter, options, checkpoint_every, on_progress, cancel or Event(), executor
        )


def _paint_all(
    plan: FolderPlan,
    tasks: Sequence[Task],
    manifest: Manifest,
    memory: int,
    painter: Painter,
    options: Mapping[str, Any] | None,
    checkpoint_every: float | None,
    on_progress: Callable[[FolderProgress], object] | None,
    cancel: Event,
    executor: Executor | None,
) -> FolderResult:
    made_of = _digests(painter, options)
    result = FolderResult(failed=dict(plan.failed))
    done = 0

    def tell(name: str, **how: Any) -> None:
        if on_progress is not None:
            on_progress(FolderProgress(done, len(tasks), name, **how))

    def jobs() -> Iterator[Job]:
        """What is to be painted yet."""
        nonlocal done
        for task in tasks:
            if cancel.is_set():
                return
            try:
                digest = made_of(task)
                whole = manifest.is_whole(task.name, task.output, digest)
            except OSError as error:
                done += 1
                result.failed[task.name] = f"{task.content} cannot be read: {error.strerror}"
                continue
            if not whole:
                yield Job(task, digest, memory, checkpoint_every, dict(options or {}))
                continue
            done += 1
            checkpoint_of(task.output, checkpoint_every).remove()  # a kill may have come before that
            result.kept.append(task.name)
            tell(task.name)

    def paint(job: Job) -> Mapping[str, Any] | str | None:
        name = job.task.name

        def evaluated(progress: Progress) -> None:
            tell(name, progress=progress, at_work={name: (progress.latest.evaluation, progress.iterations)})

        return paint_job(job, painter, evaluated, cancel)

    outcomes = ((job, paint(job)) for job in jobs())
    if executor is not None:
        machine = {name: value for name, value in manifest.head.items() if name != "memory"}
        told = lambda name, at_work: tell(name, at_work=at_work)  # noqa: E731
        outcomes = painted_elsewhere(jobs(), painter.settings, machine, cancel, executor, told)
    for job, outcome in outcomes:
        if outcome is None:
            continue
        done += 1
        if isinstance(outcome, str):
            result.failed[job.task.name] = outcome
            continue
        _show(job.task.output, manifest, outcome)
        checkpoint_of(job.task.output, checkpoint_every).remove()
        result.painted.append(outcome)
        tell(job.task.name, row=outcome)
    result.left = len(tasks) - done
    return result


def _show(output: Path, manifest: Manifest, row: Mapping[str, Any]) -> None:
    """List a result and give it its place: what is there and is not listed is never of impasto.

    What is listed and not there is painted again.
    """
    manifest.add(row)
    try:
        beside_of(output).replace(output)
    except OSError as error:
        raise SignalError(f"{output} cannot be written: {error.strerror}") from None
    sync_folder(output.parent)


def _begun(
    plan: FolderPlan, tasks: Sequence[Task], part: Part | None, painter: Painter, cluster: Cluster | None
) -> tuple[Manifest, int]:
    """The manifest of a folder, in which everything that is to be replaced is listed, and the bytes for each painting."""
    folder = plan.folder
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
    machine, free = machine_of(device), default_memory(device)
    if cluster:  # its tasks compute with as many threads as they are told
        machine["threads"], free = manifest.head.get("threads", cluster.threads), cluster.memory(free)
    manifest.begin(machine | {"memory": painter.settings.memory or free}, len(plan.tasks))
    was = ", ".join(f"{name} {value}" for name, value in manifest.head.items() if machine.get(name, value) != value)
    if was:
        log.warning("%s was begun with %s: results may differ in their last digits", folder, was)
    memory = manifest.head["memory"]
    if cluster and free < memory and not painter.settings.memory:
        told = "%s was begun with %s for a painting, and a worker has %s: large results may differ in their last digits"
        log.warning(told, folder, gibibytes(memory), gibibytes(free))
        memory = free
    return manifest, memory


def _digests(painter: Painter, options: Mapping[str, Any] | None) -> Callable[[Task], str]:
    """A function that gives the SHA-256 of all that a painting is made of; files are known by what is in them."""
    digest = cache(digest_of)
    files = named_files(painter.settings)
    without = {*_NOT_MADE_OF, *(name.split()[0] for name in files)}
    common = {
        "settings": {
            name: value
            for name, value in painter.settings.as_dict().items()
            if name not in without and _NEWER.get(name) != value
        },
        "files": {name: digest(path) for name, path in files.items()},
        "parts": painter.described(),
        "options": dict(options or {}),
    }

    def made_of(task: Task) -> str:
        inputs = {"content": digest_of(task.content), "styles": [(digest(path), share) for path, share in task.styles]}
        return hashlib.sha256(json.dumps(common | inputs, sort_keys=True, default=str).encode()).hexdigest()

    return made_of
