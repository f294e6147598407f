"""What notebooks show: pictures side by side, and small squares of them."""

from __future__ import annotations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from impasto.errors import SignalError
from impasto.exercises import picture, show


def test_a_picture_is_the_middle_as_a_small_square():
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    assert picture(wide, 10).shape == (3, 10, 10)
    assert picture(wide, 10).min() > 0.9


def test_pictures_side_by_side_have_their_titles(monkeypatch: pytest.MonkeyPatch):
    matplotlib.use("agg")
    monkeypatch.setattr(plt, "show", lambda: None)
    show(torch.rand(3, 8, 8), torch.rand(8, 8) * 1000, titles="relu1_1, M", columns=2, the_mean=torch.rand(3, 8, 8))
    axes = plt.gcf().axes
    assert [axis.get_title() for axis in axes] == ["relu1_1", "M", "the mean", ""]
    assert [len(axis.images) for axis in axes] == [1, 1, 1, 0]
    plt.close("all")
    with pytest.raises(SignalError, match="no picture was given"):
        show()
