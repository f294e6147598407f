"""The page, from the disk: a place is chosen by mouse and keyboard, everything follows it, and nothing is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import impasto
from impasto.explanation.page import page_of
from tests.explanation.conftest import Given

INK = """(canvas) => new Set(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size"""
MIDDLE = """(canvas) => Array.from(canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data)"""


@pytest.fixture(scope="module")
def file(given: Given, explanation: impasto.Explanation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "out.html"
    explanation.write(path, impasto.explain(given.folder / "other.png"))
    return path


@pytest.fixture(scope="module", params=[(1600, "light"), (400, "dark")], ids=["1600-light", "400-dark"])
def page(request: Any, chromium: Callable[..., Any], file: Path) -> Iterator[Any]:
    width, scheme = request.param
    browser = chromium()
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("console", lambda line: page.trouble.append(line.text) if line.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(("data:", file.as_uri())) else page.trouble.append(r.url))
    page.goto(file.as_uri())
    page.locator("[data-ready]").wait_for()
    yield page
    assert not page.trouble
    browser.close()


def place_of(page: Any) -> list[int]:
    return [int(n) for n in re.findall(r"place (\d+), (\d+) of", page.locator("[data-place=G-caption]").inner_text())[0]]


def test_arrow_keys_move_the_place_and_digits_choose_the_layer(page: Any, explanation: impasto.Explanation):
    page.locator("[data-canvas=G]").focus()
    scrolled = page.evaluate("scrollY")
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    assert place_of(page) == [1, 1]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    assert place_of(page) == [2, 6]
    assert page.evaluate("scrollY") == scrolled
    page.keyboard.press("3")
    assert page.locator("[data-place=layers] [aria-pressed=true]").inner_text() == "relu3_1"
    found, (vertical, horizontal) = explanation.origins["relu3_1"], explanation.fields["relu3_1"][1]
    y, x = (
        sum(axis.field(int(position[1, 5, 0]))) / 2 for axis, position in ((vertical, found.row), (horizontal, found.column))
    )
    told = page.locator("[data-place=words]").inner_text()
    assert f"most like S at x {int(x + 0.5)}, y {int(y + 0.5)}, likeness {found.cosine[1, 5, 0]:.2f}" in told


def test_a_click_moves_it_and_the_shares_are_those_of_the_explanation(page: Any, explanation: impasto.Explanation):
    box = page.locator("[data-canvas=J]").bounding_box()
    page.locator("[data-canvas=J]").click(position={"x": box["width"] * 4.5 / 9, "y": box["height"] * 3.5 / 6})
    assert place_of(page) == [4, 5]
    rows = page.locator("[data-place=shares] tbody tr")
    whole = explanation.places.sums(explanation.map_of())
    cells = rows.nth(0).locator("td").all_text_contents()
    assert cells[3] == f"{100 * whole[3, 4] / whole.sum():.2f}%"
    names = rows.locator("td:first-child").all_text_contents()
    assert names[:2] == ["J", "content"]
    style = explanation.places.sums(explanation.map_of("style", "relu4_1"))
    cells = rows.nth(names.index("relu4_1")).locator("td").all_text_contents()
    assert float(cells[4].split("×")[0].replace("−", "-")) == pytest.approx(style[3, 4] / style.mean(), abs=0.06)
    page.locator("[data-place=terms] button[data-name=style]").click()
    page.locator("[data-place=term-layers] button[data-name=relu5_1]").click()
    caption = page.locator("[data-place=J-caption]").inner_text()
    told = float(re.findall(r"sums to ([\d.]+)", caption)[0])
    assert told == pytest.approx(explanation.map_of("style", "relu5_1").sum(), rel=0.01)


def test_the_content_can_be_seen_in_place_of_g(page: Any):
    canvas = page.locator("[data-canvas=G] canvas")
    before = canvas.evaluate("(canvas) => canvas.toDataURL()")
    page.locator("[data-do=content]").press("Enter")
    assert canvas.evaluate("(canvas) => canvas.toDataURL()") != before
    assert page.locator("[data-place=G-caption]").inner_text().startswith("C, the content")
    page.locator("[data-do=content]").press("Enter")
    assert canvas.evaluate("(canvas) => canvas.toDataURL()") == before


def test_two_runs_tell_what_differs(page: Any, given: Given):
    assert page.locator("[data-place=run-words]").inner_text() == "1 setting differs: beta."
    assert page.locator("[data-place=differing] tbody td").all_text_contents() == ["beta", "20", "80"]
    lines = {
        row.split("\t")[0]: row.split("\t")[1:] for row in page.locator("[data-place=run-costs] tbody tr").all_inner_texts()
    }
    assert list(lines) == ["content", "style", "total variation", "neighbours", "J"]
    one, other = (impasto.explain(given.folder / f"{name}.png").totals() for name in ("out", "other"))
    assert float(lines["style"][3]) == pytest.approx(one["style"], rel=0.01)
    assert float(lines["style"][1]) == pytest.approx(other["style"] / 80, rel=0.01)
    canvas = page.locator("[data-canvas=D] canvas")
    seen = {canvas.evaluate("(canvas) => canvas.toDataURL()")}
    for name in ("J", "style"):
        page.locator(f"[data-place=differences] button[data-name={name}]").click()
        seen.add(canvas.evaluate("(canvas) => canvas.toDataURL()"))
    assert len(seen) == 3


def test_it_fits_and_every_canvas_is_drawn_and_says_what_it_is(page: Any):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    canvases = page.locator(".canvas canvas, .rows canvas")
    assert canvases.count() == 6 + 5 * 4
    for i in range(6):
        assert canvases.nth(i).evaluate(INK) > 8
    labels = page.eval_on_selector_all("[role=application]", "(all) => all.map((one) => one.ariaLabel)")
    assert all("arrow keys move it" in label for label in labels)
    assert len(set(labels)) == 5
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper in ("rgb(243, 240, 233)", "rgb(20, 19, 17)")


def test_no_name_can_end_the_script_and_the_page_is_small(explanation: impasto.Explanation):
    name = "</script><script>alert(1)</script>/*SCRIPT*/"
    page = page_of(replace(explanation, name=name, record={**explanation.record, "content": name}))
    assert "<script>alert" not in page
    noise = np.random.default_rng(0).random((3, 512, 512), np.float32)  # nothing is larger
    assert len(page_of(replace(explanation, generated=noise, content=noise, styles=(noise,)))) < 4 * 2**20
