"""Shards on the workers of a Dask scheduler; their results stay in files, Dask only says which are done."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytally import __version__
from cytally.batch.engines.protocol import Tries
from cytally.batch.plan import Shard
from cytally.batch.shard import Finished, Place, attempt
from cytally.errors import CytallyError, RunError

#: Seconds to wait for a scheduler, for its first worker, and until one that is silent counts as gone.
_SCHEDULER, _WORKER, _GONE = 15, 60, 30


@dataclass(frozen=True)
class Dask:
    """Workers of a scheduler.

    Attributes
    ----------
    address : str
        tcp://HOST:PORT, the path of a scheduler.json, or local:N for N processes of this machine.
    """

    address: str

    def run(self, place: Place, shards: Sequence[Shard]) -> Iterator[Finished]:
        """As `Engine.run`."""
        if not shards:
            return
        with _connected(self.address) as client:
            waiting, tries, told = deque(shards), Tries(), queue.Queue[Any]()
            flying: dict[str, tuple[Shard, Any]] = {}
            window = 2 * _threads(client, self.address)
            number = 0
            while waiting or flying:
                while waiting and len(flying) < window:
                    shard, number = waiting.popleft(), number + 1
                    key = f"{place.key[:8]}-{shard.number}-{number}-{time.time_ns()}"
                    future = client.submit(attempt, place, shard, key=key, pure=False)
                    flying[key] = shard, future
                    future.add_done_callback(lambda done: told.put(done.key))
                shard, future = flying.pop(_next(client, told, self.address))
                said = _outcome(client, future, shard, self.address)
                if not said.reason or tries.give_up(shard.number):
                    yield said
                else:
                    waiting.append(shard)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise RunError('Dask is not installed here: pip install "cytally[cluster]"') from error
    kind, _, count = address.partition(":")
    if kind == "local":
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": 0}),
            LocalCluster(
                n_workers=int(count or 1), threads_per_worker=1, dashboard_address=None, memory_limit=0
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    where = {"scheduler_file": address} if Path(address).suffix == ".json" else {"address": address}
    if "scheduler_file" in where and not Path(address).is_file():
        raise RunError(f"{address}: expected the file that `dask scheduler --scheduler-file` writes, found none")
    try:
        client = Client(timeout=_SCHEDULER, **where)
    except (OSError, ValueError, TimeoutError) as error:
        raise RunError(f"{address}: no Dask scheduler answers there ({error}); is it running?") from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def _threads(client: Any, address: str) -> int:
    """Threads of all workers, once there are some, all of this version."""
    try:
        client.wait_for_workers(1, timeout=_WORKER)
    except TimeoutError as error:
        raise RunError(f"{address}: the scheduler has no workers; start some (dask worker)") from error
    others = {where: found for where, found in client.run(_version).items() if found != __version__}
    if others:
        where, found = min(others.items())
        raise RunError(f"{where}: this worker has cytally {found}, here it is {__version__}; install one for all")
    return max(sum(int(each) for each in client.nthreads().values()), 1)


def _version() -> str:
    return __version__


def _next(client: Any, told: queue.Queue[Any], address: str) -> str:
    """Key of a task that has ended in one way or another."""
    silent = time.monotonic()
    while True:
        try:
            return str(told.get(timeout=1))
        except queue.Empty:
            if client.status == "running":
                silent = time.monotonic()
            if client.status == "closed" or time.monotonic() - silent > _GONE:
                raise _gone(address) from None


def _gone(address: str) -> RunError:
    return RunError(f"{address}: the Dask scheduler is gone; finished shards are kept: start it and run again")


def _outcome(client: Any, future: Any, shard: Shard, address: str) -> Finished:
    if future.status in ("cancelled", "lost"):
        raise _gone(address)
    if future.status == "error":  # KilledWorker, or what could not even be sent
        return Finished(shard.number, reason=" ".join(f"{type(future.exception()).__name__} ended its worker".split()))
    said = future.result()
    if isinstance(said, CytallyError):
        raise said
    return Finished(said.number, said.seconds, said.reason)
