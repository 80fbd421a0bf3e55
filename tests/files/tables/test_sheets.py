"""XLSX: stale, huge, damaged and hostile workbooks."""

import io
import re
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from cytally.errors import CountsError, FileError
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import read_table

WANTED = Wanted("a table", (Column("a"), Column("b")), (("a", "b"),), "a and b", CountsError)
ROWS = [["a", "b"], [1, 2], [3, 4.5]]


def workbook(path, rows=ROWS, **others):
    """A workbook of one sheet, and of others by their titles."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title, more in others.items():
        sheet = book.create_sheet(title)
        for row in more:
            sheet.append(row)
    book.save(path)
    return path


def changed(path, pattern, new, member="xl/worksheets/sheet1.xml"):
    """Replace what a pattern matches in a member of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    after = re.sub(pattern, new, parts[member].decode(), flags=re.DOTALL)
    assert after != parts[member].decode()
    parts[member] = after.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def cells(path):
    return [[row.text(name) for name in "ab"] for row in read_table(path, WANTED).rows]


@pytest.fixture
def book(tmp_path):
    return workbook(tmp_path / "t.xlsx")


def test_cells_become_plain_text(tmp_path):
    """Numbers without exponent or rounding noise; dates as dates; what a person typed as text stays."""
    rows = [
        ["a", "b"],
        [1000, 1000.0],
        [0.1 + 0.2, 1e-7],
        ["1,000", "٣"],
        [date(2026, 5, 2), datetime(2026, 5, 2, 8, 30)],
        [True, None],
    ]
    assert cells(workbook(tmp_path / "t.xlsx", rows)) == [
        ["1000", "1000"],
        ["0.3", "0.0000001"],
        ["1,000", "٣"],
        ["2026-05-02", "2026-05-02 08:30:00"],
        ["True", ""],
    ]


def test_rows_behind_a_stale_dimension_are_read(book):
    changed(book, r'<dimension ref="[^"]*"', '<dimension ref="A1:A2"')
    assert cells(book) == [["1", "2"], ["3", "4.5"]]


def test_lines_are_counted_as_the_spreadsheet_does(book):
    changed(book, r'<row r="3"(.*?)"A3"(.*?)"B3"', r'<row r="9"\1"A9"\2"B9"')
    assert [row.line for row in read_table(book, WANTED).rows] == [2, 9]


def test_styled_emptiness_far_away_costs_nothing(book):
    changed(book, "</sheetData>", '<row r="1048576"><c r="A1048576"/><c r="XFD1048576"/></row></sheetData>')
    assert len(cells(book)) == 2


@pytest.mark.parametrize(
    ("pattern", "new", "words"),
    [
        ("</sheetData>", '<row r="2000000000"><c r="A2000000000"><v>1</v></c></row></sheetData>', "damaged workbook"),
        (
            "</sheetData>",
            '<row r="1000000"><c r="A1000000"><v>1</v></c></row></sheetData>',
            "something in row 1000000, column 1",
        ),
        ("</sheetData>", '<row r="9"><c r="XFD9"><v>1</v></c></row></sheetData>', "something in row 9, column 16384"),
        ("</sheetData>", '<row r="150000"><c r="BXX150000"><v>1</v></c></row></sheetData>', "at most 2000000 cells"),
        ('<row r="3"', '<row r="2"', "row 2 follows row 2"),
        ('<row r="3"', '<row r="x"', "damaged one"),
        ('r="B3"', 'r="A3"', "row 3 holds a cell twice"),
        ('r="B3"', 'r="B2"', "row 3 holds a cell 'B2'"),
        ('r="B3"', 'r="AAAA3"', "holds a cell 'AAAA3'"),
        ("<sheetData>", "<sheetData", "damaged one"),
        ('t="inlineStr"><is><t>a</t></is>', 't="s"><v>77</v>', "damaged one"),
        ("<v>1</v>", "<v>one</v>", "damaged one"),
        ("<worksheet", '<!DOCTYPE x [<!ENTITY y "zzzz">]><worksheet', "without document types"),
    ],
)
def test_damaged_and_hostile_sheets_get_one_clear_error(book, pattern, new, words):
    with pytest.raises(FileError, match=words):
        read_table(changed(book, pattern, new), WANTED)


