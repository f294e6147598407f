"""Terms made from plain functions: a cost of activations, or of the signal itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.networks.tiling.statistics import Statistic, everywhere, measure, measure_blend
from impasto.objective.attribution import evenly
from impasto.objective.costs import total_variation as total_variation_of
from impasto.objective.costs import total_variation_at
from impasto.objective.term import Part, Scene, Term
from impasto.objective.weighting import Layers, LayersGiven, layers_text
from impasto.validation import layers as check_layers
from impasto.validation import number

# default of the signals of G's size that a few operations hold for the gradient
_USUAL_SIGNALS = 8.0
# the relative difference that a mean of parts may have from that of the whole
_ROUNDING = 1e-3


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
        statistics = [Statistic(layer, everywhere(self._measured)) for layer in self.layers]
        tried = [Statistic(layer, everywhere(partial(self._tried, layer))) for layer in self.layers]
        contents = measure(scene.network, scene.content, tried)
        if self not in scene.measured:
            scene.measured[self] = measure_blend(scene.network, scene.styles, statistics)

        def part(weight: float, statistic: Statistic, content: Tensor, style: Tensor) -> Part:
            def cost(generated: Tensor) -> Tensor:
                return _called(self.name, self.cost, generated, content, style)

            return Part(statistic.layer, weight, cost, (statistic,))

        weights = [weight for _, weight in self.weights]
        return [part(*row) for row in zip(weights, statistics, contents, scene.measured[self], strict=True)]

    def _measured(self, a: Tensor) -> Tensor:
        mean = _called(self.name, self.mean, a)
        if not isinstance(mean, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SettingsError(f"the mean of term {self.name!r} is a {type(mean).__name__}; a tensor was expected")
        return mean

    def _tried(self, layer: str, a: Tensor) -> Tensor:
        """The mean of ``a``, after a check with a small part: its mean must be the mean of those of its halves."""
        small = a[(..., *(slice(8),) * (a.dim() - 2))]
        if half := small.shape[-1] // 2:
            parts = (small[..., : 2 * half], small[..., :half], small[..., half : 2 * half])
            whole, left, right = (self._measured(part) for part in parts)
            if not whole.shape == left.shape == right.shape or _differ(whole, (left + right) / 2):
                raise SettingsError(
                    f"the mean of term {self.name!r} is none: of a part of {layer} it is not the mean of what its halves "
                    "give; values, squares and products have means; what is made of these, a deviation, belongs in its cost"
                )
        return self._measured(a)

    def __repr__(self) -> str:
        return f"activation_term({self.name!r}, {layers_text(self.weights)!r})"


def activation_term(
    name: str,
    layers: LayersGiven,
    mean: Callable[[Tensor], Tensor],
    cost: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Term:
    """A term of your own on activations; it can be computed tile by tile, like those of impasto.

    Args:
        name: under which its cost is listed.
        layers: with their weights, as for :func:`impasto.content`.
        mean: takes an activation (N, n_C, *space), or a part of it, and returns a mean over its positions, a tensor of any
            shape. A function that is not a mean would depend on the tiles, and is refused.
        cost: takes the means of G, of the content and of the styles (a weighted mean), and returns a scalar.

    Raises:
        SettingsError: these are not layers or functions, or there is no name.
    """
    weights = check_layers(f"{_named(name)} layers", layers)
    return ActivationTerm(name, weights, _function(name, "mean", mean), _function(name, "cost", cost))


@dataclass(frozen=True, repr=False)
class ImageTerm(Term):
    """A cost of G as a whole."""

    name: str  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    cost: Callable[[Tensor], Tensor]
    signals: float = _USUAL_SIGNALS

    def bind(self, scene: Scene) -> list[Part]:
        """One part, the cost itself."""
        divide = (lambda x: evenly(total_variation_at(x))) if self.cost is total_variation_of else None
        return [Part("", 1.0, partial(_called, self.name, self.cost), divide=divide)]

    def __repr__(self) -> str:
        return self.name if self.cost is total_variation_of else f"image_term({self.name!r})"


def image_term(name: str, cost: Callable[[Tensor], Tensor], *, signals: float = _USUAL_SIGNALS) -> Term:
    """A term of your own on the signal itself.

    Args:
        name: under which its cost is listed.
        cost: takes G, (1, channels, *space) (of pictures in 0..1), and returns a scalar with a gradient.
        signals: the memory of the cost and its gradient, in signals of G's size (4 bytes a value); it counts towards
            ``--memory``.

    Raises:
        SettingsError: there is no name or function, or ``signals`` is not a number of at least 0.
    """
    return ImageTerm(_named(name), _function(name, "cost", cost), number(0)("signals", signals))


def total_variation() -> Term:
    """The total variation of G, of any shape (1, channels, *space), which removes grain and keeps edges.

    It is :func:`impasto.objective.costs.total_variation`. It has no settings, and raises nothing.
    """
    return ImageTerm("total variation", total_variation_of, 6.0)


def _named(name: str) -> str:
    if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingsError(f"a term is called {name!r}: a name was expected, by which its cost is told")
    return name


def _function(name: str, what: str, given: Callable[..., Tensor]) -> Callable[..., Tensor]:
    if not callable(given):
        raise SettingsError(f"the {what} of term {name!r} is a {type(given).__name__}; a function was expected")
    return given


def _called(name: str, function: Callable[..., Tensor], *given: Tensor) -> Tensor:
    """What a user's function returns for tensors.

    Raises:
        SettingsError: it changes them in place, which other terms would see, or loses their gradient.
    """
    before = [x._version for x in given]
    try:
        found = function(*given)
        changed = before != [x._version for x in given]
    except RuntimeError as error:
        if "in-place operation" not in str(error):
            raise
        found, changed = given[0], True
    if changed:
        raise SettingsError(f"term {name!r} changes in place what it is given: x * 2 was expected, not x.mul_(2) or x *= 2")
    followed = torch.is_grad_enabled() and any(x.requires_grad for x in given)
    if followed and isinstance(found, Tensor) and not found.requires_grad:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SettingsError(
            f"term {name!r} has no gradient: what it gives must be made of what it is given by operations of torch, without "
            "detach, item or numpy"
        )
    return found


def _differ(one: Tensor, other: Tensor) -> bool:
    scale = max(float(one.abs().max()), float(other.abs().max())) if one.numel() else 0.0
    return bool(((one - other).abs() > _ROUNDING * scale).any())
