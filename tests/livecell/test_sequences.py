"""Flattening, registering, tracks on disk, movies."""

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytally.errors import FileError, ImageError, LabelError, SettingsError
from cytally.images.flatten import LIMIT, flatten
from cytally.images.register import moved, shift_between
from cytally.images.sequences.movie import write_movie
from cytally.images.sequences.tracks import TRUTH, TrackRow, read_masks, read_tracks, write_tracks


def texture(shape=(160, 200), seed=1, grain=2.0):
    import cv2

    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), grain)


def test_flattening_takes_out_lamp_gain_and_offset():
    """The same field under another lamp, gain and offset becomes the same within a tenth of a spread.

    Away from the border: there the light is a mean of one side only.
    """
    cells = texture((480, 520)) * 200
    lamp = 1 + 0.15 * np.linspace(-1, 1, 520)[None] * np.ones((480, 1))
    plain, lit = flatten(cells + 1000), flatten(3.0 * (cells + 1000 * lamp) + 50)
    inner = (slice(100, -100), slice(100, -100))
    assert np.abs(plain[inner] - lit[inner]).mean() < 0.1
    assert abs(np.median(plain)) < 0.1 and plain.max() <= LIMIT


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_depth_is_flattened(dtype):
    field = (texture() - texture().min()) * 300
    assert flatten(field.astype(dtype)).std() == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.full((40, 40), 7), "one brightness"),
        (np.full((40, 40), np.nan), "NaN"),
        (np.eye(40) * 1e39, "infinity"),
        (np.eye(40) * 1e35, "below 1e"),
        (np.eye(3), "got 3 x 3"),
        (np.broadcast_to(np.uint8(3), (9000, 9000)), "to 64 megapixels, got 9000"),
    ],
)
def test_fields_without_information_are_refused(image, says):
    with pytest.raises(ImageError, match=says):
        flatten(image)


@given(st.integers(-30, 30), st.integers(-30, 30))
@settings(max_examples=20)
def test_a_known_shift_is_found(row, col):
    world = texture((260, 300), grain=1.5)
    first, second = world[50:210, 50:250], world[50 - row : 210 - row, 50 - col : 250 - col]
    found = shift_between(first, second, 40)
    assert (found.row, found.col) == (pytest.approx(row, abs=0.3), pytest.approx(col, abs=0.3))
    assert found.certainty > 8


def test_moving_back_restores_the_inside():
    field = texture()
    there = moved(moved(field, 7, -4), -7, 4)
    assert np.array_equal(there[10:-10, 10:-10], field[10:-10, 10:-10])


def test_tracks_come_back_from_disk(tmp_path):
    masks = [np.full((6, 8), k, np.int32) for k in range(3)]
    rows = [TrackRow(1, 1, 2, 0), TrackRow(2, 2, 2, 1)]
    write_tracks(tmp_path / "a", iter(masks), rows, TRUTH)
    assert read_tracks(tmp_path / "a") == rows
    assert all(np.array_equal(a, b) for a, b in zip(read_masks(tmp_path / "a"), masks, strict=True))


@pytest.mark.parametrize("line", ["1 0 2", "1 3 2 0", "a 0 1 0"])
def test_tables_that_are_none_are_refused(tmp_path, line):
    (tmp_path / "res_track.txt").write_text(f"1 0 1 0\n{line}\n")
    with pytest.raises(LabelError, match="line 2"):
        read_tracks(tmp_path)


def test_a_missing_mask_and_a_missing_table_are_told(tmp_path):
    write_tracks(tmp_path, [np.zeros((4, 4), np.int32)] * 3, [])
    (tmp_path / "mask001.tif").unlink()
    with pytest.raises(ImageError, match="frame 1 is missing"):
        list(read_masks(tmp_path))
    (tmp_path / "res_track.txt").unlink()
    with pytest.raises(LabelError, match="found 0"):
        read_tracks(tmp_path)
    with pytest.raises(LabelError, match="65535"):
        write_tracks(tmp_path, [], [TrackRow(70000, 0, 0, 0)])


def test_a_movie_has_a_frame_for_each_picture(tmp_path):
    pictures = [np.full((40, 60, 3), 20 * k, np.uint8) for k in range(5)]
    write_movie(tmp_path / "a.gif", iter(pictures))
    with PIL.Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames == 5 and movie.size == (60, 40)
    pytest.importorskip("imageio_ffmpeg")
    write_movie(tmp_path / "a.mp4", iter(pictures))
    assert (tmp_path / "a.mp4").stat().st_size > 500


def test_movies_that_cannot_be_are_refused_and_leave_nothing(tmp_path):
    with pytest.raises(SettingsError, match=r"\.gif or \.mp4"):
        write_movie(tmp_path / "a.avi", [])
    with pytest.raises(SettingsError, match="at least one"):
        write_movie(tmp_path / "a.gif", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1 0 5\n", "line 1: expected 'label first last parent', got '1 0 5'"),
        (b"1 0 5 0\n2 5 1 0\n", "line 2: expected"),
        ("1 0 ² 0\n".encode(), "line 1: expected 'label"),
        (b"1 0 5 0\n1 6 9 0\n", "line 2: track 1 is there twice"),
        (b"1 0 5 \xe4\n", "line 1: expected 'label"),
        (b"1 0 99999999999 0\n", "line 1: expected 'label"),
    ],
)
def test_a_wrong_table_of_tracks_is_refused_by_line(tmp_path, content, words):
    (tmp_path / "res_track.txt").write_bytes(content)
    with pytest.raises(LabelError, match=words):
        read_tracks(tmp_path)


def test_a_table_of_tracks_with_the_line_ends_of_other_systems(tmp_path):
    (tmp_path / "res_track.txt").write_bytes(b"\xef\xbb\xbf1 0 5 0\r\n2\t6 9 1\r\n")
    assert read_tracks(tmp_path) == [TrackRow(1, 0, 5, 0), TrackRow(2, 6, 9, 1)]
    (tmp_path / "res_track.txt").write_bytes(b"1 0 5 0\0\n")
    with pytest.raises(FileError, match="expected a table of tracks, got something else"):
        read_tracks(tmp_path)
