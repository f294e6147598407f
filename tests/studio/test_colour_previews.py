"""The sketches of the ways to treat colours: there in no time, and true to what the paintings will be."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from impasto.media.image.colour import COLOURS, luminance
from impasto.studio.colour_previews import LONGEST, colour_previews, lay, thumbnail
from impasto.studio.components.colour_choice import COLOUR_WORDS
from impasto.studio.uploads import Upload
from impasto.transfer.choices import CHOICES
from impasto.transfer.painter import transfer_style
from impasto.transfer.settings import TransferSettings


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> list[Upload]:
    """A red content and a blue and yellow style."""
    from skimage import data

    folder = tmp_path_factory.mktemp("pictures")
    coffee = Image.fromarray(data.coffee()).resize((192, 128))
    coffee.save(folder / "content.png")
    red, green, blue = Image.fromarray(data.retina()).resize((160, 160)).split()
    Image.merge("RGB", (blue, green, red)).save(folder / "style.png")
    return [Upload(folder / f"{name}.png", name, ".png", (128, 192)) for name in ("content", "style")]


def pixels(uri: str) -> np.ndarray:
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    return np.asarray(picture, np.float32).transpose(2, 0, 1) / 255


def test_each_way_has_a_word_and_a_sketch(uploads: list[Upload]):
    assert set(COLOUR_WORDS) == set(CHOICES["colour"]) == set(COLOURS)
    found = colour_previews(uploads[0], uploads[1:])
    assert set(found) == set(COLOURS) and len(set(found.values())) == len(COLOURS)
    assert all(max(pixels(uri).shape) == LONGEST for uri in found.values())


def test_the_sketches_keep_what_the_ways_keep(uploads: list[Upload]):
    content = thumbnail(uploads[0].path)
    found = {name: pixels(uri) for name, uri in colour_previews(uploads[0], uploads[1:]).items()}

    def chroma(picture: np.ndarray) -> np.ndarray:
        return picture - luminance(picture)

    far = {name: float(np.abs(chroma(picture) - chroma(content)).mean()) for name, picture in found.items()}
    assert max(far["content"], far["luminance"]) < 0.5 * far["style"]
    light = {name: abs(float(luminance(picture).mean() - luminance(content).mean())) for name, picture in found.items()}
    assert light["luminance"] < 0.05 and light["match"] < 0.05


def test_two_styles_are_laid_by_their_weights():
    content = np.random.default_rng(0).random((3, 32, 32), np.float32)
    black, white = np.zeros((3, 32, 32), np.float32), np.ones((3, 32, 32), np.float32)
    mostly = [lay([(black, 1 - share), (white, share)], content).mean() for share in (0.1, 0.5, 0.9)]
    assert mostly == sorted(mostly) and mostly[0] < 0.25 and mostly[2] > 0.75


def test_a_style_smaller_than_a_patch():
    content = np.random.default_rng(0).random((3, 9, 5), np.float32)
    assert lay([(np.full((3, 2, 3), 0.25, np.float32), 1.0)], content) == pytest.approx(0.25)


@pytest.mark.slow
def test_of_all_sketches_that_of_its_way_is_about_the_nearest_to_a_painting(uploads: list[Upload]):
    sketches = {name: pixels(uri) for name, uri in colour_previews(uploads[0], uploads[1:]).items()}

    def look(picture: np.ndarray) -> np.ndarray:
        """Its colours on a coarse grid."""
        small = Image.fromarray((255 * picture.clip(0, 1)).astype(np.uint8).transpose(1, 2, 0)).resize(
            (6, 4), Image.Resampling.BOX
        )
        return np.asarray(small, np.float32)

    for name in COLOURS:
        settings = TransferSettings(size=96, iterations=16, draw=0.0, colour=name)  # pyright: ignore[reportArgumentType]
        painting = transfer_style(uploads[0].path, uploads[1].path, settings).signal.values
        far = {other: float(np.abs(look(sketch) - look(painting)).mean()) for other, sketch in sketches.items()}
        assert far[name] < 1.1 * min(far.values()) and far[name] < 0.5 * max(far.values()), (name, far)
