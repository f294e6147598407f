"""A run of the history is painted: the library does it, and what people see of it is published on the way."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from impasto.errors import ImpastoError, SignalError
from impasto.signals.image import over_white, read_image, resample_image, scaled_shape, to_pillow
from impasto.signals.signal import Signal
from impasto.studio.estimate import Speed
from impasto.studio.history import History, Run
from impasto.studio.jobs import Job
from impasto.transfer.descent import Progress
from impasto.transfer.settings import TransferSettings
from impasto.transfer.style_transfer import Painting, TransferInterrupted, transfer_style

_SECONDS_BETWEEN = 0.4  # two pictures
_SHOWN = 1600  # pixels on the longer side of what the page shows
_THUMBNAIL = 320

Costs = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class View:
    """What is to be seen of a painting.

    Attributes:
        picture: as JPEG.
        costs: J, content cost and style cost of each evaluation so far.
        iterations: how many there will be.
        seconds_left: until then.
    """

    picture: bytes
    costs: Costs
    iterations: int
    seconds_left: float


def paint(run: Run, history: History, speed: Speed) -> Callable[[Job], None]:
    """The work of painting a run: from its content, or on from its result if it has one.

    Its record is kept up to date; what fails or is stopped keeps what there is.
    """

    def work(job: Job) -> None:
        before = run.costs
        state = replace(run, state="painting")
        history.save(state)
        costs: list[tuple[float, float, float]] = [*before]
        began = last = time.monotonic()

        def watch(progress: Progress) -> None:
            nonlocal last
            latest, now = progress.latest, time.monotonic()
            costs.append((latest.cost, latest.content_cost, latest.style_cost))
            if latest.evaluation == 1 or now - last > _SECONDS_BETWEEN:
                last = now
                left = progress.iterations - latest.evaluation
                picture = Signal(progress.best_generated[0].cpu().numpy())
                job.show(
                    View(
                        as_jpeg(picture),
                        tuple(costs),
                        len(before) + progress.iterations,
                        left * (now - began) / latest.evaluation,
                    )
                )
            job.check()

        ended = "done"
        try:
            painting = transfer_style(*_sources(run, history), _settings(run, history), on_progress=watch)
        except TransferInterrupted as interrupted:
            painting, ended = interrupted.painting, "stopped"
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            _note(replace(state, state="stopped" if stopped else "failed", error=_sentence(error)), history)
            raise
        speed.of(painting.history, painting.signal.shape)
        _keep(replace(state, state=ended, costs=tuple(costs), seconds=run.seconds + painting.history[-1].seconds),
              painting, history)  # fmt: skip
        job.show(View(as_jpeg(painting.signal), tuple(costs), len(costs), 0.0))
        if ended == "stopped":
            raise KeyboardInterrupt

    return work


def _sources(run: Run, history: History) -> tuple[Path, Path]:
    return history.path(run, run.content), history.path(run, run.style)


def _settings(run: Run, history: History) -> TransferSettings:
    settings = TransferSettings(**run.settings)
    return replace(settings, init=str(history.path(run, run.result))) if run.result else settings


def _keep(run: Run, painting: Painting, history: History) -> None:
    """Write result, thumbnail and record; inside the result are the settings with which the run began."""
    began = TransferSettings(**run.settings).for_kind(painting.signal.kind)
    painting = replace(
        painting,
        settings=replace(began, iterations=len(run.costs)),
        about={**painting.about, "content": run.names[0], "style": run.names[1]},
    )
    painting.write(history.path(run, "result.png"))
    history.path(run, "thumbnail.jpg").write_bytes(as_jpeg(painting.signal, _THUMBNAIL))
    history.save(replace(run, result="result.png"))


def _note(run: Run, history: History) -> None:
    with suppress(SignalError):  # the error on its way matters more than that it cannot be noted
        history.save(run)


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, ImpastoError) else ""


def as_jpeg(picture: Signal, longest: int = _SHOWN) -> bytes:
    """The picture as a page shows it, with at most so many pixels on its longer side."""
    picture = over_white(picture)
    if max(picture.shape) > longest:
        picture = resample_image(picture, scaled_shape(picture.shape, longest))
    buffer = io.BytesIO()
    to_pillow(picture).save(buffer, "JPEG", quality=90, subsampling=0)
    return buffer.getvalue()


def shown(path: Path, longest: int = _SHOWN) -> bytes:
    """The picture of a file as a page shows it.

    Raises:
        SignalError: it cannot be read.
    """
    return as_jpeg(read_image(path), longest)
