"""Simulated shadow imaging: the flow of the fluid against its exact solution, truth against itself."""

import csv
import json
from itertools import pairwise

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.errors import SettingsError
from cytally.flow.simulate.channel import DRIVES, Channel, drive
from cytally.flow.simulate.scene import Scene, scene_frames

SMALL = Scene(frames=6, shape=(128, 192), cells=14, seed=3)


def poisson_twin(width, depth, cells=64):
    """Slow twin: the Poisson equation of Poiseuille flow on a grid, solved directly."""
    from scipy.sparse import diags, identity, kron
    from scipy.sparse.linalg import spsolve

    steps = [width / cells, depth / cells]
    parts = [diags([1.0, -2.0, 1.0], [-1, 0, 1], (cells - 1, cells - 1)) / step**2 for step in steps]
    both = kron(parts[0], identity(cells - 1)) + kron(identity(cells - 1), parts[1])
    return spsolve(both.tocsc(), -np.ones((cells - 1) ** 2)).reshape(cells - 1, cells - 1)


@pytest.mark.parametrize(("width", "depth"), [(100.0, 60.0), (200.0, 40.0)])
def test_the_profile_is_that_of_a_rectangular_channel(width, depth):
    """Against a grid of 64 x 64: second order, so within 0.2 % of the largest speed."""
    channel, twin = Channel(10.0, 10.0 + width, depth), poisson_twin(width, depth)
    twin /= twin.max()
    rows, z = (np.arange(1, 64) / 64 * side for side in (width, depth))
    grid = np.meshgrid(rows + 10, z, indexing="ij")
    found = channel.speed(grid[0].ravel(), grid[1].ravel()).reshape(63, 63)
    assert found == pytest.approx(twin, abs=2e-3)
    assert channel.mean() == pytest.approx(np.sum(twin) / 64**2, rel=2e-3)


def test_a_wide_flat_channel_is_a_parabola_and_walls_stand_still():
    """Between parallel plates u = 1 - (2 z / depth - 1)^2, of mean 2/3."""
    channel = Channel(0.0, 4000.0, 40.0)
    z = np.linspace(0, 40, 9)
    assert channel.speed(np.full(9, 2000.0), z) == pytest.approx(1 - (z / 20 - 1) ** 2, abs=1e-4)
    assert channel.mean() == pytest.approx(2 / 3, rel=0.01)
    assert channel.speed(np.array([0.0, 4000.0]), np.array([20.0, 20.0])) == pytest.approx(0, abs=1e-6)


def test_bodies_turn_with_half_the_shear():
    channel = Channel(0.0, 100.0, 60.0)
    rows, z = np.array([20.0, 50.0, 80.0]), np.full(3, 30.0)
    slope = (channel.speed(rows + 0.01, z) - channel.speed(rows - 0.01, z)) / 0.02
    assert channel.turning(rows, z) == pytest.approx(-slope / 2, rel=1e-2, abs=1e-6)


@pytest.mark.parametrize("name", DRIVES)
def test_speeds_over_time_stay_between_rest_and_the_fastest(name):
    shares = drive(name, 120, np.random.default_rng(0))
    assert len(shares) == 120 and shares.min() >= 0 and shares.max() <= 1
    with pytest.raises(SettingsError, match="constant, sinusoid"):
        drive("uphill", 3, np.random.default_rng(0))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    one, again, other = (next(iter(scene_frames(scene))) for scene in (SMALL, SMALL, Scene(6, (128, 192), 14, seed=4)))
    assert (one.pixels == again.pixels).all() and (one.labels == again.labels).all() and (one.flow == again.flow).all()
    assert (one.pixels != other.pixels).any()


def test_flow_carries_each_mask_onto_that_of_the_next_frame():
    """Rigid motion: pixels moved by the flow land in the same cell, but for its rim and for cells over each other."""
    frames, met, all_of = list(scene_frames(SMALL)), 0, 0
    for now, later in pairwise(frames):
        rows, cols = np.nonzero(now.labels)
        to = [np.rint(where + part[rows, cols]).astype(int) for where, part in zip((rows, cols), now.flow, strict=True)]
        inside = (to[0] >= 0) & (to[0] < 128) & (to[1] >= 0) & (to[1] < 192)
        same = later.labels[to[0][inside], to[1][inside]] == now.labels[rows[inside], cols[inside]]
        met, all_of = met + same.sum(), all_of + len(same)
    assert met / all_of > 0.9
    assert not any(frame.flow[:, frame.labels == 0].any() for frame in frames)


def test_drift_moves_ground_and_cells_together():
    still, moved = Scene(8, (128, 192), 10, seed=5), Scene(8, (128, 192), 10, seed=5, drift=6.0)
    assert np.abs(moved.offsets()).max() > 1
    places = [[frame.cells.row for frame in scene_frames(scene)] for scene in (still, moved)]
    apart = np.array([m - s for s, m in zip(*places, strict=True)])
    assert apart == pytest.approx(np.repeat(moved.offsets()[:8, :1], apart.shape[1], axis=1))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("scene") / "lane"
    words = ["flow", "simulate", str(out), "--frames", "40", "--size", "128", "192", "--cells", "12", "--seed", "5"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    return out


def test_the_command_writes_frames_and_truth(written):
    frames, labels = sorted((written / "frames").iterdir()), sorted((written / "truth" / "labels").iterdir())
    assert [path.name for path in frames[:2]] == ["frame_00000.png", "frame_00001.png"] and len(frames) == 40
    assert cv2.imread(str(frames[0]), -1).shape == (128, 192) and cv2.imread(str(labels[0]), -1).dtype == np.uint16
    with np.load(written / "truth" / "flow" / "flow_00003.npz") as held:
        assert held["flow"].shape == (2, 128, 192) and held["flow"].dtype == np.float16
    told = json.loads((written / "truth" / "scene.json").read_text())
    volume = (told["walls"][1] - told["walls"][0]) * 192 * told["um_per_px"] ** 2 * told["depth_um"] * 1e-9
    assert told["cells_per_ul"] == pytest.approx(12 / volume)


def test_crossings_are_those_of_the_tracks(written):
    """Counted once more from tracks.csv: centres on the other side of a line than in the frame before."""
    with (written / "truth" / "tracks.csv").open() as file:
        places = {(int(r["track"]), int(r["frame"])): float(r["col"]) for r in csv.DictReader(file)}
    found = {
        (position, 1 if col < position * 192 else -1, frame + 1, track)
        for (track, frame), col in places.items()
        for position in (0.25, 0.5, 0.75)
        if (later := places.get((track, frame + 1))) is not None
        and (col >= position * 192) != (later >= position * 192)
    }
    with (written / "truth" / "lines.csv").open() as file:
        told = {
            (float(r["position"]), int(r["direction"]), int(r["frame"]), int(r["track"])) for r in csv.DictReader(file)
        }
    assert len(told) > 10 and found == told


def test_bad_input(written, tmp_path):
    for words, says in (
        ([str(written)], "is not empty"),
        ([str(tmp_path / "x"), "--kinds", "red,blue"], "got blue"),
        ([str(tmp_path / "x"), "--size", "20", "20"], "--size"),
        ([str(tmp_path / "x"), "--umax", "90"], "--umax"),
    ):
        done = CliRunner().invoke(cli, ["flow", "simulate", *words])
        assert done.exit_code and says in done.output, done.output
    assert not (tmp_path / "x").exists()
