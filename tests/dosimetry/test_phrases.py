"""The catalogue of sentences: the same in both languages, nothing forgotten, nothing left over."""

import re
import string
import tomllib
from pathlib import Path

import pytest

import cytally.dosimetry
from cytally.dosimetry.phrases import LANGUAGES, NOTES, Note, Words, catalogue

SOURCE = Path(cytally.dosimetry.__file__).parent


def places(sentence):
    return len([field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None])


def test_both_languages_say_the_same_things_with_as_many_numbers():
    english, french = (
        {(table, key): said for table, keys in catalogue(language).items() for key, said in keys.items()}
        for language in LANGUAGES
    )
    assert set(english) == set(french) and {table for table, _ in english} == {"report", "note", "figure", "noun"}
    assert {k: places(v) for k, v in english.items()} == {k: places(v) for k, v in french.items()}
    same = {
        key
        for table, key in english
        if english[table, key] == french[table, key] and re.search("[a-z]{4}", english[table, key])
    }
    assert same <= {"dose_axis", "culture", "signatures", "Poisson", "quasi-Poisson", "line"}, (
        "forgotten in translation?"
    )


@pytest.mark.parametrize("key", sorted(NOTES))
def test_a_note_reads_alike_on_the_screen_and_in_a_report(key):
    assert Words("en").note(Note(key, 2.345)) == str(Note(key, 2.345))


def test_no_sentence_is_there_for_nothing():
    """Every key of the report stands in the code, or is a word of a curve, a sample or a method."""
    code = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    words = [*re.findall(r"[A-Za-z0-9_+-]+", code), "as published"]
    assert {key for key in catalogue("en")["report"] if key not in words} == set()
    noted = "".join((SOURCE / name).read_text() for name in ("estimation/notes.py", "assays/translocations.py"))
    assert {key for key in NOTES if f'"{key}"' not in noted} == set()


def test_the_catalogue_is_part_of_the_package():
    """What setuptools takes along: a pattern of pyproject.toml that these files match."""
    patterns = tomllib.loads((SOURCE.parents[2] / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    taken = {path for pattern in patterns["cytally"] for path in SOURCE.parent.glob(pattern)}
    tables = set(SOURCE.parent.rglob("*.toml"))
    assert {path.name for path in tables} >= {"en.toml", "fr.toml", "columns.toml"} and tables <= taken


def test_a_note_that_nobody_translated_is_still_said(monkeypatch):
    monkeypatch.setitem(NOTES, "new", "something new (x = {:.1f})")
    assert Words("fr").note(Note("new", 2.0)) == "something new (x = 2.0)"
    assert Words("fr").note(Note("overdispersed", 2.345)).startswith("surdispersion (u = 2,35)")
