"""What is asked of an engine, and how often a shard is tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from cytally.batch.plan import Shard
from cytally.batch.shard import Finished, Place

#: A shard that failed, or ended its worker, so often is given up; the others go on.
TRIES = 3


class Engine(Protocol):
    """Where shards run. A new way is one class with this method."""

    def run(self, place: Place, shards: Sequence[Shard]) -> Iterator[Finished]:
        """Do shards in any order; each is told once: done, its file being there, or given up with the reason.

        Raises
        ------
        RunError, OutputError
            What stops all: a full disk, a changed input, another version, a scheduler that is gone. Files of finished
            shards stay.
        """


class Tries:
    """Failures of shards so far."""

    def __init__(self) -> None:
        self._count: Counter[int] = Counter()

    def give_up(self, number: int) -> bool:
        """Note a failure; whether it was the last that a shard is allowed."""
        self._count[number] += 1
        return self._count[number] >= TRIES
