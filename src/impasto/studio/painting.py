"""A run of the history is painted: the library does it, and what people see of it is published on the way."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from impasto.descent.descend import Evaluation, Progress, pace
from impasto.errors import ImpastoError, SignalError
from impasto.media.medium import Medium
from impasto.media.read_write import read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.media.styles import names_of, shares
from impasto.studio.components.preview import preview_signal
from impasto.studio.estimate import Speed
from impasto.studio.history import CHECKPOINT, THUMBNAIL, History, Run
from impasto.studio.jobs import Job, JobStoppedError
from impasto.studio.kept_weights import KeptWeights
from impasto.studio.masks import file_names, mask_settings
from impasto.studio.uploads import Upload
from impasto.transfer.checkpoint import read_history
from impasto.transfer.painter import transfer_style
from impasto.transfer.painting import Painting
from impasto.transfer.resolve import resolve
from impasto.transfer.scales import plan_scales
from impasto.transfer.settings import TransferSettings

_SECONDS_BETWEEN = 0.4  # two updates of the picture
_TIMES_LONGER = 4  # than an update takes, which is long where it is of a large volume
THUMBNAIL_SIZE = 320  # pixels of the small picture of a run


@dataclass(frozen=True)
class View:
    """What is to be seen of a painting.

    Attributes:
        picture: as JPEG.
        costs: of each evaluation so far, as :attr:`impasto.studio.history.Run.costs` has them.
        iterations: how many there will be.
        seconds_left: until then; None while that cannot be told.
        size: at which it is painted now, in words, if it is painted at several.
        figure: what a picture does not show of it, as :func:`impasto.studio.figures.figure_of` makes it.
    """

    picture: bytes
    costs: tuple[dict[str, float], ...]
    iterations: int
    seconds_left: float | None = None
    size: str = ""
    figure: dict[str, Any] = field(default_factory=dict[str, Any])


def paint(run: Run, history: History, speed: Speed, weights: KeptWeights) -> Callable[[Job], None]:
    """The work of painting a run: from its content, or on from where it was cut off or had ended.

    Its record is kept up to date; what fails or is stopped keeps what there is.
    """

    def work(job: Job) -> None:
        state = replace(run, state="painting")
        checkpoint = history.path(run, CHECKPOINT)
        evaluations = read_history(checkpoint) if checkpoint.exists() else []
        sizes = {row.get("scale"): row.get("size") for row in history.seen(run)[run.before :]}
        costs = [*run.costs[: run.before], *(_costs(one, sizes.get(one.scale)) for one in evaluations)]
        history.save(state)
        next_look = 0.0
        done = 0
        content: Signal | None = None

        def see(signal: Signal) -> tuple[bytes, dict[str, Any]]:
            assert content is not None
            picture, figure = preview_signal(signal), dict[str, Any]()
            with suppress(OSError):  # a full disk is told at the end, if it is still full then
                # before it is shown: no kill loses what was on the screen
                figure = history.draw(run, content, signal)
                history.see(run, picture, costs)
            return picture, figure

        def watch(progress: Progress) -> None:
            nonlocal next_look, done
            assert progress.painted is not None
            now = time.monotonic()
            evaluations.append(progress.latest)
            costs.append(_costs(progress.latest, max(progress.best_generated.shape[2:])))
            done += 1
            if done == 1 or now > next_look:
                signal, seconds = progress.painted(), pace(evaluations)
                picture, figure = see(signal)
                left = None if seconds is None else seconds * progress.left
                size = " × ".join(map(str, reversed(signal.shape))) if progress.scales > 1 else ""
                job.show(View(picture, tuple(costs), run.before + progress.iterations, left, size, figure))
                took = time.monotonic() - now if done > 1 else 0.0  # the first time, something is still to be imported
                next_look = now + max(_SECONDS_BETWEEN, _TIMES_LONGER * took)
            job.look()

        ended = "done"
        try:
            content = read_signal(history.path(run, run.content), run.settings["rate"])
            styles = [(history.path(run, name), weight) for name, weight in zip(run.styles, run.weights, strict=True)]
            settings = _settings(run, history, content)
            with weights.used():
                painting = transfer_style(
                    content, styles, settings, on_progress=watch, cancel=job.cancel, checkpoint=checkpoint,
                    output=history.path(run, _result_of(medium_of(content.kind))),
                )  # fmt: skip
            if not painting.finished:
                ended = "interrupted" if job.closing else "stopped"
            seconds = sum(e.seconds for e in painting.history[-1:])
            _keep(replace(state, state=ended, costs=tuple(costs), seconds=seconds), painting, history)
        except BaseException as error:
            _note(replace(state, state="failed", error=_sentence(error), costs=tuple(costs)), history)
            raise
        if done:
            given = replace(TransferSettings(**run.settings), **_masks(run, history))
            speed.learn(painting.history[-done:], painting.signal.shape, painting.signal.kind, given, len(styles))
        picture, figure = see(painting.signal)
        job.show(View(picture, tuple(costs), len(costs), figure=figure))
        if not painting.finished:
            raise JobStoppedError

    return work


def begin_again(run: Run, history: History) -> Run:
    """The run as it goes on: from where it was cut off or, where it had been done, from its result for as long again as that
    took at its size.

    Raises:
        SignalError: its files cannot be read or written.
    """
    if run.result and not history.path(run, CHECKPOINT).exists():
        try:
            start = run.result.replace("result", "start")
            shutil.copyfile(history.path(run, run.result), history.path(run, start))
        except OSError as error:
            raise SignalError(f"the painting cannot go on: {error.strerror or error}") from None
        run = replace(run, start=start, before=len(run.costs))
    run = replace(run, state="waiting", error="")
    history.save(run)
    return run


def _result_of(medium: Medium) -> str:
    return f"result{medium.kept or medium.safest}"


def _costs(evaluation: Evaluation, size: float | None) -> dict[str, float]:
    row = {"J": evaluation.cost, **evaluation.costs, "scale": evaluation.scale}
    return row if size is None else {**row, "size": size}


def _settings(run: Run, history: History, content: Signal) -> TransferSettings:
    settings = replace(TransferSettings(**run.settings), **_masks(run, history))
    if not run.start:
        return settings
    medium = medium_of(content.kind)
    _, known = resolve(settings, medium, max(content.shape))
    *earlier, last = plan_scales(medium, known, content)
    if earlier:  # the result has its full size, and goes on at that alone
        settings = replace(settings, scales=1, iterations=last.iterations)
    return replace(settings, init=str(history.path(run, run.start)))


def _masks(run: Run, history: History) -> dict[str, Any]:
    """The settings that name the masks of a run."""
    masks = {name: Upload(history.path(run, file), file, Path(file).suffix, ()) for name, file in run.masks.items()}
    return mask_settings(masks, len(run.styles), history.path(run, ""))


def _keep(run: Run, painting: Painting, history: History) -> None:
    """Write result, thumbnail and record; inside the result are the settings with which the run began."""
    given = replace(TransferSettings(**run.settings), **file_names(_masks(run, history)))
    began, known = resolve(given, painting.medium, max(painting.content.shape))
    styles = names_of(shares(list(zip(run.names[1:], run.weights, strict=True))))
    about = {**painting.about, "content": run.names[0], "style": styles}
    iterations = began.iterations
    if len(plan_scales(painting.medium, known, painting.content)) == 1:
        iterations = max(run.before + (painting.settings.iterations or 0), len(run.costs))
    named = replace(painting, settings=replace(began, iterations=iterations), about=about)
    result = _result_of(painting.medium)
    named.write(history.path(run, result))
    history.path(run, THUMBNAIL).write_bytes(preview_signal(painting.signal, THUMBNAIL_SIZE))
    history.save(replace(run, result=result, size=painting.signal.shape))


def _note(run: Run, history: History) -> None:
    """What failed is kept if there is something of it to see; else it is as if it had never been asked for."""
    with suppress(SignalError):  # the failure itself is told anyway, and matters more
        if history.was_begun(run):
            history.save(run)
        else:
            history.forget(run.id)


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, ImpastoError) else ""
