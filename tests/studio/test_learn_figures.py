"""The lesson: every picture of the page is computed, each from the parts of J that its name says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from impasto.studio.components import learn_figures as module
from impasto.studio.components.learn_figures import FIGURES, LAYERS, LearnProgress, compute_figures
from impasto.studio.jobs import Job

pytestmark = pytest.mark.slow

PAGE = Path(module.__file__).parent / "learn_figures.html"


def test_the_page_has_a_place_for_each_picture_and_no_other():
    assert re.findall(r'data-figure="([^"]+)"', PAGE.read_text(encoding="utf-8")) == list(FIGURES)


def test_each_picture_is_of_the_parts_of_j_that_it_says():
    for name, settings in FIGURES.items():
        whole = settings.for_kind("image")
        kind, _, layer = name.partition(" ")
        assert whole.init == "random"
        assert (whole.alpha == 0, whole.beta == 0) == {
            "sees": (False, True), "content": (False, True), "style": (True, False), "both": (False, False)
        }[kind]  # fmt: skip
        assert list(whole.content_weights) == ([layer] if kind == "sees" else ["relu4_2"])
        assert list(whole.style_lambdas) == ([layer] if kind == "style" and layer else list(LAYERS))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lesson, hardly begun."""
    few = {name: replace(settings, size=32, iterations=2) for name, settings in FIGURES.items()}
    monkeypatch.setattr(module, "FIGURES", few)
    monkeypatch.setattr(module, "_WHOLE", 2 * len(few))
    monkeypatch.setattr(module, "_SECONDS_BETWEEN", 0)


def test_all_pictures_are_painted_in_their_order(short: None, pictures: dict[str, Path]):
    job = Job(compute_figures(pictures["content"], pictures["style"]))
    told: list[LearnProgress] = []
    show = job.show
    job.show = lambda what: (told.append(what), show(what))[1]  # pyright: ignore[reportAttributeAccessIssue]
    job.run()
    assert job.state == "done", job.error
    assert list(told[-1].figures) == list(FIGURES)
    assert len(set(told[-1].figures.values())) == len(FIGURES)
    assert [one.share for one in told] == sorted(one.share for one in told)
    assert told[-1].share == 1
    assert list(dict.fromkeys(one.working for one in told)) == [*FIGURES, ""]
    assert len(told[0].figures) == 1


def test_it_stops_with_what_there_is(short: None, pictures: dict[str, Path]):
    job = Job(compute_figures(pictures["content"], pictures["style"]))
    show = job.show
    job.show = lambda what: (show(what), job.stop() if len(what.figures) == 3 else None)[0]  # pyright: ignore
    job.run()
    assert job.state == "stopped"
    assert list(job.shown.figures) == list(FIGURES)[:3]
