"""Styles and their weights on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from impasto.cli.styles import parse_style
from impasto.errors import SettingsError
from tests.conftest import Run

FAST = ["--size", "40", "--style-layers", "relu1_1", "--content-layers", "relu2_1", "--iterations", "2"]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("coffee", "chelsea", "astronaut"):
        Image.fromarray(getattr(data, name)()).resize((48, 36)).save(f"{name}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "path", "weight"),
    [
        ("monet.jpg", "monet.jpg", 1),
        ("monet.jpg:0.7", "monet.jpg", 0.7),
        ("monet.jpg:-3", "monet.jpg", -3),  # told by who adds them up
        ("gone/monet.jpg:1e2", "gone/monet.jpg", 100),
        (r"C:\art\monet.jpg", r"C:\art\monet.jpg", 1),
        (r"C:\art\monet.jpg:2", r"C:\art\monet.jpg", 2),
        ("12:30.png", "12:30.png", 1),  # no such file, as it will be said
        ("2024:7", "2024:7", 1),
        ("2024:7:0.5", "2024:7", 0.5),
        (":7", ":7", 1),
        ("coffee.png:7", "coffee.png", 7),
    ],
)
def test_a_weight_follows_the_last_colon_unless_that_is_a_file(desk: Path, text: str, path: str, weight: float):
    Path("2024:7").touch()
    assert parse_style(text) == (Path(path), weight)


def test_what_is_no_weight_after_a_file_is_said(desk: Path):
    with pytest.raises(SettingsError, match=r"'much' is not a weight; a number, as in coffee\.png:0\.5, was"):
        parse_style("coffee.png:much")


@pytest.mark.slow
def test_a_painting_in_two_styles_tells_of_both(desk: Path, run: Run):
    code, out, err = run(
        "transfer", "coffee.png", "chelsea.png:3", "astronaut.png", "-o", "out.png", "--json", *FAST, "--iterations", "12"
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["style"] == "chelsea.png:0.75 astronaut.png:0.25"
    with Image.open("out.png") as image:
        made = json.loads(image.text["impasto"])  # pyright: ignore[reportAttributeAccessIssue]
    assert made["style"] == "chelsea.png:0.75 astronaut.png:0.25"
    assert run("transfer", "coffee.png", "chelsea.png", "-o", "one.png", *FAST, "--iterations", "12")[0] == 0
    assert np.abs(np.asarray(Image.open("one.png"), float) - np.asarray(Image.open("out.png"))).mean() > 1


@pytest.mark.parametrize(
    ("styles", "error"),
    [
        (["chelsea.png:-1"], "the weight of the style chelsea.png is -1.0; a number of at least 0 was expected"),
        (["chelsea.png:nan", "astronaut.png"], "the weight of the style chelsea.png is nan"),
        (["chelsea.png:0", "astronaut.png:0"], "the weights of the styles sum to 0; give one of them a weight above 0"),
        (["chelsea.png:0.5", "gone.png:0.5"], "gone.png"),
        (["chelsea.png", "chelsea.png:x"], "'x' is not a weight"),
    ],
)
def test_wrong_weights_are_one_line_before_any_work(desk: Path, run: Run, styles: list[str], error: str):
    code, out, err = run("transfer", "coffee.png", *styles, "-o", "out.png", *FAST)
    assert code in (1, 2) and out == "" and error in err and err.count("\n") == 1
    assert not Path("out.png").exists()


def test_no_style_is_overwritten(desk: Path, run: Run):
    code, _, err = run("transfer", "coffee.png", "chelsea.png", "astronaut.png:2", "-o", "astronaut.png", *FAST)
    assert code != 0 and "astronaut.png is an input" in err


def test_a_rehearsal_takes_several_styles(desk: Path, run: Run):
    code, out, err = run("transfer", "coffee.png", "chelsea.png:2", "astronaut.png", "-o", "out.png", "--dry-run", *FAST)
    assert (code, err) == (0, "") and "40 x 30" in out
