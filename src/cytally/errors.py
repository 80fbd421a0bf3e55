"""Everything that can go wrong, as one tree.

CytallyError
├── InputError              what was given cannot be used
│   ├── FileError           a file that cannot be read as what it should be
│   ├── ImageError          an image that cannot be read or makes no sense
│   ├── LabelError          a label table that contradicts itself or its images
│   ├── EnsembleError       a missing, changed or foreign part of an ensemble
│   └── CountsError         counts or a curve from which no dose follows
├── OutputError             what cannot be written
├── SettingsError           two settings that do not belong together
└── RunError                a run folder that cannot be continued
    └── RunLockedError      another process is writing into it

Every message says what was expected, what came, and what to do next.
"""


class CytallyError(Exception):
    """Root of all errors that cytally raises on purpose."""


class InputError(CytallyError):
    """What was given cannot be used.

    Parameters
    ----------
    reason : str
        What was expected, what came, and what to do.
    place : str
        The file that is meant, as it can be printed; the message begins with it. "" where the reason says all.

    Examples
    --------
    >>> error = ImageError("expected grey or RGB", "cells/a.png")
    >>> str(error), error.beside("cells/a.png"), error.beside("cells/b.png")
    ('cells/a.png: expected grey or RGB', 'expected grey or RGB', 'cells/a.png: expected grey or RGB')
    """

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason, self.place = reason, place

    def beside(self, place: str) -> str:
        """What to say where `place` stands already: the reason alone, or all of it where another file is meant."""
        return self.reason if place == self.place else str(self).removeprefix(f"{place}: ")


class FileError(InputError):
    """A file that cannot be read as what it should be: encoding, damage, size."""


class ImageError(InputError):
    """An image that cannot be read, or whose pixels make no sense."""


class LabelError(InputError):
    """A label table that contradicts itself or the images beside it."""


class EnsembleError(InputError):
    """A missing, changed, unknown or foreign part of an ensemble."""


class CountsError(InputError):
    """Counts or a curve from which no dose follows."""


class OutputError(CytallyError):
    """A result that cannot be written: a full or read-only disk, a name that it refuses."""


class SettingsError(CytallyError):
    """Two settings that do not belong together."""


class RunError(CytallyError):
    """A run folder that cannot be continued."""


class RunLockedError(RunError):
    """Another process is writing into the same run folder."""
