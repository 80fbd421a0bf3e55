"""One process or several: the same run, told once, and float32 where bfloat16 is only emulated."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cytally.training import devices
from cytally.training.checkpoints import load_tensors, member_path

SCRIPT = """
import sys
from pathlib import Path

from cytally.training.loop import fit
from cytally.training.tasks.heatmaps import HeatmapTask
from tests.training.tasks.test_heatmaps import SMALL, Dots, settings

if __name__ == "__main__":
    told = []
    task = HeatmapTask(Dots(), SMALL, settings(epochs=int(sys.argv[2])))
    fit(task, Path(sys.argv[1]), lambda *say: told.append(say), devices=2)
    steps = [total for stage, done, total in told if stage.startswith("epoch 1 ") and done == total]
    print("the first goes on", steps)
"""


def train(folder: Path, epochs: int) -> str:
    script = folder.parent / "train.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, script, folder, str(epochs)],
        cwd=root,
        env={**_plain(), "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _plain() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("LOCAL_", "MASTER_", "PYTEST_"))}


def test_two_processes_share_the_batches_and_one_goes_on(tmp_path):
    """Twelve cells in batches of four are three batches: one for each process, the odd one is left."""
    said = train(tmp_path / "run", 2)
    assert said.count("the first goes on") == 1 and "[1]" in said
    assert [member_path(tmp_path / "run", k).is_file() for k in (1, 2, 3)] == [True, True, False]
    assert "the first goes on" in train(tmp_path / "run", 3)  # and a longer call goes on from there
    tensors, _ = load_tensors(member_path(tmp_path / "run", 3))
    assert all(tensor.isfinite().all() for tensor in tensors.values())


@pytest.mark.parametrize(("dtype", "precision"), [(torch.bfloat16, "bf16-mixed"), (torch.float32, "32-true")])
def test_training_runs_in_what_the_machine_multiplies(monkeypatch, dtype, precision):
    monkeypatch.setattr(devices, "preferred_dtype", lambda: dtype)
    assert devices.lightning(single=True)._precision.precision == precision


def test_what_one_process_saw_is_what_all_know():
    fabric = devices.lightning(single=True)
    assert devices.shared(fabric, [3, 1, 2], {1: 0.5, 3: 0.0}) == {3: 0.0, 1: 0.5}
