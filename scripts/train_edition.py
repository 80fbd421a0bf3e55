"""Train the third edition of the shipped detector, in pieces that can each be interrupted and called again.

    python scripts/train_edition.py gather MFISH SCC              # images and class maps -> sources.npz
    python scripts/train_edition.py cells                         # labelled cells to learn from
    python scripts/train_edition.py member --run 0                # a network that proposes; --start FILE goes on
    python scripts/train_edition.py taught ENSEMBLE --bank fresh  # what small members shall learn from large ones
    python scripts/train_edition.py distil --run 6 --bank fresh   # a small network that answers as these do
    python scripts/train_edition.py cells --bank fresh --seed 7   # cells that no member has seen
    python scripts/train_edition.py places --bank fresh           # what the members propose in them
    python scripts/train_edition.py verifier --run 0              # what lies there
    python scripts/train_edition.py assemble OUT --members FILES --verifiers FILES
    python scripts/train_edition.py thresholds OUT                # chosen on cells of every kind
    python scripts/train_edition.py held MFISH --work OTHER       # cells to measure on, of slides never learnt from

MFISH: the M-FISH set of Advanced Digital Imaging Research (jeanpat/MFISH); SCC: lb-kosuke/Detection_Classification
(MIT). Slides in KEPT and fields 4 and 5 of SCC are never learnt from: they are there to measure on. A GPU is used where
there is one; --cells, --epochs, --steps and --seconds make every piece smaller. scripts/train_shipped.sh says which
pieces made the shipped edition.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from edition.cells import cells, gather, held, shares
from edition.finish import DATA, assemble, levelled, limits_of, thresholds
from edition.networks import PROPOSING, SMALL, distilled, member, places, taught, verifier

from cytally.training.tasks.distilled import DistillationSettings


def main() -> None:
    """One piece."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "piece",
        choices=[
            "gather",
            "held",
            "cells",
            "member",
            "taught",
            "distil",
            "places",
            "verifier",
            "assemble",
            "thresholds",
        ],
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--work", type=Path, default=Path("runs/third"))
    parser.add_argument("--bank", default="bank")
    parser.add_argument("--cells", type=int, default=12000)
    parser.add_argument("--run", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--members", nargs="*", type=Path, default=[])
    parser.add_argument("--verifiers", nargs="*", type=Path, default=[])
    parser.add_argument("--machine", default="", help="for the card: where it was trained")
    parser.add_argument("--levels", nargs=2, type=float, help="the members are small: answers that shall propose")
    parser.add_argument("--limits-of", type=Path, help="edition with the same verifiers, whose limits are kept")
    parser.add_argument("--sensitive", action="store_true")
    parser.add_argument("--contracted", type=float, default=0.0, help="share of cells of the styles lobed and beaded")
    given = parser.parse_args()
    if given.piece == "gather":
        gather(*given.folders, given.work)
    elif given.piece == "held":
        held(given.folders[0], given.work, given.cells)
    elif given.piece == "assemble":
        notes = {"command": "scripts/train_shipped.sh", "seed": given.seed, "data": DATA, "machine": given.machine}
        files = given.members
        if given.levels:
            notes["settings"] = json.loads((files[0].parent / "run.json").read_text())["settings"]
            moved = given.work / "levelled"
            files = [levelled(path, moved / f"{k}_{path.name}", given.levels) for k, path in enumerate(files)]
        assemble(given.folders[0], files, given.verifiers, notes, SMALL if given.levels else PROPOSING)
        if given.limits_of:
            limits_of(given.limits_of, given.folders[0])
    elif given.piece == "thresholds":
        thresholds(given.work, given.folders[0], given.cells)
    elif given.piece == "cells":
        wanted = {kind: int(given.cells * share) for kind, share in shares(given.contracted).items()}
        cells(given.work, given.bank, wanted, given.seed, given.workers, given.seconds)
    elif given.piece == "member":
        member(
            given.work,
            given.run,
            given.epochs,
            given.steps,
            given.batch,
            given.start,
            given.seconds,
            given.sensitive,
            given.bank,
        )
    elif given.piece == "distil":
        settings = DistillationSettings(given.epochs, given.steps, given.batch, seed=given.seed)
        distilled(given.work, given.run, settings, given.bank)
    elif given.piece == "taught":
        taught(given.work, given.folders[0], given.bank, given.part, given.parts)
    elif given.piece == "places":
        places(given.work, given.bank, given.part, given.parts)
    else:
        verifier(given.work, given.run, given.epochs, given.batch, given.seconds, given.start)


if __name__ == "__main__":
    sys.exit(main())
