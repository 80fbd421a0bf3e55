"""All shards of a plan, in their order -> the result."""

from __future__ import annotations

from pathlib import Path

from cytally.batch.plan import Plan
from cytally.batch.shard import Place, results


def merge(plan: Plan, place: Place, out: Path) -> None:
    """Let the job write its whole; calling again gives the same.

    Raises
    ------
    RunError
        A shard is missing or damaged; nothing is written then.
    """
    place.check_version()
    place.job.merge(results(place, plan.shards), out)
