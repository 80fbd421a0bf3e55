"""Inputs and settings -> shards: what is to be done, whoever does it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cytally import __version__
from cytally.batch.job import Job
from cytally.errors import FileError, OutputError, RunError
from cytally.files.hashes import hash_of
from cytally.files.json import read_json, write_json
from cytally.files.names import shown
from cytally.files.runs import LOCK, as_stored, first_problem

PLAN = "plan.json"
#: Files of more bytes than this are known by size, time of change, and a hash of their beginning and end.
LARGE = 256 * 2**20
_END = 2**20


@dataclass(frozen=True)
class Planned:
    """A file that a shard reads.

    Attributes
    ----------
    name : str
        In all results.
    path : Path
        Where it lies; not part of the plan's hash, so that a folder may move.
    fingerprint : str
        See `fingerprint`.
    """

    name: str
    path: Path
    fingerprint: str


@dataclass(frozen=True)
class Shard:
    """A piece of the job that one worker does at a time.

    Attributes
    ----------
    number : int
        Place in the order of results, from 0.
    files : tuple of Planned
    part : tuple of int
        Which part of the files, in numbers that the job understands; empty where it is all of them.
    """

    number: int
    files: tuple[Planned, ...] = ()
    part: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All shards of a job. It holds no time, no host and no number of workers.

    Attributes
    ----------
    job : str
    settings : mapping
        As `Job.settings`.
    shards : tuple of Shard
    version : str
        Of cytally; workers of another are refused.
    """

    job: str
    settings: Mapping[str, object]
    shards: tuple[Shard, ...]
    version: str = __version__

    @cached_property
    def key(self) -> str:
        """Hash of all that decides the result: 64 hexadecimal digits."""
        shards = [[s.number, [[f.name, f.fingerprint] for f in s.files], list(s.part)] for s in self.shards]
        content = {"job": self.job, "settings": self.settings, "shards": shards, "version": self.version}
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def plan_of(job: Job, files: Mapping[str, Path], size: int) -> Plan:
    """Files in their order, so many to a shard.

    Parameters
    ----------
    job : Job
    files : mapping of str to Path
        By their names in all results.
    size : int
    """
    planned = [Planned(name, path.absolute(), fingerprint(path)) for name, path in files.items()]
    groups = [tuple(planned[start : start + size]) for start in range(0, len(planned), size)]
    return plan_of_shards(job, [Shard(number, group) for number, group in enumerate(groups)])


def plan_of_shards(job: Job, shards: Sequence[Shard]) -> Plan:
    """The same from shards that the job has cut itself."""
    return Plan(job.name, as_stored(job.settings), tuple(shards))


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's contents, "" where it cannot be read.

    Of a file too large to be read twice: of its size, its time of change, its first and its last megabyte.
    """
    try:
        stat = path.stat()
        if stat.st_size <= LARGE:
            return hash_of(path)
        with path.open("rb") as file:
            ends = file.read(_END)
            file.seek(-_END, 2)
            ends += file.read(_END)
    except OSError:
        return ""
    return hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns} ".encode() + ends).hexdigest()


def changed(shards: Sequence[Shard]) -> Iterator[str]:
    """Paths of files that are no longer what was planned."""
    for path, known in {each.path: each.fingerprint for shard in shards for each in shard.files}.items():
        if fingerprint(path) != known:
            yield shown(path)


def write_plan(folder: Path, plan: Plan) -> None:
    """Write plan.json into a folder for the shards.

    Raises
    ------
    RunError
        The folder holds another plan.
    OutputError
        It cannot be written.
    """
    if (folder / PLAN).exists():
        if read_plan(folder).key != plan.key:
            raise RunError(f"{shown(folder)}: holds the plan of another job; give another folder")
        return
    shards = [
        {"files": [[f.name, str(f.path), f.fingerprint] for f in s.files], "part": list(s.part)} for s in plan.shards
    ]
    try:
        (folder / "shards").mkdir(parents=True, exist_ok=True)
        (folder / LOCK).touch()  # workers write here while nobody holds it: a run around this folder leaves it alone
    except OSError as error:
        raise OutputError(f"{shown(folder)}: cannot be written ({error.strerror}); give another folder") from error
    content = {"job": plan.job, "settings": plan.settings, "version": plan.version, "key": plan.key, "shards": shards}
    write_json(folder / PLAN, content)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    job: str
    settings: dict[str, object]
    version: str
    key: str
    shards: list[dict[str, list[int] | list[tuple[str, str, str]]]]


def read_plan(folder: Path) -> Plan:
    """The plan of a folder.

    Raises
    ------
    FileError
        There is none, or it is damaged or was changed.
    """
    path = folder / PLAN
    content = read_json(path)
    try:
        read = _File.model_validate({**content, "shards": []})
        shards = tuple(_shard(number, each) for number, each in enumerate(content["shards"]))
    except ValidationError as error:
        raise FileError(f"{shown(path)}: expected a plan, got {first_problem(error)}; plan again") from error
    except (TypeError, ValueError, KeyError) as error:
        raise FileError(f"{shown(path)}: expected a plan, got something else ({error}); plan again") from error
    plan = Plan(read.job, read.settings, shards, read.version)
    if plan.key != read.key:
        raise FileError(f"{shown(path)}: was changed since it was made; plan again into another folder")
    return plan


def _shard(number: int, content: Mapping[str, list[list[str]]]) -> Shard:
    files = tuple(Planned(str(name), Path(path), str(known)) for name, path, known in content["files"])
    return Shard(number, files, tuple(int(str(each)) for each in content["part"]))
