"""benchmarks/quality.py: what is painted, what the numbers say, and the blind sheet. Nothing large is painted."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("battery", "methods", "page", "pairs", "pictures", "sheet", "statistics")


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark's modules by the last word of their names."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    found = SimpleNamespace(**{name: importlib.import_module(f"quality_{name}") for name in NAMES})
    found.quality = importlib.import_module("quality")
    monkeypatch.setattr(found.statistics, "_RESAMPLES", 100)
    return found


@pytest.fixture
def measured(modules: Any) -> Any:
    """Numbers as they should be: four pairs of two styles."""
    like = {"content-itself": (1, 0), "style-itself": (0, 1), "colour-matched": (0.9, 0.1), "gatys": (0.3, 0.5)}
    like |= {"texture": (0.2, 0.9), "10-evaluations": (0.6, 0.3), "wasserstein": (0.25, 0.6)}
    kinds = [measure.kind for measure in modules.battery.MEASURES]
    by_kind = {name: {"style": s, "paint": s, "content": c, "damage": c} for name, (s, c) in like.items()}
    rows = {name: np.array([[row[kind] for kind in kinds]] * 4, float) for name, row in by_kind.items()}
    return modules.statistics.Measured(("starry", "starry", "wave", "wave"), rows)


def test_the_first_pairs_have_every_style_and_content(modules: Any):
    pairs = modules.pairs.all_pairs()
    assert len(set(pairs)) == len(pairs) == len(modules.pairs.CONTENTS) * len(modules.pairs.STYLES) >= 72
    first = pairs[: len(modules.pairs.STYLES)]
    assert {pair.style for pair in first} == set(modules.pairs.STYLES)
    assert max(Counter(pair.content for pair in first).values()) == 2


def test_methods_come_with_the_controls_and_what_they_need(modules: Any, monkeypatch: pytest.MonkeyPatch):
    methods = modules.methods
    assert "pastiche" not in methods.chosen_methods([])[0]
    chosen, _ = methods.chosen_methods(["wasserstein-equal"])
    assert {*methods.CONTROLS, "gatys", "wasserstein", "wasserstein-equal"} == set(chosen)
    assert chosen.index("gatys") < chosen.index("wasserstein") < chosen.index("wasserstein-equal")
    monkeypatch.setattr(methods, "fields", lambda _: ())
    chosen, left_out = methods.chosen_methods([])
    assert "draw" not in chosen
    assert left_out["draw"] == "this impasto has no setting draw"
    with pytest.raises(ValueError, match="'monet' is no method; these are: content-itself"):
        methods.chosen_methods(["monet"])


def test_a_method_of_ones_own_is_painted_in_equal_time_too(modules: Any, monkeypatch: pytest.MonkeyPatch):
    methods, said = modules.methods, []
    monkeypatch.setattr(methods, "METHODS", dict(methods.METHODS))
    monkeypatch.setattr(modules.quality, "METHODS", methods.METHODS)
    assert modules.quality._add("bold=--stroke 2 --tv 3") == ["bold", "bold-equal"]

    def run(command: Any) -> Any:
        said.append(command)
        return SimpleNamespace(said='a warning\n{"evaluations": 7, "seconds": 0.5}\n')

    monkeypatch.setattr(methods, "run", run)
    records = {"gatys": {"seconds": 6.0}, "bold": {"seconds": 3.0, "descent": 2.0, "evaluations": 10}}
    job = methods.Job(modules.pairs.Pair("face", "wave"), 64, Path("folder"), records)
    assert methods.METHODS["bold-equal"].paint(job, Path("out.png")) == {"evaluations": 7, "descent": 0.5}
    assert said[0][-6:] == ["--iterations", "25", "--stroke", "2", "--tv", "3"]
    for wrong in ("bold", "gatys=--tv 3", "a/b=--tv 3"):
        with pytest.raises(ValueError, match="a new name and options were expected"):
            modules.quality._add(wrong)


def test_pastiche_takes_the_steps_that_fit(modules: Any, monkeypatch: pytest.MonkeyPatch):
    methods, steps, clock = modules.methods, [], [0.0]

    def run(command: Any) -> Any:
        steps.append(int(command[command.index("--num-steps") + 1]))
        clock[0] += 4 + 0.5 * steps[-1]
        said = "step elapsed loss\n---- ------- ----\n0    3.0     9.25\n3    4.5     8.1\n6    6.0     7.1\n"
        return SimpleNamespace(said=said)

    monkeypatch.setattr(methods, "run", run)
    monkeypatch.setattr(methods, "perf_counter", lambda: clock[0])
    job = methods.Job(modules.pairs.Pair("face", "wave"), 64, Path("folder"), {"gatys": {"seconds": 20.0}})
    assert methods.METHODS["pastiche-equal"].paint(job, Path("out.png")) == {"steps": 32, "seconds": 20.0}
    assert steps == [6, 32]


def test_evaluations_that_fit_into_a_time(modules: Any):
    full = {"seconds": 12.0, "descent": 10.0, "evaluations": 100}
    assert modules.methods.evaluations_within(12.0, full) == 100
    assert modules.methods.evaluations_within(7.0, full) == 50
    assert modules.methods.evaluations_within(1.0, full) == 1


@pytest.mark.parametrize("shape", [(7, 30), (20, 9), (7, 9), (30, 40)])
def test_the_style_itself_keeps_its_scale(modules: Any, shape: tuple[int, int]):
    style = np.arange(2 * 10 * 12.0).reshape(2, 10, 12)
    found = modules.methods.style_itself(style, shape)
    assert found.shape == (2, *shape)
    assert set(found[0].flat) <= set(style[0].flat)
    if shape[0] <= 10 and shape[1] <= 12:
        assert abs(np.diff(found[0], axis=1)).max() == 1


def _fake(sigma: float) -> Callable[[Any, Path], dict[str, Any]]:
    """A method that is quick: the content, blurred, with a part of the style."""

    def paint(job: Any, path: Path) -> dict[str, Any]:
        with Image.open(job.content) as content, Image.open(job.style) as style:
            blurred = gaussian_filter(np.asarray(content, float), (sigma, sigma, 0))
            mixed = 0.7 * blurred + 0.3 * np.asarray(style.resize(content.size), float)
        Image.fromarray(mixed.astype(np.uint8)).save(path)
        return {"evaluations": 3}

    return paint


@pytest.fixture
def quick(modules: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two contents, two styles, and methods that paint at once."""
    methods = modules.methods
    monkeypatch.setattr(modules.pairs, "CONTENTS", {"face": "astronaut", "cat": "chelsea"})
    monkeypatch.setattr(modules.pairs, "STYLES", {"coffee": "coffee", "rocket": "rocket"})
    for name, sigma in (("gatys", 1), ("texture", 9), ("10-evaluations", 0.5), ("wasserstein", 2)):
        monkeypatch.setitem(methods.METHODS, name, methods.METHODS[name]._replace(paint=_fake(sigma)))
    return modules


