"""Pictures to begin with: some of scikit-image, if it is installed, and some that impasto paints; none is fetched."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from impasto.files import write_whole
from impasto.flow_painting import flow_painting
from impasto.sample_paintings import dotted_meadow, leaded_panes, printed_waves
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import EMPTY, data_uri
from impasto.studio.uploads import Upload

_CONTENTS = {"coffee": "coffee.png", "cat": "chelsea.png", "astronaut": "astronaut.png", "rocket": "rocket.jpg"}
_STYLES = {"stars": "hubble_deep_field.jpg"}
_HEIGHT, _SMALLER, _THUMBNAIL = 512, 384, 200
_EXAMPLE_WIDTH = 600
_EXAMPLE = Path(__file__).parent / "example.jpg"


@cache
def _evening() -> Image.Image:
    return flow_painting(_HEIGHT)


def _ember() -> Image.Image:
    """The strokes of the evening in other colours: red and blue change places."""
    red, green, blue = ImageOps.mirror(_evening()).split()
    return Image.merge("RGB", (blue, green, red))


PAINTINGS: Mapping[str, Callable[[], Image.Image]] = {
    "evening": _evening,
    "waves": lambda: printed_waves(_SMALLER),
    "meadow": lambda: dotted_meadow(_SMALLER),
    "glass": lambda: leaded_panes(_SMALLER),
    "ember": _ember,
}
"""The styles that impasto paints itself."""


class Gallery:
    """Ready contents and styles, by name; those that impasto paints itself are made once, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.contents = _shipped(_CONTENTS)
        self.styles = {name: folder / f"{name}.png" for name in PAINTINGS} | _shipped(_STYLES)

    def prepare(self) -> None:
        """Paint what is not there yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, paint in PAINTINGS.items():
            if not self.styles[name].exists():
                write_whole(self.styles[name], _png(paint()))

    def pictures(self) -> dict[str, Path]:
        """All of them by name."""
        return {**self.contents, **self.styles}

    def example(self) -> dict[str, Any]:
        """A finished painting for the stage, before there is one of the visitor's own."""
        content = self.contents.get("coffee")
        return {
            **EMPTY,
            "content": "" if content is None else data_uri(preview_file(content)),
            "picture": data_uri(_EXAMPLE.read_bytes()),
            "natural": _EXAMPLE_WIDTH,
            "about": "An example: coffee in the style of evening",
            "hint": "Drop a photograph and a painting of yours on the tiles, or click two of the pictures below them.",
            "example": True,
        }

    def upload(self, role: str, name: str) -> Upload:
        """A ready picture as if it had been uploaded."""
        path = (self.contents if role == "content" else self.styles)[name]
        with Image.open(path) as picture:
            width, height = picture.size
        return Upload(path, name, path.suffix, (height, width), "image", f"{width} × {height}")

    def thumbnails(self, role: str) -> list[dict[str, str]]:
        """Name and small picture of each, for a signal input."""
        pictures = self.contents if role == "content" else self.styles
        return [{"name": name, "picture": data_uri(preview_file(path, _THUMBNAIL))} for name, path in pictures.items()]


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _shipped(names: dict[str, str]) -> dict[str, Path]:
    """Those of scikit-image's pictures that are files of its installation."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "data"
    return {name: folder / file for name, file in names.items() if (folder / file).is_file()}
