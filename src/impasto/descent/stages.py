"""Stages: a descent is several, one after the other, with one count, one time, one state and one way to stop.

A picture is painted at several scales, each of which is a stage. A stage has parts: all of a picture; the frames of a movie,
each with a J of its own; rounds in which other slices of a volume are seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from impasto.descent.descend import Evaluation, Progress, State, descend, moved
from impasto.descent.optimizers import Optimizer
from impasto.objective.evaluation import Costs


class Parts(Protocol):
    """What of a signal is descended one after the other."""

    def lengths(self, iterations: int) -> list[int]:
        """The evaluations of each part, where the first one, or all together, have so many."""
        ...

    def begin(self, i: int, painted: Tensor, carried: State) -> tuple[Callable[[Tensor], Costs], Tensor]:
        """J of part i and where it starts, of all that is ``painted`` so far, (1, channels, *space).

        What parts hand on is written into ``carried``, a tree of tensors and numbers, empty before the first. The parts
        before i may not have been begun by this object.
        """
        ...

    def place(self, i: int, painted: Tensor, generated: Tensor) -> Tensor:
        """All that is painted, with part i as it is now."""
        ...


class Whole:
    """One part: all of the signal."""

    def __init__(self, objective: Callable[[Tensor], Costs]) -> None:
        self._objective = objective

    def lengths(self, iterations: int) -> list[int]:
        """All of them."""
        return [iterations]

    def begin(self, i: int, painted: Tensor, carried: State) -> tuple[Callable[[Tensor], Costs], Tensor]:
        """J of the whole."""
        return self._objective, painted

    def place(self, i: int, painted: Tensor, generated: Tensor) -> Tensor:
        """The part is all."""
        return generated


class Begun(NamedTuple):
    """A stage that has begun.

    Attributes:
        parts: what is descended.
        start: the first G, (1, channels, *space).
        optimizer: where it goes.
        bounds: of the values, or None.
        natural: see :func:`impasto.descent.descend.descend`.
        still: see there.
    """

    parts: Parts
    start: Tensor
    optimizer: Optimizer
    bounds: tuple[float, float] | None = None
    natural: bool = True
    still: float | None = None


@dataclass(frozen=True)
class Stage:
    """One descent of several.

    Attributes:
        iterations: how often J is evaluated in it, at most.
        effort: how long an evaluation takes, in any unit that all stages share.
        begin: takes what the stage before gave, which is None for the first one, and whether it goes on from a state, which
            has its own start.
    """

    iterations: int
    effort: float
    begin: Callable[[Tensor | None, bool], Begun]


def descend_stages(
    stages: Sequence[Stage], *, step: float | None = None, state: State | None = None, cancel: Event | None = None
) -> Iterator[Progress]:
    """Descend one stage after the other, and in each one part after the other.

    Each item has the whole signal as it is; its costs are those of the part at work, counted over all.

    Args:
        stages: what is to be done.
        step: the size of the first step of each part; one that suits the optimizer if None.
        state: where it goes on, as the progress of the same stages gave it: the first item is that one once more.
        cancel: once it is set, no other evaluation begins.

    Raises:
        ImpastoError: a stage cannot begin.
    """
    at = state or {"stage": 0, "part": 0, "done": 0, "seconds": 0.0, "painted": None, "carried": {}, "inner": None}
    part, done, seconds, inner = (at[name] for name in ("part", "done", "seconds", "inner"))
    before: Tensor | None = None
    for k in range(at["stage"], len(stages)):
        parts, painted, optimizer, bounds, natural, still = stages[k].begin(before, inner is not None)
        before = None
        lengths = parts.lengths(stages[k].iterations)
        carried: State = {}
        if inner is not None:
            painted, carried = moved((at["painted"], at["carried"]), painted.device)
        elif len(lengths) > 1:
            painted = painted.clone()  # parts are placed in it
        left = sum(stage.iterations for stage in stages[k + 1 :])
        heavier = sum(stage.iterations * stage.effort / stages[k].effort for stage in stages[k + 1 :]) - left
        for i in range(part, len(lengths)):
            known = dict(carried)
            objective, start = parts.begin(i, painted, carried)
            descent = descend(
                objective,
                start,
                optimizer,
                iterations=lengths[i],
                step=step,
                bounds=bounds,
                natural=natural,
                still=still,
                state=inner,
            )
            del objective, start  # the descent has its own
            progress: Progress | None = None
            for progress in descent:
                painted = parts.place(i, painted, progress.best_generated)
                yield replace(
                    progress,
                    latest=_counted(progress.latest, done, seconds, k),
                    best=_counted(progress.best, done, seconds, k),
                    iterations=done + progress.iterations + sum(lengths[i + 1 :]) + left,
                    generated=progress.generated if progress.generated.shape == painted.shape else painted,
                    best_generated=painted,
                    state=partial(
                        _state, progress, stage=k, part=i, done=done, seconds=seconds, painted=painted, carried=known
                    ),
                    scales=len(stages),
                    heavier=heavier,
                )
                if cancel is not None and cancel.is_set():
                    return
            assert progress is not None
            done, seconds = done + progress.latest.evaluation, seconds + progress.latest.seconds
            inner = None
            del descent, progress
        before, part = painted, 0
        del parts, painted, optimizer  # the next stage needs the memory


def _counted(evaluation: Evaluation, done: int, seconds: float, stage: int) -> Evaluation:
    """An evaluation in the counts of the whole, of which so much was done before its part."""
    return replace(
        evaluation, evaluation=done + evaluation.evaluation, seconds=seconds + evaluation.seconds, scale=stage + 1
    )


def _state(inner: Progress, **outer: Any) -> State:
    return {**outer, "inner": inner.state()}
