#!/usr/bin/env python3
"""The suite on other machines, as far as one machine can be them, and what passed.

    python .ci/everywhere.py [NAME ...] [--quick] [--again] [--list]

Each variation is the suite with something of the environment changed: the instruction set, the threads, the convolution, no
browser, the lowest versions of all packages. Of each it is first seen that the change has an effect. What has passed for a
commit is not run again for it (``--again`` does), so that an interrupted run can be taken up; logs and results lie in
.everywhere/. ``--quick`` runs, of some, the tests that hang most on the arithmetic of the processor.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fresh import KEPT, ROOT, VERSIONS, environment

RESULTS = KEPT / "results.json"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SENSITIVE = (
    "tests/objective/test_costs.py",
    "tests/objective/test_objective.py",
    "tests/networks/test_convnet.py",
    "tests/networks/test_inflation.py",
    "tests/explore/test_patches.py",
)


class Variation(NamedTuple):
    """What is changed, and what a run must then say of itself: in the header of pytest, or of oneDNN's instruction set."""

    environment: Mapping[str, str]
    says: str = ""
    onednn: str = ""
    quick: bool = False


VARIATIONS = {
    "default": Variation({"ATEN_CPU_CAPABILITY": "default"}, says=r": DEFAULT,", quick=True),
    "avx2": Variation({"ATEN_CPU_CAPABILITY": "avx2"}, says=r": AVX2,"),
    "onednn-avx2": Variation({"ONEDNN_MAX_CPU_ISA": "AVX2"}, onednn="Intel AVX2$"),
    "onednn-sse41": Variation({"ONEDNN_MAX_CPU_ISA": "SSE41"}, onednn="Intel SSE4.1$", quick=True),
    "one-thread": Variation({"OMP_NUM_THREADS": "1"}, says="threads: 1,"),
    "two-threads": Variation({"OMP_NUM_THREADS": "2"}, says="threads: 2,"),
    "direct": Variation({"IMPASTO_CONVOLUTION": "direct"}, says="convolution: direct,", quick=True),
    "winograd": Variation({"IMPASTO_CONVOLUTION": "winograd"}, says="convolution: winograd,"),
    "no-browser": Variation({}, says="browser: none"),
    "lowest": Variation({}),
}


def lowest_python() -> str:
    """A Python with the lowest versions that pyproject.toml allows. torch alone is this one's: older ones are gigabytes."""
    version = "import torch; print(torch.__version__)"
    torch = subprocess.run([sys.executable, "-c", version], capture_output=True, text=True, check=True).stdout.strip()
    (KEPT / "torch.txt").write_text(f"torch=={torch}\n")
    return environment("lowest", *VERSIONS["lowest"], "--constraint", KEPT / "torch.txt", "--editable", ".[test]")


def path_without(programs: tuple[str, ...]) -> str:
    """One folder with all programs of PATH but these."""
    folder = KEPT / "path"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for place in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in place.iterdir() if place.is_dir() else ():
            if program.name not in programs and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return str(folder)


def onednn_isa(environment: Mapping[str, str]) -> str:
    """What oneDNN says that it makes use of."""
    code = "import torch; torch.nn.functional.conv2d(torch.rand(1, 64, 64, 64), torch.rand(64, 64, 3, 3))"
    told = {**environment, "ONEDNN_VERBOSE": "all"}
    said = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True).stdout
    return next((line for line in said.splitlines() if ",isa:" in line), "nothing")


def run(name: str, tests: tuple[str, ...]) -> tuple[bool, str]:
    """Whether the suite passed so varied, and its last line."""
    variation, python = VARIATIONS[name], sys.executable
    if name == "lowest":
        python = lowest_python()
    variables = {**os.environ, **variation.environment}
    if name == "no-browser":
        variables["PATH"] = path_without(BROWSERS)
        variables.pop("CI", None)  # with it a missing browser is a failure
    if variation.onednn and not re.search(variation.onednn, isa := onednn_isa(variables)):
        return False, f"oneDNN is not changed: {isa}"
    log = KEPT / f"{name}.log"
    with log.open("w") as file:
        command = [python, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-r", "s", "-p", "no:cacheprovider", *tests]
        code = subprocess.run(command, cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT).returncode
    said = log.read_text(errors="replace")
    if not re.search(variation.says, said.partition("\n\n")[0]):
        return False, f"pytest does not say {variation.says!r}: see {log}"
    return code == 0, said.splitlines()[-1].strip("= ") + ("" if code == 0 else f": see {log}")


def state() -> str:
    """The commit, and what is changed since."""
    commit, changes = (
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for words in (["rev-parse", "HEAD"], ["diff", "HEAD"])
    )
    return commit[:12] + (f"+{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else "")


def main() -> int:
    """Run what is asked for; 0 if all of it has passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(VARIATIONS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="some variations, some tests")
    parser.add_argument("--again", action="store_true", help="also what has passed for this commit")
    parser.add_argument("--list", action="store_true", help="run nothing, tell what has passed")
    given = parser.parse_args()
    if unknown := set(given.names) - VARIATIONS.keys():
        parser.error(f"{', '.join(sorted(unknown))}: one of {', '.join(VARIATIONS)} was expected")
    names = given.names or [name for name, variation in VARIATIONS.items() if variation.quick or not given.quick]
    KEPT.mkdir(exist_ok=True)
    results: dict[str, dict[str, str | bool]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    now, failed = state(), []
    for name in names:
        kind = f"{name} (quick)" if given.quick else name
        before = results.get(kind)
        if not given.list and (given.again or before is None or before["commit"] != now or not before["passed"]):
            began = time.monotonic()
            passed, line = run(name, SENSITIVE if given.quick else ())
            before = {"commit": now, "passed": passed, "line": line, "seconds": f"{time.monotonic() - began:.0f}"}
            results[kind] = before
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        current = before is not None and before["commit"] == now
        if before is None or not current:
            print(f"{kind}: not run for {now}", flush=True)
        else:
            print(f"{kind}: {'passed' if before['passed'] else 'FAILED'}, {before['line']}", flush=True)
        if before is None or not current or not before["passed"]:
            failed.append(name)
    print(f"{len(names) - len(failed)} of {len(names)} passed" + (f"; not {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
