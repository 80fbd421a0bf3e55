"""One shard -> one file with its own hash at the end: present and whole means done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally import __version__
from cytally.batch.job import Job
from cytally.batch.plan import Plan, Shard, changed
from cytally.errors import CytallyError, OutputError, RunError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown

SHARDS = "shards"
_MARK = b"\nsha256 "
_SEAL = len(_MARK) + 64


@dataclass(frozen=True)
class Finished:
    """What became of one attempt at a shard.

    Attributes
    ----------
    number : int
    seconds : float
        Of work, 0 where it was there already.
    reason : str
        Why there is no result; "" where there is one.
    """

    number: int
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Place:
    """Where shards of one plan are done: what a worker is sent, with the shards themselves.

    Attributes
    ----------
    folder : Path
        On a disk that all workers see.
    job : Job
    key : str
        Of the plan.
    version : str
        That made the plan.
    """

    folder: Path
    job: Job
    key: str
    version: str = __version__

    @staticmethod
    def of(folder: Path, job: Job, plan: Plan) -> Place:
        """The place of a plan."""
        return Place(folder.absolute(), job, plan.key, plan.version)

    def path(self, number: int) -> Path:
        """Where the result of a shard lies."""
        return self.folder / SHARDS / f"{self.key[:8]}-{number:06d}"

    def result(self, number: int) -> bytes | None:
        """Result of a shard; None where it is not there, cut short, or of another plan."""
        try:
            content = self.path(number).read_bytes()
        except OSError:
            return None
        body, seal = content[:-_SEAL], content[-_SEAL:]
        return body if len(content) >= _SEAL and seal == self._seal(number, body) else None

    def missing(self, shards: Sequence[Shard]) -> list[Shard]:
        """Shards without a whole result."""
        return [shard for shard in shards if self.result(shard.number) is None]

    def do(self, shard: Shard) -> float:
        """Do a shard where it is not done; its seconds.

        Raises
        ------
        RunError
            Another version of cytally; a file that changed since the plan was made.
        OutputError
            The disk is full or gone.
        """
        self.check_version()
        if self.result(shard.number) is not None:
            return 0.0
        started = time.perf_counter()
        for name in changed([shard]):
            raise RunError(f"{name}: was changed or removed since the plan was made; plan again, into another folder")
        body = self.job.work({each.name: each.path for each in shard.files}, shard.part)
        path = self.path(shard.number)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{shown(path)}: cannot be written ({error.strerror})") from error
        write_bytes(path, body + self._seal(shard.number, body))
        return time.perf_counter() - started

    def check_version(self) -> None:
        """Refuse a plan of another version: shards of two would be merged into one result."""
        if self.version != __version__:
            raise RunError(
                f"the plan was made by cytally {self.version}, this worker has {__version__}: "
                "install the same version for all, or plan again"
            )

    def _seal(self, number: int, body: bytes) -> bytes:
        digest = hashlib.sha256(f"{self.key} {number} ".encode())
        digest.update(body)
        return _MARK + digest.hexdigest().encode()


def attempt(place: Place, shard: Shard) -> Finished | CytallyError:
    """Try a shard once.

    Returns
    -------
    Finished or CytallyError
        An error where no other shard could be done either: a full disk, a changed input, another version.
    """
    try:
        return Finished(shard.number, place.do(shard))
    except (OutputError, RunError) as error:
        return error
    except Exception as error:  # whatever a job raises is that shard's own
        return Finished(shard.number, reason=" ".join(f"{type(error).__name__}: {error}".split()))


def results(place: Place, shards: Sequence[Shard]) -> Iterator[bytes]:
    """Results in their order, one in memory at a time.

    Raises
    ------
    RunError
        One is missing.
    """
    for shard in shards:
        body = place.result(shard.number)
        if body is None:
            raise RunError(
                f"{shown(place.path(shard.number))}: expected the result of shard {shard.number}, found none that is "
                "whole; run the plan again: only what is missing is done"
            )
        yield body
