"""Given outlines are held to the simulator's truth: identity, centromeres, evenness; drawn bodies to their own."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from cytally.dosimetry.chromosomes.upright import FINE, profile
from cytally.dosimetry.compose.cell import Wanted, compose_cell
from cytally.dosimetry.compose.outlined.drawn import Body, chromosome, drawn_field
from cytally.dosimetry.compose.outlined.fields import Outlined, geometry, outlined_field
from cytally.dosimetry.compose.outlined.folder import read_outlined
from cytally.dosimetry.compose.restyle import Restyle, restyled
from cytally.dosimetry.density import optical_density
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.karyotype import TABLE
from cytally.dosimetry.simulate.styles import STYLES
from cytally.errors import ImageError
from cytally.progress import silent
from cytally.types import Image

NUMBERS = {name: number for number, name in enumerate(TABLE, start=1)}
MFISH = Path(os.environ.get("CYTALLY_DATA", "../shared/data")) / "mfish_dapi"


def fluorescent(seed: int) -> tuple[Outlined, list]:
    """A simulated cell as DAPI would show it, its class map, and its bodies."""
    made = simulate_cell(STYLES["straight"], Damage(), np.random.default_rng([31, seed]))
    bright = np.clip(optical_density(Image(made.image.pixels)), 0, None)
    masks, classes = made.masks, np.zeros(made.image.shape, np.uint8)
    for number, body in enumerate(made.bodies, start=1):
        classes[masks == number] = NUMBERS[body.piece.identity.split()[0].rstrip("ab")]
    uneven = 1 + 0.5 * np.sin(np.arange(bright.shape[1]) / 150)  # dye binds unevenly
    pixels = np.clip(12 + 300 * bright * uneven, 0, 255).astype(np.uint8)
    return Outlined(Image(pixels, None, "simulated"), classes), list(made.bodies)


@pytest.fixture(scope="module")
def cells():
    return [fluorescent(seed) for seed in range(3)]


def test_centromeres_lie_where_the_simulator_put_them(cells):
    off = []
    for given, bodies in cells:
        field = outlined_field(given)
        truth = np.concatenate([body.centromeres for body in bodies])
        for outline, body in zip(field.segmented.chromosomes, field.uprights, strict=True):
            for row in body.centromeres:
                along = (row - (len(body.density) - 1) / 2) / FINE
                axis = np.array([np.cos(outline.angle), np.sin(outline.angle)])
                place = np.array(outline.middle) + along * axis
                off.append(np.linalg.norm(truth - place, axis=1).min() / (body.width / FINE))
    assert len(off) > 25
    assert np.mean(np.array(off) < 0.4) > 0.9


def test_an_uneven_dye_becomes_an_even_stain(cells):
    given, _ = cells[0]
    field = outlined_field(given)
    before, after = [], []
    for one in field.segmented.chromosomes:
        window = (
            slice(one.top, one.top + one.mask.shape[0]),
            slice(one.left, one.left + one.mask.shape[1]),
        )
        before.append(np.median(given.image.pixels[window][one.mask]))
        after.append(np.median(field.density[window][one.mask]))
    spread = [np.std(values) / np.mean(values) for values in (before, after)]
    assert spread[1] < 0.5 * spread[0]
    assert np.median(after) == pytest.approx(0.45, abs=0.08)


def test_what_is_composed_is_labelled_and_the_same_each_time(cells):
    fields = tuple(outlined_field(given) for given, _ in cells)
    once, again = (compose_cell(fields, Wanted(silent=0, restyled=1), np.random.default_rng(4)) for _ in range(2))
    assert (once.image.pixels == again.image.pixels).all()
    assert once.points.names.count("dicentric") <= once.points.names.count("fragment")
    assert once.points.names == again.points.names and len(once.points.names) > 0


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (np.zeros((40, 50), np.uint8), "class map of the image's size, 60 x 60 pixels, got 40 x 50"),
        (np.full((60, 60), 77, np.uint8), "classes 0 to 24 and 255"),
    ],
)
def test_a_class_map_that_does_not_fit_is_refused(classes, said):
    with pytest.raises(ImageError, match=said):
        Outlined(Image(np.zeros((60, 60), np.uint8), None, "a.tif"), classes)


def test_few_outlines_are_no_metaphase():
    classes = np.zeros((80, 80), np.uint8)
    classes[20:40, 20:30] = 3
    pixels = np.where(classes > 0, 200, 10).astype(np.uint8)
    with pytest.raises(ImageError, match="got 1 chromosome"):
        outlined_field(Outlined(Image(pixels, None, "a.tif"), classes))


def test_a_folder_says_what_it_leaves_out(cells, tmp_path):
    given, _ = cells[0]
    for name in ("cell_D", "giemsa_D", "large_D", "alone_D"):
        pixels = given.image.pixels if name != "giemsa_D" else 255 - given.image.pixels
        Pillow.fromarray(pixels).save(tmp_path / f"{name}.tif")
    for name in ("cell_K", "giemsa_K"):
        Pillow.fromarray(given.classes).save(tmp_path / f"{name}.tif")
    Pillow.fromarray(given.classes[:100]).save(tmp_path / "large_K.tif")
    skipped: list = []
    fields = read_outlined(tmp_path, tmp_path, skipped, silent)
    assert len(fields) == 1
    said = {one.image: one.reason for one in skipped}
    assert said["giemsa_D.tif"].startswith("expected fluorescence, bright chromosomes")
    assert "got 100 x" in said["large_D.tif"]
    assert said["alone_D.tif"].startswith("no class map of its name")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone_D.tif").rename(tmp_path / "alone" / "alone_D.tif")
    with pytest.raises(ImageError, match="expected images with class maps"):
        read_outlined(tmp_path / "alone", tmp_path / "alone", [], silent)


def test_a_drawn_chromosome_is_pinched_at_its_centromere_and_nowhere_else():
    rng = np.random.default_rng(8)
    look = Body(3.6, 0.24, 0.25, 0.5, 0.4, 0.4, 0.05, 0.8, 0.03, 0.8, 0.08, 0.0)
    for number in (1, 3, 7, 16):
        body = chromosome(number, 16.0, look, rng)
        mass, _, _ = profile(body.density)
        inner = slice(int(body.ends[0] + 0.2 * body.length), int(body.ends[1] - 0.2 * body.length))
        assert abs(inner.start + int(mass[inner].argmin()) - body.centromeres[0]) < 0.15 * body.width
        _, index = TABLE[str(number)]
        share = (body.centromeres[0] - body.ends[0]) / body.length
        assert share == pytest.approx(index / 100, abs=0.07)
    assert chromosome(14, 16.0, look, rng).centromeres == ()


def test_a_drawn_field_has_the_chromosomes_of_the_real_one(cells):
    places = geometry(cells[1][0])
    field = drawn_field(places, np.random.default_rng(2))
    assert len(places.numbers) >= 40
    middles = np.array([outline.middle for outline in field.segmented.chromosomes])
    nearest = np.linalg.norm(middles[:, None] - places.places[None], axis=2).min(axis=1)
    assert len(middles) > 15 and np.median(nearest) < 0.3 * places.size


def test_another_look_moves_nothing():
    density = np.zeros((80, 80), np.float32)
    density[30:52, 35:45] = 0.5
    rng = np.random.default_rng(3)
    for _ in range(12):
        how = Restyle.draw(rng)
        made = np.clip(restyled(density, 20.0, 0.5, how, rng), 0, None)
        made[made < 0.15] = 0
        rows, cols = np.nonzero(made > 0.2)
        assert rows.mean() == pytest.approx(40.5, abs=0.6) and cols.mean() == pytest.approx(39.5, abs=0.6)


@pytest.mark.skipif(not MFISH.is_dir(), reason="the M-FISH set lies elsewhere")
def test_a_real_cell_gives_most_of_its_chromosomes(tmp_path):
    for end in "DK":
        name = f"MFISH_TIFF_A01__XY_A0101XY{end}.tif"
        (tmp_path / name).write_bytes((MFISH / name).read_bytes())
    (field,) = read_outlined(tmp_path, tmp_path, [], silent)
    assert len(field.segmented.chromosomes) >= 40
    assert sum(bool(body.centromeres) for body in field.uprights) >= 15
