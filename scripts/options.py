"""What each choice of the detector gives, on the same held-out cells: the table "who decides, and how".

    python scripts/options.py [--silent 600] [--exposed 150] [--limits 60] [--out FILE]

Every option answers with a list of dicentrics and how sure it is of each. Its limit is moved until
at most one in a hundred silent cells holds a false dicentric; the share of the dicentrics of 3 Gy
cells found at that limit is printed, and the false ones beside them. Cells are those of style
`hard`, from numbers that neither training, nor thresholds, nor the other figures use.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch

from cytally.detection.vote import binary_votes, detect
from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.candidates import channels, crops_at, peaks, proposing, verify
from cytally.dosimetry.detectors.cooccurrence import weigh
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.dosimetry.simulate.breakage import Damage, Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import style_named
from cytally.evaluation.matching import assign
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import look_everywhere, predict
from cytally.nets.verifier import Verifier
from cytally.types import Image

SEED = 930_000
FALSE_PER_CELL = 0.01


@dataclass(frozen=True)
class Answers:
    """Dicentrics that one option sees in one cell: how sure of each, which hit, and how many there were."""

    sure: np.ndarray
    hit: np.ndarray
    true: int


def cells(dose: float | None, start: int, stop: int) -> Iterator[tuple[Image, np.ndarray]]:
    """Images and where their dicentrics lie, (n, 2); None: silent."""
    for number in range(start, stop):
        rng = np.random.default_rng([SEED + int(10 * (dose or 0)), number])
        made = simulate_cell(style_named("hard"), Exposure(dose).draw(rng) if dose else Damage(), rng)
        yield Image(made.image.pixels), made.points.of("dicentric")


def judge(places: np.ndarray, sure: np.ndarray, truth: np.ndarray) -> Answers:
    hit = np.zeros(len(sure), bool)
    hit[[k for k, _ in assign(places, truth, RADIUS)]] = True
    return Answers(sure, hit, len(truth))


def by_peaks(maps: np.ndarray, ensemble: Ensemble, chosen: list[int], truth: np.ndarray) -> Answers:
    """Maxima of the mean heatmap of some members; as sure as it is high."""
    found = peaks(maps, ensemble, chosen)
    mine = np.array([name == "dicentric" for name in found.names], bool)
    return judge(np.stack([found.row, found.col], 1)[mine], found.confidence[mine], truth)


def by_votes(maps: np.ndarray, ensemble: Ensemble, limits: np.ndarray, agreement: int, truth: np.ndarray) -> Answers:
    """Components with more than T_A votes; as sure as their confidence."""
    votes = binary_votes(maps, limits)
    found = detect(votes, maps, [agreement] * 2, ensemble.classes, ensemble.card.stride)
    mine = np.array([name == "dicentric" for name in found.names], bool)
    return judge(np.stack([found.row, found.col], 1)[mine], found.confidence[mine], truth)


def by_verifiers(density: np.ndarray, ensemble: Ensemble, truth: np.ndarray, *, views: int = 8) -> dict[str, Answers]:
    """The verifiers' probability, alone and weighed."""
    chosen = proposing(ensemble)
    found = peaks(np.stack([look_everywhere(density, ensemble.members[k]) for k in chosen]), ensemble, chosen)
    own = channels(found, ensemble)
    if views == 8:
        answers = verify(density, found, ensemble)
    else:
        answers = one_view(density, found.row, found.col, ensemble)
    sure = answers[np.arange(len(found)), own].astype(float)
    places, mine = np.stack([found.row, found.col], 1), own == 0
    weighed = weigh(places, own, sure, ensemble.card.thresholds.cooccurrence_weight or [0.0, 0.0])
    co = np.where((sure > ensemble.card.thresholds.hard_rule_probability[1])[own == 1].any(), sure, 0.0)
    return {
        "alone": judge(places[mine], sure[mine], truth),
        "weighed": judge(places[mine], weighed[mine], truth),
        "co-occurrence": judge(places[mine], co[mine], truth),
    }


def one_view(density: np.ndarray, row: np.ndarray, col: np.ndarray, ensemble: Ensemble) -> np.ndarray:
    """What the verifier says of each place as it lies, without turns and mirrors."""
    stored = ensemble.verifiers[0]
    if not len(row):
        return np.zeros((0, len(ensemble.classes) + 1))
    network = Verifier(stored.architecture)
    network.load_state_dict({name: torch.from_numpy(one) for name, one in stored.weights().items()}, strict=False)
    with torch.inference_mode():
        crops = torch.from_numpy(crops_at(density, row, col, stored.side))[:, None]
        return network.eval()(crops).softmax(1).numpy()


def turned(density: np.ndarray, ensemble: Ensemble, member: int) -> np.ndarray:
    """Mean heatmap of one member over the eight turns and mirrors, (1, classes, h, w)."""
    step = ensemble.members[member].architecture.multiple
    padded = np.pad(density, [(0, -n % step) for n in density.shape])
    total = 0.0
    for mirror in (False, True):
        for k in range(4):
            view = np.rot90(padded[:, ::-1] if mirror else padded, k)
            heat = np.rot90(look_everywhere(np.ascontiguousarray(view), ensemble.members[member]), -k, (1, 2))
            total = total + (heat[:, :, ::-1] if mirror else heat)
    return np.asarray(total / 8, np.float32)[None]


