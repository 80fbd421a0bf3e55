"""Numbers and nouns: one is never a plural."""

import pytest

from cytally.dosimetry.phrases import Words
from cytally.wording import counted


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [
        (1, "dicentrics", "1 dicentric"),
        (0, "dicentrics", "0 dicentrics"),
        (2, "cells", "2 cells"),
        (1, "micronuclei", "1 micronucleus"),
        (1, "laboratories", "1 laboratory"),
        (1, "nuclei", "1 nucleus"),
        (1, "usable fields", "1 usable field"),
        (1, "mass", "1 mass"),
    ],
)
def test_numbers_have_their_noun(number, noun, said):
    assert counted(number, noun) == said


def test_french_takes_the_singular_for_nought():
    assert [Words("fr").counted(n, "cell") for n in (0, 1, 2)] == ["0 cellule", "1 cellule", "2 cellules"]
    assert [Words("en").counted(n, "dicentric") for n in (0, 1, 2)] == [
        "0 dicentrics",
        "1 dicentric",
        "2 dicentrics",
    ]


def test_several_parts_in_a_sentence():
    words = Words("en")
    assert [words.listed(list(parts)) for parts in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert Words("fr").listed(["a", "b"], "or") == "a ou b"
