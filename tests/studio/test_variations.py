"""Variations: four settings that can be painted, and differ."""

from __future__ import annotations

import pytest

from impasto.studio.variations import VARIATIONS
from impasto.transfer.settings import TransferSettings


@pytest.mark.parametrize("name", VARIATIONS)
@pytest.mark.parametrize("given", [TransferSettings(), TransferSettings(beta=33, init_noise=0.2, seed=4)])
def test_four_that_differ(name: str, given: TransferSettings):
    ways = [settings.for_kind("image") for settings in VARIATIONS[name](given)]
    assert len(ways) == 4 and len({repr(way) for way in ways}) == 4


def test_a_seed_makes_a_difference():
    assert all(way.init == "random" or way.init_noise for way in VARIATIONS["seeds"](TransferSettings()))
