"""Masks of the studio: what is painted or given becomes settings, is kept with its run, and does what it says."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from impasto.errors import SignalError
from impasto.media.image.read import read_image, resample_image
from impasto.studio.masks import (
    CONTENT,
    LABELS,
    PAINTED,
    PROTECT,
    Mask,
    check_mask,
    fitting,
    in_order,
    mask_settings,
    preview_mask,
)
from impasto.studio.state import StudioState
from impasto.studio.uploads import Upload, inspect
from impasto.transfer.settings import TransferSettings
from tests.studio.conftest import wait_for

SHAPE = (64, 96)


@pytest.fixture(scope="session")
def uploads(pictures: dict[str, Path]) -> list[Upload]:
    return [Upload(path, f"{role}.png", ".png", SHAPE) for role, path in pictures.items()]


def drawn(path: Path, left: Any, right: Any, size: tuple[int, int] = (96, 64)) -> Upload:
    """A mask with a left and a right half."""
    picture = Image.new("RGB", size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    picture.save(path)
    return Upload(path, path.name, ".png", (size[1], size[0]))


@pytest.fixture
def left(tmp_path: Path) -> Upload:
    """The left half is protected."""
    return drawn(tmp_path / "left.png", "white", "black")


def of(upload: Upload) -> Mask:
    return Mask(upload, SHAPE)


def test_what_protects_nothing_or_everything_or_is_no_mask_is_refused(uploads: list[Upload], tmp_path: Path):
    for colour, told in (("white", "all.png protects the whole picture"), ("black", "all.png is black everywhere")):
        with pytest.raises(SignalError, match=f"^{told}"):
            check_mask(PROTECT, drawn(tmp_path / "all.png", colour, colour), uploads[0])
    with pytest.raises(SignalError, match=r"^content\.png is no mask"):
        check_mask(CONTENT, uploads[0], uploads[0])
    with pytest.raises(SignalError, match=r"^song\.wav is a sound"):
        check_mask(PROTECT, Upload(tmp_path / "song.wav", "song.wav", ".wav", (800,), "sound"), uploads[0])


def test_a_mask_goes_with_the_shape_of_its_picture(uploads: list[Upload], left: Upload):
    content, style = uploads
    masks = {PROTECT: of(left), "style": Mask(left, style.shape)}
    files = {"content": content, "style": style}
    assert fitting(masks, files) == (masks, [])
    assert fitting(masks, {"style": style}) == (masks, [])  # it may come back
    larger = Upload(content.path, "large.png", ".png", (640, 960))
    assert fitting(masks, {**files, "content": larger}) == (masks, [])
    upright = Upload(content.path, "upright.png", ".png", (96, 64))
    assert fitting(masks, {**files, "content": upright}) == ({"style": masks["style"]}, [PROTECT])
    assert fitting(masks, {"content": Upload(content.path, "x.wav", ".wav", (99,), "sound")})[1] == [PROTECT]


def test_masks_are_the_settings_of_the_library(uploads: list[Upload], left: Upload, tmp_path: Path):
    assert mask_settings({PROTECT: left}, 1, tmp_path) == {"protect": str(left.path)}
    given = {CONTENT: left, "style": drawn(tmp_path / "there.png", "black", "white")}
    assert mask_settings(given, 2, tmp_path) == {
        "content_mask": str(left.path),
        "style_mask": (str(tmp_path / "there.png"), "none"),
    }
    painted = mask_settings({PAINTED: drawn(tmp_path / "painted.png", *LABELS[:2])}, 2, tmp_path)
    seen = [np.unique(np.asarray(Image.open(path)).reshape(-1, 3), axis=0).tolist() for path in painted["style_mask"]]
    assert seen == [[list(LABELS[0])], [list(LABELS[1])]]  # all of each style is its region
    for alone in (CONTENT, "style"):
        with pytest.raises(SignalError, match=r"^the mask of .* needs one of"):
            mask_settings({alone: left}, 1, tmp_path)
    other = {CONTENT: left, "style": drawn(tmp_path / "red.png", "red", "black")}
    with pytest.raises(SignalError, match=r"^left\.png: the region #ffffff, .*: red\.png has"):
        mask_settings(other, 1, tmp_path)


def test_regions_of_a_style_that_is_taken_away_are_those_of_the_first(uploads: list[Upload], tmp_path: Path):
    masks = {PAINTED: of(drawn(tmp_path / "painted.png", LABELS[1], LABELS[2])), PROTECT: of(uploads[0])}
    assert set(in_order(masks, ["style"], tmp_path)) == {PROTECT}
    found = in_order(masks, ["style", "style 3"], tmp_path)[PAINTED]  # the third is the second now
    halves = np.asarray(Image.open(found.path))[:, [0, -1]]
    assert halves[0].tolist() == [list(LABELS[0]), list(LABELS[1])]
    assert in_order(masks, ["style", "style 2", "style 3"], tmp_path)[PAINTED].path == tmp_path / "painted.png"


def test_a_mask_lies_on_the_content_as_it_is_seen(tmp_path: Path, left: Upload):
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    Image.open(left.path).convert("RGB").save(turned, exif=exif, quality=95)
    found = inspect(turned, "turned.jpg", tmp_path)
    assert found.shape == (96, 64)
    uri = preview_mask(PROTECT, Mask(found, found.shape))
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))
    assert seen.shape == (1024, 683)
    assert seen[:400].min() > 200 and seen[-400:].max() < 50  # the left half is the upper one


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StudioState]:
    state = StudioState.in_folder(tmp_path / "studio")
    yield state
    state.queue.close(60)


def painted(state: StudioState, uploads: list[Upload], masks: dict[str, Upload] | None = None, **settings: Any) -> Any:
    how = TransferSettings(**{"size": 64, "iterations": 3, **settings})
    run = state.begin(uploads[0], uploads[1:], how, masks=masks)
    wait_for(lambda: state.jobs[run.id].ended, run.id)
    return state.history.load(run.id)


def result(state: StudioState, run: Any) -> np.ndarray:
    assert run.state == "done", run.error
    return read_image(state.history.path(run, run.result)).values


def content_of(uploads: list[Upload], shape: tuple[int, int]) -> np.ndarray:
    return resample_image(read_image(uploads[0].path), shape).values


@pytest.mark.slow
def test_what_is_protected_stays_and_goes_on_staying(state: StudioState, uploads: list[Upload], left: Upload):
    free = result(state, painted(state, uploads))
    run = painted(state, uploads, {PROTECT: left})
    left.path.unlink()  # the run has a copy
    kept = result(state, run)
    content = content_of(uploads, kept.shape[1:])
    half = np.s_[..., :30]
    assert np.abs(kept - content)[half].mean() < 0.003 < 0.03 < np.abs(free - content)[half].mean()
    assert np.abs(kept - content)[..., 40:].mean() > 0.03
    with Image.open(state.history.path(run, run.result)) as picture:
        made = json.loads(picture.info["impasto"])
    assert made["settings"]["protect"] == "protect-mask.png"  # no path of this computer

    state.go_on(run.id)
    wait_for(lambda: state.jobs[run.id].ended, run.id)
    again = state.history.load(run.id)
    assert len(again.costs) == 6 and again.masks == run.masks
    on = result(state, again)
    assert np.abs(on - content)[half].mean() < 0.005
    assert not np.array_equal(on[..., 40:], kept[..., 40:])


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_with_its_masks(tmp_path: Path, uploads: list[Upload], left: Upload):
    first = StudioState.in_folder(tmp_path / "studio")
    how = TransferSettings(size=64, iterations=400)
    run = first.begin(uploads[0], uploads[1:], how, masks={PROTECT: left})
    wait_for(lambda: len(getattr(first.jobs[run.id].shown, "costs", ())) > 2)
    first.queue.close(60)
    left.path.unlink()
    second = StudioState.in_folder(tmp_path / "studio")
    cut_off = second.history.load(run.id)
    assert cut_off.state == "interrupted"
    second.go_on(run.id)
    wait_for(lambda: len(getattr(second.jobs[run.id].shown, "costs", ())) > len(cut_off.costs) + 1)
    second.queue.close(60)
    now = second.history.load(run.id)
    on = read_image(second.history.path(now, now.result)).values
    assert np.abs(on - content_of(uploads, on.shape[1:]))[..., :30].mean() < 0.005
    assert now.costs[: len(cut_off.costs)] == cut_off.costs


@pytest.mark.slow
def test_each_style_has_the_region_that_was_painted_for_it(state: StudioState, uploads: list[Upload], tmp_path: Path):
    red = Image.fromarray(data.retina()).resize((96, 96))
    styles: list[Upload] = []
    for name, picture in (("red", red), ("blue", Image.merge("RGB", red.split()[::-1]))):
        picture.save(tmp_path / f"{name}.png")
        styles.append(Upload(tmp_path / f"{name}.png", f"{name}.png", ".png", (96, 96)))
    masks = {PAINTED: drawn(tmp_path / "painted.png", *LABELS[:2])}
    run = painted(state, [uploads[0], *styles], masks, iterations=25, draw=0.0, beta=200.0)
    more_red = result(state, run)[0] - result(state, run)[2]
    assert more_red[:, :22].mean() > 0.1 and more_red[:, -22:].mean() < -0.1
