"""Masks as people save them: labels are found, snapped and matched, and what cannot be matched is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage import data

from impasto.errors import SignalError
from impasto.media.image.masks import TOLERANCE, Labels, in_words, matches, read_labels, read_protection, regions

BLACK, RED, BLUE, GREY, WHITE = (0, 0, 0), (255, 0, 0), (0, 0, 255), (128, 128, 128), (255, 255, 255)


def drawn(colours: list[Any], *, smooth: bool = False) -> Image.Image:
    """A disc and a triangle on a ground, 120 x 80."""
    n = 4 if smooth else 1
    picture = Image.new("RGB", (120 * n, 80 * n), colours[0])
    pen = ImageDraw.Draw(picture)
    pen.ellipse([16 * n, 12 * n, 64 * n, 60 * n], fill=colours[1])
    if len(colours) > 2:
        pen.polygon([(72 * n, 8 * n), (112 * n, 76 * n), (68 * n, 60 * n)], fill=colours[2])
    return picture.resize((120, 80), Image.Resampling.LANCZOS) if smooth else picture


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize(("name", "options"), [("m.png", {}), ("m.jpg", {"quality": 90}), ("m.jpg", {"quality": 40})])
@pytest.mark.parametrize("colours", [[BLACK, WHITE], [BLACK, RED, BLUE], [WHITE, GREY, BLACK]])
def test_soft_edges_and_jpeg_are_no_labels(
    tmp_path: Path, colours: list[Any], name: str, options: dict[str, Any], smooth: bool
):
    labels = read_labels(saved(drawn(colours, smooth=smooth), tmp_path / name, **options))
    truth = np.asarray(drawn(colours), int)
    found = np.array(labels.colours)[labels.index]
    assert len(labels.colours) == len(colours)
    # a soft pixel between black and white is grey if that is a label, but there is only one row of them
    assert (abs(found - truth).max(-1) > 8).mean() < 0.03


@pytest.mark.parametrize("colours", [[(0,) * 3, (1,) * 3, (2,) * 3], [(60, 160, 60), (61, 160, 60), (60, 160, 62)]])
def test_labels_that_are_exact_may_be_near(tmp_path: Path, colours: list[Any]):
    labels = read_labels(saved(drawn(colours), tmp_path / "m.png"))
    assert labels.colours[0] == colours[0]
    assert set(labels.colours) == set(colours)
    assert (np.array(labels.colours)[labels.index] == np.asarray(drawn(colours))).all()


def test_masks_of_every_mode(tmp_path: Path):
    ground = drawn([BLACK, WHITE])
    expected = np.asarray(ground.convert("L")) > 0
    deep = Image.fromarray(np.where(expected, 65535, 0).astype(np.uint16))
    modes = {"1": ground.convert("1"), "L": ground.convert("L"), "P": ground.convert("P"), "I;16": deep}
    for name, picture in modes.items():
        labels = read_labels(saved(picture, tmp_path / f"{name[0]}.png"))
        assert labels.colours == (BLACK, WHITE), name
        assert ((labels.index == 1) == expected).all(), name


@pytest.mark.parametrize("name", ["chelsea", "coffee", "astronaut", "rocket"])
def test_a_photograph_is_no_mask(tmp_path: Path, name: str):
    photograph = getattr(data, name)()[::2, ::2]
    with pytest.raises(SignalError, match=r"is no mask: areas of one colour fill [0-9]+% of it; at least 20% were expected"):
        read_labels(saved(Image.fromarray(photograph), tmp_path / "photo.png"))


def test_a_mask_of_too_many_colours(tmp_path: Path):
    steps = np.kron(np.arange(40, dtype=np.uint8)[None] * 6, np.ones((9, 9), np.uint8))
    with pytest.raises(SignalError, match="has areas of more than 32 colours; a mask with at most 32 labels was expected"):
        read_labels(saved(Image.fromarray(steps), tmp_path / "steps.png"))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_resized_each_position_has_the_label_at_its_place(h: int, w: int, rows: int, columns: int, seed: int):
    index = np.random.default_rng(seed).integers(0, 3, (h, w)).astype(np.uint8)
    labels = Labels("m", (BLACK, RED, BLUE), index)
    resized = labels.resized((rows, columns)).index
    assert resized.shape == (rows, columns)
    for y, x in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)):
        assert resized[y, x] == index[int((y + 0.5) * h / rows), int((x + 0.5) * w / columns)]
    assert (labels.resized((h, w)).index == index).all()
    assert (labels.resized((2 * h, 3 * w)).index == np.kron(index, np.ones((2, 3), np.uint8))).all()
    assert sum(labels.area(i).sum() for i in range(3)) == h * w


def of(*colours: Any) -> Labels:
    """Labels side by side, each two columns wide."""
    return Labels("mask", colours, np.repeat(np.arange(len(colours)), 2)[None].repeat(4, 0).astype(np.uint8))


def test_labels_match_within_the_tolerance_and_only_with_their_nearest():
    assert matches(of(BLACK, RED), of((253, 2, 3), WHITE, BLACK)) == {0: 2, 1: 0}
    near, far = (TOLERANCE, 0, 0), (TOLERANCE + 1, 0, 0)
    assert matches(of(BLACK), of(near)) == {0: 0}
    assert matches(of(BLACK), of(far)) == {}
    # the region 2 of masks with 0, 1, 2 and with 0, 1 is not region 1
    assert matches(of((0,) * 3, (1,) * 3, (2,) * 3), of((0,) * 3, (1,) * 3)) == {0: 0, 1: 1}


COLOURS = st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=6, unique=True)


@given(COLOURS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_every_label_matches_itself_in_any_order_and_none_twice(colours: list[Any], random: Any):
    shuffled = random.sample(colours, len(colours))
    assert matches(of(*colours), of(*shuffled)) == {i: shuffled.index(c) for i, c in enumerate(colours)}
    some = matches(of(*colours), of(*shuffled[: len(colours) // 2 + 1]))
    assert len(set(some.values())) == len(some)


def whole(shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.ones(shape, np.float32)


def test_regions_have_their_counterparts_on_their_own_grids():
    content, style = of(RED, BLUE), of(BLUE, RED, WHITE)
    found = regions(content, [style, None], whole((8, 8)), [(4, 6), (3, 5)])
    assert len(found) == 2
    red, blue = found
    assert red.content[:, :4].all() and not red.content[:, 4:].any()
    assert (blue.content == 1 - red.content).all()
    assert red.styles[0] is not None and (red.styles[0] == np.array([0, 0, 1, 1, 0, 0])).all()
    assert blue.styles[0] is not None and (blue.styles[0] == np.array([1, 1, 0, 0, 0, 0])).all()
    assert red.styles[1] is not None and (red.styles[1] == whole((3, 5))).all()


def test_a_region_may_have_its_counterpart_in_one_of_several_styles():
    found = regions(of(RED, BLUE), [of(RED), of(BLUE)], whole((4, 4)), [(4, 4), (4, 4)])
    assert [[part is None for part in region.styles] for region in found] == [[False, True], [True, False]]


def test_a_region_without_a_counterpart_is_told_with_its_colour_and_share():
    content = Labels("c.png", (RED, GREY), np.repeat(np.array([0, 1], np.uint8), [6, 2])[None].repeat(4, 0))
    style = Labels("s.png", (RED, BLUE), np.zeros((4, 4), np.uint8))
    reason = "c.png: the region #808080, 25.0% of the content, has no counterpart: s.png has #ff0000, #0000ff"
    with pytest.raises(SignalError, match=reason):
        regions(content, [style], whole((4, 8)), [(4, 4)])
    # what is not painted needs none
    painted = whole((4, 8))
    painted[:, 6:] = 0
    assert len(regions(content, [style], painted, [(4, 4)])) == 1


def test_without_a_mask_of_the_content_all_that_is_painted_takes_all():
    painted = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    (region,) = regions(None, [None], painted, [(2, 2)])
    assert (region.content == painted).all()
    assert region.styles[0] is not None and region.styles[0].all()


@pytest.mark.parametrize(("name", "options"), [("m.png", {}), ("m.jpg", {"quality": 60})])
@pytest.mark.parametrize("scale", [1, 2])
def test_what_is_white_is_protected_in_every_bit_with_a_soft_edge_outside(
    tmp_path: Path, name: str, options: dict[str, Any], scale: int
):
    picture = Image.new("L", (200 * scale, 150 * scale))
    ImageDraw.Draw(picture).rectangle([60 * scale, 40 * scale, 120 * scale - 1, 100 * scale - 1], fill=255)
    kept = read_protection(saved(picture, tmp_path / name, **options), (150, 200))
    assert kept.shape == (150, 200) and kept.dtype == np.float32
    assert (kept[40:100, 60:120] == 1).all()
    row = kept[70, 120:]
    assert (np.diff(row) <= 1e-6).all() and 0 < row[1] < 1
    assert not row[8:].any() and not kept[:30].any() and not kept[:, :50].any()


def test_greys_protect_in_part_and_transparency_does_not(tmp_path: Path):
    grey = Image.new("L", (64, 48), 128)
    assert read_protection(saved(grey, tmp_path / "grey.png"), (48, 64)) == pytest.approx(0.5, abs=0.01)
    rgba = np.full((48, 64, 4), 255, np.uint8)
    rgba[:, :32, 3] = 0
    kept = read_protection(saved(Image.fromarray(rgba), tmp_path / "rgba.png"), (48, 64))
    assert not kept[:, :24].any() and (kept[:, 34:] == 1).all()


def test_something_must_be_left_to_paint(tmp_path: Path):
    with pytest.raises(SignalError, match="protects the whole picture: nothing is left to be painted"):
        read_protection(saved(Image.new("L", (30, 20), 255), tmp_path / "m.png"), (20, 30))


@pytest.mark.parametrize("read", [read_labels, lambda path: read_protection(path, (8, 8))])
def test_a_mask_that_is_no_picture(tmp_path: Path, read: Any):
    path = tmp_path / "mask.txt"
    path.write_text("white where the cup is")
    with pytest.raises(SignalError, match="is not a picture that can be read"):
        read(path)
    with pytest.raises(SignalError, match="no such file"):
        read(tmp_path / "missing.png")


def test_a_label_in_words():
    assert in_words((0, 128, 255)) == "#0080ff"


def test_a_mask_that_protects_nothing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    labels = np.zeros((20, 30), np.uint8)
    labels[5:15, 5:15] = 1  # of 255
    assert not read_protection(saved(Image.fromarray(labels), tmp_path / "m.png"), (20, 30)).any()
    assert "m.png protects nothing" in caplog.text
