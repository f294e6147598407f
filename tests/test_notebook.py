"""What a notebook shows: paintings, indexes of patches and progress; and tensors of torch as input."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import impasto

FEW = impasto.TransferSettings(size=32, scales=1, iterations=3, style_layers="relu1_1", content_layers="relu1_1")


def tensor(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.slow
def test_a_painting_shows_itself():
    painting = impasto.transfer_style(tensor(0, 3, 24, 32), tensor(1, 1, 3, 24, 32), FEW)
    png: Any = painting._repr_png_()
    with Image.open(io.BytesIO(png)) as shown:
        assert np.array_equal(np.asarray(shown), np.asarray(painting.image))


@pytest.mark.slow
def test_a_painting_of_a_series_shows_its_figure():
    waves = [impasto.Signal(tensor(i, 1, 400).numpy(), "series", {"rate": 125.0}) for i in range(2)]
    painting = impasto.transfer_style(waves[0], waves[1], impasto.TransferSettings(iterations=2))
    png: Any = painting._repr_png_()
    with Image.open(io.BytesIO(png)) as shown:
        assert shown.width > 300


@pytest.mark.slow
def test_an_index_shows_its_layers_and_tensors_are_explored():
    batch = tensor(2, 3, 3, 32, 32)
    index = impasto.top_patches(batch, "relu1_1", units="0-3")
    assert index.layers == impasto.top_patches(list(batch), "relu1_1", units="0-3").layers
    assert len(index.images) == 3
    assert len(impasto.top_patches(batch[0], "relu1_1", units="0-3").images) == 1
    shown = index._repr_html_()
    assert "9 patches a unit of" in shown and "over 3 images" in shown
    assert shown.count("<tr>") == 2 and ">relu1_1</td>" in shown


def test_an_index_of_a_foreign_name_shows_no_markup_of_it():
    patch = {"image": "<b>", "activation": 1.0, "position": (0, 0), "field": ((0, 1), (0, 1))}
    from impasto.explore.index import BINS
    from impasto.explore.patch import Patch

    counts = np.zeros((1, BINS), np.int32)
    index = impasto.PatchIndex("vgg19", 64, 9, 1, {"relu1_1": {0: (Patch(**patch),)}}, {"relu1_1": counts}, {"<b>": "<b>"})
    assert "<b>" not in index._repr_html_() and "&lt;b&gt;" in index._repr_html_()


class Handle:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def update(self, bar: str) -> None:
        self.seen.append(bar)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """A notebook's kernel, as far as the bar looks at it."""
    handle = Handle()

    def display(bar: str, display_id: bool) -> Handle:
        assert display_id
        handle.update(bar)
        return handle

    python = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1))
    monkeypatch.setitem(sys.modules, "IPython", python)  # pyright: ignore[reportArgumentType]
    display_module: Any = SimpleNamespace(HTML=lambda text: text, display=display)
    monkeypatch.setitem(sys.modules, "IPython.display", display_module)
    return handle


@pytest.mark.slow
def test_a_bar_in_a_notebook(kernel: Handle):
    pictures = tensor(3, 3, 24, 32), tensor(4, 3, 24, 32)
    impasto.transfer_style(*pictures, FEW, on_progress=impasto.progress_bar())
    assert 'value="3" max="3"' in kernel.seen[-1] and "3 of 3, J " in kernel.seen[-1]
    impasto.top_patches(list(pictures), "relu1_1", units="0-3", on_progress=impasto.progress_bar())
    assert "2 of 2" in kernel.seen[-1]
    impasto.synthesise("relu1_1:0", size=32, iterations=1, on_progress=impasto.progress_bar())
    assert "activation " in kernel.seen[-1]


def test_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    tell = impasto.progress_bar()
    tell(SimpleNamespace(done=1, total=2))
    assert capsys.readouterr() == ("", "")  # stderr is a file
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    tell(SimpleNamespace(done=2, total=2, name="a.png"))
    assert capsys.readouterr().err.endswith("2 of 2, a.png\n")
