"""Ensembles for nuclei; none ships, each laboratory trains its own."""

from __future__ import annotations

import math
from pathlib import Path

from cytally.errors import EnsembleError
from cytally.images import flatten
from cytally.inference.card import Card, Door
from cytally.inference.ensemble import Ensemble, load

#: Name of the count error among the training notes of a card.
COUNT_ERROR = "count_error"
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
    EnsembleError
        As `inference.ensemble.load`; notes of a count error that is none.
    SettingsError
        As `inference.ensemble.load`.
    """
    ensemble = load(folder, LIVE_CELLS, runtime)
    count_error(ensemble.card)
    return ensemble


def count_error(card: Card) -> float | None:
    """Relative error of the counts on validation fields, as the training noted it; None where nobody measured it.

    Raises
    ------
    EnsembleError
        Something else than a number from 0 on.
    """
    noted = card.training.get(COUNT_ERROR)
    if noted is None or noted != noted:
        return None
    if isinstance(noted, bool) or not isinstance(noted, int | float) or not 0 <= noted < math.inf:
        raise EnsembleError(
            f"{card.name}: expected {COUNT_ERROR} from 0 on among the training notes of card.json, got {noted!r}; "
            "train again, or take it out: counts then have no limits"
        )
    return float(noted)
