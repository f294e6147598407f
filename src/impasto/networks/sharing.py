"""Networks of one process share their weights: what one of them still uses is not read and prepared again for the next.

The weights are freed with the last network that uses them. Between two scales of a run there is a moment without a network,
so a run keeps what it has used until its end (``weights_kept``).
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextvars import ContextVar

from torch import Tensor

Tensors = Mapping[str, Tensor]

# numbers in a tensor; smaller ones are always kept, as networks reshape them and hold no reference to the original
_LARGE = 1000

_kept: ContextVar[tuple[dict[Hashable, Tensors], ...]] = ContextVar("weights kept", default=())
_alive: dict[Hashable, dict[str, tuple[Callable[[], Tensor | None], int]]] = {}
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def weights_kept(kept: dict[Hashable, Tensors]) -> Iterator[None]:
    """Within it what was shared stays, and as long as somebody has ``kept``, which holds it."""
    before = _kept.set((*_kept.get(), kept))
    try:
        yield
    finally:
        _kept.reset(before)


def shared(key: Hashable, make: Callable[[], Tensors]) -> dict[str, Tensor]:
    """The tensors that ``make`` gave for this ``key``, if they are still in use and unchanged; otherwise made now."""
    with _one_at_a_time:
        tensors = _still(key)
        if tensors is None:
            tensors = dict(make())
            for other in [other for other in _alive if _still(other) is None]:
                del _alive[other]
            _alive[key] = {name: (_reference(tensor), tensor._version) for name, tensor in tensors.items()}
        for kept in _kept.get():
            kept[key] = tensors
        return dict(tensors)


def _reference(tensor: Tensor) -> Callable[[], Tensor | None]:
    """What gives the tensor while it is in use; a small one for ever."""
    return weakref.ref(tensor) if tensor.numel() > _LARGE else lambda: tensor


def _still(key: Hashable) -> dict[str, Tensor] | None:
    """The tensors of ``key``, or None if one of them is gone or was changed in place."""
    tensors: dict[str, Tensor] = {}
    for name, (reference, version) in _alive.get(key, {}).items():
        tensor = reference()
        if tensor is None or tensor._version != version:
            return None
        tensors[name] = tensor
    return tensors or None
