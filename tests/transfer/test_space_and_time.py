"""Transfers of volumes and movies from file to file, as a person would make them."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.cli import main
from impasto.errors import SettingsError, SignalError, SizeError
from impasto.media.movie.read import read_movie
from impasto.media.read_write import write_signal
from impasto.media.signal import Signal
from impasto.media.volume.files import read_volume
from impasto.transfer.settings import TransferSettings as Settings

FAST: dict[str, Any] = {"content_layers": "relu2_1", "style_layers": "relu1_1,relu2_1"}
ARGUMENTS = ["--content-layers", "relu2_1", "--style-layers", "relu1_1,relu2_1"]


@pytest.fixture
def brain(tmp_path: Path) -> Path:
    path = tmp_path / "brain.nii"
    whole: Any = nibabel.load(Path(nibabel.__file__).parent / "tests" / "data" / "anatomical.nii")
    whole.slicer[6:28, 10:34, 2:22].to_filename(path)
    return path


@pytest.fixture
def bricks(tmp_path: Path) -> Path:
    path = tmp_path / "bricks.png"
    Image.fromarray(data.brick()[::4, ::4]).save(path)
    return path


@pytest.fixture
def pan() -> Signal:
    picture = data.coffee()[::8, ::8].astype(np.float32).transpose(2, 0, 1) / 255
    frames = np.stack([picture[:, 4:36, i : i + 40] for i in range(6)], axis=1)
    return Signal(frames, "movie", {"rate": Fraction(25), "time_base": Fraction(1, 25), "times": tuple(range(6))})


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["impasto", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_a_brain_of_bricks(brain, bricks, tmp_path, monkeypatch, capsys) -> None:
    out, plot = tmp_path / "out.nii.gz", tmp_path / "plot.png"
    code = run(
        monkeypatch, "transfer", brain, bricks, "-o", out, "--plot", plot, "--iterations", "20", "--json", *ARGUMENTS,
        "--trace", tmp_path / "trace.jsonl",
    )  # fmt: skip
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    first, *_ = [json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()]
    assert told["kind"] == "volume" and told["style_cost"] < 0.5 * first["style_cost"]
    images: list[Any] = [nibabel.load(brain), nibabel.load(out)]
    before, after = images
    np.testing.assert_array_equal(before.affine, after.affine)
    assert after.get_data_dtype() == before.get_data_dtype()
    a, b = (np.asarray(image.get_fdata()) for image in images)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.5 and np.abs(a - b).mean() > 100
    assert plot.stat().st_size > 10_000


def test_the_result_of_sampled_sections_depends_on_the_seed_alone(monkeypatch, brain, bricks) -> None:
    from impasto.media.volume import prepare as volume

    monkeypatch.setattr(volume, "_ALL", 1000)
    monkeypatch.setattr(volume, "_SOME", 20_000)
    results = [
        impasto.transfer_style(brain, bricks, Settings(iterations=5, seed=seed, **FAST)).signal.values for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(results[0], results[1])
    assert np.abs(results[0] - results[2]).max() > 1e-4


@pytest.mark.parametrize("init", ["content", "random", "style"])
def test_a_volume_in_the_style_of_a_volume_by_the_3d_network(brain, init) -> None:
    voxels = np.random.default_rng(0).random((16, 18, 20)).astype(np.float32)
    content = read_volume(brain)
    content = content.with_values(content.values[:, :17, :18, :16])
    settings = Settings(iterations=3, seed=1, method="volume", init=init, **FAST)
    painting = impasto.transfer_style(content, read_volume(voxels), settings)
    assert painting.signal.shape == (17, 18, 16)
    assert len(painting.history) == 3 and np.isfinite(painting.signal.values).all()
    assert (painting.history[0].content_cost < 1e-9) == (init == "content")


@pytest.mark.parametrize("method", ["frames", "volume"])
def test_a_movie_in_the_style_of_a_picture(pan, bricks, method, tmp_path, monkeypatch, capsys) -> None:
    write_signal(pan, tmp_path / "pan.mp4")
    out = tmp_path / "out.mp4"
    code = run(
        monkeypatch, "transfer", tmp_path / "pan.mp4", bricks, "-o", out, "--method", method, "--iterations", "8", "--json",
        "--plot", tmp_path / "plot.png", *ARGUMENTS,
    )  # fmt: skip
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "movie" and told["size"] == [40, 32, 6] and 0 < told["flicker"] < 12
    after = read_movie(out)
    assert after.shape == (6, 32, 40) and after.header["rate"] == 25
    assert np.abs(after.values - pan.values).mean() > 0.02


def test_a_movie_in_the_style_of_a_movie(pan) -> None:
    painting = impasto.transfer_style(pan, pan.with_values(1 - pan.values), Settings(iterations=2, size=32, **FAST))
    assert painting.signal.shape == (6, 26, 32) and len(painting.history) == 2 + 5


def test_what_does_not_fit_is_refused_in_one_line(pan, brain, bricks) -> None:
    small = read_volume(np.random.default_rng(0).random((5, 40, 40)))
    cases = [
        (small, bricks, {}, SizeError, "5 x 40 x 40 is too small for relu5_1, which needs 16"),
        (brain, bricks, {"method": "frames"}, SettingsError, "not for a volume"),
        (pan, bricks, {"method": "slices"}, SettingsError, "not for a movie"),
        (pan, bricks, {"method": "volume"}, SizeError, "6 frames is too short .* use --method frames"),
        (brain, bricks, {"init": "style"}, SettingsError, "cannot start from a picture"),
        (bricks, brain, {}, SignalError, "a picture cannot be painted in the style of a volume"),
        (pan, brain, {}, SignalError, "a movie cannot be painted in the style of a volume"),
    ]
    for content, style, options, error, says in cases:
        with pytest.raises(error, match=says) as raised:
            impasto.transfer_style(content, style, Settings(**options))
        assert "\n" not in str(raised.value)


def test_a_failure_leaves_the_output_as_it_was(brain, bricks, tmp_path, monkeypatch, capsys) -> None:
    out = tmp_path / "out.nii"
    out.write_bytes(b"mine")
    brain.write_bytes(brain.read_bytes()[:20000])
    assert run(monkeypatch, "transfer", brain, bricks, "-o", out) == 1
    assert run(monkeypatch, "transfer", brain, bricks, "-o", tmp_path / "out.png") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "brain.nii cannot be read" in lines[0] and ".nii" in lines[1]
    assert out.read_bytes() == b"mine"