def test_a_picture_is_painted_once(quick: Any, tmp_path: Path):
    pairs, pictures = quick.pairs, quick.pictures
    pair = pairs.Pair("face", "coffee")
    pairs.prepare(pair, tmp_path, 48, tmp_path)
    job = quick.methods.Job(pair, 48, tmp_path, {})
    assert [max(pairs.read_values(path).shape) for path in (job.content, job.style)] == [48, 48]
    records = pictures.Records(tmp_path)
    assert pictures.paint(job, "gatys", records)
    assert not pictures.paint(job, "gatys", pictures.Records(tmp_path))
    (line,) = (tmp_path / "pictures.jsonl").read_text().splitlines()
    assert json.loads(line) | {"seconds": 0, "date": "", "commit": ""} == {
        **{"pair": "face+coffee", "method": "gatys", "evaluations": 3},
        **{"seconds": 0, "date": "", "commit": ""},
    }
    whole = job.path("gatys").read_bytes()
    job.path("gatys").write_bytes(whole[:200])
    assert pictures.paint(job, "gatys", records)
    assert job.path("gatys").read_bytes() == whole


def test_controls_that_rank_as_they_must_count(modules: Any, measured: Any):
    statistics = modules.statistics
    assert set(statistics.why_not_counted(measured).values()) == {""}
    assert [str(statistics.score(measured, name, "style", ["S1", "S3"])) for name in ("style-itself", "content-itself")] == [
        "0.00 (0.00 to 0.00)",
        "1.00 (1.00 to 1.00)",
    ]
    assert statistics.score(measured, "gatys", "content", ["C1", "C3s"]).value == pytest.approx(0.5)
    assert np.isnan(statistics.score(measured, "gatys", "content", ["S1"]).value)


def test_measures_of_the_same_thing_weigh_as_one(modules: Any, measured: Any):
    measured.values["gatys"][:, :3] = 0.9  # S1, S1p, S1c; S2 and S3 are 0.3
    score = modules.statistics.score(measured, "gatys", "style", ["S1", "S1p", "S1c", "S2", "S3"])
    assert score.value == pytest.approx((0.9 + 0.3 + 0.3) / 3)


