"""Make the strip of docs/volumes-and-movies.md: a slow pan over a photograph that scikit-image ships (coffee, CC0).

python docs/movie_strip.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

import impasto
from impasto.flow_painting import flow_painting
from impasto.signals.optical_flow import flicker

HERE = Path(__file__).parent
COUNT, WIDTH, HEIGHT, STEP = 16, 96, 72, 1.0
SHOWN = slice(5, 10)


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


def alone(movie: impasto.Signal, style: Image.Image) -> impasto.Signal:
    """Each frame that is shown painted as a picture of its own; the others as they were."""
    values = movie.values.copy()
    settings = impasto.TransferSettings(size=WIDTH, iterations=90)
    for i in range(*SHOWN.indices(COUNT)):
        frame = impasto.Signal(np.ascontiguousarray(movie.values[:, i]))
        values[:, i] = impasto.transfer_style(frame, style, settings).signal.values
    return movie.with_values(values)


def frames(movie: impasto.Signal, style: Image.Image) -> impasto.Signal:
    """The movie as ``impasto transfer`` paints it."""
    return impasto.transfer_style(movie, style, impasto.TransferSettings(size=WIDTH)).signal


def volume(movie: impasto.Signal, style: Image.Image) -> impasto.Signal:
    """The movie as ``--method volume`` paints it, in about the same time."""
    settings = impasto.TransferSettings(size=WIDTH, method="volume", iterations=40)
    return impasto.transfer_style(movie, style, settings).signal


def strip(rows: list[impasto.Signal]) -> Image.Image:
    """The frames that are shown, side by side, one row a movie."""
    values = np.concatenate([np.concatenate(list(row.values[:, SHOWN].swapaxes(0, 1)), 2) for row in rows], 1)
    picture = Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0))
    return picture.resize((2 * picture.width, 2 * picture.height), Image.Resampling.LANCZOS)


def main() -> None:
    """Paint the rows, tell the flicker of the frames shown, and write the strip."""
    content, style = pan(), flow_painting()
    rows = [content]
    for paint in (alone, frames, volume):
        rows.append(paint(content, style))
        part = [movie.with_values(np.ascontiguousarray(movie.values[:, SHOWN])) for movie in (content, rows[-1])]
        print(f"{paint.__name__}: flicker {flicker(*part):.2f}")
    strip(rows).save(HERE / "images" / "movie-methods.jpg", quality=80)


if __name__ == "__main__":
    main()
