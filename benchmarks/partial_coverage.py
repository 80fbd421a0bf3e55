"""How often the limits of a partial-body exposure hold the truth: a table of docs/doses.md.

    python benchmarks/partial_coverage.py [--replicates 1000] [--workers 2]

Every replicate draws a calibration series (the design of the IAEA manual's table 4), fits its
curve, and draws 500 cells of which each was irradiated with probability f; the others hold
background. Asked is whether the 95 % limits hold dose, fraction of the scored cells (f) and
fraction of the body (F): by profile likelihood, of every sample; by Dolphin's method, of those
samples that it prints (u > 1.96). Standard error with 1,000 replicates: 0.007.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from cytally.dosimetry.curves.controls import Series, carried
from cytally.dosimetry.curves.fit import fit_curve, yield_at
from cytally.dosimetry.estimation.limits.contaminated import contaminated
from cytally.dosimetry.estimation.limits.partial_body import PartialBody, dolphin, surviving
from cytally.statistics.poisson import dispersion

DOSE = np.array([0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5.0])
CALIBRATED = np.array([5000, 5002, 2008, 2002, 1832, 1168, 562, 332, 193, 103, 59.0])
CURVE = np.array([0.00128, 0.02103, 0.06307])
CELLS, D0_GY = 500, 2.7
DOSES, SHARES = (2.0, 3.0, 4.0), (0.3, 0.5, 0.7)


def replicate(task: tuple[float, float, int]) -> np.ndarray:
    """Whether limits hold dose, f and F, and how wide those of dose and F are; NaN where not printed."""
    gray, share, seed = task
    rng = np.random.default_rng([seed, int(10 * gray), int(10 * share)])
    counts = rng.poisson(CALIBRATED * yield_at(DOSE, CURVE))
    fit = fit_curve(DOSE, CALIBRATED, counts)
    series = Series(DOSE, CALIBRATED, counts.astype(float), np.ones(len(DOSE)))
    known = carried(fit.coefficients, fit.covariance, series)
    hit = rng.binomial(CELLS, share)
    per_cell = np.concatenate(
        [
            rng.poisson(float(yield_at(np.array(gray), CURVE)), hit),
            rng.poisson(CURVE[0], CELLS - hit),
        ]
    )
    distribution = np.bincount(per_cell)
    truth = gray, share, surviving(share, gray, D0_GY)[0]
    ours = contaminated(distribution, known.coefficients, known.covariance, d0_gy=D0_GY)
    classic = None
    if dispersion(distribution).overdispersed:
        classic = dolphin(distribution, fit.coefficients, fit.covariance, d0_gy=D0_GY)
    return np.concatenate([_held(ours, truth), _held(classic, truth)])


def _held(found: PartialBody | None, truth: tuple[float, float, float]) -> list[float]:
    if found is None:
        return [float("nan")] * 5
    parts = (found.dose, found.cells, found.body)
    inside = [float(part.lower <= true <= part.upper) for part, true in zip(parts, truth, strict=True)]
    return [*inside, found.dose.upper - found.dose.lower, found.body.upper - found.body.lower]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    print("| dose, f (F) | method | printed | dose | f | F | width of dose (Gy) | width of F |")
    print("|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
        for gray in DOSES:
            for share in SHARES:
                tasks = [(gray, share, seed) for seed in range(chosen.replicates)]
                found = np.array(list(pool.map(replicate, tasks, chunksize=20)))
                name = f"{gray:g} Gy, {share:g} ({surviving(share, gray, D0_GY)[0]:.2f})"
                for method, part in (
                    ("profile likelihood", found[:, :5]),
                    ("Dolphin, u > 1.96", found[:, 5:]),
                ):
                    printed = part[~np.isnan(part[:, 0])]
                    if not len(printed):
                        print(f"| {name} | {method} | 0.000 | - | - | - | - | - |", flush=True)
                        continue
                    held = " | ".join(f"{v:.3f}" for v in printed[:, :3].mean(axis=0))
                    width = " | ".join(f"{v:.2f}" for v in np.median(printed[:, 3:], axis=0))
                    print(
                        f"| {name} | {method} | {len(printed) / len(found):.3f} | {held} | {width} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
