"""Tables of samples on the command line: what was left out is said, and ends with its own exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.main import SKIPPED

if TYPE_CHECKING:
    from cytally.dosimetry.laboratory.samples import SampleTable

_SHOWN = 20


def read_said(path: Path) -> SampleTable:
    """Read a table of samples; notes, and lines that were left out, go to standard error."""
    from cytally.dosimetry.laboratory.samples import read_sample_table

    table = read_sample_table(path)
    for note in table.notes:
        click.echo(f"note: {note}", err=True)
    for one in table.left_out[:_SHOWN]:
        click.echo(f"left out {one}", err=True)
    if len(table.left_out) > _SHOWN:
        click.echo(f"left out {len(table.left_out) - _SHOWN} lines more", err=True)
    return table


def left_out(table: SampleTable) -> list[dict[str, str]]:
    """Lines that were left out, for JSON."""
    return [{"sample": one.name, "line": one.where, "left_out": one.reason} for one in table.left_out]


def end(table: SampleTable) -> None:
    """Exit code 3 where lines were left out."""
    if table.left_out:
        sys.exit(SKIPPED)
