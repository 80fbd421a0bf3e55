"""Progress with time left on standard error; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cytally.progress import Progress

_EVERY = 10.0  # seconds between plain lines


@contextmanager
def reporting() -> Iterator[Progress]:
    """A progress callback that draws a bar, or prints a line now and then where there is no terminal."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)

        def progress(stage: str, done: int, total: int) -> None:
            """Move the bar."""
            bar.update(task, description=stage, completed=done, total=total)

        yield progress


def _plain() -> Progress:
    stages: list[str] = [""]
    clock = {"last": 0.0, "started": 0.0}

    def progress(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        name = stage.split(",", maxsplit=1)[0]
        if name != stages[0]:
            stages[0] = name
            clock.update(started=now, last=now)
        if now - clock["last"] >= _EVERY or done == total:
            left = (now - clock["started"]) / done * (total - done)
            print(f"{stage}: {done} of {total}, {left:.0f} s left", file=sys.stderr, flush=True)
            clock["last"] = now

    return progress
