"""A package of somebody else, as ``pip install`` leaves one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest


def install_package(site: Path, name: str, group: str, modules: Mapping[str, str], *entries: str) -> Path:
    """Write the modules of a package, by name, and its entry points of a group into a folder; gives the folder."""
    (site / name).mkdir(parents=True)
    for module, text in modules.items():
        (site / name / f"{module}.py").write_text(text)
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("\n".join([f"[{group}]", *entries, ""]))
    return site


def looked_for_anew(monkeypatch: pytest.MonkeyPatch, name: str, forget: Callable[[], None]) -> Iterator[pytest.MonkeyPatch]:
    """Within it, and after it, a registry is looked for again; the package of that name is forgotten at the end."""
    forget()
    yield monkeypatch
    monkeypatch.undo()
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]
    forget()
