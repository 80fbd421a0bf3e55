"""Shards in processes of this machine: spawned, one thread each, replaced where one ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from cytally.batch.engines.protocol import TRIES, Tries
from cytally.batch.plan import Shard
from cytally.batch.shard import Finished, Place, attempt
from cytally.errors import CytallyError, RunError

_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")}


@dataclass
class _Worker:
    process: BaseProcess
    line: Connection
    shard: Shard | None = None
    ready: bool = False


@dataclass(frozen=True)
class Processes:
    """So many processes.

    Attributes
    ----------
    workers : int
    memory : int
        Bytes that each may take; 0 for its share of what the machine has.
    """

    workers: int
    memory: int = 0

    def run(self, place: Place, shards: Sequence[Shard]) -> Iterator[Finished]:
        """As `Engine.run`; a killed worker is replaced and its shard tried again."""
        waiting, tries, stillborn = deque(shards), Tries(), 0
        crew: list[_Worker] = []
        try:
            while waiting or any(one.shard for one in crew):
                while len(crew) < min(self.workers, len(waiting) + sum(one.shard is not None for one in crew)):
                    crew.append(self._started(place))
                for line in wait([one.line for one in crew]):
                    worker = next(one for one in crew if one.line is line)
                    shard, said = worker.shard, _said(worker)
                    if said is None:
                        crew.remove(worker)
                        stillborn = 0 if worker.ready else stillborn + 1
                        if stillborn == TRIES:
                            raise RunError(f"workers end as they start ({_ending(worker)}); is memory short?")
                    worker.ready, worker.shard = True, None
                    if isinstance(said, CytallyError):
                        raise said
                    if shard is not None:
                        told = said or Finished(shard.number, reason=f"its process ended ({_ending(worker)})")
                        if not told.reason or tries.give_up(shard.number):
                            yield told
                        else:
                            waiting.append(shard)
                    if said is not None or shard is None:
                        _give(worker, waiting)
        finally:
            for one in crew:
                one.process.kill()
                one.process.join()
                one.line.close()

    def _started(self, place: Place) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        memory = self.memory or _share(self.workers)
        process = context.Process(target=_serve, args=(theirs, place, memory), daemon=True)
        before = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)  # libraries read it as they are imported
        try:
            process.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                os.environ.update({name: value} if value is not None else {})
        theirs.close()
        return _Worker(process, ours)


def _give(worker: _Worker, waiting: deque[Shard]) -> None:
    if waiting and worker.process.is_alive():
        worker.shard = waiting.popleft()
        with suppress(OSError):  # it has just ended, which the next look at its line tells
            worker.line.send(worker.shard)


def _said(worker: _Worker) -> Finished | CytallyError | None:
    """What a worker says; None where it has ended. Its first word, that it is ready, is a shard of no number."""
    try:
        said: Finished | CytallyError = worker.line.recv()
    except (EOFError, OSError):
        worker.process.join()
        return None
    return said


def _ending(worker: _Worker) -> str:
    code = worker.process.exitcode or 0
    return f"signal {-code}, was memory short?" if code < 0 else f"status {code}"


def _share(workers: int) -> int:
    if not hasattr(os, "sysconf"):
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // max(workers, 1)


def _serve(line: Connection, place: Place, memory: int) -> None:
    """In a worker: deaf to Ctrl-C (the first process ends it), and no orphan."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        if memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    line.send(Finished(-1))
    while True:
        try:
            shard = line.recv()
        except EOFError:
            return
        line.send(attempt(place, shard))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
