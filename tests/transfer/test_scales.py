from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from skimage import data

import impasto
from impasto.descent.stages import descend_stages
from impasto.errors import SettingsError, SizeError
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.transfer.resolve import resolve
from impasto.transfer.scales import Scales, plan_scales
from impasto.transfer.settings import TransferSettings
from impasto.transfer.start import enlarged
from tests.transfer.test_checkpoint import check_every_place, copied

SHALLOW: dict[str, Any] = {"style_layers": "relu1_1,relu2_1", "content_layers": "relu2_1"}
CPU = torch.device("cpu")


def picture(height: int, width: int, kind: str = "image") -> Signal:
    return Signal(np.zeros((3, height, width), np.float32), kind)


def plan(size: Any, scales: Any = "auto", iterations: int = 200, content: Signal | None = None) -> list[tuple[Any, int]]:
    _, settings = resolve(TransferSettings(size=size, scales=scales, iterations=iterations), medium_of("image"))
    return [
        (scale.size, scale.iterations) for scale in plan_scales(medium_of("image"), settings, content or picture(300, 400))
    ]


@pytest.mark.parametrize("size", [16, 256, 350])
def test_what_is_small_is_painted_at_once(size: int):
    assert plan(size) == [(size, 200)]


def test_what_is_large_is_painted_from_256_pixels_on():
    assert plan(512) == [(256, 100), (512, 79)]  # 100 / 2^(1/3)
    assert plan(1024) == [(256, 100), (512, 79), (1024, 63)]
    assert plan(2048) == [(256, 100), (512, 79), (1024, 63), (2048, 50)]
    assert plan(400) == [(256, 100), (400, 86)]
    assert plan("full", content=picture(1024, 100)) == [(256, 100), (512, 79), (1024, 63)]
    assert plan("full", content=picture(200, 300)) == [(None, 200)]


def test_what_is_narrow_is_painted_from_where_the_network_takes_it():
    assert plan(1024, content=picture(2000, 31)) == [(1024, 200)]
    (first, _), (last, _) = plan(2000, content=picture(2000, 31))
    assert last == 2000 and 16 * 2000 / 31 < first < 1.01 * 16 * 2000 / 31
    _, settings = resolve(TransferSettings(size=1024, stroke=0.25), medium_of("image"))
    assert (
        plan_scales(medium_of("image"), settings, picture(300, 400), [(picture(300, 30), 1.0)])[0].size or 0
    ) > 16 * 10 * 4


def test_scales_that_are_asked_for_are_halves():
    assert plan(512, 3, 40) == [(128, 20), (256, 16), (512, 13)]
    assert plan(2048, 1) == [(2048, 200)]
    assert plan(7, 4, 1) == [(1, 1), (2, 1), (4, 1), (7, 1)]


def test_only_pictures_are_enlarged():
    volume = Signal(np.zeros((1, 64, 50, 40), np.float32), "volume")
    _, settings = resolve(TransferSettings(size=256, scales=2), medium_of("volume"))
    assert [scale.size for scale in plan_scales(medium_of("volume"), settings, volume)] == [32, 64]


@examples(deadline=None, max_examples=60)
@given(st.integers(1, 10_000), st.one_of(st.just("auto"), st.integers(1, 12)), st.integers(1, 1000))
def test_scales_rise_to_the_size_and_take_fewer_each(size: int, scales: Any, iterations: int):
    planned = plan(size, scales, iterations)
    assert planned[-1][0] == size and planned[0][1] == (iterations if len(planned) == 1 else max(1, round(iterations / 2)))
    for (small, many), (large, few) in pairwise(planned):
        assert small <= large <= 3 * small and 1 <= few <= many
    if scales == "auto" and len(planned) > 1:
        assert planned[0][0] == 256


