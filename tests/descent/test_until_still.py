"""A descent ends early once nothing moves, and goes on from a checkpoint to the same end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

import impasto
from impasto.descent.descend import Progress, descend
from impasto.descent.optimizers import OPTIMIZERS
from impasto.descent.stages import Begun, Stage, Whole, descend_stages
from impasto.errors import SettingsError
from impasto.objective.evaluation import Costs
from impasto.transfer.settings import TransferSettings
from tests.transfer.test_checkpoint import check_every_place, copied

CENTRE = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(3))
LEAST = 1e-2


def bowl(generated: Tensor) -> Costs:
    cost = (torch.linspace(1, 30, 36).reshape(6, 6) * (generated - CENTRE).square()).sum()
    return Costs({"content": cost}, {"content": {"relu1_1": cost}})


def flat(generated: Tensor) -> Costs:
    cost = 0 * generated.sum()
    return Costs({"content": cost}, {"content": {"relu1_1": cost}})


def relative_movement(before: Tensor, after: Tensor) -> float:
    """Written once more, in NumPy."""
    a, b = before.double().numpy(), after.double().numpy()
    return float(np.sqrt(np.mean((b - a) ** 2)) / np.std(b))


def descended(still: float | None, iterations: int = 200, optimizer: str = "lbfgs", **more: Any) -> list[Progress]:
    steps = descend(
        more.pop("objective", bowl),
        torch.zeros_like(CENTRE),
        OPTIMIZERS[optimizer](),
        iterations=iterations,
        still=still,
        **more,
    )
    return [copied(progress) for progress in steps]


@pytest.mark.parametrize("optimizer", ["lbfgs", "gd"])
def test_it_ends_where_five_evaluations_moved_g_by_less_than_was_asked(optimizer: str):
    whole, early = descended(None, optimizer=optimizer), descended(LEAST, optimizer=optimizer)
    count = len(early)
    assert count % 5 == 0 and 10 <= count < 200
    moved = [relative_movement(whole[n - 6].best_generated, whole[n - 1].best_generated) for n in range(10, 201, 5)]
    first = next(n for n, by in zip(range(10, 201, 5), moved, strict=True) if 0 < by < LEAST)
    assert count == first
    assert [p.iterations for p in early] == [200] * (count - 1) + [count]
    assert all(torch.equal(a.generated, b.generated) for a, b in zip(early, whole, strict=False)), "the way is the same"


def test_a_smaller_movement_takes_longer():
    counts = [len(descended(least)) for least in (0.1, 0.01, 1e-3, 1e-4)]
    assert counts == sorted(counts) and counts[0] < counts[-1]


def test_what_never_gets_better_is_not_still():
    assert len(descended(LEAST, 20, objective=flat)) == 20


def test_each_stage_ends_early_and_all_are_counted():
    def begin(before: Tensor | None, resumed: bool) -> Begun:
        start = torch.zeros_like(CENTRE) if before is None else before + 0.2
        return Begun(Whole(bowl), start, OPTIMIZERS["lbfgs"](), still=5 * LEAST)

    steps = [copied(p) for p in descend_stages([Stage(100, 1.0, begin), Stage(80, 4.0, begin)])]
    first = [p for p in steps if p.latest.scale == 1]
    assert len(first) < 100 and len(steps) - len(first) < 80
    assert [p.latest.evaluation for p in steps] == list(range(1, len(steps) + 1))
    assert first[0].iterations == 180 and first[-1].iterations == len(first) + 80
    assert steps[-1].iterations == len(steps) and steps[-1].left == 0


def test_it_goes_on_from_wherever_it_was_to_the_same_end(tmp_path: Path):
    def descent(state: Any) -> Iterator[Progress]:
        return descend(bowl, torch.zeros_like(CENTRE), OPTIMIZERS["lbfgs"](), iterations=60, still=5 * LEAST, state=state)

    check_every_place(descent, tmp_path / "state")


def test_a_painting_that_stands_still_is_finished(tmp_path: Path):
    photo, style = data.coffee()[::8, ::8], data.chelsea()[::6, ::6]
    # so much content holds the picture after a few evaluations
    how: dict[str, Any] = {
        "size": 48,
        "beta": 1e-3,
        "content_layers": "relu1_2",
        "style_layers": "relu1_1",
        "iterations": 60,
    }
    painting = impasto.transfer_style(photo, style, TransferSettings(until_still=True, **how), checkpoint=tmp_path / "kept")
    assert painting.finished and 10 <= len(painting.history) < 60
    assert (
        not (tmp_path / "kept").exists()
        or impasto.transfer_style(
            photo, style, TransferSettings(until_still=True, **how), checkpoint=tmp_path / "kept"
        ).finished
    )
    whole = impasto.transfer_style(photo, style, TransferSettings(**how))
    assert len(whole.history) == 60
    assert float(np.abs(painting.signal.values - whole.signal.values).mean()) < 0.01


@pytest.mark.parametrize(("given", "found"), [(True, True), (False, False), ("yes", True), ("no", False)])
def test_yes_and_no_are_understood(given: Any, found: bool):
    assert TransferSettings(until_still=given).until_still is found


def test_anything_else_is_refused_in_one_line():
    with pytest.raises(SettingsError, match=r"^until_still is 'maybe'; yes or no was expected$"):
        TransferSettings(until_still="maybe")  # pyright: ignore[reportArgumentType]
