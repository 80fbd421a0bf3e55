"""Many damaged files through every reader: `python benchmarks/fuzz.py --count 100000`.

Only the package's own errors may come out, with at most 1 GB and 5 s for each. Prints a table of how the
mutations ended; exit code 1 where anything else happened. A mutation is named by its number for ever.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzz.parent import Outcomes, fuzz  # noqa: E402

_EACH = 2000


def main() -> int:
    """All pieces, some at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=3000, help="number of the first mutation (tests use 0 to 2999)")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    starts = range(given.first, given.first + given.count, _EACH)
    total, begun = Outcomes(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:

        def piece(start: int) -> Outcomes:
            own = Path(folder) / str(start)
            own.mkdir()
            return fuzz(start, min(start + _EACH, given.first + given.count), own, seconds=900)

        for number, outcomes in enumerate(pool.map(piece, starts), start=1):
            total.ends += outcomes.ends
            total.wrong += outcomes.wrong
            total.slowest = max(total.slowest, outcomes.slowest)
            print(
                f"{number * _EACH} of {given.count}, {len(total.wrong)} wrong, {time.monotonic() - begun:.0f} s",
                file=sys.stderr,
            )
    print(total)
    print(f"slowest {total.slowest:.2f} s of processor time")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
