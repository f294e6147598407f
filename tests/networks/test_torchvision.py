"""``--network torchvision:MODEL``, with a package of that name that has the functions of torchvision which are used."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from impasto.errors import SettingsError, UnknownLayerError
from impasto.media.read_write import read_signal
from impasto.networks.torchvision import network_from_torchvision

MODELS = """
from types import SimpleNamespace

import torch
from torch import nn


def list_models():
    return ["tiny", "untrained"]


def get_model_weights(name):
    if name == "untrained":
        raise ValueError("untrained has no weights\\nnor will it have any")
    seen = SimpleNamespace(mean=[0.4, 0.5, 0.6], std=[0.1, 0.2, 0.3])
    return SimpleNamespace(DEFAULT=SimpleNamespace(transforms=lambda: seen, seed=3))


def get_model(name, weights):
    torch.manual_seed(weights.seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def install(models: str) -> None:
        package = tmp_path / "torchvision"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "models.py").write_text(models)
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(tmp_path)

    return install


def test_a_model_is_explored_as_it_was_trained(install: Callable[[str], None], run: Callable[..., tuple[int, str, str]],
                                               tmp_path: Path):  # fmt: skip
    install(MODELS)
    network = network_from_torchvision("torchvision:tiny", ["1", "2"])
    x = torch.rand(1, 3, 9, 11)
    torch.manual_seed(3)
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, 6, 3, stride=2))
    mean, std = (torch.tensor(values)[None, :, None, None] for values in ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3)))
    torch.testing.assert_close(network(x, ["2"])["2"], plain((x - mean) / std))

    out = tmp_path / "unit.png"
    how = ("--network", "torchvision:tiny", "--size", "32", "--iterations", "2", "-o", str(out))
    assert run("explore", "synthesise", "2:3", *how)[0] == 0
    assert read_signal(out).shape == (32, 32)


def test_what_cannot_be_had_is_told(install: Callable[[str], None]):
    install(MODELS)
    with pytest.raises(SettingsError, match=r"no such model: did you mean torchvision:tiny\?"):
        network_from_torchvision("torchvision:tinny", ["1"])
    with pytest.raises(SettingsError, match=r"cannot load it: untrained has no weights$"):
        network_from_torchvision("torchvision:untrained", ["1"])
    with pytest.raises(SettingsError, match=r"'torchvision:tiny': say which of its submodules are the layers: 0, 1, 2$"):
        network_from_torchvision("torchvision:tiny", ["all"])
    with pytest.raises(UnknownLayerError, match="unknown submodule '7'"):
        network_from_torchvision("torchvision:tiny", ["7"])


def test_one_of_another_torch(install: Callable[[str], None]):
    install('raise RuntimeError("operator torchvision::nms does not exist")')
    with pytest.raises(SettingsError, match="cannot be used with this torch: operator torchvision::nms does not exist"):
        network_from_torchvision("torchvision:tiny", ["1"])


def test_none_at_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(SettingsError, match="torchvision is not installed"):
        network_from_torchvision("torchvision:tiny", ["1"])
