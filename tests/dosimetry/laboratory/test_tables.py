"""Tables of counts in the forms in which laboratories keep them."""

import openpyxl
import pytest

from cytally.dosimetry.calibrate import DosePoint
from cytally.dosimetry.laboratory.tables import read_counts, rows_of
from cytally.errors import CountsError


@pytest.mark.parametrize("text", [
    "dose_gy,cells,dicentrics\n0,100,1\n2,50,15\n",
    "D,N,X\n0,100,1\n2,50,15\n",
    "dose_gy,C0,C1,C2\n0,99,1,0\n2,38,9,3\n",
    "Dose_Gy;cells;dicentrics\n0;100;1\n\n2,0;50;15\n;;\n",
    "dose\tN\tX\n0\t100\t1\n2.0\t50\t15\n",
    "dose_gy,cells,dicentrics,\n0,100,1,\n2,50,15,\n",
    "\ufeffD,N,X,C0,C1,C2\n0,100,1,99,1,0\n2,50,15,38,9,3\n",
])  # fmt: skip
def test_counts_are_read_in_all_their_forms(tmp_path, text):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    assert read_counts(tmp_path / "c.csv") == [DosePoint(0, 100, 1), DosePoint(2, 50, 15)]


@pytest.mark.parametrize(("text", "message"), [
    ("dose_gy,cells\n1,100\n", "line 2: expected a column dicentrics or micronuclei"),
    ("dose_gy,cells,dicentrics\n0,5,100,1\n", "expected 3 columns, got 4; are there decimal commas"),
    ("dose_gy,cells,dicentrics\n250,100,1\n", "looks like mGy; divide the column by 1000"),
    ("dose_gy,cells,dicentrics\n1,0,3\n", "got 3 in 0"),
    ("dose_gy,cells,dicentrics\nnan,10,3\n", "expected a number in dose_gy, got 'nan'"),
    ("dose_gy,cells,cells\n1,10,3\n", "expected every heading once"),
    ("", "got an empty table"),
    ("\0\1\2", "got something else"),
    ("dose_gy,cells,dicentrics\n", "got an empty table"),
    ("dose_gy,cells,dicentrics\n1,many,3\n", "expected a number in cells, got 'many'"),
    ("dose_gy,cells,dicentrics\n1,10.5,3\n", "whole counts"),
    ("dose_gy,cells,dicentrics\n1,10,-3\n", "whole counts"),
    ("dose_gy,cells,C0,C1\n1,10,8,1\n", "adds up to 9, but cells says 10"),
])  # fmt: skip
def test_a_wrong_table_of_counts_is_refused_by_line(tmp_path, text, message):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(CountsError, match=message):
        read_counts(tmp_path / "c.csv")


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_a_sheet_says_what_the_same_csv_says(tmp_path):
    workbook(
        tmp_path / "c.xlsx", [["Dose_Gy", "C0", "C1", "C2"], [0, 99, 1, 0], [None] * 4, ["2,0", 38.0, 9, "3"]]
    )
    assert read_counts(tmp_path / "c.xlsx") == [DosePoint(0, 100, 1), DosePoint(2, 50, 15)]


def test_an_empty_sheet_and_a_false_one(tmp_path):
    workbook(tmp_path / "empty.xlsx", [])
    with pytest.raises(CountsError, match="got an empty table"):
        read_counts(tmp_path / "empty.xlsx")
    (tmp_path / "false.xlsx").write_text("dose_gy,cells,dicentrics")
    with pytest.raises(CountsError, match="expected an XLSX workbook"):
        read_counts(tmp_path / "false.xlsx")
    with pytest.raises(CountsError, match="found none"):
        read_counts(tmp_path / "gone.csv")


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    (tmp_path / "c.csv").write_text("a;b\n\n1;2\n\n3;x,y\n")
    where = [line.rpartition(" ")[2] for line, _ in rows_of(tmp_path / "c.csv")]
    assert where == ["3", "5"]
    assert [row for _, row in rows_of(tmp_path / "c.csv")] == [{"a": "1", "b": "2"}, {"a": "3", "b": "x,y"}]


def test_a_name_in_another_encoding_is_read(tmp_path):
    (tmp_path / "c.csv").write_bytes("sample;n\nÉlodie;5\n".encode("latin-1"))
    assert rows_of(tmp_path / "c.csv")[0][1]["sample"] == "Élodie"
