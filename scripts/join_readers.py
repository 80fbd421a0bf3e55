"""Readers of several ensembles that share their members -> one ensemble that asks all of them.

    python scripts/join_readers.py ENSEMBLE OTHER... --out NEW [--name metaphase-1]

A place is then what the readers say in the mean. Thresholds and weights are chosen anew.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from cytally.cli.progress import reporting
from cytally.dosimetry.detector.train import set_thresholds
from cytally.errors import EnsembleError
from cytally.inference.ensemble import add_readers, load_ensemble


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ensembles", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="")
    chosen = parser.parse_args()
    cards = [load_ensemble(folder).card for folder in chosen.ensembles]
    first = cards[0]
    for folder, card in zip(chosen.ensembles, cards, strict=True):
        if [m.sha256 for m in card.members] != [
            m.sha256 for m in first.members
        ] or card.reader != first.reader:
            raise EnsembleError(f"{folder}: expected the members and kind of reader of {chosen.ensembles[0]}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for member in first.members:
        shutil.copyfile(chosen.ensembles[0] / member.file, chosen.out / member.file)
    named = first.model_copy(update={"name": chosen.name or chosen.out.name})
    (chosen.out / "card.json").write_text(named.model_dump_json(indent=1) + "\n")
    weights = [
        folder / reader.file
        for folder, card in zip(chosen.ensembles, cards, strict=True)
        for reader in card.readers
    ]
    notes = {"joined": [card.training.get("readers") for card in cards]}
    made = add_readers(chosen.out, weights, first.reader, notes)
    with reporting() as report:
        print(set_thresholds(made, chosen.out, report).card.identity)


if __name__ == "__main__":
    main()
