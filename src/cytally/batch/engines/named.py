"""The engine that `--workers` and `--cluster` name."""

from __future__ import annotations

from pathlib import Path

from cytally.batch.engines.dask import Dask
from cytally.batch.engines.processes import Processes
from cytally.batch.engines.protocol import Engine
from cytally.batch.engines.serial import Serial
from cytally.batch.engines.slurm import Slurm
from cytally.errors import SettingsError


def engine_of(workers: int = 1, cluster: str = "") -> Engine:
    """An engine.

    Parameters
    ----------
    workers : int
        Processes of this machine.
    cluster : str
        "" for none; slurm or slurm:FILE with #SBATCH lines; else as `Dask.address`.

    Raises
    ------
    SettingsError
        A file that is not there.
    """
    kind, _, file = cluster.partition(":")
    if kind == "slurm":
        if file and not Path(file).is_file():
            raise SettingsError(f"--cluster {cluster}: expected a file of #SBATCH lines, found none")
        return Slurm(Path(file) if file else None)
    if cluster:
        return Dask(cluster)
    return Processes(workers) if workers > 1 else Serial()
