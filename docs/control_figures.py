"""Make the figures of docs/control.md: scikit-image's `chelsea` in the style of two paintings.

python docs/control_figures.py STARRY_NIGHT GREAT_WAVE [colour strength styles cost smooth stroke]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import chelsea

from impasto import TransferSettings, transfer_style

HERE = Path(__file__).parent / "images"
HOW = {"size": 256, "iterations": 80}
NIGHT, WAVE = sys.argv[1:3]

# each figure is a row of pictures: the style or styles, and the settings
FIGURES = {
    "colour": [(NIGHT, {"colour": colour}) for colour in ("style", "match", "content", "luminance")],
    "strength": [(NIGHT, {"strength": strength}) for strength in (0, 0.25, 0.5, 0.75, 1)],
    "styles": [([(NIGHT, 1 - share), (WAVE, share)], {}) for share in (0, 0.3, 0.6, 1)],
    "cost": [(NIGHT, {"style_cost": cost}) for cost in ("gram", "wasserstein")],
    "smooth": [(NIGHT, {"tv": weight}) for weight in (0, 1, 5)],
    "stroke": [(NIGHT, {"stroke": stroke}) for stroke in (0.5, 1, 2)],
}

for name in sys.argv[3:] or FIGURES:
    row = [transfer_style(chelsea(), style, TransferSettings(**HOW, **settings)).image for style, settings in FIGURES[name]]
    Image.fromarray(np.concatenate([np.asarray(picture) for picture in row], axis=1)).save(
        HERE / f"control-{name}.jpg", quality=90
    )
    print(name, flush=True)
