"""Near duplicates are found across parts, and many indexes are merged in the memory of their names."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SettingsError, SignalError
from impasto.explore.index import BINS, Patch, PatchIndex
from impasto.explore.merging import merge_files


def photographs(folder: Path) -> Path:
    """Twelve pictures, of which three are nearly others that stand in other parts."""
    folder.mkdir()
    for i in range(9):
        part = Image.fromarray(data.coffee()[i * 20 : i * 20 + 200, i * 40 : i * 40 + 200])
        part.resize((48, 48)).save(folder / f"{i:02}.png")
    for i, copy in ((0, "09"), (4, "10"), (8, "11")):
        Image.open(folder / f"{i:02}.png").resize((44, 44)).save(folder / f"{copy}.png")
    return folder


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[PatchIndex, list[Path]]:
    """The index of all pictures, and the files of those of three parts."""
    folder = tmp_path_factory.mktemp("merging")
    files = sorted(photographs(folder / "photos").iterdir())
    paths = [folder / f"{i}.json" for i in range(3)]
    for i, path in enumerate(paths):
        impasto.top_patches(files[i::3], "relu1_1", top=4).save(path)
    return impasto.top_patches(files, "relu1_1", top=4), paths


def test_near_duplicates_across_parts_are_one_group(parts: tuple[PatchIndex, list[Path]]):
    whole, paths = parts
    assert len(set(whole.images.values())) == 9
    told: list[tuple[int, int]] = []
    merged = merge_files(paths, lambda done, total: told.append((done, total)))
    assert dict(merged.images) == dict(whole.images)
    assert all((merged.histograms[layer] == whole.histograms[layer]).all() for layer in whole.histograms)
    assert merged.layers == whole.layers
    assert told == [(i, 6) for i in range(1, 7)]
    assert merge_files(paths[::-1]) == merged


def test_two_at_a_time_is_the_same(parts: tuple[PatchIndex, list[Path]]):
    whole, paths = parts
    a, b, c = (PatchIndex.load(path) for path in paths)
    assert a.merge(b).merge(c) == whole and c.merge(b).merge(a) == whole


def test_what_cannot_be_merged_is_told(parts: tuple[PatchIndex, list[Path]], tmp_path: Path):
    _, (first, second, _) = parts
    with pytest.raises(SettingsError, match=r"0\.json and .*0\.json: both indexes hold .*00\.png"):
        merge_files([first, second, first])
    replace(PatchIndex.load(second), size=7).save(tmp_path / "other.json")
    with pytest.raises(SettingsError, match="indexes of different size cannot be merged: 512 and 7"):
        merge_files([first, tmp_path / "other.json"])
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(SignalError, match="is not an index of patches"):
        merge_files([first, tmp_path / "bad.json"])


def test_thousands_of_images_in_parts(tmp_path: Path):
    """Every third image of a part is nearly one of the part before: as many groups as there are different pictures."""
    chance, paths, before = random.Random(0), [], [""] * 300
    for number in range(4):
        groups = [
            f"{int(before[i], 16) ^ (1 << chance.randrange(24, 152)):038x}" if number and i % 3 == 0 else _random(chance)
            for i in range(300)
        ]
        if number:
            before = [old if i % 3 == 0 else new for i, (old, new) in enumerate(zip(before, groups, strict=True))]
        else:
            before = groups
        names = [f"part {number}/{i:03}.png" for i in range(300)]
        best = tuple(Patch(name, float(900 - 3 * i), (0, 0), ((0, 4), (0, 4))) for i, name in enumerate(names[:9]))
        counts = np.zeros((1, BINS), np.int32)
        counts[0, 5] = 300
        images = dict(zip(names, groups, strict=True))
        how = {"network": "n", "size": 64, "top": 9, "per_image": 1}
        index = PatchIndex(**how, layers={"a": {0: best}}, histograms={"a": counts}, images=images)
        paths.append(tmp_path / f"{number}.json")
        index.save(paths[-1])
    merged = merge_files(paths)
    assert len(merged.images) == 1200 and len(set(merged.images.values())) == 1200 - 300
    assert merged.histograms["a"][0, 5] == 1200
    kept = merged.layers["a"][0]
    assert [patch.activation for patch in kept] == sorted((patch.activation for patch in kept), reverse=True)
    assert sum(patch.image.endswith("000.png") for patch in kept) == 1  # it is nearly the same in all four parts


def _random(chance: random.Random) -> str:
    return f"{chance.getrandbits(152):038x}"
