"""Kill score, train and livecell run at random, resume them to the end, and compare every byte.

    python benchmarks/crash.py [--kills 200] [--seed 1] [--out crash.md] [--only train]

Each job runs in a process of its own and gets SIGKILL: half of the kills after a random time, half
just before a random one of its operations on files (opening, renaming, removing), where the
windows are narrow. Then the same call is made again, killed again up to four times, and in the end
left alone. What lies in its folder must then be, byte for byte, what an uninterrupted run leaves.
Left out are the time at which a run was started and the seconds that an epoch took. After every
kill the scored run is read as `dose` reads it: it must say that it was interrupted, or give all
cells. Exit code 1 where anything differs.

Cells to train on are made in threads, and networks are loaded once, so that a process is ready at once.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import platform
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import matplotlib
import numpy as np
import torch

from cytally import __version__
from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.pipeline import score_folder
from cytally.dosimetry.scoring.run import read_run
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order as Cells
from cytally.dosimetry.simulate.folder import write_folder
from cytally.errors import CytallyError, RunError
from cytally.livecell.learn import Preset
from cytally.livecell.pipeline import Order, run_livecell
from cytally.livecell.simulate.folder import TimeLapse, write_sequence
from cytally.livecell.simulate.population import PopulationSettings
from cytally.nets.unet import Architecture
from cytally.training import pool
from cytally.training.checkpoints import load_tensors
from cytally.training.examples import TrainingCell
from cytally.training.loop import fit
from cytally.training.pool import PoolSettings
from cytally.training.tasks.heatmaps import HeatmapTask, TrainingSettings
from cytally.training.tasks.masks import MaskSettings

#: Most kills before a run is left alone.
CHAIN = 5
FILES = {"open", "os.rename", "os.remove", "os.mkdir"}
SMALL = Architecture(filters=2, depth=3, widest=8)
PLAN = TrainingSettings(epochs=6, late_from=3, batch=4, side=64, warm=2, ramp=1, pool=PoolSettings(12, 3, workers=1))
QUICK = Preset(
    Architecture(classes=2, filters=4, depth=3, stride=2, sharp=True, widest=16),
    MaskSettings(epochs=4, patience=4, steps=4, side=64, rate=4e-3, members=2),
)


@dataclass(frozen=True)
class Dots:
    """Cells with one bright dot and one bar."""

    def cell(self, index):
        rng = np.random.default_rng([7, index])
        density = rng.normal(0, 0.05, (72, 72)).astype(np.float32)
        (r, c), (y, x) = rng.integers(12, 60, (2, 2))
        density[r - 4 : r + 5, c - 4 : c + 5] += 1.0
        density[y - 1 : y + 2, x - 8 : x + 9] += 1.0
        return TrainingCell.pack(density, np.array([[r, c], [y, x]], float), [0, 1], [True, True])


@dataclass
class Job:
    """One command on inputs of its own: a function of the folder that it fills."""

    name: str
    work: Callable[[Path], object]
    seconds: float = 0.0
    operations: int = 0
    whole: dict[str, bytes] = field(default_factory=dict)


def jobs(folder):
    """The three commands, on inputs made here."""
    write_folder(Cells(6, Exposure(3.0), seed=3, shape=(256, 256)), folder / "cells")
    for number in range(3):
        lapse = TimeLapse(3, (128, 128), seed=number, population=PopulationSettings(8))
        write_sequence(lapse, folder / "lapse", f"A0{number + 1}_1")
    ensemble = load_ensemble()
    curve = Curve(np.array([0.001, 0.02, 0.06]), np.zeros((3, 3)), detector=ensemble.card.identity)
    score = partial(score_folder, [folder / "cells"], detector=ensemble, curve=curve, pictures=True, sampled=3)
    lapse = partial(run_livecell, folder / "lapse" / "phase", folder / "lapse" / "fluorescence", order=Order(QUICK))
    return [
        Job("score", lambda out: score(folder=out)),
        Job("train", lambda out: fit(HeatmapTask(Dots(), SMALL, PLAN), out)),
        Job("livecell run", lambda out: lapse(out=out)),
    ]


def start(job, out, last=0, count=None):
    """Begin the job in a process of its own; it kills itself before operation number `last`, if any."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    seen = 0

    def watch(event, given):
        nonlocal seen
        if event in FILES and given and str(given[0]).startswith(str(out)):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    code = 0
    try:
        job.work(out)
        if count is not None:
            os.write(count, str(seen).encode())
    except CytallyError as error:
        print(f"{job.name}: {error}", file=sys.stderr, flush=True)
        code = 2
    except BaseException as error:
        print(f"{job.name}: foreign {error!r}", file=sys.stderr, flush=True)
        code = 3
    os._exit(code)


