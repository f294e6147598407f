"""A medium of another package, terrain, is read, painted by the command line and written; what cannot be loaded is told."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import impasto
from impasto import Signal, TransferSettings
from impasto.descent.descend import Evaluation
from impasto.errors import SignalError
from impasto.explore.near_duplicates import signature
from impasto.explore.trained import trained_network
from impasto.media import registry
from impasto.media.medium import Late, Medium, View, found_at
from impasto.media.read_write import find_medium
from impasto.media.registry import BUILT_IN, media, medium_of
from impasto.studio.components.controls import PLAIN_WORDS
from impasto.studio.estimate import Speed
from impasto.studio.uploads import Upload
from tests.foreign_packages import install_package, looked_for_anew

ROW = """
from impasto.media.medium import Late, Medium

_read = Late("terrain.files:read")

TERRAIN = Medium(
    name="terrain",
    noun="a terrain",
    axes=("1", "north", "east"),
    read=lambda source, rate, longest, memory: _read(source),
    encode=Late("terrain.files:encode"),
    sample=lambda terrain: terrain.with_values(terrain.values[:, :2, :2]),
    describe=lambda terrain: f"{terrain.shape[1]} x {terrain.shape[0]} cells of {terrain.header['cell']:g} m",
    readable=(".terrain",),
    writable=(".terrain",),
    safest=".terrain",
    prepare=Late("terrain.prepare:prepare"),
    styles=("terrain",),
    why="its relief is learned from a relief",
    defaults={"size": "full", "iterations": 3, "beta": 20.0, "optimizer": "lbfgs", "network": "vgg19"},
    networks=("vgg19",),
    inside={".terrain": (".npy",)},
    bounds=(0, 1),
)
"""
FILES = """
import io

import numpy as np

from impasto.media.signal import Signal


def read(path):
    with open(path, "rb") as file:
        record = np.load(file)[0]
    heights = record["heights"]
    low, high = float(heights.min()), float(heights.max())
    values = ((heights - low) / (high - low)).astype(np.float32)[None]
    return Signal(values, "terrain", {"cell": float(record["cell"]), "low": low, "high": high})


def encode(terrain, path, about):
    low, high = terrain.header["low"], terrain.header["high"]
    heights = low + (high - low) * terrain.values[0]
    form = np.dtype([("heights", "f4", heights.shape), ("cell", "f8")])
    buffer = io.BytesIO()
    np.save(buffer, np.array([(heights, terrain.header["cell"])], form))
    return buffer.getvalue()
"""
PREPARE = """
import torch

from impasto.media.prepared import Prepared


def prepare(content, styles, settings):
    def seen(terrain):
        return torch.from_numpy(terrain.values)[None]

    return Prepared(
        content=seen(content),
        style=[(seen(style), share) for style, share in styles],
        objective=settings.objective,
        network=settings.network.build(2),
        restore=content.with_values,
        fit=seen,
        random=(0.5, 0.1),
        bounds=(0.0, 1.0),
    )
"""
HEIGHTS = np.add.outer(np.linspace(100, 900, 40), 60 * np.sin(np.arange(48) / 3)).astype(np.float32)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder as ``pip install`` leaves one."""
    return install(tmp_path / "site", "terrain = terrain:TERRAIN")


