"""The neighbours term: each place of G has the activations of the place in the styles that it is most like.

After Kolkin, Kucera, Paris, Sýkora, Shechtman and Shakhnarovich, "Neural Neighbor Style Transfer" (2022), arXiv:2203.13215.
Here the activations are copied block by block at the resolution of each layer, where the paper resizes them to a common
one; so a cost is a mean over the positions of a layer, and is computed tile by tile like that of the content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.networks.tiling.statistics import Statistic, Window, at
from impasto.objective.attribution import evenly
from impasto.objective.costs import neighbour_cost, neighbour_cost_at
from impasto.objective.matching import (
    Activations,
    Candidates,
    candidates_of,
    coherent,
    described,
    directions,
    grid_of,
    is_exact,
    laid_out,
    nearest,
    units_of,
)
from impasto.objective.term import Part, Scene, Term
from impasto.objective.weighting import Layers, LayersGiven, layers_text
from impasto.validation import layers as check_layers

# how far what is painted already decides what a place is like, beside the content
_PAINTED = 0.25


@dataclass(frozen=True, repr=False)
class Neighbours(Term):
    """J_neighbours: the weighted sum over layers of their neighbour costs; see :func:`neighbours`."""

    weights: Layers
    name = "neighbours"
    of_style = True
    of_painted = True
    signals = 1.0

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers at which it is taken."""
        return tuple(layer for layer, _ in self.weights)

    @property
    def targets(self) -> tuple[str, ...]:
        """All its layers: what is found for them has the size of the activations of C."""
        return self.layers

    @property
    def searched(self) -> tuple[str, ...]:
        """All its layers."""
        return self.layers

    @torch.no_grad()
    def bind(self, scene: Scene) -> list[Part]:
        """A part for each layer, with its vectors of the styles."""
        query = scene.content if scene.painted is None else scene.content.lerp(scene.painted, _PAINTED)
        blend = [(style, share) for style, share in scene.styles if share]
        shares = [share for _, share in blend]
        styles = [scene.network(style, self.layers) for style, _ in blend]
        units = units_of(styles, shares)
        candidates = candidates_of([grid_of(s.shape[2:], a) for (s, _), a in zip(blend, styles, strict=True)], shares)
        seen = scene.network(query, self.layers)
        grid, spaces = grid_of(query.shape[2:], seen), {layer: tuple(a.shape[2:]) for layer, a in seen.items()}
        exact = is_exact(prod(grid), len(candidates.cell), seen)
        queries = described(seen, units, grid, exact=exact)
        del seen, query
        every = [described(a, units, of, exact=exact) for a, of in zip(styles, candidates.grids, strict=True)]
        found = _found(scene, self.layers, queries, every, candidates, grid)
        del queries, every
        parts: list[Part] = []
        for layer, weight in self.weights:
            of_layer = [style.pop(layer) for style in styles]
            target = laid_out(of_layer, candidates, found, grid, spaces[layer])
            typical = units[layer] * target.shape[1] ** 0.5
            statistic = Statistic(layer, partial(_difference, target, typical))
            divide = partial(_divided, target, typical)
            parts.append(Part(layer, weight, lambda mean: mean, (statistic,), divide))
        return parts

    def __repr__(self) -> str:
        return f"neighbours({layers_text(self.weights)!r})"


def neighbours(layers: LayersGiven) -> Neighbours:
    """J_neighbours of some layers: how far the activations of G point from those of the styles where these are alike.

    For each cell of 4 positions along each axis the styles' cell is searched whose hypercolumn has the largest cosine with
    that of the content, each relative to its mean, less a price by which all cells are found about equally often (the
    dual variables of the optimal transport between them: Cuturi 2013, arXiv:1306.0895); from a second scale on a quarter of
    what is compared is what is painted already. The activations found there are what those of G are compared with, see
    :func:`impasto.objective.costs.neighbour_cost`, and they stay while J is descended at one scale. With regions a cell is
    searched for in its own region, and of several styles each has cells by its share.

    Args:
        layers: "relu1_1,relu2_1,relu3_1", with weights "relu1_1=0.5,relu3_1=0.5", a list of names, or a dict of weights.
            Without weights the layers share 1 equally.

    Raises:
        SettingsError: these are not layers.
    """
    return Neighbours(check_layers("neighbour layers", layers))


def _difference(target: Tensor, typical: float, a: Tensor, window: Window) -> Tensor:
    return neighbour_cost(at(target, window), a, typical)


def _divided(target: Tensor, typical: float, a: Tensor) -> Tensor:
    return evenly(neighbour_cost_at(target, a, typical))


def _found(
    scene: Scene,
    layers: Sequence[str],
    queries: Tensor,
    styles: Sequence[Tensor],
    candidates: Candidates,
    grid: tuple[int, ...],
) -> Tensor:
    """The candidate of each cell, (N, *cells); -1 where it is in no region, or in one that no style has."""
    rows = candidates.of(styles)
    if scene.regions is None:
        queries, rows = directions(queries), directions(rows)
        return coherent(nearest(queries, rows).cpu().reshape(grid), queries, rows, candidates)
    regions = scene.regions(layers)
    used = [i for i, (_, share) in enumerate(scene.styles) if share]
    strongest, of_cell = torch.stack([region.share * _in_cells(region.generated, grid) for region in regions]).max(0)
    allowed = torch.zeros(len(regions), len(rows), dtype=torch.bool)
    found = torch.full((len(queries),), -1)
    for i, region in enumerate(regions):
        allowed[i] = (
            candidates.of([_in_cells(region.styles[k], of) for k, of in zip(used, candidates.grids, strict=True)]) > 0
        )
        here, there = ((of_cell == i) & (strongest > 0)).nonzero()[:, 0], allowed[i].nonzero()[:, 0]
        if len(here) and len(there):
            place = nearest(directions(queries[here.to(rows.device)]), directions(rows[there.to(rows.device)]))
            found[here] = there[place.cpu()]
    queries, rows = directions(queries), directions(rows)
    return coherent(found.reshape(grid), queries, rows, candidates, (of_cell, allowed))


def _in_cells(weights: Activations, grid: tuple[int, ...]) -> Tensor:
    """How much each cell is in a region, as the finest layer that sees it has it."""
    if not weights:
        return torch.zeros(prod(grid))
    finest = max(weights.values(), key=lambda x: x[0, 0].numel())
    return F.interpolate(finest.cpu(), grid[1:], mode="area").flatten()
