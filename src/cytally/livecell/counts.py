"""Nuclei per field and time, with limits, two ways; growth curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from cytally.errors import CountsError
from cytally.files.atomic import write_bytes
from cytally.files.csv import csv_bytes
from cytally.livecell.nuclei import Nuclei
from cytally.livecell.sequences import FrameName
from cytally.statistics.growth import Growth, fit_growth

TABLE, GROWTH = "counts.csv", "growth.csv"
COLUMNS = ("image", "frame", "count", "lower", "upper", "area_count", "area_lower", "area_upper",
           "components", "position", "well", "time")  # fmt: skip


@dataclass(frozen=True)
class FieldCount:
    """One line of counts.csv.

    Attributes
    ----------
    name : FrameName
    frame : int
        Place in its sequence, from 0.
    count, lower, upper : int
        Single nuclei by the vote, with 95 % limits.
    area_count, area_lower, area_upper : float
        Nucleus area over the area of a usual nucleus (thesis section 8.6), with limits.
    components : int
        Connected components: the thesis's count, in which a clump is one.
    """

    name: FrameName
    frame: int
    count: int
    lower: int
    upper: int
    area_count: float
    area_lower: float
    area_upper: float
    components: int


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

    @staticmethod
    def of(name: FrameName, frame: int, nuclei: Nuclei) -> Seen:
        """Keep the numbers of a field."""
        sizes = np.bincount(nuclei.labels.ravel())[1:]
        return Seen(name, frame, nuclei.count, nuclei.each, nuclei.components, nuclei.area,
                    nuclei.member_areas, tuple(sizes.tolist()))  # fmt: skip


def usual_area(seen: Sequence[Seen]) -> float:
    """Median pixels of a nucleus over all fields; NaN without any."""
    sizes = np.concatenate([np.asarray(one.areas, float) for one in seen]) if seen else np.zeros(0)
    return float(np.median(sizes)) if sizes.size else float("nan")


def counted(seen: Sequence[Seen], error: float) -> list[FieldCount]:
    """Counts with limits.

    The limits add two sources: how far the members alone disagree in this field, and how far
    counts lay from labels on validation fields (`error`, relative, which holds the labels' own
    errors too). They are for this field, not for the well it was taken from.
    """
    usual = usual_area(seen)
    return [_counted(one, error, usual) for one in seen]


def _counted(one: Seen, error: float, usual: float) -> FieldCount:
    reach = _reach(np.asarray(one.each, float), error * one.count)
    low, high = max(0, int(np.floor(one.count - reach))), int(np.ceil(one.count + reach))
    if not np.isfinite(usual):
        return FieldCount(one.name, one.frame, one.count, low, high, 0.0, 0.0, 0.0, one.components)
    area = one.area / usual
    wide = _reach(np.asarray(one.member_areas, float) / usual, error * area)
    return FieldCount(one.name, one.frame, one.count, low, high, round(area, 1), round(max(0.0, area - wide), 1),
                      round(area + wide, 1), one.components)  # fmt: skip


def _reach(members: np.ndarray, known: float) -> float:
    spread = float(members.std(ddof=1)) if len(members) > 1 else 0.0
    return float(stats.norm.ppf(0.975)) * float(np.hypot(spread, known))


def write_counts(path: Path, counts: Sequence[FieldCount], images: Sequence[str]) -> None:
    """Write counts.csv; `images` are paths as tables give them."""
    rows: list[list[object]] = [list(COLUMNS)]
    for one, image in zip(counts, images, strict=True):
        rows.append([image, one.frame, one.count, one.lower, one.upper, one.area_count, one.area_lower, one.area_upper,
                     one.components, one.name.position, one.name.well, one.name.time])  # fmt: skip
    write_bytes(path, csv_bytes(rows))


@dataclass(frozen=True)
class GrowthCurve:
    """Counts of one position over time, and the exponential through them."""

    position: str
    hours: tuple[float, ...]
    counts: tuple[int, ...]
    lower: tuple[int, ...]
    upper: tuple[int, ...]
    growth: Growth


def growth_curves(counts: Sequence[FieldCount], hours_per_frame: float) -> list[GrowthCurve]:
    """A curve for every position with three times or more.

    Parameters
    ----------
    counts : sequence of FieldCount
    hours_per_frame : float
        Time between frames in hours.

    Raises
    ------
    CountsError
        A time between frames that is not above 0.
    """
    if not hours_per_frame > 0:
        raise CountsError(f"expected a time between frames above 0 hours, got {hours_per_frame}")
    by_position: dict[str, list[FieldCount]] = {}
    for one in counts:
        by_position.setdefault(one.name.position, []).append(one)
    curves = []
    for position, rows in by_position.items():
        rows = sorted(rows, key=lambda row: row.frame)
        if len(rows) < 3:
            continue
        hours = tuple(row.frame * hours_per_frame for row in rows)
        numbers = tuple(row.count for row in rows)
        growth = fit_growth(np.asarray(hours), np.asarray(numbers, float))
        curves.append(GrowthCurve(position, hours, numbers, tuple(r.lower for r in rows),
                                  tuple(r.upper for r in rows), growth))  # fmt: skip
    return curves


def write_growth(path: Path, curves: Sequence[GrowthCurve]) -> None:
    """Write growth.csv: rate per hour and doubling time in hours, each with limits, per position."""
    rows: list[list[object]] = [
        ["position", "rate", "rate_lower", "rate_upper", "doubling_hours", "lower", "upper"]
    ]
    for curve in curves:
        growth = curve.growth
        numbers = (growth.rate, growth.lower, growth.upper, *growth.doubling)
        rows.append([curve.position, *("" if value != value else f"{value:.5g}" for value in numbers)])
    write_bytes(path, csv_bytes(rows))
