"""Drift, links and tracks: scenes known by hand, and scores of an independent program."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cytally.errors import ImageError
from cytally.images.masks import write_mask
from cytally.images.sequences.tracks import TrackRow, read_masks, read_tracks
from cytally.livecell.motion.drift import camera_drift, refined
from cytally.livecell.motion.follow import Frames, follow, sightings_of
from cytally.livecell.motion.lineage import tracks_of
from cytally.livecell.motion.links import link
from cytally.livecell.simulate.folder import TimeLapse, frames, write_sequence
from cytally.livecell.simulate.population import PopulationSettings
from cytally.segmentation.declump import relabelled

pytest.importorskip("laptrack")


def blobs(places, shape=(120, 120), radius=6):
    """A mask with a disk at each (row, col) or (row, col, radius)."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, np.int32)
    for number, (row, col, *own) in enumerate(places, start=1):
        mask[(rows - row) ** 2 + (cols - col) ** 2 <= (own[0] if own else radius) ** 2] = number
    return mask


def tracks_in(scenes, drift=None, **more):
    """Tracks of masks drawn from lists of places."""
    masks = [blobs(scene, **more) for scene in scenes]
    shifts = np.zeros((len(masks), 2)) if drift is None else np.asarray(drift, float)
    seen = sightings_of(masks, shifts)
    return tracks_of(link(seen), seen, shifts)


def test_two_that_pass_keep_their_names():
    r"""Two nuclei move 4 pixels per frame, past each other 14 pixels apart.

    t0  a . . b      t4  b . . a  (other row)
    """
    scenes = [[(40, 30 + 4 * t), (58, 60 - 4 * t)] for t in range(8)]
    found = tracks_in(scenes)
    assert [(row.first, row.last, row.parent) for row in found.rows] == [(0, 7, 0), (0, 7, 0)]
    assert found.of[(0, 1)] == found.of[(7, 1)] and found.of[(0, 2)] == found.of[(7, 2)]


def test_a_cell_divides():
    """One nucleus becomes two smaller ones on either side.

    t0-3  . O .      t4-7  o . o
    """
    mother = [[(60, 60, 8)]] * 4
    daughters = [[(60, 52 - t, 5), (60, 68 + t, 5)] for t in range(4)]
    found = tracks_in(mother + daughters)
    assert found.divisions == [(1, (2, 3))]
    assert [(r.first, r.last, r.parent) for r in found.rows] == [(0, 3, 0), (4, 7, 1), (4, 7, 1)]


def test_a_neighbour_that_appears_is_no_daughter():
    """A nucleus as large as the first comes up beside it: new, not born."""
    found = tracks_in([[(60, 60, 6)]] * 4 + [[(60, 60, 6), (60, 73, 7)]] * 4)
    assert found.divisions == [] and [r.parent for r in found.rows] == [0, 0]


def test_a_nucleus_lost_for_two_frames_goes_on_as_a_piece_of_the_old():
    here, gone = [(60, 60), (20, 20)], [(20, 20)]
    found = tracks_in([here, here, gone, gone, here, here])
    assert TrackRow(1, 0, 1, 0) in found.rows
    assert [(r.first, r.last) for r in found.rows if r.parent == 1] == [(4, 5)]


def test_a_nucleus_that_leaves_with_the_camera_is_known_again():
    """The camera looks 40 pixels beside for six frames; at the border a nucleus is out of view."""
    inside = [(60, 60), (60, 8)]
    away = [(60, 20)]
    drift = [(0, 0)] * 3 + [(0, 40)] * 6 + [(0, 0)] * 3
    found = tracks_in([inside] * 3 + [away] * 6 + [inside] * 3, drift)
    back = found.of[(9, 2)]
    assert found.rows[back - 1].parent == found.of[(2, 2)]
    assert found.of[(0, 1)] == found.of[(11, 1)]


def test_nothing_at_all_has_no_tracks():
    assert tracks_in([[], [], []]).rows == ()
    assert tracks_in([[(50, 50)], [], []]).rows == (TrackRow(1, 0, 0, 0),)


def test_the_camera_is_followed():
    """Jumps of up to 24 pixels: each frame's place within a pixel, while the cells move too."""
    lapse = TimeLapse(frames=8, shape=(256, 256), seed=21, shift=24.0, population=PopulationSettings(14))
    told = list(frames(lapse))
    centres = [s.places for s in sightings_of([relabelled(f.labels) for f in told], np.zeros((8, 2)))]
    found = camera_drift((f.phase for f in told), centres)
    true = np.array([f.camera for f in told]) - told[0].camera
    assert np.abs(found - true).max() < 1.5
    assert np.abs(np.diff(true, axis=0)).max() > 5


def test_nuclei_correct_a_wrong_correlation():
    rng = np.random.default_rng(1)
    before = rng.uniform(0, 300, (30, 2))
    after = before + np.array([12.0, -20.0]) + rng.normal(0, 0.5, (30, 2))
    assert refined(before, after, np.array([45.0, 3.0])) == pytest.approx([12, -20], abs=0.5)


