"""The way through the house: what imports what, how long a module is, what is public."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import impasto

ROOT = Path(impasto.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# a room imports only from rooms of a lower floor, or from itself
FLOORS = {
    "errors": 0,
    "flow_painting": 0,
    "bar": 0,
    "validation": 1,
    "files": 1,
    "packages": 2,
    "cluster": 2,
    "networks": 3,
    "objective": 4,
    "descent": 5,
    "media": 6,
    "transfer": 7,
    "explore": 7,
    "lecture": 8,
    "exercises": 8,
    "explanation": 9,
    "studio": 10,
    "cli": 11,
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def floor_of(module: str) -> int:
    return FLOORS[room_of(module)]


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from statements(node)


def imports(path: Path) -> set[str]:
    """The modules of the package that a module imports, wherever in it."""
    found: set[str] = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            found.update(
                [f"impasto.{alias.name}" for alias in node.names] if node.module == "impasto" else [node.module or ""]
            )
    return {module for module in found if module == "impasto" or module.startswith("impasto.")}


def test_the_reader_of_imports_sees_them_all(tmp_path: Path):
    path = tmp_path / "module.py"
    path.write_text(
        "import impasto.objective.costs\nfrom impasto import transfer\nimport torch\n"
        "if TYPE_CHECKING:\n    from impasto.cli import main\n"
        "def f():\n    if True:\n        from impasto.networks.layers import VGG19\n"
    )
    assert imports(path) == {"impasto.objective.costs", "impasto.transfer", "impasto.networks.layers"}


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent != ROOT or path.stem in FLOORS], ids=name_of)
def test_imports_point_down(path: Path):
    name = name_of(path)
    for module in imports(path):
        assert room_of(module) == room_of(name) or floor_of(module) < floor_of(name), f"{name} imports {module}"


def test_imports_have_no_circle():
    TopologicalSorter({name_of(path): imports(path) - {name_of(path)} for path in MODULES}).prepare()


def test_every_room_has_a_floor():
    rooms = {room_of(name_of(path)) for path in MODULES} - {"", "__main__"}
    assert rooms <= set(FLOORS), "give the new room its floor in FLOORS, and draw it in the design"


def test_the_floors_are_drawn_as_they_are():
    page = (ROOT.parent.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]*) \|", page, re.MULTILINE)
    assert {room: int(floor) for floor, rooms in rows for room in re.findall(r"`(\w+)`", rooms)} == FLOORS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short_and_say_what_they_are_for(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 300
    assert ast.get_docstring(ast.parse(text))
    assert path.stem != "utils"


def test_the_public_names_are_documented():
    assert len(set(impasto.__all__)) == len(impasto.__all__)
    for name in impasto.__all__:
        exported = getattr(impasto, name)
        assert inspect.getdoc(exported), name
        assert exported.__module__.startswith("impasto."), name
        for member, value in vars(exported).items() if inspect.isclass(exported) else ():
            if inspect.isfunction(value) and not member.startswith("_"):
                assert inspect.getdoc(getattr(exported, member)), f"{name}.{member}"


def test_every_error_is_an_impasto_error_and_drawn_in_the_tree():
    errors = importlib.import_module("impasto.errors")
    for name, error in vars(errors).items():
        if inspect.isclass(error) and issubclass(error, BaseException):
            assert issubclass(error, errors.ImpastoError | KeyboardInterrupt)
            assert name in (errors.__doc__ or "")
            assert name in impasto.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'impasto' has no attribute 'transfer_stile'"):
        impasto.transfer_stile  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("statement", ["import impasto", "import impasto.cli", "from impasto import TransferSettings"])
def test_importing_is_light(statement: str):
    heavy = "{'torch', 'matplotlib', 'scipy', 'skimage', 'rich', 'numpy', 'PIL'}"
    code = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_version_is_that_of_the_installation():
    assert impasto.__version__ == importlib.metadata.version("impasto")


def test_no_test_is_passed_over_for_want_of_a_package():
    """The extra `test` brings all that the tests need."""
    word = "import" + "orskip"
    assert [path.name for path in Path(__file__).parent.rglob("*.py") if word in path.read_text(encoding="utf-8")] == []


def test_the_package_is_typed():
    assert (ROOT / "py.typed").is_file()
