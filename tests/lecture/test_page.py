"""The page: one file, eight parts, no request; every symbol of a formula is said, and no letter means two things."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from impasto.lecture.lecture import Lecture, ready_lecture
from impasto.lecture.page import body, page_of, write_page
from tests.lecture.conftest import Given

TITLES = [
    "What neural style transfer is", "What ConvNets learn", "The cost J(G)", "From noise, downhill",
    "The content cost at a layer", "The style matrix", "The style cost, of several layers", "One dimension, and three",
]  # fmt: skip


def sections() -> dict[str, str]:
    return dict(re.findall(r"<section id=\"(.+?)\">(.+?)</section>", body(), re.DOTALL))


def test_the_eight_parts_come_in_the_order_of_the_lecture():
    assert re.findall(r"<h2><b>\d</b> (.+?)</h2>", body()) == TITLES


def symbols(html: str) -> set[str]:
    """The letters of the formulas in it; what is written out ("content") and digits are none."""
    return set(re.findall(r"<mi[^>]*>(\w′?)</mi>", html)) - {"D"}


def test_every_symbol_is_said_no_later_than_its_formula():
    said: set[str] = set()
    for name, section in sections().items():
        for formula in re.findall(r'<div class="formula">(.+?)</div>', section, re.DOTALL):
            said |= symbols("".join(re.findall(r"<dt>(.+?)</dt>", section, re.DOTALL)))
            assert symbols(formula) <= said, f"{name}: {symbols(formula) - said}"


def test_g_is_the_picture_and_never_the_matrix():
    assert not re.search(r"<m(sub|subsup)><mi[^>]*>G</mi>", body())
    assert "M" in symbols(sections()["lecture-matrix"])
    assert "G" not in symbols(
        "".join(re.findall(r"<m(?:sub|subsup)><mi>.+?</m(?:sub|subsup)>", sections()["lecture-matrix"]))
    )


def test_no_name_can_end_the_script():
    page = page_of(Lecture("</script><script>alert(1)</script>", "b", {}))
    assert "<script>alert" not in page


@pytest.fixture
def page(chromium: Callable[..., Any], tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "lecture.html"
    write_page(ready_lecture(), path)
    browser = chromium()
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("console", lambda line: page.trouble.append(line.text) if line.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(("data:", path.as_uri())) else page.trouble.append(r.url))
    page.goto(path.as_uri())
    page.locator(".maps canvas").first.wait_for()
    yield page
    browser.close()


def test_the_file_alone_is_the_whole_lecture(page: Any):
    assert page.locator("section[data-missing]").count() == 0
    assert page.locator(".nine figure img").count() == 9
    page.locator("[data-place=patch-layers] button[data-name=relu5_1]").click()
    assert page.locator(".nine figure img[alt$='of relu5_1 most']").count() == 9
    assert "impasto explore patches" in page.locator(".explore").inner_text()
    page.locator("[data-volume=content][aria-label]").wait_for()
    ink = """(all) => all.every((one) => {
      const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
      return new Set(data).size > 8; })"""
    for canvases in ("canvas[data-matrix]", ".maps canvas", "canvas[data-volume]"):
        assert page.locator(canvases).count() >= 2
        assert page.eval_on_selector_all(canvases, ink), canvases
    assert not page.trouble


def test_alpha_and_beta_choose_the_picture_and_say_j(page: Any):
    seen = set[str]()
    for alpha, beta, label in (
        (2, 2, "β/α = 5"),
        (0, 2, "α = 0"),
        (2, 0, "β = 0"),
        (0, 0, "α = β = 0"),
        (1, 3, "β/α = 125"),
    ):
        page.locator("[data-slide=alpha]").fill(str(alpha))
        page.locator("[data-slide=beta]").fill(str(beta))
        page.locator("[data-place=balance-caption]", has_text=re.compile(f"for {re.escape(label)}$")).wait_for()
        seen.add(page.locator("img[data-place=balance]").get_attribute("src"))
        first, content, second, style, whole = map(
            float, re.findall(r"[\d.]+", page.locator("[data-place=balance-words]").inner_text().replace(",", ""))
        )
        assert first * content + second * style == pytest.approx(whole, rel=0.01, abs=0.005)
    assert len(seen) == 5


def test_the_descent_goes_frame_by_frame_beside_its_curve(page: Any):
    slider = page.locator("[data-slide=step]")
    frames = set[str]()
    for step in (0, 1, 20):
        slider.fill(str(step))
        frames.add(page.locator("img[data-place=frame]").get_attribute("src"))
        assert page.locator("[data-place=step-words]").inner_text().startswith(f"{step} step")
    assert len(frames) == 3
    chart = page.locator("[data-place=descent-chart] svg")
    texts = chart.locator("text").all_text_contents()
    assert {"steps", "cost", "0", "10"} <= set(texts)
    inside = """(svg) => [...svg.querySelectorAll("polyline")].every((line) =>
      line.getAttribute("points").split(" ").every((point) => {
        const [x, y] = point.split(",").map(Number), { width, height } = svg.viewBox.baseVal;
        return x >= 0 && x <= width && y >= 0 && y <= height; }))"""
    assert chart.evaluate(inside)
    key = page.locator("[data-place=descent-chart] .key span").all_text_contents()
    assert [re.sub(r"\s+", "", name).split(",")[0].rstrip("0123456789.") for name in key] == ["J", "αJcontent", "βJstyle"]


def test_two_channels_are_chosen_and_their_entry_is_told(page: Any):
    figures = ready_lecture().parts["matrices"]["layers"]["relu2_1"]
    page.locator("[data-place=matrix-layers] button[data-name=relu2_1]").click()
    page.locator("select[data-channel='0']").select_option(str(figures["channels"][3]))
    page.locator("select[data-channel='1']").select_option(str(figures["channels"][7]))
    for name in "CSG":
        told = float(page.locator(f"[data-entry={name}]").inner_text().replace(",", ""))
        assert told == pytest.approx(figures["signals"][name]["matrix"][3][7], rel=0.01)
    box = page.locator("canvas[data-matrix=S]").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 5.5 / 16, box["y"] + box["height"] * 2.5 / 16)
    assert page.locator("select[data-channel='0']").input_value() == "2"
    assert page.locator("select[data-channel='1']").input_value() == "5"
    page.locator(".maps canvas[aria-label^='where both channels are active in G']").wait_for()


def test_an_ekg_has_axes_with_units_and_a_volume_slices(page: Any):
    texts = page.locator("[data-place=series-chart] text").all_text_contents()
    assert {"time in s", "µV"} <= set(texts)
    assert page.locator("[data-place=series-chart] polyline").count() == 2
    page.locator("[data-slide=slice]").fill("3")
    page.locator("canvas[data-volume=result][aria-label*='slice 4']").wait_for()
    page.locator("[data-place=axes] button", has_text="from above").click()
    page.locator("canvas[data-volume=result][aria-label*='from above']").wait_for()
    assert not page.trouble


def test_it_fits_on_a_phone_and_is_printed_with_all_layers(page: Any):
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".nine figure").count() == 45
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".nine figure").count() == 9


def test_a_lecture_on_the_way_shows_what_it_has(given: Given, chromium: Callable[..., Any], tmp_path: Path):
    path = tmp_path / "half.html"
    write_page(Lecture("a", "b", {name: given.lecture.parts[name] for name in ("pictures", "content")}), path)
    browser = chromium()
    page = browser.new_page()
    page.goto(path.as_uri())
    page.locator("[data-place=content-words]", has_text="n = ").wait_for()
    missing = page.eval_on_selector_all("section[data-missing]", "(all) => all.map((one) => one.id)")
    assert missing == [f"lecture-{name}" for name in ("patches", "cost", "descent", "matrix", "style", "dimensions")]
    assert page.locator("#lecture-cost .formula").is_visible()
    browser.close()
