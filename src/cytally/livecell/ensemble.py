"""Ensembles for nuclei; none ships, each laboratory trains its own."""

from __future__ import annotations

from pathlib import Path

from cytally.images import flatten
from cytally.inference.card import Door
from cytally.inference.ensemble import Ensemble, load

#: What this door asks of an ensemble.
LIVE_CELLS = Door("livecell", {"light_sigma": flatten.SIGMA, "limit": flatten.LIMIT})


def load_ensemble(folder: str | Path | None, runtime: str = "auto") -> Ensemble:
    """Load an ensemble for nuclei; nothing is ever unpickled.

    Parameters
    ----------
    folder : str or Path or None
        None is refused: no network for nuclei ships.
    runtime : {"auto", "torch", "openvino"}

    Raises
    ------
    EnsembleError, SettingsError
        As `inference.ensemble.load`.
    """
    return load(folder, LIVE_CELLS, runtime)
