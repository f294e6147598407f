"""Where to compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import torch

from impasto.errors import SettingsError, SizeError

Item = TypeVar("Item")

# how torch says it where it has no type for it
_OUT_OF_MEMORY = ("DefaultCPUAllocator: ", "out of memory", "not enough memory: you tried to allocate")


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
        pass  # the same as a kind that is not there
    raise SettingsError(f"device {name!r} is not available here; available: {', '.join(available)}")


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether it says that a tensor found no place; of a CPU torch has no type for that."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY)
    )


def memory_watched(steps: Iterator[Item], device: torch.device) -> Iterator[Item]:
    """The steps of a computation on the device.

    Raises:
        SizeError: its memory ran out in one of them; the cause tells where.
    """
    try:
        yield from steps
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        raise SizeError(f"the memory of the {device.type} ran out: give a smaller --size") from error
