"""What became of each image of a run. Needs no network."""

from __future__ import annotations

from dataclasses import dataclass

from cytally.types import Detections


@dataclass(frozen=True)
class ScoredCell:
    """What became of one image.

    Attributes
    ----------
    image : str
        Name in all tables.
    status : str
        "scored", or "skipped: " and the reason.
    detections : Detections
    objects : int
        Chromosome-like objects, a rough count of pieces.
    scale : float
        Pixels that the networks saw per pixel of the image.
    sha256 : str
        Hash of the file, "" if it could not be read.
    notes : tuple of str
        What was converted or not believed on the way: colours, transparency, pixel size.
    """

    image: str
    status: str
    detections: Detections
    objects: int = 0
    scale: float = 1.0
    sha256: str = ""
    notes: tuple[str, ...] = ()

    @property
    def scored(self) -> bool:
        """Whether the cell counts."""
        return self.status == "scored"
