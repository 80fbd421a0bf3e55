"""Ensembles for metaphases: the one that ships, or a folder."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE
from cytally.inference.card import Door
from cytally.inference.ensemble import Ensemble, load


def shipped_folder() -> Path:
    """Where the ensemble that ships with the package lies."""
    return Path(str(resources.files("cytally") / "ensembles" / "metaphase-2"))


#: What this door asks of an ensemble.
METAPHASES = Door("dosimetry", {"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM}, shipped_folder())


def load_ensemble(folder: str | Path | None = None, runtime: str = "auto") -> Ensemble:
    """Load an ensemble for metaphases; nothing is ever unpickled.

    Parameters
    ----------
    folder : str or Path, optional
        Default: the ensemble that ships with the package.
    runtime : {"auto", "torch", "openvino"}
        On what the networks run; auto takes what pays on this processor.

    Raises
    ------
    EnsembleError, SettingsError
        As `inference.ensemble.load`.
    """
    return load(folder, METAPHASES, runtime)
