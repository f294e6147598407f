"""A painting of the studio is explained: the page is saved by the browser, and stands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.studio.test_stage import painted

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def test_a_finished_painting_is_explained_by_a_page(page: Any, pictures: dict[str, Path], tmp_path: Path):
    assert not page.locator("#explain").is_visible()
    painted(page, pictures)
    with page.expect_download() as download:
        page.locator("#explain button").click()
    assert download.value.suggested_filename == "content-in-the-style-of-style-explained.html"
    path = tmp_path / "page.html"
    download.value.save_as(path)
    page.locator("#explain button:not([disabled])", has_text="Explain").wait_for()
    alone = page.context.new_page()
    alone.goto(path.as_uri())
    alone.locator("[data-ready]").wait_for()
    assert "content.png in the style of style.png" in alone.locator(".about").inner_text()
    alone.close()
