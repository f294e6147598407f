"""Two small paintings beside their content and style, explained once for all tests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from skimage import data

import impasto

SETTINGS = {"size": 72, "iterations": 3, "tv": 2.0}


class Given(NamedTuple):
    """A folder with content.png, style.png, out.png and other.png, and what the first painting was."""

    folder: Path
    painting: impasto.Painting


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("painted")
    for name, array, size in (("content", data.coffee(), (72, 48)), ("style", data.chelsea(), (80, 56))):
        Image.fromarray(array).resize(size).save(folder / f"{name}.png")
    files = folder / "content.png", folder / "style.png"
    painting = impasto.transfer_style(*files, impasto.TransferSettings(**SETTINGS))
    painting.write(folder / "out.png")
    impasto.transfer_style(*files, impasto.TransferSettings(**SETTINGS, beta=80.0)).write(folder / "other.png")
    return Given(folder, painting)


@pytest.fixture(scope="session")
def explanation(given: Given) -> impasto.Explanation:
    return impasto.explain(given.folder / "out.png")
