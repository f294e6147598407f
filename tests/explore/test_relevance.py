"""Which patches make a unit matter for another one: against plain torch, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn

import impasto
from impasto.errors import SettingsError, UnknownLayerError
from impasto.explore.relevance import Towards
from impasto.explore.trained import trained_network
from impasto.networks.network import Network


@pytest.fixture
def module() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(5, 4, 3),
    ).double()


@pytest.fixture
def network(module: nn.Sequential) -> Network:
    return impasto.wrap(module, {"first": "1", "pooled": "2", "second": "4", "last": "5"})


def test_they_are_activations_times_the_slopes_of_the_peak(module: nn.Sequential, network: Network):
    x = torch.rand(2, 3, 12, 14, dtype=torch.float64)
    found = Towards(network, "last:2=2,last:0=-1")(x, ["first", "second"])
    for item in range(2):
        first = module[:2](x[item : item + 1]).detach().requires_grad_()
        second = module[2:5](first)
        second.retain_grad()
        last = module[5](second)
        (2 * last[0, 2].max() - last[0, 0].max()).backward()
        for name, activation in (("first", first), ("second", second)):
            assert activation.grad is not None
            assert torch.allclose(found[name][item], (activation * activation.grad)[0])
    assert not found["first"].requires_grad


def test_what_a_unit_adds_is_what_is_lost_without_it(module: nn.Sequential, network: Network):
    """The slope along the activation, by finite differences: a unit weakened by a millionth."""
    x, step = torch.rand(1, 3, 12, 12, dtype=torch.float64), 1e-6
    found = Towards(network, "last:1")(x, ["second"])["second"][0]
    with torch.no_grad():
        second = module[:5](x)
        peak = module[5](second)[0, 1].max()
        for unit in range(5):
            weaker = second.clone()
            weaker[0, unit] *= 1 - step
            assert (peak - module[5](weaker)[0, 1].max()) / step == pytest.approx(
                float(found[unit].sum()), rel=1e-5, abs=1e-9
            )


def test_under_inference_mode_and_in_vgg_they_add_up_to_the_peak():
    network, _ = trained_network()
    x = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        relevances = Towards(network, "relu3_1:20")(x, ["relu2_2", "conv3_1"])
        peak = float(network(x, ["relu3_1"])["relu3_1"][0, 20].max())
    bias = float(network.state_dict()["conv3_1_bias"][20])  # pyright: ignore[reportAttributeAccessIssue]
    assert float(relevances["conv3_1"].sum()) == pytest.approx(peak, rel=1e-4)
    assert float(relevances["relu2_2"].sum()) == pytest.approx(peak - bias, rel=1e-3)


def test_the_patches_that_matter_most_are_found(module: nn.Sequential):
    whole = {"cat": data.chelsea(), "cup": data.coffee(), "astronaut": data.astronaut()}
    pictures = {name: picture[60 : 124 - 4 * i, 100:164] for i, (name, picture) in enumerate(whole.items())}
    network = impasto.wrap(module.float(), {"first": "1", "second": "4", "last": "5"})
    index = impasto.top_patches(pictures, "first,second", network=network, towards="last:2")
    assert index.network.endswith("towards last:2")
    towards = Towards(network, "last:2")
    tensors = {name: torch.from_numpy(np.moveaxis(p, 2, 0) / np.float32(255))[None] for name, p in pictures.items()}
    for layer in ("first", "second"):
        peaks = {name: towards(x, [layer])[layer][0].flatten(1).amax(1) for name, x in tensors.items()}
        for unit, patches in index.layers[layer].items():
            best = sorted(((float(row[unit]), name) for name, row in peaks.items()), reverse=True)
            assert [patch.activation for patch in patches] == pytest.approx([value for value, _ in best], rel=1e-4, abs=1e-6)
            assert len({value for value, _ in best}) < 3 or [patch.image for patch in patches] == [name for _, name in best]
    other = impasto.top_patches(pictures, "first,second", network=network)
    with pytest.raises(SettingsError, match="different network"):
        index.check_like(other)


def test_what_cannot_matter_is_told():
    photograph = data.chelsea()[:64, :64]
    with pytest.raises(SettingsError, match="relu4_1 is not before relu3_1, so it does not matter for that"):
        impasto.top_patches(photograph, "relu4_1", towards="relu3_1:5")
    with pytest.raises(SettingsError, match="relu3_1 has no unit 256"):
        impasto.top_patches(photograph, "relu2_1", towards="relu3_1:256")
    with pytest.raises(UnknownLayerError, match="did you mean 'relu3_1'"):
        impasto.top_patches(photograph, "relu2_1", towards="relu31:5")
    index = impasto.top_patches(photograph, "all", towards="relu2_1:5")
    assert tuple(index.layers) == ("relu1_1", "relu1_2")
