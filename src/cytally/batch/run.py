"""What is missing of a plan is done by an engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cytally.batch.engines.protocol import Engine
from cytally.batch.plan import Plan, changed
from cytally.batch.shard import Finished, Place
from cytally.errors import RunError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes
from cytally.progress import Progress, silent

FAILED = "failed.csv"


@dataclass(frozen=True)
class Ran:
    """What a call did.

    Attributes
    ----------
    done : int
        Shards that were done by it.
    present : int
        Shards that were there before.
    failed : tuple of Finished
        Given up, with the reason.
    """

    done: int
    present: int
    failed: tuple[Finished, ...] = ()


def run_plan(plan: Plan, place: Place, engine: Engine, progress: Progress = silent) -> Ran:
    """Do all shards of a plan that are not there; failed.csv lists those that were given up.

    Raises
    ------
    RunError, OutputError
        As `Engine.run`; a changed input is refused before anything is done.
    """
    place.check_version()
    missing = place.missing(plan.shards)
    for path in changed(missing):
        raise RunError(f"{path}: was changed or removed since the plan was made; plan again, into another folder")
    failed = []
    for number, told in enumerate(_each(engine, place, plan, {s.number for s in missing}), start=1):
        failed += [told] if told.reason else []
        progress("shards", number, len(missing))
    _write_failed(place.folder, plan, failed)
    return Ran(len(missing) - len(failed), len(plan.shards) - len(missing), tuple(failed))


def _each(engine: Engine, place: Place, plan: Plan, missing: set[int]) -> Iterator[Finished]:
    return engine.run(place, [shard for shard in plan.shards if shard.number in missing])


def _write_failed(folder: Path, plan: Plan, failed: list[Finished]) -> None:
    path = folder / FAILED
    if not failed:
        path.unlink(missing_ok=True)
        return
    rows = [["shard", "files", "reason"]]
    for told in sorted(failed, key=lambda each: each.number):
        names = " | ".join(each.name for each in plan.shards[told.number].files)
        rows.append([str(told.number), shown(names), shown(told.reason)])
    write_bytes(path, csv_bytes(rows))
