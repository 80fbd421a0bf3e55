"""The folder of a training run: killed in every window, damaged in every file, one process at a time."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from tests.cases.commands import hold
from tests.training.tasks.test_crops import SMALL as VERIFIER
from tests.training.tasks.test_crops import shapes
from tests.training.tasks.test_heatmaps import SMALL, Dots, settings

from cytally.errors import OutputError, RunError, RunLockedError
from cytally.files.runs import read_record
from cytally.nets.unet import Architecture
from cytally.training import checkpoints, loop, pool
from cytally.training.checkpoints import load_tensors, member_path, save_tensors
from cytally.training.loop import fit
from cytally.training.tasks.crops import VerifierSettings, fit_verifier
from cytally.training.tasks.heatmaps import HeatmapTask
from cytally.training.tasks.masks import MaskedCrop, MaskSettings, MaskTask, fit_masks

TINY = Architecture(classes=2, filters=4, depth=3, stride=2, sharp=True, widest=16)
QUICK = MaskSettings(epochs=3, patience=3, steps=1, batch=2, side=64, members=1)


class Killed(BaseException):
    pass


@pytest.fixture(scope="module", autouse=True)
def _cells_made_here():
    """Threads instead of processes that each load torch first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pool,
            "ProcessPoolExecutor",
            lambda count, _, begin, given: ThreadPoolExecutor(count, initializer=begin, initargs=given),
        )
        yield


def die(*_):
    raise Killed


def crop(seed: int) -> MaskedCrop:
    labels = np.zeros((64, 64), np.int32)
    labels[20:40, 20:40] = 1
    flat = np.random.default_rng(seed).normal(0, 0.1, (64, 64)).astype(np.float32) + (labels > 0)
    return MaskedCrop.of(flat, labels)


def train(folder, kind, epochs=3):
    if kind == "heatmaps":
        fit(HeatmapTask(Dots(), SMALL, settings(epochs=epochs, pool=replace(settings().pool, size=8))), folder)
    elif kind == "masks":
        fit_masks(MaskTask([crop(1), crop(2)], [crop(3)], TINY, QUICK), folder)
    else:
        fit_verifier(shapes(16, 3), VERIFIER, VerifierSettings(epochs=epochs, batch=8), folder)


def left(folder):
    """What training leaves, but for the seconds."""
    with (folder / "curves.csv").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    weights = {p.name: p.read_bytes() for p in sorted(folder.glob("epoch_*.safetensors"))}
    return rows, weights, json.loads((folder / "run.json").read_text())


KINDS = ["crops", "heatmaps", "masks"]
#: Function of the loop that is not reached any more, in the order in which an epoch's results are written.
WINDOWS = ["save_tensors", "write_curve"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Uninterrupted runs."""
    made = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        train(folder, kind)
        made[kind] = left(folder)
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [0, 1])
def test_a_run_killed_between_two_writes_becomes_the_uninterrupted_run(tmp_path, whole, monkeypatch, kind, window):
    """Killed in the second epoch: after its weights and before its state, or after the state and before its row."""
    honest, calls = getattr(loop, WINDOWS[window]), []

    def dying(*given):
        calls.append(given)
        path = given[0]
        if (window == 0 and path.name == checkpoints.STATE and len(calls) > 2) or (window == 1 and len(given[1]) == 2):
            raise Killed
        honest(*given)

    with monkeypatch.context() as patch:
        patch.setattr(loop, WINDOWS[window], dying)
        with pytest.raises(Killed):
            train(tmp_path, kind)
    train(tmp_path, kind)
    assert left(tmp_path) == whole[kind]


def test_a_row_lost_after_the_last_epoch_is_written_by_the_next_call(tmp_path, whole):
    train(tmp_path, "heatmaps")
    rows = (tmp_path / "curves.csv").read_text().splitlines()
    (tmp_path / "curves.csv").write_text("\n".join(rows[:-1]) + "\n")
    train(tmp_path, "heatmaps")
    assert left(tmp_path) == whole["heatmaps"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"architecture": 1, "settings": 2}', b"\xff"])
def test_a_damaged_run_json_is_one_clear_error(tmp_path, kind, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run\.json.*put a copy of this file back, or give another --out"):
        train(tmp_path, kind)
    with pytest.raises(RunError, match=r"run\.json"):
        read_record(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_run_json_is_whole_or_absent(tmp_path, monkeypatch, kind):
    with monkeypatch.context() as patch:
        patch.setattr("cytally.files.atomic.os.replace", die)
        with pytest.raises(Killed):
            train(tmp_path, kind)
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_two_trainings_into_one_folder_are_kept_apart(tmp_path, kind):
    import multiprocessing

    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(RunLockedError, match="another run is writing here"):
            train(tmp_path, kind)
    finally:
        done.set()
        other.join()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused(tmp_path, value):
    path = member_path(tmp_path, 1)
    save_file({"good": torch.ones(3), "head.weight": torch.tensor([1.0, value])}, path)
    with pytest.raises(RunError, match=r"epoch_001\.safetensors: holds values that are not numbers \(in head.weight\)"):
        load_tensors(path)
    with pytest.raises(RunError, match="not numbers"):
        fit(HeatmapTask(Dots(), SMALL, settings(epochs=1), path), tmp_path / "run")


def test_a_loss_that_is_no_number_ends_the_run_and_is_not_kept(tmp_path, monkeypatch):
    train(tmp_path, "heatmaps", epochs=1)
    honest = HeatmapTask.loss
    monkeypatch.setattr(HeatmapTask, "loss", lambda self, *given: honest(self, *given) * float("nan"))
    with pytest.raises(RunError, match="the loss of epoch 2 is not a number; lower the rate"):
        train(tmp_path, "heatmaps", epochs=2)
    assert not member_path(tmp_path, 2).exists() and len(left(tmp_path)[0]) == 1


_ROWS = [{"epoch": 1, "loss": 0.1}]
_POOL = {"numbers": [0], "age": {"0": 0}, "alarm": {}, "next_number": 1}


@pytest.mark.parametrize(
    "notes",
    [
        {},
        {"rows": _ROWS},
        {"task": _POOL},
        {"rows": "one", "task": _POOL},
        {"rows": [{"epoch": 2, "loss": 0.1}], "task": _POOL},
        {"rows": _ROWS, "task": _POOL | {"age": {"x": 0}}},
        {"rows": _ROWS, "task": _POOL | {"numbers": 5}},
        {"rows": [{"epoch": 1, "loss": "low"}], "task": _POOL},
        {"rows": _ROWS, "task": []},
    ],
)
def test_a_state_of_something_else_is_named(tmp_path, notes):
    train(tmp_path, "heatmaps", epochs=1)
    tensors, _ = load_tensors(tmp_path / "state.safetensors")
    save_tensors(tmp_path / "state.safetensors", tensors, notes)
    with pytest.raises(
        RunError, match=r"state\.safetensors: expected the state of this training.*remove it to start anew"
    ):
        train(tmp_path, "heatmaps", epochs=2)


def test_a_full_disk_is_told_in_the_words_of_the_system(tmp_path, monkeypatch):
    def full(*_):
        raise SafetensorError("Error while serializing: IoError(Os { code: 28, message: No space left on device })")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(2)})
    assert list(tmp_path.iterdir()) == []
