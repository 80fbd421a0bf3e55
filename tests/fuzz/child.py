"""One child process: damaged files through the readers, under limits on memory and time.

Run as `python -m tests.fuzz.child FIRST LAST FOLDER`: mutations FIRST to LAST - 1, one JSON line each on
standard output, written before (begun) and after (ended) so that the parent knows which one hung.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType

import numpy as np
from tests.fuzz.inputs import Input, inputs
from tests.fuzz.mutations import damaged

from cytally.errors import CytallyError

#: Of processor time: a machine that does other things too is no fault of a reader; what waits for ever, the parent ends.
SECONDS = 5.0
BYTES = 1 << 30


class TooLongError(BaseException):
    """Not an Exception, so that no reader takes it for a damaged file."""


def limit_memory() -> None:
    """At most 1 GB more than after the imports."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + BYTES, mapped + BYTES))


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLongError(f"{SECONDS:g} s")


def one(number: int, known: list[Input], folder: Path) -> dict[str, object]:
    """Damage one file by the mutation of that number and read it."""
    chosen = known[number % len(known)]
    rng = np.random.default_rng([7, number])
    chosen.lay(folder, damaged(chosen.content, rng))
    begun = time.process_time()
    outcome: dict[str, object] = {"number": number, "input": chosen.name}
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chosen.read(folder)
        outcome["end"] = "accepted"
    except CytallyError as error:
        outcome["end"] = "refused" if str(error).strip() else "foreign"
    except MemoryError:
        outcome |= {"end": "memory", "trace": traceback.format_exc(limit=-6)}
    except TooLongError:
        outcome |= {"end": "long", "trace": traceback.format_exc(limit=-6)}
    except BaseException:
        outcome |= {"end": "foreign", "trace": traceback.format_exc(limit=-6)}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return outcome | {"seconds": round(time.process_time() - begun, 3)}


def main(first: int, last: int, folder: Path) -> None:
    """All mutations of a range."""
    known = inputs()
    signal.signal(signal.SIGPROF, _too_long)
    for each in known:  # undamaged files pass, or the test tests nothing; also imports everything
        each.lay(folder, each.content)
        each.read(folder)
    limit_memory()
    for number in range(first, last):
        print(json.dumps({"begun": number}), flush=True)
        print(json.dumps(one(number, known, folder)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
