"""Contracted, lobed chromosomes: what can be seen must be what the truth says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from cytally.dosimetry.simulate.breakage import Damage, damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.karyotype import LONGEST, normal_karyotype
from cytally.dosimetry.simulate.lobed import draw_lobes
from cytally.dosimetry.simulate.picture.drawing import stamp
from cytally.dosimetry.simulate.picture.lobes import lay_lobed
from cytally.dosimetry.simulate.picture.shape import lay
from cytally.dosimetry.simulate.styles import STYLES, TRAINING_MIX, TRAINING_MIX_3, draw_appearance

NEW = ("lobed", "beaded")
#: width, longest and glare of a cell, sums of chromatids and radii of its first chromosome, and the
#: next random number, as they were before there were lobed styles.
EARLIER = {
    "mixed": (21.199088, 96.759401, 0.042418, 9.37124, 504.44670, 0.487164),
    "dark": (21.199088, 96.759401, 0.042418, 9.37124, 555.96207, 0.487164),
    "pale": (21.199088, 96.759401, 0.042418, 9.37124, 532.24670, 0.487164),
    "straight": (21.199088, 96.759401, 0.042418, 5.68827, 484.34932, 0.487164),
    "separated": (21.199088, 96.759401, 0.042418, 9.44156, 391.12452, 0.487164),
    "slender": (15.599544, 124.012535, 0.042418, -15.97199, 488.00034, 0.451178),
    "faint": (16.856492, 117.639102, 0.042418, -1.41019, 505.09790, 0.638619),
    "hard": (19.370387, 106.265669, 0.042418, -1.83413, 486.89833, 0.435799),
    "poor": (18.456036, 109.892236, 0.042418, 28.55510, 468.86055, 0.542717),
}


@pytest.mark.parametrize("name", EARLIER)
def test_earlier_styles_draw_the_same_numbers_as_before(name):
    rng = np.random.default_rng(3)
    look = draw_appearance(STYLES[name], rng)
    body = lay(normal_karyotype(rng)[0], look, rng)
    found = (look.width, look.longest, look.glare, body.chromatids.sum(), body.radius.sum(), rng.random())
    np.testing.assert_allclose(found, EARLIER[name], rtol=1e-4, atol=1e-5)
    assert body.rods is None and look.lobes is None


def test_the_new_mix_holds_the_old_one_and_the_new_styles():
    assert set(TRAINING_MIX_3) == set(TRAINING_MIX) | set(NEW) == set(STYLES)
    assert not set(TRAINING_MIX) & set(NEW)
    assert all(TRAINING_MIX_3[name] == weight for name, weight in TRAINING_MIX.items())


@pytest.mark.parametrize("name", NEW)
def test_drawn_settings_stay_possible(name):
    rng = np.random.default_rng(0)
    for _ in range(300):
        lobes, rest = draw_lobes(name, rng)
        assert 15 < rest["width"] < 42 and 2 < rest["longest"] / rest["width"] < 5
        assert rest["focus"] >= 1.5 and rest["density"] > 0.2 and rest["noise"] > 0.5
        assert 0.35 < lobes.thick < 0.75 and 0 <= lobes.twin < 1 and 0 <= lobes.pale < 1


def test_thickness_and_slit_go_together():
    """Thick chromatids leave no room for a wide waist's joint; drawn one by one they would not be correlated."""
    rng = np.random.default_rng(1)
    drawn = [draw_lobes(name, rng)[0] for name in NEW for _ in range(300)]
    thick, knobs = np.array([x.thick for x in drawn]), np.array([x.beads for x in drawn])
    assert abs(np.corrcoef(thick, knobs)[0, 1]) > 0.3


def straight_bodies(name, counts, cells):
    """Bodies without bends, each with its blurred density along the centreline and its width in pixels."""
    for seed in range(cells):
        rng = np.random.default_rng([9, seed])
        look = replace(draw_appearance(STYLES[name], rng), bend=0.0, kink=0.0)
        for piece in damage(normal_karyotype(rng), counts, rng):
            if not piece.closed:
                yield profile(lay_lobed(piece, look, look.lobes, rng), look)


def profile(body, look):
    """(body, mass across the body, density on the centreline) at each place of the centreline."""
    drawn = stamp(body)
    density = gaussian_filter(drawn.density, look.focus, mode="constant")
    line = body.centreline
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    steps = np.arange(-0.9 * look.width, 0.9 * look.width, 0.5)
    places = line[:, None] + steps[None, :, None] * across[:, None] - (drawn.top, drawn.left)
    rows = map_coordinates(density, places.reshape(-1, 2).T, order=1).reshape(len(line), -1)
    return body, rows.sum(axis=1), rows[:, len(steps) // 2], look


def at(body, scale, where, values):
    return float(np.interp(where * scale, np.linspace(0, body.piece.length * scale, len(values)), values))


def lobes_and_clefts(body, mass, look):
    """Least lobe between or beside two clefts / deepest mass at a centromere, for lobes a width long."""
    scale = look.longest / LONGEST
    edges = np.array([0.0, *body.piece.centromeres, body.piece.length])
    ratios = []
    for k, centromere in enumerate(body.piece.centromeres, start=1):
        sides = [(edges[k - 1], centromere), (centromere, edges[k + 1])]
        if all((b - a) * scale > 0.9 * look.width for a, b in sides):
            ratios += [at(body, scale, (a + b) / 2, mass) / at(body, scale, centromere, mass) for a, b in sides]
    return ratios
