"""Whether the fast ways of looking decide as the slow one: torch in float32, every member everywhere.

    python benchmarks/decisions.py [--cells 200] [--seed 4242] [--folder IMAGES] [--gate] [--journal FILE]

Simulated cells of every style, 0 to 4 Gy, and any images given. Printed for each way, as rows of the table
in docs/processors.md: cells with the same proposals, cells with the same decisions (as many of each class,
each within 12 normalised pixels), the largest difference of a probability at equal places, and the median
processor time of a cell on one thread, without reading and normalising.

`--gate` adds what it changes that one member looks first and rules out places for the others
(`SURE` in dosimetry/detectors/candidates.py): the same ways with and without that gate, proposals lost and added,
and the lowest answer of the first member at a place that all members together propose, or decide.

With `--journal` every cell is kept in a file as soon as it is compared: the same command goes on where it
was stopped, and more `--cells` continue it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from cytally import __version__
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.candidates import _AROUND, peaks, propose, proposing
from cytally.dosimetry.detectors.cooccurrence import verified
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order
from cytally.images.read import find_images, read
from cytally.inference import windows
from cytally.inference.ensemble import Ensemble, set_threads
from cytally.inference.graph import GraphMember, GraphReader, precision
from cytally.inference.runtime import TorchMember, TorchVerifier
from cytally.inference.votes import empty
from cytally.nets.architecture import STRIDE
from cytally.nets.unet import UNet
from cytally.nets.verifier import Verifier
from cytally.types import Detections

STYLES = ("mixed", "hard", "faint", "poor", "hard", "separated", "slender", "straight", "pale", "dark")
NEAR = 12.0
Propose = Callable[[np.ndarray, Ensemble], Detections]


@dataclass(frozen=True)
class Way:
    """Networks in some number format, and where they look."""

    name: str
    ensemble: Ensemble
    propose: Propose = propose


def built(ensemble: Ensemble, member, verifier) -> Ensemble:
    members = list(ensemble.members)
    for k in proposing(ensemble):
        members[k] = member(ensemble.members[k])
    return replace(ensemble, members=tuple(members), verifiers=tuple(map(verifier, ensemble.verifiers)))


def network(kind, stored):
    made = kind(stored.architecture)
    weights = {name: torch.from_numpy(one) for name, one in stored.weights().items()}
    made.load_state_dict(weights, strict=False)
    return made.eval()


def on_torch(ensemble: Ensemble, dtype: torch.dtype) -> Ensemble:
    return built(
        ensemble,
        lambda m: TorchMember(network(UNet, m), dtype),
        lambda r: TorchVerifier(network(Verifier, r), dtype),
    )


def on_openvino(ensemble: Ensemble, members: str, verifiers: str = "float32") -> Ensemble:
    return built(
        ensemble,
        lambda m: GraphMember(m.architecture, m.weights(), members),
        lambda r: GraphReader(r.architecture, r.weights(), verifiers),
    )


def slow(ensemble: Ensemble) -> Way:
    return Way("torch, float32, everywhere", on_torch(ensemble, torch.float32), partial(propose, saving=False))


def fast(ensemble: Ensemble) -> list[Way]:
    """What is promised to decide alike, and what was thought of beside it."""
    found = [Way("OpenVINO, float32, windows", on_openvino(ensemble, "float32"))]
    if precision() == "bfloat16":
        half = on_torch(ensemble, torch.bfloat16)
        found += [
            Way("OpenVINO, members in bfloat16, verifier in float32, windows", on_openvino(ensemble, "bfloat16")),
            Way("OpenVINO, everything in bfloat16, windows", on_openvino(ensemble, "bfloat16", "bfloat16")),
            Way("torch, everything in bfloat16, everywhere", half, partial(propose, saving=False)),
        ]
    return found


def shipping(ways: list[Way]) -> list[Way]:
    """Of the fast ways those in which the gate is worth comparing: OpenVINO with verifiers in float32."""
    return [way for way in ways if way.name.startswith("OpenVINO") and "everything" not in way.name]


def ungated(density: np.ndarray, ensemble: Ensemble) -> np.ndarray:
    """Heatmaps of the proposing members wherever something stained is near; none rules out for the others."""
    members = [ensemble.members[k] for k in proposing(ensemble)]
    how = members[0].architecture
    near = windows.windows(windows.occupied(density, how), how)
    maps = np.stack([empty(density, how)] * len(members))
    for heat, member in zip(maps, members, strict=True):
        windows.look_at(density, member, near, heat)
    return maps


def densities(cells: int, seed: int, folder: Path | None) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Names, and what makes the density of each."""
    for path in find_images(folder) if folder else []:
        yield path.name, lambda path=path: normalise(read(path)).values
    for number in range(cells):
        yield f"simulated {number}", partial(simulated, number, seed)


