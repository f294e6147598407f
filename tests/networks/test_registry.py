"""Networks by name, and those of other packages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.errors import SettingsError
from impasto.networks.layers import ARCHITECTURES
from impasto.networks.network import Network
from impasto.networks.registry import BUILT_IN, Constructor, constructor_of, networks
from impasto.packages import Late, found_at
from tests.foreign_packages import install_package, looked_for_anew

ROW = """
from impasto.networks.registry import Constructor
from impasto.packages import Late

LEAVES = Constructor("leaves", Late("leaves.net:make"))
NOTHING = 3
"""
NET = """
import torch
from torch import nn

import impasto


def make(spatial_dims):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 5, 5, padding=2), nn.ReLU(), nn.Conv2d(5, 6, 3, stride=3), nn.ReLU())
    return impasto.wrap(module, {"edges": "1", "veins": "3"}, name="leaves")
"""


def install(site: Path, *entries: str) -> Path:
    """A folder as ``pip install`` leaves one."""
    return install_package(site, "leaves", "impasto.networks", {"__init__": ROW, "net": NET}, *entries)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The networks are looked for again within the test, and after it."""
    yield from looked_for_anew(monkeypatch, "leaves", networks.cache_clear)


@pytest.mark.parametrize("row", BUILT_IN.values(), ids=list(BUILT_IN))
def test_what_a_row_names_is_there(row: Constructor):
    assert isinstance(row.make, Late) and callable(found_at(row.make.where))
    assert row.table == ARCHITECTURES[row.name].table and row.layers[0].startswith("conv")
    assert {name for name, _ in (*row.content_layers, *row.style_layers)} <= set(row.layers)


def test_a_network_is_built_by_its_name():
    network = constructor_of("vgg19").build(1, padding="zeros", pooling=None)
    assert isinstance(network, Network) and network.name == "vgg19" and network.spatial_dims == 1
    assert network.receptive_field("relu1_1", 0, 9) == (0, 2)
    assert constructor_of("bank").build().layers == BUILT_IN["bank"].layers


def test_errors_name_what_is_near_or_what_else_can_be_done():
    with pytest.raises(SettingsError, match=r"network 'vgg-19' is unknown .*: did you mean 'vgg19'"):
        constructor_of("vgg-19")
    with pytest.raises(SettingsError, match=r"network 'resnet50' is unknown .*: any torch module can be wrapped") as caught:
        constructor_of("resnet50")
    assert "did you mean" not in str(caught.value)
    with pytest.raises(SettingsError, match="network 'bank' looks along 1 axes of space, not along 2"):
        constructor_of("bank").build(2)
    with pytest.raises(SettingsError, match="network 'bank' takes no pooling; it takes channels"):
        constructor_of("bank").build(pooling="avg")
    with pytest.raises(SettingsError, match="network 'vgg16' needs weights: give a file"):
        constructor_of("vgg16").build()


def test_a_network_of_another_package_and_what_is_none(
    tmp_path: Path, anew: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    entries = ("leaves = leaves:LEAVES", "more = leaves:LEAVES", "missing = leaves.missing:ROW", "wrong = leaves:NOTHING")
    anew.syspath_prepend(install(tmp_path / "site", *entries))
    with caplog.at_level(logging.WARNING, "impasto"):
        assert list(networks()) == [*BUILT_IN, "leaves"]
        assert networks()
    (told,) = [record.getMessage() for record in caplog.records]
    for reason in (
        "networks of other packages are left out",
        "there is a network 'leaves' already",
        "a Constructor was",
    ):
        assert reason in told
    network = constructor_of("leaves").build()
    assert network.layers == ("edges", "veins") and network.total_stride(["veins"]) == 3
