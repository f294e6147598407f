"""J as a function of G: all terms bound to content and styles, and evaluated together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.networks.tiling.statistics import measure, of_batch
from impasto.objective.term import Objective, Part, Scene, Term


class Costs(NamedTuple):
    """The costs of a G, as scalar tensors.

    Attributes:
        costs: what each term adds to J, including its weight, by the name of the term.
        by_layer: what each layer adds to its term, including lambda^[l] but not the weight of the term.
    """

    costs: dict[str, Tensor]
    by_layer: dict[str, dict[str, Tensor]]

    @property
    def cost(self) -> Tensor:
        """J: the sum of the costs."""
        first, *others = self.costs.values()
        return sum(others, start=first)


class Divided(NamedTuple):
    """A part of J on the positions it hangs on.

    Attributes:
        term: its name.
        layer: whose positions they are; empty for those of G itself.
        shares: what each adds to J, (N, *space), including all weights; they sum to the cost of the term at the layer.
    """

    term: str
    layer: str
    shares: Tensor


class View(NamedTuple):
    """How the network looks at G: at the whole, or at its slices in one of several orientations.

    Attributes:
        scene: content and styles, seen in the same way.
        see: makes from G what the network sees, a batch.
        batch: the items of the batch that are looked at.
    """

    scene: Scene
    see: Callable[[Tensor], Tensor] = lambda generated: generated
    batch: slice = slice(None)


class _BoundTerm(NamedTuple):
    name: str
    weight: float
    layers: tuple[str, ...]
    parts: list[list[Part]]  # for each view


class BoundObjective:
    """J(G) for one content and its styles; what it needs of these is computed once.

    Costs of activations are means over the views.

    Args:
        objective: the terms.
        views: how the network looks at C and G.
    """

    def __init__(self, objective: Objective, views: Sequence[View]) -> None:
        self.views = list(views)
        self._terms = [
            _BoundTerm(term.name, weight, term.layers, [_bound(term, view.scene) for view in views])
            for weight, term in objective.terms
        ]

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, which has the shape of the content."""
        zero, count = generated.new_zeros(()), len(self.views)
        by_layer = [dict.fromkeys(term.layers, zero) for term in self._terms]
        for i, view in enumerate(self.views):
            measured = [(row, term, part) for row, term in zip(by_layer, self._terms, strict=True) for part in term.parts[i]]
            measured = [found for found in measured if found[-1].statistics]
            statistics = [statistic for *_, part in measured for statistic in part.statistics]
            if view.batch != slice(None):
                statistics = [of_batch(view.batch, statistic) for statistic in statistics]
            if statistics:
                means = iter(measure(view.scene.network, view.see(generated)[view.batch], statistics))
                for row, term, part in measured:
                    cost = part.cost(*(next(means) for _ in part.statistics))
                    row[part.layer] = row[part.layer] + part.weight * _scalar(term.name, cost)
        costs = dict[str, Tensor]()
        layers_of_terms = dict[str, dict[str, Tensor]]()
        for row, term in zip(by_layer, self._terms, strict=True):
            here = {layer: value / count for layer, value in row.items()}
            value = torch.stack(list(here.values())).sum() if here else zero
            # costs of G itself are the same in every view
            for part in term.parts[0]:
                if not part.statistics:
                    value = value + part.weight * _scalar(term.name, part.cost(generated))
            costs[term.name] = costs.get(term.name, zero) + term.weight * value
            layers = layers_of_terms.setdefault(term.name, {})
            for layer, of_layer in here.items():
                layers[layer] = layers[layer] + of_layer if layer in layers else of_layer
        return Costs(costs, layers_of_terms)

    @torch.no_grad()
    def divide(self, generated: Tensor) -> list[Divided]:
        """All of J on the positions it hangs on, by term and layer, of each view; see :mod:`impasto.objective.attribution`.

        Raises:
            SettingsError: a term cannot be divided.
        """
        found: dict[tuple[str, str, int], Tensor] = {}
        for i, view in enumerate(self.views):
            seen = view.see(generated)[view.batch]
            layers = {part.layer for term in self._terms for part in term.parts[i] if part.layer}
            activations = {**view.scene.network(seen, layers), "": generated}
            for term in self._terms:
                for part in term.parts[i]:
                    if part.divide is None:
                        raise SettingsError(f"how the cost of term {term.name!r} is divided among places is not known")
                    shares = term.weight / len(self.views) * part.weight * part.divide(activations[part.layer])
                    key = (term.name, part.layer, i)
                    found[key] = found[key] + shares if key in found else shares
        return [Divided(term, layer, shares) for (term, layer, _), shares in found.items()]


def _bound(term: Term, scene: Scene) -> list[Part]:
    """The parts of a term, checked.

    Raises:
        SettingsError: ``bind`` returns no list of parts, or one of a layer that is not among the term's ``layers``.
    """
    parts: Any = term.bind(scene)
    if not isinstance(parts, Sequence) or not all(isinstance(part, Part) for part in cast(Sequence[Any], parts)):
        raise SettingsError(f"term {term.name!r} binds to a {type(parts).__name__}; a list of Part was expected")
    found = list(cast(Sequence[Part], parts))
    for part in found:
        if part.statistics and part.layer not in term.layers:
            named = ", ".join(term.layers) or "none"
            raise SettingsError(f"term {term.name!r} has a part of layer {part.layer!r}; the layers that it names: {named}")
    return found


def _scalar(name: str, cost: Any) -> Tensor:
    """The cost of a term, checked.

    Raises:
        SettingsError: it is not a scalar.
    """
    if not isinstance(cost, Tensor) or cost.numel() != 1 or cost.is_complex():
        of = f"tensor of {cost.dtype} and shape {tuple(cost.shape)}" if isinstance(cost, Tensor) else type(cost).__name__
        raise SettingsError(f"the cost of term {name!r} is a {of}; a scalar of torch was expected, as mean() gives it")
    return cost.reshape(())
