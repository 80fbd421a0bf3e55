"""Whether the fast ways of looking decide as the slow one: torch in float32, every member everywhere.

    python benchmarks/decisions.py [--cells 200] [--seed 4242] [--folder IMAGES] [--gate] [--journal FILE] [--time 24]

Simulated cells of every style, 0 to 4 Gy, and any images given. Printed for each way, as rows of the table
in docs/processors.md: cells with the same proposals, cells with the same decisions (as many of each class,
each within 12 normalised pixels), and the largest difference of a probability at equal places.

`--gate` adds what it changes that one member looks first and rules out places for the others
(`SURE` in dosimetry/detectors/candidates.py): the same ways with and without that gate, proposals lost and added,
and the lowest answer of the first member around a place that all members together propose, or decide.

With `--journal` every cell is kept in a file as soon as it is compared: the same command goes on where it
was stopped, and more `--cells` continue it. `--time` adds the median time of a cell (one thread, processor time,
reading and normalising left out) of each way in a process of its own, so that none finds kernels made by another.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ways import UNGATED, Way, densities, fast, heatmaps_near, looked, one_thread, simulated, slow, ungated

from cytally import __version__
from cytally.dosimetry.detectors.candidates import _AROUND, SURE, proposing
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.nets.architecture import STRIDE
from cytally.types import Detections

NEAR = 12.0


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


def gate(values: np.ndarray, without: Way, mine: Detections, kept: Detections) -> dict[str, Any]:
    """What looking first changes in one cell: a way with it (mine, kept) beside the same without."""
    proposed, decided = looked(values, without)
    first = heatmaps_near(values, without.ensemble)[(len(proposing(without.ensemble)) - 1) // 2].max(axis=0)
    opens = cv2.dilate(first, _AROUND)

    def lowest(found: Detections) -> float:
        at = (np.stack([found.row, found.col]) // STRIDE).astype(int)
        return float(opens[tuple(at)].min()) if len(found) else 1.0

    return {
        "proposals": len(proposed),
        "lost": len(apart(proposed, mine)),
        "added": len(apart(mine, proposed)),
        "decisions": len(decided),
        "same decisions": alike(kept, decided),
        "lowest proposed": lowest(proposed),
        "lowest decided": lowest(decided),
    }


def compared(values: np.ndarray, first: Way, ways: list[Way], others: list[Way]) -> dict[str, Any]:
    """All ways on one cell; others: those without the gate."""
    proposed, decided = looked(values, first)
    cell: dict[str, Any] = {"detections": len(decided), "ways": {}, "gate": {}}
    for way in ways:
        mine, kept = looked(values, way)
        cell["ways"][way.name] = against(proposed, decided, mine, kept)
        for without in others:
            if without.name == way.name + UNGATED:
                cell["gate"][way.name] = gate(values, without, mine, kept)
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
        "| | cells with the same proposals | with the same decisions | largest difference of a probability |",
        "|---|---|---|---|",
    ]
    for name in found[0]["ways"]:
        rows = [cell["ways"][name] for cell in found]
        same = [f"{sum(row[f'same {what}'] for row in rows)} of {len(rows)}" for what in ("proposals", "decisions")]
        lines.append(f"| {name} | {' | '.join(same)} | {max(row['difference'] for row in rows):.1g} |")
    return "\n".join(lines)


def gate_table(found: list[Any]) -> str:
    """The same for the gate."""
    lines = [
        "| with the gate, against without | proposals without | lost | added | detections without "
        f"| cells with the same decisions | lowest first answer at a proposal (gate: {SURE}) | at a detection |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in found[0]["gate"]:
        rows = [cell["gate"][name] for cell in found]
        total = [sum(row[what] for row in rows) for what in ("proposals", "lost", "added", "decisions")]
        same = f"{sum(row['same decisions'] for row in rows)} of {len(rows)}"
        low = [f"{min(row[f'lowest {what}'] for row in rows):.2g}" for what in ("proposed", "decided")]
        lines.append("| " + " | ".join(map(str, [name, *total, same, *low])) + " |")
    return "\n".join(lines)


def seconds(way: Way, cells: int, seed: int) -> float:
    """Median processor time of a cell; networks are built before."""
    values, spent = [simulated(number, seed) for number in range(cells + 1)], []
    looked(values.pop(), way)
    for each in values:
        start = time.process_time()
        looked(each, way)
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def timed(names: list[str], cells: int, seed: int) -> str:
    """Each way in a process of its own."""
    lines = ["| | processor time of a cell |", "|---|---|"]
    for name in names:
        program = [sys.executable, __file__, "--way", name, "--time", str(cells), "--seed", str(seed)]
        done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
        lines.append(f"| {name} | {float(done.stdout):.3f} s |")
    return "\n".join(lines)


def told() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=200, help="simulated cells")
    parser.add_argument("--seed", type=int, default=4242, help="of the simulated cells")
    parser.add_argument("--folder", type=Path, help="real images beside the simulated cells")
    parser.add_argument("--gate", action="store_true", help="also compare with every member looking everywhere near")
    parser.add_argument("--journal", type=Path, help="keep every cell there, and go on from it")
    parser.add_argument("--time", type=int, default=0, metavar="CELLS", help="also time every way on so many cells")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    chosen = told()
    one_thread()
    ensemble = load_ensemble(runtime="openvino")
    first, ways = slow(ensemble), fast(ensemble)
    others = ungated(ways) if chosen.gate or chosen.way else []
    every = {way.name: way for way in (first, *ways, *others)}
    if chosen.way:
        print(seconds(every[chosen.way], chosen.time, chosen.seed))
        return
    settings = {
        "version": __version__,
        "detector": ensemble.card.identity,
        "seed": chosen.seed,
        "ways": list(every),
    }
    cells = densities(chosen.cells, chosen.seed, chosen.folder)
    found = run(cells, chosen.journal, settings, lambda values: compared(values, first, ways, others))
    if not found:
        sys.exit("expected a cell at least, got none; give --cells or --folder")
    print(f"{len(found)} cells, {sum(cell['detections'] for cell in found)} detections\n\n{table(found)}")
    if chosen.gate:
        print(f"\n{gate_table(found)}")
    if chosen.time:
        print(f"\n{timed(list(every), chosen.time, chosen.seed)}")


if __name__ == "__main__":
    main()
