"""The documentation site: it has every page and public name, no dead link, nothing is fetched, and its search works."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import impasto

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def test_every_page_is_in_the_table_of_contents_once():
    index, of_class = ((DOCS / name).read_text(encoding="utf-8") for name in ("index.md", "class.md"))
    trees = "".join(re.findall(r"^```{toctree}\n(.*?)^```$", index, re.MULTILINE | re.DOTALL))
    trees += "".join(re.findall(r"^```{toctree}\n(.*?)^```$", of_class, re.MULTILINE | re.DOTALL))
    listed = [(DOCS / line).resolve() for line in trees.splitlines() if line and not line.startswith(":")]
    pages = {
        *DOCS.glob("*.md"),
        *DOCS.glob("class/*.md"),
        *DOCS.glob("class/*.ipynb"),
        *ROOT.glob("*.md"),
        *(ROOT / "src").rglob("README.md"),
    }
    pages -= {DOCS / "index.md", ROOT / "README.md"}
    assert sorted(listed) == sorted(page.with_suffix("") for page in pages), "docs/index.md lists every page once"


def test_every_public_name_is_in_the_reference_once():
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\.\. auto(?:class|exception|function):: impasto\.(\w+)$", page, re.MULTILINE)) == sorted(
        impasto.__all__
    )


def test_every_public_function_says_what_it_raises():
    for name in impasto.__all__:
        if inspect.isfunction(function := getattr(impasto, name)):
            assert re.search(r"^Raises:$|raises nothing", inspect.getdoc(function) or "", re.MULTILINE), name


class Page(HTMLParser):
    """What a page has names for, links to and loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names: set[str] = {""}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.names.add(told.get("id", ""))
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag == "link" and told.get("rel") not in ("canonical", "index", "search", "next", "prev"):
            self.loaded.append(told["href"])
        elif "src" in told:
            self.loaded.append(told["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make site` builds it: a warning is an error. Notebooks, tested elsewhere, are not run."""
    folder = tmp_path_factory.mktemp("site")
    command = re.search(r"-m sphinx (.*) build/site$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert command is not None
    words = [sys.executable, "-m", "sphinx", *command[1].split(), "-D", "nb_execution_mode=off", str(folder)]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if path.name not in ("genindex.html", "py-modindex.html")}


@pytest.mark.slow
def test_no_link_leads_nowhere(site: Path, pages: dict[Path, Page]):
    dead: list[str] = []
    for path, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme in ("https", "mailto", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = target not in pages or unquote(parts.fragment) in pages[target].names
            if not (target.is_file() and target.is_relative_to(site) and known):
                dead.append(f"{path.relative_to(site)}: {link}")
    assert dead == []
    assert sum(len(page.links) for page in pages.values()) > 500


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site: Path, pages: dict[Path, Page]):
    for path, page in pages.items():
        assert [address for address in page.loaded if urlsplit(address).scheme not in ("", "data")] == [], path
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:|//)", style.read_text(encoding="utf-8")), style


@pytest.mark.slow
def test_every_public_name_is_told_with_its_source(site: Path, pages: dict[Path, Page]):
    reference = site / "docs" / "reference.html"
    for name in impasto.__all__:
        assert f"impasto.{name}" in pages[reference].names
        module = getattr(impasto, name).__module__.replace(".", "/")
        assert any(link.endswith(f"_modules/{module}.html#{name}") for link in pages[reference].links), name


@pytest.mark.slow
def test_every_setting_is_told_with_its_values(site: Path):
    reference = (site / "docs" / "reference.html").read_text(encoding="utf-8")
    for field in fields(impasto.TransferSettings):
        assert f'id="impasto.TransferSettings.{field.name}"' in reference, field.name
    for values in ("a number from 0.25 to 4", "a whole number from 1 to 12", "style, content, luminance or match"):
        assert values in reference, values


@pytest.mark.slow
def test_formulas_are_formulas(site: Path):
    assert (site / "docs" / "painting.html").read_text(encoding="utf-8").count("<math") >= 5


@pytest.fixture
def requests(browser: Any) -> Iterator[tuple[Any, list[str]]]:
    """A page of the browser, and the addresses that it asked for."""
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    yield page, asked
    page.close()


@pytest.mark.slow
def test_the_search_works_from_the_disk(site: Path, requests: tuple[Any, list[str]]):
    page, asked = requests
    page.goto((site / "docs" / "index.html").as_uri())
    page.locator("input[name=q]").first.fill("checkpoint")
    page.keyboard.press("Enter")
    page.locator("#search-results li a[href*='large-and-long']").first.wait_for()  # they come one by one
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []


@pytest.mark.slow
def test_the_address_of_the_site_leads_to_its_start(site: Path, requests: tuple[Any, list[str]]):
    page, _ = requests
    page.goto((site / "index.html").as_uri())
    page.wait_for_url("**/docs/index.html")
    assert "impasto" in page.title()
