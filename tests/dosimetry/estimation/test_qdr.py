"""Qdr: the manual's example, its inverse, and its coverage."""

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import Origin, stated
from cytally.dosimetry.curves.fit import yield_at
from cytally.dosimetry.estimation.limits.partial_body import qdr, qdr_limits
from cytally.errors import CountsError

#: IAEA EPR-Biodosimetry 2011, eqs 24 and 25: dicentrics, and excess acentrics.
DICENTRICS, ACENTRICS = np.array([0, 0.0157, 0.0500]), np.array([0, 0.0230, 0.0390])
NONE = np.zeros((3, 3))


def per_damaged(dose):
    first, second = (float(yield_at(np.array(dose), curve)) for curve in (DICENTRICS, ACENTRICS))
    return first / (1 - np.exp(-first - second))


def test_the_dose_of_the_manual():
    """9.7.5.4: 3.19 Gy; its dicentrics per damaged cell by eq. 16 are 0.870, so 86 stand in 99 cells."""
    assert qdr(86, 99, DICENTRICS, ACENTRICS) == pytest.approx(3.19, abs=0.02)


@pytest.mark.parametrize("dose", [0.5, 1.5, 3.0, 6.0])
def test_it_inverts_the_mean_per_damaged_cell(dose):
    found = qdr(round(per_damaged(dose) * 1e7), 10**7, DICENTRICS, ACENTRICS)
    assert found == pytest.approx(dose, rel=1e-5)


@pytest.mark.parametrize(("dose", "cells"), [(2.0, 300), (4.0, 100)])
def test_limits_cover(dose, cells):
    """400 samples: 0.95 has a standard error of 0.011; five of them are allowed."""
    rng, inside = np.random.default_rng(4), 0
    for _ in range(400):
        first, second = (rng.poisson(float(yield_at(np.array(dose), c)), cells) for c in (DICENTRICS, ACENTRICS))
        damaged = int((first + second > 0).sum())
        found = qdr_limits(int(first.sum()), damaged, (DICENTRICS, ACENTRICS), (NONE, NONE))
        inside += found.lower <= dose <= found.upper
    assert 0.895 <= inside / 400 <= 1.0


def test_an_uncertain_curve_widens_and_too_few_are_not_estimable(tmp_path):
    loose = np.diag([0, 0.005, 0.005]) ** 2
    sharp, wide = (
        qdr_limits(86, 99, (DICENTRICS, ACENTRICS), (covariance, covariance)) for covariance in (NONE, loose)
    )
    assert sharp.lower < sharp.value < sharp.upper and wide.lower < sharp.lower and wide.upper > sharp.upper
    assert np.isnan(qdr_limits(10, 99, (DICENTRICS, ACENTRICS), (NONE, NONE)).value)
    with pytest.raises(CountsError, match="expected damaged cells > 0"):
        qdr(3, 0, DICENTRICS, ACENTRICS)
    for name, curve in (("d", DICENTRICS), ("a", ACENTRICS)):
        origin = Origin(aberration={"d": "dicentrics and rings", "a": "excess acentrics"}[name])
        stated(tuple(curve), (0, 0, 0), origin=origin).save(tmp_path / f"{name}.json")
    words = ["dosimetry", "qdr", "--curve", str(tmp_path / "d.json"), "--acentrics", str(tmp_path / "a.json")]
    said = CliRunner().invoke(cli, [*words, "--dicentrics", "86", "--damaged", "99"]).output
    assert said.startswith("3.18 Gy (") or said.startswith("3.19 Gy (")
    assert "not estimable" in CliRunner().invoke(cli, [*words, "--dicentrics", "10", "--damaged", "99"]).output
