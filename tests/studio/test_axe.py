"""Every tab, by day and by night: what axe finds, which sees colours, names and roles; and which scrollbars there are."""

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
    started = chromium(ignore_default_args=["--hide-scrollbars"])
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


def masks(page: Any, pictures: dict[str, Path]) -> None:
    """What stays is painted on the content."""
    page.locator("#mask-painter .open").click()
    page.locator("#mask-painter dialog[open] .picture").click()
    page.locator("#mask-painter .undo:enabled").wait_for()


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


STEPS = (paint, masks, explore, source, learn, history)
OVER = (masks, source)  # until they are closed

# but the row of ready pictures, which is there to be scrolled
BARS = """() => [...document.querySelectorAll("body *")].filter((one) => {
    const style = getComputedStyle(one), borders = ["Left", "Right", "Top", "Bottom"].map((side) => parseFloat(style[`border${side}Width`]));
    if (!one.offsetParent || !one.clientWidth || style.display === "inline" || one.matches(".ready")) return false;
    return one.offsetWidth - one.clientWidth - borders[0] - borders[1] > 4 || one.offsetHeight - one.clientHeight - borders[2] - borders[3] > 4;
}).map((one) => `${one.tagName} #${one.id} .${one.className}`)"""  # fmt: skip  # noqa: E501


def opened_page(browser: Any, studio: Studio, width: int, scheme: str) -> Any:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(MS)
    page.goto(studio.address)
    page.locator("#content .ready button").first.wait_for()
    return page


# of all that axe knows of a page, which takes minutes to be carried here
BRIEFLY = """() => axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map(
    ({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.slice(0, 4).map((node) => node.target[0]) })))"""


def serious(page: Any) -> list[str]:
    page.evaluate(Axe().axe_script)
    violations = [one for one in page.evaluate(BRIEFLY) if one["impact"] in SERIOUS]
    return [f"{one['id']}: {one['help']}: {one['where']}" for one in violations]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_keeps_anybody_out(browser: Any, studio: Studio, pictures: dict[str, Path], scheme: str):
    page, found = opened_page(browser, studio, 1280, scheme), dict[str, list[str]]()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme  # that of the scrollbars
    for step in STEPS:
        step(page, pictures)
        found[step.__name__] = [*serious(page), *page.evaluate(BARS)]
        if step in OVER:
            page.keyboard.press("Escape")
            page.wait_for_function("!document.querySelector('dialog[open]')")
    assert found == {step.__name__: [] for step in STEPS}
    page.context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, studio: Studio, pictures: dict[str, Path]):
    page, found = opened_page(browser, studio, 400, "light"), dict[str, int]()
    for step in STEPS:
        step(page, pictures)
        found[step.__name__] = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if step in OVER:
            page.keyboard.press("Escape")
            page.wait_for_function("!document.querySelector('dialog[open]')")
    assert found == {step.__name__: 0 for step in STEPS}
    page.context.close()
