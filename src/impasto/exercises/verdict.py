"""The check: what a student's function gives is compared with the right one, and with every mistake that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import SettingsError, nearest
from impasto.exercises.costs import CONTENT_COST, LAYER_STYLE_COST, TOTAL_COST
from impasto.exercises.descent import GRADIENT_STEP
from impasto.exercises.exercise import Exercise, Function
from impasto.exercises.matrices import STYLE_MATRIX, STYLE_MATRIX_OF_ANY
from impasto.exercises.patches import MOST_EXCITING

_ALL = (MOST_EXCITING, GRADIENT_STEP, TOTAL_COST, CONTENT_COST, STYLE_MATRIX, LAYER_STYLE_COST, STYLE_MATRIX_OF_ANY)
EXERCISES: dict[str, Exercise] = {exercise.name: exercise for exercise in _ALL}
"""By the names of the functions that are to be written."""

# of the largest value; what float32 and another order of sums may change
_ROUNDING = 1e-4

Values = NDArray[np.float64]


class Verdict(NamedTuple):
    """What is said of a function.

    Attributes:
        right: whether what it gives is right.
        message: what is wrong; of a right one what else there is to say.
        usable: whether the notebook can go on with it.
    """

    right: bool
    message: str = ""
    usable: bool = False


def check(function: Function) -> Function:
    """Say whether a function that a student has written is right, and if not, what is wrong: a decorator.

    Args:
        function: its name is that of an exercise, one of ``EXERCISES``.

    Returns:
        The function if it is right; impasto's own until it is, so that a notebook can be run to its end.

    Raises:
        SettingsError: there is no exercise of that name.
    """
    exercise, name = _exercise_of(function), function.__name__
    verdict = judge(function)
    also = f" {_sentence(verdict.message)}" if verdict.message else ""
    if verdict.right:
        print(f"✓ {name} is right.{also}")
    elif verdict.message == _NOT_YET:
        print(f"○ {name} is not written yet: this notebook goes on with impasto's own.")
    else:
        print(f"✗ {name}: {verdict.message}.\n  Until it is right, this notebook goes on with impasto's own.")
    return function if verdict.usable else exercise.right


def judge(function: Function) -> Verdict:
    """What there is to say of a student's function, without printing it.

    It is called with tensors of torch, and if it does not take them, with arrays of NumPy.

    Raises:
        SettingsError: there is no exercise of its name.
    """
    exercise = _exercise_of(function)
    first = _judge(function, exercise, lambda x: x)
    if first.right or not exercise.with_numpy:
        return first
    with_numpy = _judge(function, exercise, lambda x: x.numpy() if isinstance(x, Tensor) else x)
    if with_numpy.right:
        also = "It is written with NumPy, which has no gradient: from here on impasto's own is used"
        return Verdict(True, also) if exercise.gradient else Verdict(True, usable=True)
    raised = first.message.startswith(_RAISED)
    return with_numpy if raised and not with_numpy.message.startswith(_RAISED) else first


_RAISED = "it ends with an error"
_NOT_YET = "it returns nothing yet: write it, and end with return"


def _judge(function: Function, exercise: Exercise, form: Callable[[Any], Any]) -> Verdict:
    found: list[Values] = []
    cases = exercise.cases()
    for case in cases:
        given = tuple(form(x) for x in case)
        kept = [x.clone() if isinstance(x, Tensor) else x for x in case]
        try:
            result = function(*given)
        except Exception as error:  # whatever a student wrote
            reason = str(error).strip().splitlines()
            return Verdict(False, f"{_RAISED}, {type(error).__name__}: {reason[0] if reason else 'it says no more'}")
        if result is None or result is ...:
            return Verdict(False, _NOT_YET)
        if objection := exercise.object_to(case, result):
            return Verdict(False, objection)
        value = _values(result)
        if value is None:
            return Verdict(False, f"it returns a {type(result).__name__}; a number or a tensor was expected")
        if exercise.gradient and any(isinstance(x, Tensor) and not x.equal(y) for x, y in zip(case, kept, strict=True)):
            return Verdict(
                False, "it changes what it is given in place, with which others go on to work: x - y, and not x -= y"
            )
        found.append(value)
    expected = _values_of(exercise.right, exercise)
    if _alike(found, expected):
        return _with_gradient(function, exercise, cases)
    for mistake in exercise.mistakes:
        if _alike(found, _values_of(mistake.formula, exercise)):
            return Verdict(False, mistake.message)
    return Verdict(False, _described(found, expected))


def _with_gradient(function: Function, exercise: Exercise, cases: Sequence[tuple[Any, ...]]) -> Verdict:
    """Of a function whose values are right: whether it can be descended."""
    if exercise.gradient and isinstance(cases[0][0], Tensor):
        given = [x.clone().requires_grad_(True) if isinstance(x, Tensor) else x for x in cases[0]]
        try:
            result = function(*given)
        except Exception:  # .numpy() of a tensor with a gradient
            result = None
        if not (isinstance(result, Tensor) and result.requires_grad):
            also = (
                "It has no gradient, as it leaves torch (item, float, detach or numpy): from here on impasto's own is used"
            )
            return Verdict(True, also)
    return Verdict(True, usable=True)


def _values_of(function: Function, exercise: Exercise) -> list[Values]:
    found = [_values(function(*case)) for case in exercise.cases()]
    return [value for value in found if value is not None]


def _values(result: Any) -> Values | None:
    """What was returned as an array; None if it is none."""
    if isinstance(result, Tensor):
        result = result.detach().cpu()
        return result.double().numpy()
    try:
        return np.asarray(result, np.float64)
    except (TypeError, ValueError):
        return None


def _alike(found: Sequence[Values], expected: Sequence[Values]) -> bool:
    return len(found) == len(expected) and all(_equal(*pair) for pair in zip(found, expected, strict=True))


def _equal(found: Values, expected: Values) -> bool:
    if found.shape != expected.shape and not found.size == expected.size == 1:
        return False
    scale = np.abs(expected).max(initial=0.0)
    return bool(np.abs(found.reshape(expected.shape) - expected).max(initial=0.0) <= _ROUNDING * scale + 1e-12)


def _described(found: Sequence[Values], expected: Sequence[Values]) -> str:
    """What can be said of a result that is wrong in a way of its own."""
    for ours, theirs in zip(found, expected, strict=True):
        if ours.shape != theirs.shape and not ours.size == theirs.size == 1:
            return f"it returns the shape {_shape(ours)}; {_shape(theirs)} was expected"
        if not np.isfinite(ours).all():
            return "it returns what is not finite (nan or inf): something is divided by 0"
    ratios = np.concatenate(
        [(a.reshape(b.shape) / np.where(b == 0, np.nan, b)).ravel() for a, b in zip(found, expected, strict=True)]
    )
    ratios = ratios[np.isfinite(ratios)]
    if ratios.size and np.ptp(ratios) <= 1e-3 * abs(ratios[0]):
        return f"it is always {ratios[0]:.4g} times what was expected: a factor is missing, or one too many"
    example, right = found[0].ravel()[0], expected[0].ravel()[0]
    told = f"the first value of the first try is {example:.6g}; {right:.6g} was expected"
    return f"{told}. The mistake is none of those known here"


def _shape(value: Values) -> str:
    return "of a number" if value.ndim == 0 else str(value.shape)


def _exercise_of(function: Function) -> Exercise:
    name = getattr(function, "__name__", str(function))
    if name not in EXERCISES:
        raise SettingsError(f"there is no exercise {name!r}: did you mean {nearest(name, [*EXERCISES])!r}?")
    return EXERCISES[name]


def _sentence(text: str) -> str:
    return text if text.endswith(".") else text + "."
