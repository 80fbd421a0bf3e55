"""Text of a cell -> number; what could be read in two ways is refused, with the way to write it.

Every function raises ValueError with words that follow "got ...; " in a message.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"([0-9]+)(\.00?)?")
#: More than nine digits of cells nobody has counted.
_DIGITS = 9
#: Neither a dose, nor a place, nor a weight is as large.
_LARGEST = 1e12
_GROUPS = re.compile(r"\+?[0-9]{1,3}(?:[,.'’´_\s][0-9]{3})+")
_POINT = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_COMMA = re.compile(r"-?[0-9]*,[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-](?:[0-9]{4}|[0-9]{2})\b")
_DATED = "a spreadsheet has made a date of it, or the columns are shifted"
_NONE = ("nd", "n.d", "na", "n/a", "nan", "none", "null", "-", "–", "—", "?", "x")
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}[,.][0-9]{3}")


def whole(text: str) -> int:
    """A count: 0 or more, in plain digits.

    A spreadsheet's `5.0` or `5.00` is the same number and cannot be anything else; `5.000` may be 5000.

    Raises
    ------
    ValueError
        Nothing, a sign, a fraction, an exponent, digits of another script, separators
        (`1,000` may be 1 or 1000), a zero in front (`000` may be the rest of `1,000`), or more than nine digits.

    Examples
    --------
    >>> whole("500"), whole("38.0")
    (500, 38)
    >>> whole("1,000")
    Traceback (most recent call last):
    ValueError: a separator inside a count may be a decimal mark; if 1000 is meant, write 1000
    """
    plain = _WHOLE.fullmatch(text)
    if plain is None:
        raise ValueError(_why_not_whole(text))
    if len(plain[1]) > 1 and plain[1][0] == "0":
        raise ValueError(
            "a zero in front may be the end of a number such as 1,000; write 1000, or the digits without that zero"
        )
    digits = plain[1]
    if len(digits) > _DIGITS:
        raise ValueError("that is more than anybody counts; is it the right column?")
    return int(digits)


def _why_not_whole(text: str) -> str:
    digits = "".join(re.findall(r"[0-9]+", text))
    if not text:
        return "the cell is empty; write 0 where none was found"
    if not text.isascii() and any(c.isnumeric() and not c.isascii() for c in text):
        return "write it with the digits 0 to 9"
    if re.fullmatch(r"-[0-9.,]+", text):
        return "a count is 0 or more"
    if _GROUPS.fullmatch(text):
        return f"a separator inside a count may be a decimal mark; if {digits} is meant, write {digits}"
    if re.fullmatch(r"\+[0-9]+", text):
        return f"write {digits}"
    if re.fullmatch(r"[0-9.]+[eE][+-]?[0-9]+", text):
        return "write the number out"
    if re.fullmatch(r"[0-9]*[.,][0-9]+|[0-9]+[.,]", text):
        return "a count has no fraction"
    if _DATE.match(text):
        return _DATED
    if text.lower().strip(".") in _NONE:
        return "that is no count; leave the line out, or write 0 where none was found"
    return "write digits only"


def real(text: str, *, comma: bool = False, grouped: bool = False) -> float:
    """A finite number with a decimal point.

    Parameters
    ----------
    text : str
    comma : bool
        Whether a decimal comma is unambiguous here: not where commas part the cells.
    grouped : bool
        Whether the number may well be above 999 here, so that `1,024` is refused.

    Raises
    ------
    ValueError
        Nothing, no number, NaN or infinity, separators or digits of another script.

    Examples
    --------
    >>> real("0.25"), real("0,25", comma=True), real("1e-3")
    (0.25, 0.25, 0.001)
    """
    if comma and _COMMA.fullmatch(text):
        if grouped and _THOUSANDS.fullmatch(text):
            raise ValueError("the comma may part thousands or decimals; write a decimal point, or no comma")
        return float(text.replace(",", "."))
    if not _POINT.fullmatch(text):
        raise ValueError(_why_not_real(text))
    value = float(text)
    if not abs(value) < _LARGEST:
        raise ValueError("the number is too large")
    return value


def _why_not_real(text: str) -> str:
    if not text:
        return "the cell is empty"
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity", "na", "n/a", "null", "none"):
        return "a finite number is needed"
    if _COMMA.fullmatch(text):
        return "write a decimal point; a comma parts columns here"
    if _DATE.match(text):
        return _DATED
    if re.match(r"[<>≤≥~≈]", text):
        return "a limit is no number; give the estimate, or leave the line out"
    return "write digits and a decimal point only"
