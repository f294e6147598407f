"""Pictures to begin with: those of scikit-image, if it is installed, and two that impasto paints itself; none is fetched."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

from impasto.flow_painting import flow_painting
from impasto.studio.components.preview import preview_file
from impasto.studio.components.result_view import data_uri
from impasto.studio.uploads import Upload

_CONTENTS = {"coffee": "coffee.png", "cat": "chelsea.png", "astronaut": "astronaut.png", "rocket": "rocket.jpg"}
_STYLES = {"stars": "hubble_deep_field.jpg", "retina": "retina.jpg", "gravel": "gravel.png"}
_PAINTING, _NIGHT = "evening", "ember"
_HEIGHT, _THUMBNAIL = 512, 96


class Gallery:
    """Ready contents and styles, by name; those that impasto paints itself are made once, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.contents = _shipped(_CONTENTS)
        self.styles = {_PAINTING: folder / f"{_PAINTING}.png", _NIGHT: folder / f"{_NIGHT}.png", **_shipped(_STYLES)}

    def prepare(self) -> None:
        """Paint what is not there yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not all(self.styles[name].exists() for name in (_PAINTING, _NIGHT)):
            painting = flow_painting(_HEIGHT)
            painting.save(self.styles[_PAINTING])
            # the same strokes in other colours: red and blue change places
            red, green, blue = ImageOps.mirror(painting).split()
            Image.merge("RGB", (blue, green, red)).save(self.styles[_NIGHT])

    def pictures(self) -> dict[str, Path]:
        """All of them by name."""
        return {**self.contents, **self.styles}

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


def _shipped(names: dict[str, str]) -> dict[str, Path]:
    """Those of scikit-image's pictures that are files of its installation."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "data"
    return {name: folder / file for name, file in names.items() if (folder / file).is_file()}
