"""Several styles in transfers of every kind of signal."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from skimage import data

import impasto
from impasto.errors import SettingsError, SignalError, SizeError
from impasto.media.signal import Signal, roles
from impasto.media.styles import names_of, shares
from impasto.media.volume.files import read_volume
from impasto.transfer.settings import TransferSettings

PHOTO, CAT = data.coffee()[::9, ::9], data.chelsea()[::7, ::7]
VGG: dict[str, Any] = {"content_layers": "relu2_1", "style_layers": "relu1_1,relu2_1", "iterations": 2}


def series(seed: int, rate: float = 100.0) -> Signal:
    values = np.random.default_rng(seed).normal(size=(1, 600)).cumsum(1).astype(np.float32)
    return Signal(values, "series", {"rate": rate, "leads": ["lead"], "named": True, "timed": True})


def sound(seed: int, seconds: float) -> Signal:
    noise = np.random.default_rng(seed).normal(size=(1, round(8000 * seconds)))
    return Signal((0.1 * noise.cumsum(1) / (1 + 3 * seed)).clip(-1, 1).astype(np.float32), "sound", {"rate": 8000})


def movie(start: int) -> Signal:
    picture = data.coffee()[::8, ::8].astype(np.float32).transpose(2, 0, 1) / 255
    frames = np.stack([picture[:, start : start + 24, i : i + 24] for i in range(3)], axis=1)
    return Signal(frames, "movie", {"rate": Fraction(25), "time_base": Fraction(1, 25), "times": tuple(range(3))})


def volume(seed: int) -> Signal:
    return read_volume(np.random.default_rng(seed).random((8, 10, 9)).astype(np.float32))


# content, two styles, settings
KINDS: dict[str, tuple[Any, Any, Any, dict[str, Any]]] = {
    "image": (PHOTO, CAT, data.astronaut()[::9, ::12], {"size": 40, "colour": "match", **VGG}),
    "series": (series(0), series(1), series(2, 150.0), {"iterations": 2, "size": 100}),
    "sound": (sound(0, 1.2), sound(1, 1), sound(2, 1.1), {"iterations": 2}),
    "volume": (volume(0), data.brick()[::16, ::16], volume(2), VGG),
    "movie": (movie(0), CAT, movie(20), {"size": 24, **VGG}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_styles_of_every_kind_are_blended(kind: str, tmp_path: Path):
    content, first, second, given_ = KINDS[kind]
    settings = TransferSettings(**given_)
    alone, other, twice, blend, nothing_of = (
        impasto.transfer_style(content, style, settings)
        for style in (first, second, [(first, 3), first], [(first, 0.5), (second, 1.5)], [(first, 1), (second, 0)])
    )
    values = alone.signal.values
    same = [twice] if kind == "series" else [twice, nothing_of]  # a series of another rate changes the grid of the work
    for painting in same:
        np.testing.assert_allclose(painting.signal.values, values, rtol=0, atol=1e-4 * float(np.ptp(values)))
        assert painting.history[0].style_cost == pytest.approx(alone.history[0].style_cost, rel=1e-4)
    for painting in (alone, other):
        assert blend.history[0].style_cost != pytest.approx(painting.history[0].style_cost, rel=1e-3)
    assert len(blend.styles) == 2 and blend.about["style"].endswith(":0.75")
    blend.plot(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5_000


def test_g_starts_from_the_first_style():
    content, first, second, given_ = KINDS["image"]
    settings = TransferSettings(
        **{**given_, "colour": "style", "init": "style", "iterations": 1, "alpha": 0, "optimizer": "gd", "step": 1e-9}
    )
    paintings = [impasto.transfer_style(content, style, settings) for style in ([first, second], first, second)]
    both, alone, other = (painting.signal.values for painting in paintings)
    np.testing.assert_allclose(both, alone, atol=1e-4)
    assert np.abs(both - other).mean() > 0.05


@pytest.mark.parametrize(
    ("styles", "error", "message"),
    [
        ([], SettingsError, "no style was given"),
        ([("a.png", 1), ("b.png", -0.5)], SettingsError, "the weight of the style b.png is -0.5"),
        ([("a.png", 0), ("b.png", 0.0)], SettingsError, "sum to 0"),
        ([("a.png", float("inf"))], SettingsError, "a number of at least 0"),
        ([("a.png", 1e308), ("b.png", 1e308)], SettingsError, "sum to inf"),
        ([data.chelsea(), series(0)], SignalError, "a picture cannot be painted in the style of a series"),
        ([data.chelsea(), data.chelsea()[:2]], SizeError, "the style 2 at 451 x 2 pixels is too small"),
    ],
)
def test_what_cannot_be_blended_is_said(styles: Any, error: Any, message: str):
    with pytest.raises(error, match=message) as raised:
        impasto.transfer_style(data.coffee(), styles)
    assert "\n" not in str(raised.value)


@given(st.lists(st.just(0.0) | st.floats(1e-6, 1e6), min_size=1, max_size=5).filter(sum), st.floats(0.01, 100))
@examples(max_examples=50, deadline=None)
def test_shares_sum_to_one_and_only_ratios_count(weights: list[float], factor: float):
    found = [share for _, share in shares([(f"{i}.png", w) for i, w in enumerate(weights)])]
    assert sum(found) == pytest.approx(1) and min(found) >= 0
    scaled = [share for _, share in shares([(f"{i}.png", w * factor) for i, w in enumerate(weights)])]
    assert scaled == pytest.approx(found)


def test_a_style_is_given_in_many_ways():
    assert shares("a.png") == shares(["a.png"]) == shares(("a.png", 7)) == [("a.png", 1.0)]
    assert shares(("a.png", "b.png")) == shares([("a.png", 1), "b.png"]) == [("a.png", 0.5), ("b.png", 0.5)]
    array = np.zeros((20, 20, 3))
    (found, share), *_ = shares([(array, 1), (array, 1)])
    assert found is array and share == 0.5
    assert names_of(shares("art/a.png")) == "a.png"
    assert names_of(shares([("art/a.png", 2), (array, 1)])) == "a.png:0.666667 ndarray:0.333333"
    assert list(roles(1, [2])) == ["content", "style"] and roles(1, [2, 3])["style 2"] == 3
