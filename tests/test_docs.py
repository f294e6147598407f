"""README.md, CONTRIBUTING.md and docs/*.md: links lead somewhere, and what one is told to type works, with small files."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import pytest
from PIL import Image
from skimage import data

import impasto
from impasto.cli.main import cli
from impasto.cli.paint import paint
from tests.conftest import Run

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()
]
FEW = {"size": 32, "scales": 1, "iterations": 2, "style_layers": "relu1_1", "content_layers": "relu1_1"}


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    code: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```([^\n`]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(page, text[: match.start()].count("\n") + 1, match[1], match[2]) for match in found]


def place(block: Block) -> str:
    return f"{block.page.name}:{block.line}"


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    for target in targets:
        assert not target.startswith(("http:", "/")), target
        if target.startswith(("https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target
    assert "STRIP" not in prose(page) and "TODO" not in prose(page)


ALL = [block for page in PAGES for block in blocks(page)]
SHELL = [block for block in ALL if block.language in ("", "sh")]


def commands(block: Block) -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for line in block.code.splitlines()]
    return [words[1:] for words in lines if words and words[0] == "impasto"]


@pytest.mark.parametrize("block", SHELL, ids=place)
def test_every_command_is_one(block: Block):
    """The programs are known, and every command, option and value of impasto's."""
    for line in block.code.splitlines():
        program = (shlex.split(line, comments=True) or ["impasto"])[0]
        assert program in ("impasto", "make", "pip", "python3", ".venv/bin/python", ".venv/bin/impasto"), line
    for words in commands(block):
        command, context = cli, click.Context(cli, **cli.context_settings)
        while isinstance(command, click.Group):
            _, found, words = command.resolve_command(context, words)
            assert found is not None
            command = found
        command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "json"], ids=place)
def test_json_is_json(block: Block):
    json.loads(block.code)


def test_extras_and_targets_that_are_told_exist():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert "impasto[" not in text, "there is no release that could be installed by its name"
        for extras in re.findall(r"""['"]\.\[([\w,]+)\]['"]""", text):
            for extra in extras.split(","):
                assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra
        for target in re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_commands_are_told_as_they_are():
    """docs/commands.md is what click says of every command today."""
    script = runpy.run_path(str(ROOT / "docs" / "command_reference.py"))
    told = script["PAGE"].read_text(encoding="utf-8")
    assert told == script["reference"](), "docs/commands.md is stale; renew it: python docs/command_reference.py"


def test_every_public_name_is_told():
    """docs/library.md has each of them, in code."""
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    code = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    assert [name for name in impasto.__all__ if name not in code] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md", "docs/library.md"])
def test_modules_that_are_named_exist(name: str):
    modules = set(re.findall(r"`([\w./*]+\.py)`", (ROOT / name).read_text(encoding="utf-8")))
    there = [path for folder in ("src", "tests", "docs", "examples", ".ci") for path in (ROOT / folder).rglob("*.py")]
    assert [module for module in modules if not any(path.match(module) for path in there)] == []


