"""J of a signal too long to be seen at once: the same number, computed in pieces.

The style matrices are means over all positions, so no piece knows its own part of the gradient. Each piece is therefore seen
twice: once for its share of the sums, and once more on the way back (checkpointing), when the gradient of the sums is known.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from impasto.costs import content_unit_of
from impasto.network.chunks import Chunks
from impasto.network.statistics import Blend, Network
from impasto.transfer.objective import STYLE_COSTS, Costs, as_blend, weighed
from impasto.transfer.settings import TransferSettings

Sums = dict[str, Tensor]


class ChunkedObjective:
    """What :class:`impasto.transfer.objective.Objective` is, to rounding, within the memory of a piece.

    Args:
        network: the network whose activations are compared; all its layers have one stride.
        content: C, of shape (1, channels, samples).
        style: S, of shape (1, channels, samples), of any length, or a blend of several.
        settings: alpha, beta, layers, style cost and weighting, with nothing left open.
        chunks: how both are cut.
    """

    def __init__(
        self, network: Network, content: Tensor, style: Tensor | Blend, settings: TransferSettings, chunks: Chunks
    ) -> None:
        assert settings.beta is not None
        self.network, self.content, self.chunks = network, content, chunks
        self.alpha, self.beta = settings.alpha, settings.beta
        self._content_weights = settings.content_weights
        self._lambdas, self._style_cost = settings.style_lambdas, STYLE_COSTS[settings.style_cost]
        with torch.no_grad():
            blend = [(self._means(s, self._styles), weight) for s, weight in as_blend(style)]
            means = {key: torch.stack([weight * means[key] for means, weight in blend]).sum(0) for key in blend[0][0]}
            targets = {name: self._of_layer(name, means) for name in self._lambdas}
            self._costs = {name: self._style_cost.cost_to(*target) for name, target in targets.items()}
            if settings.weighting == "relative":
                energies = self._means(content, self._energies)
                self._content_weights = {
                    name: w / content_unit_of(energies[name]) for name, w in self._content_weights.items()
                }
                self._lambdas = {name: self._style_cost.relative(w, *targets[name]) for name, w in self._lambdas.items()}

    def __call__(self, generated: Tensor) -> Costs:
        """The costs of G, of the shape of the content."""
        means = self._means(generated, self._compare, self.content)
        content = sum(
            (weight * means["content " + name] / 4 for name, weight in self._content_weights.items()),
            start=generated.new_zeros(()),
        )
        by_layer = {name: weight * self._costs[name](*self._of_layer(name, means)) for name, weight in self._lambdas.items()}
        return weighed(self.alpha, self.beta, content, by_layer)

    def _means(self, x: Tensor, of: Callable[..., tuple[int, Sums]], *others: Tensor) -> Sums:
        """Means over all positions of what ``of`` gives as a mean over a piece."""
        total, sums = 0, Sums()
        for cut in zip(*(self.chunks.cut(signal) for signal in (x, *others)), strict=True):
            pieces, own = [piece for piece, _ in cut], cut[0][1]
            positions, means = checkpoint(of, own, *pieces, use_reentrant=False, preserve_rng_state=False)  # pyright: ignore
            total += positions
            sums = {name: positions * mean + sums.get(name, 0) for name, mean in means.items()}
        return {name: value / total for name, value in sums.items()}

    def _styles(self, own: slice, piece: Tensor) -> tuple[int, Sums]:
        activations = self.network(piece, self._lambdas)
        return _positions(activations, own), self._style_means(activations, own)

    def _style_means(self, activations: Sums, own: slice) -> Sums:
        return {
            f"style {i} {name}": mean(activations[name][..., own])
            for name in self._lambdas
            for i, mean in enumerate(self._style_cost.means)
        }

    def _of_layer(self, name: str, means: Sums) -> list[Tensor]:
        return [means[f"style {i} {name}"] for i in range(len(self._style_cost.means))]

    def _energies(self, own: slice, piece: Tensor) -> tuple[int, Sums]:
        activations = self.network(piece, self._content_weights)
        return _positions(activations, own), {name: a[..., own].square().mean() for name, a in activations.items()}

    def _compare(self, own: slice, piece: Tensor, content: Tensor) -> tuple[int, Sums]:
        with torch.no_grad():
            target = self.network(content, self._content_weights)
        activations = self.network(piece, {**self._content_weights, **self._lambdas})
        sums = {"content " + name: (activations[name] - a)[..., own].square().mean() for name, a in target.items()}
        return _positions(activations, own), sums | self._style_means(activations, own)


def _positions(activations: Sums, own: slice) -> int:
    return next(iter(activations.values()))[0, 0, own].numel()
