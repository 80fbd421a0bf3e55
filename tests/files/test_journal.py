"""A journal loses what was damaged, and nothing else."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.errors import FileError, OutputError
from cytally.files import journal as room
from cytally.files.journal import Journal, open_journal, read_journal

LINES = [{"image": f"{k}.png", "counts": [k, 0.1 * k, None], "place": {"row": 1e-7}} for k in range(5)]


def written(path, lines=LINES):
    with open_journal(path, dict) as journal:
        for line in lines:
            journal.append(line)
    return path.read_bytes()


def test_lines_come_back(tmp_path):
    written(tmp_path / "j")
    assert list(read_journal(tmp_path / "j", dict).whole) == LINES
    assert read_journal(tmp_path / "none", dict).whole == ()


def test_a_line_cut_short_is_dropped_without_a_word_and_the_rest_goes_on(tmp_path):
    content = written(tmp_path / "j")
    (tmp_path / "j").write_bytes(content[:-20])
    assert read_journal(tmp_path / "j", dict).damaged == ()
    assert written(tmp_path / "j", LINES[-1:]) == content


@given(st.data())
def test_any_byte_changed_is_noticed(tmp_path_factory, data):
    """Whatever happens to one byte, every line read is one that was written, and a lost one is counted."""
    path = tmp_path_factory.mktemp("j") / "j"
    content = bytearray(written(path))
    place = data.draw(st.integers(0, len(content) - 2))  # the last end of line is a line cut short
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    found = read_journal(path, dict)
    assert all(line in LINES for line in found.whole) and len(found.whole) >= 3
    lost = len(LINES) - len(found.whole)
    assert lost == 0 or found.damaged


@pytest.mark.parametrize("line", [b"", b"null", b"[1]", b"{", b"\xff", b'{"image": 1, "image": 2}', b"\x00" * 40])
def test_damaged_lines_are_counted_and_dropped(tmp_path, line):
    parts = written(tmp_path / "j").split(b"\n")
    (tmp_path / "j").write_bytes(b"\n".join([parts[0], line, *parts[1:]]))
    assert read_journal(tmp_path / "j", dict).damaged == (2,)
    with open_journal(tmp_path / "j", dict):
        pass
    assert (tmp_path / "j").read_bytes() == b"\n".join(parts)


def test_what_the_reader_refuses_is_damaged_too(tmp_path):
    written(tmp_path / "j")
    found = read_journal(tmp_path / "j", lambda line: line if line["image"] != "2.png" else None)
    assert found.damaged == (3,) and len(found.whole) == 4


def test_lines_of_older_versions_have_no_checksum(tmp_path):
    (tmp_path / "j").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    assert list(read_journal(tmp_path / "j", dict).whole) == LINES


def test_a_journal_that_is_a_folder_is_one_clear_error(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        read_journal(tmp_path, dict)


def test_a_full_disk_is_told(tmp_path):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        Journal(Full(), tmp_path / "j").append({"a": 1})


def test_lines_are_on_the_disk_soon(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.setattr(room, "_SYNC", -1.0)
    written(tmp_path / "j")
    assert len(synced) >= len(LINES)
