"""The weights of the network between two paintings."""

from __future__ import annotations

import gc
import time

import torch

from impasto.networks.sharing import shared, weights_kept
from impasto.studio.kept_weights import KeptWeights


class Reader:
    """Weights that count how often they are read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, torch.Tensor]:
        """Large enough to be freed where nobody needs them."""
        self.times += 1
        return {"weight": torch.zeros(2000)}


def paint(kept: KeptWeights, read: Reader) -> None:
    """Use the weights as a painting does: it keeps them until its end."""
    with kept.used(), weights_kept({}):
        shared(read, read)
    gc.collect()


def test_the_next_painting_finds_the_weights_of_the_one_before() -> None:
    kept, read = KeptWeights(), Reader()
    paint(kept, read)
    paint(kept, read)
    assert read.times == 1
    kept.drop()


def test_those_of_another_network_take_their_place() -> None:
    kept, first, second = KeptWeights(), Reader(), Reader()
    for read in (first, second, first):
        paint(kept, read)
    assert (first.times, second.times) == (2, 1)
    kept.drop()


def test_they_go_when_the_studio_closes() -> None:
    kept, read = KeptWeights(), Reader()
    paint(kept, read)
    kept.drop()
    paint(kept, read)
    assert read.times == 2
    kept.drop()


def test_they_go_after_a_while() -> None:
    kept, read = KeptWeights(seconds=0.01), Reader()
    paint(kept, read)
    end = time.monotonic() + 60
    while kept._kept and time.monotonic() < end:
        time.sleep(0.01)
    gc.collect()
    paint(kept, read)
    assert read.times == 2
    kept.drop()
