"""The page of a lecture: one HTML file that needs no server and no network, or its pieces for a page of somebody else."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from impasto.files import write_whole
from impasto.lecture.lecture import Lecture

_SHOW = """
document.querySelector(".lecture").setAttribute("data-offline", "");
lecture(document.querySelector(".lecture")).show(/*PARTS*/null, /*ABOUT*/null);"""


@cache
def theme() -> str:
    """The colours and the font of a page that stands alone, by day, by night and printed, as CSS."""
    return _read("theme.css")


@cache
def body() -> str:
    """The text of the lecture with places for its figures: an ``article`` of the class "lecture"."""
    return _read("lecture.html")


@cache
def style() -> str:
    """Its CSS; colours come from the page it stands on: ``--ink``, ``--faint``, ``--line``, ``--mat``, ``--wash``,
    ``--accent``, ``--content``, ``--style``.
    """
    return drawing_style() + _read("lecture.css")


@cache
def drawing_style() -> str:
    """The CSS of what :func:`drawing` draws; colours as in :func:`style`."""
    return _read("chart.css")


@cache
def drawing() -> str:
    """JavaScript for any page: ``drawChart(place, {lines, x, y, ...})`` draws curves with axes, ``drawSlice`` one slice."""
    return charts() + _read("slices.js")


@cache
def script() -> str:
    """Its JavaScript: ``lecture(article, openUnit)`` gives an object whose ``show(parts, about)`` draws figures."""
    return drawing() + _read("lecture.js")


@cache
def charts() -> str:
    """The part of it that draws curves and writes numbers, of any page."""
    return _read("chart.js")


def about(lecture: Lecture) -> str:
    """What the figures were computed with, in a sentence."""
    return f"Computed with “{lecture.content}” as content and “{lecture.style}” as style."


@cache
def shell() -> str:
    """The whole page without figures: in place of ``/*PARTS*/null`` and ``/*ABOUT*/null`` JSON is to stand."""
    return whole_page("How a picture is painted", style(), body(), script() + _SHOW)


def whole_page(title: str, style: str, body: str, script: str) -> str:
    """A page that stands alone, in the colours of :func:`theme`, and makes no request."""
    page = _read("page.html")
    safe = title.replace("&", "&amp;").replace("<", "&lt;")
    # the script comes last, as names of files may look like places
    pieces = (("<!--TITLE-->", safe), ("/*THEME*/", theme()), ("/*STYLE*/", style), ("<!--BODY-->", body))
    for place, text in (*pieces, ("/*SCRIPT*/", script)):
        page = page.replace(place, text, 1)
    return page


def page_of(lecture: Lecture) -> str:
    """The whole page, with all figures inside; it makes no request."""
    page = shell().replace("/*PARTS*/null", in_script(lecture.parts))
    return page.replace("/*ABOUT*/null", in_script(about(lecture)))


def write_page(lecture: Lecture, path: str | Path) -> None:
    """Write the page as one file, whole or not at all.

    Raises:
        SignalError: it cannot be written.
    """
    write_whole(Path(path), page_of(lecture).encode())


def in_script(value: object) -> str:
    """JSON that can stand in a script: no name can end it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _read(name: str) -> str:
    return files("impasto.lecture").joinpath(name).read_text(encoding="utf-8")
