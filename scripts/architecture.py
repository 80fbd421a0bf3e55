"""Measure the structure of the package: `python scripts/architecture.py`.

Prints what docs/architecture.md states: sizes of rooms, files and functions, parameters, `Any`, bare
tuples, public names that stand twice below the doors.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "cytally"
#: Rooms of the doors and above them; the rest is shared.
DOORS = {"dosimetry", "livecell", "cytology", "flow", "store", "batch", "review", "cli"}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Every function and method of a file."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def length(node: ast.FunctionDef) -> int:
    """Lines without the docstring."""
    said = ast.get_docstring(node, clean=False)
    return (node.end_lineno or node.lineno) - node.lineno + 1 - (said.count("\n") + 1 if said else 0)


def parameters(node: ast.FunctionDef) -> int:
    """Without self."""
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def public(tree: ast.Module) -> list[str]:
    """Names of functions and classes at the top of a file."""
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]


def bare_tuple(node: ast.FunctionDef) -> bool:
    """Whether it returns a tuple of three or more different things."""
    found = node.returns
    return (
        isinstance(found, ast.Subscript)
        and isinstance(found.value, ast.Name)
        and found.value.id == "tuple"
        and isinstance(found.slice, ast.Tuple)
        and len(found.slice.elts) > 2
    )


def main() -> None:
    """All figures."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    trees = {path: ast.parse(path.read_text()) for path in sorted(SOURCE.rglob("*.py"))}
    room = {path: path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in trees}
    every = [(path, node) for path, tree in trees.items() for node in functions(tree)]
    sizes = Counter(path.parent for path in trees if path.stem != "__init__")
    shared = Counter(name for path, tree in trees.items() if room[path] not in DOORS for name in public(tree))
    lines = {path: path.read_text().count("\n") for path in trees}
    many = [node for path, node in every if parameters(node) > 6 and room[path] != "cli"]
    figures = {
        "files, lines": f"{len(trees)}, {sum(lines.values())}",
        "longest file": max(lines.values()),
        "files over 350 lines": sum(n > 350 for n in lines.values()),
        "functions": len(every),
        "functions over 40 lines": sum(length(node) > 40 for _, node in every),
        "functions with more than six parameters, outside cli": len(many),
        "most files in a room": max(sizes.values()),
        "rooms with more than 8 files": ", ".join(
            f"{path.relative_to(SOURCE).as_posix()} ({n})" for path, n in sizes.items() if n > 8
        )
        or "none",
        "public names twice below the doors": ", ".join(n for n, k in shared.items() if k > 1) or "none",
        "bare tuples of three or more": sum(bare_tuple(node) for _, node in every if not node.name.startswith("_")),
        "`Any` in annotations": sum(
            isinstance(n, ast.Name) and n.id == "Any" for tree in trees.values() for n in ast.walk(tree)
        ),
        "`fmt: skip`": sum(path.read_text().count("# fmt: skip") for path in trees),
    }
    for name, value in figures.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
