"""Run children over a range of mutations and gather what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Outcomes:
    """How the mutations of a range ended."""

    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[dict[str, object]] = field(default_factory=list)
    slowest: float = 0.0

    def add(self, line: dict[str, object]) -> None:
        """One mutation."""
        self.ends[str(line["input"]), str(line["end"])] += 1
        self.slowest = max(self.slowest, float(str(line.get("seconds", 0.0))))
        if line["end"] not in ("accepted", "refused"):
            self.wrong.append(line)

    def __str__(self) -> str:
        names = sorted({name for name, _ in self.ends})
        kinds = ("refused", "accepted", "foreign", "memory", "long", "died")
        lines = [f"{'input':<22}" + "".join(f"{kind:>10}" for kind in kinds)]
        lines += [f"{name:<22}" + "".join(f"{self.ends[name, kind]:>10}" for kind in kinds) for name in names]
        total = "".join(f"{sum(n for (_, k), n in self.ends.items() if k == kind):>10}" for kind in kinds)
        lines.append(f"{'sum':<22}{total}")
        lines += [
            f"\nmutation {one['number']} of {one['input']}: {one['end']}\n{one.get('trace', '')}"
            for one in self.wrong[:20]
        ]
        return "\n".join(lines)


def fuzz(first: int, last: int, folder: Path, seconds: float) -> Outcomes:
    """Mutations FIRST to LAST - 1 in children; a child that dies or hangs loses only its own mutation."""
    outcomes = Outcomes()
    while first < last:
        number, alive = _child(first, last, folder, seconds, outcomes)
        if alive:
            return outcomes
        outcomes.add({"number": number, "input": "any", "end": "died", "trace": "the child ended or hung"})
        first = number + 1
    return outcomes


def _child(first: int, last: int, folder: Path, seconds: float, outcomes: Outcomes) -> tuple[int, bool]:
    """(mutation that was begun last, whether the child came to its end)."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.child", str(first), str(last), str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
    number, ended = first - 1, first - 1
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=seconds)
        printed, failed = done.stdout, done.returncode != 0
        if failed and not printed:
            raise RuntimeError(f"the child did not begin: {done.stderr.decode()[-2000:]}")
    except subprocess.TimeoutExpired as late:
        printed, failed = late.stdout or b"", True
    for text in printed.splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # a line cut short
            continue
        if "begun" in line:
            number = int(line["begun"])
        else:
            ended = int(line["number"])
            outcomes.add(line)
    return number, not failed and ended == last - 1
