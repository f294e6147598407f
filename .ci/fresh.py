#!/usr/bin/env python3
"""The suite in an environment of its own, with the highest or the lowest versions that pyproject.toml allows.

    python .ci/fresh.py {highest,lowest,pinned} [what pytest takes]

``pinned`` are those of constraints.txt. It needs nothing but a Python with pip, on any system: uv, which knows how to find
the lowest versions, is installed beside the environment, in .everywhere/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".everywhere"
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
VERSIONS = {
    "highest": ["--resolution", "highest"],
    "lowest": ["--resolution", "lowest-direct"],
    "pinned": ["--constraint", ROOT / "constraints.txt"],
}


def python_of(environment: Path) -> str:
    """The Python of a virtual environment."""
    return str(environment / PROGRAMS / "python")


def uv() -> str:
    """The program uv: the one that is there, or one installed for this."""
    if found := shutil.which("uv"):
        return found
    place = KEPT / "uv"
    if not place.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([python_of(place), "-m", "pip", "install", "--quiet", "uv"], check=True)
    return str(place / PROGRAMS / "uv")


def environment(name: str, *what: str | Path) -> str:
    """The Python of a new environment of that name in which that is installed: what ``uv pip install`` takes."""
    place = KEPT / name
    settings = {"UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", ""), "UV_SYSTEM_CERTS": "true", **os.environ}
    program = uv()
    subprocess.run([program, "venv", "--quiet", "--clear", "--python", sys.executable, place], check=True, env=settings)
    command = [program, "pip", "install", "--quiet", "--python", python_of(place), *what]
    subprocess.run(command, check=True, env=settings, cwd=ROOT)
    return python_of(place)


def main() -> int:
    """Make the environment, and run the tests in it."""
    if len(sys.argv) < 2 or sys.argv[1] not in VERSIONS:
        sys.exit(__doc__)
    versions, *options = sys.argv[1:]
    KEPT.mkdir(exist_ok=True)
    python = environment(versions, *VERSIONS[versions], "--editable", ".[test]")
    return subprocess.run([python, "-m", "pytest", "-n", "auto", "--dist", "worksteal", *options], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