def ended(child, within):
    """Exit status of a process; None where it is still at work after so many seconds."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.002)
    return None


def uninterrupted(job, out):
    """Learn how long a run takes, how many operations on files it makes, and what it leaves."""
    read, write = os.pipe()
    began = time.monotonic()
    status = ended(start(job, out, count=write), 600)
    if status != 0:
        sys.exit(f"{job.name}: an uninterrupted run ended with status {status}")
    job.seconds, job.operations, job.whole = time.monotonic() - began, int(os.read(read, 20)), left(out)


def left(out):
    """Every file of a run, without what differs from run to run for a good reason."""
    paths = [p for p in sorted(out.rglob("*")) if p.is_file() and p.name != ".lock"]
    return {p.relative_to(out).as_posix(): plain(p).replace(str(out).encode(), b"OUT") for p in paths}


def plain(path):
    """Bytes of a file without times."""
    content = path.read_bytes()
    if path.name == "run.json":
        return json.dumps({k: v for k, v in json.loads(content).items() if k != "started"}).encode()
    if path.name == "report.html":
        return re.sub(rb"<td>started</td><td>[^<]*</td>", b"", content)
    if path.name == "curves.csv":
        rows = csv.DictReader(io.StringIO(content.decode()))
        return json.dumps([{k: v for k, v in row.items() if k != "seconds"} for row in rows]).encode()
    if path.name == "state.safetensors":
        tensors, notes = load_tensors(path)
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in notes.pop("rows")]
        parts = [tensors[name].numpy().tobytes() for name in sorted(tensors)]
        return json.dumps([rows, notes, sorted(tensors)]).encode() + b"".join(parts)
    return content


def chain(job, out, kills, rng, tally):
    """Kill a run so many times, then let it end; what differs from the uninterrupted one."""
    spent = 0.0
    for _ in range(kills):
        by_time = bool(rng.random() < 0.5)
        delay = rng.uniform(0, max(job.seconds - spent, 0.1 * job.seconds))
        before = 1 + int(rng.integers(max(round(job.operations * (1 - spent / job.seconds)), 8)))
        child = start(job, out, last=0 if by_time else before)
        status = ended(child, delay if by_time else 600)
        if status is None:
            killed(child)
            _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):  # it was faster
            return wrong(status) or compared(job, out)
        tally["by time" if by_time else "before a file operation"] += 1
        spent += delay if by_time else job.seconds * before / job.operations / 2
        if job.name == "score" and (said := half_read(out)):
            return [said]
    return wrong(ended(start(job, out), 600)) or compared(job, out)


def killed(child):
    """Kill a job and its processes, or the job alone where it has not yet opened a group of its own."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)


def wrong(status):
    return [] if status == 0 else [f"the resumed run ended with status {status}"]


def compared(job, out):
    """Files that are not those of the uninterrupted run."""
    found = left(out)
    return sorted(name for name in found.keys() | job.whole.keys() if found.get(name) != job.whole.get(name))


def half_read(out):
    """What is wrong with reading a run that was just killed; "" where nothing is."""
    try:
        cells = read_run(out)
    except RunError:
        return ""
    except Exception as error:
        return f"reading the killed run: {error!r}"
    return "" if len(cells) == 6 else f"a killed run of 6 cells was read as one of {len(cells)}"


def main():
    """All chains, told as they end, and a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="In all.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one job: score, train or livecell run")
    parser.add_argument("--out", type=Path, help="Also write the table there (Markdown).")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "crash"
    pool.ProcessPoolExecutor = lambda n, _, begin, given: ThreadPoolExecutor(n, initializer=begin, initargs=given)
    rng = np.random.default_rng(chosen.seed)
    with tempfile.TemporaryDirectory() as name:
        every = [job for job in jobs(Path(name)) if chosen.only in (None, job.name)]
        if not every:
            parser.error(f"expected a job among score, train and livecell run, got {chosen.only!r}")
        for job in every:
            uninterrupted(job, Path(name) / f"whole_{every.index(job)}")
            print(
                f"{job.name}: {job.seconds:.1f} s, {job.operations} operations on files, {len(job.whole)} files",
                flush=True,
            )
        tallies = {job.name: Counter() for job in every}
        for number in range(10**6):
            job = every[number % len(every)]
            done = sum(tally["by time"] + tally["before a file operation"] for tally in tallies.values())
            if done >= chosen.kills:
                break
            tally, out = tallies[job.name], Path(name) / f"chain_{number}"
            differs = chain(job, out, min(int(rng.integers(1, CHAIN + 1)), chosen.kills - done), rng, tally)
            tally["runs"] += 1
            tally["differ"] += bool(differs)
            print(f"{done} of {chosen.kills} kills; {job.name}: {', '.join(differs) or 'the same'}", flush=True)
    table = as_table(tallies, chosen.seed)
    print(table)
    if chosen.out:
        chosen.out.write_text(table)
    sys.exit(any(tally["differ"] for tally in tallies.values()))


def as_table(tallies, seed):
    """Markdown, with the command and the machine."""
    columns = ("by time", "before a file operation", "runs", "differ")
    rows = [f"| {name} | " + " | ".join(str(tally[c]) for c in columns) + " |" for name, tally in tallies.items()]
    return "\n".join(
        [
            f"`python benchmarks/crash.py --seed {seed}`, cytally {__version__}, Python {platform.python_version()}, "
            f"torch {torch.__version__}, {platform.system()} {platform.machine()}",
            "",
            "| job | killed " + " | killed ".join(columns[:2]) + " | runs ended | of these differ |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
