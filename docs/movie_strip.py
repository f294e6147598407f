"""Make the strip of docs/volumes-and-movies.md: a slow pan over a photograph that scikit-image ships (coffee, CC0).

python docs/movie_strip.py STYLE     (the strip in the docs: Vincent van Gogh, The Starry Night, 1889)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

import impasto

COUNT, WIDTH, HEIGHT, STEP = 12, 128, 96, 1.0
SHOWN = (0, 3, 6, 9, 10, 11)


def pan() -> impasto.Signal:
    """The camera moves STEP pixels to the right and half as many down from frame to frame."""
    picture = Image.fromarray(skimage.data.coffee())
    scale = 0.8 * picture.width / (WIDTH + STEP * COUNT)
    frames = []
    for i in range(COUNT):
        x, y = 80 + scale * STEP * i, 40 + scale * STEP * i / 2
        box = (x, y, x + scale * WIDTH, y + scale * HEIGHT)
        frames.append(np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box), np.float32) / 255)
    return impasto.Signal(np.ascontiguousarray(np.stack(frames).transpose(3, 0, 1, 2)), "movie")


def strip(rows: list[impasto.Signal]) -> Image.Image:
    """The frames that are shown, side by side, one row a movie."""
    values = np.concatenate([np.concatenate([row.values[:, i] for i in SHOWN], 2) for row in rows], 1)
    picture = Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0))
    return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.BICUBIC)


def main() -> None:
    """Paint the movie, tell its flicker, and write the strip."""
    painting = impasto.transfer_style(pan(), sys.argv[1])
    print(f"flicker {painting.summary()['flicker']:.2f}")
    strip([painting.content, painting.signal]).save(Path(__file__).parent / "images" / "movie-flow.jpg", quality=88)


if __name__ == "__main__":
    main()