@pytest.mark.parametrize("shape", [(9,), (6, 8), (5, 6, 7)])
def test_a_smooth_signal_is_enlarged_to_itself(shape: tuple[int, ...]):
    """Cubic interpolation keeps what is linear, away from the borders, on grids with the same outer faces."""

    def plane(shape: tuple[int, ...]) -> torch.Tensor:
        axes = [(torch.arange(n) + 0.5) / n for n in shape]
        return sum(torch.meshgrid(*axes, indexing="ij"), start=torch.zeros(shape))[None, None] / len(shape)

    large = tuple(3 * n for n in shape)
    inner = (..., *(slice(6, -6) for _ in shape))
    result = enlarged(plane(shape), large)
    torch.testing.assert_close(result[inner], plane(large)[inner], rtol=0, atol=1e-5)
    assert torch.equal(enlarged(plane(shape), shape), plane(shape))


@pytest.fixture(scope="module")
def pair() -> tuple[Signal, Signal]:
    photo, style = (array.astype(np.float32) / 255 for array in (data.coffee()[::6, ::6], data.chelsea()[::4, ::4]))
    return tuple(Signal(np.ascontiguousarray(array.transpose(2, 0, 1))) for array in (photo, style))  # pyright: ignore


def descended(pair: tuple[Signal, Signal], state: Any = None, **given_: Any) -> Iterator[tuple[Any, impasto.Progress]]:
    given = TransferSettings(**SHALLOW | dict[str, Any](size=60, scales=3, iterations=14) | given_)
    scales = Scales(medium_of("image"), pair[0], [(pair[1], 1.0)], resolve(given, medium_of("image"))[1], CPU)
    return ((scales.prepared, progress) for progress in descend_stages(scales.stages(), state=state))


def test_the_scales_are_counted_as_one_descent(pair: tuple[Signal, Signal]):
    steps = [copied(progress) for _, progress in descended(pair)]
    assert [p.latest.evaluation for p in steps] == list(range(1, 7 + 6 + 4 + 1))
    assert [p.latest.scale for p in steps] == [1] * 7 + [2] * 6 + [3] * 4
    assert all(p.iterations == 17 and p.scales == 3 for p in steps)
    assert [max(p.generated.shape) for p in steps] == [15] * 7 + [30] * 6 + [60] * 4
    # an evaluation at twice the size takes as long as four
    left = [*range(6 + 6 * 4 + 4 * 16, 6 * 4 + 4 * 16 - 1, -1), *range(5 + 4 * 4, 4 * 4 - 1, -1), 3, 2, 1, 0]
    assert [p.left for p in steps] == left
    seconds = [p.latest.seconds for p in steps]
    assert seconds == sorted(seconds)
    for first in (7, 13):
        assert steps[first].best == steps[first].latest, "costs of different sizes are not compared"


@pytest.mark.parametrize(("init", "noise"), [("content", 0.0), ("content", 0.25), ("file", 0.0), ("random", 0.0)])
def test_each_scale_starts_from_the_enlarged_result_of_the_one_before(
    pair: tuple[Signal, Signal], init: str, noise: float, tmp_path: Path
):
    """And from what only the larger one shows of what the first one started from, as far as that was not noise."""
    if init == "file":
        init = str(tmp_path / "start.png")
        impasto.write_image(pair[0].with_values(pair[0].values[:, ::-1]), init)
    found = [
        (q, p.latest.scale, p.generated.clone(), p.best_generated.clone())
        for q, p in descended(pair, init=init, init_noise=noise)
    ]
    for (small, a, _, painted), (large, b, start, _) in pairwise(found):
        if b > a:
            shape = tuple(large.content.shape[2:])
            expected = enlarged(painted, shape)
            if init != "random":
                seen = [q.content if init == "content" else q.fit(impasto.read_image(init)) for q in (large, small)]
                expected = expected + (1 - noise) * (seen[0] - enlarged(seen[1], shape))
            assert torch.equal(start, expected.clamp(0, 1))


