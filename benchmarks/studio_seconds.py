"""How long people wait for the studio: until its first line, until its page can be used, until the first picture; and
whether its estimates hold.

    python benchmarks/studio_seconds.py                           # three starts, each in a new folder, with Chromium
    python benchmarks/studio_seconds.py CONTENT STYLE [...]       # and the estimate of each pair against what it took

Prints JSON. The seconds say something on a quiet machine only, so the load before it is printed with them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from machine import machine
from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
PATIENCE = 3_600_000
SIZE = "256"


@contextmanager
def started(folder: Path) -> Iterator[tuple[str, float, float]]:
    """A studio: its address, and the seconds until its first line and until it said where it is."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "impasto", "studio", "--no-browser", "--folder", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        first = time.monotonic() - begun
        while "open: " not in line:
            line = server.stdout.readline()
            assert line, "the studio did not open"
        yield line.split("open: ")[1].split()[0], first, time.monotonic() - begun
    finally:
        server.terminate()
        server.wait()


def empty(browser: Any) -> Any:
    """A page that shows nothing yet, as the browser of people is open already."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def open_studio(page: Any, address: str) -> None:
    """Open the studio, until a picture can be chosen."""
    page.goto(address)
    page.locator("#content .ready button").first.wait_for()


def wait(browser: Any) -> dict[str, float]:
    """The seconds of one start."""
    page = empty(browser)
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "studio") as (address, first, answers):
        begun = time.monotonic()
        open_studio(page, address)
        usable = answers + time.monotonic() - begun
        choose(page, "content", lambda role: page.locator(f"#{role} .ready button").first.click())
        choose(page, "style", lambda role: page.locator(f"#{role} .ready button").first.click())
        page.locator("#more > button").click()
        page.locator("#set-size :is(input, textarea)").fill(SIZE)
        page.wait_for_function("/256.*about/.test(document.querySelector('#estimate').innerText)")
        begun = time.monotonic()
        page.locator("#paint").click()
        page.wait_for_function("document.querySelector('#result-view .caption').innerText.includes(' of ')")
        picture = time.monotonic() - begun
        page.context.close()  # or it would come back by itself, into the studio that is opened next
        return {"first line": first, "answers": answers, "usable": usable, f"first picture at {SIZE} px": picture}


def choose(page: Any, role: str, how: Callable[[str], None]) -> None:
    """Choose a content or a style, and wait until it is there."""
    how(role)
    page.locator(f"#{role} .signal-input[data-filled]").wait_for()


def estimate(browser: Any, content: Path, style: Path) -> dict[str, Any]:
    """What the page foretells of a painting with the default settings, and what that then takes from the click on."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder) / "studio") as (address, *_):
        page = empty(browser)
        open_studio(page, address)
        for role, path in (("content", content), ("style", style)):
            choose(page, role, lambda role, path=path: page.locator(f"#{role} .file").set_input_files(path))
        page.wait_for_function("/about .*(s|min)/.test(document.querySelector('#estimate').innerText)")
        page.wait_for_timeout(20_000)  # until it was measured with these files
        words = page.locator("#estimate").inner_text()
        begun = time.monotonic()
        page.locator("#paint").click()
        page.locator("#download").wait_for()
        took = time.monotonic() - begun
        page.context.close()
        foretold = in_seconds(words.split("about ")[1])
        return {"content": content.name, "words": words, "took": round(took, 1), "ratio": round(foretold / took, 2)}


def in_seconds(words: str) -> float:
    """A time as the page says it: "40 s", "3 min", "2 h 10 min"."""
    units = {"h": 3600, "min": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+) (h|min|s)\b", words.split(" · ")[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="CONTENT STYLE")
    parser.add_argument("--starts", type=int, default=3)
    arguments = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "load before": os.getloadavg()[0]}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        rounds = [wait(browser) for _ in range(arguments.starts)]
        found["seconds"] = {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]} if rounds else {}
        pairs = zip(arguments.files[::2], arguments.files[1::2], strict=True)
        found["estimates"] = [estimate(browser, *pair) for pair in pairs]
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
