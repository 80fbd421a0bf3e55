"""Nuclei per field and time, with limits, two ways; growth curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes
from cytally.livecell.nuclei import Nuclei
from cytally.livecell.sequences import FrameName
from cytally.statistics.growth import Growth, fit_growth

TABLE, GROWTH = "counts.csv", "growth.csv"
COLUMNS = (
    "image",
    "frame",
    "count",
    "lower",
    "upper",
    "area_count",
    "area_lower",
    "area_upper",
    "components",
    "position",
    "well",
    "time",
    "hours",
)
#: Nobody counts a field more exactly than this many nuclei (standard deviation), whatever members agree on.
_HALF = 0.5
_UNKNOWN = float("nan")


@dataclass(frozen=True)
class FieldCount:
    """One line of counts.csv.

    Attributes
    ----------
    name : FrameName
    frame : int
        Number in its sequence by its time, from 0; missing times leave holes.
    count : int
        Single nuclei.
    lower, upper : float
        Its 95 % limits; NaN where nobody measured how far such counts lie off.
    area_count, area_lower, area_upper : float
        Nucleus area over the area of a typical nucleus (thesis section 8.6), with limits.
    components : int
        Connected components: the thesis's count, in which a clump is one.
    hours : float or None
        Since the first image of the run; None where nobody knows.
    """

    name: FrameName
    frame: int
    count: int
    lower: float
    upper: float
    area_count: float
    area_lower: float
    area_upper: float
    components: int
    hours: float | None = None


@dataclass(frozen=True)
class Seen:
    """What counting needs to remember of a field, small: no maps."""

    name: FrameName
    frame: int
    count: int
    each: tuple[int, ...]
    components: int
    area: int
    member_areas: tuple[int, ...]
    areas: tuple[int, ...]
    oversized: int = 0

    @staticmethod
    def of(name: FrameName, frame: int, nuclei: Nuclei) -> Seen:
        """Keep the numbers of a field."""
        sizes = np.bincount(nuclei.labels.ravel())[1:]
        return Seen(
            name,
            frame,
            nuclei.count,
            nuclei.each,
            nuclei.components,
            nuclei.area,
            nuclei.member_areas,
            tuple(sizes.tolist()),
            nuclei.oversized,
        )


def usual_area(seen: Sequence[Seen]) -> float:
    """Median pixels of a nucleus over all fields; NaN without any."""
    sizes = np.concatenate([np.asarray(one.areas, float) for one in seen]) if seen else np.zeros(0)
    return float(np.median(sizes)) if sizes.size else float("nan")


def counted(seen: Sequence[Seen], error: float | None, hours: Mapping[Path, float] | None = None) -> list[FieldCount]:
    """Counts with limits.

    The limits add three sources: how far the members alone disagree in this field, how far counts
    of this kind lay from what was there (`error`, relative: on validation fields, which holds the
    labels' own errors too, or on published images), and half a nucleus, since something may always
    be one more or less. They are for this field, not for the well it was taken from.

    Parameters
    ----------
    seen : sequence of Seen
    error : float or None
        None where nobody measured it: then there are no limits.
    hours : dict of Path to float, optional
        Of the images.
    """
    usual, at = usual_area(seen), hours or {}
    return [_counted(one, error, usual, at.get(one.name.path)) for one in seen]


def _counted(one: Seen, error: float | None, usual: float, hours: float | None) -> FieldCount:
    low = high = area = area_low = area_high = _UNKNOWN
    if error is not None:
        reach = _reach(np.asarray(one.each, float), max(error * one.count, _HALF))
        low, high = max(0.0, np.floor(one.count - reach)), np.ceil(one.count + reach)
    if np.isfinite(usual):
        area = one.area / usual
    elif one.count == 0:
        area = 0.0
    if error is not None and np.isfinite(usual):
        wide = _reach(np.asarray(one.member_areas, float) / usual, max(error * area, _HALF))
        area_low, area_high = max(0.0, area - wide), area + wide
    return FieldCount(
        one.name,
        one.frame,
        one.count,
        float(low),
        float(high),
        round(area, 1),
        round(area_low, 1),
        round(area_high, 1),
        one.components,
        hours,
    )


def _reach(members: np.ndarray, known: float) -> float:
    spread = float(members.std(ddof=1)) if len(members) > 1 else 0.0
    return float(stats.norm.ppf(0.975)) * float(np.hypot(spread, known))


def write_counts(path: Path, counts: Sequence[FieldCount], images: Sequence[str]) -> None:
    """Write counts.csv; `images` are paths as tables give them."""
    rows: list[list[object]] = [list(COLUMNS)]
    for one, image in zip(counts, images, strict=True):
        limits = [_cell(value) for value in (one.lower, one.upper)]
        area = [_cell(value, 1) for value in (one.area_count, one.area_lower, one.area_upper)]
        hours = "" if one.hours is None else f"{one.hours:.6g}"
        rows.append(
            [
                image,
                one.frame,
                one.count,
                *limits,
                *area,
                one.components,
                one.name.position,
                one.name.well,
                one.name.time,
                hours,
            ]
        )
    write_bytes(path, csv_bytes(rows))


def _cell(value: float, digits: int = 0) -> str:
    return "" if value != value else f"{value:.{digits}f}"


@dataclass(frozen=True)
class GrowthCurve:
    """Counts of one position over time, and the exponential through them.

    Attributes
    ----------
    position, well : str
    times : tuple of float
        In `unit`.
    unit : {"hours", "frames"}
        Frames where nobody knows the hours.
    counts : tuple of int
    lower, upper : tuple of float
        Limits of the counts; NaN where there are none.
    growth : Growth
        Per unit of time; images without nuclei are left out of it.
    """

    position: str
    well: str
    times: tuple[float, ...]
    unit: str
    counts: tuple[int, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    growth: Growth


def growth_curves(counts: Sequence[FieldCount]) -> list[GrowthCurve]:
    """A curve for every position with three times or more: in hours where all of these have them, else in frames."""
    by_position: dict[str, list[FieldCount]] = {}
    for one in counts:
        by_position.setdefault(one.name.position, []).append(one)
    long = [sorted(rows, key=lambda row: row.frame) for rows in by_position.values() if len(rows) > 2]
    unit = "hours" if all(row.hours is not None for rows in long for row in rows) else "frames"
    return [_curve(rows, unit) for rows in long]


def _curve(rows: Sequence[FieldCount], unit: str) -> GrowthCurve:
    times = tuple(float(row.hours or 0.0) if unit == "hours" else float(row.frame) for row in rows)
    numbers = tuple(row.count for row in rows)
    growth = fit_growth(np.asarray(times), np.asarray(numbers, float))
    return GrowthCurve(
        rows[0].name.position,
        rows[0].name.well,
        times,
        unit,
        numbers,
        tuple(r.lower for r in rows),
        tuple(r.upper for r in rows),
        growth,
    )


def write_growth(path: Path, curves: Sequence[GrowthCurve]) -> None:
    """Write growth.csv: rate per hour and doubling time in hours, each with limits, per position.

    Where the time between frames is unknown, both are per frame and the columns say so. No growth: no
    doubling time, only its lower limit.
    """
    unit = curves[0].unit if curves else "hours"
    rows: list[list[object]] = [
        [
            "position",
            "rate",
            "rate_lower",
            "rate_upper",
            f"doubling_{unit}",
            "lower",
            "upper",
            "well",
            "images",
            "unit",
        ]
    ]
    for curve in curves:
        growth = curve.growth
        numbers = (growth.rate, growth.lower, growth.upper, *growth.doubling)
        told = ["" if not np.isfinite(value) else f"{value:.5g}" for value in numbers]
        rows.append([curve.position, *told, curve.well, sum(n > 0 for n in curve.counts), curve.unit])
    write_bytes(path, csv_bytes(rows))
