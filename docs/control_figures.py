"""Make the figures of docs/control.md: scikit-image's `chelsea`, `coffee` and `astronaut` in the style of two paintings.

python docs/control_figures.py STARRY_NIGHT GREAT_WAVE [colour strength styles masks protect cost smooth stroke scales plain
    draw]
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from skimage.data import astronaut, chelsea, coffee

from impasto import TransferSettings, transfer_style

HERE = Path(__file__).parent / "images"
HOW: dict[str, Any] = {"size": 256, "iterations": 40}
NIGHT, WAVE = sys.argv[1:3]
MASKS = Path(tempfile.mkdtemp())
KNOWN = {}


def mask(name, size, *ellipses, ground="black"):
    """A mask file: white ellipses on a ground."""
    picture = Image.new("L", size, ground)
    for ellipse in ellipses:
        ImageDraw.Draw(picture).ellipse(ellipse, fill="white")
    picture.save(MASKS / name)
    return str(MASKS / name)


def painted(content, style, **settings):
    """The picture that these settings give; each is painted once."""
    how = TransferSettings(**HOW | settings)
    key = content.shape, str(style), how
    if key not in KNOWN:
        painting = transfer_style(content, style, how)
        print(how.size, len(painting.history), painting.best.cost, f"{painting.history[-1].seconds:.0f} s", flush=True)
        KNOWN[key] = painting.image
    return KNOWN[key]


def shown(path):
    """A mask as a picture of the row."""
    return Image.open(path).convert("RGB")


def masks():
    """Masks of content and styles, and what they give."""
    cup = mask("cup.png", (600, 400), (95, 25, 505, 365))
    night, wave = mask("night.png", (64, 64), ground="white"), mask("wave.png", (64, 64))
    where = {"content_mask": cup, "style_mask": [night, wave]}
    yield from (Image.fromarray(coffee()), shown(cup), painted(coffee(), [NIGHT, WAVE], iterations=None, **where))


def protect():
    """What is kept, and what is painted around it."""
    kept = mask("kept.png", (451, 300), (105, 60, 205, 150), (245, 60, 345, 150))
    yield from (shown(kept), painted(chelsea(), NIGHT), painted(chelsea(), NIGHT, protect=kept))


def scales():
    """The same at two sizes, and the larger one painted all at once."""
    for size, count in ((512, "auto"), (1024, "auto"), (1024, 1)):
        yield (
            painted(coffee(), NIGHT, size=size, scales=count, iterations=None)
            .crop(tuple(round(size * n) for n in (0.1, 0.05, 0.6, 0.55)))
            .resize((384, 384), Image.Resampling.LANCZOS)
        )


def plain():
    """What the defaults give, and 500 evaluations at full size."""
    for how in ({"iterations": None}, {"iterations": 500, "scales": 1}):
        yield painted(coffee(), NIGHT, size=512, **how)


def of_cat(*settings):
    """The cat in the style of the night, with each of the settings."""
    return lambda: (painted(chelsea(), NIGHT, **each) for each in settings)


# each figure is a row of pictures
FIGURES = {
    "colour": of_cat(*({"colour": colour} for colour in ("style", "match", "content", "luminance"))),
    "strength": of_cat(*({"strength": strength} for strength in (0, 0.25, 0.5, 0.75, 1))),
    "styles": lambda: (
        painted(chelsea(), style) for style in (NIGHT, [(NIGHT, 0.7), (WAVE, 0.3)], [(NIGHT, 0.4), (WAVE, 0.6)], WAVE)
    ),
    "masks": masks,
    "protect": protect,
    "cost": of_cat({}, {"style_cost": "wasserstein"}),
    "smooth": of_cat({}, {"tv": 20}, {"tv": 60}),
    "stroke": of_cat({"stroke": 0.5}, {}, {"stroke": 2}),
    "scales": scales,
    "plain": plain,
    "draw": lambda: (painted(astronaut(), WAVE, size=384, iterations=None, draw=draw) for draw in (0, 0.5, 1)),
}

if __name__ == "__main__":
    for name in sys.argv[3:] or FIGURES:
        row = list(FIGURES[name]())
        height = min(picture.height for picture in row)
        row = [picture.resize((round(picture.width * height / picture.height), height)) for picture in row]
        Image.fromarray(np.concatenate([np.asarray(picture) for picture in row], axis=1)).save(
            HERE / f"control-{name}.jpg", quality=90
        )
        print(name, flush=True)
