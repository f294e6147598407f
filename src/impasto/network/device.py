"""Where to compute."""

from __future__ import annotations

import torch

from impasto.errors import SettingsError


def available_devices() -> list[str]:
    """The kinds of device that torch can use here, the fastest first."""
    backends = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [name for name, available in backends.items() if available]


def find_device(name: str) -> torch.device:
    """The device of that name; for "auto" the fastest kind there is.

    Raises:
        SettingsError: there is no such device here.
    """
    try:
        device = torch.device(available_devices()[0] if name == "auto" else name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        available = ", ".join(available_devices())
        raise SettingsError(f"device {name!r} is not available here; available: {available}") from None
    return device
