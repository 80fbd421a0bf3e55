"""Checkpoints of several runs, asked about the same held-out cells; what they answer is kept in blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from cytally.dosimetry.density import normalise
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import style_named
from cytally.dosimetry.training.sources import CLASSES, PAPER_STYLE, paper_cells, training_cell
from cytally.errors import ImageError, RunError
from cytally.evaluation.islands import Answers, Island, answers_of
from cytally.files.atomic import write_bytes
from cytally.files.runs import read_record
from cytally.inference.card import sha256_of
from cytally.inference.graph import GraphMember
from cytally.inference.votes import look_everywhere
from cytally.nets.architecture import Architecture, architecture_of
from cytally.nets.unet import UNet
from cytally.progress import Progress
from cytally.training.checkpoints import load_tensors
from cytally.training.examples import TrainingCell, unpack
from cytally.types import Image

#: Cells that no run learns from.
SEED = 880_000
#: Cells of one file.
BLOCK = 10


@dataclass(frozen=True)
class Asked:
    """One job: some checkpoints, some cells of a set, the file for their answers."""

    checkpoints: tuple[Path, ...]
    cells: str
    numbers: tuple[int, ...]
    out: Path


def runs_of(words: list[str]) -> dict[str, Path]:
    """Training folders by name, from NAME=RUN.

    Raises
    ------
    RunError
        Something else, or a name twice.
    """
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (name, _, folder) in zip(words, pairs, strict=True) if not name or not folder]
    if wrong or len({name for name, _, _ in pairs}) < len(pairs):
        raise RunError(f"expected runs as NAME=RUN, each name once, got {', '.join(wrong or words)}")
    return {name: Path(folder) for name, _, folder in pairs}


def checkpoints_of(run: Path, last: int) -> tuple[Path, ...]:
    """The last checkpoints of a run, oldest first.

    Raises
    ------
    RunError
        It has fewer.
    """
    found = sorted(run.glob("epoch_*.safetensors"))
    if len(found) < last:
        raise RunError(f"{run}: expected {last} checkpoints, found {len(found)}; let the run go on, or ask for fewer")
    return tuple(found[-last:])


def cell_of(cells: str, number: int) -> TrainingCell:
    """Cell of a set: `aberrant`, as the preprint's, or `silent`."""
    if cells == "aberrant":
        return paper_cells(SEED).cell(number)
    rng = np.random.default_rng([SEED + 1, number])
    made = simulate_cell(style_named(PAPER_STYLE), Damage(), rng, paper_cells(0).shape)
    try:
        return training_cell(normalise(Image(made.image.pixels)), made.evidence, CLASSES)
    except ImageError:
        return cell_of(cells, number + 10**6)


def ask(runs: dict[str, tuple[Path, ...]], cells: str, count: int, out: Path, workers: int, progress: Progress) -> None:
    """Put every checkpoint of every run before `count` cells; blocks that are there are not asked again."""
    jobs = []
    for name, checkpoints in runs.items():
        check_same(checkpoints, out / "answers" / name)
        for start in range(0, count, BLOCK):
            path, numbers = block_path(out, name, cells, start), tuple(range(start, min(start + BLOCK, count)))
            if not _whole(path, numbers):
                jobs.append(Asked(checkpoints, cells, numbers, path))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(_answer, jobs), start=1):
            progress(f"asking about {cells} cells", done, len(jobs))


def _whole(path: Path, numbers: tuple[int, ...]) -> bool:
    """Whether a block is there with these cells; an earlier study of fewer cells may have left a shorter one."""
    if not path.is_file():
        return False
    with np.load(path) as held:
        return all(f"{number}.{CLASSES[-1]}.objects" in held for number in numbers)


