"""The class's notebooks: small files without outputs, each run to its end with the solutions, which all checks accept."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from impasto.exercises import EXERCISES, judge

CLASS = Path(__file__).resolve().parents[2] / "docs" / "class"
NOTEBOOKS = sorted(CLASS.glob("*.ipynb"))
EXERCISE = re.compile(r"^@exercises\.check\ndef (\w+)\(", re.MULTILINE)
MOST_SECONDS = 120


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def solutions() -> dict[str, str]:
    """The code of each solution, by the name of the function."""
    page = (CLASS / "solutions.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return {re.findall(r"def (\w+)", block)[0]: block for block in blocks}


def test_there_are_six_with_every_exercise_once():
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")
    asked = [
        name for path in NOTEBOOKS for cell in read(path)["cells"] for name in EXERCISE.findall("".join(cell["source"]))
    ]
    assert sorted(asked) == sorted(EXERCISES)
    assert sorted(solutions()) == sorted(EXERCISES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path: Path):
    for cell in read(path)["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        assert cell["metadata"] == {}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solutions_are_right(name: str):
    names: dict[str, Any] = {"torch": torch}
    for code in solutions().values():
        exec(code, names)
    assert judge(names[name]).usable


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_with_the_solutions(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import nbformat
    from nbclient import NotebookClient

    notebook, written = nbformat.read(path, 4), 0
    for cell in notebook.cells:
        for name in EXERCISE.findall(cell.source):
            cell.source, written = "@exercises.check\n" + solutions()[name], written + 1
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    began, spent = time.monotonic(), os.times()
    NotebookClient(
        notebook, timeout=10 * MOST_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    seconds = time.monotonic() - began
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    told = "".join(output.text for output in outputs if output.output_type == "stream")
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []
    assert told.count("✓") == written and "✗" not in told and "○" not in told
    assert any("image/png" in output.get("data", {}) for output in outputs)
    # what it computes, and not how long it waited for others; where that is not known, how long it took
    after = os.times()
    computed = after.children_user - spent.children_user + after.children_system - spent.children_system
    assert (computed or seconds) < MOST_SECONDS / 2
