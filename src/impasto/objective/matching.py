"""Which place of the styles each place of the content is like, and the activations that are found there.

A place is a cell of a grid that is coarser than the signal, 4 positions along each axis. A layer that is finer has a block
of positions in a cell; one that is coarser is interpolated to the cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# positions of the signal in a cell, along each axis
_CELL = 4
# descriptions are compared as they are up to so many products, and in so many dimensions above
_EXACT, _DIMENSIONS = 2**32, 256
# the most cells of the styles among which one is searched, and the cosines that are held at a time
_CANDIDATES, _AT_ONCE = 2**14, 2**22
# how far below the largest cosine that of a candidate may be which goes on with its neighbour
_COHERENT = 0.1
# by how much of a cosine a worse candidate may be taken so that all are; how often that is balanced, and by how many cells
_BLUR, _ROUNDS, _ASKED = 0.05, 20, 2**10
# of the projection, and of the choice of candidates and of cells
_SEED = 0
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

Activations = Mapping[str, Tensor]
"""By layer, each (N, n_C, *space of the layer)."""


def units_of(styles: Sequence[Activations], shares: Sequence[float]) -> dict[str, float]:
    """The root mean square of the activations of each layer, over all styles by their shares."""
    squares = {
        layer: sum(share * float(style[layer].square().mean()) for style, share in zip(styles, shares, strict=True))
        for layer in styles[0]
    }
    return {layer: square**0.5 or 1.0 for layer, square in squares.items()}


def grid_of(space: Sequence[int], activations: Activations) -> tuple[int, ...]:
    """The items of the batch, and the cells along each axis: a quarter of the positions, or those of the finest layer."""
    items = next(iter(activations.values())).shape[0]
    finest = [max(sides) for sides in zip(*(a.shape[2:] for a in activations.values()), strict=True)]
    return (items, *(min(max(1, n // _CELL), most) for n, most in zip(space, finest, strict=True)))


def described(activations: Activations, units: Mapping[str, float], grid: Sequence[int], *, exact: bool) -> Tensor:
    """What the network sees in each cell, its hypercolumn: (cells of all items, dimensions).

    The activations of all layers, each in its unit, divided by n_C and resized to the cells, stand side by side. Unless they
    are to be ``exact`` they are projected to 256 dimensions at random, which nearly keeps the angles between them.
    """
    generator = torch.Generator().manual_seed(_SEED)
    columns: list[Tensor] = []
    for layer, a in activations.items():
        rows = _resized(a, grid[1:]).movedim(1, -1).flatten(0, -2) / (units[layer] * a.shape[1])
        if not exact:
            rows = rows @ torch.randn(a.shape[1], _DIMENSIONS, generator=generator).to(rows)
        columns.append(rows)
    return torch.cat(columns, 1) if exact else torch.stack(columns).sum(0)


def is_exact(queries: int, candidates: int, activations: Activations) -> bool:
    """Whether so many descriptions are compared as they are."""
    return queries * candidates * sum(a.shape[1] for a in activations.values()) <= _EXACT


def directions(rows: Tensor) -> Tensor:
    """Descriptions (n, dimensions) relative to their mean, as otherwise all would be alike, with a length of 1."""
    return F.normalize(rows - rows.mean(0), dim=1)


def nearest(queries: Tensor, candidates: Tensor) -> Tensor:
    """For each query, (n, dimensions), the number of the candidate, (m, dimensions), with the largest cosine less its price.

    Both are :func:`directions`; see :func:`prices_of`.
    """
    prices = prices_of(queries, candidates)
    parts = queries.split(max(1, _AT_ONCE // len(candidates)))
    return torch.cat([(part @ candidates.T - prices).argmax(1) for part in parts])


def prices_of(queries: Tensor, candidates: Tensor) -> Tensor:
    """What must be taken off the cosines of each candidate so that all are found about equally often: (m,).

    A flat wall is like every flat place of a painting, and would have but one of them: the rest of the painting, its motif
    before all, would not be found. These are the dual variables of the optimal transport from queries to candidates,
    smoothed by an entropy of 0.05 (Sinkhorn's algorithm: Cuturi, "Sinkhorn Distances", 2013, arXiv:1306.0895), as 1,024 of
    either have it.
    """
    generator = torch.Generator().manual_seed(_SEED)

    def some(rows: Tensor) -> Tensor:
        return rows[torch.randperm(len(rows), generator=generator)[:_ASKED].sort().values.to(rows.device)]

    asking, asked = some(queries) / _BLUR, some(candidates)
    scores = asking @ asked.T
    gains, prices = scores.logsumexp(1, keepdim=True), scores.new_zeros(len(asked))
    for _ in range(_ROUNDS):
        gains = (scores - prices).logsumexp(1, keepdim=True)
        prices = (scores - gains).logsumexp(0)
        prices = prices - prices.mean()
    parts = candidates.split(max(1, _AT_ONCE // len(asking)))
    return _BLUR * torch.cat([(asking @ part.T - gains).logsumexp(0) for part in parts])


class Candidates(NamedTuple):
    """The cells of the styles in which a counterpart may be found.

    Attributes:
        grids: of each style, see :func:`grid_of`.
        style: of each candidate, (m,), which style it is in.
        cell: and in which of its cells, counted over all items.
    """

    grids: Sequence[tuple[int, ...]]
    style: Tensor
    cell: Tensor

    def of(self, rows: Sequence[Tensor]) -> Tensor:
        """Of the rows of all cells of each style those of the candidates."""
        return torch.cat([part[self.cell[self.style == i].to(part.device)] for i, part in enumerate(rows)])

    def beside(self, dims: int) -> Tensor:
        """For each of so many axes of the content, and each candidate, the candidate in the next cell, or -1: (dims, m)."""
        found = torch.full((dims, len(self.cell)), -1)
        for i, grid in enumerate(self.grids):
            here = (self.style == i).nonzero()[:, 0]
            numbers = torch.full((prod(grid),), -1)
            numbers[self.cell[here]] = here
            missing = dims + 1 - len(grid)  # axes along which the style is constant
            found[:missing, here] = here
            for axis in range(1, len(grid)):
                following = numbers.reshape(grid).roll(-1, axis)
                following.narrow(axis, grid[axis] - 1, 1).fill_(-1)
                found[missing + axis - 1, here] = following.flatten()[self.cell[here]]
        return found


def candidates_of(grids: Sequence[tuple[int, ...]], shares: Sequence[float]) -> Candidates:
    """As many cells of each style as its share, and not more than 16384 in all; which ones of them is chosen at random."""
    counts = [prod(grid) for grid in grids]
    total = min([float(_CANDIDATES), *(count / share for count, share in zip(counts, shares, strict=True))])
    generator = torch.Generator().manual_seed(_SEED)
    cells = [
        torch.randperm(count, generator=generator)[: max(1, round(total * share))].sort().values
        for count, share in zip(counts, shares, strict=True)
    ]
    return Candidates(grids, torch.cat([torch.full_like(of, i) for i, of in enumerate(cells)]), torch.cat(cells))


def coherent(
    found: Tensor, queries: Tensor, rows: Tensor, candidates: Candidates, regions: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """The candidates of the cells, (N, *cells), where a cell goes on as the one before it began.

    Where the content is flat many candidates are nearly as good as the best one, which would be the same everywhere: its
    strokes would be repeated from cell to cell, as a grid. So along each axis a cell takes the candidate beside that of the
    cell before it, unless its cosine is more than 0.1 below that of its own best (Ashikhmin, "Synthesizing Natural
    Textures", 2001; Hertzmann et al., "Image Analogies", 2001, section 3.2).

    Args:
        found: by :func:`nearest`; below 0 where there is none.
        queries: the :func:`directions` of the cells, (cells of all items, dimensions).
        rows: those of the candidates.
        candidates: what the numbers stand for.
        regions: the region of each cell, (N, *cells), and the candidates that a region may have, (regions, m).
    """
    beside = candidates.beside(found.dim() - 1)
    cell = torch.arange(len(queries)).reshape(found.shape)

    def distance(cells: Tensor, chosen: Tensor) -> Tensor:
        pairs = queries[cells.flatten().to(rows.device)] * rows[chosen.flatten().to(rows.device)]
        return 1 - pairs.sum(1).cpu().reshape(chosen.shape)

    most = distance(cell, found) + _COHERENT
    for axis in range(1, found.dim()):
        lines = [x.movedim(axis, 0) for x in (found, cell, most)]
        before = lines[0][0]
        new = [before]
        for own, here, at_most in zip(*(line[1:] for line in lines), strict=True):
            next_one = beside[axis - 1][before]
            good = (before >= 0) & (next_one >= 0) & (own >= 0) & (distance(here, next_one) <= at_most)
            if regions is not None:
                of_cell, allowed = regions
                good &= allowed[of_cell.flatten()[here], next_one]
            before = torch.where(good, next_one, own)
            new.append(before)
        found = torch.stack(new).movedim(0, axis)
    return found


def laid_out(
    styles: Sequence[Tensor], candidates: Candidates, found: Tensor, grid: tuple[int, ...], space: tuple[int, ...]
) -> Tensor:
    """The activations of the styles at one layer that the content is to have: vectors of length 1, (N, n_C, *space).

    In a layer finer than the cells a position has the vector at the same place of the cell that was found; in a coarser one
    the mean of those of the cells that it covers.

    Args:
        styles: the activations of each style, (N, n_C, *its space). A style with fewer axes than the content is constant
            along the first ones.
        candidates: the cells of the styles.
        found: the candidate of each cell of the content, (N, *cells); where it is below 0 the vector is 0.
        grid: of the content.
        space: of the layer for the content.
    """
    dims = len(space)
    longest = max(range(dims), key=lambda axis: grid[1 + axis])
    side = round(space[longest] / grid[1 + longest]) if space[longest] >= grid[1 + longest] else 0
    if not side:
        styles = [_resized(a, of[1:]) for a, of in zip(styles, candidates.grids, strict=True)]
    rows = [F.normalize(a, dim=1).movedim(1, -1).flatten(0, -2) for a in styles]
    before = torch.tensor([0, *(len(part) for part in rows)]).cumsum(0)
    cells = torch.tensor([_with_axes(of[1:], dims) for of in candidates.grids])
    sides = torch.tensor([_with_axes(a.shape[2:], dims) for a in styles])

    style, cell = candidates.style[found], candidates.cell[found]
    places: list[Tensor] = []  # in the style: the cell along each axis, the last one first, and the item
    for axis in reversed(range(dims)):
        places.append(cell % cells[style, axis])
        cell = cell // cells[style, axis]
    here = torch.stack([found, style, cell, *reversed(places)])
    offsets: list[Tensor] = []
    for axis, n in enumerate(space if side else grid[1:], start=1):
        position = torch.arange(n)
        inside = (position // max(1, side)).clamp_max(grid[axis] - 1)
        here = here.index_select(1 + axis, inside)
        offsets.append((position - inside * max(1, side)).reshape(-1, *(1,) * (dims - axis)))
    known, style, index, *places = here
    for axis, (place, offset) in enumerate(zip(places, offsets, strict=True)):
        size = sides[style, axis]
        index = index * size + (place * max(1, side) + offset).minimum(size - 1)
    every = rows[0] if len(rows) == 1 else torch.cat(rows)
    vectors = every[(index + before[style]).flatten().to(every.device)]
    if (known < 0).any():
        vectors *= (known.flatten()[:, None] >= 0).to(vectors)
    vectors = vectors.reshape(*known.shape, -1).movedim(-1, 1)
    return vectors if side else F.interpolate(vectors, space, mode="area")


def _resized(a: Tensor, cells: Sequence[int]) -> Tensor:
    shape = tuple(cells)
    return a if tuple(a.shape[2:]) == shape else F.interpolate(a, shape, mode=_LINEAR[a.dim() - 2], align_corners=False)


def _with_axes(sides: Sequence[int], dims: int) -> tuple[int, ...]:
    return (1,) * (dims - len(sides)) + tuple(sides)
