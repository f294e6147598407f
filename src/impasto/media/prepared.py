"""Content and styles ready to be painted: what the ``prepare`` of each medium returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from impasto.descent.memory import Fitting, Limits, check_untiled, fit, fit_whole
from impasto.descent.stages import Parts, Whole
from impasto.media.resolved import ResolvedSettings
from impasto.media.signal import Signal, Values
from impasto.media.styles import Styles
from impasto.networks.layers import up_to_deepest
from impasto.networks.tiling.plan import Task, covering
from impasto.networks.tiling.segments import Segmented
from impasto.networks.tiling.statistics import Blend, Forward
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.term import Objective, Scene

Measured = dict[Any, Any]
"""Statistics of the styles that were measured before, see :class:`impasto.objective.term.Scene`."""

Bind = Callable[[Objective, Forward, Tensor, Blend, Tensor | None, Measured], Parts]
"""Makes the parts of the descent from J, the network, content, styles and what is painted so far."""


def bind_whole(
    objective: Objective, network: Forward, content: Tensor, style: Blend, painted: Tensor | None, measured: Measured
) -> Parts:
    """J of the whole signal, as a single part."""
    return Whole(BoundObjective(objective, [View(Scene(network, content, style, painted=painted, measured=measured))]))


@dataclass(frozen=True)
class Prepared:
    """Content and styles as tensors, at the size and rate at which they are compared.

    Attributes:
        content: C, (1, channels, *space).
        style: the styles S, each (1, channels, *space), of any size, with their shares.
        objective: J.
        network: takes tensors like C; a :class:`impasto.networks.network.Network`, or a wrapper around one.
        restore: makes a signal like the content from values (channels, *space) of the shape of C.
        fit: makes a tensor of the shape of C from another signal, for G to start from.
        random: mean and standard deviation of a random G.
        noise: standard deviation of what is added to a G that starts from a signal.
        bounds: the range of the values, or None.
        natural: whether their spectrum falls as 1/frequency, like that of photographs.
        in_tiles: whether J may be computed tile by tile, if the network can be cut.
        held: bytes held beside the content, the styles and what the costs hold of them.
        bind: makes the parts of the descent.
    """

    content: Tensor
    style: Blend
    objective: Objective
    network: Any
    restore: Callable[[Values], Signal]
    fit: Callable[[Signal], Tensor]
    random: tuple[float, float]
    noise: float = 0.0
    bounds: tuple[float, float] | None = None
    natural: bool = False
    in_tiles: bool = True
    held: int = 0
    bind: Bind = bind_whole

    def parts(self, network: Forward, device: torch.device, measured: Measured, painted: Tensor | None = None) -> Parts:
        """The parts of the descent, on ``device``; ``painted`` so far is of the shape of C, or None."""
        content, style = self.content.to(device), [(s.to(device), share) for s, share in self.style]
        painted = None if painted is None else painted.to(device)
        return self.bind(self.objective, network, content, style, painted, measured)

    def task(self) -> Task | None:
        """What an evaluation of J computes; None if it cannot be computed tile by tile."""
        network, layers = self.network, self.objective.layers
        if not (self.in_tiles and layers and isinstance(network, Segmented)):
            return None
        channels, dims = self.content.shape[1], self.style[0][0].dim() - 2
        items = network.items(channels)
        return Task(
            up_to_deepest(network.table, layers),
            tuple(self.content.shape[-dims:]),  # of a movie, those of one frame
            channels // items,
            items,
            self.objective.targets,
            covering(style.shape[-dims:] for style, _ in self.style),
            self.objective.searched,
        )

    def fitting(self, limits: Limits, held: int) -> Fitting | None:
        """How J is computed within the memory of ``limits``, ``held`` bytes of which are in use.

        None if ``prepare`` has already checked that J fits.

        Raises:
            SizeError: it does not fit.
        """
        limits, task = limits._replace(signals=self.objective.signals), self.task()
        if task is not None:
            return fit(task, limits, held)
        if not self.in_tiles:
            return None
        dims = self.style[0][0].dim() - 2
        channels, space = self.content.shape[1], tuple(self.content.shape[-dims:])
        return fit_whole(partial(self._activations, channels), space, channels, limits, held)

    def _activations(self, channels: int, space: tuple[int, ...]) -> int:
        """Bytes of the activations if the content had the shape ``space``, and the styles were scaled with it."""
        layers, network = self.objective.layers, self.network
        if not layers:
            return 0
        ratio = max(space) / max(self.content.shape[-len(space) :])
        found = network.memory((1, channels, *space), layers)
        for style, _ in self.style:
            seen = (max(1, round(n * ratio)) for n in style.shape[2:])
            found = max(found, network.memory((*style.shape[:2], *seen), layers, gradient=False))
        return found

    def bytes_held(self, content: Signal, styles: Styles) -> int:
        """Bytes held during the whole descent: the tensors, and content and styles as they were read."""
        arrays = [content.values, *(style.values for style, _ in styles)]
        arrays += [self.content.numpy(), *(style.numpy() for style, _ in self.style)]
        # by address, since a signal that was not resampled shares its memory with its tensor
        return sum({array.ctypes.data: array.nbytes for array in arrays}.values()) + self.held


def check_whole(settings: ResolvedSettings, shape: tuple[int, ...], channels: int = 1, held: int = 0) -> None:
    """See that J and its gradient fit into the memory if they are computed for all positions of ``shape`` at once.

    Raises:
        SettingsError: the network is not for so many dimensions.
        SizeError: they do not fit; the message says what is needed, and the largest size that fits.
    """
    given, layers = settings.network.given, settings.objective.layers
    settings.network.check_dims(len(shape))
    if settings.table or given is None:
        check_untiled(settings.table, shape, settings.limits.budget)
    elif layers:
        fit_whole(lambda space: given.memory((1, 3, *space), layers), shape, channels, settings.limits, held)
