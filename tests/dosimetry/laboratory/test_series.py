"""Several runs -> counts at known doses; what a run's tables say is held in test_runs."""

import pytest

from cytally.dosimetry.laboratory.series import points_of
from cytally.errors import CountsError


def test_runs_know_their_unit(tmp_path):
    with pytest.raises(CountsError, match="doses of runs are in Gy"):
        points_of([tmp_path], "mgy")
