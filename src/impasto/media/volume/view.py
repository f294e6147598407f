"""Volumes as the network sees them when they are explored, and drawings of them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from impasto.media.image.view import enlarged, scale_to
from impasto.media.image.write import to_pillow
from impasto.media.medium import Stack
from impasto.media.signal import Signal, Values
from impasto.media.volume.files import resample_volume
from impasto.media.volume.plot import planes, sections

_GAP = 6  # pixels between the sections of a preview


def fit_volume(voxels: Signal, longest: int | None) -> Signal:
    """The volume with at most ``longest`` voxels along each axis; None keeps its size."""
    if longest is None or max(voxels.shape) <= longest:
        return voxels
    scale = longest / max(voxels.shape)
    return resample_volume(voxels, tuple(max(1, round(n * scale)) for n in voxels.shape))


def draw_section(cube: Signal, size: tuple[int, int]) -> Image.Image:
    """The middle section across the first axis, as a picture of (width, height) = ``size``."""
    return _draw_plane(cube.values[:, cube.shape[0] // 2], size)


def overview_volume(voxels: Signal, longest: int) -> Image.Image:
    """The mean of the volume along its first axis, at most ``longest`` pixels: shows where a part lies, at any depth."""
    return _draw_plane(voxels.values.mean(1), scale_to(voxels.shape, longest, enlarge=True))


def preview_volume(volume: Signal, longest: int) -> Image.Image:
    """Three orthogonal sections through its middle, side by side."""
    planes: list[Image.Image] = []
    for _, section, aspect in sections(volume):
        plane = to_pillow(Signal(np.broadcast_to(np.moveaxis(section, -1, 0), (3, *section.shape[:2])).astype(np.float32)))
        planes.append(plane.resize((plane.width, max(1, round(plane.height * aspect)))))
    scale = (longest - 2 * _GAP) / sum(plane.width for plane in planes)
    planes = [plane.resize((max(1, int(plane.width * scale)), max(1, int(plane.height * scale)))) for plane in planes]
    picture = Image.new("RGB", (longest, max(plane.height for plane in planes)))
    left = 0
    for plane in planes:
        picture.paste(plane, (left, (picture.height - plane.height) // 2))
        left += plane.width + _GAP
    return picture


def stack_volume(volume: Signal, longest: int) -> list[Stack]:
    """The slices across each axis, at most ``longest`` of them and of so many pixels, upright if the file tells how."""
    counts = [len(stack) for _, stack, _ in planes(volume)]
    return [
        Stack(name, stack if stack.shape[-1] in (1, 3) else stack.mean(-1, keepdims=True), aspect, count)
        for (name, stack, aspect), count in zip(planes(fit_volume(volume, longest)), counts, strict=True)
    ]


def _draw_plane(plane: Values, size: tuple[int, int]) -> Image.Image:
    return enlarged(to_pillow(Signal(np.broadcast_to(plane, (3, *plane.shape[1:])))), size)
