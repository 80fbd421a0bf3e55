"""One cell: Image -> Detections, in the pixels of the image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.detection.vote import co_occurring, detect
from cytally.dosimetry.density import FEWEST_OBJECTS, Density, normalise
from cytally.dosimetry.detectors.candidates import propose
from cytally.dosimetry.detectors.cooccurrence import verified
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.errors import ImageError
from cytally.files.hashes import hash_of
from cytally.files.names import shown
from cytally.images.read import read
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import cast_votes
from cytally.types import Detections, Image
from cytally.wording import counted


def detect_image(image: Image, ensemble: Ensemble) -> Detections:
    """Find aberrations in one image.

    Parameters
    ----------
    image : Image
    ensemble : Ensemble
        With the thresholds to use.

    Returns
    -------
    Detections
        In full-resolution pixels of the image.
    """
    return detect_density(normalise(image), ensemble)


def detect_density(density: Density, ensemble: Ensemble) -> Detections:
    """Find aberrations in a normalised image; places are those of the original image."""
    found = decide(density.values, ensemble)
    if not len(found):
        return found
    return replace(found, row=density.to_image(found.row), col=density.to_image(found.col))


def decide(values: NDArray[np.float32], ensemble: Ensemble) -> Detections:
    """Find aberrations in a normalised density (h, w).

    By verifiers where the ensemble has them, else by vote; then co-occurrence.
    """
    thresholds = ensemble.card.thresholds
    if ensemble.verifiers:
        found = verified(values, propose(values, ensemble), ensemble)
    else:
        cast = cast_votes(values, ensemble)
        found = detect(cast.votes, cast.maps, thresholds.agreement, ensemble.classes, ensemble.card.stride)
    return co_occurring(found) if thresholds.co_occurrence else found


def score_file(path: Path, name: str, ensemble: Ensemble) -> ScoredCell:
    """Score one file; what cannot be scored is skipped with its reason."""
    nothing = Detections.empty(len(ensemble.members))
    digest = hash_of(path)
    try:
        density = normalise(read(path))
    except ImageError as error:
        reason = str(error).removeprefix(f"{shown(path)}: ").removeprefix(f"{path}: ")
        return ScoredCell(name, f"skipped: {shown(reason)}", nothing, sha256=digest)
    if density.objects < FEWEST_OBJECTS:
        words = f"only {counted(density.objects, 'objects')} that look{'s' if density.objects == 1 else ''}"
        reason = f"skipped: no metaphase ({words} like chromosomes)"
        return ScoredCell(name, reason, nothing, density.objects, density.scale, digest, density.notes)
    found = detect_density(density, ensemble)
    return ScoredCell(name, "scored", found, density.objects, density.scale, digest, density.notes)
