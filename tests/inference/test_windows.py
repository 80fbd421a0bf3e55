"""Looking only where something can matter gives what looking everywhere gives."""

import numpy as np
import pytest
import torch

from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.candidates import LEVEL, SURE, propose
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.detectors.verified import ByVerifier
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order
from cytally.inference.runtime import TorchMember
from cytally.inference.votes import empty, look_everywhere
from cytally.inference.windows import coarse, look_at, occupied, windows
from cytally.nets.unet import Architecture, UNet

SMALL = Architecture(filters=2, depth=3, widest=8)


def member(how):
    torch.manual_seed(3)
    network = UNet(how)
    torch.nn.init.normal_(network.head.weight, std=2.0)
    return TorchMember(network.double(), torch.float64)


@pytest.mark.parametrize("how", [SMALL, Architecture(filters=2, depth=4, stem="plain", widest=8)], ids=str)
@pytest.mark.parametrize("shape", [(512, 640), (506, 623)])
def test_windows_are_exact_in_double_precision(how, shape, rng):
    """Random windows, at the edges too, against the whole image."""
    one, density = member(how), rng.normal(0.3, 0.5, shape).astype(np.float32)
    whole = look_everywhere(density, one)
    cells = rng.random([-(-size // how.multiple) for size in shape]) > 0.999
    cells[0, 0] = cells[-1, -1] = True
    found = windows(cells, how)
    heat = empty(density, how)
    look_at(density, one, found, heat)
    unit = how.multiple // how.step
    for rows, cols in found:
        where = np.s_[:, rows.start * unit : rows.stop * unit, cols.start * unit : cols.stop * unit]
        np.testing.assert_allclose(heat[where], whole[where], atol=1e-12, rtol=0)
    assert len(found) > 1


def test_windows_hold_every_cell_and_merge_only_where_it_saves():
    cells = np.zeros((60, 60), bool)
    cells[2, 2] = cells[4, 5] = cells[55, 55] = True
    found = windows(cells, SMALL)
    assert (slice(2, 5), slice(2, 6)) in found and (slice(55, 56), slice(55, 56)) in found
    assert windows(np.zeros((9, 9), bool), SMALL) == []
    full = windows(np.eye(200, dtype=bool)[::2], SMALL)  # too many to weigh one by one
    assert full == [(slice(0, 100), slice(0, 199))]


def test_windows_are_looked_at_in_few_shapes():
    """A library makes kernels for each new shape, which takes longer than looking."""
    seen = set()

    class Noting:
        architecture = SMALL

        def inside(self, density, window):
            seen.add((density.shape, *(part.stop - part.start for part in window)))
            return np.zeros((2, *(size // SMALL.step for size in density.shape)), np.float32)

    density = np.zeros((1200, 1200), np.float32)
    asked = [(slice(a, a + n), slice(b, b + n)) for n in range(1, 9) for a in range(0, 142, 7) for b in (0, 70, 141)]
    for window in asked:
        look_at(density, Noting(), [window], empty(density, SMALL))
    assert len(seen) == 1


def test_coarse_cells_hold_what_lies_in_them():
    mask = np.zeros((17, 33), bool)
    mask[16, 32] = mask[3, 9] = True
    assert np.argwhere(coarse(mask, 8)).tolist() == [[0, 1], [2, 4]]


def test_empty_slide_is_not_looked_at_and_a_chromosome_is(rng):
    density = rng.normal(0, 0.05, (256, 256)).astype(np.float32)  # the noise of a poor camera
    assert not occupied(density, SMALL).any()
    density[100:120, 40:50] = 1.0
    seen = occupied(density, SMALL)
    assert seen[10:17, 3:8].all() and not seen[:, 20:].any() and not seen[24:].any()


@pytest.mark.parametrize("style", ["mixed", "hard", "poor", "faint"])
def test_the_shipped_ensemble_decides_as_if_it_looked_everywhere(shipped, style):
    """Cells with nuclei, specks, smears and filaments; the long run is in benchmarks/decisions.py."""
    proposed = 0
    for number in (0, 2):
        cell = Order(1, Exposure(4.0), style, seed=612).cell(number)
        density = normalise(cell.image).values
        quick, slow = (propose(density, shipped, saving=saving) for saving in (True, False))
        assert quick.names == slow.names
        proposed += len(slow)
        for name in ("row", "col", "votes"):
            np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))
        np.testing.assert_allclose(quick.confidence, slow.confidence, atol=1e-4)
        kept = [ByVerifier(shipped).judge(density, found) for found in (quick, slow)]
        assert kept[0].names == kept[1].names
    assert proposed > 0


def test_a_toy_ensemble_that_fires_everywhere_looks_everywhere(random_ensemble, rng):
    """It rules nothing out, so nothing is saved and nothing may differ."""
    ensemble = load_ensemble(random_ensemble)
    density = rng.normal(0.5, 0.5, (160, 200)).astype(np.float32)
    quick, slow = (propose(density, ensemble, saving=saving) for saving in (True, False))
    assert quick.names == slow.names and len(slow) > 10
    np.testing.assert_array_equal(quick.row, slow.row)


def test_the_level_of_sureness_lies_far_below_that_of_a_proposal():
    assert min(LEVEL.values()) / SURE > 100
