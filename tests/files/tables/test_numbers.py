"""Text of a cell -> number: nothing that could be read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.files.tables.numbers import real, whole


@given(st.integers(0, 999_999_999))
def test_a_count_in_plain_digits_is_that_count(count):
    assert whole(str(count)) == whole(f"{count}.0") == whole(f"{count}.00") == count


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,000", "write 1000"),
        ("1.000", "write 1000"),
        ("1 000", "write 1000"),
        ("1\u202f000", "write 1000"),
        ("1\xa0000", "write 1000"),
        ("1'000", "write 1000"),
        ("1’000", "write 1000"),
        ("1_000", "write 1000"),
        ("12,345,678", "write 12345678"),
        ("+1,000", "write 1000"),
        ("1e3", "write the number out"),
        ("1E+3", "write the number out"),
        ("1e300", "write the number out"),
        ("+5", "write 5"),
        ("-5", "0 or more"),
        ("5.5", "no fraction"),
        ("5,5", "no fraction"),
        ("5.0000", "no fraction"),
        ("2024-03-12", "made a date of it"),
        ("12.03.2024", "made a date of it"),
        ("n.d.", "leave the line out"),
        ("-", "leave the line out"),
        ("000", "a zero in front may be the end of a number such as 1,000"),
        ("05", "a zero in front"),
        ("5.", "no fraction"),
        ("²", "digits 0 to 9"),
        ("1²", "digits 0 to 9"),
        ("٥٠٠", "digits 0 to 9"),
        ("５", "digits 0 to 9"),
        ("", "empty"),
        ("nan", "leave the line out"),
        ("inf", "digits only"),
        ("0x10", "digits only"),
        ("5_00", "digits only"),
        ("5 cells", "digits only"),
        ("many", "digits only"),
        ("TRUE", "digits only"),
        ("1000000000", "more than anybody counts"),
        ("1" * 5000, "more than anybody counts"),
    ],
)
def test_a_count_that_is_not_plain_is_refused_by_name(text, words):
    with pytest.raises(ValueError, match=words):
        whole(text)


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("0", False, 0.0),
        ("0.25", False, 0.25),
        (".5", False, 0.5),
        ("2.", False, 2.0),
        ("1e-3", False, 1e-3),
        ("-0.5", False, -0.5),
        ("0,25", True, 0.25),
        (",5", True, 0.5),
        ("1,250", True, 1.25),
        ("1.250", True, 1.25),
    ],
)
def test_real_numbers(text, comma, value):
    assert real(text, comma=comma) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("nan", "finite"),
        ("-inf", "finite"),
        ("Infinity", "finite"),
        ("NA", "finite"),
        ("1e300", "too large"),
        ("0,25", "a comma parts columns"),
        ("1_000", "decimal point only"),
        ("²", "decimal point only"),
        ("+1", "decimal point"),
        ("1,000.5", "decimal point only"),
        ("2026-05-02", "made a date"),
        ("1e9999", "decimal point only"),
        ("٢", "decimal point"),
    ],
)
def test_what_is_no_plain_number_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        real(text)


def test_a_comma_before_three_digits_where_thousands_are_possible():
    with pytest.raises(ValueError, match="may part thousands or decimals"):
        real("1,024", comma=True, grouped=True)
    assert real("0,125", comma=True, grouped=True) == 0.125
    assert real("10,5", comma=True, grouped=True) == 10.5