# the files that the pages speak of


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files that the pages name, each small."""
    folder = tmp_path_factory.mktemp("shelf")
    pictures = (data.coffee(), data.chelsea(), data.astronaut())
    names = [
        "harbour",
        "monet",
        "hokusai",
        "marble",
        "cat",
        "night",
        "wave",
        "cup",
        "two",
        "holiday",
        "photos/a",
        "photos/b",
    ]
    (folder / "photos").mkdir()
    for number, name in enumerate(names):
        Image.fromarray(pictures[number % 3]).resize((48, 36)).save(folder / f"{name}.jpg")
    halves = np.zeros((36, 48), np.uint8)
    halves[:, 24:] = 255
    for name in ("cup-regions", "two-regions", "cup-white"):
        Image.fromarray(halves).save(folder / f"{name}.png")

    from pydicom.data import get_testdata_file

    for name in ("rest", "exercise"):
        shutil.copy(str(get_testdata_file("waveform_ecg.dcm")), folder / f"{name}.dcm")
    time = np.arange(720) / 360
    for name, beat in (("sinus", 1.0), ("ectopic", 1.4)):
        np.savetxt(folder / f"{name}.csv", np.sin(2 * np.pi * beat * time) ** 15, header="II", comments="")

    import soundfile

    noise = np.random.default_rng(0).normal(0, 0.1, 8000)
    for name in ("speech.wav", "rain.wav", "rain.flac"):
        soundfile.write(folder / name, noise, 8000)

    import nibabel

    voxels = np.random.default_rng(0).integers(0, 255, (16, 16, 16)).astype(np.int16)
    nibabel.Nifti1Image(voxels, np.eye(4)).to_filename(folder / "brain.nii.gz")
    (folder / "ct_folder").mkdir()
    import pydicom

    for z in range(16):
        slice_ = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        slice_.ImagePositionPatient, slice_.InstanceNumber = [0, 0, 5 * z], z
        slice_.SOPInstanceUID = f"1.2.3.{z + 1}"
        slice_.save_as(folder / "ct_folder" / f"{z:02}.dcm")

    import av

    with av.open(str(folder / "walk.mp4"), "w") as movie:
        stream = movie.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 40 * i, np.uint8), format="rgb24")
            movie.mux(stream.encode(frame))
        movie.mux(stream.encode())
    return folder


@pytest.fixture
def desk(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(shelf, tmp_path / "desk")
    monkeypatch.chdir(tmp_path / "desk")
    return tmp_path / "desk"


TRANSFERS = [words for block in SHELL for words in commands(block) if words[0] == "transfer"]


def few(content: str) -> list[str]:
    """Options that make the transfer of such a content quick; what is given last counts."""
    if content.endswith((".csv", ".dcm", ".wav")):
        return ["--iterations", "2"]
    return [word for name, value in FEW.items() for word in (f"--{name.replace('_', '-')}", str(value)) if name != "scales"]


@pytest.mark.slow
@pytest.mark.parametrize("words", TRANSFERS, ids=" ".join)
def test_every_transfer_paints(desk: Path, run: Run, words: list[str]):
    code, _, err = run(*words, *few(words[1]), *(["--scales", "1"] if "--scales" in words else []))
    assert code == 0, err
    output = Path(words[words.index("-o") + 1])
    assert output.exists() == ("--dry-run" not in words)


@pytest.mark.slow
def test_every_python_block_runs(desk: Path, monkeypatch: pytest.MonkeyPatch):
    """Page by page, as a reader would type them, one after the other."""
    monkeypatch.setattr(impasto, "transfer_style", small(impasto.transfer_style), raising=False)
    monkeypatch.setattr(impasto, "transfer_folder", small_folder(impasto.transfer_folder), raising=False)
    monkeypatch.setattr(impasto, "Painter", quick_painter(impasto.Painter), raising=False)
    monkeypatch.setattr(impasto, "synthesise", smaller(impasto.synthesise), raising=False)
    shutil.copytree("photos", "others")
    for path in Path("others").iterdir():
        Image.open(path).rotate(180).save(path)
    impasto.top_patches("others", "relu3_1,relu4_1", units="0-31").save("other.json")
    ran = 0
    for page in PAGES:
        names: dict[str, Any] = {}
        for block in blocks(page):
            if block.language == "python":
                exec(compile("\n" * block.line + block.code, str(block.page), "exec"), names)
                ran += 1
    assert ran >= 4
    assert Path("out.png").exists() and Path("sheet.png").exists() and Path("report/index.html").exists()


def small(transfer_style: Callable[..., Any]) -> Callable[..., Any]:
    def quick(content: Any, style: Any, settings: Any = None, **how: Any) -> Any:
        return transfer_style(content, style, replace(settings or impasto.TransferSettings(), **FEW), **how)

    return quick


def small_folder(transfer_folder: Callable[..., Any]) -> Callable[..., Any]:
    return lambda content, style, output, settings, **how: transfer_folder(
        content, style, output, replace(settings, **FEW), **how
    )


def quick_painter(painter: type[impasto.Painter]) -> Callable[..., impasto.Painter]:
    def quick(network: Any = None, objective: Any = None, *, settings: Any = None, **how: Any) -> impasto.Painter:
        few = {name: value for name, value in FEW.items() if objective is None or not name.endswith("layers")}
        return painter(network, objective, settings=replace(settings or impasto.TransferSettings(), **few), **how)

    return quick


def smaller(synthesise: Callable[..., Any]) -> Callable[..., Any]:
    return lambda objective, **how: synthesise(objective, **{**how, "size": 32, "iterations": 2})


# the demo


@pytest.mark.slow
def test_the_demo_of_the_makefile_paints_its_picture(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch):
    """The very command of `make demo`, with a tenth of its evaluations."""
    recipe = re.search(r"^demo:.*\n\t(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    program, *words = shlex.split(recipe[1])
    assert program == "$(BIN)/impasto"
    monkeypatch.chdir(tmp_path)
    asked: dict[str, int] = {}

    def sooner(*given: Any, size: int, iterations: int, **options: Any) -> int:
        asked.update(size=size, iterations=iterations)
        return paint(*given, size=size, iterations=iterations // 10, **options)

    monkeypatch.setattr("impasto.cli.paint.paint", sooner)
    code, out, err = run(*words)
    assert asked == {"size": 256, "iterations": 60}
    assert (code, err) == (0, "")
    (output,) = tmp_path.iterdir()
    assert output.name == words[words.index("-o") + 1] and out.startswith(output.name)
    with Image.open(output) as image:
        about = json.loads(image.text["impasto"])  # pyright: ignore[reportAttributeAccessIssue]
        painted = np.asarray(image.convert("RGB"), float)
    cup = np.asarray(Image.fromarray(data.coffee()).resize((256, 171), Image.Resampling.LANCZOS), float)
    assert painted.shape == cup.shape
    assert about["settings"]["iterations"] == 6
    brightness = np.corrcoef(painted.mean(2).ravel(), cup.mean(2).ravel())[0, 1]
    assert 0.5 < brightness < 0.99  # still the cup, and no longer the photograph
    assert painted.std() > 15
