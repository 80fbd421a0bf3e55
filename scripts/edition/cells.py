"""What an edition learns from: images and class maps -> sources -> labelled cells in shards."""

from __future__ import annotations

import multiprocessing
import re
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow

from cytally.dosimetry.compose.cell import Wanted, picture
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.folder import write_composed
from cytally.dosimetry.compose.outlined.drawn import Geometry
from cytally.dosimetry.compose.outlined.fields import Outlined, geometry, outlined_field
from cytally.dosimetry.training.sources import ComposedSource, DrawnSource, SimulatedSource
from cytally.errors import CytallyError
from cytally.files.atomic import write_bytes
from cytally.images.write import write
from cytally.training.examples import ZERO, CellSource, TrainingCell
from cytally.types import Image

#: Slides and fields that training never sees.
KEPT = ("A02", "A03", "A05", "A22", "P08", "V16", "V27")
KEPT_SCC = (4, 5)
#: Slides whose chromosomes come closest to solid Giemsa stain are drawn more often.
NEAR = {"A01": 4, "P07": 3, "P12": 3, "V14": 2, "A20": 2, "A06": 1}
#: Sources of the cells, and their share in the bank.
SHARES = {"outlined": 0.33, "lobed": 0.35, "simulated": 0.22, "giemsa": 0.1}
#: Styles of the simulator that are drawn as most instruments show them, and their weights.
CONTRACTED = {"lobed": 10, "beaded": 6}
#: Edges of a cell in the bank.
MOST = (896, 1024)
_SHARD = 40
_SOURCES: dict[str, CellSource] = {}


def held(mfish: Path, work: Path, count: int) -> None:
    """Labelled cells composed of the slides that are kept, and those of normal karyotype as they are."""
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


def shares(contracted: float) -> dict[str, float]:
    """Share of each source, where so many cells are of the contracted styles."""
    return {kind: share * (1 - contracted) for kind, share in SHARES.items()} | {"contracted": contracted}


def cells(work: Path, bank: str, wanted: dict[str, int], seed: int, workers: int, seconds: float) -> None:
    """So many cells of each source in shards; those that are there are kept."""
    folder = work / bank
    folder.mkdir(parents=True, exist_ok=True)
    _SOURCES.update(sources(work, seed))
    tasks, until = [], time.time() + seconds
    for kind, count in wanted.items():
        for start in range(0, count, _SHARD):
            path = folder / f"{kind}_{start:06d}.npz"
            if not path.is_file():
                tasks.append((start, kind, path, until))
    tasks.sort(key=lambda task: task[0] / wanted[task[1]])  # whenever time runs out, shares are right
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        made = sum(pool.imap_unordered(_shard, tasks))
    print(bank, made, "cells", flush=True)


def _shard(task: tuple[int, str, Path, float]) -> int:
    start, kind, path, until = task
    if time.time() > until:
        return 0
    cv2.setNumThreads(1)
    np.seterr(all="ignore")
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
