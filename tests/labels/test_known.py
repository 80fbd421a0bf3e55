"""cells.csv beside images: what it says, in all the forms in which it is kept."""

import pytest

from cytally.errors import FileError, LabelError
from cytally.labels.known import known_cells, read_known


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfimage,sample,dose_gy\r\n1.png,M\xc3\xbcller,2.5\r\n",
        b"image;sample;dose_gy\n1.png;M\xfcller;2,5\n",
        b"IMAGE,Sample ID,Dose (Gy),Remarks\n1.PNG,M\xfcller,2.5,\n",
        "file\tsample\tdose\n.\\\\1.png\tMüller\t2.5\n".replace("\\\\", "\\").encode("utf-16"),
        "Slide 17\n\nimage,sample,dose_gy\n1.png,Müller,2.5\n".encode(),
    ],
)
def test_sample_and_dose_are_found(tmp_path, content):
    (tmp_path / "cells.csv").write_bytes(content)
    found = read_known(tmp_path / "cells.csv", ["1.png", "2.png"])
    assert found.rows == {"1.png": {"sample": "Müller", "dose_gy": "2.5"}} and found.strangers == ()


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("image,dose_gy\n1.png,two\n", LabelError, "line 2: expected a number in dose_gy, got 'two'"),
        ("image,dose_gy\n1.png,-1\n", LabelError, "it cannot be below 0"),
        ("image,dose_gy\n1.png,nan\n", LabelError, "a finite number is needed"),
        ("image,dose_gy\n1.png,2000\n", LabelError, "expected a dose in Gy, got 2000, which looks like mGy"),
        ("image,Dose (mGy)\n1.png,2\n", LabelError, "expected doses in Gy, but the heading says mgy"),
        ("image,sample\n1.png,A\n1.png,B\n", LabelError, "line 3: image '1.png' is there twice"),
        ("image,sample\n7.png,A\n", LabelError, "none of its 1 lines names an image beside it; the first is '7.png'"),
        ("picture no,sample\n1.png,A\n", LabelError, "expected a line of headings with image|missing image"),
        ("image,sample\n1.png,A,2\n", LabelError, "line 2: expected 2 columns, got 3"),
        ("image,sample\n1.png,A\0\n", FileError, "NUL bytes"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, text, error, words):
    (tmp_path / "cells.csv").write_text(text)
    with pytest.raises(error, match=words):
        read_known(tmp_path / "cells.csv", ["1.png", "2.png"])


def test_unknown_doses_and_strangers(tmp_path):
    (tmp_path / "cells.csv").write_text("image,sample,dose_gy\n1.png,A,unknown\n9.png,B,2\n2.png,A,\n")
    found = read_known(tmp_path / "cells.csv", ["1.png", "2.png"])
    assert [row["dose_gy"] for row in found.rows.values()] == ["unknown", ""]
    assert [words.rpartition("cells.csv")[2] for words in found.strangers] == [", line 3: there is no image '9.png'"]


def test_capitals_of_the_table_do_not_matter_and_what_it_leaves_out_is_said(tmp_path):
    (tmp_path / "Cells.CSV").write_text("image,sample\n1.png,A\n")
    found = known_cells([tmp_path], {f"{k}.png": tmp_path / f"{k}.png" for k in range(1, 9)})
    assert found.rows == {"1.png": {"sample": "A", "dose_gy": ""}}
    assert found.notes == ("no line of cells.csv names 2.png, 3.png, 4.png, 5.png, 6.png and 2 more",)


@pytest.mark.parametrize(
    ("other", "there"),
    [("cells.xlsx", False), ("cells.xlsx", True), ("Cells.tsv", False), ("CELLS.csv", True)],
)
def test_another_table_that_could_be_meant_is_said(tmp_path, other, there):
    if there:
        (tmp_path / "cells.csv").write_text("image,sample\n1.png,A\n")
    (tmp_path / other).write_text("image,sample\n1.png,B\n")
    found = known_cells([tmp_path], {"1.png": tmp_path / "1.png"})
    assert [note.rpartition("/")[2] for note in found.notes] == [f"{other}: is not read; save it as cells.csv"]
    assert found.rows == ({"1.png": {"sample": "A", "dose_gy": ""}} if there else {})


def test_other_files_of_that_name_are_nobodys_table(tmp_path):
    (tmp_path / "cells.png").write_bytes(b"")
    (tmp_path / "cells").mkdir()
    assert known_cells([tmp_path], {"1.png": tmp_path / "1.png"}).notes == ()
