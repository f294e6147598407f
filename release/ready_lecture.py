"""Make src/impasto/lecture/ready.json, the lecture that comes with impasto: a cat in the style of impasto's own painting.

    python release/ready_lecture.py

Its pictures are those of scikit-image that are in the public domain or CC0, the EKG is one that ships with pydicom, the
volume the T1 template that nilearn ships (pip install nilearn). What an earlier, interrupted call has computed is taken
over; delete the file to compute everything anew. It takes about half an hour on two cores.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import skimage
from PIL import Image

from impasto import TransferSettings, top_patches, transfer_style
from impasto.errors import SignalError
from impasto.flow_painting import flow_painting
from impasto.lecture.compute import LectureProgress, compute_lecture
from impasto.lecture.lecture import Lecture
from impasto.lecture.patches import patches_part
from impasto.lecture.signals import EVALUATIONS, SERIES_BETA, SIDE, VOLUME_BETA, series_part, volume_part
from impasto.media.image.read import read_image, resample_image

ROOT = Path(__file__).parent.parent
READY = ROOT / "src" / "impasto" / "lecture" / "ready.json"
SIZE = 192

PHOTOGRAPHS = {
    "astronaut": "astronaut.png", "brick": "brick.png", "camera": "camera.png", "cat": "chelsea.png", "coffee": "coffee.png",
    "grass": "grass.png", "gravel": "gravel.png", "moon": "moon.png", "retina": "retina.jpg", "rocket": "rocket.jpg",
    "stars": "hubble_deep_field.jpg",
}  # fmt: skip
# chosen by eye: units of which the patches show what there is to be seen in their layer
UNITS = {
    "relu1_1": (2, 9, 11, 13, 5, 16, 12, 8, 36),
    "relu2_1": (6, 12, 18, 22, 28, 32, 39, 58, 70),
    "relu3_1": (7, 10, 19, 25, 29, 31, 38, 49, 62),
    "relu4_1": (12, 25, 37, 13, 58, 20, 41, 44, 30),
    "relu5_1": (15, 48, 6, 12, 63, 59, 51, 34, 45),
}


def patches() -> dict[str, Any]:
    """Nine units of each of five layers."""
    folder = Path(skimage.__file__).parent / "data"
    pictures: dict[str, Any] = {name: folder / file for name, file in PHOTOGRAPHS.items()}
    pictures["evening"] = flow_painting(512)
    return patches_part(top_patches(pictures, list(UNITS), per_image=3, size=320), UNITS, pictures)


def series() -> dict[str, Any]:
    """Five seconds of one lead of an EKG in the style of another lead."""
    lead = import_module("signals_figures").lead
    content, style = lead("Lead II", slice(0, 5000)), lead("Lead V1", slice(5000, 10000))
    painting = transfer_style(content, style, TransferSettings(beta=SERIES_BETA))
    about = {"names": ["lead II", "lead V1"], "unit": "µV", "beta": SERIES_BETA, "evaluations": len(painting.history)}
    return series_part(content, style, painting.signal, **about)


def volume() -> dict[str, Any]:
    """A brain in the style of the painting, by kernels of three dimensions."""
    volumes_figure: Any = import_module("volumes_figure")
    volumes_figure.SIDE = SIDE
    content, style = volumes_figure.brain(), flow_painting(384)
    settings = TransferSettings(size=SIDE, method="volume", iterations=EVALUATIONS["volume"], beta=VOLUME_BETA)
    painting = transfer_style(content, style, settings)
    small = resample_image(read_image(style), (round(SIZE * style.height / style.width), SIZE)).values
    about = {"title": "a brain (MRI)", "beta": VOLUME_BETA, "evaluations": len(painting.history)}
    return volume_part(content, small, painting.signal, **about)


def main() -> None:
    """Compute what is missing."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        lecture = Lecture.load(READY)
    except SignalError:
        lecture = Lecture("cat", "evening")

    def keep(progress: LectureProgress) -> None:
        if progress.draw is None:
            progress.lecture.save(READY)
            print(f"{progress.share:.0%}", progress.part, flush=True)

    cat = read_image(Image.open(Path(skimage.__file__).parent / "data" / PHOTOGRAPHS["cat"]))
    lecture = compute_lecture(cat, read_image(flow_painting(512)), begun=lecture, size=SIZE, on_progress=keep)
    for name, make in (("patches", patches), ("series", series), ("volume", volume)):
        if name not in lecture.parts:
            print(name, flush=True)
            lecture = lecture.with_part(name, make())
            lecture.save(READY)


if __name__ == "__main__":
    main()
