"""JSON from outside: everything wrong is one error that says what."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.errors import FileError
from cytally.files import json as border
from cytally.files.json import parse_json, read_json, write_json

BAD = {
    b"": "expected JSON",
    b"{": "expected JSON",
    b'{"a": 1} x': "expected JSON",
    b'{"a": \xff}': "expected JSON",
    b'{"a": 1, "a": 2}': "the key 'a' stands twice",
    b'{"a": NaN}': "NaN is no number",
    b'{"a": [-Infinity]}': "-Infinity is no number",
    b'{"a": 1e999}': "too large",
    b'{"a": 9223372036854775808}': "too large",
    b'{"a": ' + b"9" * 5000 + b"}": "too large",
    b"[" * 60 + b"]" * 60: "at most 50 levels",
    b"[" * 100_000 + b"]" * 100_000: "at most 50 levels",
    b'{"a":' * 60 + b"1" + b"}" * 60: "at most 50 levels",
}


@pytest.mark.parametrize("content", sorted(BAD), ids=lambda content: repr(content[:12]))
def test_what_is_wrong_is_said(content):
    with pytest.raises(FileError, match=f"^card: .*{BAD[content]}"):
        parse_json(content, "card")


def test_a_file_too_large_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(border, "LARGEST", 2**20)
    (tmp_path / "a.json").write_bytes(b'"' + b"x" * 2**20 + b'"')
    with pytest.raises(FileError, match="at most 1 MB of JSON"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileError, match=r"a\.json: cannot be read \(No such file"):
        read_json(tmp_path / "a.json")
    with pytest.raises(FileError, match="cannot be read"):
        read_json(tmp_path)


def test_what_python_writes_is_read_where_it_is_asked_for():
    assert parse_json(b"[NaN, Infinity, 1e999]", "state", infinite=True)[1:] == [float("inf")] * 2
    assert parse_json(b"\xef\xbb\xbf[1]", "saved by an editor") == [1]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_json_of_our_own_comes_back(content):
    assert parse_json(json.dumps(content).encode(), "own") == content


def test_written_whole(tmp_path):
    write_json(tmp_path / "a.json", {"a": "\udcfc"})
    assert read_json(tmp_path / "a.json") == {"a": "\udcfc"}
