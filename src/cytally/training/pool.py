"""The cells at hand: a few thousand, some exchanged for fresh ones after every epoch.

Making a cell costs more than learning from it once, so each is used several
times, turned anew. What leaves first are cells that the network has understood;
those in which it raised the strongest false alarms stay longest (hard negatives
that the network finds itself).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import cv2
import numpy as np
from pydantic import BaseModel, ValidationError

from cytally.files.runs import first_problem
from cytally.training.examples import CellSource, TrainingCell

_SOURCE: CellSource | None = None


@dataclass(frozen=True)
class PoolSettings:
    """Size of the pool, cells exchanged per epoch, share kept for being hard."""

    size: int = 2000
    fresh: int = 320
    hard: float = 0.15
    workers: int = 2


class _Notes(BaseModel):
    """A pool in the state of a run."""

    numbers: list[int]
    age: dict[int, int]
    alarm: dict[int, float]
    next_number: int


@dataclass
class Pool:
    """Cells by number, their age in epochs and the false alarm each raised last."""

    source: CellSource
    settings: PoolSettings
    numbers: list[int] = field(default_factory=list)
    age: dict[int, int] = field(default_factory=dict)
    alarm: dict[int, float] = field(default_factory=dict)
    cells: dict[int, TrainingCell] = field(default_factory=dict)
    next_number: int = 0
    _ahead: dict[int, Future[TrainingCell]] = field(default_factory=dict)
    _maker: ProcessPoolExecutor | None = None

    def start(self) -> None:
        """Begin making cells in the background."""
        self._maker = ProcessPoolExecutor(self.settings.workers, get_context("spawn"), _initialise, (self.source,))
        for number in self.numbers:
            self._order(number)
        self._look_ahead(max(self.settings.size - len(self.numbers), self.settings.fresh))

    def stop(self) -> None:
        """Stop making cells."""
        if self._maker is not None:
            self._maker.shutdown(wait=False, cancel_futures=True)

    def fill(self) -> list[int]:
        """Numbers of cells that must still be fetched before the first epoch."""
        missing = [n for n in self.numbers if n not in self.cells]
        while len(self.numbers) < self.settings.size:
            missing.append(self._admit())
        return missing

    def fetch(self, number: int) -> None:
        """Wait for one cell."""
        self.cells[number] = self._ahead.pop(number).result()

    def notes(self) -> dict[str, object]:
        """What must be known again when a run resumes, as JSON can hold it."""
        return {"numbers": self.numbers, "age": self.age, "alarm": self.alarm, "next_number": self.next_number}

    def restore(self, notes: Mapping[str, object]) -> None:
        """Take back what `notes` gave, before any cell is made.

        Raises
        ------
        ValueError
            Something else.
        """
        try:
            told = _Notes.model_validate(notes)
        except ValidationError as error:
            raise ValueError(first_problem(error)) from error
        self.numbers, self.age, self.alarm, self.next_number = told.numbers, told.age, told.alarm, told.next_number

    def exchange(self) -> None:
        """Let the understood cells go and take fresh ones in."""
        for number in self.numbers:
            self.age[number] += 1
        by_alarm = sorted(self.numbers, key=lambda n: (-self.alarm.get(n, 0.0), n))
        safe = set(by_alarm[: int(self.settings.hard * len(self.numbers))])
        worn = sorted(self.numbers, key=lambda n: (n in safe and self.age[n] < 12, -self.age[n], n))
        for number in worn[: self.settings.fresh]:
            self.numbers.remove(number)
            del self.age[number], self.cells[number]
            self.alarm.pop(number, None)
        for _ in range(min(self.settings.fresh, len(worn))):
            self.fetch(self._admit())
        self._look_ahead(self.settings.fresh)

    def _admit(self) -> int:
        number = self.next_number
        self.next_number += 1
        self.numbers.append(number)
        self.age[number] = 0
        if number not in self._ahead:
            self._order(number)
        return number

    def _look_ahead(self, count: int) -> None:
        for number in range(self.next_number, self.next_number + count):
            if number not in self._ahead:
                self._order(number)

    def _order(self, number: int) -> None:
        if self._maker is None:
            raise RuntimeError("start the pool before asking for cells")
        self._ahead[number] = self._maker.submit(_make, number)


def _initialise(source: CellSource) -> None:
    global _SOURCE
    _SOURCE = source
    cv2.setNumThreads(1)
    np.seterr(all="ignore")


def _make(number: int) -> TrainingCell:
    assert _SOURCE is not None
    return _SOURCE.cell(number)
