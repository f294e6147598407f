"""Nothing is lost at the end: what cannot be written is found before the work, and what is written is read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import impasto
from impasto.errors import ImpastoError, SettingsError, SignalError, SizeError
from impasto.media.registry import media
from impasto.media.signal import Signal
from impasto.transfer.inputs import take_in
from impasto.transfer.settings import TransferSettings

PHOTO = np.random.default_rng(0).integers(0, 255, (20, 24, 3), np.uint8)
SMALL = TransferSettings(content_layers="relu1_1", style_layers="relu1_1", iterations=2, size=24)


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("the work has begun")


REFUSED: list[tuple[str, dict[str, Any], type[ImpastoError]]] = [
    ("out.gpeg", {}, SignalError),
    ("out.jpg", {"bits": 16}, SettingsError),
    ("out.png", {"quality": 80}, SettingsError),
]


@pytest.mark.parametrize(("name", "options", "error"), REFUSED)
@pytest.mark.parametrize("begin", [impasto.transfer_style, take_in])
def test_what_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path,
    name: str,
    options: dict[str, Any],
    error: type[ImpastoError],
    begin: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("impasto.networks.registry.Constructor.build", never)
    with pytest.raises(error):
        begin(PHOTO, PHOTO, SMALL, output=tmp_path / name, options=options)


def test_an_encoder_that_fails_is_found_out_on_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(signal: Signal, path: Path, about: Any, **_: Any) -> bytes:
        assert signal.shape < (9, 9) and about["settings"]["iterations"] == 2
        raise SignalError(f"{path}: not today")

    monkeypatch.setitem(media(), "image", replace(media()["image"], encode=refuse))
    with pytest.raises(SignalError, match="not today"):
        impasto.transfer_style(PHOTO, PHOTO, SMALL, output=tmp_path / "out.png", on_progress=never)


def test_a_checkpoint_stays_until_what_was_written_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept, out = tmp_path / "run.checkpoint", tmp_path / "out.png"
    painting = impasto.transfer_style(PHOTO, PHOTO, SMALL, checkpoint=kept, checkpoint_every=0)
    encode = media()["image"].encode
    damaged = lambda *given, **how: encode(*given, **how).replace(b"IDAT", b"IDOT")  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setitem(media(), "image", replace(media()["image"], encode=damaged))
        with pytest.raises(SignalError, match="was written, but cannot be read again"):
            painting.write(out)
    assert kept.exists()
    painting.write(out)
    assert not kept.exists()


def test_memory_that_runs_out_is_told_with_its_cause(monkeypatch: pytest.MonkeyPatch):
    lacking = RuntimeError("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you tried")
    for cause in (lacking, MemoryError(), torch.OutOfMemoryError("CUDA out of memory.")):

        def fails(*_: Any, cause: BaseException = cause) -> None:
            raise cause

        with monkeypatch.context() as patch, pytest.raises(SizeError, match="the memory of the cpu ran out") as caught:
            patch.setattr("impasto.descent.descend.evaluate", fails)
            impasto.transfer_style(PHOTO, PHOTO, SMALL)
        assert caught.value.__cause__ is cause


@pytest.mark.parametrize("error", [RuntimeError("a memory of mine"), RuntimeError("out of memory"), ValueError("bad")])
def test_an_error_of_the_callers_own_stays_what_it_is(error: Exception):
    def fails(_: object) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        impasto.transfer_style(PHOTO, PHOTO, SMALL, on_progress=fails)
    assert caught.value is error


@pytest.mark.parametrize("settings", [{}, {"tv": 3.0}, {"beta": 0.0}, {"style_cost": "wasserstein", "tv": 1.0}])
def test_j_is_the_sum_of_its_parts(settings: dict[str, Any]):
    how = TransferSettings(alpha=2.0, iterations=3, size=24, content_layers="relu1_1", style_layers="relu1_1", **settings)
    painting = impasto.transfer_style(PHOTO, PHOTO[::-1], how)
    for e in painting.history:
        assert e.cost == pytest.approx(sum(e.costs.values()), rel=1e-6)
        assert e.costs["content"] == pytest.approx(2 * e.content_cost)
        assert e.costs["style"] == pytest.approx((painting.settings.beta or 0) * e.style_cost)
        assert set(e.costs) - {"content", "style"} == ({"total variation"} if how.tv else set())
    assert painting.summary()["costs"] == painting.best.costs
