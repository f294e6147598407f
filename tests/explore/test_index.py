"""Merging is exact, associative and commutative; saving loses nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import SettingsError, SignalError
from impasto.explore.index import BINS, Patch, PatchIndex, histogram_of

Found = list[tuple[float, tuple[int, int]]]


def index_of(images: dict[str, tuple[str, Found]], top: int, per_image: int) -> PatchIndex:
    """What a search over these images gives: every patch, sorted by the rule as the documentation states it."""
    best: list[Patch] = []
    for name, (_, found) in images.items():
        best += [Patch(name, a, position, ((0, 3), (1, 4))) for a, position in found]
    best.sort(key=lambda patch: (-patch.activation, patch.image, patch.position))
    kept = [p for i, p in enumerate(best) if sum(images[q.image][0] == images[p.image][0] for q in best[:i]) < per_image]
    peaks = [histogram_of(np.array([max(a for a, _ in found)], np.float32)) for _, found in images.values()]
    return PatchIndex(
        network="test",
        size=64,
        top=top,
        per_image=per_image,
        layers={"relu1_1": {5: tuple(kept[:top])}},
        histograms={"relu1_1": sum(peaks, np.zeros((1, BINS), np.int32))},
        images={name: group for name, (group, _) in images.items()},
    )


positions = st.tuples(st.integers(0, 3), st.integers(0, 3))
founds = st.dictionaries(positions, st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), min_size=1).map(
    lambda found: [(a, position) for position, a in found.items()]
)
collections = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.tuples(st.sampled_from("xyz"), founds), min_size=3)


@given(collections, st.integers(1, 5), st.integers(1, 3), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_merging_gives_the_index_of_the_union(
    images: dict[str, tuple[str, Found]], top: int, per_image: int, random: object
) -> None:
    parts: list[dict[str, tuple[str, Found]]] = [{}, {}, {}]
    for i, name in enumerate(images):
        parts[i if i < 3 else getattr(random, "randrange")(3)][name] = images[name]  # noqa: B009
    a, b, c = (index_of(part, top, per_image) for part in parts)
    whole = index_of(images, top, per_image)
    assert a.merge(b).merge(c) == whole
    assert a.merge(b.merge(c)) == whole
    assert c.merge(a).merge(b) == whole


@given(collections, st.integers(1, 5))
@settings(deadline=None, max_examples=30)
def test_saving_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, images: dict[str, tuple[str, Found]], top: int
) -> None:
    index = index_of(images, top, 2)
    exact = float(np.float32(0.1))
    patch = Patch(next(iter(images)), exact, (2, 3), ((0, 4), (5, 9)))
    index = replace(index, layers={"relu1_1": {5: (patch, *index.layers["relu1_1"][5])}}, skipped={"ä.png": "broken"})
    path = tmp_path_factory.mktemp("index") / "index.json"
    index.save(path)
    loaded = PatchIndex.load(path)
    assert loaded == index
    assert loaded.layers == index.layers
    assert loaded.layers["relu1_1"][5][0].activation == exact


def test_the_file_is_as_documented(tmp_path: Path) -> None:
    index = index_of({"a.png": ("x", [(1.5, (2, 3))])}, 9, 1)
    index.save(tmp_path / "index.json")
    data = json.loads((tmp_path / "index.json").read_text())
    assert data["network"] == "test"
    assert data["size"] == 64
    patch = {"image": "a.png", "activation": 1.5, "position": [2, 3], "field": [0, 1, 3, 4]}
    assert data["layers"] == {"relu1_1": {"units": {"5": [patch]}}}


def test_what_does_not_belong_together_is_not_merged() -> None:
    a = index_of({"a": ("x", [(1.0, (0, 0))])}, 9, 1)
    b = index_of({"b": ("y", [(2.0, (0, 0))])}, 9, 1)
    with pytest.raises(SettingsError, match="both indexes hold a"):
        a.merge(a)
    for change in ({"network": "other"}, {"size": "full"}, {"top": 3}, {"per_image": 2}):
        with pytest.raises(SettingsError, match=f"different {next(iter(change))}"):
            a.merge(replace(b, **change))
    with pytest.raises(SettingsError, match="different layers or units"):
        a.merge(replace(b, layers={"relu1_1": {}}))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"layers": 3}', '{"layers": {}, "histograms": {"relu1_1": [[1]]}}', "\x00"]
)
def test_a_file_that_is_no_index_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "index.json"
    path.write_text(text)
    with pytest.raises(SignalError, match="is not an index of patches") as caught:
        PatchIndex.load(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(SignalError, match="No such file"):
        PatchIndex.load(tmp_path / "missing.json")
