"""Damaged files of every kind: only the package's own errors, at most 1 GB, at most 5 s each.

The mutations are seeded: a number names one for ever (`python benchmarks/fuzz.py --first N --count 1`).
"""

import numpy as np
import pytest
from tests.fuzz.inputs import inputs
from tests.fuzz.mutations import MUTATIONS, damaged
from tests.fuzz.parent import Outcomes, fuzz

PIECES, EACH = 4, 750


@pytest.mark.parametrize("piece", range(PIECES))
def test_only_our_own_errors_come_out(piece, tmp_path):
    outcomes = fuzz(piece * EACH, (piece + 1) * EACH, tmp_path, seconds=300)
    assert sum(outcomes.ends.values()) == EACH
    assert not outcomes.wrong, str(outcomes)


def test_mutations_change_files_and_are_the_same_each_time():
    content = b"dose_gy,cells\n1.5,200\n" * 20
    made = [damaged(content, np.random.default_rng([7, k])) for k in range(40)]
    assert made == [damaged(content, np.random.default_rng([7, k])) for k in range(40)]
    assert sum(each != content for each in made) >= 38
    for mutation in MUTATIONS:
        assert any(mutation(content, np.random.default_rng(k)) != content for k in range(20))


def test_a_foreign_error_is_seen():
    """The harness would notice: a reader of our own making that raises what it should not."""
    outcomes = Outcomes()
    outcomes.add({"number": 1, "input": "x", "end": "foreign", "trace": "KeyError: 'a'"})
    outcomes.add({"number": 2, "input": "x", "end": "refused", "seconds": 0.5})
    assert len(outcomes.wrong) == 1 and "KeyError" in str(outcomes) and outcomes.slowest == 0.5


def test_every_kind_is_named_once():
    names = [each.name for each in inputs()]
    assert len(names) == len(set(names)) >= 35
