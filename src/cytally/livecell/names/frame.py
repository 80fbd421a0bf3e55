"""What the name of an image says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

#: Position of an image whose name tells no more than the time.
NAMELESS = "field"


@dataclass(frozen=True)
class Naming:
    """How names are to be read.

    Attributes
    ----------
    pattern : str, optional
        For file names, see `understand`.
    numbered : bool
        Numbers without a word are times.
    """

    pattern: str | None = None
    numbered: bool = False


@dataclass(frozen=True, order=True)
class FrameName:
    """What the name of an image says.

    Attributes
    ----------
    position : str
        Everything but channel, plane and time: one tile of one well.
    time : int
        Frame number; minutes where the name holds a clock or a date (seconds where it holds those);
        0 where neither.
    well : str
        "" where the name holds none.
    path : Path
    channel : str
        As written, several words joined by a blank; "" where the name holds none.
    z : str
        Number of the focal plane; "" where the name holds none.
    hours : float or None
        Since the first image of the folder, where the name holds a clock or a date.
    timed : bool
        The name holds a time.
    """

    position: str
    time: int
    well: str
    path: Path
    channel: str = field(default="", compare=False)
    z: str = field(default="", compare=False)
    hours: float | None = field(default=None, compare=False)
    timed: bool = field(default=False, compare=False)
