"""Pictures to begin with: some of scikit-image, if it is installed, and some that impasto has painted; none is fetched."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import EMPTY, data_uri
from impasto.studio.uploads import Upload

_CONTENTS = {"coffee": "coffee.png", "cat": "chelsea.png", "astronaut": "astronaut.png", "rocket": "rocket.jpg"}
_STYLES = {"stars": "hubble_deep_field.jpg"}
_PAINTINGS = ("evening", "waves", "meadow", "glass", "ember")  # made by release/ready_paintings.py
_READY = Path(__file__).parent / "ready"
_THUMBNAIL = 200
_EXAMPLE_WIDTH = 600
_EXAMPLE = Path(__file__).parent / "example.jpg"


class Gallery:
    """Ready contents and styles, by name."""

    def __init__(self) -> None:
        self.contents = _shipped(_CONTENTS)
        self._thumbnails: dict[str, list[dict[str, str]]] = {}
        self.styles = {name: _READY / f"{name}.jpg" for name in _PAINTINGS} | _shipped(_STYLES)

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
        if role not in self._thumbnails:
            small = {name: data_uri(preview_file(path, _THUMBNAIL)) for name, path in pictures.items()}
            self._thumbnails[role] = [{"name": name, "picture": picture} for name, picture in small.items()]
        return self._thumbnails[role]


def _shipped(names: dict[str, str]) -> dict[str, Path]:
    """Those of scikit-image's pictures that are files of its installation."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "data"
    return {name: folder / file for name, file in names.items() if (folder / file).is_file()}
