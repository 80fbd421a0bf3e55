"""What a job is asked: to do one shard, and to merge all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from cytally.errors import RunError


class Job(Protocol):
    """Something to be done in shards. It is sent to other processes, so it can be pickled, and is small.

    What takes long to load (networks) is loaded by `work` when it is first needed, and kept by the job's own room
    for the shards that follow in the same process.
    """

    @property
    def name(self) -> str:
        """As plans call it."""

    @property
    def settings(self) -> Mapping[str, object]:
        """All that decides the result besides the files: numbers, text, lists, as JSON has them."""

    def work(self, files: Mapping[str, Path], part: Sequence[int]) -> bytes:
        """Result of one shard: a function of the contents of its files, its part and the settings, nothing else."""

    def merge(self, results: Iterable[bytes], out: Path) -> None:
        """Write the whole from the results of all shards, which come in the order of the plan."""


#: Jobs that a plan on disk may name, and where they are: each class makes itself of its settings by `of`. The list is
#: closed, so that reading a plan starts no other code.
JOBS = {"trial": "cytally.batch.trial:Trial"}


def job_of(name: str, settings: Mapping[str, object]) -> Job:
    """The job that a plan names.

    Raises
    ------
    RunError
        An unknown name, or settings that are none of that job.
    """
    if name not in JOBS:
        raise RunError(f"expected a job of {', '.join(JOBS)}, got {name!r}; was the plan made by a newer version?")
    module, _, kind = JOBS[name].partition(":")
    try:
        return cast(Job, getattr(import_module(module), kind).of(settings))
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"plan of {name}: expected its settings, got {error}; make the plan again") from error
