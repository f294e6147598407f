"""In front on the Paint tab: colours chosen by sketches of one's own picture, and masks that are painted on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from impasto.media.image.read import read_image, resample_image
from tests.studio.conftest import Studio, open_page
from tests.studio.test_page import both, field, give, open_more
from tests.studio.test_signals import sound

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

STATE = "#mask-painter .state"


def sketches(page: Any) -> list[str]:
    page.locator(".colour-choice:not([data-empty])").wait_for()
    return [image.get_attribute("src") for image in page.locator(".colour-choice img").all()]


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).wait_for()


def brush(page: Any, *points: tuple[float, float]) -> None:
    """A stroke over places of the content, in shares of its width and height."""
    box = page.locator("#mask-painter .picture").bounding_box()
    (x, y), *others = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(x, y)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def open_painter(page: Any) -> None:
    page.locator("#mask-painter .open").click()
    page.locator("#mask-painter dialog[open]").wait_for()


def done(page: Any) -> None:
    page.locator("#mask-painter .done").click()
    page.locator("#mask-painter dialog").wait_for(state="hidden")


def shown(page: Any) -> float:
    """The share of the small picture of the content that has something painted over it."""
    return page.locator("#mask-painter .thumb canvas").evaluate("""canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let painted = 0;
        for (let i = 3; i < data.length; i += 4) painted += data[i] > 40;
        return painted / canvas.width / canvas.height;
    }""")


def test_colours_are_chosen_by_sketches_of_ones_own_picture(page: Any, pictures: dict[str, Path], tmp_path: Path):
    assert page.locator(".colour-choice[data-empty]").count() == 1  # but can be chosen already
    both(page, pictures)
    first = sketches(page)
    assert len(set(first)) == 4 and all(src.startswith("data:image/jpeg") for src in first)
    group = page.get_by_role("group", name="Colours")
    assert [radio.get_attribute("value") for radio in group.get_by_role("radio").all()] == [
        "style",
        "content",
        "luminance",
        "match",
    ]
    group.get_by_role("radio", name="Style’s").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#set-colour input').value === 'content'")
    wait_for_text(page, ".colour-choice .says", "own colours are put back")
    page.wait_for_timeout(1500)

    page.reload()
    page.locator(".colour-choice input[value=content]:checked").wait_for(state="attached")
    assert sketches(page) == first
    Image.fromarray(data.retina()).resize((64, 64)).save(tmp_path / "retina.png")
    give(page, "style", tmp_path / "retina.png")
    page.wait_for_function("before => document.querySelector('.colour-choice img').src !== before", arg=first[0])
    assert not set(sketches(page)) & set(first)
    assert page.locator(".colour-choice input:checked").get_attribute("value") == "content"

    open_more(page)
    field(page, "colour").click()
    page.get_by_role("option", name="match").click()
    page.locator(".colour-choice input[value=match]:checked").wait_for(state="attached")

    sound(tmp_path / "song.wav", 300)
    give(page, "content", tmp_path / "song.wav")
    page.locator(".colour-choice").wait_for(state="hidden")
    page.locator("#mask-painter .open").wait_for(state="hidden")
    give(page, "content", pictures["content"])
    page.locator(".colour-choice").wait_for()
    assert len(set(sketches(page))) == 4
    assert not page.trouble


def test_what_is_brushed_over_stays_the_photograph(page: Any, studio: Studio, pictures: dict[str, Path], tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side, as telephones do
    turned = tmp_path / "turned.jpg"
    Image.fromarray(data.coffee()).resize((96, 64)).save(turned, exif=exif, quality=95)
    both(page, {**pictures, "content": turned}, iterations="3")
    open_painter(page)
    box = page.locator("#mask-painter .picture").bounding_box()
    assert box["height"] > box["width"]  # it is painted on as it is seen
    page.locator("#mask-painter .size input").fill("30")
    brush(page, (0, 0.1), (1, 0.1))
    brush(page, (0, 0.9), (1, 0.9))
    page.locator("#mask-painter .undo").click()
    page.locator("#mask-painter .labels + .says", has_text="not painted at all").wait_for()
    done(page)
    wait_for_text(page, STATE, "25% stays the photograph")
    share = shown(page)
    assert 0.2 < share < 0.3

    page.wait_for_timeout(1500)
    page.reload()
    wait_for_text(page, STATE, "25% stays the photograph")
    assert shown(page) == pytest.approx(share, abs=0.01)
    page.locator("#paint").click()
    page.locator("#download").wait_for()
    assert "parts kept" in page.locator("#result-view .about").inner_text()
    with page.expect_download() as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "painting.png")
    painting = read_image(tmp_path / "painting.png").values
    content = resample_image(read_image(turned), painting.shape[1:]).values  # pyright: ignore[reportArgumentType]
    assert painting.shape[1:] == (64, 43)
    off = np.abs(painting - content).mean((0, 2))
    assert off[:14].mean() < 0.004 and off[30:].mean() > 0.03
    with Image.open(tmp_path / "painting.png") as picture:
        assert json.loads(picture.info["impasto"])["settings"]["protect"] == "protect-mask.png"
    (run,) = {path.parent for path in (studio.folder / "runs").glob("*/protect-mask.png")}
    assert Image.open(run / "protect-mask.png").size == (683, 1024)

    open_painter(page)  # rubbed out and cleared, and in the run it is still there
    page.get_by_label("Eraser").check(force=True)
    page.locator("#mask-painter .size input").fill("20")
    brush(page, (0, 0.1), (1, 0.1))
    page.wait_for_timeout(200)
    assert shown(page) < share - 0.05
    page.locator("#mask-painter .clear").click()
    done(page)
    wait_for_text(page, STATE, "Everywhere")
    page.get_by_role("tab", name="History").click()
    card = page.locator("#history-list .open", has_text="turned").first
    assert "parts kept" in card.inner_text()
    card.click()
    wait_for_text(page, STATE, "25% stays the photograph")

    give(page, "content", pictures["content"])
    wait_for_text(page, "#mask-painter .told", "content.png has another shape, so what was protected had to go.")
    wait_for_text(page, STATE, "Everywhere")
    page.wait_for_timeout(1500)
    assert page.locator("#mask-painter .told").inner_text()  # it stays to be read
    assert not page.trouble


def test_a_mask_is_given_as_a_file_by_the_keyboard_and_what_is_none_is_told(
    page: Any, pictures: dict[str, Path], tmp_path: Path
):
    both(page, pictures, iterations="2")
    mask = Image.new("L", (96, 64))
    mask.paste(255, (0, 0, 48, 64))
    mask.save(tmp_path / "left.png")
    Image.new("L", (96, 64), 255).save(tmp_path / "all.png")
    page.on("filechooser", lambda chooser: None)  # from here on they are given to the test
    page.locator("#mask-painter .open").focus()
    page.keyboard.press("Enter")
    page.locator("#mask-painter dialog[open]").wait_for()

    def give_mask(what: str, path: Path) -> None:
        page.locator(f"#mask-painter [data-mask='{what}']").focus()
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(path)

    page.locator("#mask-painter .file").dispatch_event("cancel", {"bubbles": True})  # no file was chosen after all
    give_mask("protect", tmp_path / "all.png")
    wait_for_text(page, "#mask-painter dialog .error", "All.png protects the whole picture")
    give_mask("protect", tmp_path / "left.png")
    wait_for_text(page, "#mask-painter .files", "left.png")
    assert page.locator("#mask-painter dialog .error").inner_text() == ""
    page.keyboard.press("Escape")
    page.locator("#mask-painter dialog").wait_for(state="hidden")
    wait_for_text(page, STATE, "50% stays the photograph")
    assert page.evaluate("document.activeElement.matches('#mask-painter .open')")

    open_painter(page)
    give_mask("content", pictures["content"])
    wait_for_text(page, "#mask-painter dialog .error", "Content.png is no mask")
    give_mask("content", tmp_path / "left.png")
    wait_for_text(page, "#notice", "The mask of the content needs one of a style")
    give_mask("style", tmp_path / "left.png")
    page.wait_for_function("!document.querySelector('#notice p').innerText")
    page.get_by_role("button", name="Take left.png away").first.click()  # what stays
    page.keyboard.press("Escape")
    wait_for_text(page, STATE, "regions by a mask")
    page.locator("#paint").click()
    page.locator("#download").wait_for()
    assert "by regions" in page.locator("#result-view .about").inner_text()
    assert not page.trouble


def test_with_a_finger_each_style_gets_its_region(browser: Any, studio: Studio, pictures: dict[str, Path], tmp_path: Path):
    context = browser.new_context(viewport={"width": 400, "height": 860}, has_touch=True, is_mobile=True)
    page = open_page(context, studio)
    both(page, pictures, iterations="2")
    page.locator("#add-style").click()
    page.locator("#style-2 .ready button").first.wait_for()  # it has ready pictures as the first one has
    Image.fromarray(data.retina()).resize((64, 64)).save(tmp_path / "retina.png")
    give(page, "style-2", tmp_path / "retina.png")
    page.locator("#style-2 .signal-input[data-filled]").wait_for()
    wait_for_text(page, "#mask-painter .do", "give each style a part")
    open_painter(page)
    page.get_by_label("takes the style of retina").check(force=True)
    page.locator("#mask-painter .size input").fill("40")
    box = page.locator("#mask-painter .picture").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator("#mask-painter dialog").evaluate("one => one.scrollWidth - one.clientWidth") == 0
    done(page)
    wait_for_text(page, STATE, "19% in the style of retina")
    page.locator("#paint").click()
    page.locator("#download").wait_for()
    assert "by regions" in page.locator("#result-view .about").inner_text()
    (mask,) = (studio.folder / "runs").glob("*/painted-regions-mask.png")
    colours = np.unique(np.asarray(Image.open(mask)).reshape(-1, 3), axis=0)
    assert len(colours) == 2  # no soft edges
    assert not page.trouble
    context.close()
