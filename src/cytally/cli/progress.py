"""Progress with time left on standard error; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[[str, int, int], None]
_EVERY = 10.0  # seconds between plain lines


@contextmanager
def reporting() -> Iterator[Report]:
    """A function to be told (stage, done, total)."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=None)

        def report(stage: str, done: int, total: int) -> None:
            progress.update(task, description=stage, completed=done, total=total)

        yield report


def _plain() -> Report:
    state = {"last": 0.0, "stage": "", "started": 0.0}

    def report(stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        name = stage.split(",", maxsplit=1)[0]
        if name != state["stage"]:
            state.update(stage=name, started=now, last=now)
        if now - float(state["last"]) >= _EVERY or done == total:
            left = (now - float(state["started"])) / done * (total - done)
            print(f"{stage}: {done} of {total}, {left:.0f} s left", file=sys.stderr, flush=True)
            state["last"] = now

    return report
