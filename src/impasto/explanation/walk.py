"""A picture goes through the network: of every layer the shape, what a position sees, and the most active channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from impasto.errors import SettingsError
from impasto.explanation.page import page_style, read_text
from impasto.explore.settings import parse_layers
from impasto.explore.trained import trained_network
from impasto.files import write_whole
from impasto.lecture.page import charts, in_script, whole_page
from impasto.lecture.pictures import data_uri, sprite, uri_of
from impasto.media.image.view import fit_image
from impasto.media.medium import Medium
from impasto.media.read_write import find_medium, read_signal
from impasto.media.signal import Signal, Values
from impasto.networks.layers import Layer
from impasto.networks.network import Network
from impasto.networks.precision import computing_in

SIZE = 256
"""The longest side that the network sees unless one says so."""
CHANNELS = 48
"""How many channels of a layer are drawn unless one says so."""
# pixels of the longer side of a thumbnail
_TILE = 96


@dataclass(frozen=True)
class Step:
    """What a layer makes of the picture.

    Attributes:
        layer: its name.
        operation: what it does, e.g. "conv"; empty if the network does not tell.
        shape: (n_C, height, width).
        field: the side of the receptive field in pixels; None if it is the whole picture.
        channels: those that are drawn, the most active first.
        peaks: the largest absolute value of each of them; white in its thumbnail.
        means: the mean of each of them.
        active: the share of all its values that are above 0.
        maps: the absolute values of these channels in 0..255, (channels, height, width), not larger than a thumbnail.
    """

    layer: str
    operation: str
    shape: tuple[int, int, int]
    field: int | None
    channels: tuple[int, ...]
    peaks: tuple[float, ...]
    means: tuple[float, ...]
    active: float
    maps: NDArray[np.uint8]


def walk(
    picture: Signal, network: Network, layers: Sequence[str], *, size: int = SIZE, channels: int = CHANNELS
) -> tuple[Values, list[Step]]:
    """The picture (3, height, width) as the network sees it, and what each layer makes of it; one after the other."""
    seen = fit_image(picture, size).values
    x = torch.from_numpy(np.ascontiguousarray(seen))[None].to(network.device)
    rows: dict[str, Layer] = {row.name: row for row in getattr(network, "table", ())}
    steps: list[Step] = []
    with torch.no_grad(), computing_in("float32", network.device):
        for layer in layers:
            a = network(x, [layer])[layer][0].cpu()
            if a.dim() != 3:
                raise SettingsError(f"{layer} has a shape of {tuple(a.shape)}; a layer with height and width was expected")
            field = network.field(layer)
            operation = rows[layer].operation if layer in rows else ""
            steps.append(_step(layer, operation, a, field and field.size, channels))
    return seen, steps


def _step(layer: str, operation: str, a: torch.Tensor, field: int | None, channels: int) -> Step:
    strength = a.abs().mean((1, 2))
    chosen = strength.argsort(descending=True, stable=True)[:channels]
    drawn = a[chosen].abs()
    peaks = drawn.amax((1, 2))
    scale = min(1.0, _TILE / max(a.shape[1:]))
    rows, columns = (max(1, round(n * scale)) for n in a.shape[1:])
    small = F.adaptive_avg_pool2d(drawn, (rows, columns))
    levels = (255 * small / small.amax((1, 2), keepdim=True).clamp_min(1e-12)).round().to(torch.uint8).numpy()
    count, height, width = a.shape
    return Step(
        layer,
        operation,
        (count, height, width),
        field,
        tuple(chosen.tolist()),
        tuple(peaks.tolist()),
        tuple(a[chosen].mean((1, 2)).tolist()),
        float((a > 0).double().mean()),
        levels,
    )


def walk_page(name: str, network: str, picture: Values, steps: Sequence[Step]) -> str:
    """The page: one HTML file that makes no request."""
    data = {
        "name": name,
        "network": network,
        "picture": uri_of(picture, 88),
        "shape": list(picture.shape),
        "steps": [_data(step) for step in steps],
    }
    script = charts() + read_text("walk.js") + f'walk(document.querySelector(".explain"), {in_script(data)});'
    return whole_page(f"{name}, layer by layer", page_style(), read_text("walk.html"), script)


def write_walk(
    source: str | Path,
    path: str | Path,
    layers: str = "all",
    *,
    size: int = SIZE,
    channels: int = CHANNELS,
    network: str | Network = "vgg19",
    weights: str | None = None,
    preprocessing: str = "auto",
    device: str = "auto",
) -> list[Step]:
    """Write the page of a picture's way through the network, whole or not at all; what its layers make of it.

    Args:
        source: the picture.
        path: the page.
        layers: which ones, by their names; "all" are those after a ReLU and the poolings.
        size: the longest side that the network sees.
        channels: how many channels of each layer are drawn, the most active ones.
        network: by name, or one that :func:`impasto.wrap` made; as it was trained.
        weights: of a VGG.
        preprocessing: what input they expect.
        device: where to compute.

    Raises:
        SettingsError: this is no picture, or there is no such network or layer.
        SignalError: it cannot be read, or the page not be written.
    """
    medium: Medium = find_medium(source)
    if not medium.is_picture:
        raise SettingsError(f"{source} is {medium.noun}; only pictures are walked through the layers yet")
    made, title = trained_network(weights, device, "image", preprocessing, network)
    picture = read_signal(source, longest=size)
    chosen = _with_pools(made) if layers == "all" else parse_layers(layers, made)
    seen, steps = walk(picture, made, chosen, size=size, channels=channels)
    write_whole(path, walk_page(Path(source).name, title, seen, steps).encode())
    return steps


def _with_pools(network: Network) -> tuple[str, ...]:
    rows: Sequence[Layer] = getattr(network, "table", ())
    return tuple(row.name for row in rows if row.operation in ("relu", "pool")) or network.layers


def _data(step: Step) -> dict[str, object]:
    columns = ceil(sqrt(len(step.maps)))
    return {
        "layer": step.layer,
        "operation": step.operation,
        "shape": step.shape,
        "field": step.field,
        "channels": step.channels,
        "peaks": [float(f"{x:.4g}") for x in step.peaks],
        "means": [float(f"{x:.4g}") for x in step.means],
        "active": float(f"{step.active:.4g}"),
        "columns": columns,
        "tile": step.maps.shape[1:],
        "maps": data_uri(sprite(step.maps, columns), 80),
    }
