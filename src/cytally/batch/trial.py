"""A job that only computes: to try a cluster before it is given real work, and to measure the engines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally.files.atomic import replacing


@dataclass(frozen=True)
class Trial:
    """Hashes of hashes.

    Attributes
    ----------
    rounds : int
        Of hashing in each shard; a million take about a second.
    size : int
        Bytes of each result.
    """

    rounds: int = 1_000_000
    size: int = 64
    name: str = "trial"

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> Trial:
        """The job of these settings."""
        return cls(int(str(settings["rounds"])), int(str(settings["size"])))

    @property
    def settings(self) -> Mapping[str, object]:
        """All that decides the result."""
        return {"rounds": self.rounds, "size": self.size}

    def work(self, files: Mapping[str, Path], part: Sequence[int]) -> bytes:
        """Hash the part and the contents of the files again and again."""
        digest = hashlib.sha256(str(list(part)).encode())
        for name, path in files.items():
            digest.update(name.encode("utf-8", "surrogateescape") + path.read_bytes())
        value = digest.digest()
        for _ in range(self.rounds):
            value = hashlib.sha256(value).digest()
        return hashlib.shake_256(value).digest(self.size)

    def merge(self, results: Iterable[bytes], out: Path) -> None:
        """Results behind each other."""
        with replacing(out) as beside, beside.open("wb") as file:
            for each in results:
                file.write(each)
