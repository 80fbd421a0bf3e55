"""Kinds of values that many commands take, each checked once: numbers, pictures, tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure


class Finite(click.FloatRange):
    """A number within bounds, never NaN or infinite."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a clear refusal."""
        number = float(super().convert(value, param, ctx))
        if not abs(number) < float("inf"):
            self.fail(f"expected a finite number, got {value}", param, ctx)
        return number


class NamedFile(click.Path):
    """A file to write, in a folder that exists, whose ending decides what is written.

    Parameters
    ----------
    endings : str
        Those that are possible, in lower case.
    """

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self.endings = endings

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, or a refusal before anything is computed."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix.lower() not in self.endings:
            expected = ", ".join(self.endings[:-1]) + f" or {self.endings[-1]}"
            self.fail(f"expected a name that ends in {expected}, got {path.name}", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"expected a folder that exists, got {path.parent}; make it first", param, ctx)
        return path


#: Positive numbers, shares of a whole, years, gray.
POSITIVE, SHARE, AGE, GRAY = Finite(0, min_open=True), Finite(0, 1), Finite(0, 120), Finite(0, 100)
#: Duration of an exposure (to eleven years), mean time of repair in hours, D0 in Gy: far beyond all that is known.
HOURS, REPAIR, D0 = Finite(0, 100_000), Finite(0.01, 1000), Finite(0.1, 100)
#: Aberrations, and the cells that they were counted in.
COUNT, CELLS = click.IntRange(0, 10_000_000), click.IntRange(1, 1_000_000)
#: Pictures and tables: the ending decides.
PICTURE, TABLE = NamedFile(".svg", ".png"), NamedFile(".csv", ".xlsx")
#: Options that many commands have.
OUT = click.option("--out", type=TABLE, help="Also write the table (CSV or XLSX).")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")

#: What turns the function of a command into the same with an option more.
Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def together(*options: Decorator) -> Decorator:
    """One decorator of several options, which `--help` shows in this order."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def gathered(name: str, by: Callable[..., object], *options: Decorator) -> Decorator:
    """Options whose values a command gets as one noun.

    Parameters
    ----------
    name : str
        Parameter of the command.
    by : callable
        Takes the values under their names and gives the noun; called when the command runs.
    options : decorators
    """
    taken = tuple(signature(by).parameters)

    def add(command: Callable[..., None]) -> Callable[..., None]:
        """The command, given the noun instead of the values."""

        @wraps(command)
        def run(**typed: object) -> None:
            noun = by(**{each: typed.pop(each) for each in taken})
            command(**typed, **{name: noun})

        return together(*options)(run)

    return add


def was_given(name: str) -> bool:
    """Whether an option of the command that runs was typed, not left to its default."""
    source = click.get_current_context().get_parameter_source(name)
    return source not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def refuse_unused(*names: str, unless: str, because: bool) -> None:
    """Refuse options that were typed but would be left out of the answer.

    Parameters
    ----------
    names : str
        As Python knows them, such as "repair_hours".
    unless : str
        What they belong to, for the message.
    because : bool
        Whether that is missing.
    """
    for name in names:
        if because and was_given(name):
            option = next(each.opts[0] for each in click.get_current_context().command.params if each.name == name)
            raise click.UsageError(f"{option} belongs to {unless}; without it, it would change nothing: leave it out")


def draw(figure: Figure, path: Path) -> None:
    """Write a picture, whole or not at all."""
    from cytally.figures.style import picture_bytes
    from cytally.files.atomic import write_bytes

    write_bytes(path, picture_bytes(figure, path))


def write_table(out: Path | None, rows: Sequence[Sequence[object]]) -> None:
    """Write a table where one was asked for.

    After the result is on the screen, where it stays if the disk refuses the file.
    """
    if out is not None:
        from cytally.files.tables.spreadsheets import write_sheet

        write_sheet(out, rows)


def whole_numbers(text: str, option: str, example: str, parts: int = 0) -> list[int]:
    """Counts with commas between them, as typed: so many of them, or any number.

    A number with a separator of thousands would become two: `1,000` is refused.
    """
    from cytally.files.tables.numbers import whole

    named = f" for {option}" if option else ""
    pieces = [piece.strip() for piece in text.split(",")]
    number = {0: "whole numbers", 2: "two whole numbers"}[parts]
    if parts and len(pieces) != parts:
        raise click.UsageError(f"expected {number} such as {example}{named}, got {text!r}")
    try:
        return [whole(piece) for piece in pieces]
    except ValueError as error:
        raise click.UsageError(f"expected {number} such as {example}{named}, got {text!r}; {error}") from None


def pair(text: str, option: str, example: str, what: str = "dicentrics") -> tuple[int, int]:
    """Aberrations and cells of a control, as typed."""
    known, among = whole_numbers(text, option, example, 2)
    if not 0 <= known <= COUNT.max or not 1 <= among <= CELLS.max:  # type: ignore[operator]  # both are set
        raise click.UsageError(f"expected a count >= 0 and 1 to {CELLS.max} cells for {option}, got {text}")
    typed_counts(known, among, what, option)
    return known, among


def typed_counts(aberrations: int, cells: int, what: str = "dicentrics", option: str = "") -> None:
    """Refuse typed totals that cells cannot hold, as every table does."""
    from cytally.dosimetry.possible import check_possible
    from cytally.errors import CountsError

    try:
        check_possible(aberrations, cells, what)
    except CountsError as error:
        raise click.UsageError(f"{option}: {error}" if option else str(error)) from None
