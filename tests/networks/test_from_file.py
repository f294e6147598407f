"""``--network mine.py:make``: a torch module in a file of one's own is explored by the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from impasto.cli.main import cli
from impasto.errors import SettingsError, UnknownLayerError
from impasto.explore.index import PatchIndex
from impasto.explore.patches import top_patches
from impasto.networks.from_file import network_from_file

MINE = """
import torch
from torch import nn
import beside

class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(i, o, 3, padding=1), nn.Conv2d(o, o, 3, padding=1)

    def forward(self, x):
        return self.conv2(self.conv1(x).relu()).relu()

def make():
    torch.manual_seed(beside.SEED)
    return nn.Sequential(*[Block(3, 4), nn.MaxPool2d(2), Block(4, 6)])

def tube():
    return nn.Sequential(nn.Conv1d(1, 3, 5), nn.ReLU())

def wrapped():
    import impasto
    return impasto.wrap(make(), {"deep": "2.conv2"}, mean=(.5, .5, .5), std=(.2, .2, .2), name="mine")

def broken():
    raise ValueError("no weights\\nat all")

def text():
    return "vgg"
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("SEED = 0\n")
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "photos").mkdir()
    for i in range(3):
        noise = np.random.default_rng(i).integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(noise).resize((40, 32)).save(tmp_path / "photos" / f"p{i}.png")
    return tmp_path / "mine.py"


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli, ["explore", *map(str, arguments)], catch_exceptions=False, standalone_mode=False)
    assert result.return_value == 0
    return result.output


def test_its_patches_are_those_of_the_module(mine: Path, tmp_path: Path):
    output = tmp_path / "index.json"
    run("patches", tmp_path / "photos", "--network", f"{mine}:make", "--layer", "2.conv2,0.conv1", "-o", output)
    index = PatchIndex.load(output)
    assert index.network == "mine.py:make" and {layer: len(units) for layer, units in index.layers.items()} == {
        "0.conv1": 4,
        "2.conv2": 6,
    }
    network = network_from_file(f"{mine}:make", ["0.conv1", "2.conv2"])
    assert index == top_patches(tmp_path / "photos", "0.conv1,2.conv2", network=network)
    assert index.fields_of("2.conv2") is not None


def test_a_sheet_with_gradients_a_report_and_what_a_unit_wants(mine: Path, tmp_path: Path):
    how = ("--network", f"{mine}:wrapped", "--layer", "deep")
    run("patches", tmp_path / "photos", *how, "--show", "patches,gradients", "-o", tmp_path / "sheet.png")
    run("patches", tmp_path / "photos", *how, "-o", tmp_path / "report")
    assert (tmp_path / "report" / "deep" / "units-0.jpg").exists()
    picture = tmp_path / "unit.png"
    run("synthesise", "2.conv2:3", "--network", f"{mine}:make", "--size", 32, "--iterations", 2, "-o", picture)
    with Image.open(picture) as image:
        assert image.size == (32, 32)
        assert json.loads(image.info["impasto"])["network"] == f"{mine}:make"


def test_it_has_as_many_axes_as_its_convolutions(mine: Path):
    assert network_from_file(f"{mine}:tube", ["1"]).spatial_dims == 1


def test_errors_are_one_line(mine: Path):
    for name, layers, told in (
        ("make", [""], "say which of its submodules are the layers: 0.conv1, 0.conv2, 1, 2.conv1, 2.conv2$"),
        ("make", ["all"], "say which of its submodules are the layers"),
        ("nothing", ["0"], "has no function 'nothing'; it has Block, make, tube, wrapped, broken, text$"),
        ("broken", ["0"], "mine.py: broken fails: ValueError: no weights$"),
        ("text", ["0"], r"text\(\) gave a str; a torch module was expected$"),
    ):
        with pytest.raises(SettingsError, match=told):
            network_from_file(f"{mine}:{name}", layers)
    with pytest.raises(UnknownLayerError, match=r"'2\.conv3' of Sequential: did you mean '2\.conv"):
        network_from_file(f"{mine}:make", ["2.conv3"])
    with pytest.raises(SettingsError, match=r"there is no file other\.py"):
        network_from_file("other.py:make", ["0"])
