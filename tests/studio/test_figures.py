"""Curves of J, lines of series and sounds, and slices of volumes: as numbers, and in a real browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.media.medium import Stack
from impasto.media.read_write import read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.studio.components.result_view import curves
from impasto.studio.figures import figure_of
from tests.studio.conftest import MS
from tests.studio.test_page import both, field, give, open_more
from tests.studio.test_signals import series, sound, volume

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def costs(*rows: tuple[float, ...]) -> list[dict[str, float]]:
    return [dict(zip(("J", "content", "style", "scale"), row, strict=False)) for row in rows]


def test_a_term_of_ones_own_is_seen_by_its_name():
    rows = [{"J": 3.0 - i, "content": 1.0, "edges <of mine>": 2.0 - i / 2, "scale": 1.0, "size": 64.0} for i in range(3)]
    del rows[0]["edges <of mine>"]  # as a term that begins later
    drawn = curves(rows, 5)
    assert drawn["names"] == ["J", "content", "edges <of mine>"]
    assert drawn["rows"] == [[1, 3.0, 1.0, None], [2, 2.0, 1.0, 1.5], [3, 1.0, 1.0, 1.0]]
    assert (drawn["iterations"], drawn["log"], drawn["breaks"], drawn["said"]) == (5, True, [], "")


def test_what_can_be_negative_has_no_logarithm():
    assert not curves(costs((3.0, -1.0, 4.0), (2.0, -1.0, 3.0)), 2)["log"]


def test_nothing_is_drawn_of_one_evaluation_or_of_nothing():
    assert curves(costs((1.0, 1.0, 1.0)), 5) == {}
    assert curves(costs((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), 5) == {}
    told = curves(costs((1.0, 1.0, 1.0), (float("nan"), 1.0, float("inf"))), 5)
    assert told["rows"][1] == [2, None, 1.0, None]


def test_each_scale_is_marked_and_said():
    rows = costs((3.0, 2.0, 1.0, 1), (2.0, 1.0, 1.0, 1), (9.0, 3.0, 1.0, 2), (1.0, 1.0, 1.0, 2))
    told = curves(rows, 4)
    assert told["breaks"] == [{"at": 1, "label": "scale 1"}, {"at": 3, "label": "scale 2"}]
    assert told["said"].startswith("It is painted at 2 sizes")
    for row in rows:
        row["size"] = 64 * row["scale"]
    told = curves(rows, 4)
    assert [one["label"] for one in told["breaks"]] == ["size 64", "size 128"]
    assert told["said"].startswith("It is painted at the sizes 64 and 128, one after the other.")


def test_a_long_run_keeps_its_ends_and_its_jumps():
    rows = costs(*((float(10000 - i), 1.0, 1.0, 1 + i // 3001) for i in range(6000)))
    told = curves(rows, 6000)
    shown = [row[0] for row in told["rows"]]
    assert len(shown) < 620
    assert {1, 3001, 3002, 6000} <= set(shown)


def test_a_thinned_line_keeps_its_lowest_and_its_highest(tmp_path: Path):
    values = np.sin(np.arange(3000) / 7)[None].astype(np.float32)
    values[0, 1234], values[0, 2345] = 9, -8
    ekg = Signal(np.concatenate([values] * 12), "series", {"rate": 250.0, "leads": [f"V{i} (mV)" for i in range(12)]})
    figure = figure_of(ekg, ekg.with_values(ekg.values * 2), lambda name, data: None)
    panel, line = figure["traces"]["panels"][3], figure["traces"]["panels"][3]["result"]
    assert (panel["name"], panel["unit"], figure["traces"]["x"], figure["alone"]) == ("V3", "mV", "time in s", True)
    assert len(line["values"]) <= 1000
    assert (max(line["values"]), min(line["values"])) == (18, -16)
    assert line["values"].index(18) / line["rate"] == pytest.approx(1234 / 250, abs=0.05)
    assert len(line["values"]) / line["rate"] == pytest.approx(12, abs=0.05)


def test_units_come_from_the_file():
    from pydicom.data import get_testdata_file

    path = get_testdata_file("waveform_ecg.dcm")
    assert isinstance(path, str)
    ekg = read_signal(path)
    traces = medium_of("series").traces
    assert traces is not None
    assert [(one.name, one.unit) for one in traces(ekg)[:2]] == [("Lead I (Einthoven)", "µV"), ("Lead II", "µV")]


def test_every_slice_is_on_its_sheet(tmp_path: Path):
    brain = read_signal(volume(tmp_path / "a.nii.gz", (20, 18, 16)))
    files: dict[str, bytes] = {}
    figure = figure_of(brain, brain.with_values(1 - brain.values), files.__setitem__)
    assert sorted(files) == [f"slices-{role}-{i}.jpg" for role in ("content", "result") for i in range(3)]
    counts = {axis["name"]: axis["count"] for axis in figure["slices"]}
    assert counts == {"sagittal": 20, "coronal": 18, "axial": 16}
    stacks = medium_of("volume").stacks
    assert stacks is not None
    for axis, stack in zip(figure["slices"], stacks(brain, 192), strict=True):
        assert isinstance(stack, Stack)
        sheet, (height, width) = axis["content"], axis["content"]["tile"]
        with Image.open(io.BytesIO(files[sheet["file"]])) as picture:
            samples = np.asarray(picture.convert("L")) / 255
        for i in (0, 7, axis["count"] - 1):
            top, left = i // sheet["columns"] * height, i % sheet["columns"] * width
            tile = samples[top : top + height, left : left + width]
            assert np.abs(tile - stack.values[i, ..., 0]).mean() < 0.06
    # the voxels are twice as high as wide
    assert figure["slices"][0]["content"]["aspect"] == pytest.approx(2 * 16 / 18)
    again: dict[str, bytes] = {}
    assert figure_of(brain, brain, again.__setitem__, figure)["slices"][1]["content"] == figure["slices"][1]["content"]
    assert sorted(again) == [f"slices-result-{i}.jpg" for i in range(3)]


# whether all points of all lines of a chart lie within its axes
INSIDE = """chart => {
    const points = [...chart.querySelectorAll("polyline")].flatMap(line => line.getAttribute("points").split(" "));
    const { width, height } = chart.viewBox.baseVal;
    return points.map(at => at.split(",").map(Number)).every(([x, y]) =>
        x >= 67.9 && x <= width && y >= 13.9 && y <= height - 41.9);
}"""
# whether no text of a chart is outside of it
READABLE = """chart => {
    const box = chart.getBoundingClientRect();
    const texts = [...chart.querySelectorAll("text")].map(text => text.getBoundingClientRect());
    return texts.every(({ left, right, top, bottom }) =>
        left >= box.left - 1 && right <= box.right + 1 && top >= box.top - 1 && bottom <= box.bottom + 1);
}"""


def test_curves_have_axes_names_and_marks_at_each_scale(page: Any, pictures: dict[str, Path]):
    both(page, pictures, iterations="12", scales="2", tv="1")
    page.locator("#paint").click()
    page.locator("#result-view .curves polyline").first.wait_for()  # while it is painted
    page.locator("#download").wait_for()
    chart = page.locator("#result-view .curves svg")
    for _ in range(2):  # and again from the history
        texts = chart.locator("text").all_text_contents()
        assert {"evaluations", "J and its terms", "size 32", "size 64"} <= set(texts)
        numbers = [text for text in texts if text.replace(".", "").isdigit()]
        assert len(numbers) >= 5
        assert chart.locator(".break").count() == 1
        assert chart.evaluate(INSIDE) and chart.evaluate(READABLE)
        key = page.locator("#result-view .curves .key span").all_inner_texts()
        assert {name.rsplit(" ", 1)[0] for name in key} >= {"J", "content", "style", "total variation"}
        assert "sizes 32 and 64" in page.locator("#result-view .jumps").inner_text()
        page.get_by_role("tab", name="History").click()
        page.locator("#history-list .open").first.click()
        page.locator("#result-view .curves svg").wait_for()
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(500)
    assert chart.evaluate("chart => chart.viewBox.baseVal.width <= 400")
    assert chart.evaluate(INSIDE) and chart.evaluate(READABLE)
    assert not page.trouble


def painted(page: Any, content: Path, style: Path, **fields: str) -> None:
    for role, path in (("content", content), ("style", style)):
        give(page, role, path)
        page.locator(f"#{role} .signal-input[data-filled]").wait_for()
    open_more(page)
    for name, value in fields.items():
        field(page, name).fill(value)
    page.wait_for_timeout(300)
    page.locator("#paint").click()


def reopened(page: Any) -> None:
    page.reload()
    page.get_by_role("tab", name="History").click()
    page.locator("#history-list .open").first.click()


def test_a_series_has_its_content_and_its_result_over_each_other(page: Any, tmp_path: Path):
    page.locator("#vary-strokes").wait_for()
    painted(page, series(tmp_path / "ekg.csv"), series(tmp_path / "other.csv", 5), iterations="3", init="random")
    assert not page.locator("#vary-strokes").is_visible()
    for step in (lambda: None, lambda: page.locator("#download").wait_for(), lambda: reopened(page)):
        step()
        chart = page.locator("#result-view .traces svg")
        chart.wait_for()
        assert chart.locator("polyline.content").count() == chart.locator("polyline.result").count() == 1
        assert {"time in s", "0", "1"} <= set(chart.locator("text").all_text_contents())
        assert page.locator("#result-view .traces h3").inner_text() == "II"
        assert not page.locator("#result-view .frame").is_visible()  # which would show the same
        assert chart.evaluate(INSIDE) and chart.evaluate(READABLE)
    assert page.locator("#result-view .traces .key").inner_text().split() == ["content", "result,", "over", "it"]
    assert not page.locator("#vary-strokes").is_visible() and page.locator("#vary-seeds").is_visible()
    page.locator("#content .ready button").first.click()
    page.locator("#vary-strokes").wait_for()
    assert not page.trouble


def test_a_sound_has_its_wave_below_its_spectrogram(page: Any, tmp_path: Path):
    painted(page, sound(tmp_path / "a.wav"), sound(tmp_path / "b.wav", 700), iterations="3")
    page.locator("#download").wait_for()
    for step in (lambda: None, lambda: reopened(page)):
        step()
        chart = page.locator("#result-view .traces svg")
        chart.wait_for()
        assert {"time in s", "amplitude"} <= set(chart.locator("text").all_text_contents())
        assert page.locator("#result-view .frame").is_visible()
    assert not page.trouble


def test_a_volume_is_gone_through_slice_by_slice_with_the_keyboard(page: Any, tmp_path: Path, pictures: dict[str, Path]):
    ball = volume(tmp_path / "ball.nii.gz", (20, 18, 16))
    painted(page, ball, pictures["style"], iterations="2", style_layers="relu1_1,relu2_1", content_layers="relu2_1")
    page.locator("#result-view .slices input").wait_for()  # while it is painted
    page.locator("#download").wait_for(timeout=2 * MS)
    for step in (lambda: None, lambda: reopened(page)):
        step()
        slider, words = page.locator("#result-view .slice"), page.locator("#result-view .slice-words")
        slider.wait_for()
        page.locator("#result-view .slice-words", has_text="axial, slice 9 of 16").wait_for()
        before = shown(page)
        slider.focus()
        page.keyboard.press("Home")
        assert words.inner_text() == "axial, slice 1 of 16"
        page.wait_for_function(f"document.querySelector('#result-view .over').src !== {before!r}")
        page.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == "axial, slice 2 of 16"
        for name, count in (("sagittal", 20), ("coronal", 18)):
            page.locator("#result-view .axes button", has_text=name).focus()
            page.keyboard.press("Enter")
            page.locator("#result-view .slice-words", has_text=f"{name}, slice {count // 2 + 1} of {count}").wait_for()
        page.locator("#result-view .compare").focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        clip = page.locator("#result-view .over").evaluate("image => getComputedStyle(image).clipPath")
        assert clip == "inset(0px 0px 0px 4%)"
        assert page.locator("#result-view .under").get_attribute("src") != shown(page)
    assert not page.trouble


def shown(page: Any) -> str:
    return page.locator("#result-view .over").get_attribute("src") or ""