def test_strings_that_are_shared_are_read(book):
    """As spreadsheets write them: a part of its own, here with a run of rich text and a reading aid."""
    changed(book, 't="inlineStr"><is><t>a</t></is>', 't="s"><v>0</v>')
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    changed(
        book,
        "</Types>",
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>',
        "[Content_Types].xml",
    )
    with zipfile.ZipFile(book, "a") as archive:
        archive.writestr(
            "xl/sharedStrings.xml",
            '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>a</t></r>'
            '<rPh sb="0" eb="1"><t>aid</t></rPh></si></sst>',
        )
    assert cells(book) == [["1", "2"], ["3", "4.5"]]


def test_every_flipped_byte_is_noticed_or_harmless(book):
    """A zip carries checksums of what it holds."""
    content = book.read_bytes()
    for place in range(5, len(content), 61):
        book.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        try:
            assert cells(book) == [["1", "2"], ["3", "4.5"]]
        except FileError as error:
            assert "workbook" in str(error)


@pytest.mark.parametrize("length", [0, 4, 30, 400, -30])
def test_a_workbook_cut_short(book, length):
    book.write_bytes(book.read_bytes()[:length])
    with pytest.raises(FileError, match="expected an XLSX workbook"):
        read_table(book, WANTED)


def test_a_bomb_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (65 * 2**20))
    assert (tmp_path / "t.xlsx").stat().st_size < 100_000
    with pytest.raises(FileError, match="at most 64 MB unpacked"):
        read_table(tmp_path / "t.xlsx", WANTED)


def test_other_files_under_this_name(tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="expected an XLSX workbook, got something else"):
        read_table(path, WANTED)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"x" * 100)
    with pytest.raises(FileError, match="old or encrypted one; save it as .xlsx"):
        read_table(path, WANTED)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.xml", "<office/>")
    (tmp_path / "t.csv").write_bytes(buffer.getvalue())
    with pytest.raises(FileError, match="got something else; save it as .xlsx or CSV"):
        read_table(tmp_path / "t.csv", WANTED)


def test_a_formula_counts_by_its_stored_value(tmp_path):
    """openpyxl writes formulas without values; a spreadsheet stores them beside."""
    path = workbook(tmp_path / "t.xlsx", [["a", "b"], [1, "=A2+1"]])
    with pytest.raises(FileError, match="line 2: the formula '=A2.1' has no stored value; open the workbook"):
        read_table(path, WANTED)
    changed(path, r"<v ?/>|<v></v>", "<v>2</v>")
    assert cells(path) == [["1", "2"]]


def test_the_sheet_that_has_the_columns_is_read(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["Exercise", 2026], ["hello"]], Counts=ROWS)
    assert cells(path) == [["1", "2"], ["3", "4.5"]]
    assert read_table(path, WANTED).rows[0].where.endswith("t.xlsx, sheet 'Counts', line 2")


def test_two_sheets_that_have_the_columns_are_both_named(tmp_path):
    path = workbook(tmp_path / "t.xlsx", ROWS, Old=ROWS)
    with pytest.raises(CountsError, match="the sheets 'Sheet', 'Old' could all be a table; keep one"):
        read_table(path, WANTED)
    book = openpyxl.load_workbook(path)
    book["Old"].sheet_state = "hidden"
    book.save(path)
    assert len(cells(path)) == 2


def test_hidden_sheets_are_not_read(book):
    changed(book, 'state="visible"', 'state="hidden"', "xl/workbook.xml")
    with pytest.raises(FileError, match="expected a sheet that is not hidden, got none"):
        read_table(book, WANTED)


def test_an_empty_workbook(tmp_path):
    with pytest.raises(CountsError, match="got an empty table"):
        read_table(workbook(tmp_path / "t.xlsx", []), WANTED)
