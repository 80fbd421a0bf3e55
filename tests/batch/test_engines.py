"""Whatever the engine: the same bytes, nothing missing, nothing doubled."""

import hashlib
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cytally.batch.engines.dask import Dask
from cytally.batch.engines.processes import Processes
from cytally.batch.engines.serial import Serial
from cytally.batch.merge import merge
from cytally.batch.plan import Shard, plan_of, plan_of_shards, read_plan, write_plan
from cytally.batch.run import run_plan
from cytally.batch.shard import Place
from cytally.batch.trial import Trial
from cytally.errors import FileError, OutputError, RunError

TRIAL = Trial(rounds=200, size=100)


@dataclass(frozen=True)
class Deadly(Trial):
    """Ends its process: at every shard the first time, and always at one of them."""

    marks: str = ""
    poison: int = -1

    def work(self, files, part):
        mark = Path(self.marks) / f"{part[0]}"
        if part[0] == self.poison or not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().work(files, part)


def planned(folder, job=TRIAL, count=12):
    plan = plan_of_shards(job, [Shard(k, part=(k,)) for k in range(count)])
    write_plan(folder, plan)
    return plan, Place.of(folder, job, plan)


def hashes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "shards").iterdir())}


@pytest.fixture
def serial(tmp_path):
    plan, place = planned(tmp_path / "serial")
    assert run_plan(plan, place, Serial()).done == 12
    return plan, place


def test_two_processes_write_the_bytes_of_one(serial, tmp_path):
    plan, place = planned(tmp_path / "two")
    ran = run_plan(plan, place, Processes(2))
    assert (ran.done, ran.failed) == (12, ()) and hashes(place.folder) == hashes(serial[1].folder)


@pytest.mark.filterwarnings("ignore")
def test_dask_writes_the_bytes_of_one(serial, tmp_path):
    pytest.importorskip("distributed", reason="distributed (the extra `cluster`) is not installed")
    plan, place = planned(tmp_path / "dask")
    assert run_plan(plan, place, Dask("local:2")).done == 12
    assert hashes(place.folder) == hashes(serial[1].folder)


def test_killed_workers_lose_and_double_nothing_and_poison_is_named(tmp_path):
    job = Deadly(rounds=20, marks=str(tmp_path / "marks"), poison=2)
    (tmp_path / "marks").mkdir()
    for k in (0, 3):
        (tmp_path / "marks" / str(k)).touch()
    plan, place = planned(tmp_path / "job", job, 5)
    ran = run_plan(plan, place, Processes(2))
    assert [each.number for each in ran.failed] == [2] and "signal 9" in ran.failed[0].reason
    assert len(hashes(place.folder)) == 4
    assert "\n2,," in (place.folder / "failed.csv").read_text().replace("\r", "")
    with pytest.raises(RunError, match="shard 2"):
        merge(plan, place, tmp_path / "whole")
    assert not (tmp_path / "whole").exists()


def test_a_truncated_shard_is_done_again(serial, tmp_path):
    plan, place = serial
    merge(plan, place, tmp_path / "whole")
    expected = b"".join(TRIAL.work({}, (k,)) for k in range(12))
    assert (tmp_path / "whole").read_bytes() == expected
    whole = hashes(place.folder)
    for number, content in ((3, b""), (5, place.path(5).read_bytes()[:-7]), (7, place.path(8).read_bytes())):
        place.path(number).write_bytes(content)
    ran = run_plan(plan, place, Serial())
    assert (ran.done, ran.present) == (3, 9) and hashes(place.folder) == whole


def test_a_changed_input_is_refused_by_name(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"one")
    (tmp_path / "b.bin").write_bytes(b"two")
    plan = plan_of(TRIAL, {name: tmp_path / name for name in ("a.bin", "b.bin")}, 1)
    place = Place.of(tmp_path / "job", TRIAL, plan)
    write_plan(tmp_path / "job", plan)
    (tmp_path / "b.bin").write_bytes(b"TWO")
    with pytest.raises(RunError, match=r"b\.bin: was changed"):
        run_plan(plan, place, Serial())
    with pytest.raises(RunError, match=r"b\.bin: was changed"):
        place.do(plan.shards[1])


def test_a_full_disk_is_one_error(serial, tmp_path, monkeypatch):
    plan, place = planned(tmp_path / "full")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        run_plan(plan, place, Serial())
    assert hashes(place.folder) == {}


def test_another_version_is_refused(tmp_path):
    plan, place = planned(tmp_path / "job")
    for engine in (Serial(), Processes(2)):
        with pytest.raises(RunError, match=r"made by cytally 9\.9"):
            list(engine.run(replace(place, version="9.9"), plan.shards))


def test_a_plan_comes_back_and_one_that_was_changed_is_refused(tmp_path):
    plan, _ = planned(tmp_path / "job")
    assert read_plan(tmp_path / "job") == plan and read_plan(tmp_path / "job").key == plan.key
    with pytest.raises(RunError, match="another job"):
        planned(tmp_path / "job", Trial(rounds=1))
    path = tmp_path / "job" / "plan.json"
    path.write_text(path.read_text().replace('"rounds": 200', '"rounds": 201'))
    with pytest.raises(FileError, match="was changed"):
        read_plan(tmp_path / "job")


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    plan, place = planned(tmp_path / "job")

    def interrupted(stage, done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_plan(plan, place, Processes(2), interrupted)
    ran = run_plan(plan, place, Serial())
    assert ran.present >= 4 and ran.done <= 8 and len(hashes(place.folder)) == 12
