"""What a network learnt from does not change beneath it: other settings, images or labels are refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cytally.errors import RunError
from cytally.files.atomic import write_bytes
from cytally.files.hashes import hash_of
from cytally.inference.card import CARD
from cytally.livecell.labelled import LabelledField
from cytally.livecell.labelling.folder import NOTES, LabelSettings

#: What an ensemble learnt from, beside it: hashes of images and their labels.
DATA = "learnt-from.json"


def same_settings(folder: Path, settings: LabelSettings) -> None:
    """Refuse a folder whose labels were made with other settings: a network has learnt from them.

    Raises
    ------
    RunError
    """
    path = folder / NOTES
    if not path.is_file():
        return
    before = json.loads(path.read_text()).get("settings")
    now = json.loads(json.dumps(asdict(settings)))
    if before != now:
        changed = {name for name, _ in _leaves(before) ^ _leaves(now)}
        first = sorted(changed, key=lambda name: ("diameters" not in name, name))
        raise RunError(
            f"{folder}: holds labels made with other settings ({', '.join(first[:4])}), "
            "and a network that learnt from them; give another --out"
        )


def _leaves(settings: object, name: str = "") -> set[tuple[str, str]]:
    if isinstance(settings, dict):
        return {leaf for key, value in settings.items() for leaf in _leaves(value, f"{name}.{key}".strip("."))}
    return {(name, str(settings))}


def same_data(out: Path, fields: Sequence[LabelledField]) -> None:
    """Note what is learnt from in `out`; refuse to go on there with other images or labels.

    Raises
    ------
    RunError
    """
    now = sorted([hash_of(field.name.path), hash_of(field.label)] for field in fields)
    note = out / DATA
    begun = (out / "training").is_dir() or (out / CARD).is_file()
    if begun:
        before = json.loads(note.read_text()) if note.is_file() else []
        if before != now:
            raise RunError(
                f"{out}: holds a network that learnt from other images or labels ({len(before)} fields in {DATA}, "
                f"{len(now)} given, {sum(one in before for one in now)} the same); give another --out, or --start from this one"
            )
        return
    if not fields:
        return
    note.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(note, (json.dumps(now, indent=1) + "\n").encode())
