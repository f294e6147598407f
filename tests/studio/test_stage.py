"""The stage in a real browser: nothing that goes wrong takes the painting away, and several can be painted at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.studio.conftest import MS, open_page, opened
from tests.studio.test_page import both, evaluations, field, give, picture_of, wait_for_another

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def painted(page: Any, pictures: dict[str, Path], **fields: str) -> str:
    """A painting on the stage, finished."""
    both(page, pictures, **{"iterations": "3", **fields})
    page.locator("#paint").click()
    page.locator("#download").wait_for()
    return picture_of(page)


def history(page: Any) -> int:
    page.get_by_role("tab", name="History").click()
    page.wait_for_timeout(1500)
    count = page.locator("#history-list li").count()
    page.get_by_role("tab", name="Paint").click()
    return count


def same_painting(page: Any, before: str) -> None:
    assert picture_of(page) == before
    assert page.locator("#download").is_visible() and page.locator("#continue").is_visible()


def test_no_mistake_takes_the_painting_away(page: Any, pictures: dict[str, Path], tmp_path: Path):
    before = painted(page, pictures)
    runs = history(page)
    (tmp_path / "notes.png").write_bytes(b"MZ\x90\0" * 30)
    give(page, "content", tmp_path / "notes.png")
    page.locator("#content .error", has_text="Notes.png is not a picture").wait_for()
    assert page.locator("#content .note").inner_text().startswith("content.png")
    same_painting(page, before)

    field(page, "size").fill("-7")
    page.locator("#mistake-size", has_text="size is -7").wait_for()
    page.locator("#paint").click()
    page.locator("#notice", has_text="Size is -7").wait_for()
    assert page.locator("#estimate").inner_text() == ""
    same_painting(page, before)

    field(page, "size").fill("8")  # found only when it is begun
    page.locator("#mistake-size").wait_for(state="detached")
    page.locator("#paint").click()
    page.locator("#notice", has_text="too small for relu5_1").wait_for()
    same_painting(page, before)
    assert history(page) == runs

    page.locator("#content .remove").click()
    page.locator("#content .signal-input:not([data-filled])").wait_for()
    same_painting(page, before)
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "content-in-the-style-of-style.png"
    page.locator("#continue").click()
    page.wait_for_function("document.querySelector('#result-view .caption').innerText === '6 evaluations'")
    assert not page.trouble


def test_paint_while_one_is_painted_and_in_ones_own_order(page: Any, pictures: dict[str, Path]):
    both(page, pictures, iterations="4000")
    page.locator("#paint").click()
    wait_for_another(page, "")
    for beta in ("31", "32", "33"):
        field(page, "beta").fill(beta)
        field(page, "iterations").fill("2")
        page.wait_for_timeout(300)
        page.locator("#paint").click()
        page.locator("#result-view .about", has_text=f"beta {beta}").wait_for()
    rows = page.locator("#own-queue li")
    page.wait_for_function("document.querySelectorAll('#own-queue li').length >= 4")
    last = rows.last
    name = last.get_attribute("data-run")
    last.locator(".earlier").click()
    page.wait_for_function("name => [...document.querySelectorAll('#own-queue li')].at(-2).dataset.run === name", arg=name)
    rows.last.locator(".cancel").click()
    page.wait_for_function("document.querySelectorAll('#own-queue li').length >= 3")
    page.locator("#own-queue li[data-state=working] .open").click()
    page.locator("#result-view .caption", has_text="of 4000").wait_for()
    page.locator("#stop").click()
    page.wait_for_function("![...document.querySelectorAll('#own-queue li')].some(row => row.dataset.state !== 'ended')")
    assert not page.trouble


def test_four_side_by_side_and_two_of_the_history(browser: Any, tmp_path: Path, pictures: dict[str, Path]):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    with opened(tmp_path / "studio") as studio:
        page = open_page(context, studio)
        page.set_default_timeout(2 * MS)
        both(page, pictures, iterations="2")
        page.locator("#vary-strengths").click()
        cells = page.locator("#result-view .cell")
        page.wait_for_function("[...document.querySelectorAll('.cell a')].filter(a => !a.hidden).length === 4")
        assert [cell.inner_text() for cell in cells.locator("b").all()] == [
            f"strength {strength}" for strength in ("0.3", "0.45", "0.6", "0.75")
        ]
        assert not page.locator("#download").is_visible() and not page.locator("#continue").is_visible()
        with page.expect_download() as download:
            cells.nth(1).locator("a").click()
        assert download.value.suggested_filename == "content-in-the-style-of-style-strength0.45.png"
        page.reload()
        page.wait_for_function("document.querySelectorAll('.cell img[src]').length === 4")
        cells.nth(2).locator(".open").click()
        page.locator("#download").wait_for()
        assert "strength 0.6" in page.locator("#result-view .about").inner_text()
        with page.expect_download() as download:
            page.locator("#download").click()
        assert download.value.suggested_filename == "content-in-the-style-of-style-strength0.6.png"

        page.get_by_role("tab", name="History").click()
        for number in (0, 3):
            page.locator("#history-list li").nth(number).locator(".mark input").check()
        page.get_by_role("button", name="Side by side").click()
        page.wait_for_function("document.querySelectorAll('.cell img[src]').length === 2")
        assert [cell.inner_text() for cell in cells.locator("b").all()] == ["strength 0.75", "strength 0.3"]
        page.get_by_role("tab", name="History").click()
        with page.expect_download() as download:
            page.locator("#history-list li .tools a").first.click()
        assert re.fullmatch(r"content-in-the-style-of-style-strength0\.75\.png", download.value.suggested_filename)
        assert not page.trouble
    context.close()


def test_after_a_kill_the_last_picture_is_there_and_goes_on(browser: Any, tmp_path: Path, pictures: dict[str, Path]):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    folder = tmp_path / "studio"
    with opened(folder, "--port", "7991") as studio:
        page = open_page(context, studio)
        both(page, pictures, iterations="4000")
        page.locator("#paint").click()
        wait_for_another(page, wait_for_another(page, ""))
        studio.process.kill()
        studio.process.wait()
        page.wait_for_timeout(500)
        before, count = picture_of(page), evaluations(page)
        page.close()
    with opened(folder, "--port", "7991") as studio:
        page = open_page(context, studio)
        page.locator("#result-view .result-view[data-painted]").wait_for()
        assert evaluations(page) >= count  # the server may have kept one more than had reached the screen
        assert picture_of(page) == before or evaluations(page) > count
        assert "interrupted" in page.locator("#result-view .caption").inner_text()
        assert page.locator("#content .note").inner_text().startswith("content.png")
        page.locator("#continue").click()
        wait_for_another(page, before)
        page.locator("#stop").click()
        page.locator("#download").wait_for()
        page.close()
    context.close()
