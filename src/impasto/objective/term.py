"""J is a weighted sum of named terms: what a term is, what it is bound to, and how terms add up.

>>> J = impasto.content("relu4_2") + 20 * impasto.style("relu1_1,relu2_1,relu3_1")
>>> J += 5 * impasto.image_term("edges", edges)
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NamedTuple

from torch import Tensor

from impasto.errors import SettingsError
from impasto.networks.tiling.statistics import Blend, Forward, Statistic
from impasto.objective.region_weights import RegionWeights


class Moved(NamedTuple):
    """The painted frame before the frame that is painted now.

    Attributes:
        frame: (1, channels, height, width), moved as the content moved.
        trust: (height, width) in 0..1, how much the new frame must look like it; 0 where something new is seen.
    """

    frame: Tensor
    trust: Tensor


@dataclass(frozen=True)
class Scene:
    """What a term is bound to: a content and its styles as the network sees them, at one scale.

    Attributes:
        network: computes activations.
        content: C, (N, channels, *space).
        styles: S, each (N, channels, *space), of any size, with their shares.
        regions: takes names of layers, and returns the regions that take parts of the styles; None: styles count everywhere.
        painted: what is painted so far, of the content's shape; None if nothing is.
        moved: the frame before, of a movie; None for its first frame, and for other signals.
        measured: what was measured of the styles, by the term that measured it. Scenes with the same network and styles may
            share it.
    """

    network: Forward
    content: Tensor
    styles: Blend
    regions: Callable[[Iterable[str]], Sequence[RegionWeights]] | None = None
    painted: Tensor | None = None
    moved: Moved | None = None
    measured: dict[Any, Any] = field(default_factory=dict[Any, Any])


class Part(NamedTuple):
    """A part of a bound term: ``weight`` times ``cost``.

    Attributes:
        layer: whose activations it looks at; empty for the signal itself.
        weight: lambda^[l].
        cost: takes the means of G that ``statistics`` measure, in their order, or G itself, (1, channels, *space), if there
            are none.
        statistics: what is measured of G.
        divide: takes the activation of G at the layer, (N, n_C, *space), or G itself, and returns how much of ``cost`` hangs
            on each position, (N, *space), which sums to the cost. None if that cannot be said.
    """

    layer: str
    weight: Tensor | float
    cost: Callable[..., Tensor]
    statistics: tuple[Statistic, ...] = ()
    divide: Callable[[Tensor], Tensor] | None = None


class Term(ABC):
    """A named part of J. A subclass needs a ``name``, ``layers`` if it looks at activations, and :meth:`bind`.

    Attributes:
        name: under which its cost is listed.
        of_style: whether it looks at the styles.
        of_painted: whether it looks at what is painted so far.
        signals: the memory of a cost of G itself and its gradient, in signals of G's size, beside G.
    """

    name: str
    of_style: bool = False
    of_painted: bool = False
    signals: float = 0.0

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose activations of G it looks at."""
        return ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The layers whose activations of C it keeps whole."""
        return ()

    @property
    def searched(self) -> tuple[str, ...]:
        """The layers whose activations of C and S are whole while it is bound."""
        return ()

    @abstractmethod
    def bind(self, scene: Scene) -> Sequence[Part]:
        """Its parts for a content and styles; measures what it needs of these."""

    def __add__(self, other: Term | Objective | int) -> Objective:
        return Objective(((1.0, self),)) + other

    __radd__ = __add__

    def __mul__(self, weight: float) -> Objective:
        return Objective(((1.0, self),)) * weight

    __rmul__ = __mul__


@dataclass(frozen=True, repr=False)
class Objective:
    """J: a sum of terms, each with its weight. The costs of terms with the same name are listed as one.

    ``+`` adds terms, and ``*`` multiplies the weights of all terms by a number.

    Raises:
        SettingsError: a weight is not a finite number.
    """

    terms: tuple[tuple[float, Term], ...] = ()

    def __add__(self, other: Term | Objective | int) -> Objective:
        if isinstance(other, int) and other == 0:  # with which Python's sum() begins
            return self
        if isinstance(other, Term):
            other = Objective(((1.0, other),))
        return Objective(self.terms + other.terms) if isinstance(other, Objective) else NotImplemented

    __radd__ = __add__

    def __mul__(self, weight: float) -> Objective:
        if not isinstance(weight, Real):
            return NotImplemented
        if not math.isfinite(weight):
            raise SettingsError(f"the weight of a term is {weight}; a finite number was expected")
        return Objective(tuple((float(weight) * own, term) for own, term in self.terms))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return " + ".join(f"{'' if weight == 1 else f'{weight:g} * '}{term!r}" for weight, term in self.terms) or "0"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose activations of G are looked at, each once."""
        return _once(layer for _, term in self.terms for layer in term.layers)

    @property
    def targets(self) -> tuple[str, ...]:
        """The layers whose activations of C are kept whole."""
        return _once(layer for _, term in self.terms for layer in term.targets)

    @property
    def searched(self) -> tuple[str, ...]:
        """The layers whose activations of C and S are whole while a term is bound."""
        return _once(layer for _, term in self.terms for layer in term.searched)

    @property
    def of_style(self) -> bool:
        """Whether a term with a weight other than 0 looks at the styles."""
        return any(weight and term.of_style for weight, term in self.terms)

    @property
    def of_painted(self) -> bool:
        """Whether a term looks at what is painted so far."""
        return any(term.of_painted for _, term in self.terms)

    @property
    def signals(self) -> float:
        """The memory of the costs of G itself and their gradients, in signals of G's size."""
        return sum(term.signals for _, term in self.terms)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
