"""Where in some pictures a unit is active: a heat map over the picture in grey, with a scale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from impasto.explore.activations import activations_of
from impasto.explore.patches import trained_network
from impasto.explore.sources import view
from impasto.media.signal import Signal
from impasto.networks.precision import computing_in
from impasto.studio.components.preview import preview_signal
from impasto.studio.components.result_view import data_uri
from impasto.studio.components.unit_browser import strength

_LONGEST = 480  # pixels of what the network sees here
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_GREYS = 0.25, 0.6  # between which the picture lies below the heat: light enough to be seen, and no rival to it
_OPAQUE, _WEAK = 0.85, 0.25  # how much of the picture heat hides, and the share of the scale by which it does
_STEPS = 9  # colours of the scale


def activation_maps(pictures: Mapping[str, Path], layer: str, unit: int, network_name: str = "vgg19") -> dict[str, Any]:
    """Where the unit is active in each picture, on one scale for all; a picture too small for the layer has no map.

    Returns:
        ``maps`` with the name, picture and note of each, and ``scale``: its colours from 0 to ``most``.

    Raises:
        SignalError: a picture cannot be read.
    """
    network, _ = trained_network(network=network_name)
    seen: dict[str, tuple[Signal, NDArray[np.float32], float]] = {}
    with torch.inference_mode(), computing_in("float32", network.device):
        for name, path in pictures.items():
            picture = view(path, _LONGEST)
            if min(picture.shape) >= network.smallest_size([layer]):
                a = activations_of(network, torch.from_numpy(picture.values), [layer])[layer][unit].clamp_min(0)
                # bilinear, as no colour shall tell more than there is
                grown = F.interpolate(a[None, None], picture.shape, mode="bilinear", align_corners=False)[0, 0]
                seen[name] = picture, grown.cpu().numpy(), float(a.max())
    if not seen:
        return {"maps": []}
    most = max(highest for _, _, highest in seen.values())
    maps: list[dict[str, str]] = []
    for name, (picture, a, highest) in seen.items():
        grey = np.tensordot(_LUMA, np.broadcast_to(picture.values, (3, *picture.shape)), 1)
        painted = heat(_GREYS[0] + (_GREYS[1] - _GREYS[0]) * grey, a / most if most else a)
        note = f"{name}: up to {strength(highest)}" if highest > 0 else f"{name}: silent"
        maps.append({"name": name, "picture": data_uri(preview_signal(Signal(painted))), "note": note})
    colours = heat(np.full(_STEPS, sum(_GREYS) / 2, np.float32), np.linspace(0, 1, _STEPS, dtype=np.float32))
    scale = [f"rgb({' '.join(str(round(255 * float(value))) for value in colour)})" for colour in colours.T]
    return {"maps": maps, "scale": scale, "most": strength(most)}


def heat(grey: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (3, \\*space) for values ``share`` of 0..1 over grey ones: where the value is 0 there is only the grey."""
    colours = matplotlib.colormaps["inferno"](0.3 + 0.7 * share)[..., :3].astype(np.float32)
    opaque = (_OPAQUE * np.minimum(1, share / _WEAK))[..., None]
    return np.moveaxis((1 - opaque) * grey[..., None] + opaque * colours, -1, 0).astype(np.float32)
