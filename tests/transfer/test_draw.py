"""A picture that is drawn before it is painted: which scales there are, what their J is, and that all else works with it."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import impasto
from impasto.errors import SettingsError
from impasto.media.image.read import resample_image
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.transfer.resolve import resolve
from impasto.transfer.scales import Scales, plan_scales
from impasto.transfer.settings import TransferSettings
from impasto.transfer.start import in_spots

IMAGE = medium_of("image")
CONTENT, STYLE = data.coffee()[::9, ::9], data.chelsea()[::7, ::7]
SMALL: dict[str, Any] = {"size": 40, "iterations": 6}


def plan(size: Any, draw: float = 1.0, shape: tuple[int, int] = (300, 400), **more: Any) -> list[tuple[Any, int, bool]]:
    _, settings = resolve(TransferSettings(size=size, draw=draw, iterations=100, **more), IMAGE)
    content = Signal(np.zeros((3, *shape), np.float32), "image")
    return [(scale.size, scale.iterations, scale.drawn) for scale in plan_scales(IMAGE, settings, content)]


def paint(draw: float, style: Any = STYLE, **more: Any) -> impasto.Painting:
    given = {name: more.pop(name) for name in list(more) if name in TransferSettings.__dataclass_fields__}
    return impasto.transfer_style(CONTENT, style, TransferSettings(draw=draw, **SMALL | given), **more)


def objectives(draw: float, **more: Any) -> tuple[str, str]:
    _, settings = resolve(TransferSettings(draw=draw, **more), IMAGE)
    return repr(settings.drawing), repr(settings.objective)


def test_coarse_scales_draw_and_fine_ones_paint():
    drawn = [(64, 40, True), (128, 30, True), (256, 20, True)]
    assert plan(512) == [*drawn, (512, 40, False)]
    assert plan(1024) == [*drawn, (512, 40, False), (1024, 31, False)]
    assert plan(300) == [*drawn, (300, 47, False)]
    assert plan(200) == [(50, 40, True), (100, 30, True), (200, 20, True), (200, 50, False)]


def test_what_is_too_small_for_the_network_is_not_drawn():
    assert [size for size, *_ in plan(32)] == [16, 32, 32]
    assert plan(16)[0] == (16, 20, True)
    assert [size for size, *_ in plan(512, shape=(100, 1000))] == [128, 256, 512]


def test_scales_that_are_asked_for_are_drawn_but_the_last():
    assert plan(512, scales=3) == [(128, 20, True), (256, 20, True), (512, 40, False)]
    assert plan(512, scales=1) == [(512, 100, False)]


def test_without_drawing_all_is_as_it_was():
    assert plan(512, draw=0.0) == [(256, 50, False), (512, 40, False)]
    assert objectives(0.0) == (
        "None",
        "content('relu4_2') + 20 * style('relu1_1,relu2_1,relu3_1,relu4_1,relu5_1')",
    )
    J = impasto.content("relu4_2") + 20 * impasto.style("relu1_1,relu2_1,relu3_1,relu4_1,relu5_1")  # noqa: N806
    given = impasto.Painter(objective=J, settings=TransferSettings(**SMALL)).paint(CONTENT, STYLE)
    assert np.array_equal(paint(0.0).signal.values, given.signal.values)


def test_up_to_a_half_forms_are_placed_and_above_it_is_drawn_first():
    assert plan(512, draw=0.5) == plan(512, draw=0.0)
    assert [drawn for _, _, drawn in plan(512, draw=0.6)] == [True, True, True, False]
    assert objectives(0.5) == objectives(0.0) and "neighbours" in objectives(0.6)[0]
    assert TransferSettings().for_kind("image").draw == 0.5


def test_the_more_is_drawn_the_less_the_paint_decides_where_the_motif_goes():
    assert objectives(1.0)[1] == "content('relu4_2') + 20 * style('relu1_1,relu2_1,relu3_1')"
    deep: list[float] = []
    for draw in (0.0, 0.5, 0.625, 0.75, 0.875, 1.0):
        lambdas = TransferSettings(draw=draw).for_kind("image").style_lambdas
        assert sum(lambdas.values()) == pytest.approx(1)
        deep.append(lambdas.get("relu4_1", 0.0) / lambdas["relu1_1"])
    assert deep == pytest.approx([1, 1, 0.75**3, 0.5**3, 0.25**3, 0])
    chosen = TransferSettings(draw=0.75, style_layers="relu1_1,relu5_1").for_kind("image")
    assert chosen.style_lambdas == {"relu1_1": 0.5, "relu5_1": 0.5}


def placed_by(**more: Any) -> float:
    """The weight of J_neighbours in the J of placing."""
    _, settings = resolve(TransferSettings(**more), IMAGE)
    if settings.placing is None:
        return 0.0
    placing = {term.name: weight for weight, term in settings.placing.terms}
    painting = {term.name: weight for weight, term in settings.objective.terms}
    weight = placing.pop("neighbours")
    assert placing == painting and settings.placing.layers == settings.objective.layers
    return weight


def test_forms_are_placed_by_what_ties_content_and_style():
    assert placed_by() == placed_by(draw=0.5) == placed_by(draw=1.0, style_layers="relu2_1,relu3_1,relu4_1") == 10
    assert placed_by(draw=0.25) == 5 and placed_by(draw=0.0) == 0
    assert placed_by(alpha=10.0, beta=200.0) == pytest.approx(100)
    assert placed_by(alpha=0.0) == placed_by(beta=0.0) == placed_by(strength=1.0) == placed_by(strength=0.0) == 0
    assert placed_by(strength=0.7) == pytest.approx(10 * 0.6 * 1.4)


def test_what_leaves_no_layers_or_no_unit_for_it_is_painted_without():
    assert TransferSettings(weighting="absolute").for_kind("image").draw == 0.0
    assert TransferSettings(style_layers="relu1_1").for_kind("image").draw == 0.0
    assert TransferSettings(content_layers="relu4_2").for_kind("image").draw == 0.0
    assert TransferSettings().for_kind("series").draw is None
    J = impasto.content("relu4_2") + 20 * impasto.style("relu1_1")  # noqa: N806
    filled, settings = resolve(TransferSettings(), IMAGE, objective=J)
    assert filled.draw is None and settings.placing is None
    with pytest.raises(SettingsError, match=r"draw was set, and a J was given|draw was set, and J was given"):
        resolve(TransferSettings(draw=0.5), IMAGE, objective=J)


def test_forms_are_placed_in_small_paintings_alone():
    _, settings = resolve(TransferSettings(draw=1.0, size=1024), IMAGE)
    content = Signal(np.zeros((3, 1024, 768), np.float32), "image")
    style = Signal(np.random.default_rng(0).random((3, 64, 64), np.float32), "image")
    scales = Scales(IMAGE, content, [(style, 1.0)], settings, torch.device("cpu"))
    names = [sorted(term.name for _, term in scales.at(k)[0].objective.terms) for k in range(len(scales))]
    assert names[-2:] == [["content", "neighbours", "style"], ["content", "style"]]


def test_it_starts_from_spots_of_colour():
    x = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    spots = in_spots(x)
    assert spots.shape == x.shape and float(spots.std()) < 0.3 * float(x.std())
    assert float(spots.mean()) == pytest.approx(float(x.mean()), abs=0.01)
    assert torch.allclose(in_spots(torch.full_like(x, 0.3)), torch.full_like(x, 0.3), atol=1e-5)


def test_a_painting_tells_of_both_costs_and_what_it_was_made_with():
    painting = paint(1.0)
    names = [set(evaluation.costs) for evaluation in painting.history]
    assert names == [{"neighbours"}] * (len(names) - 3) + [{"content", "style", "neighbours"}] * 3
    drawn = [evaluation.cost for evaluation in painting.history if evaluation.scale == 1]
    assert drawn[-1] < drawn[0]
    assert painting.settings.draw == 1.0
    assert np.abs(painting.signal.values - paint(0.0).signal.values).mean() > 0.02


def test_at_no_strength_it_is_the_content():
    painting = paint(1.0, strength=0.0)
    expected = paint(0.0, strength=0.0)
    assert np.array_equal(painting.signal.values, expected.signal.values)


def test_colour_and_several_styles_and_total_variation_work_with_it():
    assert paint(1.0, colour="luminance").finished
    mixed = paint(1.0, [(STYLE, 0.5), (CONTENT[::-1], 0.5)], tv=5.0)
    assert np.isfinite(mixed.best.cost) and mixed.finished


def test_regions_are_drawn_from_their_own_styles_and_what_is_protected_stays(tmp_path: Path):
    height, width = CONTENT.shape[:2]
    left = np.zeros((height, width, 3), np.uint8)
    left[:, : width // 2] = 255
    Image.fromarray(left).save(tmp_path / "content.png")
    whole = np.zeros((*STYLE.shape[:2], 3), np.uint8)
    whole[:, : STYLE.shape[1] // 2] = 255
    Image.fromarray(whole).save(tmp_path / "style.png")
    masks = {"content_mask": str(tmp_path / "content.png"), "style_mask": str(tmp_path / "style.png")}
    painting = paint(1.0, protect=str(tmp_path / "content.png"))
    rows, columns = painting.signal.shape
    kept = resample_image(impasto.read_image(CONTENT), (rows, columns)).values
    assert np.array_equal(painting.signal.values[:, :, : columns // 2 - 4], kept[:, :, : columns // 2 - 4])
    assert paint(1.0, **masks).finished


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_drawing_that_was_cut_off_goes_on_bit_for_bit(tmp_path: Path, stop: int):
    whole, cancel = paint(0.8), Event()

    def watch(progress: impasto.Progress) -> None:
        if progress.latest.evaluation == stop:
            cancel.set()

    how: dict[str, Any] = {"checkpoint": tmp_path / "kept", "checkpoint_every": 0}
    part = paint(0.8, on_progress=watch, cancel=cancel, **how)
    assert not part.finished and len(part.history) == stop
    rest = paint(0.8, **how)
    assert np.array_equal(rest.signal.values, whole.signal.values)
    assert [e.cost for e in rest.history] == [e.cost for e in whole.history]


FRAME = resample_image(impasto.Signal(CONTENT.transpose(2, 0, 1).astype(np.float32) / 255), (36, 48)).values
MOVIE = Signal(np.stack([FRAME, np.roll(FRAME, 1, 2)], 1), "movie", {"times": (0.0, 0.1)})
VOLUME = Signal(np.stack([FRAME[:1, :32, :32] * np.float32(k / 32) for k in range(32)], 1), "volume")


@pytest.mark.parametrize("content", [MOVIE, VOLUME], ids=["movie", "volume"])
def test_forms_are_placed_in_frames_and_slices_where_it_is_asked_for(content: Signal):
    how: dict[str, Any] = {"size": 40 if content is MOVIE else None, "iterations": 4}
    plainly, placed = (impasto.transfer_style(content, STYLE, TransferSettings(draw=draw, **how)) for draw in (None, 0.5))
    assert "neighbours" not in plainly.history[0].costs
    first, last = placed.history[0], placed.history[3]  # of the first frame
    assert first.costs["neighbours"] > 0 and last.cost < first.cost
    assert not np.array_equal(placed.signal.values, plainly.signal.values)
    assert first.cost - first.costs["neighbours"] == pytest.approx(plainly.history[0].cost, rel=1e-5)
    with pytest.raises(SettingsError, match=f"only pictures are drawn first: of a {content.kind} 0..0.5 was expected"):
        impasto.transfer_style(content, STYLE, TransferSettings(draw=0.6, **how))


def test_where_no_scale_places_forms_it_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setattr("impasto.transfer.scales._PLACED", 39)
    painting = impasto.transfer_style(MOVIE, STYLE, TransferSettings(draw=0.5, size=40, iterations=1))
    assert "neighbours" not in painting.history[0].costs
    assert "draw does nothing: forms are placed at sizes up to 39, and this is painted at once" in caplog.messages


def test_what_cannot_be_drawn_is_one_line():
    with pytest.raises(SettingsError, match=r"draw 0\.5 is not for this kind of signal"):
        TransferSettings(draw=0.5).for_kind("series")
    with pytest.raises(SettingsError, match="draw was set, and J was given"):
        impasto.Painter(objective=impasto.content("relu4_2"), settings=TransferSettings(draw=0.5))
    with pytest.raises(SettingsError, match="draw is"):
        TransferSettings(draw=1.5)
