"""Shards as an array of Slurm tasks: each does every Nth shard, and writes the same files."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally.batch.engines.protocol import TRIES
from cytally.batch.plan import Shard
from cytally.batch.shard import Finished, Place
from cytally.errors import RunError
from cytally.files.atomic import write_text


@dataclass(frozen=True)
class Slurm:
    """An array on a cluster, submitted here and watched by its files.

    Attributes
    ----------
    head : Path or None
        A file of #SBATCH lines, and of what each task needs first (modules, an environment).
    tasks : int
        Most tasks of an array; a cluster's MaxArraySize is often 1001.
    every : float
        Seconds between two looks.
    """

    head: Path | None = None
    tasks: int = 1000
    every: float = 5.0

    def run(self, place: Place, shards: Sequence[Shard]) -> Iterator[Finished]:
        """As `Engine.run`; what an array leaves undone is submitted again, three times in all."""
        todo = {shard.number: shard for shard in shards}
        for _ in range(TRIES):
            if not todo:
                return
            array = self._submitted(place, sorted(todo))
            there = True
            while there and todo:
                time.sleep(self.every)
                there = _queued(array)
                for shard in [each for each in todo.values() if place.path(each.number).exists()]:
                    if place.result(shard.number) is not None:
                        yield Finished(todo.pop(shard.number).number)
        for number in todo:
            yield Finished(number, reason=f"no result after {TRIES} arrays; {place.folder / 'logs'} says why")

    def script(self, place: Place, tasks: int) -> str:
        """The script of every task."""
        head = self.head.read_text() if self.head else ""
        lines = [line for line in head.splitlines() if not line.startswith("#!")]
        call = [sys.executable, "-m", "cytally", "batch", "array", str(place.folder), "--of", str(tasks), "--index"]
        return "\n".join(["#!/bin/bash", *lines, f'{shlex.join(call)} "$SLURM_ARRAY_TASK_ID"', ""])

    def _submitted(self, place: Place, numbers: Sequence[int]) -> str:
        tasks = min(self.tasks, numbers[-1] + 1)
        script, logs = place.folder / "array.sh", place.folder / "logs"
        logs.mkdir(exist_ok=True)
        write_text(script, self.script(place, tasks))
        indices = ",".join(map(str, sorted({number % tasks for number in numbers})))
        said = _asked("sbatch", "--parsable", f"--array={indices}", f"--output={logs}/%A_%a.log", str(script))
        if said.returncode:
            raise RunError(f"sbatch refused the array ({said.stderr.strip()}); {script} is what was submitted")
        return said.stdout.strip().partition(";")[0]


def _queued(array: str) -> bool:
    """Whether tasks of an array wait or run; Slurm forgets an array soon after its end."""
    said = _asked("squeue", "--noheader", f"--jobs={array}")
    return not said.returncode and bool(said.stdout.strip())


def _asked(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True)
    except OSError as error:
        raise RunError(f"{words[0]}: not found here; run this where Slurm's commands are") from error
