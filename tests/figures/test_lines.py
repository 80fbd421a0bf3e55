"""What curves, learning and lineages draw, read back from the lines of the figure."""

import numpy as np
import pytest

from cytally.figures.curves import CurveBand, Marked, dose_figure, learning_figure
from cytally.figures.sequences import Branch, CountLine, growth_figure, lineage_figure, validation_figure
from cytally.figures.style import BLUE, PALE, RED

POINTS = np.array([[0.0, 0.001, 0.0005, 0.002], [1.0, 0.09, 0.08, 0.10]])


def lines(figure, colour=None):
    """(x, y) of every line, or of those in one colour."""
    every = [line for axes in figure.axes for line in axes.lines]
    return [line.get_xydata().tolist() for line in every if colour is None or line.get_color() == colour]


def band():
    dose = np.array([0.0, 1.0, 2.0])
    return CurveBand(dose, 0.03 * dose + 0.06 * dose**2, np.full(3, 0.01), POINTS)


def marked(high=1.5):
    return Marked(0.09, (0.05, 0.15), 1.0, (0.6, high))


def test_the_yield_of_a_sample_is_led_over_to_its_dose():
    figure = dose_figure(band(), marked())
    estimate, low, high = lines(figure, RED)[:3]
    assert estimate == [[0, 0.09], [1, 0.09], [1, 0]]
    assert (low, high) == ([[0, 0.05], [0.6, 0.05], [0.6, 0]], [[0, 0.15], [1.5, 0.15], [1.5, 0]])


def test_an_open_upper_limit_ends_at_the_end_of_the_curve():
    assert lines(dose_figure(band(), marked(np.inf)), RED)[2] == [[0, 0.15], [2, 0.15], [2, 0]]


def test_a_dose_figure_shows_every_calibration_sample_and_all_of_the_curve():
    figure = dose_figure(band())
    assert lines(figure, BLUE)[0] == [[0, 0], [1, pytest.approx(0.09)], [2, pytest.approx(0.30)]]
    assert POINTS[:, :2].tolist() in lines(figure)
    low, high = figure.axes[0].get_ylim()
    assert low == 0 and high >= 0.30


def test_the_band_of_a_curve_is_1_96_errors_and_no_yield_is_negative():
    drawn = dose_figure(band()).axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert drawn.min() == 0 and drawn.max() == pytest.approx(0.30 + 1.96 * 0.01)


def test_loss_and_false_alarms_have_axes_of_their_own():
    rows = [{"epoch": 1, "loss": 4.0, "alarm": 0.9}, {"epoch": 2, "loss": 2.0, "alarm": 0.4}]
    figure = learning_figure(rows)
    assert lines(figure, BLUE) == [[[1, 4], [2, 2]]] and lines(figure, RED) == [[[1, 0.9], [2, 0.4]]]
    assert len(figure.axes) == 2


def test_the_epochs_that_became_members_are_marked_on_the_validation_loss():
    rows = [{"epoch": k, "loss": 1 / k, "validation": v} for k, v in ((1, 0.9), (2, 0.4), (3, 0.6))]
    figure = validation_figure(rows, [3, 2])
    assert lines(figure, RED) == [[[2, 0.4], [3, 0.6]]]
    assert lines(figure, BLUE) == [[[1, 0.9], [2, 0.4], [3, 0.6]]] and len(lines(figure, PALE)) == 1


def test_a_growth_curve_without_fit_is_its_counts_alone():
    times, nothing = np.array([0.0, 1.0]), np.zeros(0)
    line = CountLine("A01", times, np.array([4.0, 8.0]), np.array([3.0, 6.0]), np.array([5.0, 10.0]), nothing)
    assert lines(growth_figure([line])) == [[[0, 4], [1, 8]]]
    fitted = CountLine("A01", times, line.count, line.lower, line.upper, np.array([4.1, 7.9]))
    figure = growth_figure([fitted], "frames")
    assert lines(figure)[1] == [[0, 4.1], [1, 7.9]] and figure.axes[0].get_xlabel() == "time (frames)"


def test_daughters_hang_on_their_mothers_end():
    """One that stays alone, and a mother (frames 0 to 3) with two daughters: red from 3.5 to 4.

    family   0 --- 0
             |---- 1
             |---- 2
    alone    3
    """
    branches = [Branch(0, 9, -1), Branch(0, 3, -1), Branch(4, 9, 1), Branch(4, 7, 1)]
    figure = lineage_figure(branches)
    assert lines(figure, BLUE) == [
        [[0, 0], [3.5, 0]],
        [[4, 1], [9.5, 1]],
        [[4, 2], [7.5, 2]],
        [[0, 3], [9.5, 3]],
    ]
    assert lines(figure, RED) == [[[3.5, 0], [4, 1]], [[3.5, 0], [4, 2]]]
    assert "4 of 4 tracks" in figure.axes[0].texts[0].get_text()


def test_one_that_was_lost_and_found_is_no_division():
    figure = lineage_figure([Branch(0, 3, -1), Branch(6, 9, 0)])
    assert lines(figure, RED) == [] and lines(figure, PALE) == [[[3.5, 0], [6, 1]]]


def test_of_many_tracks_the_largest_families_are_shown():
    alone = [Branch(0, 1, -1)] * 5
    figure = lineage_figure([*alone, Branch(0, 1, -1), Branch(2, 3, 5), Branch(2, 3, 5)], most=4)
    assert len(lines(figure, RED)) == 2 and len(lines(figure, BLUE)) == 4
    assert "4 of 8 tracks" in figure.axes[0].texts[0].get_text()
    assert lines(lineage_figure([])) == []
