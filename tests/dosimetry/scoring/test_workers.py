"""Any number of processes gives the same bytes, and none outlives the first."""

import os
import signal

import pytest

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.pipeline import score_folder
from cytally.dosimetry.scoring import workers
from cytally.dosimetry.scoring.workers import scored
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import RunError
from cytally.images.inputs import name_images


@pytest.fixture
def cells(tmp_path):
    write_folder(Order(5, Exposure(3.0), "dark", seed=3, shape=(384, 384)), tmp_path / "cells")
    (tmp_path / "cells" / "S1_00002.png").write_bytes(b"no image")
    return tmp_path / "cells"


def test_two_processes_write_the_bytes_of_one(cells, random_ensemble, tmp_path):
    ensemble = load_ensemble(random_ensemble).with_thresholds(confidence=0.27)
    outcomes = [score_folder([cells], tmp_path / f"jobs{n}", ensemble, jobs=n) for n in (1, 2)]
    assert outcomes[0].counts.cells == 4 and outcomes[0].counts.total("dicentric") > 0
    for name in ("journal.jsonl", "cells.csv", "detections.csv"):
        assert (tmp_path / "jobs1" / name).read_bytes() == (tmp_path / "jobs2" / name).read_bytes()


class Deadly:
    """A member whose process is taken away, as by a machine short of memory."""

    @property
    def architecture(self):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_ends_is_told_with_what_to_do(cells, random_ensemble):
    ensemble = load_ensemble(random_ensemble)
    broken = type(ensemble)(ensemble.card, (Deadly(),) * 4)
    with pytest.raises(RunError, match=r"S1_00000.png: a process ended while scoring .*--jobs 1"):
        list(scored(name_images([cells]), broken, jobs=2))


def test_few_images_are_not_worth_a_process(cells, random_ensemble, monkeypatch):
    monkeypatch.setattr(workers, "_in_processes", lambda *_: pytest.fail("started processes"))
    monkeypatch.setattr(workers, "cores", lambda: 2)
    assert len(list(scored(name_images([cells]), load_ensemble(random_ensemble)))) == 5


def test_processes_that_are_kept_serve_several_calls(cells, random_ensemble, monkeypatch):
    ensemble = load_ensemble(random_ensemble)
    paths = name_images([cells])
    hard_rule_probability = list(scored(paths, ensemble, jobs=1))
    with workers.kept(ensemble, 2) as pool:
        monkeypatch.setattr(workers, "_started", lambda *_: pytest.fail("started others"))
        for _ in range(2):
            again = list(scored(paths, ensemble, jobs=2))
            assert [(c.image, c.status, c.sha256, len(c.detections)) for c in again] == [
                (c.image, c.status, c.sha256, len(c.detections)) for c in hard_rule_probability
            ]
        write_folder(Order(2, Exposure(3.0), "dark", seed=3, shape=(384, 384)), cells.parent / "drawn", each=pool.map)
    for name in ("S1_00000.png", "S1_00001.png"):  # drawn elsewhere, the same bytes
        assert (cells.parent / "drawn" / name).read_bytes() == (cells / name).read_bytes()
    assert workers._KEPT == []