def rescaled(image: Image, ensemble: Ensemble, truth: np.ndarray, how: str) -> Answers:
    """The whole detector where the size of chromosomes is taken from elsewhere."""
    if how == "by the pixel size":
        density = normalise(replace(image, pixel_size_um=0.1))
    else:
        density = normalise(replace(image, pixel_size_um=0.146))  # taken as it is: no scaling at all
    return by_verifiers(density.values, ensemble, density.from_image(truth))["weighed"]


def look_at_cell(
    image: Image, truth: np.ndarray, ensemble: Ensemble, limits: dict[str, np.ndarray]
) -> dict[str, Answers]:
    """All options on one cell."""
    density: Density = normalise(image)
    values, places = density.values, density.from_image(truth)
    maps = predict(values, ensemble)
    found: dict[str, Answers] = {}
    for count in (1, 2, 4, 10):
        last = len(ensemble.members) - 1
        if count > last + 1:
            continue
        chosen = [int(k) for k in np.linspace(0, last, count).round()] if count > 1 else [last]
        found[f"mean heatmap of {count}"] = by_peaks(maps[chosen], ensemble, chosen, places)
    found["one member, eight turns and mirrors"] = by_peaks(turned(values, ensemble, last), ensemble, [last], places)
    for agreement in (k for k in (0, 1, 2, 3, 4, 6, 8) if k <= last):
        found[f"vote of {last + 1}, T_A = {agreement}, T_C in common"] = by_votes(
            maps, ensemble, limits["common"], agreement, places
        )
        found[f"vote of {last + 1}, T_A = {agreement}, T_C of each by quantile"] = by_votes(
            maps, ensemble, limits["quantile"], agreement, places
        )
    read = by_verifiers(values, ensemble, places)
    found["verifier, eight views"] = read["alone"]
    found["verifier, one view"] = by_verifiers(values, ensemble, places, views=1)["alone"]
    found["verifier, beside a fragment only (co-occurrence)"] = read["co-occurrence"]
    found["verifier, weighed (shipped)"] = read["weighed"]
    for how in ("by the pixel size", "not at all"):
        found[f"the same, size brought to nominal {how}"] = rescaled(image, ensemble, truth, how)
    return found


def member_limits(ensemble: Ensemble, quantile: float, count: int = 60) -> dict[str, np.ndarray]:
    """T_C of each member: the same for all, or a quantile of its own maxima over 4 Gy cells (section 2.3)."""
    tops = []
    for image, _ in cells(4.0, 0, count):
        maps = predict(normalise(image).values, ensemble)
        tops.append(maps.reshape(*maps.shape[:2], -1).max(axis=2))
    own = np.quantile(np.stack(tops), 1 - quantile, axis=0)
    return {"quantile": own, "common": np.broadcast_to(own.mean(axis=0), own.shape)}


def shard(task: tuple[float | None, int, int, dict[str, np.ndarray]]) -> list[dict[str, Answers]]:
    """All options on a stretch of cells."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    dose, start, stop, limits = task
    ensemble = load_ensemble()
    return [look_at_cell(image, truth, ensemble, limits) for image, truth in cells(dose, start, stop)]


def at_rate(silent: list[Answers], exposed: list[Answers]) -> tuple[float, float, float, int]:
    """Limit, recall, false per exposed cell and dicentrics at the wanted rate of false ones."""
    alarms = np.sort(np.concatenate([each.sure for each in silent]))[::-1]
    allowed = int(FALSE_PER_CELL * len(silent))
    limit = float(alarms[allowed]) if len(alarms) > allowed else 0.0
    found = sum(int((each.sure[each.hit] > limit).sum()) for each in exposed)
    wrong = sum(int((each.sure[~each.hit] > limit).sum()) for each in exposed)
    true = sum(each.true for each in exposed)
    return limit, found / true if true else float("nan"), wrong / len(exposed), true


def spread(total: int, dose: float | None, limits: dict[str, np.ndarray]) -> list[tuple]:
    return [(dose, k, min(k + 25, total), limits) for k in range(0, total, 25)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--silent", type=int, default=600, help="cells without aberrations")
    parser.add_argument("--exposed", type=int, default=150, help="cells of 3 Gy")
    parser.add_argument("--limits", type=int, default=60, help="cells of 4 Gy from which T_C is chosen")
    parser.add_argument("--quantile", type=float, default=0.5, help="of 4 Gy cells whose maximum is a vote")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    limits = member_limits(load_ensemble(), chosen.quantile, chosen.limits)
    with ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
        silent, exposed = (
            [cell for part in pool.map(shard, spread(total, dose, limits)) for cell in part]
            for total, dose in ((chosen.silent, None), (chosen.exposed, 3.0))
        )
    lines = ["| who decides | dicentrics found at 3 Gy | false per exposed cell |", "|---|---|---|"]
    for name in silent[0]:
        _, recall, wrong, true = at_rate([c[name] for c in silent], [c[name] for c in exposed])
        lines.append(f"| {name} | {recall:.2f} | {wrong:.3f} |")
    lines.append(f"\n{chosen.silent} silent cells, {chosen.exposed} of 3 Gy with {true} dicentrics")
    print("\n".join(lines))
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
