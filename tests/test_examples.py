"""The programs in examples/: each runs as its first line says, on real files, and is short."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

import impasto

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
Example = Callable[..., str]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Example:
    """Runs a program in a folder with a photograph, a style and a folder of two; gives what it printed."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.coffee()[::8, ::8]).save("coffee.png")
    Image.fromarray(data.chelsea()[::6, ::6]).save("cat.png")
    Path("photos").mkdir()
    for name, picture in (("a", data.astronaut()[::8, ::8]), ("b", data.coffee()[::8, ::8])):
        Image.fromarray(picture).save(f"photos/{name}.png")

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def size_of(path: str) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_are_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 25


def test_every_example_is_run_here():
    here = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in EXAMPLES.glob("*.py") if f'example("{path.stem}"' not in here] == []


def test_a_cost_of_ones_own(example: Example):
    told = example("own_cost", "coffee.png", "cat.png", "out.png")
    assert [part.split()[0] for part in told.split(", ")] == ["content", "style", "skew", "warmth"]
    assert size_of("out.png") == size_of("coffee.png")


def test_a_folder(example: Example):
    assert [line.split(":")[0] for line in example("folder", "photos", "cat.png", "out").splitlines()] == ["a.png", "b.png"]
    assert size_of("out/a.png") == (64, 64) and size_of("out/b.png") == (75, 50)


def test_an_optimizer_of_ones_own(example: Example):
    example("own_optimizer", "coffee.png", "cat.png", "out.png")
    assert size_of("out.png") == size_of("coffee.png")


def test_activations_only(example: Example):
    assert example("activations", "coffee.png").startswith("relu1_2 (1, 64, 50, 75): units [")


def test_a_resnet_is_explored(example: Example):
    example("explore_resnet18", "photos", "index.json")
    index = impasto.PatchIndex.load("index.json")
    assert list(index.layers) == ["layer1", "layer3"] and len(index.images) == 2
