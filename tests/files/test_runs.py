"""run.json: other settings refused, damaged ones named, finished told from interrupted."""

import json

import pytest

from cytally.errors import RunError
from cytally.files.json import write_json
from cytally.files.runs import Call, begin, check_finished, finish, locked, read_record

CALL = Call(
    {"detector": "0123", "levels": (0.5, (1, 2)), "inputs": ("/a",)},
    "0.1",
    "now",
    [("a.png", "aa"), ("b.png", "bb")],
    free=("inputs",),
)


def test_a_run_is_interrupted_until_its_tables_are_written(tmp_path):
    assert begin(tmp_path, CALL) is None
    with pytest.raises(RunError, match="was interrupted: 1 of 2 images; run score again to finish"):
        check_finished(tmp_path, read_record(tmp_path), {("a.png", "aa"), ("b.png", "of an older file")}, "score")
    (tmp_path / "cells.csv").write_text("image\na.png\n")
    finish(tmp_path, ["cells.csv"])
    check_finished(tmp_path, read_record(tmp_path), set(), "score")
    write_json(tmp_path / "run.json", json.loads((tmp_path / "run.json").read_text()) | {"runtime": "onnx"})
    begin(tmp_path, CALL)
    assert json.loads((tmp_path / "run.json").read_text())["runtime"] == "onnx"  # what others noted is kept
    begin(tmp_path, CALL)  # and again while the next call is at work
    with pytest.raises(RunError, match="was interrupted: 0 of 2"):
        check_finished(tmp_path, read_record(tmp_path), set(), "score")


def test_a_table_changed_by_hand_is_refused(tmp_path):
    begin(tmp_path, CALL)
    (tmp_path / "cells.csv").write_text("image\na.png\n")
    finish(tmp_path, ["cells.csv"])
    (tmp_path / "cells.csv").write_text("image\r\na.png\r\n")
    with pytest.raises(RunError, match=r"cells\.csv was changed after the run was finished"):
        check_finished(tmp_path, read_record(tmp_path), set(), "score")
    (tmp_path / "cells.csv").unlink()
    with pytest.raises(RunError, match=r"cells\.csv is gone; run score again"):
        check_finished(tmp_path, read_record(tmp_path), set(), "score")


def test_other_settings_are_refused_and_free_ones_noted(tmp_path):
    begin(tmp_path, CALL)
    other = Call({**CALL.settings, "detector": "4567"}, "0.1", "now", free=("inputs",))
    with pytest.raises(RunError, match="holds a run with other detector; give another --out"):
        begin(tmp_path, other)
    moved = Call({**CALL.settings, "inputs": ("/b",)}, "0.2", "later", free=("inputs",))
    assert begin(tmp_path, moved).settings["inputs"] == ["/a"]
    record = read_record(tmp_path)
    assert record.settings["inputs"] == ["/b"] and (record.version, record.started) == ("0.1", "now")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"settings": 1}',
        b'{"version": "0.1"}',
        b"\xff\xfe",
        b'{"settings": {}, "planned": [["a.png"]]}',
        b'{"settings": {}, "tables": {"a": 1}}',
    ],
)
def test_a_damaged_run_json_says_what_to_do(tmp_path, content):
    begin(tmp_path, CALL)
    (tmp_path / "run.json").write_bytes(content)
    for attempt in (lambda: read_record(tmp_path), lambda: begin(tmp_path, CALL)):
        with pytest.raises(RunError, match=r"run\.json.*put a copy of this file back, or give another --out"):
            attempt()


def test_what_a_killed_process_left_does_not_make_the_folder_foreign(tmp_path):
    (tmp_path / ".0123456789abcdef.part").write_bytes(b'{"sett')
    with locked(tmp_path):
        begin(tmp_path, CALL)
    assert {p.name for p in tmp_path.iterdir()} == {".lock", "run.json"}
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty and not a run"):
        begin(tmp_path / "thesis", CALL)


def test_runs_of_older_versions_are_read(tmp_path):
    write_json(tmp_path / "run.json", {"settings": {"a": 1}, "version": "0.1", "started": "then", "machine": {}})
    record = read_record(tmp_path)
    check_finished(tmp_path, record, set(), "score")
    assert json.loads((tmp_path / "run.json").read_text())["settings"] == record.settings
