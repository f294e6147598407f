"""Make the sheet of docs/explore.md: from the photographs that scikit-image ships, cut into squares.

    python docs/explore_sheet.py

All of them are in the public domain or CC0, as scikit-image's documentation of each says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data

import impasto
from impasto.explore.render import sheet_of

NAMES = ("astronaut", "chelsea", "coffee", "rocket", "retina", "hubble_deep_field", "brick", "grass", "gravel")
SIDE = 224
LAYERS = "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1"


def squares() -> dict[str, impasto.Signal]:
    """Squares of SIDE pixels by name and place, each row of them half over the one above."""
    found: dict[str, impasto.Signal] = {}
    for name in NAMES:
        picture = np.asarray(getattr(skimage.data, name)())
        if name in ("retina", "hubble_deep_field"):
            picture = picture[::2, ::2]
        for top in range(0, picture.shape[0] - SIDE + 1, SIDE // 2):
            for left in range(0, picture.shape[1] - SIDE + 1, SIDE):
                square = picture[top : top + SIDE, left : left + SIDE]
                found[f"{name} {top},{left}"] = impasto.read_image(np.ascontiguousarray(square))
    return found


def main() -> None:
    """Find the patches and write the sheet beside this file."""
    photographs = squares()
    index = impasto.top_patches(photographs, LAYERS, units="0-11")
    sheet_of(index, sources=photographs).reduce(2).save(Path(__file__).parent / "explore-layers.jpg", quality=90)


if __name__ == "__main__":
    main()
