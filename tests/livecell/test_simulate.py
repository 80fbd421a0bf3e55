"""The simulator: same seed same bytes, and truth that holds together."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cytally.errors import RunError
from cytally.images.read import read
from cytally.images.sequences.tracks import read_masks, read_tracks
from cytally.livecell.simulate.folder import TimeLapse, frames, seen_pieces, write_sequence
from cytally.livecell.simulate.population import DYING, MITOSIS, PopulationSettings, simulate

SMALL = TimeLapse(frames=10, shape=(192, 224), seed=4, population=PopulationSettings(12, division=0.05, death=0.01))


@pytest.fixture(scope="module")
def lapse(tmp_path_factory):
    out = tmp_path_factory.mktemp("lapse")
    write_sequence(replace(SMALL, shift=16.0), out)
    return out


def test_the_same_seed_gives_the_same_frames():
    for one, two in zip(frames(SMALL), frames(SMALL), strict=True):
        assert np.array_equal(one.phase, two.phase) and np.array_equal(one.fluorescence, two.fluorescence)
        assert np.array_equal(one.labels, two.labels)
    other = next(frames(replace(SMALL, seed=5)))
    assert not np.array_equal(other.phase, next(frames(SMALL)).phase)


def test_the_same_seed_gives_the_same_files(tmp_path):
    """OME-TIFF holds an identifier, which must not be of the time and the machine."""
    for name in ("one", "two"):
        write_sequence(TimeLapse(frames=1, shape=(96, 96), seed=4), tmp_path / name)
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path


def test_tables_and_masks_tell_the_same(lapse):
    rows = {row.number: row for row in read_tracks(lapse / "truth")}
    masks = list(read_masks(lapse / "truth"))
    assert len(masks) == 10
    for time, mask in enumerate(masks):
        present = set(np.unique(mask).tolist()) - {0}
        assert present == {row.number for row in rows.values() if row.first <= time <= row.last}
    for row in rows.values():
        assert row.parent == 0 or rows[row.parent].last < row.first


def test_daughters_are_two_and_come_where_the_mother_was():
    rng = np.random.default_rng(1)
    told = simulate(PopulationSettings(20, division=0.08, death=0), 20, (300, 300), 1.0, 0.0, rng)
    last = {n.number: n for frame in told for n in frame}
    mothers = [n.parent for n in last.values() if n.parent]
    assert mothers and all(mothers.count(each) == 2 for each in set(mothers))
    for frame, following in pairwise(told):
        here = {n.number: n for n in frame}
        for born in (n for n in following if n.number not in here):
            mother = here[born.parent]
            assert np.hypot(born.row - mother.row, born.col - mother.col) < 2 * mother.size
            assert mother.state == "dividing" and mother.phase == MITOSIS
            assert born.full_size < mother.size


def test_the_dying_shrink_and_are_gone():
    rng = np.random.default_rng(2)
    told = simulate(PopulationSettings(20, division=0, death=0.2), 12, (300, 300), 1.0, 0.0, rng)
    assert len(told[-1]) < len(told[0])
    phases = [n.phase for frame in told for n in frame if n.state == "dying"]
    assert phases and max(phases) <= DYING
    assert {n.number for n in told[-1]} <= {n.number for n in told[0]}


def test_nuclei_push_each_other_apart():
    rng = np.random.default_rng(3)
    told = simulate(PopulationSettings(60, division=0, death=0), 15, (220, 220), 1.0, 0.0, rng)
    places = np.array([[n.row, n.col] for n in told[-1]])
    sizes = np.array([n.size for n in told[-1]])
    far = np.linalg.norm(places[:, None] - places[None], axis=2) + 99 * np.eye(len(places))
    assert (far / (sizes[:, None] + sizes[None]) * 2).min() > 0.5


def test_a_nucleus_that_comes_back_is_a_new_piece_of_the_old_one():
    here, gone = np.array([[7, 7, 0]], np.int32), np.array([[0, 0, 0]], np.int32)
    masks, rows = seen_pieces([here, gone, here], {7: 0})
    assert [(r.number, r.first, r.last, r.parent) for r in rows] == [(1, 0, 0, 0), (2, 2, 2, 1)]
    assert masks[0].max() == 1 and masks[2].max() == 2


def test_the_camera_jumps_and_the_world_stays(lapse):
    """Truth of a shifted sequence: masks jump by what the camera does."""
    told = list(frames(replace(SMALL, shift=16.0)))
    jumps = np.diff([f.camera for f in told], axis=0)
    assert 2 < np.abs(jumps).max() <= 16
    centre = [np.argwhere(f.labels == f.labels.max()).mean(axis=0) for f in told[:2] if f.labels.any()]
    assert len(centre) == 2


def test_files_are_what_a_microscope_gives(lapse):
    phase, stain = read(lapse / "phase" / "t003.tif"), read(lapse / "fluorescence" / "t003.tif")
    assert phase.pixels.dtype == np.uint8 and stain.pixels.dtype == np.uint16
    assert phase.shape == stain.shape == (192, 224)
    with pytest.raises(RunError, match="not empty"):
        write_sequence(SMALL, lapse)
