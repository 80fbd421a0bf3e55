"""One cell: Image -> Detections, in the pixels of the image."""

from __future__ import annotations

from pathlib import Path

from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.stained import FEWEST_OBJECTS
from cytally.errors import ImageError
from cytally.files.hashes import hash_of
from cytally.files.names import shown
from cytally.images.inputs import hash_of_picture
from cytally.images.read import read
from cytally.types import Detections, Image, Skipped
from cytally.wording import counted

#: More pieces than this are no single human cell. Of 51 real fields the one of most pieces has 102, of 720 simulated
#: cells 85; 46 chromosomes of which every chromatid lies apart, with 40 fragments, make 132.
MOST_OBJECTS = 150
#: Optical density below which nothing is stained with Giemsa: the palest of 51 real fields has 0.154.
PALEST = 0.08
#: Outside these limits a picture is scored, but a person should look at it: pieces, and optical density. No simulated
#: cell is denser than 1.1.
_USUAL_OBJECTS, _DENSEST = (20, 105), 1.5


def detect_image(image: Image, detector: Detector) -> Detections:
    """Find aberrations in one image.

    Parameters
    ----------
    image : Image
    detector : Detector
        With the thresholds to use.

    Returns
    -------
    Detections
        In full-resolution pixels of the image.
    """
    return detector.detect(normalise(image))


def score_file(path: Path, name: str, detector: Detector) -> ScoredCell:
    """Score one file; what cannot be scored is skipped with its reason."""
    nothing = Detections.empty(detector.voters)
    digest = hash_of(path)
    try:
        image = read(path)
        picture = hash_of_picture(image)
        density = normalise(image)
    except ImageError as error:
        reason = str(error).removeprefix(f"{shown(path)}: ").removeprefix(f"{path}: ")
        return ScoredCell(name, nothing, sha256=digest, skipped=Skipped(name, shown(reason)))
    del image  # as large as all that follows
    reason, notes = no_metaphase(density), (*density.notes, *_doubts(density))
    skipped = Skipped(name, reason) if reason else None
    found = nothing if skipped else detector.detect(density)
    return ScoredCell(name, found, density.objects, density.scale, digest, notes, picture, skipped)


def no_metaphase(density: Density) -> str:
    """Why a normalised picture is not that of one metaphase; "" where it can be one."""
    if density.objects < FEWEST_OBJECTS:
        words = f"only {counted(density.objects, 'objects')} that look{'s' if density.objects == 1 else ''}"
        return f"no metaphase ({words} like chromosomes)"
    if density.objects > MOST_OBJECTS:
        return f"{density.objects} objects: more than one metaphase, or none; cut the picture into cells"
    if density.stain < PALEST:
        return f"no metaphase stained with Giemsa (optical density {density.stain:.2g}, expected {PALEST} or more)"
    return ""


def _doubts(density: Density) -> tuple[str, ...]:
    """What a person should look at before the cell is counted."""
    fewest, most = _USUAL_OBJECTS
    doubts = []
    if FEWEST_OBJECTS <= density.objects < fewest:
        doubts.append(f"only {density.objects} objects: is it a metaphase, whole and spread?")
    if most < density.objects <= MOST_OBJECTS:
        doubts.append(f"{density.objects} objects: is it a single metaphase?")
    elif density.groups:
        few, many = density.groups
        doubts.append(f"objects in two groups, {few} and {many}: are they two metaphases? They count as one cell")
    if density.objects >= FEWEST_OBJECTS and density.stain > _DENSEST:
        doubts.append("objects are black without grey levels: is it a photograph?")
    return tuple(doubts)