def test_a_measure_whose_controls_rank_wrong_does_not_count(modules: Any, measured: Any):
    measured.values["10-evaluations"][:, 1] = 0.1
    why = modules.statistics.why_not_counted(measured)
    assert why["S1p"] == "gatys 0.3, 10-evaluations 0.1; texture 0.2, 10-evaluations 0.1"
    assert [name for name, text in why.items() if text] == ["S1p"]
    page = modules.page.page(measured, ["gatys", "wasserstein"], {"gatys": [3.0, 4.0, 9.0]}, ["Left out: draw, not here."])
    assert "Pairs: 4, styles: 2.\nLeft out: draw, not here." in page
    assert "| S1p | 1 - precision of the features | style | no: gatys 0.3, 10-evaluations 0.1; texture" in page
    assert "| method | S1 | (S1p) | S1c |" in page
    assert "| gatys | 0.30 (0.30 to 0.30) | 0.50 (0.50 to 0.50) | 4.0 s |" in page
    assert re.search(r"\| wasserstein \| 1\.00 .*\n", page.partition("Ranks")[2])


def test_intervals_are_by_styles(modules: Any):
    values = np.array([0.0, 0.0, 1.0, 1.0])
    mean = lambda pairs: float(values[pairs].mean())  # noqa: E731
    wide = modules.statistics.resample_styles(["a", "a", "b", "b"], mean)
    assert (wide.value, wide.low, wide.high) == (0.5, 0.0, 1.0)
    none = modules.statistics.resample_styles(["a", "b", "a", "b"], mean)
    assert (none.value, none.low, none.high) == (0.5, 0.5, 0.5)
    alone = modules.statistics.resample_styles(["a"] * 4, mean)
    assert str(alone) == "0.50"


def test_only_pairs_that_all_methods_have_are_compared(modules: Any):
    row = {measure.name: 1.0 for measure in modules.battery.MEASURES}
    rows = {("p", "gatys"): row, ("q", "gatys"): row, ("q", "draw"): row}
    found = modules.statistics.together(rows, [("p", "a"), ("q", "b")], ["gatys", "draw"])
    assert found.styles == ("b",)
    assert found.values["draw"].shape == (1, len(modules.battery.MEASURES))


@pytest.fixture
def sheet(modules: Any, tmp_path: Path) -> Any:
    """A sheet of four pairs whose pictures are flat: red by one method, blue by the other."""
    pairs = [modules.pairs.Pair(content, style) for content in ("taj", "night") for style in ("wave", "starry")]
    colours = {"content": "white", "style": "black", "gatys": "red", "draw": "blue"}
    for pair in pairs:
        folder = tmp_path / "pictures" / pair.name
        folder.mkdir(parents=True)
        for name, colour in colours.items():
            Image.new("RGB", (60, 40), colour).save(folder / f"{name}.png")
    asked = modules.sheet.questions(pairs, [("draw", "gatys")], 0)
    modules.sheet.write_sheet(asked, tmp_path / "pictures", tmp_path)
    return SimpleNamespace(folder=tmp_path, asked=asked, blind=tmp_path / "blind", key=tmp_path / "key.json")


def test_the_sheet_hides_the_names(sheet: Any):
    assert sorted(path.name for path in sheet.blind.iterdir()) == [
        *(f"00{n}.png" for n in range(1, 5)),
        "index.html",
        "votes.json",
    ]
    for path in sheet.blind.iterdir():
        assert not any(word in path.read_bytes() for word in (b"draw", b"gatys", b"starry"))
    assert {question.left for question in sheet.asked} == {"draw", "gatys"}
    with Image.open(sheet.blind / "001.png") as opened:
        picture = opened.convert("RGB")
    where = {"gatys": (255, 0, 0), "draw": (0, 0, 255)}
    y = picture.height - 30
    assert picture.getpixel((30, y)) == where[sheet.asked[0].left]
    assert picture.getpixel((picture.width - 30, y)) == where[sheet.asked[0].right]


