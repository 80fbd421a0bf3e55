"""Shards one after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cytally.batch.engines.protocol import Tries
from cytally.batch.plan import Shard
from cytally.batch.shard import Finished, Place, attempt
from cytally.errors import CytallyError


@dataclass(frozen=True)
class Serial:
    """One process and no other."""

    def run(self, place: Place, shards: Sequence[Shard]) -> Iterator[Finished]:
        """As `Engine.run`."""
        for shard in shards:
            yield _tried(place, shard)


def _tried(place: Place, shard: Shard) -> Finished:
    tries = Tries()
    while True:
        said = attempt(place, shard)
        if isinstance(said, CytallyError):
            raise said
        if not said.reason or tries.give_up(shard.number):
            return said
