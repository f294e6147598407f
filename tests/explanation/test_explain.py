"""A painting is explained from its file: its J is that of the run, divided without a rest; what is missing is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from skimage import data

import impasto
from impasto.cli.main import cli
from impasto.errors import ImpastoError, SettingsError, SignalError
from impasto.explanation.page import page_of
from impasto.explanation.record import named_styles
from tests.explanation.conftest import Given


def test_the_maps_sum_to_the_costs_and_these_to_the_j_that_was_painted(given: Given, explanation: impasto.Explanation):
    best = given.painting.best
    totals = explanation.totals()
    assert list(totals) == ["content", "style", "total variation", "neighbours"]
    for name, cost in best.costs.items():
        assert totals[name] == pytest.approx(cost, rel=0.03, abs=1e-3), name  # the file has 8 bits a value
        assert explanation.map_of(name).sum() == pytest.approx(totals[name], rel=1e-9)
    whole = explanation.map_of()
    assert whole.shape == (48, 72)
    assert whole.sum() == pytest.approx(sum(totals.values()), rel=1e-9) == pytest.approx(best.cost, rel=0.02)
    deep = explanation.map_of("style", "relu5_1")
    assert np.ptp(deep[:16, :16]) == pytest.approx(0, abs=1e-12)  # of one position, evenly on its pixels
    with pytest.raises(SettingsError, match=r"no term 'lines'; its terms: content, style"):
        explanation.map_of("lines")


def test_each_place_has_its_origins_at_each_layer_of_the_style(explanation: impasto.Explanation):
    rows, columns = explanation.places.counts
    assert (rows, columns) == (6, 9)
    assert list(explanation.origins) == [f"relu{block}_1" for block in range(1, 6)]
    for layer, found in explanation.origins.items():
        assert found.style.shape == (rows, columns, 3)
        assert (found.style[..., 0] == 0).all()
        assert (np.diff(found.cosine, axis=2)[found.style[..., 1:] >= 0] <= 0).all(), layer
        vertical, horizontal = explanation.fields[layer][1]
        assert found.row.max() < len(vertical.centres)
        assert found.column.max() < len(horizontal.centres)


def test_a_painting_in_memory_is_explained_as_its_file_is(given: Given, explanation: impasto.Explanation):
    again = impasto.explain(given.painting)
    assert again.totals() == pytest.approx(explanation.totals(), rel=0.05)
    assert "out.png" in page_of(explanation)


def test_a_larger_painting_is_looked_at_smaller_and_that_is_told(given: Given):
    small = impasto.explain(given.folder / "out.png", size=48)
    assert small.reduced
    assert small.generated.shape == (3, 32, 48)
    assert "it was painted larger" in page_of(small)


def test_several_styles_masks_and_other_costs_are_explained(given: Given, tmp_path: Path):
    left = np.zeros((48, 72), np.uint8)
    left[:, :36] = 255
    Image.fromarray(left).save(tmp_path / "mask.png")
    Image.fromarray(255 - left).save(tmp_path / "protected.png")
    files = given.folder / "content.png", [(given.folder / "style.png", 1.0), (given.folder / "content.png", 3.0)]
    runs: list[dict[str, Any]] = [
        {"style_cost": "wasserstein", "style_layers": "relu1_1,relu2_1"},
        {"content_mask": tmp_path / "mask.png", "style_mask": [tmp_path / "mask.png", "none"], "weighting": "absolute"},
        {"protect": tmp_path / "protected.png", "init": "random", "draw": 0.0},
    ]
    for how in runs:
        painting = impasto.transfer_style(*files, impasto.TransferSettings(size=72, iterations=2, **how))
        found = impasto.explain(painting)
        assert len(found.styles) == 2
        assert found.totals() == pytest.approx(painting.best.costs, rel=2e-3, abs=1e-5), how


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.jpg", [("a.jpg", 1.0)]),
        ("a b.jpg:0.7 c.jpg:0.3", [("a b.jpg", 0.7), ("c.jpg", 0.3)]),
        ("odd:name.jpg", [("odd:name.jpg", 1.0)]),
    ],
)
def test_styles_are_known_by_their_recorded_names(text: str, expected: list[tuple[str, float]], tmp_path: Path):
    assert named_styles(text, tmp_path) == expected


def test_what_cannot_be_found_is_told_in_a_line(given: Given, tmp_path: Path):
    out, content, style = tmp_path / "out.png", tmp_path / "c.png", tmp_path / "s.png"
    for source, target in (("out", out), ("content", content), ("style", style)):
        shutil.copy(given.folder / f"{source}.png", target)
    square = data.coffee()[:200, :200]
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (out, {}, r"the content of .*out\.png, content\.png, is not beside it; give it with --content FILE"),
        (out, {"content": content}, r"the style of .*out\.png, style\.png, is not beside it; give it with --style FILE"),
        (out, {"content": content, "style": [style, style]}, r"painted in one style; 2 were given"),
        (out, {"content": square, "style": style}, r"72 x 48 pixels, which are not the proportions of the content"),
        (content, {}, r"c\.png does not say how it was painted"),
        (tmp_path / "none.png", {}, r"none\.png: no such file"),
        (3, {}, r"an? int was given; a Painting, or the file of one, was expected"),
    ]
    for painting, how, message in cases:
        with pytest.raises(ImpastoError, match=message) as error:
            impasto.explain(painting, **how)
        assert "\n" not in str(error.value)
    assert impasto.explain(out, content=content, style=style).places.counts == (6, 9)


def test_what_is_not_explained_is_told_in_a_line(given: Given, tmp_path: Path):
    table = tmp_path / "heart.csv"
    table.write_text("\n".join(str(i % 7) for i in range(200)))
    with pytest.raises(SettingsError, match=r"heart\.csv is a series; only paintings that are pictures are explained yet"):
        impasto.explain(table)
    with Image.open(given.folder / "out.png") as picture:
        record = json.loads(picture.info["impasto"])
        for change, message in (
            (
                {"objective": "content('relu2_1') + lines"},
                r"with a J of a program's own, content\('relu2_1'\) \+ lines; only",
            ),
            ({"network": "mine"}, r"with a network of a program's own, mine; only one by name is explained"),
            ({"settings": {**record["settings"], "gloss": 1}}, r"settings of another version of impasto.*: gloss"),
        ):
            info = PngInfo()
            info.add_text("impasto", json.dumps(record | change))
            picture.save(given.folder / "own.png", pnginfo=info)
            with pytest.raises(SettingsError, match=r"own\.png .*" + message):
                impasto.explain(given.folder / "own.png")


def test_the_command_writes_a_page_and_never_over_an_input(given: Given, tmp_path: Path):
    run = CliRunner().invoke
    done = run(
        cli, ["explain", str(given.folder / "out.png"), str(given.folder / "other.png"), "-o", str(tmp_path / "p.html")]
    )
    assert done.exit_code == 0, done.output
    assert "out.png: J " in done.output
    assert "other.png: J " in done.output
    assert (tmp_path / "p.html").stat().st_size < 2**20
    done = run(cli, ["explain", str(given.folder / "out.png")])
    assert (given.folder / "out.html").is_file()
    over = run(cli, ["explain", str(given.folder / "out.png"), "-o", str(given.folder / "content.png")])
    assert isinstance(over.exception, SignalError)
    assert str(over.exception).endswith("content.png: a page is written with the ending .html, not '.png'")
    with Image.open(given.folder / "content.png") as picture:
        assert picture.size == (72, 48)
