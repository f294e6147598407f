"""Terms of one's own: a cost of activations, or of the signal itself, made of plain functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.networks.tiling.statistics import Statistic, everywhere, measure, measure_blend
from impasto.objective.costs import total_variation as total_variation_of
from impasto.objective.term import Part, Scene, Term
from impasto.objective.weighting import Layers, LayersGiven, layers_text
from impasto.validation import layers as check_layers
from impasto.validation import number

# signals of G's size that a few operations on it hold for the way back, where nobody says how many
_USUAL_SIGNALS = 8.0


@dataclass(frozen=True, repr=False)
class ActivationTerm(Term):
    """A cost of means over the positions of some layers."""

    name: str  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    weights: Layers
    mean: Callable[[Tensor], Tensor]
    cost: Callable[[Tensor, Tensor, Tensor], Tensor]
    of_style = True

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers at which it is taken."""
        return tuple(layer for layer, _ in self.weights)

    @torch.no_grad()
    def bind(self, scene: Scene) -> list[Part]:
        """A part for each layer."""
        statistics = [Statistic(layer, everywhere(self.mean)) for layer in self.layers]
        contents = measure(scene.network, scene.content, statistics)
        if self not in scene.measured:
            scene.measured[self] = measure_blend(scene.network, scene.styles, statistics)

        def part(weight: float, statistic: Statistic, content: Tensor, style: Tensor) -> Part:
            return Part(statistic.layer, weight, lambda generated: self.cost(generated, content, style), (statistic,))

        weights = [weight for _, weight in self.weights]
        return [part(*row) for row in zip(weights, statistics, contents, scene.measured[self], strict=True)]

    def __repr__(self) -> str:
        return f"activation_term({self.name!r}, {layers_text(self.weights)!r})"


def activation_term(
    name: str,
    layers: LayersGiven,
    mean: Callable[[Tensor], Tensor],
    cost: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Term:
    """A term of one's own on activations. It is computed tile by tile as those of impasto are.

    Args:
        name: by which its cost is told.
        layers: where, and with which weights, as :func:`impasto.content` takes them.
        mean: takes an activation (N, n_C, *space), or a part of it, and gives a mean over its positions, of any shape. What
            is no mean would depend on the tiles.
        cost: takes the mean of G, of the content and of the styles (the weighted mean of theirs), and gives a scalar.

    Raises:
        SettingsError: these are no layers, or there is no name.
    """
    return ActivationTerm(_named(name), check_layers(f"{name} layers", layers), mean, cost)


@dataclass(frozen=True, repr=False)
class ImageTerm(Term):
    """A cost of G as a whole."""

    name: str  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    cost: Callable[[Tensor], Tensor]
    signals: float = _USUAL_SIGNALS

    def bind(self, scene: Scene) -> list[Part]:
        """One part, the cost itself."""
        return [Part("", 1.0, self.cost)]

    def __repr__(self) -> str:
        return self.name if self.cost is total_variation_of else f"image_term({self.name!r})"


def image_term(name: str, cost: Callable[[Tensor], Tensor], *, signals: float = _USUAL_SIGNALS) -> Term:
    """A term of one's own on the signal itself.

    Args:
        name: by which its cost is told.
        cost: takes G, (1, channels, *space) (of pictures in 0..1), and gives a scalar with a gradient.
        signals: what it holds on the way there and back, in signals of G's size (4 bytes a value): it is counted in what
            ``--memory`` allows.

    Raises:
        SettingsError: there is no name, or ``signals`` is no number of at least 0.
    """
    return ImageTerm(_named(name), cost, number(0)("signals", signals))


def total_variation() -> Term:
    """How restless G is, :func:`impasto.objective.costs.total_variation`: grain goes, edges stay."""
    return ImageTerm("total variation", total_variation_of, 6.0)


def _named(name: str) -> str:
    if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingsError(f"a term is called {name!r}: a name was expected, by which its cost is told")
    return name
