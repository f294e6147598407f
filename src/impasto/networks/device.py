"""The device to compute on, and what happens when its memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import psutil
import torch

from impasto.errors import SettingsError, SizeError

Item = TypeVar("Item")

# in the text of a RuntimeError, where torch has no error type of its own for it
_OUT_OF_MEMORY = (
    "DefaultCPUAllocator: ",
    "out of memory",
    "not enough memory: you tried to allocate",
    "_ALLOC_FAILED",  # of CUDA's libraries
)


def available_devices() -> list[str]:
    """The kinds of device that torch can use here, the fastest first."""
    backends = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name, available in backends.items() if available]


def find_device(name: str) -> torch.device:
    """The device of that name; for "auto" the fastest kind there is.

    Raises:
        SettingsError: there is no such device here.
    """
    available = available_devices()
    try:
        device = torch.device(available[0] if name == "auto" else name)
        if device.type in available:
            torch.empty(0, device=device)
            return device
    except (RuntimeError, AssertionError):
        pass  # a device that cannot be used is told like one that is not there
    raise SettingsError(f"device {name!r} is not available here; available: {', '.join(available)}")


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether the error says that there was no memory for a tensor; for the CPU only its text tells."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY)
    )


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device; on a GPU also those that torch keeps of what this process has freed."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    return psutil.virtual_memory().available


@contextmanager
def memory_told(device: torch.device, advice: str = "give a smaller --size") -> Iterator[None]:
    """Within it one line tells that the memory of ``device`` ran out.

    Raises:
        SizeError: it did; the error of torch is its cause.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        raise SizeError(f"the memory of the {device.type} ran out: {advice}") from error


def memory_watched(steps: Iterator[Item], device: torch.device) -> Iterator[Item]:
    """The steps of a computation on ``device``, one by one as they are made.

    Raises:
        SizeError: the memory ran out in one of them; the error of torch is its cause.
    """
    with memory_told(device):
        yield from steps