def simulated(number: int, seed: int) -> np.ndarray:
    shape = (1024, 1280) if number % 4 == 0 else (896, 1008)
    order = Order(1, Exposure((0.0, 2.0, 4.0)[number % 3]), STYLES[number % len(STYLES)], seed, shape=shape)
    return normalise(order.cell(number).image).values


def apart(one: Detections, other: Detections) -> list[int]:
    """Places of one that have no equal in the other: of the class, within 12 pixels, none taken twice."""
    left, alone = list(range(len(other))), []
    for k, (name, row, col) in enumerate(zip(one.names, one.row, one.col, strict=True)):
        near = [j for j in left if other.names[j] == name and np.hypot(row - other.row[j], col - other.col[j]) <= NEAR]
        if near:
            left.remove(near[0])
        else:
            alone.append(k)
    return alone


def alike(one: Detections, other: Detections) -> bool:
    """As many of each class, each near its equal."""
    return len(one) == len(other) and not apart(one, other)


def places(found: Detections) -> list[tuple[str, float, float]]:
    return sorted(zip(found.names, found.row.tolist(), found.col.tolist(), strict=True))


def looked(values: np.ndarray, way: Way) -> tuple[Detections, Detections, float]:
    """Proposals, decisions, and seconds of processor time."""
    start = time.process_time()
    proposed = way.propose(values, way.ensemble)
    decided = verified(values, proposed, way.ensemble)
    return proposed, decided, time.process_time() - start


def against(proposed: Detections, decided: Detections, mine: Detections, kept: Detections) -> dict[str, Any]:
    """One way beside the slow one in one cell."""
    difference = 0.0
    if len(kept) and places(kept) == places(decided):
        difference = float(np.abs(np.sort(kept.probability) - np.sort(decided.probability)).max())
    return {
        "same proposals": places(mine) == places(proposed),
        "same decisions": alike(kept, decided),
        "difference": difference,
    }


