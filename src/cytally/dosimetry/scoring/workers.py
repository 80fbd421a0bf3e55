"""Several images at a time: processes of one thread each.

Two threads of one network wait for each other at every layer, so that they fall to a third
when something else takes a core. Two processes do not, and while one reads and normalises
the other multiplies. Each cell is scored on one thread in either case, so any number of
processes gives the same bytes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import cv2

from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.score import score_file
from cytally.errors import RunError
from cytally.inference.members import set_threads

#: Fewer images than this for each process, and starting it would take longer than it saves.
_WORTH_A_PROCESS = 8
_WORKER: dict[str, Any] = {}
_KEPT: list[tuple[Detector, ProcessPoolExecutor]] = []


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def scored(paths: Mapping[str, Path], detector: Detector, jobs: int = 0) -> Iterator[ScoredCell]:
    """Score images, several at a time; cells come in the order of the images.

    Parameters
    ----------
    paths : mapping of str to Path
        Images by their names in the run.
    detector : Detector
        With the thresholds to use.
    jobs : int
        Processes; 1 scores in this one, 0 takes one for each core where there is enough to do.

    Yields
    ------
    ScoredCell

    Raises
    ------
    RunError
        A process ended before its image was scored.
    """
    started = cores() if _shared(detector) else len(paths) // _WORTH_A_PROCESS
    count = jobs or min(cores(), started)
    if min(count, len(paths)) <= 1:
        set_threads(1)
        try:
            yield from (score_file(path, name, detector) for name, path in paths.items())
        finally:
            set_threads(None)
        return
    yield from _in_processes(paths, detector, min(count, len(paths)))


@contextmanager
def kept(detector: Detector, jobs: int = 0) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that several calls of `scored` with this detector share, as starting them takes seconds.

    Parameters
    ----------
    detector : Detector
    jobs : int
        Processes, 0: one for each core; of a single one nothing is made and None is given.
    """
    count = jobs or cores()
    if count == 1:
        yield None
        return
    pool = _started(detector, count)
    _KEPT.append((detector, pool))
    try:
        yield pool
    finally:
        _KEPT.clear()
        pool.shutdown(wait=True, cancel_futures=True)


def _shared(detector: Detector) -> ProcessPoolExecutor | None:
    return next((pool for owner, pool in _KEPT if owner is detector), None)


def _started(detector: Detector, count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (detector,))


def _in_processes(paths: Mapping[str, Path], detector: Detector, count: int) -> Iterator[ScoredCell]:
    shared = _shared(detector)
    pool = shared or _started(detector, count)
    waiting: deque[tuple[str, Future[ScoredCell]]] = deque()
    left = iter(paths.items())
    try:
        while True:
            for name, path in left:
                waiting.append((name, pool.submit(_score, path, name)))
                if len(waiting) > 2 * count:
                    break
            if not waiting:
                return
            name, first = waiting.popleft()
            yield _result(name, first)
    finally:
        if shared is None:
            pool.shutdown(wait=True, cancel_futures=True)


def _result(name: str, cell: Future[ScoredCell]) -> ScoredCell:
    try:
        return cell.result()
    except BrokenProcessPool:
        raise RunError(
            f"{name}: a process ended while scoring (was memory short?); what was scored is kept: "
            "call again to go on, with --jobs 1 to use less memory"
        ) from None


def _begin(detector: Detector) -> None:
    """In a new process: one thread, deaf to Ctrl-C (the first process ends it), and no orphan."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_threads(1)
    cv2.setNumThreads(1)
    _WORKER["detector"] = detector


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _score(path: Path, name: str) -> ScoredCell:
    return score_file(path, name, _WORKER["detector"])
