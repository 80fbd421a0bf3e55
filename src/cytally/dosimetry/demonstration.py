"""The main job on cells that come from nowhere: a calibration series, then blind samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cytally.dosimetry.curves.calibrate import Curve, Origin, calibrate
from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.estimation.dose import Dose
from cytally.dosimetry.laboratory.series import points_of
from cytally.dosimetry.pipeline import score_folder
from cytally.dosimetry.scoring.workers import kept
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Each, Order, write_folder
from cytally.progress import Progress

#: Dose in Gy and cells of each calibration sample.
SERIES = ((0.0, 120), (1.0, 80), (2.0, 60), (3.0, 50), (4.0, 40))
#: Name, true dose in Gy and cells of each blind sample.
BLIND = (("A", 0.0, 100), ("B", 1.5, 100), ("C", 3.2, 60))


@dataclass(frozen=True)
class BlindResult:
    """A blind sample: what it was, what was found, and its report."""

    name: str
    true_gy: float
    dose: Dose
    report: Path


@dataclass(frozen=True)
class Demonstration:
    """The fitted curve, its file, and the blind samples."""

    curve: Curve
    curve_file: Path
    samples: tuple[BlindResult, ...]


def demonstrate(folder: Path, detector: Detector, progress: Progress, *, share: float = 1.0) -> Demonstration:
    """Simulate, score, calibrate, estimate.

    Parameters
    ----------
    folder : Path
        Gets cells/, runs/ and curve.json; calling again continues.
    detector : Detector
    progress : callable
    share : float
        Fraction of the usual number of cells.
    """
    with kept(detector) as pool:
        return _demonstrated(folder, detector, progress, share, pool.map if pool else map)


def _demonstrated(folder: Path, detector: Detector, progress: Progress, share: float, each: Each) -> Demonstration:
    runs = []
    for number, (gray, cells) in enumerate(SERIES):
        order = Order(max(round(cells * share), 5), Exposure(gray), "mixed", 100 + number, f"cal{gray:g}Gy")
        runs.append(_score(order, folder, detector, progress, each)[0])
    points, counted_by = points_of(runs)
    curve = calibrate(points, origin=Origin("simulated 60Co gamma", "cytally demo", counted_by))
    curve.save(folder / "curve.json")
    samples = []
    for number, (name, gray, cells) in enumerate(BLIND):
        order = Order(max(round(cells * share), 5), Exposure(gray), "mixed", 200 + number, f"blind{name}")
        run, dose = _score(order, folder, detector, progress, each, curve)
        if dose is not None:
            samples.append(BlindResult(name, gray, dose, run / "report.html"))
    return Demonstration(curve, folder / "curve.json", tuple(samples))


def _score(
    order: Order, folder: Path, detector: Detector, progress: Progress, each: Each, curve: Curve | None = None
) -> tuple[Path, Dose | None]:
    """Simulate and score one sample; its run folder, and the dose where a curve is known."""
    cells, run = folder / "cells" / order.sample, folder / "runs" / order.sample

    def told(stage: str, done: int, total: int) -> None:
        progress(f"{stage} {order.sample}", done, total)

    write_folder(order, cells, told, each)
    return run, score_folder([cells], run, detector, curve=curve, progress=told).dose
