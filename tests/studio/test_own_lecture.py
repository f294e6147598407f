"""A lecture with one's own pictures, series and volume, from the button to the end, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.studio.conftest import MS, Studio, opened
from tests.studio.test_page import give
from tests.studio.test_signals import series, volume

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio whose lectures are small and hardly begun."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHORT_LECTURE", "1")
        with opened(tmp_path_factory.mktemp("studio") / "folder") as studio:
            yield studio


def computed(page: Any, content: Path, style: Path, offered: str) -> None:
    """The lecture with these two, until nothing of it is left to be computed."""
    page.get_by_role("tab", name="Paint").click()
    for role, path in (("content", content), ("style", style)):
        give(page, role, path)
        page.locator(f"#{role} .note", has_text=path.name).wait_for()
    page.get_by_role("tab", name="Learn").click()
    page.locator("#learn .begin", has_text=offered).click()
    page.locator("#learn .stop").wait_for()
    page.locator("#learn .stop").wait_for(state="hidden", timeout=2 * MS)
    page.locator("#learn .begin").wait_for(state="hidden")
    assert page.locator("#learn .error").inner_text() == ""


def missing(page: Any) -> int:
    return page.locator("#learn section[data-missing]").count()


def again(page: Any) -> None:
    page.reload()
    page.locator("#content .signal-input[data-filled]").wait_for()
    page.get_by_role("tab", name="Learn").click()


def test_with_ones_own_pictures_to_its_end_over_a_reload_and_into_a_file(
    page: Any, pictures: dict[str, Path], tmp_path: Path
):
    computed(page, pictures["content"], pictures["style"], "Compute it with your pictures")
    about = page.locator("#learn .about", has_text="“content.png” as content and “style.png” as style")
    for step in (lambda: None, lambda: again(page)):
        step()
        about.wait_for()
        page.wait_for_function("!document.querySelector('#learn section[data-missing]')")
        assert page.locator("#learn [data-place=descent-chart] polyline").count() == 3
        assert page.locator("#learn .save").is_enabled()
    with page.expect_download() as download:
        page.locator("#learn .save").click()
    assert download.value.suggested_filename == "lecture-content-in-the-style-of-style.html"
    download.value.save_as(tmp_path / "saved.html")
    other = page.context.browser.new_context().new_page()
    other.goto((tmp_path / "saved.html").as_uri())
    other.locator(".about", has_text="“content.png” as content").wait_for()
    assert other.locator("section[data-missing]").count() == 0
    other.context.close()
    assert not page.trouble


def test_its_last_part_with_ones_own_series_and_volume(page: Any, pictures: dict[str, Path], tmp_path: Path):
    computed(page, series(tmp_path / "ekg.csv"), series(tmp_path / "other.csv", 5), "Compute part 8 with your series")
    words, chart = page.locator("#learn [data-place=series-words]"), page.locator("#learn [data-place=series-chart]")
    assert words.inner_text().startswith("C is your series")
    assert chart.locator("polyline").count() == 2
    ball = volume(tmp_path / "ball.nii.gz", (18, 17, 16))
    computed(page, ball, pictures["style"], "Compute part 8 with your volume")
    for step in (lambda: None, lambda: again(page)):
        step()
        page.locator("#learn [data-place=volume-words]", has_text="a volume of 18 × 17 × 16 points").wait_for()
        page.locator("#learn [data-slide=slice]").fill("3")
        page.locator("#learn canvas[data-volume=result][aria-label*='slice 4']").wait_for()
        assert words.inner_text().startswith("C is your series")  # which is kept beside it
        assert missing(page) == 0  # the rest is as it was
    assert not page.trouble
