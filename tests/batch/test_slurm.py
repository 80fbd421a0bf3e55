"""A Slurm array, by a pretended sbatch that runs the script of each task at once."""

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cytally
from cytally.batch.engines.serial import Serial
from cytally.batch.engines.slurm import Slurm
from cytally.batch.plan import Shard, plan_of_shards, write_plan
from cytally.batch.run import run_plan
from cytally.batch.shard import Place
from cytally.batch.trial import Trial
from cytally.cli.main import cli
from cytally.errors import RunError

SBATCH = f"""#!{sys.executable}
import os, subprocess, sys
words = dict(word.partition("=")[::2] for word in sys.argv[1:-1])
for index in words["--array"].split(","):
    if {{lost}} and index == "1":
        continue
    subprocess.run(["bash", sys.argv[-1]], env=os.environ | {{{{"SLURM_ARRAY_TASK_ID": index}}}}, check=True)
print("17;cluster")
"""


def prepared(folder, job, count):
    plan = plan_of_shards(job, [Shard(k, part=(k,)) for k in range(count)])
    write_plan(folder, plan)
    return plan, Place.of(folder, job, plan)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    def made(lost=False):
        programs = tmp_path / "bin"
        programs.mkdir()
        for name, text in (("sbatch", SBATCH.format(lost=lost)), ("squeue", "#!/bin/sh\nexit 1\n")):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("PYTHONPATH", str(Path(cytally.__file__).parents[1]))

    return made


def test_an_array_writes_the_bytes_of_one_process(cluster, tmp_path):
    cluster()
    job = Trial(rounds=50)
    plan, here = prepared(tmp_path / "here", job, 5)
    run_plan(plan, here, Serial())
    (tmp_path / "head.sh").write_text("#!/bin/bash\n#SBATCH --time=00:10:00\n")
    plan, there = prepared(tmp_path / "there", job, 5)
    ran = run_plan(plan, there, Slurm(tmp_path / "head.sh", tasks=2, every=0.01))
    assert ran.done == 5 and "#SBATCH --time=00:10:00" in (there.folder / "array.sh").read_text()
    for number in range(5):
        assert there.path(number).read_bytes() == here.path(number).read_bytes()


def test_what_no_array_does_is_named(cluster, tmp_path):
    cluster(lost=True)
    plan, place = prepared(tmp_path / "job", Trial(rounds=50), 3)
    ran = run_plan(plan, place, Slurm(every=0.01))
    assert [each.number for each in ran.failed] == [1] and "3 arrays" in ran.failed[0].reason


def test_a_machine_without_slurm_says_so(tmp_path, monkeypatch):
    plan, place = prepared(tmp_path / "job", Trial(rounds=1), 1)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match="sbatch: not found here"):
        run_plan(plan, place, Slurm())


def test_the_commands_in_their_order(tmp_path):
    def said(*words, code=0):
        done = CliRunner().invoke(cli, ["batch", *map(str, words)])
        assert done.exit_code == code, done.output
        return done.output

    folder, out = tmp_path / "trial", tmp_path / "trial.bin"
    assert "3 shards" in said("plan", folder, "--shards", 3, "--rounds", 10)
    said("array", folder, "--index", 1)
    assert "1 of 3 shards" in said("status", folder, code=3)
    assert "expected the result of shard 0" in said("merge", folder, "--out", out, code=1)
    assert "2 shards done, 1 were there, 0 failed" in said("run", folder)
    said("merge", folder, "--out", out)
    assert out.read_bytes() == b"".join(Trial(rounds=10).work({}, (k,)) for k in range(3))
