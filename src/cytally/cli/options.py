"""Kinds of values that many commands take, each checked once: numbers, pictures, tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure


class Finite(click.FloatRange):
    """A number within bounds, never NaN or infinite."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a clear refusal."""
        number = float(super().convert(value, param, ctx))
        if not abs(number) < float("inf"):
            self.fail(f"expected a finite number, got {value}", param, ctx)
        return number


class NamedFile(click.Path):
    """A file to write whose ending decides what is written.

    Parameters
    ----------
    endings : str
        Those that are possible, in lower case.
    """

    def __init__(self, *endings: str) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a refusal that names the endings."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix.lower() not in self.endings:
            expected = ", ".join(self.endings[:-1]) + f" or {self.endings[-1]}"
            self.fail(f"expected a name that ends in {expected}, got {path.name}", param, ctx)
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


def pair(text: str, option: str, example: str) -> tuple[int, int]:
    """Aberrations and cells of a control, as typed."""
    try:
        known, among = (int(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(
            f"expected two whole numbers such as {example} for {option}, got {text!r}"
        ) from None
    if not 0 <= known <= COUNT.max or not 1 <= among <= CELLS.max:  # type: ignore[operator]  # both are set
        raise click.UsageError(f"expected a count >= 0 and 1 to {CELLS.max} cells for {option}, got {text}")
    return known, among