def test_votes_are_read_back(modules: Any, sheet: Any):
    template = sheet.blind / "votes.json"
    votes = json.loads(template.read_text())
    assert modules.sheet.read_votes([template], sheet.key) == []
    for number, question in zip(votes["votes"], sheet.asked, strict=True):
        votes["votes"][number] = "left" if question.left == "draw" else "right"
    votes["votes"]["003"] = "same"
    template.write_text(json.dumps(votes))
    found = modules.sheet.preferences(modules.sheet.read_votes([template, template], sheet.key))
    ((methods, preference),) = found.items()
    assert methods == ("draw", "gatys")
    assert (preference.won, preference.same, preference.lost) == (6, 2, 0)
    told = modules.sheet.preference_table(found)
    assert "| draw rather than gatys | 0.88 (0.75 to 1.00) | 6 | 2 | 0 |" in told
    # what was voted stays when the sheet is written once more
    modules.sheet.write_sheet(sheet.asked, sheet.folder / "pictures", sheet.folder)
    assert json.loads(template.read_text()) == votes
    # and is put aside when there are other questions
    modules.sheet.write_sheet(sheet.asked[:2], sheet.folder / "pictures", sheet.folder)
    assert sorted(path.name for path in sheet.blind.glob("*.png")) == ["001.png", "002.png"]
    aside = sheet.blind / f"votes-{votes['sheet']}.json"
    assert len(modules.sheet.read_votes([aside, template], sheet.key)) == 4


def test_votes_on_another_sheet_or_by_other_words_are_refused(modules: Any, sheet: Any):
    template = sheet.blind / "votes.json"
    votes = json.loads(template.read_text())
    template.write_text(json.dumps({**votes, "votes": {"001": "links"}}))
    with pytest.raises(ValueError, match="vote 001 is 'links'; left, same, right or nothing was expected"):
        modules.sheet.read_votes([template], sheet.key)
    template.write_text(json.dumps({**votes, "sheet": "another"}))
    with pytest.raises(ValueError, match="votes on the sheet another"):
        modules.sheet.read_votes([template], sheet.key)


def test_the_page_takes_votes_by_keys_and_keeps_them(sheet: Any, browser: Any):
    page = browser.new_page()
    page.goto((sheet.blind / "index.html").as_uri())
    assert page.evaluate("document.getElementById('pictures').decode().then(() => true)")
    for key in ("ArrowLeft", "ArrowDown", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    page.reload()
    assert page.inner_text("#where") == "003 of 4, 2 votes cast"
    with page.expect_download() as download:
        page.click("#download")
    votes = json.loads(Path(download.value.path()).read_text())
    assert votes["votes"] == {"001": "left", "002": "right", "003": "", "004": ""}
    assert votes["sheet"] == json.loads((sheet.blind / "votes.json").read_text())["sheet"]
    page.close()


class _Coarse:
    """A battery that measures at once: one number against the style, and one against the content."""

    def __init__(self, content: Any, style: Any) -> None:
        self.content, self.style = content, style

    def measure(self, picture: Any) -> dict[str, float]:
        of_style = abs(picture.mean((1, 2)) - self.style.mean((1, 2))).mean()
        of_content = abs(picture - self.content).mean()
        measures = importlib.import_module("quality_battery").MEASURES
        return {row.name: float(of_style if row.kind in ("style", "paint") else of_content) for row in measures}


@pytest.mark.slow
def test_the_whole_way(quick: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quick.quality, "Battery", _Coarse)
    words = ["--data", str(tmp_path), "--out", str(tmp_path), "--size", "96", "--methods", "wasserstein"]
    quick.quality.main(words)
    folder = tmp_path / "96"
    assert "Pairs: 4, styles: 2." in (folder / "quality.md").read_text()
    with Image.open(folder / "scatter.png") as drawn:
        assert drawn.size == (1050, 900)
    assert len(json.loads((folder / "blind" / "votes.json").read_text())["votes"]) == 4
    first = capsys.readouterr().out
    assert "1/4 face+coffee, gatys: " in first
    quick.quality.main(words)
    again = capsys.readouterr().out
    assert "face+coffee" not in again  # all is there
    assert [line for line in again.splitlines() if "count" in line] == [
        line for line in first.splitlines() if "count" in line
    ]
    votes = folder / "blind" / "votes.json"
    filled = json.loads(votes.read_text())
    votes.write_text(json.dumps({**filled, "votes": dict.fromkeys(filled["votes"], "left")}))
    quick.quality.main(["--out", str(tmp_path), "--size", "96", "--votes", str(votes)])
    assert "rather than" in capsys.readouterr().out


def test_without_time_nothing_is_painted(quick: Any, tmp_path: Path):
    with pytest.raises(SystemExit, match="give it more --minutes"):
        quick.quality.main(["--data", str(tmp_path), "--out", str(tmp_path), "--size", "96", "--minutes", "0"])
    assert not (tmp_path / "96" / "pictures").exists()
