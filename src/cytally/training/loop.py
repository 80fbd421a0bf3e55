"""A plain loop: pool of cells -> crops -> L2 + Sparse Variation -> a checkpoint per epoch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from cytally.errors import RunError
from cytally.files.names import shown
from cytally.files.runs import locked
from cytally.nets.losses import heatmap_loss
from cytally.nets.unet import STRIDE, Architecture, UNet
from cytally.progress import Progress, silent
from cytally.training import augment
from cytally.training.checkpoints import (
    STATE,
    load_tensors,
    member_path,
    optimiser_tensors,
    read_curves,
    restore_optimiser,
    save_tensors,
    weights_of,
)  # fmt: skip
from cytally.training.devices import lightning, only_the_first_goes_on, shared
from cytally.training.examples import ZERO, CellSource, Targets, TrainingCell, choose_corner, unpack
from cytally.training.folder import (
    CURVES,
    Row,
    check_settings,
    note_settings,
    restored,
    rows_of,
    write_curve,
)
from cytally.training.pool import Pool, PoolSettings

#: Leading channels whose false answers make a cell a hard negative.
ALARMING = 2
Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True)
class TrainingSettings:
    """All that steers a run; saved with it, compared on resuming.

    Attributes
    ----------
    epochs : int
    rate, late_rate : float
        Learning rate until epoch `late_from`, and the constant one from then on,
        from whose checkpoints members are taken.
    decay : float
        Weight decay; decoupled (AdamW) unless `coupled`.
    weight, rho : float
        Lambda and rho of the Sparse Variation term (preprint eq. 1 and 3).
    emphasis, warm, ramp : float, int, int
        For `warm` epochs objects weigh 1 + emphasis (falling to 0) and lambda is 0,
        as sparsity from the start teaches a network to answer 0; then lambda rises
        over `ramp` epochs.
    side : int
        Edge of the crops in normalised pixels.
    augmented : bool
    """

    epochs: int = 60
    late_from: int = 24
    batch: int = 8
    rate: float = 2e-3
    late_rate: float = 5e-4
    decay: float = 1e-2
    coupled: bool = False
    weight: float = 0.2
    rho: float = 0.1
    emphasis: float = 15.0
    warm: int = 6
    ramp: int = 6
    side: int = 384
    sigma: float = 2.0
    augmented: bool = True
    seed: int = 1
    pool: PoolSettings = field(default_factory=PoolSettings)


#: As the preprint: no augmentation, whole spread, constant rate, last 50 checkpoints.
PAPER = TrainingSettings(
    epochs=100, late_from=51, batch=12, rate=3e-4, late_rate=3e-4, decay=0.1, coupled=True,
    emphasis=0.0, warm=0, ramp=0, side=640, augmented=False, pool=PoolSettings(size=5430, fresh=0, hard=0.0),
)  # fmt: skip
#: What ships.
SHIPPED = TrainingSettings()
#: From weights that already find objects (`start`).
FURTHER = replace(
    SHIPPED, epochs=40, late_from=20, rate=6e-4, late_rate=3e-4, emphasis=0.0, warm=0, ramp=0,
)  # fmt: skip
#: Last steps of a trained network, small ones.
FINISH = replace(FURTHER, epochs=14, late_from=4, rate=1e-4, late_rate=1e-4)
PRESETS = {"shipped": SHIPPED, "further": FURTHER, "finish": FINISH, "paper": PAPER}


def fit(
    source: CellSource, architecture: Architecture, settings: TrainingSettings,
    folder: Path, progress: Progress = silent,
    start: Path | None = None, devices: int = 0,
) -> None:  # fmt: skip
    """Train, leaving a checkpoint after each epoch; an interrupted run resumes.

    Parameters
    ----------
    source : CellSource
        Gives cell number n; must be picklable, as it also runs in another process.
    architecture : Architecture
    settings : TrainingSettings
    folder : Path
        Gets run.json, curves.csv, epoch_NNN.safetensors and the state to resume from.
    progress : callable
    start : Path, optional
        Weights (safetensors) of the same architecture to begin from.
    devices : int
        GPUs, or processes without one; 0: every GPU, or one process. Each takes its share of the
        batches, and only the first process returns.

    Raises
    ------
    RunError
        The folder holds a run with other settings, a damaged one, or one that another process is
        training; the loss is no longer a number.
    """
    check_settings(folder, architecture, settings, free=("epochs",))
    fabric = lightning(devices)
    fabric.launch()
    with _alone(fabric, folder):
        check_settings(folder, architecture, settings, free=("epochs",))
        if fabric.is_global_zero:
            note_settings(folder, architecture, settings)
        model = _begin(architecture, settings, start).to(memory_format=torch.channels_last)
        model, optimiser = fabric.setup(model, _optimiser(model, settings))
        pool = Pool(source, settings.pool)
        rows = restored(folder, partial(_restore, folder, model, optimiser, pool)) or []
        if fabric.is_global_zero:
            write_curve(folder, rows)
        if len(rows) < settings.epochs:
            told = progress if fabric.is_global_zero else _silent
            _learn(rows, fabric, model, optimiser, pool, settings, folder, told)
    only_the_first_goes_on(fabric)


def _alone(fabric: Fabric, folder: Path) -> AbstractContextManager[None]:
    """The lock, held by the first process for all of its run."""
    return locked(folder) if fabric.is_global_zero else nullcontext()


def _silent(stage: str, done: int, total: int) -> None:
    """One process tells of the progress of all."""


def _learn(
    rows: list[Row], fabric: Fabric, model: Any, optimiser: Any, pool: Pool, settings: TrainingSettings,
    folder: Path, progress: Progress,
) -> None:  # fmt: skip
    pool.start()
    try:
        missing = pool.fill()
        for position, number in enumerate(missing):
            pool.fetch(number)
            progress("making cells", position + 1, len(missing))
        for epoch in range(len(rows) + 1, settings.epochs + 1):
            if epoch > 1:
                pool.exchange()
            rows.append(_epoch(epoch, fabric, model, optimiser, pool, settings, progress))
            if not np.isfinite(rows[-1]["loss"]):
                raise RunError(
                    f"{shown(folder)}: the loss of epoch {epoch} is not a number; lower the rate and give another --out"
                )
            if fabric.is_global_zero:
                _save(folder, rows, model, optimiser, pool)
            fabric.barrier()
    finally:
        pool.stop()


def _begin(architecture: Architecture, settings: TrainingSettings, start: Path | None) -> UNet:
    """A network with fresh weights, or with those of an earlier run."""
    torch.manual_seed(settings.seed)
    model = UNet(architecture)
    if start is not None:
        tensors, _ = load_tensors(start)
        weights = {k: v.float() for k, v in tensors.items()}
        try:
            for name in ("head.weight", "head.bias"):  # a member of an ensemble lacks the auxiliary channels
                fresh = model.state_dict()[name].clone()
                fresh[: len(weights[name])] = weights[name][: len(fresh)]
                weights[name] = fresh
            model.load_state_dict(weights, strict=False)
        except (RuntimeError, KeyError) as error:
            raise RunError(f"{start}: weights of another architecture: {error}") from error
    return model


def _optimiser(model: UNet, settings: TrainingSettings) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if settings.coupled else torch.optim.AdamW
    return kind(model.parameters(), lr=settings.rate, weight_decay=settings.decay)


def _epoch(
    epoch: int, fabric: Fabric, model: Any, optimiser: Any, pool: Pool,
    settings: TrainingSettings, progress: Progress,
) -> Row:  # fmt: skip
    model.train()
    common = np.random.default_rng([settings.seed, epoch, 0])
    late = epoch >= settings.late_from
    for group in optimiser.param_groups:
        group["lr"] = settings.late_rate if late else settings.rate
    weight, emphasis = criterion_at(epoch, settings)
    losses, started = [], time.monotonic()
    batches = list(_batches(pool.numbers, settings.batch, common))
    batches = batches[: len(batches) // fabric.world_size * fabric.world_size]
    batches = batches[fabric.global_rank :: fabric.world_size]
    rank = fabric.global_rank
    alarms: dict[int, float] = {}
    rng = common if rank == 0 else np.random.default_rng([settings.seed, epoch, rank])

    def prepare(numbers: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        return examples([pool.cells[n] for n in numbers], settings, model_classes(model), rng)

    for step, (numbers, batch) in enumerate(zip(batches, ahead(prepare, batches), strict=True), start=1):
        images, targets, known = (fabric.to_device(part) for part in batch)
        predicted = model(images) * known
        loss = heatmap_loss(predicted.float(), targets, weight, settings.rho, emphasis)
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        alarms |= _alarms(numbers, predicted, targets)
        losses.append(float(loss.detach()))
        progress(f"epoch {epoch} of {settings.epochs}, loss {np.mean(losses[-50:]):.3f}", step, len(batches))
    pool.alarm |= shared(fabric, pool.numbers, alarms)
    return {"epoch": epoch, "loss": float(np.mean(losses)), "seconds": time.monotonic() - started,
            "cells_seen": pool.next_number, "alarm": float(np.mean(list(pool.alarm.values())))}  # fmt: skip


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


def criterion_at(epoch: int, settings: TrainingSettings) -> tuple[float, float]:
    """Lambda and emphasis of an epoch (counted from 1)."""
    if epoch <= settings.warm:
        return 0.0, settings.emphasis * (1 - (epoch - 1) / settings.warm)
    return settings.weight * min(1.0, (epoch - settings.warm) / max(settings.ramp, 1)), 0.0


def model_classes(model: Any) -> int:
    """Output channels of a model, wrapped by Fabric or not."""
    return int(getattr(model, "module", model).architecture.classes)


def examples(
    cells: list[TrainingCell], settings: TrainingSettings, classes: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """One crop of each cell.

    Images (b, 1, side, side), heatmaps (b, classes, side/4, side/4), and 1 or 0 for
    each channel that is labelled (b, classes, 1, 1).
    """
    images, heatmaps = [], []
    targets = Targets(classes, STRIDE, settings.sigma)
    for cell in cells:
        corner = choose_corner(cell, settings.side, rng)
        how = augment.draw(rng) if settings.augmented else augment.Augmentation()
        crop = unpack(augment.move_image(cell.packed, how, corner, settings.side, ZERO))
        places = augment.move_points(cell.places, how, corner, settings.side)
        images.append(augment.restain(crop, how, rng))
        heatmaps.append(targets.draw(places, cell.classes, settings.side))
    image = torch.from_numpy(np.stack(images))[:, None].to(memory_format=torch.channels_last)
    known = torch.from_numpy(np.stack([cell.known[:classes] for cell in cells])).float()[:, :, None, None]
    return image, torch.from_numpy(np.stack(heatmaps)) * known, known


def _batches(numbers: list[int], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    order = rng.permutation(len(numbers))
    for start in range(0, len(order) - size + 1, size):
        yield [numbers[i] for i in order[start : start + size]]


def _alarms(numbers: list[int], predicted: Tensor, targets: Tensor) -> dict[int, float]:
    """The strongest answer of each crop where no label is near."""
    first = slice(0, ALARMING)  # auxiliary channels are full of objects
    quiet = predicted.detach()[:, first].float() * (targets[:, first] < 0.01)
    return dict(zip(numbers, quiet.amax(dim=(1, 2, 3)).tolist(), strict=True))


def _restore(
    folder: Path,
    model: Any,
    optimiser: Any,
    pool: Pool,
    tensors: dict[str, Tensor],
    notes: Mapping[str, Any],
) -> list[Row]:
    """Put everything back; rows of the epochs already done."""
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    restore_optimiser(optimiser, tensors)
    pool.numbers = [int(number) for number in notes["numbers"]]
    pool.age = {int(k): v for k, v in notes["age"].items()}
    pool.alarm = {int(k): v for k, v in notes["alarm"].items()}
    pool.next_number = int(notes["next_number"])
    rows = rows_of(notes) if "rows" in notes else _rows_before(folder, int(notes["epoch"]))
    if len(rows) != notes["epoch"]:
        raise ValueError(f"{len(rows)} rows of the curve after {notes['epoch']} epochs")
    return rows


def _rows_before(folder: Path, epochs: int) -> list[Row]:
    """Rows of curves.csv, for a state of an earlier version, which holds none; NaN where one is missing."""
    found: dict[int, Row] = {}
    if (folder / CURVES).is_file():
        for line in read_curves(folder / CURVES):
            found[int(line["epoch"])] = {name: float(value) for name, value in line.items()}
    columns = next(iter(found.values()), {"epoch": 0, "loss": 0.0, "seconds": 0.0})
    unknown = dict.fromkeys(columns, float("nan"))
    return [found.get(epoch, unknown) | {"epoch": epoch} for epoch in range(1, epochs + 1)]


def _save(folder: Path, rows: Sequence[Row], model: Any, optimiser: Any, pool: Pool) -> None:
    bare, epoch = getattr(model, "module", model), int(rows[-1]["epoch"])
    save_tensors(member_path(folder, epoch), weights_of(bare), {"epoch": epoch})
    state = {f"model.{k}": v for k, v in model.state_dict().items()} | optimiser_tensors(optimiser)
    notes = {"epoch": epoch, "numbers": pool.numbers, "age": pool.age, "alarm": pool.alarm,
             "next_number": pool.next_number, "rows": rows}  # fmt: skip
    save_tensors(folder / STATE, state, notes)
    write_curve(folder, rows)
