"""Every tab, by day and by night, as axe sees it: nothing serious keeps anybody out. It sees colours, names and roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.studio.conftest import Studio

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

MS = 120_000
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser(chromium: Callable[..., Any]) -> Iterator[Any]:
    started = chromium()
    yield started
    started.close()


def paint(page: Any, pictures: dict[str, Path]) -> None:
    """Both tiles are filled, all settings are open, and something has been painted."""
    for role, path in pictures.items():
        page.locator(f"#{role} .file").set_input_files(path)
        page.locator(f"#{role} .signal-input[data-filled]").wait_for()
    page.locator("#more > button").click()
    page.locator("#set-size").wait_for()
    page.wait_for_timeout(500)
    for name, value in (("size", "64"), ("iterations", "2")):
        page.locator(f"#set-{name} :is(input, textarea)").fill(value)
    page.locator("#paint").click()
    page.locator("#download").wait_for()


def explore(page: Any, pictures: dict[str, Path]) -> None:
    """A unit with its patches, maps, and the source of a patch."""
    page.get_by_role("tab", name="Explore").click()
    page.locator("#unit-patches .nine img").first.wait_for()
    page.locator("#activation-maps img").first.wait_for()
    page.locator("#unit-browser .sheet button").nth(3).click()
    page.locator("#unit-patches h2", has_text="unit 3").wait_for()


def source(page: Any, pictures: dict[str, Path]) -> None:
    page.locator("#unit-patches .nine button").first.click()
    page.locator(".unit-source[open] img[src]").wait_for()


def learn(page: Any, pictures: dict[str, Path]) -> None:
    page.get_by_role("tab", name="Learn").click()
    page.wait_for_timeout(1000)


def history(page: Any, pictures: dict[str, Path]) -> None:
    page.get_by_role("tab", name="History").click()
    page.locator("#history-list li").first.wait_for()
    page.wait_for_timeout(500)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_anybody_out(browser: Any, studio: Studio, pictures: dict[str, Path], scheme: str):
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
    )
    page = context.new_page()
    page.set_default_timeout(MS)
    page.goto(studio.address)
    page.locator("#content .ready button").first.wait_for()
    found: list[str] = []
    for step in (paint, explore, source, learn, history):
        step(page, pictures)
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in SERIOUS:
                where = [node["target"][0] for node in violation["nodes"]][:4]
                found.append(f"{step.__name__}: {violation['impact']}: {violation['id']}: {violation['help']}: {where}")
        if step is source:
            page.keyboard.press("Escape")
    assert found == []
    context.close()
