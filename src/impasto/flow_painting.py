"""A painting made by rule: brush strokes along a flow field, thick enough to cast shadows.

The demo's style. Nothing of it is anybody's work, so it can go wherever impasto goes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Array = NDArray[np.float64]

# x, y, radius (in heights of the picture), colour at the heart
_LIGHTS = [
    (0.98, 0.27, 0.150, (255, 214, 92)),
    (0.38, 0.20, 0.085, (255, 226, 140)),
    (0.62, 0.47, 0.055, (250, 196, 96)),
    (0.16, 0.42, 0.060, (244, 170, 88)),
    (1.20, 0.54, 0.050, (255, 206, 120)),
]
_SKY = np.array([(16, 28, 84), (24, 62, 142), (44, 112, 172), (120, 170, 170), (232, 176, 104)], float)
_LAND = np.array([(196, 132, 52), (92, 104, 52), (32, 66, 62), (18, 30, 54)], float)
_SUPERSAMPLING = 2


def flow_painting(height: int = 768, seed: int = 7) -> Image.Image:
    """Lights in an evening sky over hills, painted stroke by stroke, of 4/3 its ``height`` wide."""
    random = np.random.default_rng(seed)
    tall, wide = height * _SUPERSAMPLING, height * 4 // 3 * _SUPERSAMPLING
    colour = Image.new("RGB", (wide, tall), (96, 84, 70))
    relief = Image.new("L", (wide, tall), 90)
    brushes = ImageDraw.Draw(colour), ImageDraw.Draw(relief)
    # a painter's way: broad strokes to cover the canvas, finer ones over them
    for width, count in ((0.046, 1100), (0.026, 2200), (0.015, 3600), (0.009, 2400)):
        starts = random.uniform((-0.1, -0.05), (4 / 3 + 0.05, 1.05), (count, 2))
        paths = _streamlines(starts, step=width * 0.5, steps=14)
        for path, tint in zip(paths, _colours(starts, random), strict=True):
            _stroke(brushes, path * tall, width * tall, tint, random)
    for cx, cy, radius, heart in _LIGHTS:
        for ring in np.linspace(0.7, 0.1, 7):
            turn = np.linspace(0, 5.2, 24) + random.uniform(0, 2 * np.pi)
            path = np.stack([np.cos(turn), np.sin(turn)], axis=1) * ring * radius + (cx, cy)
            _stroke(brushes, path * tall, 0.17 * radius * tall, np.array(heart) * (1.06 - 0.14 * ring), random)
    return _lit(colour, relief, (height * 4 // 3, height))


def _streamlines(starts: Array, step: float, steps: int) -> Array:
    """Paths (stroke, point, xy) that follow the flow from ``starts``."""
    points = [starts]
    for _ in range(steps):
        points.append(points[-1] + step * _flow(points[-1]))
    return np.stack(points, axis=1)


def _flow(xy: Array) -> Array:
    """The unit direction of the strokes at points (n, 2): around the lights, in waves elsewhere, along the hills below."""
    x, y = xy.T
    angle = 0.55 * np.sin(5.1 * x + 1.3 * np.sin(4.0 * y)) + 0.35 * np.sin(9.0 * y - 3.0 * x)
    flow = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for i, (cx, cy, radius, _) in enumerate(_LIGHTS):
        away = xy - (cx, cy)
        distance = np.linalg.norm(away, axis=1, keepdims=True) + 1e-6
        tangent = np.stack([-away[:, 1], away[:, 0]], axis=1) / distance * (1 if i % 2 else -1)
        flow += 5 * tangent * np.exp(-((distance / (1.9 * radius)) ** 2))
    slope = (_horizon(x + 1e-3) - _horizon(x - 1e-3)) / 2e-3
    along = np.stack([np.ones_like(x), slope + 0.5 * np.sin(8 * x + 11 * y)], axis=1)
    flow = np.where((y > _horizon(x))[:, None], along, flow)
    return flow / (np.linalg.norm(flow, axis=1, keepdims=True) + 1e-9)


def _horizon(x: Array) -> Array:
    return 0.74 + 0.055 * np.sin(3.2 * x + 0.6) + 0.028 * np.sin(8.3 * x)


def _colours(xy: Array, random: np.random.Generator) -> Array:
    """A colour (n, 3) in 0..255 for each stroke, after the place where it begins."""
    x, y = xy.T
    horizon = _horizon(x)
    wave = 0.10 * np.sin(7 * x + 9 * y) + random.normal(0, 0.06, len(x))
    colours = np.where(
        (y > horizon)[:, None],
        _ramp(_LAND, (y - horizon) / (1 - horizon) + 2 * wave),
        _ramp(_SKY, (y / horizon).clip(0) ** 1.6 + wave),
    )
    for cx, cy, radius, heart in _LIGHTS:
        distance = np.hypot(x - cx, y - cy) / radius
        rings = 0.75 + 0.25 * np.cos(5.5 * distance)
        glow = np.exp(-((distance / 1.5) ** 2)) * rings * (y < horizon)
        colours += np.minimum(1, 1.15 * glow)[:, None] * (np.array(heart) - colours)
    return (colours * random.normal(1, 0.07, (len(x), 1)) + random.normal(0, 6, (len(x), 3))).clip(0, 255)


def _ramp(stops: Array, t: Array) -> Array:
    places = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(t.clip(0, 1), places, channel) for channel in stops.T], axis=1)


def _stroke(
    brushes: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw],
    path: Array,
    width: float,
    tint: Array,
    random: np.random.Generator,
) -> None:
    """One stroke: bristles side by side, each with a little more or less paint, longer in the middle."""
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-9)
    bristles = max(4, int(width / 5))
    for place in random.permutation(np.linspace(-1, 1, bristles)):
        shorter = int(abs(place) ** 2 * 4 + random.integers(0, 3))
        line = (path + across * (place * width / 2))[shorter : len(path) - shorter]
        paint = random.normal(0, 1)
        shade = tuple(int(v) for v in np.clip(tint * (1 + 0.07 * paint) + 3 * paint, 0, 255))
        thick = max(2, round(1.5 * width / bristles))
        points = [(float(x), float(y)) for x, y in line]
        if len(points) > 1:
            brushes[0].line(points, fill=shade, width=thick, joint="curve")
            ridge = 120 + 70 * (1 - place**2) + 32 * paint
            brushes[1].line(points, fill=int(min(255, max(0, ridge))), width=thick, joint="curve")


def _lit(colour: Image.Image, relief: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The canvas in raking light from the upper left, which shows how thick the paint is."""
    paint = np.asarray(colour.resize(size, Image.Resampling.LANCZOS), float)
    thickness = np.asarray(relief.resize(size, Image.Resampling.LANCZOS), float) / 255
    down, right = np.gradient(thickness)
    light = np.clip(1 + 0.9 * (down + right), 0.6, 1.5)[..., None]
    return Image.fromarray((paint * light).clip(0, 255).astype(np.uint8))
