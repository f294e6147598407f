"""The files of the report: one for each processor, in ``benchmarks/results``.

A file has what the machine is, and *pieces*: each was measured at once, on a date and a commit, so that a report can be
interrupted, go on, and have some of its pieces made anew.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from impasto.files import write_whole

HERE = Path(__file__).parent
RESULTS = HERE / "results"
Result = dict[str, Any]


def name_of(processor: str) -> str:
    """The name of a processor's file: "AMD EPYC with AVX512" is "amd-epyc-avx512.json"."""
    words = re.sub(r"\((R|TM|C)\)|\bwith\b|@.*Hz|\bCPU\b", " ", processor, flags=re.IGNORECASE)
    return "-".join(re.findall(r"[a-z0-9]+", words.lower())) + ".json"


def read_result(processor: str, folder: Path = RESULTS) -> Result:
    """What was measured on a processor before; nothing at first."""
    path = folder / name_of(processor)
    return json.loads(path.read_text()) if path.exists() else {"processor": processor, "pieces": {}, "left_out": {}}


def read_all(folder: Path = RESULTS) -> list[Result]:
    """The results of all processors, in the order of their files' names."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def write_result(result: Result, folder: Path = RESULTS) -> None:
    """Write the file of a processor, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / name_of(result["processor"]), (json.dumps(result, indent=2) + "\n").encode())


def commit() -> str:
    """The commit that is measured, with a plus sign if the program differs from it; a question mark outside of git."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(HERE), *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--", ":/src") else "")
    except (OSError, subprocess.CalledProcessError):
        return "?"
