"""The pictures to begin with: they come with impasto, are small, and nothing is painted for them."""

from __future__ import annotations

from PIL import Image

from impasto.studio.components.gallery import Gallery


def test_the_paintings_come_along_and_are_small():
    styles = {name: path for name, path in Gallery().styles.items() if path.parent.name == "ready"}
    assert sorted(styles) == ["ember", "evening", "glass", "meadow", "waves"]
    assert sum(path.stat().st_size for path in styles.values()) < 300_000
    for path in styles.values():
        with Image.open(path) as picture:
            assert max(picture.size) >= 512


def test_one_is_taken_as_if_it_were_dropped():
    upload = Gallery().upload("style", "waves")
    assert (upload.ending, upload.shape, upload.extent, upload.kind) == (".jpg", (384, 512), "512 × 384", "image")
