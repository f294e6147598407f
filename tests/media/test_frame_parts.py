from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from impasto.media.movie.frame_parts import Frames
from impasto.media.movie.optical_flow import flicker
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet, vgg19
from impasto.objective.costs import temporal_cost
from impasto.objective.evaluation import BoundObjective, View
from impasto.objective.neighbours import neighbours
from impasto.objective.temporal import temporal
from impasto.objective.term import Moved, Scene
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings
from tests.conftest import bound, descent_of, descent_of_parts, told

SETTINGS = TransferSettings(content_layers="relu2_1", style_layers="relu1_1,relu2_1", iterations=24).for_kind("movie")


def frames(network: ConvNet, movie: Tensor, picture: Tensor, settings: TransferSettings) -> Frames:
    return Frames(objective_of(settings) + temporal(), network, movie, [(picture, 1.0)])


@pytest.fixture(scope="module")
def network() -> ConvNet:
    return vgg19(pooling="avg")


def _picture(array: np.ndarray, step: int) -> Tensor:
    return torch.from_numpy(array[::step, ::step].astype(np.float32) / 255).permute(2, 0, 1)


@pytest.fixture(scope="module")
def movie() -> Tensor:
    picture = _picture(data.coffee(), 8)
    noise = 0.02 * torch.randn(3, 4, 32, 40, generator=torch.Generator().manual_seed(0))
    frames = torch.stack([picture[:, 8 : 8 + 32, i : i + 40] for i in range(4)], dim=1)
    return (frames + noise).clamp(0, 1)[None]


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return _picture(data.chelsea(), 6)[None]


def test_the_temporal_cost_against_numpy() -> None:
    random = np.random.default_rng(0)
    moved, g = random.normal(size=(2, 1, 3, 5, 7))
    visible = random.random((5, 7)) < 0.5
    expected = 1000 * sum(float(((g - moved)[0, c][visible] ** 2).sum()) for c in range(3)) / g.size
    cost = temporal_cost(*(torch.from_numpy(x) for x in (moved, g, visible.astype(float))))
    assert cost.item() == pytest.approx(expected, rel=1e-12)


def test_a_frame_costs_what_the_picture_costs_and_its_change(network: ConvNet, movie: Tensor, picture: Tensor) -> None:
    objective = frames(network, movie, picture, SETTINGS)
    generated = (movie[:, :, 2] + 0.05).clamp(0, 1)
    moved, visible = 1 - movie[:, :, 2], torch.ones(32, 40)
    spatial = bound(network, movie[:, :, 2], picture, SETTINGS)(generated)
    costs = told(objective.frame(2, Moved(moved, visible)))(generated)
    torch.testing.assert_close(costs.cost, spatial.cost + 1000 * (generated - moved).square().mean())
    torch.testing.assert_close(costs.style_cost, spatial.style_cost)
    torch.testing.assert_close(objective.frame(2)(generated).cost, spatial.cost)


def test_strokes_move_with_the_content(network: ConvNet, movie: Tensor, picture: Tensor) -> None:
    objective = frames(network, movie, picture, SETTINGS)
    before = 1 - movie[:, :, 1]  # the camera moves one pixel to the right
    moved, trust = objective.moved(2, before, torch.ones(32, 40))
    assert (moved - (1 - movie[:, :, 2])).abs()[..., trust > 0].mean() < 0.05
    assert (before - (1 - movie[:, :, 2])).abs().mean() > 0.08
    assert not trust[:, -1].any() and trust.mean() > 0.8


def test_what_comes_into_view_is_the_content_and_trusted_by_and_by(network: ConvNet, movie: Tensor, picture: Tensor) -> None:
    objective = frames(network, movie, picture, SETTINGS)
    moved, trust = objective.moved(2, movie[:, :, 1], torch.zeros(32, 40))  # a painting that is the content
    assert (moved - movie[:, :, 2]).abs()[..., -1].mean() < 0.03
    torch.testing.assert_close(trust.unique(), torch.tensor([0, 1 / 8]))


def test_frames_are_painted_one_after_the_other_and_hardly_flicker(network: ConvNet, movie: Tensor, picture: Tensor) -> None:
    objective = frames(network, movie, picture, SETTINGS)
    steps = list(descent_of_parts(objective, movie, SETTINGS, (0.0, 1.0)))
    assert [step.latest.evaluation for step in steps] == list(range(1, 24 + 3 * 8 + 1))
    assert all(step.iterations == len(steps) for step in steps)
    assert all(b.latest.seconds >= a.latest.seconds for a, b in pairwise(steps))
    painted = steps[-1].best_generated
    alone = torch.stack(
        [
            list(descent_of(bound(network, movie[:, :, i], picture, SETTINGS), movie[:, :, i], SETTINGS, (0.0, 1.0)))[
                -1
            ].best_generated
            for i in range(4)
        ],
        dim=2,
    )
    content = Signal(movie[0].numpy(), "movie")
    together, apart = (flicker(content, content.with_values(m[0].numpy())) for m in (painted, alone))
    assert together < 0.7 * apart
    for i in range(4):
        cost = bound(network, movie[:, :, i], picture, SETTINGS)
        assert cost(painted[:, :, i]).style_cost < 0.5 * cost(movie[:, :, i]).style_cost


def test_the_temporal_cost_is_a_part_of_every_frame(network: ConvNet, movie: Tensor, picture: Tensor) -> None:
    few = SETTINGS.__class__(**SETTINGS.as_dict() | {"iterations": 6, "tv": 2.0})
    history = [p.latest for p in descent_of_parts(frames(network, movie, picture, few), movie, few, (0.0, 1.0))]
    for e in history:
        assert e.cost == pytest.approx(sum(e.costs.values()), rel=1e-6)
        assert list(e.costs) == ["content", "style", "total variation", "temporal"]
    assert history[0].costs["temporal"] == 0 and max(e.costs["temporal"] for e in history) > 0


def test_neighbours_are_searched_with_the_moved_frame_before(network: ConvNet, movie: Tensor, picture: Tensor) -> None:
    J = 1 * neighbours("relu1_1,relu2_1")  # noqa: N806
    parts = Frames(J, network, movie, [(picture, 1.0)])
    before = torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    moved = Moved(before, torch.ones(32, 40))
    scene = Scene(network, movie[:, :, 2], [(picture, 1.0)], painted=before)
    expected = BoundObjective(J, [View(scene)])(movie[:, :, 2]).cost.item()
    assert parts.frame(2, moved)(movie[:, :, 2]).cost.item() == expected
    assert parts.frame(2)(movie[:, :, 2]).cost.item() != expected
