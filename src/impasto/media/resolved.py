"""Settings in which every default is filled in: what the ``prepare`` of a medium is given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from impasto.descent.memory import Limits, default_memory
from impasto.descent.optimizers import Optimizer
from impasto.errors import SettingsError
from impasto.networks.convnet import ConvNet
from impasto.networks.device import find_device
from impasto.networks.layers import LayerTable, smallest_size, total_stride, up_to_deepest
from impasto.networks.network import Network
from impasto.networks.precision import Precision
from impasto.networks.registry import Constructor
from impasto.objective.term import Objective


@dataclass(frozen=True)
class NetworkChoice:
    """The network whose activations are compared: one of the registry, by its name, or one that the user made.

    Attributes:
        row: of the registry; None for a network that the user made.
        options: of one of the registry: weights, preprocessing, padding and pooling, as (name, value).
        given: the network that the user made; None for one of the registry.
    """

    row: Constructor | None
    options: tuple[tuple[str, Any], ...] = ()
    given: Network | None = None

    @property
    def name(self) -> str:
        """For messages; "" if there is no network."""
        if self.row:
            return self.row.name
        assert self.given is not None
        return self.given.name

    def table(self, layers: Collection[str]) -> LayerTable:
        """The rows of the network down to the deepest of these layers; empty if it has no table of layers.

        Raises:
            UnknownLayerError: the network has no such layer.
        """
        rows = self.row.table if self.row and self.given is None else getattr(self.given, "table", ())
        if not rows and self.given is not None:
            self.given.smallest_size(layers)  # raises if a layer is unknown
            return ()
        return up_to_deepest(rows, layers)

    def has(self, layers: Collection[str]) -> bool:
        """Whether a network that the user made has these layers; of one of the registry that is known elsewhere."""
        return self.given is None or set(layers) <= set(self.given.layers)

    def deepest(self, layers: Collection[str]) -> str:
        """The name of the last of these layers to be computed."""
        order = [row.name for row in self.table(layers)] or [
            layer for layer in (self.given.layers if self.given else ()) if layer in layers
        ]
        return order[-1] if order else "the network"

    def total_stride(self, layers: Collection[str]) -> int:
        """Positions of the signal between two neighbouring positions of the coarsest layer."""
        table = self.table(layers)
        return total_stride(table) if table or not layers or self.given is None else self.given.total_stride(layers)

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions of the signal along an axis with which every layer has at least one."""
        table = self.table(layers)
        return smallest_size(table) if table or not layers or self.given is None else self.given.smallest_size(layers)

    def build(self, spatial_dims: int = 2, **more: Any) -> Any:
        """The network for signals with 1, 2 or 3 axes of space.

        Args:
            spatial_dims: how many axes.
            more: further arguments that its constructor needs.

        Raises:
            WeightsError: the weights are missing, damaged, or of another network.
            SettingsError: a network of the user is for another number of axes.
        """
        if self.row and self.given is None:
            options = {name: value for name, value in self.options if name in self.row.takes}
            return self.row.build(spatial_dims, **options, **more)
        assert self.given is not None
        self.check_dims(spatial_dims)
        same = self.given.spatial_dims == spatial_dims
        return self.given if same or not isinstance(self.given, ConvNet) else self.given.in_dimensions(spatial_dims)

    def check_dims(self, spatial_dims: int) -> None:
        """See that a network of the user is for signals with so many axes, or can be made so.

        Raises:
            SettingsError: it is not.
        """
        given = self.given
        if given is None or given.spatial_dims == spatial_dims or (isinstance(given, ConvNet) and given.spatial_dims == 2):
            return
        axes = "axis" if given.spatial_dims == 1 else "axes"
        raise SettingsError(
            f"network {self.name} looks along {given.spatial_dims} {axes} of space; one along {spatial_dims} was expected"
        )


@dataclass(frozen=True)
class ResolvedSettings:
    """How a signal is painted: the fields of :class:`impasto.TransferSettings` with every default filled in.

    Attributes:
        objective: J, in place of its weights and layers.
        drawing: the J of the coarse scales, at which the picture is drawn before it is painted; None if it is not.
        placing: the J of the scales up to 512, at which the style's forms are placed; None if they fall where they may.
        optimizer: the object, in place of its name.
        network: which one, and how it is made.
        size: the longest side; None keeps the content's.
        working_rate: samples a second while painting; None keeps the content's.
        scales: how many; None: as many as suit the size.
        cuts: where the scenes of a movie begin.
        memory: bytes that the process may take; None: most of what is free.
    """

    objective: Objective
    drawing: Objective | None
    placing: Objective | None
    optimizer: Optimizer
    network: NetworkChoice
    size: int | None
    working_rate: int | None
    rate: float | None
    iterations: int
    until_still: bool
    scales: int | None
    stroke: float
    step: float | None
    init: str
    init_noise: float
    noise: str
    method: str
    cuts: str | Sequence[int]
    colour: str
    content_mask: str | None
    style_mask: tuple[str, ...]
    protect: str | None
    seed: int
    device: str
    precision: Precision
    memory: int | None

    @property
    def table(self) -> LayerTable:
        """See :meth:`NetworkChoice.table`; for the layers that J looks at."""
        return self.network.table(self.objective.layers)

    @property
    def deepest(self) -> str:
        """The name of the deepest layer that J looks at."""
        return self.network.deepest(self.objective.layers)

    @property
    def smallest_size(self) -> int:
        """The fewest positions along an axis with which every layer that J looks at has at least one."""
        return self.network.smallest_size(self.objective.layers)

    @property
    def total_stride(self) -> int:
        """Positions of the signal between two neighbouring positions of the coarsest layer."""
        return self.network.total_stride(self.objective.layers)

    @property
    def limits(self) -> Limits:
        """The optimizer, the evaluations and the memory that the descent may use."""
        budget = self.memory if self.memory is not None else default_memory(find_device(self.device))
        return Limits(self.optimizer, self.iterations, self.objective.signals, budget)

    def at(self, size: int | None, iterations: int, objective: Objective) -> ResolvedSettings:
        """The same settings at another size, with another number of evaluations and for another J."""
        return replace(self, size=size, iterations=iterations, objective=objective)
