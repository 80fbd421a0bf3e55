"""Gaps of tracks: scenes known by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytally.livecell.motion.follow import sightings_of
from cytally.livecell.motion.gaps import drawn_masks, fill_gaps
from cytally.livecell.motion.lineage import relabelled_masks, tracks_of
from cytally.livecell.motion.links import link

pytest.importorskip("laptrack")


def disks(places, shape=(120, 120), radius=6):
    """A mask with a disk at each (row, col); overlapping ones are one object, as a detector sees them."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, np.int32)
    for number, (row, col) in enumerate(places, start=1):
        mask[(rows - row) ** 2 + (cols - col) ** 2 <= radius**2] = number
    return mask


def filled_tracks(masks, drift=None):
    """Masks after filling, and their tracks."""
    shifts = np.zeros((len(masks), 2)) if drift is None else np.asarray(drift, float)
    seen = sightings_of(masks, shifts)
    filled = fill_gaps(link(seen), seen, iter(masks), shifts)
    tracks = tracks_of(filled.links, filled.sightings, shifts)
    return list(relabelled_masks(drawn_masks(iter(masks), filled), tracks)), tracks, filled


def test_a_nucleus_missed_for_two_frames_is_drawn_where_it_must_have_been():
    """It moves 3 pixels per frame; frames 2 and 3 do not show it: one track, on a straight line."""
    scenes = [[(60, 30 + 3 * t), (20, 90)] if t not in (2, 3) else [(20, 90)] for t in range(6)]
    drawn, tracks, _ = filled_tracks([disks(scene) for scene in scenes])
    assert sorted((row.first, row.last, row.parent) for row in tracks.rows) == [(0, 5, 0), (0, 5, 0)]
    number = drawn[0][60, 30]
    assert np.array_equal(drawn[2] == number, disks([(60, 36)]) > 0)
    assert np.array_equal(drawn[3] == number, disks([(60, 39)]) > 0)


def test_it_is_drawn_where_the_camera_looks():
    """The stage jumps by (10, -8) in the frame that does not show it."""
    masks = [disks([(60, 30)]), disks([]), disks([(60, 30)])]
    drawn, tracks, _ = filled_tracks(masks, [(0, 0), (10, -8), (0, 0)])
    assert len(tracks.rows) == 1
    assert np.array_equal(drawn[1] > 0, disks([(50, 38)]) > 0)


def test_two_that_ran_into_one_another_are_parted():
    """Side by side in frame 2 they are found as one; each gets its own half back."""
    apart = disks([(60, 50), (60, 70)])
    close = disks([(60, 53), (60, 66)])
    one = np.where(close > 0, 1, 0).astype(np.int32)
    drawn, tracks, _ = filled_tracks([apart, close, one, close, apart])
    assert [(row.first, row.last) for row in tracks.rows] == [(0, 4), (0, 4)]
    for place in ((60, 50), (60, 69)):
        number = drawn[1][place]
        shared = (drawn[2] == number) & (close == close[place])
        assert shared.sum() > 0.9 * (close == close[place]).sum()


def test_what_was_found_stays_as_it_was():
    """Another nucleus of its usual size lies where the missing one should be: nothing is taken from it."""
    scenes = [[(60, 40)], [], [(60, 40)]]
    other = [disks([(60, 52)]) * 2 for _ in range(3)]
    masks = [np.maximum(disks(scene), extra).astype(np.int32) for scene, extra in zip(scenes, other, strict=True)]
    masks[1] = (masks[1] > 0).astype(np.int32)
    drawn, _, _ = filled_tracks(masks)
    assert np.array_equal(drawn[1] == drawn[0][60, 52], other[0] > 0)


def test_nothing_is_drawn_out_of_view():
    """For three frames the camera looks 60 pixels beside: a gap stays a gap, and the piece comes back."""
    masks = [disks([(60, 20), (60, 100)])] * 2 + [disks([(60, 40)])] * 3 + [disks([(60, 20), (60, 100)])] * 2
    drift = [(0, 0)] * 2 + [(0, 60)] * 3 + [(0, 0)] * 2
    drawn, _, filled = filled_tracks(masks, drift)
    assert filled.fillings == {}
    assert all(np.array_equal(a > 0, b > 0) for a, b in zip(drawn, masks, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([True, True, False]), min_size=6, max_size=10), st.integers(0, 3))
def test_every_track_is_drawn_in_every_frame_of_its_life(shown, speed):
    """Whatever frames are missed, tracks and masks say the same."""
    masks = [disks([(60, 30 + speed * t)] if here else []) for t, here in enumerate(shown)]
    drawn, tracks, _ = filled_tracks(masks)
    for row in tracks.rows:
        assert all((drawn[t] == row.number).any() for t in range(row.first, row.last + 1))
    assert {int(v) for mask in drawn for v in np.unique(mask)} - {0} == {row.number for row in tracks.rows}
