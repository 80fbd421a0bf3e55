"""What all figures share: colours, names that stay as they are typed, and bytes that repeat."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import matplotlib
from matplotlib.figure import Figure

from cytally.errors import SettingsError

INK, BLUE, RED, PALE = "#22303c", "#0072b2", "#d52c20", "#9fb6c6"
#: Endings that a figure can be written with.
ENDINGS = (".svg", ".png")
#: Pixels per inch, and the most pixels along a side: many samples make a long picture.
_DPI, _MOST = 200, 30_000


def without_formulas(text: str) -> str:
    """A name for matplotlib as it was typed: a `$` in it begins no formula.

    Examples
    --------
    >>> without_formulas("cost $5 to $9")
    'cost \\\\$5 to \\\\$9'
    """
    return text.replace("$", r"\$")


def label(name: str, most: int = 40) -> str:
    """A name beside an axis: as `without_formulas`, and no longer than leaves room for the axis."""
    return without_formulas(name if len(name) <= most else f"{name[: most - 1]}…")


def as_svg(figure: Figure) -> str:
    """The figure as SVG text; the same figure gives the same bytes (no date, no random ids)."""
    with matplotlib.rc_context({"svg.hashsalt": "cytally"}):
        text = _written(lambda file: figure.savefig(file, format="svg", metadata={"Date": None})).decode()
    return text[text.index("<svg") :]


def as_png(figure: Figure) -> bytes:
    """The figure as PNG, 200 pixels per inch, fewer where it would be very long."""
    dpi = min(_DPI, _MOST / float(max(figure.get_size_inches())))
    return _written(lambda file: figure.savefig(file, format="png", dpi=dpi))


def picture_bytes(figure: Figure, path: Path) -> bytes:
    """The figure as the ending of a file's name asks for.

    Raises
    ------
    SettingsError
        Another ending than .svg or .png.
    """
    check_ending(path)
    return as_png(figure) if path.suffix.lower() == ".png" else as_svg(figure).encode()


def check_ending(path: Path) -> None:
    """Refuse a picture's name before anything is computed; errors as of `picture_bytes`."""
    if path.suffix.lower() not in ENDINGS:
        raise SettingsError(f"expected a picture that ends in {' or '.join(ENDINGS)}, got {path.name}")


def _written(save: Callable[[BinaryIO], None]) -> bytes:
    """What `save` writes; a sign that the font lacks is drawn as a box, and names stand in the table."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        save(buffer)
    return buffer.getvalue()
