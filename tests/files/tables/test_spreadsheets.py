"""Tables for spreadsheets: numbers stay numbers, text stays text, nothing becomes a formula."""

import csv
import math

import openpyxl
import pytest

from cytally.errors import SettingsError
from cytally.files.tables.spreadsheets import write_sheet

NASTY = ["=1+1", "+1", "-1", "@SUM(1)", "\ta", "plain"]
ROWS = [
    ["name", "n", "gray"],
    *([name, 3, 0.123456789] for name in NASTY),
    ["empty", None, math.nan],
    ["far", 1, math.inf],
]


def test_csv_text_is_never_run(tmp_path):
    write_sheet(tmp_path / "t.csv", ROWS)
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:7]] == [
        *(name if name in ("+1", "-1") else f"'{name}" for name in NASTY[:5]),
        "plain",
    ]
    assert rows[1][1:] == ["3", "0.123457"] and rows[7][1:] == ["", ""] and rows[8] == ["far", "1", ""]


def test_xlsx_keeps_numbers_whole_and_text_as_it_is(tmp_path):
    write_sheet(tmp_path / "t.xlsx", [*ROWS, ["a\x01b", 1, 2.0]])
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx").active
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in rows[1:7]] == NASTY
    assert all(sheet.cell(number, 1).data_type == "s" for number in range(1, 8))
    assert rows[1][1:] == (3, 0.123456789) and rows[7][1:] == (None, None) and rows[8] == ("far", 1, None)
    assert rows[9][0] == "a\N{REPLACEMENT CHARACTER}b"


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"ends in .csv or .xlsx, got t.ods"):
        write_sheet(tmp_path / "t.ods", ROWS)
    assert not list(tmp_path.iterdir())
