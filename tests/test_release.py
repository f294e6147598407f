"""The release: versions agree, what is generated is fresh, and what only a forge or a container runs names what exists."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import impasto
from impasto.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
FORGE = "https://forge.example/impasto/impasto"


def script(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "release" / f"{name}.py"))


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


# one version


def test_the_version_stands_once_wherever_it_stands():
    assert impasto.__version__ == VERSION
    assert read("CITATION.cff")["version"] == VERSION
    assert read("release/recipe.yaml")["context"]["version"] == VERSION


def test_the_recipe_is_what_the_project_says():
    recipe = script("conda_recipe")
    written = recipe["RECIPE"].read_text(encoding="utf-8")
    fresh = recipe["recipe"](recipe["sha256_of"](written))
    assert written == fresh, "release/recipe.yaml is stale; renew it: python release/conda_recipe.py"
    needed = [line.split()[0] for line in read("release/recipe.yaml")["requirements"]["run"]]
    assert len(needed) == len(PROJECT["project"]["dependencies"]) + 1 and "pytorch" in needed


def test_the_citation_has_what_its_format_asks_for():
    citation = read("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license", "abstract"} <= citation.keys()
    assert citation["license"] == PROJECT["project"]["license"]
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that a new version changes, with a forge."""
    (tmp_path / "release").mkdir()
    for name in ("prepare.py", "conda_recipe.py", "recipe.yaml", "notes.py"):
        shutil.copy(ROOT / "release" / name, tmp_path / "release")
    for name in ("pyproject.toml", "CITATION.cff", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    project = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        re.sub('^forge = ".*"', f'forge = "{FORGE}"', project, flags=re.M), encoding="utf-8"
    )
    return tmp_path


def call(folder: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, f"release/{name}.py", *words], cwd=folder, capture_output=True, text=True)


def test_a_new_version_is_one_command(copy: Path):
    done = call(copy, "prepare", "9.8.7")
    assert done.returncode == 0, done.stderr
    assert "git tag v9.8.7" in done.stdout
    for name in ("pyproject.toml", "CITATION.cff", "release/recipe.yaml"):
        assert '"9.8.7"' in (text := (copy / name).read_text(encoding="utf-8")) or "version: 9.8.7\n" in text, name
    changelog = (copy / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## Unreleased\n\n## 9\.8\.7 \(\d{4}-\d\d-\d\d\)\n\n- ", changelog, re.MULTILINE)
    told = call(copy, "notes", "v9.8.7").stdout
    assert told.startswith("- ") and told.strip() in changelog and "##" not in told
    assert "v9.8.7 was expected" in call(copy, "notes", "v9.8.6").stderr
    again = call(copy, "prepare", "9.9.0")
    assert again.returncode == 0 and "## 9.8.7" in (copy / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_version_without_a_forge_is_refused(copy: Path):
    shutil.copy(ROOT / "pyproject.toml", copy)
    before = (copy / "CHANGELOG.md").read_bytes()
    if not PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["forge"]:
        assert "forge" in call(copy, "prepare", "9.8.7").stderr
    assert "is no version" in call(copy, "prepare", "next").stderr
    assert (copy / "CHANGELOG.md").read_bytes() == before


# the page of an index of packages


def test_links_of_the_readme_lead_somewhere_from_elsewhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = script("metadata")["with_absolute_links"](readme, FORGE, "1.2.3")
    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]*)\)", changed)
    assert len(links) == len(re.findall(r"\]\(", readme)) > 20
    for picture, link in links:
        address, path = link.split("/v1.2.3/")
        assert address == f"{FORGE}/{'raw' if picture else 'blob'}"
        assert (ROOT / path.partition("#")[0]).exists()


@pytest.mark.parametrize("forge", ["", FORGE])
def test_the_package_is_told_where_the_project_lives(forge: str):
    metadata: dict[str, Any] = {"version": VERSION}
    script("metadata")["ReleaseMetadata"](str(ROOT), {"forge": forge}).update(metadata)
    assert metadata["readme"]["content-type"] == "text/markdown"
    assert (FORGE in metadata["readme"]["text"]) == bool(forge)
    assert set(metadata.get("urls", {})) == ({"Source", "Documentation", "Changelog", "Issues"} if forge else set())


# what only others run


def test_workflows_call_the_scripts_of_the_project():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    jobs = [job for path in (ROOT / ".github" / "workflows").glob("*.yml") for job in read(str(path))["jobs"].values()]
    commands = [step["run"] for job in jobs for step in job.get("steps", []) if "run" in step]
    for command in commands:
        program, argument = command.split()[:2]
        known = re.search(rf"^{argument}:", makefile, re.MULTILINE) if program == "make" else (ROOT / argument).is_file()
        assert program in ("bash", "make", "python") and known, command
    for wanted in ("bash .ci/run", "python .ci/fresh.py", "make site", "make package"):
        assert any(command.startswith(wanted) for command in commands), wanted
    assert all((ROOT / job["uses"]).is_file() for job in jobs if "uses" in job)


def test_other_systems_try_versions_that_there_are():
    matrix = read(".github/workflows/test.yml")["jobs"]["elsewhere"]["strategy"]["matrix"]
    versions = runpy.run_path(str(ROOT / ".ci" / "fresh.py"))["VERSIONS"]
    assert {*matrix["versions"], *(row["versions"] for row in matrix["include"])} == {"highest", "lowest"} <= versions.keys()


def test_the_container_is_made_of_what_exists():
    dockerfile = re.sub(r"\\\n", " ", (ROOT / "release" / "Dockerfile").read_text(encoding="utf-8"))
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE) for name in line.split()]
    for name in copied:
        assert (ROOT / name).exists() and f"!{name}" in allowed, name
    for extra in re.findall(r"/impasto\[([\w,]+)\]", dockerfile)[0].split(","):
        assert extra in PROJECT["project"]["optional-dependencies"], extra
    program, command, *words = yaml.safe_load(re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)[0])
    assert program == "impasto"
    cli.commands[command].make_context(command, words, parent=click.Context(cli, **cli.context_settings))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_tab_key_is_told_as_it_works(shell: str):
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    (variable,) = re.findall(rf"(_\w+)={shell}_source impasto\b", page)
    words, place = "impasto tr", "1"
    environment = {
        **os.environ,
        variable: f"{shell}_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": "tr" if shell == "fish" else place,
    }
    command = [sys.executable, "-c", "from impasto.cli import main; main()"]
    completed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "transfer" in completed.stdout
