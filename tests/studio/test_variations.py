"""Variations: four settings that can be painted, and differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from impasto.studio.history import Run
from impasto.studio.variations import VARIATIONS, differing, means_something
from impasto.transfer.settings import TransferSettings


@pytest.mark.parametrize("name", VARIATIONS)
@pytest.mark.parametrize("given", [TransferSettings(), TransferSettings(beta=33, init_noise=0.2, seed=4)])
def test_four_that_differ(name: str, given: TransferSettings):
    ways = [settings.for_kind("image") for settings in VARIATIONS[name](given)]
    assert len(ways) == 4 and len({repr(way) for way in ways}) == 4


def test_a_seed_makes_a_difference():
    assert all(way.init == "random" or way.init_noise for way in VARIATIONS["seeds"](TransferSettings()))


def test_brush_strokes_are_varied_only_where_there_are_any():
    kinds = ("image", "volume", "series", "sound")
    assert [means_something("strokes", kind) for kind in kinds] == [True, True, False, False]
    assert all(means_something(name, kind) for name in ("strengths", "seeds") for kind in kinds)


@pytest.mark.parametrize(("name", "told"), [("strengths", "-strength0.45"), ("strokes", "-stroke0.8"), ("seeds", "-seed1")])
def test_a_download_says_what_is_varied(name: str, told: str):
    ways = [settings.as_dict() for settings in VARIATIONS[name](TransferSettings())]
    varied = differing(ways)
    runs = [
        Run("1", "c.png", ("s.png",), (1.0,), ("cup.jpg", "monet.jpg"), way, result="result.png", varied=tuple(varied))
        for way in ways
    ]
    names = [run.download_name() for run in runs]
    assert names[1] == f"cup-in-the-style-of-monet{told}.png"
    assert len(set(names)) == 4
    assert replace(runs[0], varied=()).download_name() == "cup-in-the-style-of-monet.png"
    assert (
        replace(runs[0], varied=()).download_name(["init"]) == "cup-in-the-style-of-monet-initcontent.png" or name == "seeds"
    )
