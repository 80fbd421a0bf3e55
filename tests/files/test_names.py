"""Names that are not text, names too long, and tables that hold them."""

import csv
import os

import pytest

from cytally.errors import FileError
from cytally.files.names import fitting, on_disk, shown
from cytally.files.tables.csv import csv_bytes, read_rows


@pytest.mark.parametrize("raw", [b"m\xe9taphase.png", b"Pr\xfcfung_1.png", b"\x80\xff.png", "naïve.png".encode()])
def test_a_name_is_shown_and_found_again(raw):
    name = os.fsdecode(raw)
    assert shown(name).encode()  # can be written
    assert os.fsencode(on_disk(shown(name))) == raw


def test_bytes_are_escaped_as_python_writes_them():
    assert shown(os.fsdecode(b"Pr\xfcfung_1.png")) == r"Pr\xfcfung_1.png"
    assert shown("\ud800") == r"\ud800"


def test_long_names_fit_and_stay_apart():
    one, other = "a" * 252 + "b", "a" * 252 + "c"
    assert len(fitting(one, ".png")) == 255 and fitting(one, ".png") != fitting(other, ".png")
    assert fitting("x" * 251, ".png") == "x" * 251 + ".png"
    folder, name = fitting(f"{'ü' * 300}/{'é' * 200}", ".png").split("/")
    assert len(folder.encode()) <= 255 and len(name.encode()) <= 255 and name.endswith(".png")


NAMES = [
    "a\nb.png",
    "a\r\nb.png",
    "a\rb.png",
    'say "cell".png',
    "1,5 Gy;x.png",
    " a .png",
    "é中.png",
    "'.png",
    r"a\n.png",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_out_of_a_table(tmp_path, name):
    (tmp_path / "t.csv").write_bytes(csv_bytes([["image", "n"], [name, 1], ["plain.png", 2]]))
    assert read_rows(tmp_path / "t.csv") == (["image", "n"], [[name, "1"], ["plain.png", "2"]])


@pytest.mark.parametrize("name", [n for n in NAMES if n[0] not in "=+-@'\t"])
def test_a_name_comes_back_out_of_a_table_by_any_reader(tmp_path, name):
    (tmp_path / "t.csv").write_bytes(csv_bytes([["image", "n"], [name, 1]]))
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["image", "n"], [name, "1"]]


def test_no_name_is_a_formula():
    """OWASP, CSV injection; numbers stay numbers."""
    lines = csv_bytes([["=cmd|' /C calc'!A0.png", "-1.5", "@SUM(1,1).png", "-1+1.png", "1e-5"]]).decode()
    assert next(csv.reader([lines])) == [
        "'=cmd|' /C calc'!A0.png",
        "-1.5",
        "'@SUM(1,1).png",
        "'-1+1.png",
        "1e-5",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"a,a\n1,2\n", "different headings"),
        (b"a,b\n1\n", "got 1 in row 2"),
        (b'a,b\n"1,2\n', "unexpected end"),
        (b"a,b\n\xff,2\n", "something else"),
        (b"a,b\n1,2\n\n", "got 0 in row 3"),
    ],
)
def test_a_table_of_our_own_that_is_none_is_named(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(FileError, match=rf"t\.csv: .*{words}"):
        read_rows(tmp_path / "t.csv")
