"""A table on disk -> rows: all its forms, and what is refused with its line."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.errors import CountsError, FileError
from cytally.files.tables.csv import csv_bytes
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import read_table

WANTED = Wanted(
    "a table of things",
    (Column("name"), Column("n"), Column("dose_gy", frozenset({"dose"}), ("gy", "mgy"))),
    (("name", "n"),),
    "name and n",
    CountsError,
)


def table(folder, content):
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, WANTED)


@pytest.mark.parametrize(
    "content",
    [
        "name,n\nA,1\nB,2\n",
        "name;n\r\nA;1\r\nB;2\r\n",
        "name\tn\rA\t1\rB\t2",
        '"Name";" N "\n"A";1\n\n;;\nB;2\n',
        "sep=;\nname;n\nA;1\nB;2\n",
        '"sep=\t"\r\nname\tn\r\nA\t1\r\nB\t2\r\n',
        "Exercise 2026;;\n;;\nname;n;\nA;1;\nB;2;\n",
        "# exported, v1\n# 3, 4\nname,n\nA,1\n# end\nB,2\n",
        "Title, with a comma\n\nDate;12.03.2026\nname;n\nA;1\nB;2\n",
        "n,Remarks,name\n1,fine,A\n2,,B\n",
        'n,"Scored\nby",name\n1,XY,A\n2,,B\n',
        "\ufeffname,n\nA,1\nB,2\n",
        "name\tn\nA\t1\nB\t2\n".encode("utf-16"),
    ],
)
def test_the_same_table_in_all_its_forms(tmp_path, content):
    assert [(row.text("name"), row.whole("n")) for row in table(tmp_path, content).rows] == [
        ("A", 1),
        ("B", 2),
    ]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    found = table(tmp_path, 'x\nname;n\n\nA;1\n\n"B\nC";2\nD;3\n')
    assert [row.line for row in found.rows] == [4, 6, 8]
    assert found.rows[0].where == f"{tmp_path / 't.csv'}, line 4"


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("", CountsError, "got an empty table; needed are name and n"),
        ("\n \t\n", CountsError, "got an empty table"),
        ("name,n\n", CountsError, "at least one line below it, got an empty table"),
        ("name,m\nA,1\n", CountsError, "line 1: expected the headings name and n; missing n; found 'name', 'm'"),
        ("A,1\nB,2\n", CountsError, "expected a line of headings with name and n; found 'A', '1'"),
        ("name,n,n\nA,1,1\n", FileError, "line 1: expected every heading once, got 'n' twice"),
        ("1,2\nname,n\nA,1\n", FileError, "line 1: numbers before the headings would be lost"),
        (b"name,n\0\nA,1\n", FileError, "NUL bytes"),
        ('name,n\n"A,1\n', FileError, "line 2: .*is a quote not closed"),
        ('name,n\nA,1\n"B,2\n' + "C,3\n" * 50_000, FileError, "line 3: .*is a quote not closed"),
        ("name;n;dose;dose (Gy)\nA;1;2;3\n", CountsError, "'dose' and 'dose .Gy.' could both be the column dose_gy"),
    ],
)
def test_a_wrong_table_gets_one_clear_error(tmp_path, content, error, words):
    with pytest.raises(error, match=words):
        table(tmp_path, content)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("A,1,x,y", "line 3: expected 3 columns, got 4; are there decimal commas"),
        ("A,1", "line 3: expected 3 columns, got 2; write the empty ones too"),
    ],
)
def test_a_line_of_other_length_is_a_fault_of_that_line_alone(tmp_path, line, words):
    found = table(tmp_path, f"name,n,remark\nA,1,\n{line}\nB,2,fine\n")
    assert [bool(row.fault) for row in found.rows] == [False, True, False]
    for look in (lambda row: row.text("name"), lambda row: row.whole("n"), lambda row: row.number("dose_gy")):
        with pytest.raises(CountsError, match=words):
            look(found.rows[1])


def test_a_value_under_no_heading_is_a_fault(tmp_path):
    found = table(tmp_path, "name,,n\nA,,1\nB,lost,2\n")
    assert found.rows[0].whole("n") == 1
    with pytest.raises(CountsError, match="line 3: 'lost' stands under no heading"):
        found.rows[1].whole("n")


def test_numbers_of_a_row_name_column_and_line(tmp_path):
    row = table(tmp_path, "name;n;dose_gy\nA;1,000;0,5\n").rows[0]
    with pytest.raises(
        CountsError, match="line 2: expected a whole number such as 1000 in n, got '1,000'; .*write 1000"
    ):
        row.whole("n")
    assert row.number("dose_gy") == 0.5
    with pytest.raises(CountsError, match="line 2: expected a number in dose_gy, got '0,5'; it cannot be below 1"):
        row.number("dose_gy", lowest=1)


def test_units_stand_in_headings(tmp_path):
    assert table(tmp_path, "name,n,Dose (mGy)\nA,1,500\n").unit("dose_gy") == "mgy"
    assert table(tmp_path, "name,n\nA,1\n").unit("dose_gy") == ""


def test_a_guess_is_told_only_where_letters_hang_on_it(tmp_path):
    assert table(tmp_path, "name,n\nM\xfcller,1\n".encode("cp1252")).guessed
    assert not table(tmp_path, "Pr\xfcfung 2026\nname,n\nA,1\n".encode("cp1252")).guessed
    assert not table(tmp_path, "name,n\nMüller,1\n").guessed


def test_what_looks_like_a_formula_is_guarded_and_numbers_are_not():
    rows = [["=1+1", "+1", "-0.5", "@SUM(1)", "-x", "\tx", "'=1", "a=b", "O'Brien", ""]]
    read = next(csv.reader(io.StringIO(csv_bytes(rows).decode())))
    assert read == ["'=1+1", "+1", "-0.5", "'@SUM(1)", "'-x", "'\tx", "''=1", "a=b", "O'Brien", ""]


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@given(
    st.lists(
        st.tuples(NAMES | st.text("=+-@'\t\r\n,;\" a1", min_size=1), st.integers(0, 999)),
        min_size=1,
        max_size=5,
    )
)
def test_our_own_tables_give_the_original_names_back(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(csv_bytes([["name", "n"], *([name, str(n)] for name, n in lines)]))
    whole_lines = any(part.count(",") for name, _ in lines for part in re.split("[\r\n]", name) if part != name)
    if whole_lines:  # as if a quote were not closed
        with pytest.raises(FileError, match="a cell holds whole lines"):
            read_table(path, WANTED)
        return
    found = read_table(path, WANTED)
    assert [(row.exact("name"), row.whole("n")) for row in found.rows] == lines


def test_a_name_that_is_no_text_does_not_stop_a_table():
    assert csv_bytes([["m\udce9ta.png"]]) == b"m\\xe9ta.png\n"
