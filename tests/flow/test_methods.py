"""Every method against disks whose places and ways are known."""

import numpy as np
import pytest
from tests.cases.disks import Disk, frame_of, labels_of

from cytally.errors import SettingsError
from cytally.flow.methods.choice import METHODS, method_named
from cytally.flow.methods.foreground import ForegroundSettings, cells_of, filled
from cytally.flow.methods.protocol import FlowMethod, mean_in_cells, numbered_cells

ROW = [Disk(30, 40, 0.0, 1.3), Disk(60, 90, 0.0, 2.6), Disk(70, 30, 0.5, -1.1)]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_the_disks_and_their_ways(name):
    method = method_named(name)
    assert isinstance(method, FlowMethod) and method.name == name
    moved = method.move(frame_of(ROW, 0), frame_of(ROW, 1))
    assert len(numbered_cells(moved.labels)) == 3 and not moved.joined.any()
    assert not moved.flow[:, moved.labels == 0].any()
    truth = labels_of(ROW, 0)
    for number, disk in enumerate(ROW, start=1):
        mine = np.bincount(moved.labels[truth == number]).argmax()
        way = mean_in_cells(moved.labels, moved.flow)[mine - 1]
        # A third of a pixel: dense methods feel the resting ground at the edge; TV-L1, which smooths most, half.
        assert way == pytest.approx([disk.d_row, disk.d_col], abs=0.5 if name == "tvl1" else 0.35)


def test_one_vector_per_cell_is_right_to_a_tenth_of_a_pixel():
    moved = method_named("components").move(frame_of(ROW, 0), frame_of(ROW, 1))
    truth = labels_of(ROW, 0)
    for number, disk in enumerate(ROW, start=1):
        inside = moved.flow[:, (truth == number) & (moved.labels > 0)]
        assert inside.mean(axis=1) == pytest.approx([disk.d_row, disk.d_col], abs=0.1)


@pytest.mark.parametrize("apart", [8.5, 9.0, 10.0])
def test_two_touching_disks_are_two_and_said_to_touch(apart):
    pair = [Disk(40, 40), Disk(40, 40 + apart)]
    cells = cells_of(frame_of(pair, 0), ForegroundSettings())
    assert len(numbered_cells(cells.labels)) == 2 and cells.joined.all()


def test_a_tie_of_maxima_in_an_even_square_is_one_cell():
    frame = np.zeros((40, 40), np.float32)
    frame[10:20, 10:22] = -30
    assert len(cells_of(frame, ForegroundSettings(solid=1.1)).joined) == 1


def test_empty_ground_has_no_cell_and_noise_is_none():
    assert cells_of(np.zeros((40, 40), np.float32), ForegroundSettings()).labels.max() == 0
    noise = np.random.default_rng(1).normal(0, 1, (200, 200)).astype(np.float32)
    assert cells_of(noise, ForegroundSettings()).labels.max() == 0


def test_a_bright_ring_is_filled_and_a_wide_circle_of_cells_is_not():
    ring = np.zeros((60, 60), bool)
    rows, cols = np.mgrid[:60, :60]
    away = np.hypot(rows - 30, cols - 30)
    ring[(away > 4) & (away < 7)] = True
    assert filled(ring, 200)[30, 30] and not filled((away > 15) & (away < 18), 200)[30, 30]


def test_a_cell_at_the_border_of_the_picture_is_kept():
    cells = cells_of(frame_of([Disk(0, 50), Disk(40, 159)], 0), ForegroundSettings())
    assert len(cells.joined) == 2


def test_what_is_no_method_is_refused():
    with pytest.raises(SettingsError, match="expected one of the methods components"):
        method_named("magic")
    with pytest.raises(SettingsError, match="expected 0 < low <= high"):
        ForegroundSettings(low=6, high=5)
