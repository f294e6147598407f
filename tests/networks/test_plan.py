"""What a plan promises: it fits, it needs no more work where it has more memory, and it counts what is there."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import impasto
from impasto.descent.memory import Limits, fit
from impasto.descent.optimizers import LBFGS
from impasto.errors import SettingsError, SizeError
from impasto.media.registry import medium_of
from impasto.networks.convnet import ConvNet
from impasto.networks.layers import ARCHITECTURES, VGG19, up_to_deepest
from impasto.networks.mel import Spectral
from impasto.networks.tiling.plan import Task, cheapest, kernel_memory, least_memory, plans, untiled_memory
from impasto.transfer.resolve import resolve
from impasto.transfer.settings import TransferSettings
from tests.conftest import bound

GIB = 2**30
TABLE = up_to_deepest(VGG19, ["relu5_1"])


def task(*shape: int, table: Any = TABLE, channels: int = 3) -> Task:
    return Task(table, shape, channels, 1, ("relu4_2",) if table is TABLE else (), shape)


@pytest.mark.parametrize("side", [512, 777, 2048])
def test_what_fits_into_more_memory_takes_less_work(side: int):
    least = least_memory(task(side, side))
    assert cheapest(task(side, side), 0.99 * least) is None
    found = [cheapest(task(side, side), least * 1.5**n) for n in range(12)]
    assert all(plan and plan.memory <= least * 1.5**n for n, plan in enumerate(found))
    works = [plan.work for plan in found if plan]
    assert all(after <= 1.04 * before for before, after in pairwise(works))
    assert works[-1] < 0.7 * works[0]
    assert found[-1] and found[-1].tile is None and found[0] and found[0].tile


def test_the_work_of_the_whole_is_the_multiplications_there_and_back():
    """VGG-19 down to conv5_1, by hand, at 64 x 64."""
    widths = [(3, 64, 64), (64, 64, 64), (64, 128, 32), (128, 128, 32), (128, 256, 16), *[(256, 256, 16)] * 3]
    widths += [(256, 512, 8), *[(512, 512, 8)] * 3, (512, 512, 4)]
    once = sum(9 * before * after * side**2 for before, after, side in widths)
    whole = next(plan for plan in plans(task(64, 64), 0) if not plan.cuts and plan.kept == 1)
    assert whole.work == pytest.approx(2 * once)
    assert whole.work_for(task(128, 64)) == pytest.approx(4 * once)
    assert kernel_memory(task(64, 64)) == 4 * sum(9 * before * after for before, after, _ in widths)


def test_the_whole_at_once_needs_gigabytes_and_4096_pixels_fit_into_two_in_tiles():
    assert untiled_memory(task(2048, 2048)) > 8 * GIB
    assert untiled_memory(task(4096, 4096)) > 32 * GIB
    plan = cheapest(task(4096, 4096), 2 * GIB)
    assert plan and plan.tile


def test_spectra_are_counted():
    network = Spectral(ARCHITECTURES["spectral"].table, 8000, torch.rand(1, 1, 20000))
    minutes = task(8000 * 600, table=network.table, channels=1)
    plan = cheapest(minutes, untiled_memory(minutes) / 4)
    assert plan and plan.cuts == ("spectrogram",) and plan.tile


@given(height=st.integers(40, 80), width=st.integers(40, 80), share=st.floats(0, 1), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=5)
def test_whatever_the_plan_j_is_the_same(network_of_a_third: ConvNet, height: int, width: int, share: float, seed: int):
    random = torch.Generator().manual_seed(seed)
    # in float32 a rounding error can put one activation on the other side of a ReLU
    C, S, G = (  # noqa: N806
        torch.rand(1, 3, *sides, generator=random, dtype=torch.float64)
        for sides in ((height, width), (50, 61), (height, width))
    )
    chosen = replace(CHOSEN, alpha=3.0)
    layers = [*chosen.content_weights, *chosen.style_lambdas]
    job = Task(network_of_a_third.table, (height, width), 3, 1, ("relu2_2",), (50, 61))
    least = least_memory(job)
    plan = cheapest(job, least + share * (untiled_memory(job) - least))
    assert plan is not None
    results = []
    for network in (network_of_a_third, plan.apply(network_of_a_third, layers)):
        objective, leaf = bound(network, C, S, chosen), G.clone().requires_grad_()
        cost = objective(leaf).cost
        results.append((cost.item(), torch.autograd.grad(cost, leaf)[0]))
    (cost, gradient), (in_tiles, gradient_in_tiles) = results
    assert in_tiles == pytest.approx(cost, rel=1e-10)
    assert (gradient_in_tiles - gradient).norm() < 1e-10 * gradient.norm()


CHOSEN = TransferSettings(content_layers="relu2_2", style_layers="relu1_1,relu2_1,relu3_1").for_kind("image")


@pytest.fixture(scope="module")
def network_of_a_third(weights: Any) -> ConvNet:
    return ConvNet(up_to_deepest(VGG19, ["relu3_1"]), weights, pooling="avg").double()


def limits(memory: str) -> Limits:
    return resolve(TransferSettings(memory=memory), medium_of("image"))[1].limits


def test_the_optimizer_gives_way_only_where_tiles_are_not_enough():
    found = [fit(task(2048, 2048), limits(f"{n}GiB")) for n in (16, 5, 3, 2)]
    remembered = [f.optimizer.history if isinstance(f.optimizer, LBFGS) else 0 for f in found]
    assert remembered[:2] == [20, 20]
    assert remembered == sorted(remembered, reverse=True) and remembered[2] < 20
    assert all(f.memory <= f.budget for f in found)
    works = [f.plan.work for f in found if f.plan]
    assert works[0] < works[1]


def test_a_memory_too_small_is_refused_with_what_is_needed_and_what_would_fit():
    chosen = limits("2GiB")
    with pytest.raises(
        SizeError, match=r"8192 x 4096 needs at least \d+\.\d GiB .* 2\.0 GiB may be taken; a --size of"
    ) as raised:
        fit(task(4096, 8192), chosen)
    size = int(re.findall(r"size of (\d+)", str(raised.value))[0])
    fit(task(size // 2, size), chosen)
    with pytest.raises(SizeError):
        fit(task(round(size * 0.53), round(size * 1.06)), chosen)
    with pytest.raises(SizeError, match=r"the network alone needs .* give more --memory"):
        fit(task(512, 512), limits("100MB"))


@pytest.mark.parametrize(
    ("given", "bytes"), [("2GiB", 2 * GIB), ("500 MB", 500_000_000), ("1.5g", 1.5 * GIB), (123456, 123456), ("64kib", 65536)]
)
def test_memory_is_given_with_a_unit(given: Any, bytes: float):
    assert TransferSettings(memory=given).memory == bytes


@pytest.mark.parametrize("given", ["much", "2 elephants", "-1GiB", "0", "nan", "inf", ""])
def test_what_is_no_memory_is_refused(given: str):
    with pytest.raises(SettingsError, match="memory"):
        TransferSettings(memory=given)


def test_a_painting_in_tiles_is_the_painting(photograph: Any, texture: Any, monkeypatch: pytest.MonkeyPatch):
    """From end to end, with an optimizer that stays the same."""
    how: dict[str, Any] = {"iterations": 4, "optimizer": "adam", "size": 64}
    whole = impasto.transfer_style(photograph, texture, TransferSettings(**how))
    monkeypatch.setattr("impasto.networks.tiling.plan._ROOMY", 2**20)
    monkeypatch.setattr("impasto.networks.tiling.plan._KEPT", 9)
    tiled = impasto.transfer_style(photograph, texture, TransferSettings(**how))
    assert tiled.best.cost == pytest.approx(whole.best.cost, rel=1e-4)
    np.testing.assert_allclose(tiled.signal.values, whole.signal.values, atol=2e-3)
