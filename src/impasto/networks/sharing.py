"""Weights that are in use are not read and made again: all networks of a process share them while one of them lives.

Between two scales of a run there is a moment in which no network lives; so a run keeps what it has used until its end.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextvars import ContextVar

from torch import Tensor

Tensors = Mapping[str, Tensor]

# values; smaller tensors cost nothing to keep, and networks have them in other shapes
_LARGE = 1000

_kept: ContextVar[dict[Hashable, Tensors] | None] = ContextVar("weights kept", default=None)
_alive: dict[Hashable, dict[str, tuple[Callable[[], Tensor | None], int]]] = {}
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def weights_kept(kept: dict[Hashable, Tensors]) -> Iterator[None]:
    """Within it what was shared stays, and as long as somebody has ``kept``, which holds it."""
    before = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(before)


def shared(key: Hashable, make: Callable[[], Tensors]) -> dict[str, Tensor]:
    """What ``make`` gives, or gave for the same ``key`` if it is still in use and nobody has changed it."""
    with _one_at_a_time:
        tensors = _still(key)
        if tensors is None:
            tensors = dict(make())
            for other in [other for other in _alive if _still(other) is None]:
                del _alive[other]
            _alive[key] = {name: (_reference(tensor), tensor._version) for name, tensor in tensors.items()}
        kept = _kept.get()
        if kept is not None:
            kept[key] = tensors
        return dict(tensors)


def _reference(tensor: Tensor) -> Callable[[], Tensor | None]:
    return weakref.ref(tensor) if tensor.numel() > _LARGE else lambda: tensor


def _still(key: Hashable) -> dict[str, Tensor] | None:
    tensors: dict[str, Tensor] = {}
    for name, (reference, version) in _alive.get(key, {}).items():
        tensor = reference()
        if tensor is None or tensor._version != version:
            return None
        tensors[name] = tensor
    return tensors or None
