"""What the simulated microscopes show: contrasts as the textbook has them, light that adds up."""

import math

import numpy as np
import pytest

from cytally.livecell.simulate import phase, stain
from cytally.livecell.simulate.population import Nucleus
from cytally.livecell.simulate.shapes import Window, labels_of, outline

WINDOW = Window(0.0, 0.0, 160, 160)
NO_DEBRIS = np.zeros((0, 3))
SMOOTH = phase.PhaseSettings(grain=0.0, light=0.0, noise=0.0)


def nucleus(state="resting", number=1, row=80.0, col=80.0, size=24.0, **more):
    return Nucleus(number, 0, row, col, size, 1.2, 0.4, state=state, **more)


def area(points):
    """Shoelace formula."""
    row, col = points.T
    return abs(np.dot(row, np.roll(col, 1)) - np.dot(col, np.roll(row, 1))) / 2


def seen(*nuclei, settings=SMOOTH):
    return phase.render(list(nuclei), NO_DEBRIS, WINDOW, settings, 0.0, np.random.default_rng(0)).astype(float)


@pytest.mark.parametrize("number", range(1, 9))
def test_an_outline_encloses_the_disk_that_its_size_names(number):
    """Bumps of 3.5 % change the area of a disk of the same diameter by little."""
    points = outline(nucleus(number=number))
    assert area(points) == pytest.approx(math.pi * 12**2, rel=0.2)
    assert np.linalg.norm(points.mean(axis=0) - 80) < 1.5


def rim(points):
    """Length of an outline."""
    return np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1).sum()


def test_masks_hold_what_their_outlines_enclose_and_the_pixels_on_them():
    """OpenCV paints the pixels that an outline passes through: half a pixel more all around."""
    one, two = nucleus(), nucleus(number=2, row=30.0, col=120.0, size=18.0)
    mask = labels_of([one, two], WINDOW)
    for each in (one, two):
        assert (mask == each.number).sum() == pytest.approx(area(outline(each)) + rim(outline(each)) / 2, rel=0.04)


def test_slivers_at_the_border_are_nobodys():
    cut = nucleus(row=-11.0)
    assert not labels_of([cut], WINDOW).any()


def test_of_two_that_overlap_the_later_lies_above():
    mask = labels_of([nucleus(), nucleus(number=2, col=88.0)], WINDOW)
    alone = labels_of([nucleus(number=2, col=88.0)], WINDOW)
    assert ((mask == 2) == (alone == 2)).all() and (mask == 1).any()


def test_spread_cells_are_dark_in_a_halo_and_rounded_ones_wear_the_brightest():
    """Positive phase contrast: Yin, Kanade & Chen 2012."""
    ground = np.median(seen())
    spread, rounded = seen(nucleus()), seen(nucleus("dividing"))
    inside = labels_of([nucleus()], WINDOW) > 0
    assert spread[inside].mean() < ground - 5
    assert spread.max() > ground + 5
    assert rounded.max() > spread.max() + 20


def test_the_lamp_is_brightest_right_of_the_middle():
    light = phase.uneven_light((201, 201), 0.5)
    assert np.unravel_index(light.argmax(), light.shape) == (90, 120)
    assert light.max() == 1 and light.min() == light[-1, 0]
    assert (phase.uneven_light((4, 5), 0.0) == 1).all()


def test_texture_moves_with_the_world():
    """Three pixels further down, the camera sees the same three pixels higher up."""
    grainy = phase.PhaseSettings(light=0.0, noise=0.0)
    here = phase.render([nucleus()], NO_DEBRIS, WINDOW, grainy, 0.0, np.random.default_rng(0)).astype(int)
    there = phase.render(
        [nucleus()], NO_DEBRIS, Window(3.0, 0.0, 160, 160), grainy, 0.0, np.random.default_rng(0)
    ).astype(int)
    assert np.abs(here[40:120, 40:120] - there[37:117, 40:120]).max() <= 1


def test_a_nucleus_without_dye_does_not_shine():
    even = stain.StainSettings(light=0.0)
    inside = labels_of([nucleus()], WINDOW) > 0
    frames = {
        dye: stain.render([nucleus(stain=dye)], NO_DEBRIS, WINDOW, even, 0.0, np.random.default_rng(0)).astype(float)
        for dye in (0.0, 1.0)
    }
    assert frames[0.0][inside].mean() == pytest.approx(even.ground, abs=4)
    assert frames[1.0][inside].mean() > even.ground + 0.7 * even.nucleus


def test_chromatin_condensed_for_division_shines_twice_as_bright():
    even = stain.StainSettings(light=0.0, leak=0.0)
    middle = (slice(76, 85), slice(76, 85))
    resting, dividing = (
        stain.render([nucleus(state)], NO_DEBRIS, WINDOW, even, 0.0, np.random.default_rng(0))[middle].mean()
        for state in ("resting", "dividing")
    )
    assert (dividing - even.ground) / (resting - even.ground) == pytest.approx(2, rel=0.05)


def test_the_camera_counts_photons():
    """Noise of an empty field: 0.9 times the root of the counts."""
    even = stain.StainSettings(light=0.0)
    empty = stain.render([], NO_DEBRIS, WINDOW, even, 0.0, np.random.default_rng(3)).astype(float)
    n = empty.size
    assert empty.std() == pytest.approx(0.9 * math.sqrt(even.ground), rel=4 / math.sqrt(2 * n))
    assert empty.mean() == pytest.approx(even.ground, abs=4 * empty.std() / math.sqrt(n))
