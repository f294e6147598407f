"""Any torch module as a network: the outputs of its submodules are the layers; fields, strides and memory are measured."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod

import torch
from torch import Tensor, nn

from impasto.errors import SettingsError, SizeError, UnknownLayerError, nearest
from impasto.files import first_line
from impasto.networks.device import ran_out_of_memory
from impasto.networks.hooks import Hooked
from impasto.networks.layers import Field, Interval, unknown_layer
from impasto.networks.measured import MeasuredFields
from impasto.networks.shapes import ShapeTracer

# the largest extent in which a field without borders is looked for, by the number of axes
_MOST = {1: 2**15, 2: 2**11, 3: 2**8}
# positions of signals that are computed at once to measure a field
_AT_ONCE = 2**17


def wrap(
    module: nn.Module,
    layers: Mapping[str, str] | Iterable[str] | str,
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    spatial_dims: int = 2,
    name: str | None = None,
) -> Wrapped:
    """A network made of any torch module: ``wrap(resnet, {"edges": "layer1", "parts": "layer3"})``.

    The network computes in eval mode, without gradients of the weights. It shares the weights of the module, which itself is
    not changed.

    Args:
        module: takes a tensor (N, channels, \\*space).
        layers: the submodules whose outputs are the layers: a mapping from names of your own to their paths ("layer3",
            "features.4"), or the paths alone, which are then the names. Each returns a tensor (N, n_C, \\*space), or
            (N, \\*space, n_C), which is known by what grows with the signal. If a submodule is called several times its
            last output counts.
        mean: of each channel of the signals that the module was trained on, in 0..1; usually (0.485, 0.456, 0.406) for
            networks trained on ImageNet.
        std: their standard deviation; usually (0.229, 0.224, 0.225).
        spatial_dims: how many axes of space its signals have.
        name: for messages and indexes; by default the name of its class.

    Raises:
        UnknownLayerError: there is no such submodule; the message has the nearest one.
        SettingsError: a layer returns no tensor with such axes or is not computed, or the module cannot be computed at all.
    """
    if isinstance(layers, str):
        layers = [path.strip() for path in layers.split(",")]
    paths = dict(layers) if isinstance(layers, Mapping) else {path: path for path in layers}
    known = [path for path, _ in module.named_modules() if path]
    for path in paths.values():
        if path not in known:
            hint = f": did you mean {nearest(path, known)!r}?" if known else ", which has none"
            raise UnknownLayerError(f"unknown submodule {path!r} of {type(module).__name__}{hint}")
    if not paths:
        raise SettingsError("wrap: no layer is named; name at least one submodule")
    return Wrapped(module, paths, mean, std, spatial_dims, name or type(module).__name__.lower())


class Wrapped(nn.Module):
    """A network that :func:`wrap` makes; its methods are those of :class:`impasto.networks.network.Network`.

    Attributes:
        name: for messages and indexes.
        layers: the names of its layers, in the order in which they are computed.
        spatial_dims: how many axes of space its signals have.
    """

    def __init__(
        self,
        module: nn.Module,
        paths: Mapping[str, str],
        mean: Sequence[float] | None,
        std: Sequence[float] | None,
        spatial_dims: int,
        name: str,
    ) -> None:
        super().__init__()
        self.name, self.spatial_dims = name, spatial_dims
        self._hooked = Hooked(module, paths, spatial_dims)
        self.module = self._hooked.module
        self._takes = _input_channels(module, mean or std)
        like = next(self.module.parameters(), torch.zeros(()))
        for part, values in (("mean", mean), ("std", std)):
            given = [0.0 if part == "mean" else 1.0] * self._takes if values is None else list(values)
            if len(given) != self._takes:
                raise SettingsError(f"{part} has {len(given)} values; {name} takes {self._takes} channels")
            as_input = torch.tensor(given, dtype=like.dtype, device=like.device)
            self.register_buffer(part, as_input.reshape(1, -1, *(1,) * spatial_dims), persistent=False)
        blank = torch.zeros((1, self._takes, *(0,) * spatial_dims), dtype=like.dtype, device=like.device)
        self._shapes = ShapeTracer(module, paths, blank, name)
        traced = self._shapes.traced
        self._hooked.as_in(traced)
        self.layers = tuple(traced.calls)
        self._fields: dict[tuple[str, int], MeasuredFields] = {}
        self._exact: Hooked | None = None

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.get_buffer("mean").device

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers`` for x (N, channels, \\*space); see :class:`impasto.networks.network.Network`."""
        self._check(layers)
        size, smallest = " x ".join(map(str, x.shape[2:])), self.smallest_size(layers)
        if min(x.shape[2:]) < smallest:
            raise SizeError(f"{size} is too small for {', '.join(layers)}: every side must be at least {smallest}")
        if x.shape[1] not in (1, self._takes):
            raise SettingsError(f"{self.name} takes {self._takes} channels, or 1 that is grey; {x.shape[1]} were given")
        mean, std = self.get_buffer("mean"), self.get_buffer("std")
        a = ((x.to(mean.dtype) - mean) / std).expand(-1, self._takes, *x.shape[2:])
        try:
            return self._hooked(a.contiguous(), layers)
        except (RuntimeError, ValueError) as error:
            if ran_out_of_memory(error) or isinstance(error, SettingsError):
                raise
            raise SizeError(f"{self.name} cannot be computed for {size}: {first_line(error)}") from error

    def channels(self, layer: str) -> int:
        """n_C of the layer."""
        return self._shapes_at((self._shapes.side,) * self.spatial_dims, layer)[0]

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions along every axis with which the module computes these layers."""
        self._check(layers)
        return self._shapes.smallest_size(layers)

    def total_stride(self, layers: Collection[str]) -> int:
        """The least common multiple of the strides of everything that is computed down to these layers."""
        self._check(layers)
        return self._shapes.total_stride(layers)

    def grid(self, layer: str, space: Sequence[int]) -> tuple[int, ...]:
        """How many positions the layer has along each axis."""
        return self._shapes_at(space, layer)[1:]

    def field(self, layer: str, axis: int = 0) -> Field | None:
        """The receptive fields without borders, measured once; None if they cover the whole axis."""
        with self._measured(layer, axis) as fields:
            return fields.endless[0] if fields.endless else None

    def receptive_field(self, layer: str, position: int, extent: int, axis: int = 0) -> Interval:
        """The receptive field, as :class:`impasto.networks.measured.MeasuredFields` measures it."""
        count = self.grid(layer, self._along(axis, extent, layer))[axis]
        if not 0 <= position < count:
            raise SettingsError(f"position {position} is outside of {layer}, which has {count} for {extent}")
        with self._measured(layer, axis) as fields:
            return fields.at(position, extent)

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """Counted as in :meth:`impasto.networks.shapes.ShapeTracer.memory`."""
        self._check(layers)
        items, _, *space = shape
        return self._shapes.memory(space, items, layers, gradient=gradient)

    def _check(self, layers: Collection[str]) -> None:
        for name in layers:
            if name not in self.layers:
                raise unknown_layer(name, self.layers)

    def _shapes_at(self, space: Sequence[int], layer: str) -> tuple[int, ...]:
        self._check([layer])
        return self._shapes.at(space, [layer]).layers[layer]

    def _along(self, axis: int, extent: int, layer: str) -> tuple[int, ...]:
        """The smallest space with this extent along the axis."""
        smallest = self.smallest_size([layer])
        return tuple(extent if i == axis else smallest for i in range(self.spatial_dims))

    @contextmanager
    def _measured(self, layer: str, axis: int) -> Iterator[MeasuredFields]:
        """The fields of the layer; the float64 copy of the module that measures them is dropped afterwards."""
        if (layer, axis) not in self._fields:

            def touched(extent: int, parts: Sequence[Interval]) -> Tensor:
                return self._touched(layer, axis, extent, parts)

            self._fields[layer, axis] = MeasuredFields(
                touched,
                lambda extent: self.grid(layer, self._along(axis, extent, layer))[axis],
                self.smallest_size([layer]),
                self.total_stride([layer]),
                _MOST[self.spatial_dims],
            )
        try:
            yield self._fields[layer, axis]
        finally:
            self._exact = None

    def _touched(self, layer: str, axis: int, extent: int, parts: Sequence[Interval]) -> Tensor:
        """See :data:`impasto.networks.measured.Touched`."""
        if self._exact is None:
            # in float64 on the CPU, as fast convolutions in float32 spread NaN to neighbours
            self._exact = Hooked(self.module, {}, self.spatial_dims)
            self._exact.module.to("cpu", torch.float64)
            self._exact.as_in(self._hooked)
        space = self._along(axis, extent, layer)
        at_once, rows = max(1, _AT_ONCE // prod(space)), list[Tensor]()
        for begin in range(0, len(parts), at_once):
            some = parts[begin : begin + at_once]
            x = torch.full((len(some), self._takes, *space), 0.5, dtype=torch.float64)
            for item, (start, stop) in zip(x, some, strict=True):
                item.narrow(1 + axis, start, stop - start).fill_(torch.nan)
            with torch.inference_mode(False), torch.no_grad():
                a = self._exact(x, [layer])[layer]
            rows.append(a.isnan().movedim(2 + axis, 1).flatten(2).any(2))
        return torch.cat(rows)


def _input_channels(module: nn.Module, by_channel: Sequence[float] | None) -> int:
    """How many channels the module takes: as many as ``mean`` or ``std`` has, otherwise those of its first convolution."""
    if by_channel is not None:
        return len(by_channel)
    return next((part.in_channels for part in module.modules() if isinstance(part, nn.modules.conv._ConvNd)), 3)
