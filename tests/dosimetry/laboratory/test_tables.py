"""Tables of counts in the forms in which laboratories keep them."""

import openpyxl
import pytest

from cytally.dosimetry.curves.calibrate import DosePoint
from cytally.dosimetry.laboratory.tables import read_counts
from cytally.errors import CountsError, FileError

TWO = [DosePoint(0, 100, 1), DosePoint(2, 50, 15)]


def counts(folder, text, unit=None):
    (folder / "c.csv").write_text(text, encoding="utf-8")
    return read_counts(folder / "c.csv", unit)


@pytest.mark.parametrize(
    "text",
    [
        "dose_gy,cells,dicentrics\n0,100,1\n2,50,15\n",
        "D,N,X\n0,100,1\n2,50,15\n",
        "dose_gy,C0,C1,C2\n0,99,1,0\n2,38,9,3\n",
        "dose_gy;C0;C1;C2\n0;99;1;\n2;38;9;3\n",
        "Dose_Gy;cells;dicentrics\n0;100;1\n\n2,0;50;15\n;;\n",
        "dose\tN\tX\n0\t100\t1\n2.0\t50\t15\n",
        "dose_gy,cells,dicentrics,\n0,100,1,\n2,50,15,\n",
        "\ufeffD,N,X,C0,C1,C2\n0,100,1,99,1,0\n2,50,15,38,9,3\n",
        "D,N,X,C0,C1,C2\n0,100,1,,,\n2,50,15,38,9,3\n",
        "Calibration 2024;;\n\nDose (Gy);Cells scored;Nr. of dicentrics\n0;100;1\n2,000;50.0;15\n",
        "# lab X\nDose (Gy),Date,Cells,Dicentrics,Scored by\n0,12.03.2024,100,1,AB\n2,12.03.2024,50,15,\n",
    ],
)
def test_counts_are_read_in_all_their_forms(tmp_path, text):
    assert counts(tmp_path, text) == TWO


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "dose_gy,cells\n1,100\n",
            "line 1: expected the headings dose_gy and cells, .*; missing dicentrics; found 'dose_gy', 'cells'",
        ),
        ("0,5000,5\n1,800,75\n", "expected a line of headings with dose_gy and cells"),
        ("dose_gy,cells,dicentrics\n0,5,100,1\n", "line 2: expected 3 columns, got 4; are there decimal commas"),
        ("dose_gy,cells,dicentrics\n1,0,3\n", "got 3 in 0"),
        ("dose_gy,cells,dicentrics\n1,100,2301\n", "got 2301 in 100; are the two swapped"),
        ("dose_gy,cells,dicentrics\nnan,10,3\n", "expected a number in dose_gy, got 'nan'"),
        ("dose_gy,cells,dicentrics\ninf,10,3\n", "expected a number in dose_gy, got 'inf'"),
        ("dose_gy,cells,dicentrics\n-1,10,3\n", "it cannot be below 0"),
        ("", "got an empty table"),
        ("dose_gy,cells,dicentrics\n", "got an empty table"),
        ("dose_gy,cells,dicentrics\n1,many,3\n", "expected a whole number such as 1000 in cells, got 'many'"),
        ("dose_gy,cells,dicentrics\n1,10.5,3\n", "a count has no fraction"),
        ("dose_gy,cells,dicentrics\n1,10,-3\n", "a count is 0 or more"),
        ("dose_gy,cells,dicentrics\n1,1e3,3\n", "write the number out"),
        ("dose_gy;cells;dicentrics\n1;1.000;3\n", "in cells, got '1.000'; .* write 1000"),
        ("dose_gy;cells;dicentrics\n1;1,000;3\n", "in cells, got '1,000'; .* write 1000"),
        ("dose_gy;cells;dicentrics\n1;1 000;3\n", "in cells, got '1 000'; .* write 1000"),
        ("dose_gy,cells,dicentrics\n1,500000000000,3\n", "more than anybody counts"),
        ("dose_gy,cells,C0,C1\n1,10,8,1\n", "adds up to 9, but cells says 10"),
        ("D,N,X,C0,C1\n1,9,2,8,1\n", "adds up to 1, but dicentrics says 2"),
        ("dose_gy,C0,C1\n1,,5\n", "expected a whole number such as 1000 in C0, got ''; the cell is empty"),
        ("dose_gy,C0,C1\n1,,\n", "in C0, got ''"),
        ("dose_gy,C1,C2\n1,20,5\n", "missing C0; found 'dose_gy', 'C1', 'C2'"),
        ("dose_gy,C0,C1,C3\n1,475,20,5\n", "up to C3 without a gap; missing C2"),
        ("dose_gy,C0,C1,C²\n1,475,20,5\n", "got 'C²'"),
        ("dose_gy,C0,C00,C1\n1,475,20,5\n", "got 'C00'"),
        ("dose_gy,C0,C10000000000\n1,475,20\n", "got 'C10000000000'"),
        ("dose_gy,cells,dicentrics\n0,100,1\n1,100,9\nTotal,200,10\n", "line 4: is a line of totals"),
        ("dose_gy,cells,dicentrics\n0,100,1\n1,100,9\n1,200,10\n", "line 4: is a line of totals"),
        ("dose_gy,by,cells,dicentrics\n1,A,50,5\n1,B,40,5\n1,Sum,90,10\n2,A,9,9\n", "line 4: is a line of totals"),
        ("dose_gy,cells,dicentrics\n0,100,1\n1,100,9\n1,200,10\n1,100,5\n", "line 4: is a line of totals or means"),
        ("dose_gy,cells,dicentrics\n0,100,1\n1,100,9\nMittel,100,5\n", "line 4: is a line of totals or means"),
        (
            "Probe,dose_gy,cells,dicentrics\na,0,100,1\nb,1,100,9\nMittel (n=2),0.5,100,5\n",
            "line 4: is a line of totals or means",
        ),
        ("dose_gy,cells,dicentrics\n0,5,50\n1,75,80\n", "50 dicentrics in 5 cells at 0 Gy; are the columns"),
        ("dose_gy,cells,dicentrics,weight\n0,5,1,0\n", "expected a weight above 0"),
    ],
)
def test_a_wrong_table_of_counts_is_refused_by_line(tmp_path, text, message):
    with pytest.raises(CountsError, match=message):
        counts(tmp_path, text)


