"""One loop for every learner: batches -> steps -> an epoch that is kept whole; an interrupted run resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from cytally.errors import RunError
from cytally.files.names import shown
from cytally.files.runs import locked
from cytally.progress import Progress, silent
from cytally.training.checkpoints import (
    STATE,
    member_path,
    optimiser_tensors,
    restore_optimiser,
    save_tensors,
    weights_of,
)
from cytally.training.devices import lightning, only_the_first_goes_on, unwrapped
from cytally.training.folder import check_settings, note_settings, restored, rows_of, write_curve
from cytally.training.task import Batch, Item, Row, Share, Task

Made = TypeVar("Made")
#: Steps over which the loss is averaged for the progress message.
_RECENT = 50


def fit(task: Task[Item, Batch], folder: Path, progress: Progress = silent, devices: int = 0) -> list[Row]:
    """Train a network, leaving every epoch whole on disk; an interrupted run resumes after the last one.

    Parameters
    ----------
    task : Task
    folder : Path
        Gets run.json (settings, version, machine), curves.csv, epoch_NNN.safetensors for the epochs that
        the task keeps, and state.safetensors to resume from.
    progress : callable
    devices : int
        GPUs, or processes without one; 0: every GPU, or one process. Each takes its share of the
        batches, and only the first process returns. A task that is not for several gets one.

    Returns
    -------
    list of dict
        The learning curve, a row per epoch, those of earlier calls included.

    Raises
    ------
    RunError
        The folder holds a run with other settings, a damaged one, or one that another process is
        training; the loss is no longer a number.
    """
    identity = task.identity()
    check_settings(folder, identity, task.free)
    fabric = lightning(devices, single=not task.several)
    fabric.launch()
    with _alone(fabric, folder):
        check_settings(folder, identity, task.free)
        if fabric.is_global_zero:
            note_settings(folder, identity)
        run = _Run.begin(task, folder, fabric)
        run.tidy()
        run.epochs(progress if fabric.is_global_zero else silent)
    only_the_first_goes_on(fabric)
    return run.rows


def _alone(fabric: Fabric, folder: Path) -> AbstractContextManager[None]:
    """The lock, held by the first process for all of its run."""
    return locked(folder) if fabric.is_global_zero else nullcontext()


@dataclass
class _Run(Generic[Item, Batch]):
    """A task at work: what changes from step to step, and the rows of the epochs done."""

    task: Task[Item, Batch]
    folder: Path
    fabric: Fabric
    network: nn.Module
    optimiser: torch.optim.Optimizer
    rows: list[Row] = field(default_factory=list)

    @staticmethod
    def begin(task: Task[Item, Batch], folder: Path, fabric: Fabric) -> _Run[Item, Batch]:
        """The run as its last whole epoch left it."""
        bare = task.network().to(memory_format=torch.channels_last)
        network, optimiser = fabric.setup(bare, task.optimiser(bare))
        run = _Run(task, folder, fabric, network, optimiser)
        restored(folder, run._restore)
        return run

    def epochs(self, progress: Progress) -> None:
        """All epochs that are still to do."""
        if self._done():
            return
        with self.task.running(progress):
            while not self._done():
                row = self.fabric.broadcast(self._epoch(len(self.rows) + 1, progress))  # all stop together
                if not np.isfinite(list(row.values())).all():
                    raise RunError(
                        f"{shown(self.folder)}: the loss of epoch {row['epoch']} is not a number; "
                        "lower the rate and give another --out"
                    )
                self.rows.append(row)
                self._save()
                self.fabric.barrier()

    def tidy(self) -> None:
        """What follows from the state: the curve, and which epochs stay."""
        if not self.fabric.is_global_zero:
            return
        write_curve(self.folder, self.rows)
        kept = {member_path(self.folder, epoch) for epoch in self.task.kept(self.rows)}
        for path in self.folder.glob("epoch_*.safetensors"):
            if path not in kept:
                path.unlink()

    def _done(self) -> bool:
        return len(self.rows) >= self.task.epochs or self.task.finished(self.rows)

    def _epoch(self, epoch: int, progress: Progress) -> Row:
        """Show every item of this process once."""
        items = self.task.items(epoch, Share(self.fabric.global_rank, self.fabric.world_size))
        started, losses = time.monotonic(), []
        stage = f"{self.task.title}: " if self.task.title else ""
        stage += f"epoch {epoch} of {self.task.epochs}, loss"
        self.network.train()
        for step, batch in enumerate(ahead(self.task.batch, items)):
            losses.append(self._step(batch, self.task.rate(epoch, step, len(items))))
            progress(f"{stage} {np.mean(losses[-_RECENT:]):.4f}", step + 1, len(items))
        more = self.task.after_epoch(self.network, self.fabric)
        mean = float(np.mean(losses)) if losses else float("nan")
        return {"epoch": epoch, "loss": mean, "seconds": time.monotonic() - started} | more

    def _step(self, batch: Batch, rate: float) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self.task.loss(self.network, batch, self.fabric)
        self.optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        self.optimiser.step()
        return float(loss.detach())

    def _save(self) -> None:
        """The weights if they are kept, then the state: whoever finds the state finds the weights."""
        if not self.fabric.is_global_zero:
            return
        epoch, bare = int(self.rows[-1]["epoch"]), unwrapped(self.network)
        if epoch in self.task.kept(self.rows):
            save_tensors(member_path(self.folder, epoch), weights_of(bare), {"epoch": epoch})
        state = {f"model.{name}": tensor for name, tensor in bare.state_dict().items()}
        state |= optimiser_tensors(self.optimiser)
        save_tensors(self.folder / STATE, state, {"rows": self.rows, "task": self.task.notes()})
        self.tidy()

    def _restore(self, tensors: dict[str, Tensor], notes: Mapping[str, object]) -> None:
        prefix = "model."
        weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        unwrapped(self.network).load_state_dict(weights)
        restore_optimiser(self.optimiser, tensors)
        rows, told = rows_of(notes), notes["task"]
        if not isinstance(told, Mapping):
            raise TypeError("notes of the task that have no names")
        self.task.restore(told)
        self.rows = rows


def ahead(make: Callable[[Item], Made], items: Sequence[Item]) -> Iterator[Made]:
    """`map(make, items)`, in order, one item made in the background while another is used."""
    with ThreadPoolExecutor(1) as worker:
        waiting = None
        for item in items:
            following = worker.submit(make, item)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
