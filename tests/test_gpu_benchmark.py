"""benchmarks/gpu.py, tried at tiny sizes on the CPU: it is run where there is a GPU, and shall not fail there by itself."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from impasto.errors import SettingsError

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("gpu")


@pytest.fixture
def report(gpu: ModuleType) -> Any:
    return gpu.Report("cpu", True, time.monotonic() + 600)


@pytest.mark.parametrize("name", ["image in tiles", "image, masks", "image, wrapped ResNet", "series", "movie, third frame"])
def test_two_devices_agree(gpu: ModuleType, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    case = gpu.cases(True, tmp_path)[name]
    monkeypatch.setattr(gpu, "cases", lambda *_: {name: case})
    gpu.check_cases(report)
    assert [row["ok"] for row in report.rows] == [True, True, None]
    assert {row["value"] for row in report.rows} == {0.0, "yes"}


def test_what_differs_fails(gpu: ModuleType, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = gpu.cases(True, tmp_path)["series"]
    monkeypatch.setattr(gpu, "cases", lambda *_: {"series": case})
    monkeypatch.setattr(gpu, "relative", lambda found, expected: 2e-4)
    gpu.check_cases(report)
    assert len(report.failed) == 2


def test_speed_descent_and_memory(gpu: ModuleType, report: Any) -> None:
    gpu.measure(report, [32], ["speed", "descent", "memory"])
    assert not report.failed
    whats = [row["what"] for row in report.rows]
    assert "32 px, replicate, impasto, float32" in whats
    assert "32 px, zeros, NCHW, float32" in whats
    assert "32 px, lbfgs: an evaluation with its step" in whats
    assert any("planned" in what for what in whats)


def test_paintings_in_each_precision(gpu: ModuleType, report: Any) -> None:
    gpu.measure(report, [64], ["precision"])
    assert not report.failed
    costs = [row["value"] for row in report.rows if row["unit"] == "J"]
    assert len(costs) == 2 and len(set(costs)) == 1, "a CPU computes in float32, whatever is asked for"


def test_one_failure_is_told_and_the_rest_goes_on(gpu: ModuleType, report: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with report.guarded("speed", "a product"):
        raise SettingsError("no such thing")
    report.add("speed", "another", 1.0, "ms")
    assert [row["ok"] for row in report.rows] == [False, None]
    assert "no such thing" in capsys.readouterr().out


def test_exit_code_and_json(gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "gpu.json"
    monkeypatch.setattr("sys.argv", ["gpu.py", "--device", "cpu", "--quick", "--only", "speed", "--out", str(out)])
    monkeypatch.setattr(gpu, "measure_speed", lambda report, sizes: report.add("speed", "x", 1.0, "ms", ok=False))
    assert gpu.main() == 1
    assert json.loads(out.read_text())["rows"][0]["ok"] is False
