"""A name -> a method."""

from __future__ import annotations

from cytally.errors import SettingsError
from cytally.flow.methods.cells import Components
from cytally.flow.methods.dense import (
    Dense,
    Masked,
    farneback,
    inverse_search,
    iterative_lucas_kanade,
    total_variation,
)
from cytally.flow.methods.foreground import ForegroundSettings
from cytally.flow.methods.protocol import FlowMethod

DEFAULT = "components"
_DENSE: dict[str, Dense] = {
    "farneback": farneback,
    "dis": inverse_search,
    "tvl1": total_variation,
    "ilk": iterative_lucas_kanade,
}
#: Every method by its name, the default first.
METHODS = (DEFAULT, *_DENSE)


def method_named(name: str, foreground: ForegroundSettings | None = None) -> FlowMethod:
    """The method of a name.

    Raises
    ------
    SettingsError
        No method of that name.
    """
    foreground = foreground or ForegroundSettings()
    if name == DEFAULT:
        return Components(foreground)
    if name not in _DENSE:
        raise SettingsError(f"expected one of the methods {', '.join(METHODS)}, got {name!r}")
    return Masked(name, _DENSE[name], foreground)
