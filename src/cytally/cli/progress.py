"""Standard error: progress with time left, plain lines where there is no terminal, and what was skipped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from cytally.cli.main import SKIPPED
from cytally.progress import Progress

if TYPE_CHECKING:
    from cytally.types import Skipped

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
    """Lines with the time left, for a log."""
    stages: list[str] = [""]
    clock = {"last": 0.0, "started": 0.0}

    def progress(stage: str, done: int, total: int) -> None:
        """Print a line where ten seconds have passed, or at the end."""
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


def say_skipped(skipped: Sequence[Skipped]) -> None:
    """Name what was skipped on standard error; then the exit code is 3."""
    for one in skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if skipped:
        sys.exit(SKIPPED)
