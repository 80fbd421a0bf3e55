"""What became of each image of a run, and how the journal keeps it. Needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytally.images.inputs import copies
from cytally.types import Detections, FloatArray, Skipped

#: Status of a cell that counts.
SCORED = "scored"
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Votes = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class ScoredCell:
    """What became of one image.

    Attributes
    ----------
    image : str
        Name in all tables.
    detections : Detections
    objects : int
        Chromosome-like objects, a rough count of pieces.
    scale : float
        Pixels that the networks saw per pixel of the image.
    sha256 : str
        Hash of the file, "" if it could not be read.
    notes : tuple of str
        What was converted or not believed on the way: colours, transparency, pixel size; what to look at.
    picture : str
        Hash of the decoded picture (`images.inputs.hash_of_picture`), "" where that is not known.
    skipped : Skipped or None
        Why it does not count; None where it does.
    """

    image: str
    detections: Detections
    objects: int = 0
    scale: float = 1.0
    sha256: str = ""
    notes: tuple[str, ...] = ()
    picture: str = ""
    skipped: Skipped | None = None

    @property
    def scored(self) -> bool:
        """Whether the cell counts."""
        return self.skipped is None

    @property
    def status(self) -> str:
        """As tables and the journal write it."""
        return SCORED if self.skipped is None else self.skipped.status


def without_repeats(cells: Sequence[ScoredCell]) -> list[ScoredCell]:
    """Cells, of which those that show the same picture as another are skipped, in whatever format they are.

    Of several the one of the shortest name counts, as of copied files.
    """
    twins = copies({cell.image: cell.picture if cell.scored else "" for cell in cells})
    return [
        replace(
            cell,
            skipped=Skipped(cell.image, f"the same picture as {twins[cell.image]}"),
            detections=Detections.empty(cell.detections.members),
        )
        if cell.image in twins
        else cell
        for cell in cells
    ]


class _Line(BaseModel):
    """What a line must hold; rows of votes have no probability. The runtime is for the record."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    image: str = Field(min_length=1)
    status: str = Field(pattern=r"^(scored$|skipped: )")
    objects: int = Field(ge=0)
    scale: float = Field(gt=0, allow_inf_nan=False)
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")
    members: int = Field(ge=0)
    notes: list[str] = []
    picture: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    runtime: str = ""
    detections: list[
        tuple[str, _Number, _Number, _Votes, _Number, _Number, _Number | None]
        | tuple[str, _Number, _Number, _Votes, _Number, _Number]
    ]


def line_of(cell: ScoredCell, runtime: str = "") -> dict[str, object]:
    """What the journal keeps of a cell: all digits, so that a resumed run is the same run.

    Parameters
    ----------
    cell : ScoredCell
    runtime : str
        What the networks ran on.
    """
    found = cell.detections
    return {
        "image": cell.image,
        "status": cell.status,
        "objects": cell.objects,
        "scale": cell.scale,
        "sha256": cell.sha256,
        "members": found.members,
        "notes": list(cell.notes),
        "picture": cell.picture,
        "runtime": runtime,
        "detections": [
            [n, float(r), float(c), int(v), float(p), float(s), None if np.isnan(read) else float(read)]
            for n, r, c, v, p, s, read in zip(
                found.names,
                found.row,
                found.col,
                found.votes,
                found.confidence,
                found.spread,
                found.probability,
                strict=True,
            )
        ],
    }


def cell_of(line: Mapping[str, object], classes: Sequence[str]) -> ScoredCell | None:
    """The cell that a line keeps; None where it keeps none that these classes know."""
    try:
        checked = _Line.model_validate(_with_tuples(line))
    except (ValidationError, TypeError):
        return None
    rows = [[*row, None][:7] for row in checked.detections]
    if any(row[0] not in classes for row in rows) or (rows and checked.status != SCORED):
        return None

    def column(k: int) -> FloatArray:
        return np.array([row[k] for row in rows], dtype=float)

    found = Detections(
        column(1),
        column(2),
        tuple(str(row[0]) for row in rows),
        column(3).astype(int),
        column(4),
        column(5),
        checked.members,
        column(6),
    )
    return ScoredCell(
        checked.image,
        found,
        checked.objects,
        checked.scale,
        checked.sha256,
        tuple(checked.notes),
        checked.picture,
        Skipped.of(checked.image, checked.status),
    )


def _with_tuples(line: Mapping[str, object]) -> dict[str, object]:
    """JSON knows only lists; a strict model wants tuples."""
    rows = line.get("detections")
    if not isinstance(rows, list):
        return dict(line)
    return dict(line) | {"detections": [tuple(row) if isinstance(row, list) else row for row in rows]}
