"""How long work says how far it is: a callback that every long function takes."""

from collections.abc import Callable

#: Called with (stage in words, steps done, steps in all).
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Say nothing."""
