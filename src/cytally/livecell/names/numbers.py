"""Numbers without a word: which of them counts the frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from cytally.errors import ImageError
from cytally.livecell.names.schemes import Part, Role

#: The number with most values is the time only where it has so many times more than the next.
_CLEAR = 1.5
#: A number counts frames where no more than one of two frames is missing, or, if none does, three of four.
_HOLES = (2, 4)


def consecutive_slot(names: Sequence[Sequence[Part]], folders: Sequence[str], example: str) -> int | None:
    """The number that takes consecutive values while all other parts are fixed.

    Parameters
    ----------
    names : sequence of sequence of Part
        Of one layout: the same roles in the same order.
    folders : sequence of str
        Where each lies.
    example : str
        A name, for the message.

    Raises
    ------
    ImageError
        Two numbers with about as many values.
    """
    slots = [k for k, part in enumerate(names[0]) if part.role is Role.NUMBER]
    counts = {k: 0 for k in slots}
    for holes in _HOLES:
        counts = {k: _values(names, folders, k, holes) for k in slots}
        if max(counts.values(), default=0) > 1:
            break
    ranked = sorted((k for k in slots if counts[k] > 1), key=lambda k: counts[k], reverse=True)
    if len(ranked) > 1 and counts[ranked[0]] < _CLEAR * counts[ranked[1]]:
        one, two = (names[0][k].text for k in ranked[:2])
        raise ImageError(
            f"{example}: expected one number that counts the frames, but {one} ({counts[ranked[0]]} values) and "
            f"{two} ({counts[ranked[1]]} values) both may; give --pattern with groups position and frame"
        )
    return ranked[0] if ranked else None


def too_far_apart(names: Sequence[Sequence[Part]], folders: Sequence[str]) -> int | None:
    """A number that takes several values while all else is fixed, but with too many missing between them."""
    slots = (k for k, part in enumerate(names[0]) if part.role is Role.NUMBER)
    return next((k for k in slots if _values(names, folders, k, None) > 1), None)


def _values(names: Sequence[Sequence[Part]], folders: Sequence[str], slot: int, holes: int | None) -> int:
    """Most values with all else fixed; 0 where they are too far apart to count anything."""
    groups: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for folder, parts in zip(folders, names, strict=True):
        groups[folder, *(part.text for k, part in enumerate(parts) if k != slot)].add(int(parts[slot].value))
    return max(
        (len(values) for values in groups.values() if holes is None or _consecutive(sorted(values), holes)),
        default=0,
    )


def _consecutive(values: list[int], holes: int) -> bool:
    """At least one of `holes` that lie between the first and the last is there, by the usual step."""
    steps = [b - a for a, b in pairwise(values)]
    usual = max(set(steps), key=lambda step: (steps.count(step), -step), default=1)
    return not steps or (values[-1] - values[0]) / usual + 1 <= holes * len(values)
