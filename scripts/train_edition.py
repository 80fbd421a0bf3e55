"""Train the third edition of the shipped detector, in pieces that can each be interrupted and called again.

    python scripts/train_edition.py gather MFISH SCC              # images and class maps -> sources.npz
    python scripts/train_edition.py cells                         # labelled cells to learn from
    python scripts/train_edition.py member --run 0                # a network that proposes; --start FILE goes on
    python scripts/train_edition.py cells --bank fresh --seed 7   # cells that no member has seen
    python scripts/train_edition.py places --bank fresh           # what the members propose in them
    python scripts/train_edition.py verifier --run 0              # what lies there
    python scripts/train_edition.py assemble OUT --members FILES --verifiers FILES
    python scripts/train_edition.py thresholds OUT                # chosen on cells of every kind
    python scripts/train_edition.py held MFISH --work OTHER       # cells to measure on, of slides never learnt from

MFISH: the M-FISH set of Advanced Digital Imaging Research (jeanpat/MFISH); SCC: lb-kosuke/Detection_Classification
(MIT). Slides in KEPT and fields 4 and 5 of SCC are never learnt from: they are there to measure on. A GPU is used where
there is one; --cells, --epochs, --steps and --seconds make every piece smaller. scripts/train_shipped.sh says which
pieces made the shipped edition.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cytally.dosimetry.compose.cell import Wanted
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.outlined.drawn import Geometry
from cytally.dosimetry.compose.outlined.fields import Outlined, geometry, outlined_field
from cytally.dosimetry.training.sources import CLASSES, ComposedSource, DrawnSource, SimulatedSource
from cytally.errors import CytallyError
from cytally.files.atomic import write_bytes
from cytally.training.examples import ZERO, CellSource, TrainingCell
from cytally.types import Image

#: Slides and fields that training never sees.
KEPT = ("A02", "A03", "A05", "A22", "P08", "V16", "V27")
KEPT_SCC = (4, 5)
#: Slides whose chromosomes come closest to solid Giemsa stain are drawn more often.
NEAR = {"A01": 4, "P07": 3, "P12": 3, "V14": 2, "A20": 2, "A06": 1}
#: What is learnt from, for the card.
DATA = (
    "simulated cells; cells composed from M-FISH images (Advanced Digital Imaging Research) in the look of solid "
    "Giemsa; drawn chromosomes laid where these lie; cells composed from fields of lb-kosuke/Detection_Classification"
)
#: Sources of the cells, and their share in the bank.
SHARES = {"outlined": 0.3, "lobed": 0.22, "contracted": 0.24, "simulated": 0.18, "giemsa": 0.06}
#: Styles of the simulator that are drawn as most instruments show them, and their weights.
CONTRACTED = {"lobed": 10, "beaded": 6}
#: What each run weighs more: members shall differ.
WEIGHTS = (
    {"outlined": 1.0, "lobed": 1.0, "contracted": 1.0, "simulated": 1.0, "giemsa": 1.0},
    {"outlined": 1.6, "lobed": 0.6, "contracted": 0.6, "simulated": 0.6, "giemsa": 1.2},
    {"outlined": 0.7, "lobed": 1.8, "contracted": 1.8, "simulated": 0.7, "giemsa": 0.7},
    {"outlined": 1.2, "lobed": 1.2, "contracted": 1.2, "simulated": 0.4, "giemsa": 1.2},
)
#: Edges of a cell in the bank.
MOST = (896, 1024)
#: Edge of the crops that verifiers see, and of those that are stored: room to turn and shift.
SIDE, STORED = 128, 192
_SHARD = 40
_SOURCES: dict[str, CellSource] = {}


def held(mfish: Path, work: Path, count: int) -> None:
    """Labelled cells composed of the slides that are kept, and those of normal karyotype as they are."""
    from PIL import Image as Pillow

    from cytally.dosimetry.compose.cell import picture
    from cytally.dosimetry.compose.folder import write_composed
    from cytally.images.write import write

    fields, normal = [], work / "normal"
    normal.mkdir(parents=True, exist_ok=True)
    for path in sorted(mfish.glob("MFISH_TIFF_*D.tif")):
        slide = re.match(r"MFISH_TIFF_(\w\d+)__(\w+)_", path.name)
        outlines = path.with_name(path.name[:-5] + "K.tif")
        if slide is None or slide[1] not in KEPT or slide[2] == "EX" or not outlines.is_file():
            continue
        given = Outlined(
            Image(np.array(Pillow.open(path).convert("L")), None, path.name), np.array(Pillow.open(outlines))
        )
        fields.append(outlined_field(given))
        if slide[2] in ("XX", "XY"):
            write(normal / f"{path.stem}.png", picture(fields[-1].density, path.name))
    print(len(fields), "fields,", sum(bool(f.uprights) for f in fields), "able,", len(list(normal.iterdir())), "normal")
    write_composed(tuple(fields), work / "composed", count, 7)


def gather(mfish: Path, scc: Path, work: Path) -> None:
    """Images and class maps of all that may be learnt from -> sources.npz."""
    from PIL import Image as Pillow

    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for path in sorted(mfish.glob("MFISH_TIFF_*D.tif")):
        slide = re.match(r"MFISH_TIFF_(\w\d+)__(\w+)_", path.name)
        outlines = path.with_name(path.name[:-5] + "K.tif")
        if slide is None or slide[1] in KEPT or slide[2] == "EX" or "V1501" in path.name or not outlines.is_file():
            continue
        arrays[f"outlined/{slide[1]}/{path.stem}/image"] = np.array(Pillow.open(path).convert("L"))
        arrays[f"outlined/{slide[1]}/{path.stem}/classes"] = np.array(Pillow.open(outlines))
    for path in sorted(scc.glob("*.png")):
        number = re.search(r"(\d+)$", path.stem)
        if number and int(number[1]) not in KEPT_SCC:
            arrays[f"giemsa/{number[1]}/{path.stem}/image"] = np.array(Pillow.open(path).convert("RGB"))[..., 1]
    work.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(work / "sources.npz", **arrays)
    print(len(arrays), "arrays", (work / "sources.npz").stat().st_size // 1000, "kB")


def fields_of(work: Path, kind: str) -> tuple[Field, ...]:
    """Fields of one kind, near slides repeated."""
    given = given_of(work, kind)
    names = [name for name, _, _ in given]
    with multiprocessing.get_context("fork").Pool() as pool:
        made = pool.map(_field, given, chunksize=2)
    repeated = [[field] * NEAR.get(name.split("/")[1], 1) for name, field in zip(names, made, strict=True) if field]
    return tuple(field for several in repeated for field in several)


def given_of(work: Path, kind: str) -> list[Any]:
    """Name, pixels and classes (or None) of each image of one kind."""
    with np.load(work / "sources.npz") as stored:
        names = [name for name in stored.files if name.startswith(kind) and name.endswith("image")]
        return [(n, stored[n], stored[n[:-5] + "classes"] if kind == "outlined" else None) for n in names]


def geometries_of(work: Path) -> tuple[Geometry, ...]:
    """Where chromosomes lie in all outlined fields."""
    with multiprocessing.get_context("fork").Pool() as pool:
        return tuple(g for g in pool.map(_geometry, given_of(work, "outlined"), chunksize=2) if g is not None)


def _geometry(given: Any) -> Geometry | None:
    cv2.setNumThreads(1)
    try:
        return geometry(Outlined(Image(given[1], None, given[0].split("/")[2]), given[2]))
    except CytallyError:
        return None


def _field(given: tuple[str, np.ndarray[Any, Any], np.ndarray[Any, Any] | None]) -> Field | None:
    name, pixels, classes = given
    cv2.setNumThreads(1)
    image = Image(pixels, None, name.split("/")[2])
    try:
        return Field.of(image) if classes is None else outlined_field(Outlined(image, classes))
    except CytallyError as error:
        print("left out:", error)
        return None


def sources(work: Path, seed: int) -> dict[str, CellSource]:
    """One source of each kind."""
    outlined, giemsa = fields_of(work, "outlined"), fields_of(work, "giemsa")
    print("fields", len(outlined), "able", sum(bool(f.uprights) for f in outlined), "and", len(giemsa), flush=True)
    return {
        "outlined": ComposedSource(outlined, seed, Wanted(dicentrics=3.5, restyled=0.85)),
        "giemsa": ComposedSource(giemsa, seed + 1, Wanted(dicentrics=3.0, restyled=0.6)),
        "simulated": SimulatedSource(seed + 2),
        "contracted": SimulatedSource(seed + 4, mix=dict(CONTRACTED)),
        "lobed": DrawnSource(geometries_of(work), seed + 3, Wanted(dicentrics=3.5, swapped=0, restyled=0.7)),
    }


def cells(work: Path, bank: str, count: int, seed: int, workers: int, seconds: float) -> None:
    """Cells of all sources in shards; those that are there are kept."""
    folder = work / bank
    folder.mkdir(parents=True, exist_ok=True)
    _SOURCES.update(sources(work, seed))
    tasks, until = [], time.time() + seconds
    for kind, share in SHARES.items():
        for start in range(0, int(count * share), _SHARD):
            path = folder / f"{kind}_{start:06d}.npz"
            if not path.is_file():
                tasks.append((start, kind, path, until))
    tasks.sort(key=lambda task: task[0] / SHARES[task[1]])  # whenever time runs out, shares are right
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        made = sum(pool.imap_unordered(_shard, tasks))
    print(bank, made, "cells", flush=True)


def _shard(task: tuple[int, str, Path, float]) -> int:
    start, kind, path, until = task
    if time.time() > until:
        return 0
    cv2.setNumThreads(1)
    np.seterr(all="ignore")
    from io import BytesIO

    parts: dict[str, np.ndarray[Any, Any]] = {}
    for k in range(start, start + _SHARD):
        cell = fitted(_SOURCES[kind].cell(k))
        parts |= {f"{k}_{name}": np.asarray(value) for name, value in vars(cell).items()}
    buffer = BytesIO()
    np.savez(buffer, **parts)
    write_bytes(path, buffer.getvalue())
    return _SHARD


def fitted(cell: TrainingCell) -> TrainingCell:
    """The part of a cell around its chromosomes that fits in the bank."""
    corner = [0, 0]
    stained = np.argwhere(cell.packed[::8, ::8] > ZERO + 36) * 8
    for axis, most in enumerate(MOST):
        size = cell.packed.shape[axis]
        if size > most:
            middle = float(np.median(stained[:, axis])) if len(stained) else size / 2
            corner[axis] = int(np.clip(middle - most / 2, 0, size - most))
    packed = cell.packed[corner[0] : corner[0] + MOST[0], corner[1] : corner[1] + MOST[1]]
    places = cell.places - np.array(corner, np.float32)
    inside = ((places > -20) & (places < np.array(packed.shape) + 20)).all(axis=1)
    return TrainingCell(np.ascontiguousarray(packed), places[inside], cell.classes[inside], cell.known)


def load_cells(work: Path, bank: str, part: int = 0, parts: int = 1) -> tuple[list[TrainingCell], list[str]]:
    """All cells of a bank, and the source of each."""
    found, kinds = [], []

    def shard(path: Path) -> list[TrainingCell]:
        with np.load(path) as stored:
            keys = sorted({name.split("_")[0] for name in stored.files}, key=int)
            return [
                TrainingCell(*(stored[f"{key}_{name}"] for name in ("packed", "places", "classes", "known")))
                for key in keys
            ]

    paths = sorted((work / bank).glob("*.npz"))[part::parts]
    with ThreadPoolExecutor(8) as pool:
        for path, cells_ in zip(paths, pool.map(shard, paths), strict=True):
            found += cells_
            kinds += [path.name.split("_")[0]] * len(cells_)
    return found, kinds


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
    import torch

    from cytally.nets.unet import Architecture
    from cytally.training.banked.bank import CellBank
    from cytally.training.banked.tasks import BankedHeatmaps, Course
    from cytally.training.loop import fit
    from cytally.training.tasks.heatmaps import SHIPPED

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
    architecture = Architecture(classes=4, filters=12, depth=4, widest=160)
    bank = CellBank(known, device)
    task = BankedHeatmaps(bank, weights, architecture, settings, course, start)
    if seconds < 1e6:
        each = _seconds_a_step(task)
        steps = max(10, int(0.93 * seconds / epochs / each))
        print(
            f"run {run}: {len(known)} cells, {1000 * each:.1f} ms a step, {epochs} epochs of {steps} steps", flush=True
        )
        task = BankedHeatmaps(bank, weights, architecture, settings, replace(course, steps=steps), start)
    rows = fit(task, work / f"run_{run}", _say(f"run {run}"))
    print(f"run {run}:", rows[-1], flush=True)


def _seconds_a_step(task: Any) -> float:
    """Measured beside whatever else runs, after some steps that warm up."""
    from cytally.training.devices import lightning

    fabric = lightning(single=True)
    bare = task.network()
    network, optimiser = fabric.setup(bare, task.optimiser(bare))
    from cytally.training.task import Share

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
    import torch

    from cytally.dosimetry.detectors.candidates import crops_at
    from cytally.nets.unet import Architecture, UNet
    from cytally.precision import preferred_dtype
    from cytally.training.checkpoints import load_weights
    from cytally.training.examples import pack, unpack

    device = "cuda" if torch.cuda.is_available() else "cpu"
    networks = []
    for run in sorted(work.glob("run_?")):
        last = sorted(run.glob("epoch_*.safetensors"))[-1]
        network = UNet(Architecture(classes=2, filters=12, depth=4, widest=160))
        load_weights(network, last, headless=True)
        networks.append(network.eval().to(device).to(memory_format=torch.channels_last))
    known, kinds = load_cells(work, bank, part, parts)
    pixels, labels, from_ = [], [], []
    for number, (cell, kind) in enumerate(zip(known, kinds, strict=True)):
        values = unpack(cell.packed)
        shape = [-(-n // 64) * 64 for n in values.shape]
        padded = np.zeros(shape, np.float32)
        padded[: values.shape[0], : values.shape[1]] = values
        with torch.inference_mode(), torch.autocast(device, preferred_dtype()):
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
    from cytally.dosimetry.detectors.candidates import LEVEL
    from cytally.dosimetry.training.candidates import label

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
    import torch

    from cytally.nets.unet import Architecture
    from cytally.nets.verifier import VerifierArchitecture
    from cytally.training.banked.tasks import BankedCrops
    from cytally.training.loop import fit
    from cytally.training.tasks.crops import Crops, VerifierSettings

    device = "cuda" if torch.cuda.is_available() else "cpu"
    parts = []
    for path in sorted(work.glob("places_*.npz")):
        with np.load(path) as stored:
            parts.append((stored["pixels"], stored["labels"].astype(np.int64)))
    crops = Crops(np.concatenate([p for p, _ in parts]), np.concatenate([k for _, k in parts]))
    settings = VerifierSettings(epochs=epochs, batch=batch, rate=4e-4 if start else 1e-3, seed=200 + run, jitter=5)
    architecture = VerifierArchitecture(Architecture(classes=2, filters=12, depth=4, widest=160), SIDE)
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
    rows = fit(task, work / f"verifier_{run}", _say(f"verifier {run}"))
    print(f"verifier {run}:", rows[-1], flush=True)


def _without_auxiliary(path: Path, out: Path) -> None:
    from cytally.training.checkpoints import load_tensors, save_tensors

    tensors = load_tensors(path)[0]
    save_tensors(out, {k: v[: len(CLASSES)] if k.startswith("head.") else v for k, v in tensors.items()})


def assemble(out: Path, members: list[Path], verifiers: list[Path], notes: dict[str, object]) -> None:
    """Put members and verifiers into a folder with a card; thresholds come later."""
    from dataclasses import asdict

    from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE
    from cytally.inference.card import Card, Thresholds
    from cytally.inference.ensemble import add_verifiers, write_ensemble
    from cytally.nets.architecture import Architecture, VerifierArchitecture

    unet = Architecture(classes=len(CLASSES), filters=12, depth=4, widest=160)
    card = Card(
        name=out.name,
        task="dosimetry",
        classes=list(CLASSES),
        arguments={"classes": 4, **{k: asdict(unet)[k] for k in ("filters", "depth", "stem", "widest")}},
        members=[],
        normalisation={"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM},
        thresholds=Thresholds(
            confidence=[[0.5] * len(CLASSES)] * len(members), agreement=[len(members) // 2] * len(CLASSES)
        ),
        training=notes,
    )
    write_ensemble(out, card, members)
    add_verifiers(out, verifiers, VerifierArchitecture(unet, SIDE).arguments, notes)


def thresholds(work: Path, out: Path, count: int) -> None:
    """Choose the thresholds of an assembled ensemble on cells of every kind that it has not learnt from."""
    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.dosimetry.training.thresholds.cells import look_at
    from cytally.dosimetry.training.thresholds.votes import choose
    from cytally.dosimetry.training.train import threshold_cells

    ensemble, say = load_ensemble(out), _say("thresholds")
    quiet = {"anew": (2, 12), "restyled": 0.85}
    outlined, places_ = fields_of(work, "outlined"), geometries_of(work)
    silent: list[CellSource] = [
        ComposedSource(outlined, 99_001, Wanted(silent=1.0, **quiet), CLASSES),
        DrawnSource(places_, 99_002, Wanted(silent=1.0, swapped=0, **quiet), CLASSES),
    ]
    exposed: list[CellSource] = [
        ComposedSource(outlined, 99_003, Wanted(silent=0.2, restyled=0.85), CLASSES),
        DrawnSource(places_, 99_004, Wanted(silent=0.2, swapped=0, restyled=0.7), CLASSES),
    ]
    highest = look_at(threshold_cells(range(count // 4), 4.0), ensemble, count // 4, say, "cells of 4 Gy")
    calm = look_at(threshold_cells(range(count), None), ensemble, count, say, "cells without aberrations")
    for source in exposed:
        highest += look_at(
            (fitted(source.cell(k)) for k in range(count // 4)), ensemble, count // 4, say, "composed cells"
        )
    for source in silent:
        calm += look_at(
            (fitted(source.cell(k)) for k in range(count // 2)), ensemble, count // 2, say, "composed, silent"
        )
    print(choose(ensemble, out, highest, calm).card.thresholds, flush=True)


def _say(name: str) -> Any:
    last = [0.0]

    def progress(stage: str, done: int, total: int) -> None:
        if time.time() - last[0] > 20:
            last[0] = time.time()
            print(f"{name}: {stage} {done}/{total}", flush=True)

    return progress


def main() -> None:
    """One piece."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "piece", choices=["gather", "held", "cells", "member", "places", "verifier", "assemble", "thresholds"]
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--work", type=Path, default=Path("runs/third"))
    parser.add_argument("--bank", default="bank")
    parser.add_argument("--cells", type=int, default=12000)
    parser.add_argument("--run", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--members", nargs="*", type=Path, default=[])
    parser.add_argument("--verifiers", nargs="*", type=Path, default=[])
    parser.add_argument("--machine", default="", help="for the card: where it was trained")
    parser.add_argument("--sensitive", action="store_true")
    given = parser.parse_args()
    if given.piece == "gather":
        gather(*given.folders, given.work)
    elif given.piece == "held":
        held(given.folders[0], given.work, given.cells)
    elif given.piece == "assemble":
        notes = {"command": "scripts/train_shipped.sh", "seed": given.seed, "data": DATA, "machine": given.machine}
        assemble(given.folders[0], given.members, given.verifiers, notes)
    elif given.piece == "thresholds":
        thresholds(given.work, given.folders[0], given.cells)
    elif given.piece == "cells":
        cells(given.work, given.bank, given.cells, given.seed, given.workers, given.seconds)
    elif given.piece == "member":
        member(
            given.work,
            given.run,
            given.epochs,
            given.steps,
            given.batch,
            given.start,
            given.seconds,
            given.sensitive,
            given.bank,
        )
    elif given.piece == "places":
        places(given.work, given.bank, given.part, given.parts)
    else:
        verifier(given.work, given.run, given.epochs, given.batch, given.seconds, given.start)


if __name__ == "__main__":
    sys.exit(main())
