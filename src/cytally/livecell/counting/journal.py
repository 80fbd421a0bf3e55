"""A line of the journal: what became of one image, and where its masks lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cytally.files.hashes import hash_of

_Whole = Annotated[int, Field(ge=0)]
_Hash = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Remembered(_Part):
    """The numbers of `counts.Seen`: what counting needs of a field."""

    count: _Whole
    each: tuple[_Whole, ...]
    components: _Whole
    area: _Whole
    member_areas: tuple[_Whole, ...]
    areas: tuple[_Whole, ...]
    oversized: _Whole = 0


class Line(_Part):
    """One image.

    Attributes
    ----------
    image, sha256 : str
        Name in all tables; hash of the file.
    skipped : str
        Why the image was left out; "" where it was counted.
    mask, loose : str
        Masks of nuclei, relative to the run; the looser one only where it differs.
    mask_sha256, loose_sha256 : str
        Their hashes: a mask that was changed or removed is made again.
    seen : Remembered or None
        None where the image was skipped.
    """

    image: str = Field(min_length=1)
    sha256: _Hash
    skipped: str = ""
    mask: str = ""
    mask_sha256: _Hash = ""
    loose: str = ""
    loose_sha256: _Hash = ""
    seen: Remembered | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if not bool(self.skipped) == (self.seen is None) == (not self.mask):
            raise ValueError("expected a mask and numbers of an image that was counted, a reason of any other")
        for mask in (self.mask, self.loose):
            if PurePosixPath(mask).is_absolute() or ".." in PurePosixPath(mask).parts:
                raise ValueError("expected masks inside the run")
        return self

    def whole(self, folder: Path) -> bool:
        """Whether its masks are there as they were written."""
        pairs = ((self.mask, self.mask_sha256), (self.loose, self.loose_sha256))
        return all(digest and hash_of(folder / mask) == digest for mask, digest in pairs if mask)


def line_of(line: Mapping[str, object]) -> Line | None:
    """What a line says; None where it says nothing that can be used."""
    seen = line.get("seen")
    if isinstance(seen, dict):  # JSON knows only lists
        seen = {name: tuple(value) if isinstance(value, list) else value for name, value in seen.items()}
    try:
        return Line.model_validate(dict(line) | ({"seen": seen} if "seen" in line else {}))
    except (ValidationError, TypeError):
        return None
