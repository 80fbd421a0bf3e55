"""The stage does not come back to quite the same place: the shift of each frame (thesis section 8.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cytally.images.flatten import flatten
from cytally.images.register import shift_between
from cytally.types import FloatArray

#: Pixels within which a nucleus is looked for after the shift is taken out.
_NEAR = 12.0
#: A peak lower than this, in standard deviations, is what noise correlates to: two frames of noise reach 4 to 5,
#: two of cells 37 to 54.
_SURE = 8.0


def camera_drift(frames: Iterable[NDArray[np.generic]], nuclei: Sequence[FloatArray], largest: int = 60) -> FloatArray:
    """Position of the camera in each frame, relative to the first.

    Phase correlation from frame to frame, then corrected by the median step of the nuclei: a
    stage moves all of them alike, cells move each its own way. A frame in which there is nothing to
    see, neither nuclei nor a texture, says nothing: the camera stands, and the next frame is compared
    with the one before.

    Parameters
    ----------
    frames : iterable of ndarray (h, w)
        Phase contrast, in time; read one at a time.
    nuclei : sequence of ndarray (n, 2)
        Centres in each frame.
    largest : int
        Largest jump in pixels from one frame to the next.

    Returns
    -------
    ndarray of shape (frames, 2)
        To be added to a frame's (row, col) to get coordinates of the first frame.
    """
    places = np.zeros((len(nuclei), 2))
    before, last = None, 0
    for number, pixels in enumerate(frames):
        flat = flatten(pixels)
        if before is not None:
            found = shift_between(before, flat, largest)
            sure = found.certainty >= _SURE
            if not sure and not len(nuclei[number]):
                places[number] = places[last]
                continue
            jump = np.array([found.row, found.col]) if sure else np.zeros(2)
            places[number] = places[last] - refined(nuclei[last], nuclei[number], jump)
        before, last = flat, number
    return places


def refined(before: FloatArray, after: FloatArray, jump: FloatArray) -> FloatArray:
    """A jump corrected by the median step of the nuclei that are found near where it puts them.

    Where another jump brings many more nuclei onto nuclei, it is taken instead: few textures
    correlate in an empty or blurred frame.
    """
    if len(before) < 3 or len(after) < 3:
        return jump
    tree = cKDTree(after)
    candidates = [jump, np.zeros(2), _commonest_step(before, after)]
    reached = [np.isfinite(tree.query(before + each, distance_upper_bound=6.0)[0]).sum() for each in candidates]
    chosen = candidates[0] if reached[0] >= 0.7 * max(reached) else candidates[int(np.argmax(reached))]
    for _ in range(2):
        distance, nearest = tree.query(before + chosen, distance_upper_bound=_NEAR)
        near = np.isfinite(distance)
        if near.sum() < 3:
            break
        chosen = chosen + np.median(after[nearest[near]] - before[near] - chosen, axis=0)
    return np.asarray(chosen)


def _commonest_step(before: FloatArray, after: FloatArray) -> FloatArray:
    """The displacement that most pairs of nuclei share, on a grid of 4 pixels, within 64."""
    steps = (after[None] - before[:, None]).reshape(-1, 2)
    steps = steps[np.abs(steps).max(axis=1) < 64]
    if not len(steps):
        return np.zeros(2)
    votes, rows, cols = np.histogram2d(steps[:, 0], steps[:, 1], bins=32, range=[[-64, 64], [-64, 64]])
    row, col = np.unravel_index(int(votes.argmax()), votes.shape)
    return np.array([rows[row] + 2, cols[col] + 2])
