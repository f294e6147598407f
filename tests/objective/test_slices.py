from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from impasto.media.volume.prepare import Rounds
from impasto.networks.convnet import ConvNet, vgg19
from impasto.objective.slices import SlicesObjective, slices
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings
from tests.conftest import bound, descent_of_parts, told

SETTINGS = TransferSettings(
    content_layers="relu2_1", style_layers="relu1_1,relu2_1", beta=5, iterations=12, optimizer="adam"
).for_kind("volume")


@pytest.fixture(scope="module")
def network() -> ConvNet:
    return vgg19(pooling="avg")


@pytest.fixture(scope="module")
def volume() -> Tensor:
    """A block in which every slice is another one: (1, 1, 12, 16, 20)."""
    grey = torch.from_numpy(data.camera()[::8, ::8].astype(np.float32) / 255)
    return torch.stack([grey[i : i + 16, 2 * i : 2 * i + 20] for i in range(12)])[None, None]


@pytest.fixture(scope="module")
def picture() -> Tensor:
    return torch.from_numpy(data.brick()[::8, ::8].astype(np.float32) / 255)[None, None]


def test_slices_lie_across_each_axis(volume: Tensor) -> None:
    for axis, shape in enumerate([(12, 1, 16, 20), (16, 1, 12, 20), (20, 1, 12, 16)]):
        assert slices(volume, axis).shape == shape
        torch.testing.assert_close(slices(volume, axis)[5, 0], volume[0, 0].select(axis, 5))


def test_j_is_the_mean_over_the_orientations_of_j_of_their_slices(network: ConvNet, volume: Tensor, picture: Tensor) -> None:
    generated = (volume + 0.1 * torch.randn(volume.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    costs = told(SlicesObjective(objective_of(SETTINGS), network, volume, picture))(generated)
    # a batch of slices is a signal like any other to the objective of pictures
    expected = [bound(network, slices(volume, axis), picture, SETTINGS)(slices(generated, axis)) for axis in range(3)]
    for name in ("cost", "content_cost", "style_cost"):
        mean = torch.stack([getattr(one, name) for one in expected]).mean()
        torch.testing.assert_close(getattr(costs, name), mean, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(costs.style_cost, torch.stack([*costs.style_cost_by_layer.values()]).sum())


def test_a_volume_as_its_own_style_costs_nothing(network: ConvNet, volume: Tensor) -> None:
    assert told(SlicesObjective(objective_of(SETTINGS), network, volume, volume))(volume).cost.item() < 1e-9


def test_a_picture_and_a_volume_are_blended(network: ConvNet, volume: Tensor, picture: Tensor) -> None:
    parts = [(picture, 0.3), (slices(volume, 0), 0.7)]
    expected = bound(network, slices(volume, 0), parts, SETTINGS)(1 - slices(volume, 0))
    for at_once in (2**18, 1000):  # all slices together, or in parts
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("impasto.objective.slices._AT_ONCE", at_once)
            blend = [(picture, 0.3), (volume, 0.7)]
            of_both = SlicesObjective(objective_of(SETTINGS), network, volume, blend, axes=(0,))
            found = told(of_both)(1 - volume)
        torch.testing.assert_close(found.style_cost, expected.style_cost, rtol=1e-5, atol=0)


def test_sampled_slices_are_all_seen_once_in_every_round(network: ConvNet, volume: Tensor, picture: Tensor) -> None:
    objective = SlicesObjective(objective_of(SETTINGS), network, volume, picture, count=4)
    assert told(objective)(volume).content_cost.item() == pytest.approx(0, abs=1e-9)
    seen: list[int] = []
    for _ in range(3):
        seen += range(12)[objective.views[0].batch]
        objective.turn()
    assert sorted(seen) == list(range(12))


def test_sampled_costs_are_right_on_average(network: ConvNet, volume: Tensor, picture: Tensor) -> None:
    generated = 1 - volume
    whole = told(SlicesObjective(objective_of(SETTINGS), network, volume, picture, axes=(0,)))(generated).content_cost
    sampled = SlicesObjective(objective_of(SETTINGS), network, volume, picture, axes=(0,), count=4)
    costs: list[Tensor] = []
    for _ in range(3):
        costs.append(told(sampled)(generated).content_cost)
        assert told(sampled)(generated).content_cost == costs[-1]  # the same slices until others are taken
        sampled.turn()
    torch.testing.assert_close(torch.stack(costs).mean(), whole, rtol=1e-5, atol=0)


def test_a_volume_that_repeats_one_slice_costs_in_3d_what_the_slice_costs_in_2d(
    network: ConvNet, volume: Tensor, picture: Tensor
) -> None:
    content, generated = slices(volume, 0)[:1], slices(volume, 0)[6:7]
    expected = bound(network, content, picture, SETTINGS)(generated)
    repeated = [x[:, :, None].expand(1, 1, 8, 16, 20) for x in (content, generated)]
    inflated = vgg19(3, pooling="avg")
    objective = SlicesObjective(objective_of(SETTINGS), network, repeated[0], picture, inflated=inflated, axes=(0,))
    costs = told(objective)(repeated[1])
    torch.testing.assert_close(costs.style_cost, expected.style_cost, rtol=1e-4, atol=0)
    torch.testing.assert_close(costs.content_cost, expected.content_cost, rtol=1e-4, atol=0)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_sampled_descent_lowers_the_style_cost_of_all_orientations(
    network: ConvNet, volume: Tensor, picture: Tensor, optimizer: str
) -> None:
    settings = replace(SETTINGS, optimizer=optimizer)
    objective = SlicesObjective(objective_of(SETTINGS), network, volume, picture, count=4)
    progress = list(descent_of_parts(Rounds(objective), volume, settings, (0.0, 1.0)))
    assert [one.latest.evaluation for one in progress] == list(range(1, 13))
    seconds = [one.latest.seconds for one in progress]
    assert seconds == sorted(seconds)
    for axis in range(3):
        whole = SlicesObjective(objective_of(SETTINGS), network, volume, picture, axes=(axis,))
        assert told(whole)(progress[-1].best_generated).style_cost < 0.7 * told(whole)(volume).style_cost


def test_a_round_begins_with_the_best_of_the_one_before(
    network: ConvNet, volume: Tensor, picture: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.media.volume.prepare._ROUND", 10)
    objective = SlicesObjective(objective_of(SETTINGS), network, volume, picture, count=4)
    progress = list(descent_of_parts(Rounds(objective), volume, SETTINGS, (0.0, 1.0)))
    torch.testing.assert_close(progress[10].generated, progress[9].best_generated, rtol=0, atol=0)
    assert progress[10].best == progress[10].latest