def scores_of(truth: Path, result: Path) -> dict[str, float]:
    """TRA, DET and LNK of traccuracy, which is not ours."""
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher
    from traccuracy.metrics import CTCMetrics

    graphs = [load_ctc_data(str(folder), name=name) for folder, name in ((truth, "truth"), (result, "result"))]
    found, _ = run_metrics(gt_data=graphs[0], pred_data=graphs[1], matcher=CTCMatcher(), metrics=[CTCMetrics()])
    return {name: float(found[0]["results"][name]) for name in ("TRA", "DET", "LNK")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_true_masks_are_linked_as_an_independent_program_wants(tmp_path, shift):
    """With perfect masks LNK is 0.98 or more, the camera jumping or not."""
    pytest.importorskip("traccuracy")
    lapse = TimeLapse(
        frames=14, shape=(256, 256), seed=31, shift=shift, population=PopulationSettings(16, division=0.02)
    )
    write_sequence(lapse, tmp_path)
    (tmp_path / "masks").mkdir()
    for number, mask in enumerate(read_masks(tmp_path / "truth")):
        write_mask(tmp_path / "masks" / f"m{number:03d}.tif", relabelled(mask))
    found = follow(
        Frames(sorted((tmp_path / "phase").iterdir()), sorted((tmp_path / "masks").iterdir())), tmp_path / "tracks"
    )
    scores = scores_of(tmp_path / "truth", tmp_path / "tracks")
    # Gaps at the border are filled with slivers that truth, below 8 pixels, leaves out.
    assert scores["DET"] >= 0.999 and scores["LNK"] >= 0.98 and scores["TRA"] >= 0.99
    assert read_tracks(tmp_path / "tracks") == list(found.rows)
    lines = (tmp_path / "tracks" / "tracks.csv").read_text().splitlines()
    assert len(lines) == 1 + len(found.of)


def test_another_programs_tracks_are_read(data):
    """92 masks of HeLa nuclei as the challenge stores them: frames in order, daughters after mothers."""
    folder = data / "tracks_ctc_res"
    rows = {row.number: row for row in read_tracks(folder)}
    assert len(list(read_masks(folder))) == 92
    assert all(rows[row.parent].last < row.first for row in rows.values() if row.parent)


def test_real_masks_are_followed_much_as_another_program_did(data, tmp_path):
    """20 frames of those masks, renumbered at random: nine of ten of its frame-to-frame links come back."""
    masks = list(read_masks(data / "tracks_ctc_res"))[:20]
    rng = np.random.default_rng(1)
    shuffled, theirs = [], []
    for mask in masks:
        numbers = np.unique(mask)[1:]
        order = rng.permutation(len(numbers)) + 1
        lookup = np.zeros(int(mask.max()) + 1, np.int32)
        lookup[numbers] = order
        shuffled.append(lookup[mask])
        theirs.append(dict(zip(order.tolist(), numbers.tolist(), strict=True)))
    seen = sightings_of(shuffled, np.zeros((20, 2)))
    ours = {(a, b) for a, b in link(seen) if b[0] == a[0] + 1}
    same = sum(theirs[a[0]][a[1]] == theirs[b[0]][b[1]] for a, b in ours)
    wanted = sum(len(set(one.values()) & set(two.values())) for one, two in pairwise(theirs))
    assert same >= 0.9 * wanted


def test_settings_limit_how_far_nuclei_go():
    from cytally.livecell.motion.links import LinkSettings

    far = [blobs([(60, 20)]), blobs([(60, 45)])]
    seen = sightings_of(far, np.zeros((2, 2)))
    assert link(seen) == [] and len(link(seen, replace(LinkSettings(), step=3.0))) == 1


def test_a_frame_of_noise_says_nothing_of_the_camera():
    """Texture that moves by (3, -5), noise alone, texture again: the camera's places go over the noise."""
    rng = np.random.default_rng(2)
    world = rng.normal(100, 20, (200, 200))
    shown = [world[40:168, 40:168], rng.normal(100, 20, (128, 128)), world[43:171, 35:163]]
    none = np.zeros((0, 2))
    places = camera_drift(shown, [np.full((1, 2), 60.0), none, np.full((1, 2), 60.0)], 20)
    assert places == pytest.approx(np.array([[0, 0], [0, 0], [3, -5]]), abs=0.3)


def test_a_missing_frame_is_a_hole_in_the_tracks(tmp_path):
    """Frames 0, 1, 3, 4 of a nucleus that moves 4 pixels a frame: one track of five frames, drawn in the third."""
    for time in (0, 1, 3, 4):
        write_mask(tmp_path / f"m{time}.tif", blobs([(60, 40 + 4 * time)]))
    masks = [tmp_path / f"m{time}.tif" for time in (0, 1, 3, 4)]
    found = follow(Frames(masks, masks, (0, 1, 3, 4)), tmp_path / "out", largest_shift=0)
    assert found.rows == (TrackRow(1, 0, 4, 0),)
    drawn = list(read_masks(tmp_path / "out"))
    assert len(drawn) == 5 and np.argwhere(drawn[2] == 1).mean(axis=0) == pytest.approx([60, 48], abs=0.6)


def test_frames_of_two_sizes_are_refused(tmp_path):
    write_mask(tmp_path / "a.tif", blobs([(60, 40)]))
    write_mask(tmp_path / "b.tif", blobs([(60, 40)], shape=(100, 120)))
    masks = [tmp_path / "a.tif", tmp_path / "b.tif"]
    with pytest.raises(ImageError, match="expected every frame of a sequence in 120 x 120 pixels, got 100 x 120"):
        follow(Frames(masks, masks), tmp_path / "out", largest_shift=0)
    assert not (tmp_path / "out").exists()