def test_nothing_but_style_has_nothing_of_the_content_at_any_scale(pair: tuple[Signal, Signal]):
    found = []
    for content in (pair[0], pair[0].with_values(np.full_like(pair[0].values, 0.5))):
        *_, (_, last) = descended((content, pair[1]), strength=1)
        found.append(last.best_generated)
    assert torch.equal(*found)


def test_it_goes_on_from_every_scale(pair: tuple[Signal, Signal], tmp_path: Path):
    check_every_place(lambda state: (p for _, p in descended(pair, state, iterations=4)), tmp_path / "state")


def test_the_stroke_scales_the_style(pair: tuple[Signal, Signal]):
    prepare = medium_of("image").prepare
    sizes = {}
    for stroke in (0.25, 0.5, 1.0, 1.5):
        _, settings = resolve(TransferSettings(size=64, stroke=stroke, **SHALLOW), medium_of("image"))
        prepared = prepare(pair[0], [(pair[1], 1.0)], settings)
        assert max(prepared.content.shape) == 64
        sizes[stroke] = max(prepared.style[0][0].shape)
    assert sizes == {0.25: 16, 0.5: 32, 1.0: 64, 1.5: 96}


@pytest.mark.parametrize("kind", ["series", "sound", "movie"])
def test_scales_are_refused_where_they_mean_nothing(kind: str):
    with pytest.raises(SettingsError, match=f"scales 2 is not for this kind of signal \\({kind}\\), only for image, volume"):
        TransferSettings(scales=2).for_kind(kind)
    alone = TransferSettings(size=100_000).for_kind(kind)
    assert alone.scales == 1 and alone.for_kind(kind) == alone
    assert (
        len(plan_scales(medium_of(kind), resolve(alone, medium_of(kind))[1], Signal(np.zeros((1, 10**6), np.float32), kind)))
        == 1
    )


@pytest.mark.parametrize("name", ["series", "sound"])
def test_a_stroke_is_of_pictures(name: str):
    with pytest.raises(SettingsError, match="stroke 2"):
        TransferSettings(stroke=2).for_kind(name)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"scales": 0}, "from 1 to 12"),
        ({"scales": 13}, "from 1 to 12"),
        ({"scales": "many"}, "not a whole number"),
        ({"stroke": 0.2}, "from 0.25 to 4"),
        ({"stroke": 5}, "from 0.25 to 4"),
    ],
)
def test_what_scales_and_strokes_can_be(given_: dict[str, Any], message: str):
    with pytest.raises(SettingsError, match=message):
        TransferSettings(**given_)


def test_too_many_scales_are_an_error_before_the_work(pair: tuple[Signal, Signal]):
    with pytest.raises(
        SizeError, match=r"the first of 8 scales has a size of \d.*give a larger --size or at most \d --scales"
    ):
        next(descended(pair, scales=8))


def test_a_painting_of_several_scales_tells_of_them(pair: tuple[Signal, Signal]):
    settings = TransferSettings(**SHALLOW, size=60, scales=2, iterations=4)
    painting = impasto.transfer_style(*pair, settings)
    assert painting.image.size == (60, 40)
    assert painting.best.scale == 2 and painting.summary()["scale"] == 2
    assert painting.best.cost == min(e.cost for e in painting.history if e.scale == 2)
    assert painting.settings.iterations == 4 and painting.summary()["evaluations"] == 2 + 2


def test_the_first_picture_is_mixed_with_noise(pair: tuple[Signal, Signal]):
    def first(**options: Any) -> Any:
        settings = TransferSettings(size=32, iterations=1, **SHALLOW, **options)
        return impasto.transfer_style(*pair, settings).signal.values

    content, noise = first(), first(init="random")
    assert np.allclose(first(init_noise=0.25), 0.75 * content + 0.25 * noise, atol=1e-6)
    assert np.allclose(first(strength=0.75), (content + noise) / 2, atol=1e-6)
    assert np.array_equal(first(strength=1), noise)
    assert np.array_equal(first(strength=0.5), content)
    assert np.array_equal(first(init="random", init_noise=0.1), noise)
