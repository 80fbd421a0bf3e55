"""The study of uncertainty, from answers on disk to its tables; what it counts is held against slow twins elsewhere."""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from cytally.errors import RunError
from cytally.evaluation.islands import answers_of
from cytally.labels.points import spots
from cytally.nets.unet import Architecture, UNet
from cytally.training.checkpoints import member_path, save_tensors, weights_of
from cytally.training.folder import note_settings

SCRIPTS = Path(__file__).parents[2] / "scripts"
CLASSES = ("dicentric", "fragment")


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """As Python starts a script: its folder comes first."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in ("claims", "uncertainty", "posteriors")]:
        del sys.modules[name]


def answered(out: Path, run: str, kind: str, *, models: int, found: float, cells: int = 20) -> None:
    """Blocks of answers in which each model finds a label with this chance."""
    from claims import answers

    rng = np.random.default_rng(len(run))
    for start in range(0, cells, answers.BLOCK):
        held: dict[str, np.ndarray] = {}
        for number in range(start, start + answers.BLOCK):
            for name in CLASSES:
                places = rng.uniform(20, 140, (int(kind == "aberrant"), 2))
                maps = np.zeros((models, 40, 40), np.float32)
                for k in range(models):
                    if len(places) and rng.random() < found:
                        maps[k] = spots(places, (40, 40), 4, 2.0) * 0.9
                held |= answers._arrays(f"{number}.{name}", answers_of(maps, places, 4))
        path = answers.block_path(out, run, kind, start)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **held)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def run_folder(folder: Path, count: int, classes: int = 2) -> Path:
    """A run of tiny networks that was never trained."""
    how = Architecture(classes=classes, filters=2, depth=3, widest=8)
    folder.mkdir(parents=True)
    note_settings(folder, {"architecture": asdict(how)})
    for epoch in range(1, count + 1):
        torch.manual_seed(epoch)
        save_tensors(member_path(folder, epoch), weights_of(UNet(how)))
    return folder


def test_what_runs_answered_becomes_tables_and_pictures(tmp_path, monkeypatch, capsys):
    """A twin that finds 9 of 10 against one that finds 5: the claim's limits hold 0.4, and votes beat single ones."""
    import uncertainty

    for run, found in (("L2", 0.5), ("SV", 0.9)):
        run_folder(tmp_path / run, 12)
        for kind in ("aberrant", "silent"):
            answered(tmp_path / "out", run, kind, models=12, found=found)
    asked = [f"{run}={tmp_path / run}" for run in ("L2", "SV")]
    monkeypatch.setattr(
        sys,
        "argv",
        ["uncertainty", *asked, "--out", str(tmp_path / "out"), "--aberrant", "20", "--silent", "20", "--last", "12"],
    )
    monkeypatch.setattr(uncertainty, "ProcessPoolExecutor", _Here)
    monkeypatch.setattr(uncertainty, "variations", lambda *_: np.random.default_rng(1).random((5, 2)))
    uncertainty.main()
    assert "performance" in capsys.readouterr().out
    gained = [row for row in rows(tmp_path / "out" / "differences.csv") if row["claim"].startswith("SV against L2")]
    assert {row["class"] for row in gained} == set(CLASSES) and len(gained) == 6
    for row in gained:
        assert float(row["recall_lower"]) < 0.4 < float(row["recall_upper"]) and float(row["recall_lower"]) > 0.2
        assert float(row["precision"]) == 0
    voted = {
        (row["run"], row["way"]): float(row["recall"])
        for row in rows(tmp_path / "out" / "performance.csv")
        if row["rule"] == "T_C 0.5"
    }
    assert voted["SV", "SV, 10 votes, T_A 4"] > voted["SV", "SV, single"] == pytest.approx(0.9, abs=0.05)
    alike = rows(tmp_path / "out" / "agreement.csv")
    assert all(abs(float(row["kappa"])) < 0.2 for row in alike)  # models find by chance, each for itself
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {"", ".csv", ".png"}


class _Here:
    """A pool that works in this process."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, work, *given):
        from concurrent.futures import Future

        done = Future()
        done.set_result(work(*given))
        return done

    def map(self, work, jobs):
        return [work(job) for job in jobs]


def test_answers_that_are_missing_and_runs_too_short_are_said(tmp_path):
    from claims.answers import checkpoints_of, read_answers

    with pytest.raises(RunError, match="expected 5 checkpoints, found 3"):
        checkpoints_of(run_folder(tmp_path / "run", 3), 5)
    with pytest.raises(RunError, match="to its end first"):
        list(read_answers(tmp_path, "L2", "aberrant", 1, "dicentric"))


def test_a_checkpoint_is_asked_as_training_left_it(tmp_path, monkeypatch):
    """A block written by `_answer` against the same network on torch; OpenVINO differs by less than half precision."""
    from claims import answers

    from cytally.inference.runtime import TorchMember
    from cytally.training.examples import unpack

    how = Architecture(classes=2, filters=2, depth=3, widest=8)
    network = UNet(how).eval()
    with torch.no_grad():
        network.head.weight *= 20
    path = member_path(tmp_path, 1)
    save_tensors(path, weights_of(network))
    note_settings(tmp_path, {"architecture": asdict(how)})
    out = tmp_path / "block.npz"
    answers._answer(answers.Asked((path,), "aberrant", (0,), out))
    cell = answers.cell_of("aberrant", 0)
    maps = TorchMember(network, torch.float32).padded(unpack(cell.packed))
    with np.load(out) as held:
        for channel, name in enumerate(CLASSES):
            assert (
                int(held[f"0.{name}.objects"])
                == answers_of(maps[None, channel], cell.places[cell.classes == channel].astype(float), 4).objects
            )
            most = max((held[k].max() for k in held.files if k.startswith(f"0.{name}") and "values" in k), default=0)
            assert most == pytest.approx(maps[channel].max(), abs=0.01) or maps[channel].max() < 0.05


def test_total_variation_of_known_maps():
    """A step of height 1 along 10 rows has 10; a cone's gradient is its slope everywhere, area x slope, within 3 %."""
    from claims.variation import total_variation

    step = np.zeros((1, 11, 12))
    step[0, :, 6:] = 1
    assert total_variation(step).tolist() == [10.0]
    rows, cols = np.indices((201, 201)) - 100
    cone = np.maximum(0, 1 - np.hypot(rows, cols) / 80)[None]
    assert total_variation(cone)[0] == pytest.approx(np.pi * 80**2 / 80, rel=0.03)


def test_answers_of_other_checkpoints_are_not_taken(tmp_path):
    from claims.answers import check_same

    first, second = run_folder(tmp_path / "one", 3), run_folder(tmp_path / "two", 4)
    check_same(tuple(sorted(first.glob("epoch*"))), tmp_path / "answers")
    check_same(tuple(sorted(first.glob("epoch*"))), tmp_path / "answers")
    with pytest.raises(RunError, match="answers of other checkpoints"):
        check_same(tuple(sorted(second.glob("epoch*"))), tmp_path / "answers")


def test_networks_without_both_classes_are_refused(tmp_path):
    from claims.answers import check_same

    run = run_folder(tmp_path / "one", 3, classes=1)
    with pytest.raises(RunError, match="dicentric and fragment on one grid"):
        check_same(tuple(sorted(run.glob("epoch*"))), tmp_path / "answers")
