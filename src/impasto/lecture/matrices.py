"""The style matrix as a heat map, of C, S and G, and where each channel is active in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.lecture.descents import USUAL, Figures
from impasto.lecture.pictures import data_uri, sprite, values_of
from impasto.lecture.scene import LAYERS, Scene
from impasto.objective.costs import style_matrix

CHANNELS = 16
COLUMNS = 4
"""Of the sheet of maps."""
_LARGEST_MAP = 48


def matrices_part(scene: Scene, before: Figures) -> Figures:
    """Of each layer the channels that are most active in C and S, their part of the style matrix, and their maps."""
    painted = before["balance"]["pictures"][f"{USUAL:g}"]["picture"]
    values = {"C": scene.content.values, "S": scene.style.values, "G": values_of(painted)}
    seen = {"C": scene.seen["content"], "S": scene.seen["style"], "G": scene.activations(values["G"], LAYERS)}
    layers = {layer: _layer({name: a[layer] for name, a in seen.items()}) for layer in LAYERS}
    return {"layers": layers, "columns": COLUMNS}


def _layer(activations: dict[str, Tensor]) -> dict[str, Any]:
    matrices = {name: style_matrix(a) for name, a in activations.items()}
    energy = sum(matrices[name].diag() / matrices[name].trace().clamp_min(1e-12) for name in ("C", "S"))
    assert isinstance(energy, Tensor)
    chosen = energy.argsort(descending=True, stable=True)[:CHANNELS]
    peaks = torch.stack([a[0, chosen].amax((1, 2)) for a in activations.values()]).amax(0).clamp_min(1e-12)
    return {
        "channels": chosen.tolist(),
        "of": len(energy),
        "peaks": [float(f"{peak:.4g}") for peak in peaks.tolist()],
        "signals": {
            name: {
                "matrix": [[float(f"{x:.4g}") for x in row] for row in matrices[name][chosen][:, chosen].tolist()],
                "space": list(a.shape[2:]),
                **_maps(a[0, chosen] / peaks[:, None, None]),
            }
            for name, a in activations.items()
        },
    }


def _maps(a: Tensor) -> dict[str, Any]:
    """The maps (channels, height, width) in 0..1, a sheet of grey tiles, and the size of one."""
    scale = min(1.0, _LARGEST_MAP / max(a.shape[1:]))
    height, width = (max(1, round(n * scale)) for n in a.shape[1:])
    small = F.adaptive_avg_pool2d(a[None], (height, width))[0].clamp(0, 1)
    tiles = np.asarray((small * 255).round().to(torch.uint8))
    return {"maps": data_uri(sprite(tiles, COLUMNS), None), "tile": [height, width]}
