"""Rows -> a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from cytally.files.names import shown


def csv_bytes(rows: Sequence[Sequence[object]]) -> bytes:
    r"""Rows as a CSV file in UTF-8; bytes of names that are not UTF-8 become `\xNN`."""
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        returns = any(
            "\r" in str(cell) for cell in row
        )  # csv takes it for an end of line, but does not quote it
        (quoted if returns else plain).writerow(row)
    return shown(buffer.getvalue()).encode()