def test_no_cell_holds_more_dicentrics_than_its_chromosomes_allow(tmp_path):
    heads = ",".join(f"C{k}" for k in range(51))
    zeros = ["0"] * 51
    fits = ",".join(["100", *zeros[1:45], "1", *zeros[46:]])
    assert counts(tmp_path, f"dose,{heads}\n5,{fits}\n") == [DosePoint(5, 101, 45)]
    with pytest.raises(CountsError, match="got 2 cells with 50 dicentrics, but 46 chromosomes hold 45 at most"):
        counts(tmp_path, f"dose,{heads}\n5,{','.join(['100', *zeros[1:50], '2'])}\n")


def test_all_wrong_lines_are_named_and_no_more_than_twenty(tmp_path):
    text = "dose_gy,cells,dicentrics\n0,100,1\n1,x,3\n2,50\n3,20,-1\n"
    with pytest.raises(CountsError) as told:
        counts(tmp_path, text)
    first, *lines = str(told.value).splitlines()
    assert first.endswith("c.csv: 3 lines cannot be used:")
    assert [line.split(":")[0].strip() for line in lines] == ["line 3", "line 4", "line 5"]
    with pytest.raises(CountsError) as told:
        counts(tmp_path, "dose_gy,cells,dicentrics\n" + "1,x,3\n" * 30)
    assert len(str(told.value).splitlines()) == 22 and str(told.value).endswith("and 10 more")


MILLIGRAYS = "0,5000,5\n500,1000,30\n1000,800,75\n2000,400,120\n"
CENTIGRAYS = "0,5000,5\n5,1000,30\n10,800,75\n20,400,120\n30,200,125\n"


