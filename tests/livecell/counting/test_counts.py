"""Limits of counts by hand, tables, and growth over time."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cytally.livecell.counting.counts import (
    FieldCount,
    Seen,
    counted,
    growth_curves,
    usual_area,
    write_counts,
    write_growth,
)
from cytally.livecell.names.frame import FrameName


def field(frame=0, position="A01_1", **changes):
    """Ten nuclei of 50 pixels each, which three members count as 9, 10 and 11."""
    name = FrameName(position, frame, "A01", Path(f"{position}_t{frame}.tif"))
    seen = Seen(name, frame, 10, (9, 10, 11), 8, 500, (450, 500, 550), (50,) * 10)
    return replace(seen, **changes)


def count(frame, number, hours=None, position="A01_1"):
    name = FrameName(position, frame, "A01", Path(f"{position}_t{frame}.tif"))
    return FieldCount(name, frame, number, math.nan, math.nan, math.nan, math.nan, math.nan, number, hours)


def test_limits_add_what_members_disagree_on_and_the_known_error():
    """Standard deviation 1 of the members, 10 % of 10 nuclei: 1.96 * sqrt(2) = 2.77 on either side."""
    (found,) = counted([field()], error=0.1)
    assert (found.lower, found.upper) == (math.floor(10 - 2.77), math.ceil(10 + 2.77))
    assert found.area_count == 10 and found.area_lower == pytest.approx(10 - 2.77, abs=0.06)


def test_one_more_or_less_is_always_possible():
    """Members that agree and no known error: half a nucleus, 1.96 * 0.5 = 0.98."""
    (found,) = counted([field(each=(10, 10, 10))], error=0.0)
    assert (found.lower, found.upper) == (9, 11)
    (none,) = counted([field(count=0, each=(0,), area=0, member_areas=(0,), areas=())], error=0.0)
    assert (none.lower, none.upper, none.area_count) == (0, 1, 0)


def test_the_typical_nucleus_is_the_median_over_all_fields():
    """Two clumped nuclei of 150 pixels: three typical ones of 50, as the other field says."""
    clumped = field(1, count=2, each=(2,), area=150, member_areas=(150,), areas=(100, 50))
    assert usual_area([field(), clumped]) == 50 and math.isnan(usual_area([]))
    assert counted([field(), clumped], error=0.0)[1].area_count == 3


def test_where_nobody_measured_the_error_no_limits_are_written(tmp_path):
    (found,) = counted([field()], error=None, hours={Path("A01_1_t0.tif"): 1.5})
    write_counts(tmp_path / "counts.csv", [found], ["a/t0.tif"])
    (row,) = csv.DictReader((tmp_path / "counts.csv").read_text().splitlines())
    assert row["image"] == "a/t0.tif" and row["count"] == "10" and row["hours"] == "1.5" and row["well"] == "A01"
    assert [name for name in row if not row[name]] == ["lower", "upper", "area_lower", "area_upper"]


def test_growth_is_told_in_hours_only_where_every_image_has_them(tmp_path):
    """Doubling every four hours, an image every half hour: every eight frames."""
    grown = [round(1000 * 2 ** (k / 8)) for k in range(9)]
    timed = [count(k, n, hours=k / 2) for k, n in enumerate(grown)]
    (curve,) = growth_curves(timed)
    assert curve.unit == "hours" and curve.growth.doubling[0] == pytest.approx(4, abs=0.01)
    (untimed,) = growth_curves([*timed[:-1], replace(timed[-1], hours=None)])
    assert untimed.unit == "frames" and untimed.growth.doubling[0] == pytest.approx(8, abs=0.02)
    write_growth(tmp_path / "growth.csv", [untimed])
    (row,) = csv.DictReader((tmp_path / "growth.csv").read_text().splitlines())
    assert float(row["doubling_frames"]) == pytest.approx(8, abs=0.02) and row["unit"] == "frames"


def test_two_times_are_no_curve_and_frames_are_sorted():
    frames = [count(2, 40), count(0, 10), count(1, 20), count(0, 5, position="B02_1"), count(1, 9, position="B02_1")]
    (curve,) = growth_curves(frames)
    assert curve.position == "A01_1" and curve.counts == (10, 20, 40)
    assert curve.growth.doubling[0] == pytest.approx(1)


def test_no_growth_has_no_doubling_time(tmp_path):
    rng = np.random.default_rng(1)
    still = [count(k, int(n)) for k, n in enumerate(rng.poisson(100, 12))]
    write_growth(tmp_path / "growth.csv", growth_curves(still))
    (row,) = csv.DictReader((tmp_path / "growth.csv").read_text().splitlines())
    assert row["doubling_frames"] == "" and float(row["rate_lower"]) < 0 < float(row["rate_upper"])
