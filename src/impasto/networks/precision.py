"""How exactly a CUDA device computes convolutions; any other device computes in float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, Literal, TypeVar

import torch

Precision = Literal["float32", "tf32"]
Item = TypeVar("Item")

# torch's switches are of the whole process, so one thread at a time has them
_SWITCHES = RLock()


@contextmanager
def computing_in(precision: Precision, device: torch.device) -> Iterator[None]:
    """Within it convolutions on ``device`` are computed in this precision, and products of matrices in float32.

    torch has one switch for all threads of the process. It is put back at the end, and other threads that come here wait
    until then; so nothing of the caller's own is to be called within.

    Args:
        precision: "float32"; or "tf32", which rounds what is multiplied to 10 bits.
        device: where; if it is no CUDA device nothing is switched, and nobody waits.
    """
    if device.type != "cuda":
        yield
        return
    with _SWITCHES:
        switches = _switches()
        before = [getattr(owner, name) for owner, name, _ in switches]
        try:
            for owner, name, values in switches:
                setattr(owner, name, values[precision])
            yield
        finally:
            for (owner, name, _), value in zip(switches, before, strict=True):
                setattr(owner, name, value)


def computed_in(precision: Precision, device: torch.device, steps: Iterator[Item]) -> Iterator[Item]:
    """The steps of a computation, each computed in this precision; between two of them others may compute in theirs."""
    while True:
        with computing_in(precision, device):
            try:
                step = next(steps)
            except StopIteration:
                return
        yield step


def _switches() -> list[tuple[Any, str, dict[Precision, Any]]]:
    """torch's switches: their owner, their name and their values."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    new = hasattr(cudnn, "conv")  # since torch 2.9
    name, exact, rounded = ("fp32_precision", "ieee", "tf32") if new else ("allow_tf32", False, True)
    return [
        (cudnn.conv if new else cudnn, name, {"float32": exact, "tf32": rounded}),
        (matmul, name, {"float32": exact, "tf32": exact}),
    ]