@pytest.mark.parametrize(
    ("text", "unit", "highest"),
    [
        ("dose_gy,cells,dicentrics\n" + MILLIGRAYS, "mgy", 2.0),
        ("Dose (mGy),cells,dicentrics\n" + MILLIGRAYS, "mgy", 2.0),
        ("Dose,cells,dicentrics\n" + CENTIGRAYS, "cgy", 0.3),
        ("Dose (Gy),cells,dicentrics\n" + CENTIGRAYS, "gy", 30.0),
    ],
)
def test_a_unit_that_is_given_is_believed(tmp_path, text, unit, highest):
    assert counts(tmp_path, text, unit)[-1].dose_gy == highest


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        (
            "dose_gy,cells,dicentrics\n" + MILLIGRAYS,
            None,
            "the highest, 2000 with 0.3 dicentrics per cell, looks like mGy or cGy; give --dose-unit",
        ),
        (
            "dose_gy,cells,dicentrics\n" + CENTIGRAYS,
            None,
            "the highest, 30 with 0.625 dicentrics per cell, looks like mGy",
        ),
        ("Dose (mGy),cells,dicentrics\n0,100,1\n1,50,15\n", None, "a heading is 'Dose .mGy.'; give --dose-unit mgy"),
        (
            "Dose (cGy),cells,dicentrics\n0,100,1\n1,50,15\n",
            "mgy",
            "expected doses in mgy, but a heading is 'Dose .cGy.'",
        ),
        ("Dose (Sv),cells,dicentrics\n0,100,1\n1,50,15\n", None, "expected doses in Gy, but a heading is 'Dose .Sv.'"),
        ("Dose,cells,dicentrics\n0,100,1\n1,50,15\n", "krad", "expected a unit of dose among gy, cgy, mgy, got 'krad'"),
        ("Dose;cells;dicentrics\n0;100;1\n1,500;50;15\n", "mgy", "the comma may part thousands or decimals"),
    ],
)
def test_doses_that_do_not_look_like_gray_are_asked_about(tmp_path, text, unit, words):
    with pytest.raises(CountsError, match=words):
        counts(tmp_path, text, unit)


@pytest.mark.parametrize("line", ["5,60,80", "10,20,60", "0.5,1000,300", "8,100,90"])
def test_ordinary_doses_are_not_asked_about(tmp_path, line):
    assert len(counts(tmp_path, f"dose_gy,cells,dicentrics\n0,5000,5\n{line}\n")) == 2


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_a_sheet_says_what_the_same_csv_says(tmp_path):
    workbook(
        tmp_path / "c.xlsx",
        [["Dose_Gy", "C0", "C1", "C2"], [0, 99, 1, None], [None] * 4, ["2,0", 38.0, 9, "3"]],
    )
    assert read_counts(tmp_path / "c.xlsx") == TWO
    workbook(tmp_path / "c.xlsx", [["dose", "cells", "dicentrics"], [0, 1000.0, 1], [1, "1,000", 90]])
    with pytest.raises(CountsError, match="line 3: .* got '1,000'"):
        read_counts(tmp_path / "c.xlsx")


def test_an_empty_sheet_and_a_false_one(tmp_path):
    workbook(tmp_path / "empty.xlsx", [])
    with pytest.raises(CountsError, match="got an empty table"):
        read_counts(tmp_path / "empty.xlsx")
    (tmp_path / "false.xlsx").write_text("dose_gy,cells,dicentrics")
    with pytest.raises(FileError, match="expected an XLSX workbook"):
        read_counts(tmp_path / "false.xlsx")
    with pytest.raises(FileError, match="expected a table of counts .CSV or XLSX., found no such file"):
        read_counts(tmp_path / "gone.csv")


def test_doses_that_a_curve_gave_are_no_calibration(tmp_path):
    """What 'triage' writes has doses and counts too; a curve fitted to them would agree with itself."""
    text = "sample,cells,dicentrics,dose_gy,lower_gy,upper_gy\nS1,500,3,0.1,0,0.3\nS2,500,60,1.2,1,1.4\nS3,500,200,2.4,2,3\n"
    with pytest.raises(CountsError, match=r"known exposures, got estimated ones with limits \(lower_gy and upper_gy\)"):
        counts(tmp_path, text)
