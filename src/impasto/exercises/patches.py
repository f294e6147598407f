"""Which photographs excite a unit most."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from impasto.exercises.exercise import Exercise, Mistake, activations


def most_exciting(a: Tensor, count: int = 9) -> Tensor:
    """The numbers of the ``count`` photographs with the highest activation, the best first.

    ``a`` has the activations of one unit, (photographs, n_H, n_W).
    """
    return a.flatten(1).amax(1).argsort(descending=True)[:count]


def _cases() -> list[tuple[Any, ...]]:
    return [
        (activations(i, *shape).add_(0.1 * activations(i + 5, *shape)), *count) for i, (shape, *count) in enumerate(_SHAPES)
    ]


_SHAPES = (((20, 4, 5),), ((13, 3, 7), 4), ((15, 5, 2), 6))


def _first(scores: Tensor, count: int) -> Tensor:
    return scores.argsort(descending=True)[:count]


MOST_EXCITING = Exercise(
    most_exciting,
    _cases,
    (
        Mistake(
            lambda a, count=9: a.flatten(1).amax(1).argsort()[:count],
            "the smallest come first: argsort sorts upwards; these excite the unit least",
        ),
        Mistake(
            lambda a, count=9: a.flatten(1).amax(1).argsort()[-count:],
            "the right photographs, the worst of them first: the best was expected to come first",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).mean(1), count),
            "the mean over positions is taken: a unit that is wild about one place of a photograph is found by its maximum",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).amin(1), count),
            "the minimum over positions is taken: the maximum was expected",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).norm(dim=1), count),
            "the length (the norm) over positions is taken: the maximum was expected",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).median(1).values, count),
            "the median over positions is taken: the maximum was expected",
        ),
        Mistake(
            lambda a, count=9: _first(a[:, a.shape[1] // 2, a.shape[2] // 2], count),
            "only the middle of each photograph is looked at: a unit answers wherever it finds what it likes",
        ),
        Mistake(lambda a, count=9: _first(a[:, 0, 0], count), "only the first position of each photograph is looked at"),
        Mistake(
            lambda a, count=9: _first(a.flatten(), count),
            "positions are numbered, and not photographs: all activations were sorted as one row. First the maximum of each "
            "photograph, then sort",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(), count) // a[0].numel(),
            "the best positions of all: a photograph that has several of them comes several times. First the "
            "maximum of each "
            "photograph, then sort",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).amax(1), count).sort().values,
            "the right photographs, sorted by their numbers: by their activation was expected, the best first",
        ),
        Mistake(
            lambda a, count=9: a.flatten(1).amax(1).sort(descending=True).values[:count],
            "the activations are returned: the numbers of the photographs were expected (argsort and not sort)",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).amax(1), len(a)),
            "all photographs are returned: only the first ``count`` were expected",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).amax(1), 9),
            "it is always nine: ``count`` is an argument, and 9 its default",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).amax(1), count + 1)[1:],
            "the best one is missing: counting begins with 0",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).amax(1), count) + 1,
            "each number is one too large: the first photograph has number 0",
        ),
        Mistake(lambda a, count=9: torch.arange(count), "the first ``count`` photographs as they came: they are not sorted"),
        Mistake(
            lambda a, count=9: a.flatten(1).amax(1).argmax(),
            "only the best one: the ``count`` best were expected, the best first",
        ),
        Mistake(
            lambda a, count=9: _first(a.flatten(1).argmax(1), count),
            "argmax gives where a maximum is, and not how high it is: max (or amax) was expected",
        ),
    ),
    gradient=False,
)
