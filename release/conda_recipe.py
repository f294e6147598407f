"""Write release/recipe.yaml, the recipe for conda-forge, from pyproject.toml.

    python release/conda_recipe.py [SDIST]

With the source distribution that was published, its checksum is written too. A test fails when the recipe is stale.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "release" / "recipe.yaml"
# where conda-forge has another name for a package, or a lighter one of the same
NAMES = {"matplotlib": "matplotlib-base", "torch": "pytorch"}
NOT_YET = "0" * 64  # the checksum of what is not published

TEMPLATE = """\
# Written by `python release/conda_recipe.py` from pyproject.toml; not to be edited by hand.
schema_version: 1

context:
  version: "{version}"
  python_min: "{python_min}"

package:
  name: impasto
  version: ${{{{ version }}}}

source:
  url: {forge}/releases/download/v${{{{ version }}}}/impasto-${{{{ version }}}}.tar.gz
  sha256: {sha256}

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . --no-deps --no-build-isolation -vv
  python:
    entry_points:
      - {entry_point}

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
    - {backend}
  run:
    - python >=${{{{ python_min }}}}
{run}

tests:
  - python:
      imports:
        - impasto
      pip_check: true
      python_version: ${{{{ python_min }}}}.*
  - script:
      - impasto --help

about:
  homepage: {forge}
  summary: {summary}
  license: MIT
  license_file: LICENSE

extra:
  recipe-maintainers:
    - impasto
"""


def conda_requirement(requirement: str) -> str:
    """A requirement of pip as conda writes it: of ``torch>=2.4,<3`` ``pytorch >=2.4,<3``, without a condition on Python."""
    name, versions = re.findall(r"^([\w-]+)([^;]*)", requirement)[0]
    return f"{NAMES.get(name, name)} {versions.strip()}".strip()


def recipe(sha256: str) -> str:
    """The whole file."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = told["project"]
    return TEMPLATE.format(
        version=project["version"],
        python_min=project["requires-python"].removeprefix(">="),
        forge=told["tool"]["hatch"]["metadata"]["hooks"]["custom"]["forge"] or "FORGE",
        sha256=sha256,
        entry_point=" = ".join(*project["scripts"].items()),
        backend=conda_requirement(told["build-system"]["requires"][0]),
        run="\n".join(f"    - {conda_requirement(requirement)}" for requirement in project["dependencies"]),
        summary=project["description"],
    )


def sha256_of(written: str) -> str:
    """The checksum that a recipe has."""
    return re.findall(r"^  sha256: (\w+)$", written, re.MULTILINE)[0]


if __name__ == "__main__":
    given = hashlib.sha256(Path(sys.argv[1]).read_bytes()).hexdigest() if len(sys.argv) > 1 else NOT_YET
    RECIPE.write_text(recipe(given), encoding="utf-8")
