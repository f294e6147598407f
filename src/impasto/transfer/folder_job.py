"""One painting of many: from its files to a file beside its place."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from impasto.descent.descend import Progress
from impasto.errors import ImpastoError, SettingsError, SignalError, WeightsError
from impasto.files import first_line, opened_whole
from impasto.transfer.checkpoint import Checkpoint
from impasto.transfer.folder_plan import Task
from impasto.transfer.painter import Painter
from impasto.transfer.painting import Painting

log = logging.getLogger("impasto")

# a painting that takes longer is kept on its way, and goes on from there
FIRST_SECONDS = 60.0
# bytes of a name to which something can be added
_SHORT = 200


@dataclass(frozen=True)
class Job:
    """A painting, with all that it depends on.

    Attributes:
        task: what is painted, and where to.
        made_of: the digest of all that it is made of.
        memory: bytes that the process may take, if the settings do not say.
        checkpoint_every: seconds, see :func:`impasto.transfer_folder`.
        options: how a picture is written.
    """

    task: Task
    made_of: str
    memory: int
    checkpoint_every: float | None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        """What it is called where it is told of."""
        return self.task.name


def paint_job(
    job: Job, painter: Painter, on_progress: Callable[[Progress], object] | None = None, cancel: Event | None = None
) -> Mapping[str, Any] | str | None:
    """Paint, write the result beside its place and read it again.

    Returns:
        The row of the manifest; or why it cannot be painted; None if it was cancelled.

    Raises:
        WeightsError: the weights of the network are missing or damaged.
        SignalError: the result cannot be written.
    """
    output, checkpoint = job.task.output, checkpoint_of(job.task.output, job.checkpoint_every)
    how = {"on_progress": on_progress, "cancel": cancel, "memory": job.memory}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        given = {"output": output, "options": job.options, "memory": job.memory}
        inputs = painter.take_in(job.task.content, job.task.styles, **given)
        if job.checkpoint_every is None:
            painting = painter.descend(inputs, **how)
        else:
            painting = _gone_on(lambda: painter.descend(inputs, checkpoint=checkpoint, **how), checkpoint)
        if not painting.finished:
            return None
        data = painting.encode(output, **job.options)
    except WeightsError:
        raise
    except Exception as error:  # whatever is wrong with a file, the others are painted
        return first_line(error) if isinstance(error, ImpastoError) else f"{type(error).__name__}: {first_line(error)}"
    beside = beside_of(output)
    try:
        with opened_whole(beside, beside.with_name(f"{beside.name}.part")) as file:
            file.write(data)
    except SignalError as error:
        raise SignalError(f"{output} {str(error).removeprefix(f'{beside} ')}") from None
    painting.check_written(beside)
    return _row(job, painting, data)


def beside_of(output: Path) -> Path:
    """Where a result is written first.

    The name is the same each time, so that a process that is killed leaves one at most, and has the ending, by which some
    files are read.
    """
    return output.with_name(f".impasto-{_short(output.name)}")


def checkpoint_of(output: Path, every: float | None) -> Checkpoint:
    """Where and how often a painting is kept on its way."""
    return Checkpoint(output.with_name(f"{_short(output.name)}.checkpoint"), every or 0.0, FIRST_SECONDS)


def _short(name: str) -> str:
    data = os.fsencode(name)
    return name if len(data) <= _SHORT else f"{hashlib.sha256(data).hexdigest()[:16]}-{name[-12:]}"


def _gone_on(descend: Callable[[], Painting], checkpoint: Checkpoint) -> Painting:
    """The painting, which goes on from its checkpoint, unless that is of another one."""
    try:
        return descend()
    except SettingsError:
        if not checkpoint.path.exists():
            raise
    log.warning("%s was kept of a painting with other settings or inputs, which is begun anew", checkpoint.path)
    checkpoint.remove()
    return descend()


def _row(job: Job, painting: Painting, data: bytes) -> dict[str, Any]:
    return {
        "input": str(job.task.content),
        "output": job.task.name,
        "style": painting.about["style"],
        "J": painting.best.cost,
        "seconds": round(painting.history[-1].seconds, 3),
        "evaluations": len(painting.history),
        "settings": painting.settings.as_dict(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "made_of": job.made_of,
    }
