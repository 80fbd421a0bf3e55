"""What a laboratory knows of a sample beside its counts: a small TOML file -> Facts."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from cytally.dosimetry.curves.calibrate import read_toml


class Facts(BaseModel):
    """Everything is text and may be left out; what is left out is printed as a gap to fill in.

    People are named by a code only: who is behind it stays in the laboratory's own files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    laboratory: str = ""
    accreditation: str = ""
    requested_by: str = ""
    sample: str = ""
    drawn: str = ""
    received: str = ""
    reported: str = ""
    exposed: str = ""
    radiation: str = ""
    circumstances: str = ""
    history: str = ""
    tube: str = ""
    culture: str = ""
    stain: str = ""
    scored_by: str = ""
    selection: str = ""
    remarks: str = ""


def read_facts(path: Path) -> Facts:
    """Read the facts of a sample; errors as of `read_toml`."""
    return read_toml(path, Facts, "with the facts of a sample")
