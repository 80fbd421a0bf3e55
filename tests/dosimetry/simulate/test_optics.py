"""The camera follows Beer and Lambert."""

from dataclasses import replace

import numpy as np
import pytest

from cytally.dosimetry.simulate.picture.optics import burn_number, photograph
from cytally.dosimetry.simulate.styles import draw_appearance, style_named


@pytest.fixture
def plain():
    """An appearance without blur, halo, shading or noise: only absorption and glare."""
    look = draw_appearance(style_named("dark"), np.random.default_rng(0))
    return replace(look, focus=0.01, halo=0.0, shading=0.0, noise=0.0, background=200.0, density=0.5, glare=0.1)


def test_grey_levels_are_those_of_the_equation(plain):
    """I = I0 (glare + (1 - glare) 10^-OD): density 0, 1, 2 at a stain of 0.5."""
    slide = np.repeat(np.array([0.0, 1.0, 2.0], np.float32), 20)[None].repeat(60, axis=0)
    seen = photograph(slide, plain, np.random.default_rng(1))
    for col, relative in ((10, 0.0), (30, 1.0), (50, 2.0)):
        expected = 200 * (0.1 + 0.9 * 10 ** (-0.5 * relative))
        assert abs(int(seen[30, col]) - expected) <= 1


def test_noise_has_the_spread_that_was_asked_for(plain):
    seen = photograph(np.zeros((400, 400), np.float32), replace(plain, noise=3.0), np.random.default_rng(2))
    assert seen.std() == pytest.approx(3.0, rel=0.02)  # 160,000 pixels: a standard error of 0.005
    assert seen.mean() == pytest.approx(200, abs=0.05)


def test_a_frame_number_stays_in_its_corner():
    seen = burn_number(np.zeros((60, 90), np.uint8), 7)
    assert seen[:20, :45].max() == 255 and seen[20:].max() == 0 and seen[:, 50:].max() == 0
