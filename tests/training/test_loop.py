"""The loop by itself, on a learner of one file: it learns, resumes exactly, keeps what it is told to keep."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cases.toy_learner import LineSettings, LineTask

from cytally import __version__
from cytally.errors import RunError
from cytally.training import loop
from cytally.training.checkpoints import load_tensors, member_path
from cytally.training.folder import read_curve
from cytally.training.loop import ahead, fit
from cytally.training.task import Share

LINE = LineSettings()


class Killed(Exception):
    pass


def killing(epoch, step=2):
    def progress(stage, done, total):
        if stage.startswith(f"epoch {epoch} ") and done == step:
            raise Killed

    return progress


def test_a_new_learner_is_one_file_that_finds_its_line(tmp_path):
    rows = fit(LineTask(replace(LINE, epochs=60)), tmp_path)
    weights, notes = load_tensors(member_path(tmp_path, 60))
    assert float(weights["weight"]) == pytest.approx(2, abs=0.05)
    assert float(weights["bias"]) == pytest.approx(-1, abs=0.05)
    assert notes == {"epoch": 60} and rows[-1]["loss"] < rows[0]["loss"] / 100


def test_a_killed_run_resumes_to_the_same_weights(tmp_path):
    whole = fit(LineTask(LINE), tmp_path / "whole")
    with pytest.raises(Killed):
        fit(LineTask(LINE), tmp_path / "cut", killing(3))
    assert len(read_curve(tmp_path / "cut")) == 2
    stages = []
    again = fit(LineTask(LINE), tmp_path / "cut", lambda stage, *_: stages.append(stage))
    assert stages[0].startswith("epoch 3 of 4, loss")
    assert [row["loss"] for row in again] == [row["loss"] for row in whole]
    ends = [member_path(tmp_path / name, 4).read_bytes() for name in ("whole", "cut")]
    assert ends[0] == ends[1]


def test_other_settings_are_refused_by_name_and_free_ones_are_not(tmp_path):
    fit(LineTask(replace(LINE, epochs=1)), tmp_path)
    with pytest.raises(RunError, match=r"training run with other settings \(rate, seed\); give another --out"):
        fit(LineTask(replace(LINE, epochs=1, rate=0.5, seed=4)), tmp_path)
    with pytest.raises(RunError, match=r"other settings \(epochs\)"):
        fit(LineTask(replace(LINE, epochs=2)), tmp_path)
    longer = LineTask(replace(LINE, epochs=2))
    longer.free = ("epochs",)
    assert len(fit(longer, tmp_path)) == 2
    assert json.loads((tmp_path / "run.json").read_text())["settings"]["epochs"] == 2


def test_run_json_holds_settings_version_and_machine(tmp_path):
    fit(LineTask(replace(LINE, epochs=1)), tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["settings"]["seed"] == 3 and record["version"] == __version__ and record["machine"]["cores"] > 0


def test_only_kept_epochs_stay_on_disk_and_a_task_may_stop_early(tmp_path):
    task = LineTask(LINE)
    task.kept = lambda rows: {1, int(rows[-1]["epoch"])} if rows else set()
    task.finished = lambda rows: len(rows) == 3
    assert len(fit(task, tmp_path)) == 3
    assert sorted(path.name for path in tmp_path.glob("epoch_*")) == [
        "epoch_001.safetensors",
        "epoch_003.safetensors",
    ]


def test_notes_of_a_task_come_back_and_columns_join_the_curve(tmp_path):
    given = []

    class Counting(LineTask):
        seen = 0

        def after_epoch(self, network, fabric):
            self.seen += 1
            return {"seen": self.seen}

        def notes(self):
            return {"seen": self.seen}

        def restore(self, notes):
            given.append(notes)
            self.seen = notes["seen"]

    with pytest.raises(Killed):
        fit(Counting(LINE), tmp_path, killing(3))
    rows = fit(Counting(LINE), tmp_path)
    assert given == [{"seen": 2}] and [row["seen"] for row in rows] == [1, 2, 3, 4]
    assert [row["seen"] for row in read_curve(tmp_path)] == [1, 2, 3, 4]


def test_what_runs_beside_the_epochs_is_stopped_and_not_begun_for_a_finished_run(tmp_path):
    from contextlib import contextmanager

    told = []

    @contextmanager
    def running(progress):
        told.append("begun")
        try:
            yield
        finally:
            told.append("stopped")

    for progress, expected in ((killing(1), ["begun", "stopped"]), (None, ["begun", "stopped"] * 2)):
        task = LineTask(LINE)
        task.running = running
        if progress:
            with pytest.raises(Killed):
                fit(task, tmp_path, progress)
        else:
            fit(task, tmp_path)
            fit(task, tmp_path)
        assert told == expected


def test_an_epoch_without_a_batch_is_an_error(tmp_path):
    task = LineTask(LINE)
    task.items = lambda epoch, share: []
    with pytest.raises(RunError, match="the loss of epoch 1 is not a number"):
        fit(task, tmp_path)


@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_processes_share_items_evenly_and_none_twice(world):
    items = list(range(17))
    shares = [Share(rank, world).of(items) for rank in range(world)]
    assert {len(share) for share in shares} == {17 // world}
    assert sorted(np.concatenate(shares).tolist()) == items[: 17 // world * world]


def test_items_are_made_ahead_by_one_in_order():
    made = []

    def make(number):
        made.append(number)
        return number

    for number in (stream := ahead(make, range(5))):
        if number == 1:
            stream.close()
            break
    assert made == [0, 1, 2] or made == [0, 1]
    assert list(ahead(make, [])) == [] and list(ahead(make, [7])) == [7]


def test_the_loop_knows_no_door_and_no_loss():
    text = Path(loop.__file__).read_text()
    for word in ("dicentric", "nucle", "metaphase", "heatmap", "focal", "entropy", "verifier"):
        assert word not in text
