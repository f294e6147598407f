"""Make the paintings to begin with in the studio, all made by rule: brush strokes, dots, a print of waves, panes of glass.

    python release/ready_paintings.py

writes src/impasto/studio/components/ready/*.jpg. Nothing of them is anybody's work, so they can go wherever impasto goes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from impasto.flow_painting import flow_painting

READY = Path(__file__).parent.parent / "src" / "impasto" / "studio" / "components" / "ready"
Array = NDArray[np.float64]
_SUPERSAMPLING = 2


def dotted_meadow(height: int = 512, seed: int = 3) -> Image.Image:
    """A meadow by a river in the afternoon, all of dots that the eye mixes, of 4/3 its ``height`` wide."""
    random = np.random.default_rng(seed)
    scale = height * _SUPERSAMPLING
    picture = Image.new("RGB", (scale * 4 // 3, scale), (226, 214, 186))
    brush = ImageDraw.Draw(picture)
    for radius, count in ((0.013, 9000), (0.008, 16000), (0.0055, 14000)):
        places = random.uniform((0, 0), (4 / 3, 1), (count, 2))
        for (x, y), tint in zip(places, _meadow(places, random), strict=True):
            r = radius * random.uniform(0.7, 1.15) * scale
            brush.ellipse((x * scale - r, y * scale - r, x * scale + r, y * scale + r), fill=_rgb(tint))
    return picture.resize((height * 4 // 3, height), Image.Resampling.LANCZOS)


def _meadow(xy: Array, random: np.random.Generator) -> Array:
    """The colour of a dot at each place: of what is there, of its light, or of what contrasts with it."""
    x, y = xy.T
    river = 0.52 + 0.05 * np.sin(2.3 * x + 0.4)
    bank = river + 0.13 + 0.05 * np.sin(3.1 * x + 1)
    crown = np.minimum(np.hypot((x - 0.28) / 0.24, (y - 0.3) / 0.27), np.hypot((x - 1.12) / 0.16, (y - 0.37) / 0.2))
    colours = np.where((y < river)[:, None], (156, 196, 224), (104, 158, 190))
    colours = np.where((y > bank)[:, None], (128, 172, 66), colours)
    colours = np.where((crown < 1)[:, None], (46, 104, 62), colours)
    colours = np.where(((y > bank) & (np.sin(9 * x + 5 * y) > 0.45))[:, None], (50, 98, 92), colours)  # shadows
    warm, cool = np.array((250, 196, 84)), np.array((112, 82, 158))
    kind = random.random(len(x))[:, None]
    light = (0.5 + 0.5 * np.sin(7 * x - 4 * y))[:, None]
    colours = np.where(kind < 0.20 * light + 0.04, 0.35 * colours + 0.65 * warm, colours)
    colours = np.where(kind > 0.84, 0.4 * colours + 0.6 * cool, colours)
    flowers = (y > bank) & (random.random(len(x)) < 0.10)
    colours = np.where(flowers[:, None], (222, 74, 70), colours)
    return colours + random.normal(0, 13, (len(x), 3))


def printed_waves(height: int = 512, seed: int = 5) -> Image.Image:
    """Waves under a pale sky, printed in flat colours with dark contours, of 4/3 its ``height`` wide."""
    random = np.random.default_rng(seed)
    scale, wide = height * _SUPERSAMPLING, height * 4 // 3 * _SUPERSAMPLING
    picture = Image.new("RGB", (wide, scale), (236, 224, 196))
    brush = ImageDraw.Draw(picture)
    brush.ellipse(_box(0.93 * scale, 0.24 * scale, 0.1 * scale), fill=(214, 92, 66))
    for at in np.linspace(0.06, 0.3, 5):  # mist
        brush.line([(x, (at + 0.012 * np.sin(x / scale * 3 + 9 * at)) * scale) for x in range(0, wide, 8)],
                   fill=(218, 200, 168), width=scale // 60)  # fmt: skip
    inks = [(168, 190, 186), (104, 148, 164), (54, 104, 140), (30, 68, 112), (20, 44, 82)]
    x = np.linspace(0, 4 / 3, 700)
    for row, ink in enumerate(np.repeat(inks, 2, axis=0)):
        top = 0.36 + 0.066 * row + 0.035 * np.sin(x * (5.2 - 0.2 * row) + 2.1 * row + random.uniform(0, 1))
        crest = 0.06 * np.clip(np.sin(x * 4.3 + 1.7 * row), 0, 1) ** 3
        edge = list(zip(x * scale, (top - crest) * scale, strict=True))
        brush.polygon([*edge, (wide, scale), (0, scale)], fill=_rgb(ink))
        for depth in (0.016, 0.032, 0.05):  # lines that follow the wave
            lower = list(zip(x * scale, (top - crest + depth) * scale, strict=True))
            brush.line(lower, fill=_rgb(np.array(ink) * 0.72), width=scale // 260)
        brush.line(edge, fill=(244, 240, 226), width=scale // 70)
        for place in np.flatnonzero(crest > 0.03)[::7]:  # foam
            r = random.uniform(0.005, 0.012) * scale
            spot = (edge[place][0] + random.normal(0, 6), edge[place][1] - r)
            brush.ellipse(_box(*spot, r), fill=(246, 242, 230), outline=(30, 50, 80), width=2)
        brush.line([(px, py - scale / 130) for px, py in edge], fill=(24, 40, 70), width=scale // 220)
    return picture.resize((height * 4 // 3, height), Image.Resampling.LANCZOS)


def leaded_panes(height: int = 512, seed: int = 11) -> Image.Image:
    """A sun over a valley in panes of coloured glass, of 4/3 its ``height`` wide."""
    from scipy.spatial import KDTree

    random = np.random.default_rng(seed)
    scale, wide = height * _SUPERSAMPLING, height * 4 // 3 * _SUPERSAMPLING
    hearts = random.uniform((0, 0), (4 / 3, 1), (420, 2))
    rows, columns = np.mgrid[0:scale, 0:wide] / scale
    distances, nearest = map(np.asarray, KDTree(hearts).query(np.stack([columns, rows], axis=-1), k=2))
    x, y = hearts.T
    sun = np.hypot(x - 0.95, y - 0.3)
    glass = np.where((sun < 0.14)[:, None], (252, 214, 92), (70, 124, 196))
    glass = np.where(((sun >= 0.14) & (np.sin(sun * 34) > 0.1))[:, None], (240, 146, 66), glass)
    glass = np.where((y > 0.6 + 0.08 * np.sin(5 * x))[:, None], (52, 130, 92), glass)
    glass = np.where((y > 0.8 + 0.06 * np.sin(7 * x + 2))[:, None], (140, 46, 84), glass)
    glass = np.clip(glass * random.normal(1, 0.16, (len(x), 1)) + random.normal(0, 10, (len(x), 3)), 0, 255)
    shine = 1 + 0.25 * np.sin(40 * columns + 23 * rows + 3 * nearest[..., 0])[..., None] * 0.5
    lead = np.clip((distances[..., 1] - distances[..., 0]) / 0.006, 0, 1)[..., None]
    picture = glass[nearest[..., 0]] * shine * lead + (1 - lead) * (26, 24, 30)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)).resize((height * 4 // 3, height), Image.Resampling.LANCZOS)


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return (x - radius, y - radius, x + radius, y + radius)


def _rgb(colour: Array) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.clip(colour, 0, 255))
    return red, green, blue


def ember(evening: Image.Image) -> Image.Image:
    """The strokes of the evening in other colours: red and blue change places."""
    red, green, blue = ImageOps.mirror(evening).split()
    return Image.merge("RGB", (blue, green, red))


def main() -> None:
    """Paint them all."""
    READY.mkdir(exist_ok=True)
    evening = flow_painting(512)
    made = {
        "evening": evening,
        "waves": printed_waves(384),
        "meadow": dotted_meadow(384),
        "glass": leaded_panes(384),
        "ember": ember(evening.resize((512, 384), Image.Resampling.LANCZOS)),
    }
    for name, painting in made.items():
        painting.save(READY / f"{name}.jpg", quality=78, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