def check_same(checkpoints: tuple[Path, ...], folder: Path) -> None:
    """Note whose answers a folder holds; refuse networks that give other maps, or answers of other checkpoints.

    Raises
    ------
    RunError
    """
    maps = {(how.classes, how.step) for how in map(architecture_of_run, {path.parent for path in checkpoints})}
    if len(maps) != 1 or min(maps)[0] < len(CLASSES):
        raise RunError(
            f"{folder.name}: expected networks that give maps of {' and '.join(CLASSES)} on one grid, "
            f"got (classes, step) {sorted(maps)}; compare runs of one kind"
        )
    hashes, told = [sha256_of(path) for path in checkpoints], folder / "asked.json"
    if told.is_file() and json.loads(told.read_text()) != hashes:
        raise RunError(f"{folder}: holds answers of other checkpoints; give another --out, or remove this folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(told, json.dumps(hashes, indent=1).encode())


def models_of(out: Path, run: str) -> int:
    """How many networks answered under this name."""
    return len(json.loads((out / "answers" / run / "asked.json").read_text()))


def block_path(out: Path, run: str, cells: str, start: int) -> Path:
    """Where the answers to one block of cells lie."""
    return out / "answers" / run / f"{cells}_{start:05d}.npz"


_MEMBERS: dict[tuple[Path, ...], list[GraphMember]] = {}


def _answer(asked: Asked) -> None:
    members = _MEMBERS.setdefault(asked.checkpoints, [])
    members += [member_of(path) for path in asked.checkpoints[len(members) :]]
    held: dict[str, np.ndarray] = {}
    for number in asked.numbers:
        cell = cell_of(asked.cells, number)
        density = unpack(cell.packed)
        maps = np.stack([look_everywhere(density, member) for member in members])
        for channel, name in enumerate(CLASSES):
            places = cell.places[cell.classes == channel].astype(float)
            found = answers_of(maps[:, channel], places, members[0].architecture.step)
            held |= _arrays(f"{number}.{name}", found)
    stream = BytesIO()
    np.savez_compressed(stream, **held)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(asked.out, stream.getvalue())


def member_of(path: Path) -> GraphMember:
    """A checkpoint on the processor, in float32."""
    weights = {name: tensor.float().numpy() for name, tensor in load_tensors(path)[0].items()}
    if any(not np.isfinite(values).all() for values in weights.values()):
        raise RunError(f"{path}: holds weights that are not numbers")
    how = architecture_of_run(path.parent)
    wanted = _shapes({name: tensor.numpy() for name, tensor in UNet(how).state_dict().items()})
    if _shapes(weights) != wanted:
        raise RunError(f"{path}: has another architecture than its run.json says; leave this checkpoint out")
    return GraphMember(how, weights, "float32")


def _shapes(weights: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """Of all that a network answers with; how many batches it has seen is not among it."""
    return {name: values.shape for name, values in weights.items() if values.ndim}


def architecture_of_run(run: Path) -> Architecture:
    """What run.json says of a run's network."""
    told = read_record(run).settings.get("architecture")
    if not isinstance(told, dict):
        raise RunError(f"{run}: expected a training of heatmaps, found a run without a network")
    return architecture_of(told)


def _arrays(key: str, found: Answers) -> dict[str, np.ndarray]:
    held = {f"{key}.objects": np.array(found.objects)}
    for k, island in enumerate(found.islands):
        held |= {f"{key}.{k}.values": island.values, f"{key}.{k}.truth": island.truth}
    return held


def read_answers(out: Path, run: str, cells: str, count: int, name: str) -> Iterator[Answers]:
    """The answers of a run about one class, cell by cell.

    Raises
    ------
    RunError
        Some were never asked for.
    """
    for start in range(0, count, BLOCK):
        path = block_path(out, run, cells, start)
        if not path.is_file():
            raise RunError(f"{path}: the answers to these cells are missing; run `ask` to its end first")
        with np.load(path) as held:
            for number in range(start, min(start + BLOCK, count)):
                key = f"{number}.{name}"
                yield Answers(tuple(_islands(held, key)), int(held[f"{key}.objects"]))


def _islands(held: np.lib.npyio.NpzFile, key: str) -> Iterable[Island]:
    k = 0
    while f"{key}.{k}.values" in held:
        yield Island(held[f"{key}.{k}.values"], held[f"{key}.{k}.truth"])
        k += 1


def at_least(**given: tuple[int, int]) -> None:
    """Refuse arguments below what they must be: name=(value, least).

    Raises
    ------
    RunError
    """
    for name, (value, least) in given.items():
        if value < least:
            raise RunError(f"expected --{name.replace('_', '-')} of at least {least}, got {value}")


def one_thread() -> None:
    """Workers of one thread each: as many processes as there are cores."""
    os.environ["OMP_NUM_THREADS"] = "1"
