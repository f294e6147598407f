"""How exactly a CUDA device computes convolutions and products of matrices; any other device computes in float32."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Literal

import torch

log = logging.getLogger("impasto")

Precision = Literal["float32", "tf32", "bfloat16"]

_IN_BFLOAT16: ContextVar[bool] = ContextVar("in_bfloat16", default=False)


@contextmanager
def computing_in(precision: Precision, device: torch.device) -> Iterator[None]:
    """Within it networks compute on ``device`` in this precision; sums, costs and the descent stay in float32.

    torch has one switch for TF32 in the whole process: it is put back at the end.

    Args:
        precision: "float32"; "tf32", whose convolutions round what they multiply to 10 bits; or "bfloat16", whose
            activations have 7 bits.
        device: where; if it is no CUDA device this changes nothing, and one line tells that of "bfloat16".
    """
    if device.type != "cuda":
        if precision == "bfloat16":
            log.warning("precision bfloat16 is for CUDA devices: the %s computes in float32", device.type)
        yield
        return
    switches = _switches()
    before = [getattr(owner, name) for owner, name, *_ in switches]
    half = _IN_BFLOAT16.set(precision == "bfloat16")
    try:
        for owner, name, exact, rounded, of_convolutions in switches:
            setattr(owner, name, rounded if precision == "tf32" and of_convolutions else exact)
        yield
    finally:
        _IN_BFLOAT16.reset(half)
        for (owner, name, *_), value in zip(switches, before, strict=True):
            setattr(owner, name, value)


def reduced(device: torch.device) -> AbstractContextManager[Any]:
    """Within it torch computes convolutions and products in bfloat16, if that is the precision to compute in."""
    return torch.autocast(device.type, torch.bfloat16) if _IN_BFLOAT16.get() and device.type == "cuda" else nullcontext()


def _switches() -> list[tuple[Any, str, Any, Any, bool]]:
    """torch's switches: their owner and name, their values for float32 and TF32, and whether they are of convolutions."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(cudnn, "conv"):  # since torch 2.9
        return [(cudnn.conv, "fp32_precision", "ieee", "tf32", True), (matmul, "fp32_precision", "ieee", "tf32", False)]
    return [(cudnn, "allow_tf32", False, True, True), (matmul, "allow_tf32", False, True, False)]
