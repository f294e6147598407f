"""The figures of the lecture are what their formulas say, and what is computed is not lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch

from impasto import SettingsError, Signal, SignalError, vgg19
from impasto.lecture.compute import PARTS, LectureProgress, compute_lecture
from impasto.lecture.lecture import Lecture, ready_lecture
from impasto.lecture.pictures import values_of
from impasto.lecture.scene import LAYERS
from impasto.media.image.read import resample_image, scaled_shape
from impasto.media.read_write import read_signal
from tests.lecture.conftest import SIZE, Given
from tests.studio.test_signals import series, volume

pytestmark = pytest.mark.slow


def activations(values: np.ndarray, layer: str) -> np.ndarray:
    """a^[l] as (n_C, n), in float64, from a network of its own."""
    with torch.no_grad():
        a = vgg19(pooling="avg")(torch.from_numpy(np.asarray(values, np.float32))[None], [layer])[layer]
    return a[0].flatten(1).double().numpy()


def seen(picture: Signal) -> np.ndarray:
    """The picture at the size of the figures."""
    height, width = picture.shape
    return resample_image(picture, scaled_shape((height, width), SIZE)).values


def test_all_parts_are_there_in_their_order(given: Given):
    assert tuple(given.lecture.parts) == PARTS
    json.dumps(given.lecture.as_dict())
    assert [one.share for one in given.told] == sorted(one.share for one in given.told)
    assert given.told[-1].share == 1
    assert list(dict.fromkeys(one.part for one in given.told)) == [*PARTS, ""]
    assert all(one.draw().startswith("data:image/webp") for one in given.told[:12] if one.draw)


def test_the_style_matrix_is_the_sum_of_products_over_all_places(given: Given):
    style = seen(given.style)
    for layer in ("relu1_1", "relu3_1"):
        figures = given.lecture.parts["matrices"]["layers"][layer]
        a = activations(style, layer)
        whole = a @ a.T / a.shape[1]
        chosen = figures["channels"]
        assert figures["of"] == len(a)
        np.testing.assert_allclose(figures["signals"]["S"]["matrix"], whole[np.ix_(chosen, chosen)], rtol=2e-3, atol=1e-3)


def test_the_maps_are_the_activations_in_units_of_their_peak(given: Given):
    figures = given.lecture.parts["matrices"]["layers"]["relu1_1"]
    its = figures["signals"]["C"]
    height, width = its["tile"]
    columns = given.lecture.parts["matrices"]["columns"]
    sheet = values_of(its["maps"])[0]
    content = seen(given.content)
    a = activations(content, "relu1_1").reshape(-1, *its["space"])
    for place, (channel, peak) in enumerate(zip(figures["channels"], figures["peaks"], strict=True)):
        top, left = place // columns * height, place % columns * width
        tile = sheet[top : top + height, left : left + width]
        assert abs(tile.mean() - a[channel].mean() / peak) < 0.02


def test_lambda_undoes_the_size_of_each_matrix(given: Given):
    layers = given.lecture.parts["layers"]["layers"]
    assert list(layers) == list(LAYERS)
    for layer, figures in layers.items():
        a = activations(seen(given.style), layer)
        matrix = a @ a.T / a.shape[1]
        assert figures["channels"] == len(a)
        assert figures["lambda"] == pytest.approx((2 * len(a)) ** 2 / (matrix**2).sum() / 5, rel=2e-3)
        assert figures["begin"] == pytest.approx(figures["lambda"] * figures["cost"], rel=2e-3)


def test_every_place_of_the_two_sliders_has_a_picture_with_its_costs(given: Given):
    figures = given.lecture.parts["balance"]
    names = {
        f"{b / a:g}" if a and b else "content" if a else "style" if b else "none"
        for a in figures["alphas"]
        for b in figures["betas"]
    }
    assert set(figures["pictures"]) == names
    assert len({one["picture"] for one in figures["pictures"].values()}) == len(names)
    for one in figures["pictures"].values():
        assert one["content"] > 0
        assert one["style"] > 0
    alpha, beta = figures["usual"]
    assert f"{beta / alpha:g}" in names


def test_the_descent_has_a_frame_and_a_cost_for_each_step(given: Given):
    figures = given.lecture.parts["descent"]
    assert len(figures["frames"]) == len(figures["costs"]) == 2
    for row in figures["costs"]:
        assert row["J"] == pytest.approx(row["content"] + row["style"], rel=1e-3)


def test_the_content_cost_falls_and_the_layers_are_as_large_as_they_are(given: Given):
    for layer, figures in given.lecture.parts["content"]["layers"].items():
        begin, end = figures["costs"]
        assert end <= begin
        assert figures["channels"] * np.prod(figures["space"]) == activations(np.zeros((3, 43, 64)), layer).size


def test_what_is_there_is_not_computed_again(given: Given, compute: Callable[..., Lecture]):
    begun = Lecture("cat.jpg", "evening", {name: given.lecture.parts[name] for name in PARTS[:-1]})
    told: list[LectureProgress] = []
    lecture = compute(begun=begun, on_progress=told.append)
    assert lecture.parts == given.lecture.parts
    assert {one.part for one in told} == {PARTS[-1], ""}


def test_a_lecture_that_is_cancelled_keeps_its_whole_parts(compute: Callable[..., Lecture]):
    cancel = Event()

    def stop(progress: LectureProgress) -> None:
        if progress.part == "content" and progress.draw:
            cancel.set()

    assert list(compute(cancel=cancel, on_progress=stop).parts) == ["pictures"]


def test_what_is_no_picture_is_refused_in_a_line(given: Given):
    ekg = Signal(np.zeros((1, 500), np.float32), "series", {"rate": 100.0})
    sound = Signal(np.zeros((1, 500), np.float32), "sound", {"rate": 100.0})
    for content, style, words in (
        (sound, given.style, "the content is a sound; a lecture is given with pictures"),
        (given.content, ekg, "the style is a series and the content a picture; both must be pictures"),
    ):
        with pytest.raises(SettingsError, match=words) as error:
            compute_lecture(content, style)
        assert "\n" not in str(error.value)


def test_the_last_part_is_computed_with_ones_own_series(tmp_path: Path):
    content, style = (read_signal(series(tmp_path / f"{hertz}.csv", hertz)) for hertz in (3, 5))
    told: list[LectureProgress] = []
    lecture = compute_lecture(content, style, shortened=2, on_progress=told.append)
    ((name, part),) = lecture.parts.items()
    assert (name, part["own"], part["unit"], part["evaluations"]) == ("series", True, "", 2)
    assert {role: len(one["values"]) for role, one in part["signals"].items()} == {
        "content": 600,
        "style": 600,
        "result": 600,
    }
    assert part["signals"]["content"]["rate"] == 125
    assert next(one.draw() for one in told if one.draw).startswith("data:image/webp")


def test_the_last_part_is_computed_with_ones_own_volume(tmp_path: Path, given: Given):
    content = read_signal(volume(tmp_path / "ball.nii.gz", (18, 17, 16)))
    lecture = compute_lecture(content, given.style, shortened=1)
    part = lecture.parts["volume"]
    assert part["picture"] and part["evaluations"] == 1
    assert [axis["count"] for axis in part["axes"]] == [18, 17, 16]
    assert part["axes"][0]["content"] != part["axes"][1]["content"]


def test_a_lecture_is_kept_in_a_file(given: Given, tmp_path: Path):
    path = tmp_path / "lecture.json"
    given.lecture.save(path)
    assert Lecture.load(path) == given.lecture
    for text in ("{}", "[1]", "no JSON", '{"format": "impasto lecture 0", "content": "", "style": "", "parts": {}}'):
        path.write_text(text)
        with pytest.raises(SignalError, match=r"lecture\.json is no lecture"):
            Lecture.load(path)


def test_the_ready_lecture_has_everything(given: Given):
    ready = ready_lecture()
    assert set(ready.parts) == {*PARTS, "patches", "series", "volume"}

    def form(value: object) -> object:
        """The names within, whatever the numbers are."""
        if isinstance(value, dict):
            return {name: form(one) for name, one in value.items()}
        return type(value).__name__.replace("int", "float")

    for name in PARTS:
        assert form(ready.parts[name]) == form(given.lecture.parts[name]), name
    patches = ready.parts["patches"]["layers"]
    assert list(patches) == list(LAYERS)
    assert all(len(layer["units"]) == 9 for layer in patches.values())
    assert [axis["count"] for axis in ready.parts["volume"]["axes"]] == [
        axis["tile"][0] for axis in ready.parts["volume"]["axes"]
    ]
    signals = ready.parts["series"]["signals"]
    assert len(signals["content"]["values"]) == len(signals["result"]["values"])
