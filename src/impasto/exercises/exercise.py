"""What an exercise is: the right function, what it is tried with, and the known mistakes, each with what is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

Function = Callable[..., Any]


class Mistake(NamedTuple):
    """A wrong formula and what is said to the student who has it."""

    formula: Function
    message: str


def no_objection(arguments: tuple[Any, ...], result: Any) -> str:
    """Nothing to say of a call beside its value."""
    return ""


class Exercise(NamedTuple):
    """A function that a student writes.

    Attributes:
        right: the function as it should be, which has the name of the exercise.
        cases: makes what it is tried with, a tuple of arguments for each call, the same every time.
        mistakes: wrong formulas, each of which differs from the right one, and from the others, in some case.
        object_to: takes the arguments and the result of a call, and says what is wrong beside the value; "" if nothing is.
        gradient: whether what it returns must have a gradient with respect to its tensors.
        with_numpy: whether it may be written with NumPy.
    """

    right: Function
    cases: Callable[[], list[tuple[Any, ...]]]
    mistakes: tuple[Mistake, ...]
    object_to: Callable[[tuple[Any, ...], Any], str] = no_objection
    gradient: bool = True
    with_numpy: bool = True

    @property
    def name(self) -> str:
        """Of the function."""
        return self.right.__name__


def activations(seed: int, *shape: int) -> Tensor:
    """Activations of a ReLU, (n_C, *space): none is negative, and they have a mean."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).add_(0.3).relu_()
