"""What a laboratory knows of a sample beside its counts: a small TOML file -> Facts."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cytally.errors import CountsError


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
    """Read the facts of a sample.

    Raises
    ------
    CountsError
        No file, not TOML, or a key that is not known.
    """
    if not path.is_file():
        raise CountsError(f"{path}: expected a TOML file with the facts of a sample, found none")
    try:
        return Facts.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CountsError(f"{path}: expected TOML (key = \"text\"), got {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise CountsError(
            f"{path}: {name}: {first['msg']}; expected text under one of {', '.join(Facts.model_fields)}"
        ) from error
