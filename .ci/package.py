#!/usr/bin/env python3
"""Build the package, and try it as somebody who installs it: what is in it, what an index would say, and whether it paints.

    python .ci/package.py [--dependencies here|fresh]

The wheel and the source distribution are left in dist/. The wheel is tried in an environment of its own, which borrows the
dependencies of this one (``here``), or has them installed anew (``fresh``: minutes, as a user would).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from fresh import PROGRAMS, ROOT, environment

DIST = ROOT / "dist"
PAINT = """
import numpy, impasto
assert "site-packages" in impasto.__file__, impasto.__file__
content, style = numpy.random.default_rng(0).random((2, 40, 48, 3), "float32")
painting = impasto.transfer_style(content, style, impasto.TransferSettings(size=48, iterations=2))
assert painting.image.size == (48, 40), painting.image.size
"""


def build() -> tuple[Path, Path]:
    """The wheel, and the source distribution of which it is built."""
    shutil.rmtree(DIST, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--outdir", DIST, ROOT], check=True, stdout=subprocess.DEVNULL)
    (wheel,), (source,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", wheel, source], check=True)
    return wheel, source


def check_contents(wheel: Path, source: Path) -> None:
    """Every file of the package is in the wheel, and every file of the repository in the source distribution."""
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    missing = {name.removeprefix("src/") for name in tracked if name.startswith("src/")} - packed
    with tarfile.open(source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    missing |= {name for name in tracked if not name.startswith(".") or name.startswith((".ci", ".github"))} - packed
    if missing:
        sys.exit(f"left out of the package: {', '.join(sorted(missing))}")


def python_with(wheel: Path, dependencies: str, folder: Path) -> Path:
    """A Python in which the wheel is installed."""
    if dependencies == "fresh":
        return Path(environment("package", wheel))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / PROGRAMS / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel]
    subprocess.run(install, check=True)
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    borrowed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return python


def try_out(python: Path, folder: Path) -> None:
    """The command answers, and a picture is painted, by the installed package alone."""
    for command in ([python.parent / "impasto", "--version"], [python, "-c", PAINT]):
        subprocess.run(command, cwd=folder, check=True)


def main() -> None:
    """Build, check and try."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dependencies", choices=("here", "fresh"), default="here")
    given = parser.parse_args()
    wheel, source = build()
    check_contents(wheel, source)
    with tempfile.TemporaryDirectory() as folder:
        try_out(python_with(wheel, given.dependencies, Path(folder) / "environment"), Path(folder))
    print(f"{wheel.name} and {source.name} are in {DIST.relative_to(ROOT)}/, and paint")


if __name__ == "__main__":
    main()