def install(site: Path, *entries: str) -> Path:
    modules = {"__init__": ROW, "files": FILES, "prepare": PREPARE}
    return install_package(site, "terrain", "impasto.media", modules, *entries)


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The media are looked for again within the test, and after it."""
    yield from looked_for_anew(monkeypatch, "terrain", media.cache_clear)


def save(path: Path, heights: np.ndarray) -> Path:
    record = np.array([(heights, 30.0)], [("heights", "f4", heights.shape), ("cell", "f8")])
    with path.open("wb") as file:
        np.save(file, record)
    return path


def test_a_terrain_is_painted_by_the_command_line(installed: Path, tmp_path: Path):
    content = save(tmp_path / "alps.terrain", HEIGHTS)
    style = save(tmp_path / "dunes.terrain", np.random.default_rng(0).normal(0, 5, (40, 40)).cumsum(1).astype(np.float32))
    out = tmp_path / "out.terrain"
    paths = [str(installed), str(Path(impasto.__file__).parent.parent)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "impasto", "transfer", content, style, "-o", out, "--json", "--no-checkpoint"),
            *("--content-layers", "relu2_1", "--style-layers", "relu1_1,relu2_1"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["kind"] == "terrain" and summary["evaluations"] == 3 and summary["size"] == [48, 40]
    record = np.load(out)[0]
    assert record["cell"] == 30 and record["heights"].shape == HEIGHTS.shape
    assert HEIGHTS.min() - 0.01 <= record["heights"].min() and record["heights"].max() <= HEIGHTS.max() + 0.01
    assert 1 < np.abs(record["heights"] - HEIGHTS).mean() < 400


def test_a_terrain_is_known_by_its_name_though_it_is_an_array_inside(
    installed: Path, tmp_path: Path, anew: pytest.MonkeyPatch
):
    path = save(tmp_path / "alps.terrain", HEIGHTS)
    anew.syspath_prepend(installed)
    assert list(media()) == [*BUILT_IN, "terrain"]
    assert find_medium(path).name == "terrain"
    assert impasto.TransferSettings().for_kind("terrain").iterations == 3
    with pytest.raises(SignalError, match="a terrain cannot be painted in the style of a picture: its relief is learned"):
        impasto.transfer_style(path, np.zeros((40, 40, 3), np.uint8))


def test_what_is_made_for_pictures_is_made_for_a_foreign_medium_that_says_it_is_one(anew: pytest.MonkeyPatch):
    """Nothing asks for the name "image" where it means a picture."""
    drawing = replace(BUILT_IN["image"], name="drawing", noun="a drawing")
    values = np.random.default_rng(0).random((3, 40, 48), np.float32)
    anew.setattr(registry, "media", lambda: BUILT_IN | {"drawing": drawing})
    assert signature(Signal(values, "drawing")) == signature(Signal(values))
    assert trained_network(kind="drawing")[1] == trained_network()[1]
    for row in PLAIN_WORDS:
        assert row.suits("drawing") == row.suits("image")
    picture, told = Upload(Path("a.png"), "a.png", ".png", (50, 100)), Speed()
    told.learn([Evaluation(i, 1.0, {}, {}, float(i)) for i in (1, 2, 3)], (50, 100))
    estimates = [told.tell(replace(picture, kind=kind), TransferSettings(size=512)) for kind in ("image", "drawing")]
    assert estimates[0] == estimates[1]


def test_what_is_no_medium_is_left_out_and_told_in_one_warning(
    tmp_path: Path, anew: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    entries = ("image = impasto.media.image:IMAGE", "missing = terrain.missing:ROW", "wrong = terrain:_read")
    anew.syspath_prepend(install(tmp_path / "site", "terrain = terrain:TERRAIN", *entries))
    with caplog.at_level(logging.WARNING, "impasto"):
        assert list(media()) == [*BUILT_IN, "terrain"]
        assert media()["image"] is BUILT_IN["image"]
    (told,) = [record.getMessage() for record in caplog.records]
    for reason in ("there is a medium 'image' already", "No module named 'terrain.missing'", "a Medium was expected"):
        assert reason in told


def test_an_unknown_kind_is_told_the_nearest():
    with pytest.raises(SignalError, match="kind 'volumes' is unknown: did you mean volume"):
        medium_of("volumes")


@pytest.mark.parametrize("medium", BUILT_IN.values(), ids=list(BUILT_IN))
def test_what_a_row_names_is_there(medium: Medium):
    rows = [medium, *([medium.view] if isinstance(medium.view, View) else [])]
    named = [value for row in rows for value in vars(row).values() if isinstance(value, Late)]
    assert len(named) > 4
    for late in named:
        assert callable(found_at(late.where)), late.where
    assert medium.safest in medium.writable
    assert {"iterations", "beta", "optimizer", "network"} <= medium.defaults.keys()
    assert len({"size", "working_rate"} & medium.defaults.keys()) == 1


@pytest.mark.parametrize("kind", ["image", "sound", "movie"])
def test_the_endings_of_a_row_are_those_of_its_encoder(kind: str):
    formats = found_at(f"impasto.media.{kind}.write:_FORMATS")
    others = found_at("impasto.media.movie:ANIMATIONS") if kind == "movie" else ()
    assert medium_of(kind).writable == (*formats, *others)
