"""The temporal term: the strokes of a movie move with its content.

Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), arXiv:1604.08610.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from impasto.objective.costs import temporal_cost
from impasto.objective.term import Part, Scene, Term


@dataclass(frozen=True)
class Temporal(Term):
    """How far a frame is from the moved frame before, weighted by the trust; 0 for the first frame."""

    name = "temporal"
    signals = 3.0

    def bind(self, scene: Scene) -> list[Part]:
        """One part, the cost of the frame itself."""
        moved = scene.moved

        def cost(generated: Tensor) -> Tensor:
            return generated.new_zeros(()) if moved is None else temporal_cost(moved.frame, generated, moved.trust)

        return [Part("", 1.0, cost)]


def temporal() -> Term:
    """How far a frame of a movie is from the painted one before it, :func:`impasto.objective.costs.temporal_cost`."""
    return Temporal()
