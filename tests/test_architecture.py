"""Imports point downward only, and rooms stay small enough to live in."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "cytally"
FLOORS = [
    {"types", "errors", "wording", "progress", "precision", "__init__"},
    {"files", "segmentation", "detection", "nets", "statistics"},
    {"images", "labels", "figures"},
    {"training", "inference", "evaluation"},
    {"dosimetry", "cytology", "livecell", "flow"},
    {"store", "batch", "review"},
    {"cli"},
    {"__main__"},
]
FILES = sorted(SOURCE.rglob("*.py"))
#: Rooms whose functions may take more than six parameters.
STILL_MANY = {"dosimetry", "cli"}
#: Rooms among them where no function takes more than six any longer.
REACHED = {"estimation", "curves", "assays", "laboratory", "reporting"}


def room(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


def climbs(text: str, here: str) -> list[str]:
    """Imports of a file in room `here` that go up, or across to another room of the same floor."""
    wrong = []
    for node in ast.walk(ast.parse(text)):
        modules = []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""] if node.level == 0 else ["cytally.relative"]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            if not module.startswith("cytally."):
                continue
            there = module.split(".")[1]
            if there != here and (floor(there) > floor(here) or (floor(there) == floor(here) > 0)):
                wrong.append(module)
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_imports_point_downward(path):
    if path == SOURCE / "__init__.py":
        pytest.skip("the top level names the road lazily")
    assert climbs(path.read_text(), room(path)) == []


def test_the_check_itself_notices_a_climb():
    assert climbs("from cytally.cli.main import cli", "images") == ["cytally.cli.main"]
    assert climbs("from cytally.training.pool import Pool", "inference") == ["cytally.training.pool"]
    assert climbs("from cytally.images.read import read", "dosimetry") == []


@pytest.mark.parametrize("path", sorted((SOURCE / "files").glob("*.py")), ids=lambda p: p.name)
def test_files_know_nothing_of_what_they_hold(path):
    wanted = re.findall(r"^\s*(?:from|import) (cytally\.\w+)", path.read_text(), re.MULTILINE)
    assert set(wanted) <= {"cytally.errors", "cytally.types", "cytally.files"}


@pytest.mark.parametrize("path", sorted((SOURCE / "nets").glob("*.py")), ids=lambda p: p.name)
def test_networks_ask_no_machine(path):
    """What a network is depends on no GPU, no processor and no variable of the environment."""
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert names.isdisjoint({"cuda", "cpu", "backends", "mps", "environ", "getenv"})


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert text.count("\n") <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            lines = node.end_lineno - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
            assert lines <= 40, f"{node.name}: {lines} lines"


def test_a_public_name_below_the_doors_says_one_thing():
    doors = set().union(*FLOORS[4:])
    seen = Counter(
        node.name
        for path in FILES
        if room(path) not in doors
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, often in seen.items() if often > 1} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_functions_take_at_most_six_parameters(path):
    """Commands take their options; what several functions pass on together is one noun."""
    if room(path) in STILL_MANY and not (room(path) == "dosimetry" and REACHED & set(path.parts)):
        pytest.skip("not reached yet")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            assert len([name for name in names if name not in ("self", "cls")]) <= 6, node.name


def undocumented(tree: ast.Module) -> list[str]:
    """Public functions, classes and their methods without a docstring."""
    found: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += [f"{node.name}.{name}" for name in undocumented(ast.Module(node.body, []))]
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("_") and not ast.get_docstring(node):
            found.append(node.name)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_what_is_public_says_what_it_does(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert undocumented(tree) == []


def test_the_check_itself_notices_what_says_nothing():
    tree = ast.parse(
        "class A:\n  def b(self): ...\n  def _c(self): ...\nclass _D:\n  def e(self): ...\ndef f(): ...\ndef _g(): ..."
    )
    assert undocumented(tree) == ["A.b", "A", "f"]


def test_no_junk_rooms():
    names = {p.stem for p in SOURCE.rglob("*")}
    assert names.isdisjoint({"utils", "core", "helpers", "common", "base", "misc"})


ROOMS = sorted({path.parent for path in FILES})


def parts(room: Path) -> set[str]:
    """Files and rooms that lie directly in a room."""
    files = {path.stem for path in room.glob("*.py")} - {"__init__"}
    return files | {path.name for path in room.iterdir() if (path / "__init__.py").is_file()}


@pytest.mark.parametrize("path", ROOMS, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_a_room_holds_few_files_and_its_map_names_each(path):
    """The package itself has its map in docs/architecture.md."""
    files = {each.stem for each in path.glob("*.py")} - {"__init__"}
    assert len(files) <= 8, sorted(files)
    if path == SOURCE:
        return
    said = ast.get_docstring(ast.parse((path / "__init__.py").read_text())) or ""
    lines = [line.partition("  ")[0] for line in said.splitlines() if "  " in line.strip()]
    named = {name.strip().rstrip("/") for line in lines for name in line.split(",")} - {""}
    assert parts(path) <= named, sorted(parts(path) - named)
    assert named <= parts(path), sorted(named - parts(path))
