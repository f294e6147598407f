"""What follows from the shapes of a module's activations: grids, the smallest signal, strides, memory; nothing is computed.

Shapes are found on torch's device "meta", where tensors have no values. A module that cannot go there is computed as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import lcm, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from impasto.errors import SettingsError, SizeError
from impasto.files import first_line
from impasto.networks.hooks import Hooked

# sides of signals on which a module is tried, the first that it takes; where it must be computed, few of them
_SIDES, _FEW_SIDES = (64, 224, 32, 128, 256, 512, 2048, 8192, 32768), (64, 224, 32, 128)
# a signal is made so much longer to measure strides: a multiple of all usual ones; where it must be computed, of some
_LONGER, _LITTLE_LONGER = 2**8 * 3 * 5 * 7, 2**6
_REMEMBERED = 1000


class Shapes(NamedTuple):
    """(n_C, \\*space) of the layers, and the shapes of the outputs of all innermost modules on the way."""

    layers: dict[str, tuple[int, ...]]
    outputs: list[tuple[int, ...]]


class ShapeTracer:
    """The shapes of a module.

    Args:
        module: any module; see :class:`impasto.networks.hooks.Hooked`, as for ``paths``.
        paths: of submodules, by the names of the layers.
        blank: what it takes: (items, channels, \\*space) of zeros.
        name: what the module is called in messages.

    Attributes:
        traced: the copy that is looked at; it knows how often the layers are called.
        side: of a signal that the module takes.

    Raises:
        SettingsError: the module cannot be computed, or a layer is none.
    """

    def __init__(self, module: nn.Module, paths: Mapping[str, str], blank: Tensor, name: str) -> None:
        self._blank_like, self._dims, self.name = blank, blank.dim() - 2, name
        self._shapes: dict[tuple[Any, ...], Shapes] = {}
        self._smallest: dict[frozenset[str], int] = {}
        failure: Exception | None = None
        for device, sides in (("meta", _SIDES), (None, _FEW_SIDES)):
            self.traced, self._is_meta = Hooked(module, paths, self._dims, device, outputs=True), device is not None
            for self.side in sides:
                try:
                    with torch.inference_mode(False), torch.no_grad():
                        self.traced.learn(self._blank(self._cube(self.side)))
                    self.traced.turned = self._channels_last()
                    self._shapes.clear()
                    return
                except SettingsError:
                    raise
                except Exception as error:  # whatever a module says of a signal that it does not take
                    failure = failure or error
        takes = f"signals of {blank.shape[1]} channels and {self._dims} axes"
        raise SettingsError(f"{name} cannot be computed for {takes}: {first_line(failure or Exception())}") from failure

    def at(self, space: Sequence[int], layers: Collection[str]) -> Shapes:
        """The shapes for a signal of this space.

        Raises:
            SizeError: the module does not take it.
        """
        key = (tuple(space), *layers)
        if key not in self._shapes:
            try:
                with torch.inference_mode(False), torch.no_grad():
                    found, outputs = self.traced.trace(self._blank(space), layers)
            except Exception as error:  # whatever a module says of a signal that it does not take
                size = " x ".join(map(str, space))
                raise SizeError(f"{self.name} cannot be computed for {size}: {first_line(error)}") from error
            if len(self._shapes) > _REMEMBERED:
                self._shapes.clear()
            shapes = {name: tuple(a.shape[1:]) for name, a in found.items()}
            self._shapes[key] = Shapes(shapes, [tuple(a.shape[1:]) for a in outputs])
        return self._shapes[key]

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions along every axis that the module takes, down to these layers; found by halving."""
        key = frozenset(layers)
        if key not in self._smallest:
            low, high = 0, self.side
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._takes(middle, layers) else (middle, high)
            self._smallest[key] = high
        return self._smallest[key]

    def total_stride(self, layers: Collection[str]) -> int:
        """The least common multiple of the strides of all that is computed down to the layers."""
        longer = _LONGER if self._is_meta else _LITTLE_LONGER
        shapes = self.at(self._cube(self.side), layers)
        if not self._takes(self.side + longer, layers):
            return lcm(*(max(1, self.side // n) for _, *space in shapes.layers.values() for n in space))
        after = self.at(self._cube(self.side + longer), layers)
        steps = 1
        for few, many in zip(
            [*shapes.layers.values(), *shapes.outputs], [*after.layers.values(), *after.outputs], strict=True
        ):
            if len(few) == self._dims + 1:
                more = [n - m for m, n in zip(few[1:], many[1:], strict=True)]
                steps = lcm(steps, *(longer // n for n in more if n > 0 and longer % n == 0))
        return steps

    def memory(self, space: Sequence[int], items: int, layers: Collection[str], *, gradient: bool) -> int:
        """Bytes of what is kept for the way back and of the layers, and twice the largest output beside them.

        Counted on a computation of this shape, or where it would have to be computed on a small one.
        """
        seen = tuple(space) if self._is_meta else self._cube(self.side)
        x = self._blank(seen, items).requires_grad_(gradient)
        stored: dict[int, Any] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            stored[storage._cdata] = storage
            return tensor

        hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
        with torch.inference_mode(False), torch.enable_grad() if gradient else torch.no_grad(), hooks:
            found, outputs = self.traced.trace(x, layers)
        for a in (x, *found.values()):
            keep(a)
        weights = {tensor.untyped_storage()._cdata for tensor in _tensors(self.traced.module)}
        kept = sum(storage.nbytes() for at, storage in stored.items() if at not in weights)
        beside = 2 * max(a.numel() * a.element_size() for a in (x, *outputs))
        return round((kept + beside) * prod(space) / prod(seen))

    def _channels_last(self) -> set[str]:
        """The layers that give (N, \\*space, n_C), as those of Swin: what grows with the signal are no channels."""
        layers, sides = self.traced.calls, (self.side, 2 * self.side)
        if not self._takes(sides[1], layers):
            return set()
        few, many = (self.at(self._cube(side), layers).layers for side in sides)
        return {name for name in layers if few[name][0] != many[name][0] and few[name][-1] == many[name][-1]}

    def _takes(self, side: int, layers: Collection[str]) -> bool:
        try:
            return all(min(shape) > 0 for shape in self.at(self._cube(side), layers).layers.values())
        except SizeError:
            return False

    def _cube(self, side: int) -> tuple[int, ...]:
        return (side,) * self._dims

    def _blank(self, space: Sequence[int], items: int = 1) -> Tensor:
        like = self._blank_like
        device = "meta" if self._is_meta else next(_tensors(self.traced.module), like).device
        return torch.zeros((items, like.shape[1], *space), device=device, dtype=like.dtype)


def _tensors(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()
