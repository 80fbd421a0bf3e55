"""An edition's networks: members that propose, and what they propose -> verifiers."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from cytally.dosimetry.detectors.candidates import LEVEL, crops_at, judged, peaks
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.training.candidates import label
from cytally.dosimetry.training.sources import CLASSES
from cytally.nets.unet import STRIDE, Architecture, UNet
from cytally.nets.verifier import VerifierArchitecture
from cytally.precision import preferred_dtype
from cytally.training.banked.bank import CellBank
from cytally.training.banked.tasks import BankedCrops, BankedHeatmaps, Course
from cytally.training.checkpoints import load_tensors, load_weights, save_tensors
from cytally.training.devices import lightning
from cytally.training.examples import TrainingCell, pack, unpack
from cytally.training.loop import fit
from cytally.training.task import Share
from cytally.training.tasks.crops import Crops, VerifierSettings
from cytally.training.tasks.distilled import DistillationSettings, DistillationTask, TaughtCell
from cytally.training.tasks.heatmaps import SHIPPED
from cytally.types import Detections
from edition.cells import load_cells

#: What each run weighs more: members shall differ.
WEIGHTS = (
    {"outlined": 1.0, "lobed": 1.0, "contracted": 1.0, "simulated": 1.0, "giemsa": 1.0},
    {"outlined": 1.6, "lobed": 0.6, "contracted": 0.6, "simulated": 0.6, "giemsa": 1.2},
    {"outlined": 0.7, "lobed": 1.8, "contracted": 1.8, "simulated": 0.7, "giemsa": 0.7},
    {"outlined": 1.2, "lobed": 1.2, "contracted": 1.2, "simulated": 0.4, "giemsa": 1.2},
)
#: Members that are taught by points, small ones that answer as these do, and verifiers.
PROPOSING = Architecture(classes=len(CLASSES), filters=12, depth=4, widest=160)
SMALL = Architecture(classes=len(CLASSES), filters=6, depth=4, widest=96)
VERIFYING = PROPOSING
#: Edge of the crops that verifiers see, and of those that are stored: room to turn and shift.
SIDE, STORED = 128, 192
#: Places of the map around a proposal that are the verifiers' to judge: half a chromosome.
NEAR = 4.0


def member(
    work: Path,
    run: int,
    epochs: int,
    steps: int,
    batch: int,
    start: Path | None,
    seconds: float,
    sensitive: bool = False,
    bank_: str = "bank",
) -> None:
    """Train one network on the bank; with `seconds`, in as many steps as they allow."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    known, kinds = load_cells(work, bank_)
    weights = np.array([WEIGHTS[run % len(WEIGHTS)][kind] for kind in kinds])
    late = max(2, int(epochs * 0.8))
    warm = 0 if start else max(1, epochs // 10)
    settings = replace(
        SHIPPED,
        epochs=epochs,
        batch=batch,
        late_from=late,
        late_rate=5e-5,
        seed=100 + run,
        warm=warm,
        ramp=warm,
        rate=1e-3 if start else 2e-3,
        emphasis=0.0 if start else SHIPPED.emphasis,
        weight=0.3,
    )
    if sensitive:  # no sparsity, objects weigh more: what proposes shall miss nothing
        settings = replace(settings, warm=epochs, ramp=1, emphasis=8.0)
    course = Course(steps=steps, alone_from=max(2, epochs // 2))
    architecture = replace(PROPOSING, classes=4)
    bank = CellBank(known, device)
    task = BankedHeatmaps(bank, weights, architecture, settings, course, start)
    if seconds < 1e6:
        each = _seconds_a_step(task)
        steps = max(10, int(0.93 * seconds / epochs / each))
        print(
            f"run {run}: {len(known)} cells, {1000 * each:.1f} ms a step, {epochs} epochs of {steps} steps", flush=True
        )
        task = BankedHeatmaps(bank, weights, architecture, settings, replace(course, steps=steps), start)
    rows = fit(task, work / f"run_{run}", say(f"run {run}"))
    print(f"run {run}:", rows[-1], flush=True)


def taught(work: Path, ensemble: Path, bank: str, part: int, parts: int) -> None:
    """What small members shall learn in each cell of a bank: the mean heatmap of all members of an ensemble.

    Around a place that its verifiers do not confirm it is lower in the measure of their probability.
    """
    teachers = load_ensemble(ensemble)
    known, _ = load_cells(work, bank, part, parts)
    every, told, heat = range(len(teachers.members)), say("taught"), []
    for number, cell in enumerate(known, start=1):
        values = unpack(cell.packed)
        maps = np.stack([member.padded(values) for member in teachers.members])
        places = peaks(maps, teachers, every)
        seen = judged(values, places, teachers) if len(places) else places
        heat.append(TaughtCell.of(cell, confirmed_heat(maps.mean(axis=0), seen)).heat)
        told("cells", number, len(known))
    np.savez(work / f"taught_{part}.npz", **{str(k): one for k, one in enumerate(heat)})


def confirmed_heat(mean: np.ndarray[Any, Any], places: Detections) -> np.ndarray[Any, Any]:
    """Heatmaps (classes, h, w), times the verifiers' probability within `NEAR` of each place, the more the nearer."""
    rows, cols = np.mgrid[: mean.shape[1], : mean.shape[2]]
    result = mean.copy()
    for name, row, col, probability in zip(places.names, places.row, places.col, places.probability, strict=True):
        away = np.hypot(rows - (row - 1.5) / STRIDE, cols - (col - 1.5) / STRIDE)
        result[CLASSES.index(name)] *= 1 - (1 - probability) * np.clip(2 - away / NEAR, 0, 1)
    return result


def distilled(work: Path, run: int, settings: DistillationSettings, bank: str) -> None:
    """Train a small member on a bank and what `taught` found in it."""
    cells = []
    for path in sorted(work.glob("taught_*.npz")):
        part, parts = int(path.stem.rpartition("_")[2]), len(list(work.glob("taught_*.npz")))
        known, _ = load_cells(work, bank, part, parts)
        with np.load(path) as stored:
            cells += [TaughtCell(cell, stored[str(k)]) for k, cell in enumerate(known)]
    task = DistillationTask(cells, SMALL, replace(settings, seed=settings.seed + run), title=f"run {run}")
    rows = fit(task, work / f"run_{run}", say(f"run {run}"))
    print(f"run {run}:", rows[-1], flush=True)


def _seconds_a_step(task: Any) -> float:
    """Measured beside whatever else runs, after some steps that warm up."""
    fabric = lightning(single=True)
    bare = task.network()
    network, optimiser = fabric.setup(bare, task.optimiser(bare))

    started = 0.0
    for number, item in enumerate(task.items(1, Share())[:60]):
        if number == 20:
            started = time.monotonic()
        loss = task.loss(network, task.batch(item), fabric)
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        float(loss.detach())
    return (time.monotonic() - started) / 40


def places(work: Path, bank: str, part: int, parts: int) -> None:
    """What the members propose in fresh cells, with what it is -> crops."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    networks = []
    for run in sorted(work.glob("run_?")):
        last = sorted(run.glob("epoch_*.safetensors"))[-1]
        network = UNet(PROPOSING)
        load_weights(network, last, headless=True)
        networks.append(network.eval().to(device).to(memory_format=torch.channels_last))
    known, kinds = load_cells(work, bank, part, parts)
    pixels, labels, from_ = [], [], []
    for number, (cell, kind) in enumerate(zip(known, kinds, strict=True)):
        values = unpack(cell.packed)
        shape = [-(-n // 64) * 64 for n in values.shape]
        padded = np.zeros(shape, np.float32)
        padded[: values.shape[0], : values.shape[1]] = values
        with torch.inference_mode(), _fast(device):
            image = torch.from_numpy(padded)[None, None].to(device).to(memory_format=torch.channels_last)
            mean = torch.stack([network(image)[0] for network in networks]).mean(dim=0).float().cpu().numpy()
        where, what = _proposed(mean, cell)
        crops = crops_at(values, where[:, 0], where[:, 1], STORED)
        pixels.append(pack(crops))
        labels.append(what)
        from_ += [kind] * len(what)
        if number % 500 == 0:
            print(f"places {number} of {len(known)}", flush=True)
    np.savez(work / f"places_{part}.npz", pixels=np.concatenate(pixels), labels=np.concatenate(labels), kinds=from_)
    print("places", np.bincount(np.concatenate(labels), minlength=3), flush=True)


def _proposed(mean: np.ndarray[Any, Any], cell: TrainingCell) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Maxima of the mean heatmaps, the strongest 80, and their classes."""
    around, rows = np.ones((7, 7), np.uint8), []
    for channel, name in enumerate(CLASSES):
        heat = np.ascontiguousarray(mean[channel])
        top = np.argwhere((heat == cv2.dilate(heat, around)) & (heat > 0.7 * LEVEL[name]))
        rows += [(heat[r, c], r * 4 + 1.5, c * 4 + 1.5) for r, c in top]
    rows.sort(reverse=True)
    where = np.array([row[1:] for row in rows[:80]], float).reshape(-1, 2)
    return where, label(where, cell, len(CLASSES))


def verifier(work: Path, run: int, epochs: int, batch: int, seconds: float, start: Path | None = None) -> None:
    """Train one verifier on the proposed places, begun from a member; with `seconds`, as long as they allow."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = []
    for path in sorted(work.glob("places_*.npz")):
        with np.load(path) as stored:
            parts.append((stored["pixels"], stored["labels"].astype(np.int64)))
    crops = Crops(np.concatenate([p for p, _ in parts]), np.concatenate([k for _, k in parts]))
    settings = VerifierSettings(epochs=epochs, batch=batch, rate=4e-4 if start else 1e-3, seed=200 + run, jitter=5)
    architecture = VerifierArchitecture(VERIFYING, SIDE)
    bare = start or work / f"start_{run}.safetensors"
    if start is None:
        _without_auxiliary(sorted((work / f"run_{run}").glob("epoch_*.safetensors"))[-1], bare)
    task = BankedCrops(crops, architecture, settings, bare, title=f"verifier {run}", device=device)
    if seconds < 1e6:
        steps = 0.9 * seconds / _seconds_a_step(task)
        settings = replace(settings, epochs=int(np.clip(steps * batch / len(crops), 1, 8)))
        few = int(steps * batch)
        if few < len(crops):
            chosen = np.random.default_rng(run).permutation(len(crops))[:few]
            crops = Crops(crops.pixels[chosen], crops.labels[chosen])
        print(f"verifier {run}: {len(crops)} crops, {settings.epochs} epochs", flush=True)
        task = BankedCrops(crops, architecture, settings, bare, title=f"verifier {run}", device=device)
    rows = fit(task, work / f"verifier_{run}", say(f"verifier {run}"))
    print(f"verifier {run}:", rows[-1], flush=True)


def _without_auxiliary(path: Path, out: Path) -> None:

    tensors = load_tensors(path)[0]
    save_tensors(out, {k: v[: len(CLASSES)] if k.startswith("head.") else v for k, v in tensors.items()})


def say(name: str) -> Any:
    last = [0.0]

    def progress(stage: str, done: int, total: int) -> None:
        if time.time() - last[0] > 20:
            last[0] = time.time()
            print(f"{name}: {stage} {done}/{total}", flush=True)

    return progress


def _fast(device: str) -> AbstractContextManager[object]:
    """In the number format that this machine multiplies fastest; autocast knows no float32."""
    dtype = preferred_dtype()
    return nullcontext() if dtype is torch.float32 else torch.autocast(device, dtype)
