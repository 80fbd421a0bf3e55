"""Bytes -> text: what each encoding gives, and what is refused."""

from pathlib import Path

import pytest

from cytally.errors import FileError
from cytally.files.text import Text, decode_text, lines_of, read_bytes, read_text

HERE = Path("t.csv")
SAID = "sample;Müller–1…\n"


@pytest.mark.parametrize(
    ("encoding", "guessed"),
    [
        ("utf-8", False),
        ("utf-8-sig", False),
        ("utf-16", False),
        ("cp1252", True),
    ],
)
def test_the_same_words_in_all_encodings(tmp_path, encoding, guessed):
    (tmp_path / "t.csv").write_bytes(SAID.encode(encoding))
    assert read_text(tmp_path / "t.csv", "a table") == Text(SAID, guessed)
    assert decode_text(b"\xfe\xff" + SAID.encode("utf-16-be"), HERE, "a table") == Text(SAID)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\0c", "got something else .NUL bytes"),
        (SAID.encode("utf-16-le"), "UTF-16 without byte-order mark"),
        (b"\xef\xbb\xbfM\xfcller", "begins as UTF-8, but byte 1 is not"),
        (b"\xff\xfea", "begins as UTF-16, but byte"),
        ("\ufeffa\0b".encode("utf-16-le"), "NUL characters"),
        (SAID.encode("utf-32"), "got UTF-32; save it as UTF-8"),
        (b"a\x81b", "byte 1 .0x81. is none of them"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content, words):
    with pytest.raises(FileError, match=words):
        decode_text(content, HERE, "a table")


def test_a_file_that_is_gone_or_too_large(tmp_path):
    with pytest.raises(FileError, match="expected a table, found no such file"):
        read_bytes(tmp_path / "t.csv", "a table")
    with pytest.raises(FileError, match="found no such file"):
        read_bytes(tmp_path, "a table")
    (tmp_path / "t.csv").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(FileError, match="expected a table of at most 1 MB, got a larger file"):
        read_bytes(tmp_path / "t.csv", "a table", 2**20)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_numbered_as_an_editor_does(end):
    text = end.join(["a,b", "", '"c', 'd",e', "f,g"])
    found = list(lines_of(text, ",", HERE))
    assert [number for number, _ in found] == [1, 2, 3, 5]
    assert [cells for _, cells in found] == [["a", "b"], [], [f"c{end}d", "e"], ["f", "g"]]


def test_only_line_ends_end_lines():
    """Windows-1252's ellipsis is 0x85, which str.splitlines takes for a line end."""
    assert list(lines_of("a\x85b\u2028c\x0bd,e\n", ",", HERE)) == [(1, ["a\x85b\u2028c\x0bd", "e"])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a,b\n"A,1\nB,2\n', "line 2: cannot be parted into cells .*is a quote not closed"),
        ('a,b\n"A,1\nB",2\n', "line 2: a cell holds whole lines"),
        ('a,b\nA,"note\nB,2\n"\n', "line 2: a cell holds whole lines"),
        ("a,b\n" + "x" * 40_000 + ",1\n", "line 2: a cell of 40000 characters"),
        ("a,b\n" + "x" * 140_000 + ",1\n", "line 2: cannot be parted"),
        ("a,b\n" + "," * 2_000 + "\n", "line 2: expected at most 200000 lines of 2000 cells"),
        ("\n" * 200_001, "line 200001: expected at most 200000 lines"),
        ("," * 1_000_001, "line 1: expected lines of at most 1000000 characters"),
        ((("," * 1_999) + "\n") * 2_001, "line 2001: .*4000000 in all"),
    ],
)
def test_quotes_and_sizes_are_taken_strictly(text, words):
    with pytest.raises(FileError, match=words):
        list(lines_of(text, ",", HERE))
