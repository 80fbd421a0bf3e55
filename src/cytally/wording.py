"""Numbers and their nouns, in plain English."""

from __future__ import annotations

_IRREGULAR = {"micronuclei": "micronucleus", "nuclei": "nucleus"}


def counted(number: int, noun: str) -> str:
    """A number with its noun: one has no plural.

    Parameters
    ----------
    number : int
    noun : str
        In the plural.

    Examples
    --------
    >>> counted(1, "dicentrics"), counted(0, "cells"), counted(1, "micronuclei"), counted(1, "laboratories")
    ('1 dicentric', '0 cells', '1 micronucleus', '1 laboratory')
    """
    return f"{number} {singular(noun) if number == 1 else noun}"


def singular(noun: str) -> str:
    """The singular of a noun given in the plural; anything that is no plural stays as it is."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun
