"""The page in a real browser, as people use it: with mouse and keyboard, on a phone, two at a time."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impasto.media.read_write import read_signal
from tests.studio.conftest import Recorder, Studio, open_page
from tests.studio.test_signals import sound

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

# what it asks for by itself: whether somebody is signed in, for messages, for a newer one, and what the fields of any form
# may mean
OF_CHROMIUM = re.compile(
    r"^(CONNECT |POST http://)((accounts|android\.clients|clients\d|www)\.google|redirector\.gvt1|edgedl\.me\.gvt1|"
    r"(content-autofill|update|optimizationguide-pa|safebrowsing)\.googleapis)\.com[:/]"
)


def give(page: Any, role: str, path: Path) -> None:
    page.locator(f"#{role} .file").set_input_files(path)


def both(page: Any, pictures: dict[str, Path], **fields: str) -> None:
    for role, path in pictures.items():
        give(page, role, path)
        page.locator(f"#{role} .signal-input[data-filled]").wait_for()
    open_more(page)
    for name, value in {"size": "64", **fields}.items():
        field(page, name).fill(value)


def open_more(page: Any) -> None:
    """Open the exact settings; gradio writes their values once more just after they have appeared, over what was typed."""
    page.locator("#more > button").click()
    page.locator("#set-size").wait_for()
    page.evaluate("""() => new Promise(settled => {
        let frames = 20;
        const next = () => --frames ? requestAnimationFrame(next) : settled();
        next();
    })""")


def field(page: Any, setting: str) -> Any:
    return page.locator(f"#set-{setting} :is(input, textarea)")


def picture_of(page: Any) -> str:
    return page.locator("#result-view .over").get_attribute("src") or ""


def wait_for_another(page: Any, before: str) -> str:
    changed = "before => { const now = document.querySelector('#result-view .over').src; return now && now !== before }"
    page.wait_for_function(changed, arg=before)
    return picture_of(page)


def evaluations(page: Any) -> int:
    found = re.match(r"\d+", page.locator("#result-view .caption").inner_text())
    return int(found[0]) if found else 0


def test_from_two_files_to_a_painting_and_back(page: Any, studio: Studio, pictures: dict[str, Path], tmp_path: Path):
    both(page, pictures, iterations="4000", beta="33")
    page.wait_for_function("document.querySelector('#estimate').innerText.includes('64 × 43 · about')")
    page.locator("#paint").click()
    first = wait_for_another(page, "")
    second = wait_for_another(page, first)
    third = wait_for_another(page, second)
    assert len({first, second, third}) == 3
    assert page.locator("#result-view svg polyline").count() >= 3
    assert "of 4000" in page.locator("#result-view .caption").inner_text()
    page.locator("#stop").click()
    page.locator("#continue").wait_for()
    kept = evaluations(page)
    assert 2 <= kept < 4000

    page.locator("#continue").click()
    page.locator("#stop").wait_for()
    page.wait_for_function(f"parseInt(document.querySelector('#result-view .caption').innerText) > {kept}")
    page.locator("#stop").click()
    page.locator("#download").wait_for()
    assert evaluations(page) > kept

    compare = page.locator("#result-view .compare")
    compare.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert (
        page.locator("#result-view .over").evaluate("image => getComputedStyle(image).clipPath") == "inset(0px 0px 0px 3%)"
    )

    with page.expect_download() as download:
        page.locator("#download").click()
    painting = tmp_path / "painting.png"
    download.value.save_as(painting)
    with Image.open(painting) as picture:
        assert picture.size == (64, 43)
        made = json.loads(picture.info["impasto"])
    assert made["content"] == "content.png" and made["style"] == "style.png"
    assert made["settings"]["size"] == 64 and made["settings"]["beta"] == 33
    assert made["settings"]["init"] == "content"

    page.reload()
    page.locator("#result-view[id] .result-view[data-painted]").wait_for()
    assert evaluations(page) > kept
    page.get_by_role("tab", name="History").click()
    run = page.locator("#history-list .open", has_text="content in the style of style")
    assert "size 64" in run.inner_text() and "beta 33" in run.inner_text()
    run.click()
    page.locator("#content .signal-input[data-filled]").wait_for()
    open_more(page)
    assert (field(page, "beta").input_value(), field(page, "size").input_value()) == ("33", "64")
    field(page, "beta").fill("")
    page.locator("#result-view .result-view[data-painted]").wait_for()
    give(page, "content", painting)
    page.get_by_role("button", name="Take up the settings").click()
    for name, value in (("beta", "33"), ("size", "64")):
        page.wait_for_function(f"document.querySelector('#set-{name} :is(input, textarea)').value === '{value}'")
    page.wait_for_function(
        "[...document.querySelectorAll('.plain-words label.selected')].map(l => l.innerText.trim()).at(-1) === 'Content'"
    )
    assert not page.trouble


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("empty.png", b"", "Empty.png is empty."),
        ("program.jpg", b"MZ\x90\0" * 30, "Program.jpg is not a picture that can be read"),
        ("large.png", bytes(2**20 + 9999), "large.png is too large; up to 1 MB are taken"),
    ],
)
def test_what_cannot_be_painted_is_told_in_one_sentence(page: Any, tmp_path: Path, name: str, data: bytes, told: str):
    path = tmp_path / name
    path.write_bytes(data)
    give(page, "content", path)
    page.wait_for_function("document.querySelector('#content .error').innerText")
    assert page.locator("#content .error").inner_text().startswith(told)
    page.locator("#paint").click()
    page.wait_for_function("document.querySelector('.notice p').innerText")
    assert page.locator(".notice p").inner_text().startswith("Choose a content and a style first")
    page.locator("#content .ready button").first.click()
    page.locator("#content .signal-input[data-filled]").wait_for()
    assert page.locator("#content .error").inner_text() == ""


def test_files_dropped_beside_the_tiles_are_dealt_to_them(page: Any, pictures: dict[str, Path]):
    drop = """files => {
        const data = new DataTransfer();
        for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
        const how = { dataTransfer: data, bubbles: true, cancelable: true };
        return document.querySelector("#result-view .canvas").dispatchEvent(new DragEvent("drop", how));
    }"""
    taken = page.evaluate(drop, [[path.name, list(path.read_bytes())] for path in pictures.values()])
    assert not taken  # else the browser would open the file in place of the page
    for role in pictures:
        page.locator(f"#{role} .note", has_text=f"{role}.png").wait_for()
    open_more(page)
    field(page, "size").fill("-7")
    page.locator("#paint").click()  # both came in at once, and neither is missing
    page.wait_for_function("document.querySelector('.notice p').innerText.startsWith('Size is -7')")


def test_a_page_that_lies_about_its_upload_is_refused(page: Any, studio: Studio, pictures: dict[str, Path]):
    secret = studio.folder / "secret.png"  # a picture, but not one that was uploaded
    Image.new("RGB", (64, 48)).save(secret)

    def lie(route: Any) -> None:
        data = route.request.post_data_json
        if "path" in (data.get("event_data") or {}):
            data["event_data"]["path"] = str(secret)
        route.continue_(post_data=json.dumps(data))

    page.route("**/queue/join*", lie)
    give(page, "content", pictures["content"])
    page.wait_for_timeout(1000)
    page.locator("[data-testid=toast-body], #content .error:not(:empty)").first.wait_for()
    assert page.locator("#content .signal-input[data-filled]").count() == 0


def test_a_setting_out_of_range_is_told(page: Any, pictures: dict[str, Path]):
    both(page, pictures, size="-7")
    page.locator("#paint").click()
    page.wait_for_function("document.querySelector('.notice p').innerText.startsWith('Size is -7')")


def test_with_the_keyboard_alone(page: Any):
    def walk_to(selector: str) -> None:
        for _ in range(60):
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached")

    for role in ("content", "style"):
        walk_to(f"#{role} .ready button")
        page.keyboard.press("Enter")
        page.locator(f"#{role} .signal-input[data-filled]").wait_for()
    walk_to(".plain-words input[value=Sketch]")
    page.keyboard.press("Space")
    page.locator(".plain-words label.selected", has_text="Sketch").wait_for()
    walk_to("#paint")
    page.keyboard.press("Enter")
    walk_to("#stop")
    page.keyboard.press("Enter")
    page.locator("#stop").wait_for(state="hidden")
    page.wait_for_function("document.activeElement.closest('#actions')")  # the focus is not lost with the button
    assert not page.trouble


def test_two_people_and_a_tab_that_is_closed(browser: Any, studio: Studio, pictures: dict[str, Path]):
    anna, ben = browser.new_context(), browser.new_context()
    first, second = open_page(anna, studio), open_page(ben, studio)
    both(first, pictures, iterations="4000")
    first.locator("#paint").click()
    wait_for_another(first, "")
    both(second, pictures, iterations="2")
    second.locator("#paint").click()
    second.wait_for_function("document.querySelector('#result-view .caption').innerText === '1 before yours'")
    first.close()
    again = open_page(anna, studio)
    again.locator("#stop").wait_for()
    wait_for_another(again, "")
    assert second.locator("#result-view .caption").inner_text() == "1 before yours"
    again.locator("#stop").click()
    second.locator("#download").wait_for()
    assert evaluations(second) == 2
    anna.close()
    ben.close()


def test_a_reload_keeps_tiles_and_controls(page: Any, pictures: dict[str, Path]):
    both(page, pictures, beta="33")
    page.get_by_label("Sketch").check(force=True)
    page.wait_for_function("document.querySelector('#estimate').innerText.includes('64 × 43')")
    page.wait_for_timeout(1500)
    page.reload()
    for role in pictures:
        page.locator(f"#{role} .note", has_text=f"{role}.png · 96 × 64").wait_for()
    page.wait_for_function("document.querySelector('#estimate').innerText.includes('64 × 43')")
    page.locator(".plain-words label.selected", has_text="Sketch").wait_for()
    open_more(page)
    assert [field(page, name).input_value() for name in ("size", "beta", "iterations")] == ["64", "33", "60"]
    assert not page.trouble


def test_a_unit_is_explored(page: Any, pictures: dict[str, Path], tmp_path: Path):
    give(page, "content", pictures["content"])
    page.locator("#content .signal-input[data-filled]").wait_for()
    page.get_by_role("tab", name="Explore").click()
    page.locator("#unit-patches .nine img").first.wait_for()
    page.locator("#photographs .note", has_text="2 pictures of the index").wait_for()
    page.locator("#unit-browser button[data-layer=relu2_1]").click()
    page.locator("#unit-patches h2", has_text="relu2_1 · unit 0").wait_for()
    assert (
        page.locator("#unit-browser .about")
        .inner_text()
        .startswith("relu2_1 has 128 units. At every place each sees a field")
    )
    page.locator("#unit-browser .find").fill("29")
    page.locator("#unit-browser .find").press("Enter")
    page.locator("#unit-patches h2", has_text="relu2_1 · unit 29").wait_for()
    page.locator("#unit-browser .range", has_text="25–48 of 128").wait_for()
    assert page.locator("#unit-browser .sheet .nine").count() == 24
    page.locator("#unit-browser .sheet button[data-unit='40']").click()
    page.locator("#unit-patches h2", has_text="unit 40").wait_for()
    assert page.locator("#unit-patches .nine img").count() == 2
    page.locator("#activation-maps img[alt^=content]").wait_for()
    assert page.locator("#activation-maps .scale").inner_text().startswith("0")
    # whoever clicks faster than the studio answers sees what was clicked last
    page.evaluate(
        "units => units.forEach(unit => document.querySelector(`#unit-browser .sheet [data-unit='${unit}']`).click())",
        [30, 31, 44],
    )
    page.locator("#unit-patches h2", has_text="unit 44").wait_for()
    page.locator("#activation-maps .says", has_text="unit 44").wait_for()

    page.locator("#unit-patches .nine button").first.click()
    page.locator(".unit-source[open] img[src]").wait_for()
    picture, field = (page.locator(f".unit-source {part}").bounding_box() for part in ("img", ".field"))
    assert picture["x"] - 1 <= field["x"] and field["x"] + field["width"] <= picture["x"] + picture["width"] + 1
    assert "activation" in page.locator(".unit-source .note").inner_text()
    page.keyboard.press("ArrowRight")
    page.locator(".unit-source .note", has_text="Patch 2 of 2").wait_for()
    page.keyboard.press("Escape")
    page.locator(".unit-source[open]").wait_for(state="detached")
    page.locator("#unit-browser .order").select_option("strong")
    page.locator("#unit-browser .range", has_text="1–24 of 128").wait_for()
    page.locator("#unit-browser .find").fill("chelsea")
    page.locator("#unit-browser .find").press("Enter")
    page.locator("#unit-browser .none", has_text="No unit of relu2_1 has a patch of").wait_for()
    page.locator("#unit-browser .find").fill("style")
    page.locator("#unit-browser .find").press("Enter")
    page.locator("#unit-browser .sheet button").first.wait_for()
    page.locator("#unit-browser .find").fill("")
    page.locator("#unit-browser .find").press("Enter")
    page.locator("#unit-browser .range", has_text="1–24 of 128").wait_for()
    page.locator("#unit-browser .order").select_option("number")
    page.locator("#unit-patches h2", has_text="relu2_1 · unit 0").wait_for()
    page.locator("#feature-visualisation .begin").click()
    page.locator("#feature-visualisation .stop").click()
    page.locator("#feature-visualisation .begin").wait_for()
    page.locator("#unit-browser button[data-layer=relu1_1]").click()
    page.locator("#unit-patches h2", has_text="relu1_1 · unit 0").wait_for()
    page.locator("#feature-visualisation .begin").click()
    page.locator("#feature-visualisation img[src]").wait_for()

    index = tmp_path / "index.json"
    index.write_text("{}")
    page.locator("#photographs .files").set_input_files(index)
    page.locator("#photographs .error", has_text="Index.json is not an index of patches").wait_for()
    folder = tmp_path / "photographs"
    (folder / "more").mkdir(parents=True)
    for path, place in zip(pictures.values(), (folder, folder / "more"), strict=True):
        shutil.copy(path, place)
    (folder / "notes.txt").write_text("not meant")
    (folder / "more" / ".thumbnail.png").write_text("nor this")
    page.locator("#photographs .of-folder").set_input_files(folder)
    page.locator("#photographs .note", has_text="2 photographs: too few").wait_for()
    assert page.locator("#photographs .error").inner_text() == ""
    page.locator("#unit-browser button[data-layer=relu4_2]").click()
    page.locator("#unit-patches h2", has_text="relu4_2").wait_for()
    page.reload()
    page.get_by_role("tab", name="Explore").click()
    page.locator("#photographs .note", has_text="2 photographs: too few").wait_for()
    page.locator("#unit-patches h2", has_text="relu4_2").wait_for()
    assert not page.trouble


def test_the_lecture_is_there_at_once_and_can_be_saved(page: Any, tmp_path: Path):
    page.get_by_role("tab", name="Learn").click()
    page.locator("#learn [data-picture='pictures.content'][src]").wait_for(timeout=20_000)
    page.locator("#learn .maps canvas").first.wait_for()
    assert page.locator("#learn section").count() == 8
    assert page.locator("#learn section[data-missing]").count() == 0
    page.locator("#learn .hint", has_text="Choose two pictures on the Paint tab").wait_for()
    with page.expect_download() as download:
        page.locator("#learn .save").click()
    assert download.value.suggested_filename == "lecture-cat-in-the-style-of-evening.html"
    path = tmp_path / "saved.html"
    download.value.save_as(path)
    other = page.context.browser.new_context().new_page()
    other.on("request", lambda r: None if r.url.startswith(("data:", path.as_uri())) else page.trouble.append(r.url))
    other.goto(path.as_uri())
    other.locator(".maps canvas").first.wait_for()
    assert other.locator("section[data-missing]").count() == 0
    other.context.close()
    page.locator("#learn [data-place=patch-layers] button[data-name=relu2_1]").click()
    page.locator("#learn .nine button[aria-label^='Unit 12 ']").click()
    page.locator("#unit-patches h2", has_text="relu2_1 · unit 12").wait_for()
    assert not page.trouble


def test_the_lecture_is_computed_with_ones_own_pictures_over_a_reload_and_stops(page: Any, pictures: dict[str, Path]):
    for role, path in pictures.items():
        give(page, role, path)
        page.locator(f"#{role} .signal-input[data-filled]").wait_for()
    page.get_by_role("tab", name="Learn").click()
    page.locator("#learn .begin", has_text="Compute it with your pictures").click()
    page.locator("#learn .live img[src]").wait_for()
    page.locator("#learn .about", has_text="“content.png” as content and “style.png” as style").wait_for()
    assert page.locator("#learn section[data-missing]").count() > 0
    assert page.locator("#learn .nine figure").count() == 9
    page.reload()
    page.locator("#content .signal-input[data-filled]").wait_for()
    page.get_by_role("tab", name="Learn").click()
    page.locator("#learn .live img[src]").wait_for()
    page.locator("#learn .stop").click()
    page.locator("#learn .begin", has_text="Go on computing").wait_for()
    assert not page.trouble


def test_a_sound_in_the_style_of_two_others(page: Any, tmp_path: Path):
    for name, hertz in (("song", 300), ("rain", 900), ("wind", 150)):
        sound(tmp_path / f"{name}.wav", hertz)
    give(page, "content", tmp_path / "song.wav")
    page.locator("#content .note", has_text="1 s at 8000 Hz, mono").wait_for()
    # pixels are not for sounds
    page.wait_for_function("[...document.querySelectorAll('.plain-words')].filter(row => row.offsetParent).length === 2")
    give(page, "style", tmp_path / "rain.wav")
    page.locator("#style .signal-input[data-filled]").wait_for()
    assert not page.locator("#style .share").is_visible()
    page.locator("#add-style").click()
    give(page, "style-2", tmp_path / "wind.wav")
    page.locator("#style-2 .signal-input[data-filled]").wait_for()
    page.locator("#style-2 .weight").focus()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    open_more(page)
    field(page, "iterations").fill("3")
    page.locator("#paint").click()
    page.locator("#result-view audio").first.wait_for()
    assert [label.inner_text() for label in page.locator("#result-view .players span").all()] == [
        "result",
        "content",
        "style",
    ]
    length = "async sound => { sound.preload = 'auto'; sound.load(); " + (
        "await new Promise(ready => sound.onloadedmetadata = ready); return sound.duration }"
    )
    assert page.locator("#result-view audio").first.evaluate(length) == pytest.approx(1, abs=0.05)
    with page.expect_download() as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "result.wav")
    assert '"style": "rain.wav:0.333333 wind.wav:0.666667"' in read_signal(tmp_path / "result.wav").header["tags"]["comment"]
    assert not page.trouble


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1600])
def test_on_a_phone_and_on_a_desk_by_day_and_by_night(browser: Any, studio: Studio, scheme: str, width: int):
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    page = open_page(context, studio)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", paper)[:3])) / 3
    assert brightness < 60 if scheme == "dark" else brightness > 200
    box = page.locator("#result-view .canvas").bounding_box()
    assert box["width"] > (0.6 * width if width > 1000 else 0.8 * width)
    context.close()


def test_nothing_was_asked_of_any_other_computer(studio: Studio, recorder: Recorder, page: Any):
    outside = [
        line for line in studio.record.read_text().splitlines() if not re.search(r"127\.0\.0\.1|localhost|'/|::1", line)
    ]
    assert outside == []
    assert [line for line in recorder.asked if not OF_CHROMIUM.search(line)] == []
    assert page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'kept back')") == "kept back"


def test_the_settings_of_a_course_are_taken_over_and_given_back(page: Any, pictures: dict[str, Path]):
    def choose(name: str, alpha: str) -> None:
        page.locator("#preset input").click()
        page.get_by_role("option", name=name, exact=True).click()
        page.wait_for_function(
            "alpha => document.querySelector('#set-alpha :is(input, textarea)').value === alpha", arg=alpha
        )

    both(page, pictures)
    choose("course", "10")
    known = {"beta": "40", "size": "400", "optimizer": "adam", "content_layers": "relu5_4", "preprocessing": "none"}
    assert {name: field(page, name).input_value() for name in known} == known
    for name, text in {"size": "64", "iterations": "2"}.items():
        field(page, name).fill(text)
    page.locator("#estimate", has_text="64 × 43").wait_for()
    page.locator("#paint").click()
    page.locator("#download").wait_for()
    assert "beta 40" in page.locator("#result-view .about").inner_text()
    choose("impasto's own", "")
    assert field(page, "size").input_value() == ""
    assert not page.trouble
