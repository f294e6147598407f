"""The scenes of a movie painted by an executor, several at once, and joined: what one process paints, in every bit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import torch

from impasto.cluster.executor import Cluster, TaskKilled
from impasto.cluster.worker import compute_with
from impasto.descent.descend import Evaluation
from impasto.descent.memory import default_memory
from impasto.errors import SettingsError, SignalError
from impasto.files import first_line
from impasto.media.movie.read import resample_movie
from impasto.media.movie.scenes import SCENE, Frames, cuts_of, scenes_of
from impasto.media.read_write import find_medium
from impasto.media.signal import Signal
from impasto.media.styles import shares
from impasto.networks.device import find_device
from impasto.transfer.at_work import AtWork, as_they_end, teller
from impasto.transfer.checkpoint import identity_of, machine_of
from impasto.transfer.inputs import Inputs
from impasto.transfer.kept_scenes import KeptScenes, Painted
from impasto.transfer.painter import Painter
from impasto.transfer.painting import Painting
from impasto.transfer.settings import TransferSettings

log = logging.getLogger("impasto")


class Scene(NamedTuple):
    """A scene that is to be painted, with all that it depends on.

    Attributes:
        content: the file of the whole movie.
        styles: with their shares.
        output: where the whole will be written, which tells that an animation is a movie.
        settings: with the cuts and the memory.
        frames: the first one, and the one after the last.
        threads: with how many it is computed.
    """

    content: Path
    styles: list[tuple[Path, float]]
    output: Path
    settings: TransferSettings
    frames: Frames
    threads: int

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return f"frames {self.frames[0]} to {self.frames[1] - 1}"


def transfer_scenes(
    content: str | Path,
    style: Any,
    output: str | Path,
    settings: TransferSettings | None = None,
    *,
    executor: Executor,
    options: Mapping[str, Any] | None = None,
    on_progress: Callable[[int, int, AtWork], object] | None = None,
    cancel: Event | None = None,
    checkpoint: str | Path | None = None,
) -> Painting:
    """Paint the scenes of a movie at once, each by a worker, and join them: the painting that one process gives.

    Args:
        content: the file of the movie, where all workers find it.
        style: the files of one style, or of several, each alone or with its weight.
        output: where the painting will be written, by :meth:`impasto.Painting.write`.
        settings: how; ``cuts`` tells where the scenes begin, and if it does not they are found.
        executor: a :class:`impasto.Cluster`, or any other.
        options: how it will be written.
        on_progress: called as scenes end, and when a cluster tells of its work, with how many scenes are painted, of how
            many, and the evaluations of those at work.
        cancel: once it is set no other evaluation begins; scenes that are not painted to their end are as the content.
        checkpoint: a folder in which painted scenes are kept, and from which the same call goes on with the others; deleted
            by :meth:`impasto.Painting.write` when all are painted.

    Raises:
        SettingsError: a setting is wrong, or the movie is not painted frame by frame.
        SignalError: the content is no movie, cannot be read, or no scene, or not every one, could be painted.
        ClusterError: the cluster is lost.
    """
    painter = Painter(settings=settings)
    inputs = painter.take_in(content, style, output=output, options=options)
    if inputs.medium.name != "movie" or inputs.settings.method != "frames":
        raise SettingsError(f"{content} has no scenes to be painted at once: only a movie painted frame by frame has")
    cluster = executor if isinstance(executor, Cluster) else None
    device = find_device(inputs.settings.device)
    threads = cluster.threads if cluster else torch.get_num_threads()
    machine = machine_of(device) | {"threads": threads}
    kept = None if checkpoint is None else KeptScenes(Path(checkpoint))
    identity = identity_of(inputs) if kept else {}
    painted, memory = kept.take_up(identity, machine) if kept else ({}, None)
    if memory is None:
        free = default_memory(device)
        memory = painter.settings.memory or (cluster.memory(free) if cluster else free)
    cuts = cuts_of(inputs.content, inputs.settings.cuts)
    known = replace(painter.settings, cuts=cuts or "none", memory=memory)
    given: Any = shares(style)
    styles = [(Path(source).absolute(), share) for source, share in given]
    files = (Path(content).absolute(), styles, Path(output).absolute())
    scenes = [Scene(*files, known, frames, threads) for frames in scenes_of(cuts, inputs.content.shape[0])]
    if painted:
        log.warning("going on from %s: %d of %d scenes are painted", checkpoint, len(painted), len(scenes))

    def keep(frames: Frames, scene: Painted) -> None:
        painted[frames] = scene
        if kept is None:
            return
        try:
            kept.keep(frames, scene, {**identity, "memory": memory, "machine": machine})
        except SignalError as error:
            log.warning("%s; it is painted, but would be lost with this process", error)

    left = [scene for scene in scenes if scene.frames not in painted]
    _paint(left, len(scenes), keep, executor, on_progress, cancel or Event())
    return replace(_joined(inputs, scenes, painted), checkpoint=kept)


def paint_scene(scene: Scene, tell: Callable[[Any], object] | None = None, cancel: Event | None = None) -> Painted | None:
    """In a worker: one scene; None if it was cancelled."""
    compute_with(scene.threads, told=tell is not None)
    painter = Painter(settings=scene.settings)
    inputs = painter.take_in(scene.content, scene.styles, medium=find_medium(scene.content, scene.output))
    content = inputs.content
    part = Signal(content.values, content.kind, {**content.header, SCENE: scene.frames})
    painting = painter.descend(inputs._replace(content=part), on_progress=teller(scene.name, tell), cancel=cancel)
    if not painting.finished:
        return None
    first, end = scene.frames
    return Painted(np.ascontiguousarray(painting.signal.values[:, first:end]), painting.history, painting.best)


def _paint(
    scenes: Sequence[Scene],
    total: int,
    keep: Callable[[Frames, Painted], None],
    executor: Executor,
    on_progress: Callable[[int, int, AtWork], object] | None,
    cancel: Event,
) -> None:
    """Paint scenes, of ``total`` there are; each that is not cancelled is kept as soon as it is there.

    Raises:
        SignalError: one of them could not be painted; it is the first one, and is told at the end.
    """
    done = total - len(scenes)
    failed: SignalError | None = None

    def tell(_: object, at_work: AtWork) -> None:
        if on_progress is not None:
            on_progress(done, total, at_work)

    def submit(scene: Scene) -> Future[Any]:
        return executor.submit(paint_scene, scene)

    tell(None, {})
    for scene, future, at_work in as_they_end(iter(scenes), submit, executor, cancel, tell):
        try:
            outcome = _outcome(scene, future)
            if outcome is not None:
                keep(scene.frames, outcome)
        except SignalError as error:  # the others are painted all the same
            failed = failed or error
        done += 1
        tell(None, at_work)
    if failed:
        raise failed


def _outcome(scene: Scene, future: Future[Any]) -> Painted | None:
    try:
        return future.result()
    except CancelledError:
        return None
    except TaskKilled as error:
        raise SignalError(f"{scene.content}, {scene.name}: {error}") from None
    except BrokenExecutor as error:
        raise SignalError(f"a worker died, and with it its executor ({first_line(error)})") from None


def _joined(inputs: Inputs, scenes: Sequence[Scene], painted: Mapping[Frames, Painted]) -> Painting:
    """The whole, with the evaluations counted as if they had been made one after the other."""
    there = [painted[scene.frames] for scene in scenes if scene.frames in painted]
    if not there:
        raise SignalError("interrupted before a scene was painted; nothing was written")
    content = resample_movie(inputs.content, (there[0].values.shape[2], there[0].values.shape[3]))
    values = content.values.copy()
    history: list[Evaluation] = []
    best, seconds = there[0].best, 0.0
    for scene in scenes:
        one = painted.get(scene.frames)
        if one is None:
            continue
        first, end = scene.frames
        values[:, first:end] = one.values
        best = _counted(one.best, len(history), seconds)
        counted = [_counted(evaluation, len(history), seconds) for evaluation in one.history]
        history += counted
        seconds = counted[-1].seconds
    signals, finished = tuple(signal for signal, _ in inputs.styles), len(there) == len(scenes)
    whole = content.with_values(values)
    return Painting(whole, inputs.content, signals, inputs.given, best, tuple(history), inputs.about, None, finished)


def _counted(evaluation: Evaluation, done: int, seconds: float) -> Evaluation:
    return replace(evaluation, evaluation=done + evaluation.evaluation, seconds=seconds + evaluation.seconds)