def gate(values: np.ndarray, way: Way, mine: Detections, kept: Detections) -> dict[str, Any]:
    """What looking first changes in one cell: a way with it (mine, kept) beside the same without."""
    chosen, start = proposing(way.ensemble), time.process_time()
    maps = ungated(values, way.ensemble)
    proposed = peaks(maps, way.ensemble, chosen)
    decided = verified(values, proposed, way.ensemble)
    seconds = time.process_time() - start
    first = cv2.dilate(maps[(len(chosen) - 1) // 2].max(axis=0), _AROUND)  # what opens a place to the others

    def lowest(found: Detections) -> float:
        at = (np.stack([found.row, found.col]) // STRIDE).astype(int)
        return float(first[tuple(at)].min()) if len(found) else 1.0

    return {
        "proposals": len(proposed),
        "lost": len(apart(proposed, mine)),
        "added": len(apart(mine, proposed)),
        "decisions": len(decided),
        "same decisions": alike(kept, decided),
        "lowest proposed": lowest(proposed),
        "lowest decided": lowest(decided),
        "seconds": seconds,
    }


def compared(values: np.ndarray, first: Way, ways: list[Way], gated: list[Way]) -> dict[str, Any]:
    """All ways on one cell."""
    proposed, decided, seconds = looked(values, first)
    cell: dict[str, Any] = {"detections": len(decided), "ways": {first.name: {"seconds": seconds}}, "gate": {}}
    for way in ways:
        mine, kept, seconds = looked(values, way)
        cell["ways"][way.name] = {"seconds": seconds, **against(proposed, decided, mine, kept)}
        if way in gated:
            cell["gate"][way.name] = gate(values, way, mine, kept)
    return cell


def journalled(path: Path | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Cells that a journal holds already; a new one is begun with the settings."""
    if path is None:
        return {}
    if not path.exists():
        path.write_text(json.dumps(settings) + "\n")
        return {}
    content = path.read_text()
    whole = content[: content.rfind("\n") + 1]  # a killed process may leave half a line
    path.write_text(whole)
    told, *lines = [json.loads(line) for line in whole.splitlines()]
    if told != settings:
        sys.exit(f"{path}: expected a journal of {settings}, got one of {told}; name another file")
    return {name: cell for line in lines for name, cell in line.items()}


def run(cells: Iterable[tuple[str, Callable[[], np.ndarray]]], path: Path | None, settings, compare) -> list[Any]:
    """Every cell compared, or taken from the journal."""
    there, found = journalled(path, settings), []
    for name, values in cells:
        if name not in there:
            there[name] = compare(values())
            if path is not None:
                with path.open("a") as file:
                    file.write(json.dumps({name: there[name]}) + "\n")
        found.append(there[name])
    return found


def table(found: list[Any]) -> str:
    """Rows of docs/processors.md."""
    lines = [
        "| | cells with the same proposals | with the same decisions | largest difference of a probability "
        "| processor time of a cell |",
        "|---|---|---|---|---|",
    ]
    for name in found[0]["ways"]:
        rows = [cell["ways"][name] for cell in found]
        spent = f"{statistics.median(row['seconds'] for row in rows):.3f} s"
        if "difference" not in rows[0]:
            lines.append(f"| {name} | | | | {spent} |")
            continue
        same = [f"{sum(row[f'same {what}'] for row in rows)} of {len(rows)}" for what in ("proposals", "decisions")]
        lines.append(f"| {name} | {' | '.join(same)} | {max(row['difference'] for row in rows):.1g} | {spent} |")
    return "\n".join(lines)


def gate_table(found: list[Any]) -> str:
    """The same for the gate."""
    lines = [
        "| the gate, against none | proposals without it | lost | added | cells with the same decisions "
        "| lowest first answer at a proposal | at a decision | processor time without it |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in found[0]["gate"]:
        rows = [cell["gate"][name] for cell in found]
        total = {what: sum(row[what] for row in rows) for what in ("proposals", "lost", "added", "same decisions")}
        low = [f"{min(row[f'lowest {what}'] for row in rows):.2g}" for what in ("proposed", "decided")]
        spent = statistics.median(row["seconds"] for row in rows)
        lines.append(
            f"| {name} | {total['proposals']} | {total['lost']} | {total['added']} "
            f"| {total['same decisions']} of {len(rows)} | {low[0]} | {low[1]} | {spent:.3f} s |"
        )
    return "\n".join(lines)


def one_thread() -> None:
    """Processor times of one thread, whatever the machine has."""
    torch.set_num_threads(1)
    set_threads(1)
    cv2.setNumThreads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=200, help="simulated cells")
    parser.add_argument("--seed", type=int, default=4242, help="of the simulated cells")
    parser.add_argument("--folder", type=Path, help="real images beside the simulated cells")
    parser.add_argument("--gate", action="store_true", help="also compare with every member looking everywhere near")
    parser.add_argument("--journal", type=Path, help="keep every cell there, and go on from it")
    chosen = parser.parse_args()
    one_thread()
    ensemble = load_ensemble(runtime="openvino")
    first, ways = slow(ensemble), fast(ensemble)
    gated = shipping(ways) if chosen.gate else []
    settings = {
        "version": __version__,
        "detector": ensemble.card.identity,
        "seed": chosen.seed,
        "ways": [way.name for way in (first, *ways)],
        "gate": [way.name for way in gated],
    }
    found = run(
        densities(chosen.cells, chosen.seed, chosen.folder),
        chosen.journal,
        settings,
        lambda values: compared(values, first, ways, gated),
    )
    if not found:
        sys.exit("expected a cell at least, got none; give --cells or --folder")
    print(f"{len(found)} cells, {sum(cell['detections'] for cell in found)} detections\n\n{table(found)}")
    if gated:
        print(f"\n{gate_table(found)}")


if __name__ == "__main__":
    main()
