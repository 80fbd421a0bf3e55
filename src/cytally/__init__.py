"""Find and count small or rare things in microscopy images, and say how sure you are.

The few names here are the road of the flagship; everything else is imported from
its room. They load on first use, so that a dose from typed counts needs no network.

>>> import cytally as ct
>>> sorted(ct.__all__)
['Curve', 'detect', 'dose', 'load_ensemble', 'read', 'score']
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROAD = {
    "load_ensemble": ("cytally.dosimetry.detectors.ensemble", "load_ensemble"),
    "read": ("cytally.images.read", "read"),
    "detect": ("cytally.dosimetry.scoring.score", "detect_image"),
    "score": ("cytally.dosimetry.pipeline", "score"),
    "Curve": ("cytally.dosimetry.curves.calibrate", "Curve"),
    "dose": ("cytally.dosimetry.estimation.dose", "dose_of_counts"),
}
__all__ = ["Curve", "detect", "dose", "load_ensemble", "read", "score"]


def __getattr__(name: str) -> Any:
    if name in _ROAD:
        module, attribute = _ROAD[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'cytally' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROAD])
