"""Whole or not at all: full disks, long names, planted links, what a killed process leaves."""

import os
import stat
from pathlib import Path

import pytest

from cytally.errors import ImageError, OutputError
from cytally.files.atomic import is_part, remove_parts, replacing, write_bytes, write_text


class Killed(BaseException):
    pass


def test_a_name_of_255_bytes_is_written(tmp_path):
    """Fault 19: a name at the limit of the disk leaves no room for an ending."""
    for name in ("x" * 255, "ü" * 127):
        write_bytes(tmp_path / name, b"all")
        assert (tmp_path / name).read_bytes() == b"all"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("place", ["nowhere/a.csv", "x" * 256, "file/a.csv"])
def test_what_cannot_be_written_is_an_error_of_its_own(tmp_path, place):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written") as raised:
        write_bytes(tmp_path / place, b"all")
    assert not isinstance(raised.value, ImageError)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_bytes(tmp_path / "a.csv", b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.csv: cannot be written \(No space left on device\)"):
        write_bytes(tmp_path / "a.csv", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"] and (tmp_path / "a.csv").read_bytes() == b"old"


def test_a_link_planted_under_a_name_that_could_be_foretold_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "a.csv.part").symlink_to(tmp_path / "victim")
    write_bytes(tmp_path / "a.csv", b"all")
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a.csv", b"all")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o640


def test_names_that_are_not_utf8_are_escaped_in_text(tmp_path):
    write_text(tmp_path / "a.html", "<p>m\udce9taphase</p>")
    assert (tmp_path / "a.html").read_bytes() == b"<p>m\\xe9taphase</p>"


def test_a_writer_that_chooses_by_the_ending_gets_it(tmp_path):
    with replacing(tmp_path / "a.gif", ".gif") as beside:
        assert beside.suffix == ".gif" and is_part(beside)
        beside.write_bytes(b"all")
    assert (tmp_path / "a.gif").read_bytes() == b"all"


def test_what_a_killed_process_left_is_swept_except_where_another_is_at_work(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # killed before it could tidy up
    for folder in (tmp_path, tmp_path / "masks", tmp_path / "theirs"):
        folder.mkdir(exist_ok=True)
        with pytest.raises(Killed), replacing(folder / "a.csv") as beside:
            beside.write_bytes(b"ha")
            raise Killed
    monkeypatch.undo()
    (tmp_path / "theirs" / ".lock").touch()
    (tmp_path / ".hidden.part").touch()  # not ours
    remove_parts(tmp_path)
    left = sorted(p.relative_to(tmp_path).parent.name for p in tmp_path.rglob("*") if is_part(p))
    assert left == ["theirs"] and (tmp_path / ".hidden.part").exists()
