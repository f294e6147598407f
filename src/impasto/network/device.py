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
    available = available_devices()
    try:
        device = torch.device(available[0] if name == "auto" else name)
        if device.type in available:
            torch.empty(0, device=device)
            return device
    except (RuntimeError, AssertionError):
        pass  # the same as a kind that is not there
    raise SettingsError(f"device {name!r} is not available here; available: {', '.join(available)}")
