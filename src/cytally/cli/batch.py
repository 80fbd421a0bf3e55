"""`cytally batch`: a large job as shards, on one machine or a cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.main import SKIPPED, cli
from cytally.cli.progress import reporting
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.batch.plan import Plan
    from cytally.batch.shard import Place

_FOLDER = click.Path(path_type=Path, file_okay=False)


@cli.group()
def batch() -> None:
    """Large jobs as shards: one process, several, a Slurm array, Dask.

    \b
    In their order:
      plan     what is to be done, into a folder
      run      do what is missing
      array    what one task of a Slurm array does of it
      status   what is there, what is missing
      merge    all shards -> the result
    """


@batch.command()
@click.argument("folder", type=_FOLDER)
@click.option("--shards", type=click.IntRange(1, 1_000_000), default=8, show_default=True, help="Number of shards.")
@click.option(
    "--rounds",
    type=click.IntRange(0),
    default=1_000_000,
    show_default=True,
    help="Hashes to be computed in each shard.",
)
def plan(folder: Path, shards: int, rounds: int) -> None:
    """Plan a trial into FOLDER: shards that only compute, to see whether a cluster works before it gets real work.

    The folder must lie on a disk that all workers see.

    \b
    Example:
      cytally batch plan trial --shards 8
    """
    from cytally.batch.plan import Shard, plan_of_shards, write_plan
    from cytally.batch.trial import Trial

    made = plan_of_shards(Trial(rounds), [Shard(number, part=(number,)) for number in range(shards)])
    write_plan(folder, made)
    click.echo(f"{counted(shards, 'shards')} in {folder}, plan {made.key[:8]}")


@batch.command()
@click.argument("folder", type=_FOLDER)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes of this machine.")
@click.option(
    "--cluster",
    default="",
    help="Instead: tcp://HOST:PORT or the scheduler.json of a Dask scheduler, local:N for N Dask processes here,"
    " slurm or slurm:FILE with #SBATCH lines.",
)
def run(folder: Path, workers: int, cluster: str) -> None:
    """Do what is missing of the plan in FOLDER.

    Called again, only what is missing is done. A shard that fails three times is listed in
    failed.csv and the others go on; then the exit code is 3.

    \b
    Example:
      cytally batch run trial --workers 2
    """
    from cytally.batch.engines.named import engine_of
    from cytally.batch.run import run_plan

    made, place = _opened(folder)
    with reporting() as progress:
        ran = run_plan(made, place, engine_of(workers, cluster), progress)
    click.echo(f"{counted(ran.done, 'shards')} done, {ran.present} were there, {len(ran.failed)} failed")
    for told in ran.failed[:20]:
        click.echo(f"  shard {told.number}: {told.reason}", err=True)
    if ran.failed:
        sys.exit(SKIPPED)


@batch.command()
@click.argument("folder", type=_FOLDER)
@click.option("--index", type=click.IntRange(0), required=True, help="Number of this task, from 0.")
@click.option("--of", "tasks", type=click.IntRange(1), help="Tasks in all.  [default: one for each shard]")
def array(folder: Path, index: int, tasks: int | None) -> None:
    """Do the shards of one task of an array: INDEX, INDEX + OF, ... of the plan in FOLDER.

    \b
    Example:
      cytally batch array trial --index $SLURM_ARRAY_TASK_ID --of 100
    """
    from cytally.batch.engines.serial import Serial

    made, place = _opened(folder)
    failed = [told for told in Serial().run(place, made.shards[index :: tasks or len(made.shards)]) if told.reason]
    for told in failed:
        click.echo(f"shard {told.number}: {told.reason}", err=True)
    if failed:
        sys.exit(SKIPPED)


@batch.command()
@click.argument("folder", type=_FOLDER)
def status(folder: Path) -> None:
    """Say how many shards of the plan in FOLDER are there; exit code 3 where some are missing.

    \b
    Example:
      cytally batch status trial
    """
    made, place = _opened(folder)
    missing = place.missing(made.shards)
    click.echo(f"{len(made.shards) - len(missing)} of {counted(len(made.shards), 'shards')}, plan {made.key[:8]}")
    if missing:
        sys.exit(SKIPPED)


@batch.command()
@click.argument("folder", type=_FOLDER)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The result.")
def merge(folder: Path, out: Path) -> None:
    """Merge all shards of the plan in FOLDER, in their order; refused while one is missing.

    \b
    Example:
      cytally batch merge trial --out trial.bin
    """
    from cytally.batch.merge import merge as merged

    merged(*_opened(folder), out)
    click.echo(f"{out}")


def _opened(folder: Path) -> tuple[Plan, Place]:
    from cytally.batch.job import job_of
    from cytally.batch.plan import read_plan
    from cytally.batch.shard import Place

    made = read_plan(folder)
    return made, Place.of(folder, job_of(made.job, made.settings), made)
