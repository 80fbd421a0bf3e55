"""The ground: recovered on scenes that are known, its drift to a tenth of a pixel."""

import cv2
import numpy as np
import pytest

from cytally.errors import ImageError
from cytally.flow.drift import shifted
from cytally.flow.ground import GroundSettings, ground_of, subtract
from cytally.flow.simulate.folder import write_scene
from cytally.flow.simulate.scene import Scene
from cytally.images.sequences.video import open_video


def textured(rng, side=(120, 160)):
    smooth = cv2.GaussianBlur(rng.normal(0, 1, side).astype(np.float32), (0, 0), 3)
    return 130 + 40 * smooth / np.abs(smooth).max()


def film(folder, frames):
    folder.mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"f{number:04d}.png"), np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return open_video(folder)


def test_ground_and_noise_are_found_behind_cells_that_pass_and_light_that_flickers(tmp_path):
    """Of 31 frames the median is off by noise 1.25 / sqrt(31) = 0.22 of sigma; 3 of it, and rounding."""
    rng = np.random.default_rng(1)
    ground, frames = textured(rng), []
    for number in range(31):
        scene = ground * (1 + 0.03 * rng.normal())
        cv2.circle(scene, (5 * number, 60), 6, 40.0, -1)
        frames.append(scene + rng.normal(0, 2, scene.shape))
    found = ground_of(film(tmp_path / "f", frames))
    assert found.sigma == pytest.approx(2, rel=0.1) and found.drift < 0.1 and found.moving > 0.002
    gain = np.median(found.background / ground)
    assert np.abs(found.background / gain - ground).mean() < 0.6
    units = subtract(np.rint(frames[10]).astype(np.uint8), found)
    assert units[60, 50] < -20 and np.median(np.abs(units[:40])) == pytest.approx(0.6745, rel=0.15)


def test_cells_that_flow_are_not_taken_for_drift(tmp_path):
    """Between neighbouring frames the same cells would be followed: 5 pixels a frame here."""
    write_scene(Scene(frames=24, shape=(160, 256), cells=25, seed=1), tmp_path / "lane")
    found = ground_of(open_video(tmp_path / "lane" / "frames"))
    assert found.drift < 0.1 and found.notes == ()


def test_drift_is_refused_above_three_pixels_or_taken_back(tmp_path):
    rng = np.random.default_rng(2)
    ground = textured(rng)
    moves = [(0.7 * k - 7, 4.5 * np.sin(k)) for k in range(21)]
    frames = [shifted(ground.astype(np.float32), *move) + rng.normal(0, 1, ground.shape) for move in moves]
    video = film(tmp_path / "f", frames)
    with pytest.raises(ImageError, match=r"moves by .* pixels.*--stabilise"):
        ground_of(video)
    found = ground_of(video, GroundSettings(stabilise=True))
    apart = np.array(moves) - np.median(moves, axis=0)
    assert found.drift == pytest.approx(np.sqrt((apart**2).sum(axis=1).mean()), rel=0.03)
    inside = np.s_[20:-20, 20:-20]
    for frame in (frames[0], frames[20]):
        assert np.abs(subtract(np.clip(np.rint(frame), 0, 255).astype(np.uint8), found)[inside]).mean() < 1.6


def test_nothing_that_moves_is_said_and_another_size_is_refused(tmp_path):
    rng = np.random.default_rng(3)
    ground = textured(rng)
    found = ground_of(film(tmp_path / "f", [ground + rng.normal(0, 1, ground.shape) for _ in range(9)]))
    assert found.moving == 0 and "nothing moves" in found.notes[0]
    with pytest.raises(ImageError, match="of the size of its ground"):
        subtract(np.zeros((5, 5), np.uint8), found)
