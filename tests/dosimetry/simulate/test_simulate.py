"""The simulator against what is known: balance of pieces, yields, shapes, bytes."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from cytally.dosimetry.chromosomes.segment import segment
from cytally.dosimetry.density import optical_density
from cytally.dosimetry.simulate.breakage import (
    DICENTRICS,
    EXCESS,
    Damage,
    Exposure,
    at_dose,
    close_ring,
    damage,
    delete,
    exchange,
)
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.dosimetry.simulate.karyotype import TABLE, normal_karyotype
from cytally.dosimetry.simulate.picture.layout import spread
from cytally.dosimetry.simulate.picture.shape import lay
from cytally.dosimetry.simulate.styles import STYLES, UNSCORABLE, draw_appearance, style_named
from cytally.errors import SettingsError
from cytally.types import Image

seeds = st.integers(0, 10_000)


def centromeres(pieces):
    return sum(len(piece.centromeres) for piece in pieces)


def total(pieces):
    return sum(piece.length for piece in pieces)


def test_lengths_are_percent_of_a_genome_of_46():
    autosomes = sum(2 * TABLE[str(n)][0] for n in range(1, 23))
    assert autosomes + 2 * TABLE["X"][0] == pytest.approx(100, abs=2.5)  # the published fractions, rounded


@given(seeds)
def test_a_dicentric_and_its_fragment_still_make_46_pieces(seed):
    rng = np.random.default_rng(seed)
    before = normal_karyotype(rng)
    after = exchange(before, rng)
    assert len(after) == 46 and centromeres(after) == 46
    assert total(after) == pytest.approx(total(before), rel=1e-12)
    assert sorted(len(p.centromeres) for p in after)[-1] == 2
    assert sum(not p.centromeres for p in after) == 1


@given(seeds)
def test_a_centric_ring_and_its_fragment_make_47(seed):
    rng = np.random.default_rng(seed)
    before = normal_karyotype(rng)
    after = close_ring(before, rng)
    assert len(after) == 47 and centromeres(after) == 46
    assert sum(p.closed for p in after) == 1
    assert total(after) == pytest.approx(total(before), rel=1e-12)


@given(seeds)
def test_every_excess_acentric_adds_one_piece(seed):
    rng = np.random.default_rng(seed)
    before = normal_karyotype(rng)
    after = delete(before, rng)
    assert len(after) == 47 and centromeres(after) == 46
    assert total(after) == pytest.approx(total(before), rel=1e-12)


@given(seeds, st.integers(0, 6), st.integers(0, 2), st.integers(0, 3))
def test_any_damage_balances(seed, dicentrics, rings, excess):
    rng = np.random.default_rng(seed)
    after = damage(normal_karyotype(rng), Damage(dicentrics, rings, excess), rng)
    assert centromeres(after) == 46
    assert len(after) == 46 + rings + excess
    assert sum(max(len(p.centromeres) - 1, 0) for p in after) == dicentrics  # a tricentric counts twice


@pytest.mark.parametrize("gray", [0.5, 2.0, 4.0])
def test_yields_follow_the_curve(gray):
    """20,000 cells; judged at 4 standard errors. Excess acentrics are overdispersed by 1.4."""
    rng = np.random.default_rng(int(gray * 10))
    drawn = [Exposure(gray).draw(rng) for _ in range(20_000)]
    dicentrics = np.array([d.dicentrics for d in drawn])
    excess = np.array([d.excess for d in drawn])
    mean, more = at_dose(DICENTRICS, gray), at_dose(EXCESS, gray)
    assert abs(dicentrics.mean() - mean) < 4 * np.sqrt(mean / 20_000)
    assert dicentrics.var() / dicentrics.mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / 20_000) * 1.6)
    assert abs(excess.mean() - more) < 4 * np.sqrt(1.4 * more / 20_000)
    assert excess.var() / excess.mean() == pytest.approx(1.4, abs=0.15)


def test_partial_exposure_mixes_survivors():
    """f exp(-D/D0) / (f exp(-D/D0) + 1 - f), and cells of the rest carry background."""
    exposure = Exposure(3.0, fraction=0.5, d0_gy=3.0)
    share = 0.5 * np.exp(-1) / (0.5 * np.exp(-1) + 0.5)
    assert exposure.irradiated_cells == pytest.approx(share, rel=1e-12)
    rng = np.random.default_rng(3)
    counts = np.array([exposure.draw(rng).dicentrics for _ in range(20_000)])
    expected = share * at_dose(DICENTRICS, 3.0) + (1 - share) * at_dose(DICENTRICS, 0.0)
    assert abs(counts.mean() - expected) < 4 * np.sqrt(counts.var() / 20_000)
    assert counts.var() / counts.mean() > 1.1


def test_impossible_exposures_and_styles_are_refused():
    with pytest.raises(SettingsError, match="dose >= 0"):
        Exposure(-1.0)
    with pytest.raises(SettingsError, match="choose one of mixed"):
        style_named("pretty")


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_draws_a_cell_whose_labels_lie_on_chromosomes(name):
    cell = simulate_cell(STYLES[name], Damage(3, 1, 1), np.random.default_rng(1))
    assert cell.image.pixels.dtype == np.uint8 and cell.image.shape == (896, 1008)
    masks = cell.masks
    near = cv2.dilate((masks > 0).astype(np.uint8), np.ones((25, 25)))
    for label, row, col in zip(cell.points.names, cell.points.row, cell.points.col, strict=True):
        if label != "ring":
            assert near[int(row), int(col)], label
    assert cell.points.names.count("dicentric") == 3


def test_same_seed_same_bytes_other_seed_other_bytes():
    one, two, other = (simulate_cell(STYLES["hard"], Damage(2), np.random.default_rng(s)) for s in (5, 5, 6))
    assert one.image.pixels.tobytes() == two.image.pixels.tobytes()
    assert one.image.pixels.tobytes() != other.image.pixels.tobytes()


def test_statistics_of_cells_lie_where_real_ones_do():
    """facts of the field, section 3: background 215-229 (205-235 drawn), summed chromosome
    area 18k-65k px, noise 1.3-2.6 grey levels. Simulated chromosomes are up to a quarter larger
    in area, as their rounded ends come on top of the drawn length; size is normalised away."""
    areas, backgrounds, noises = [], [], []
    for seed in range(12):
        cell = simulate_cell(STYLES["mixed"], Damage(), np.random.default_rng(seed))
        empty = cv2.erode((cell.masks == 0).astype(np.uint8), np.ones((31, 31))) > 0
        grey = cell.image.pixels.astype(float)
        areas.append(int((cell.masks > 0).sum()))
        backgrounds.append(np.median(grey[empty]))
        step = (grey[:, 1:] - grey[:, :-1])[empty[:, 1:] & empty[:, :-1]]
        noises.append(1.4826 * np.median(np.abs(step)) / np.sqrt(2))
    assert 18_000 < min(areas) < 65_000 and max(areas) < 1.25 * 65_000
    assert 190 < np.median(backgrounds) < 240
    assert 0.8 < np.median(noises) < 3.2


def test_turning_a_body_turns_everything_with_it(rng):
    look = draw_appearance(STYLES["mixed"], rng)
    piece = exchange(normal_karyotype(rng), rng)[-2]
    body = lay(piece, look, rng)
    turned = body.turned(0.7)
    np.testing.assert_allclose(turned.turned(-0.7).centreline, body.centreline, atol=1e-9)
    before = np.linalg.norm(body.centreline - np.array(body.aberrations[0][1]), axis=1)
    after = np.linalg.norm(turned.centreline - np.array(turned.aberrations[0][1]), axis=1)
    np.testing.assert_allclose(after, before, atol=1e-9)


def test_most_chromosomes_keep_clear_of_each_other(rng):
    look = draw_appearance(STYLES["straight"], rng)
    bodies = spread([lay(p, look, rng) for p in normal_karyotype(rng)], look, (896, 1008), rng)
    apart = 0
    for k, body in enumerate(bodies):
        others = np.concatenate([b.centreline for j, b in enumerate(bodies) if j != k])
        apart += np.linalg.norm(body.centreline[:, None] - others[None], axis=2).min() > look.width * 0.7
    assert apart >= 30


@pytest.mark.parametrize("kind", UNSCORABLE)
def test_unscorable_cells_are_named(kind):
    from dataclasses import replace

    style = replace(STYLES["mixed"], unscorable=1.0)
    kinds = {}
    for seed in range(30):
        cell = simulate_cell(style, Damage(), np.random.default_rng(seed), (256, 256))
        kinds.setdefault(cell.kind, cell)
    found = kinds[kind]
    pieces = len(found.bodies)
    assert pieces < 40 if kind == "incomplete" else pieces == (92 if kind == "double" else 46)


def test_a_folder_holds_images_labels_cells_and_truth(tmp_path):
    order = Order(3, Exposure(4.0), "mixed", seed=9, sample="P", truth=True, shape=(512, 512))
    write_folder(order, tmp_path)
    write_folder(order, tmp_path / "again")
    names = ["P_00000.png", "P_00001.png", "P_00002.png"]
    assert sorted(p.name for p in tmp_path.glob("*.png")) == names
    for name in [*names, "labels.csv", "cells.csv"]:
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    truth = json.loads((tmp_path / "_truth" / "P_00001.json").read_text())
    masks = cv2.imread(str(tmp_path / "_truth" / "P_00001_masks.png"), cv2.IMREAD_UNCHANGED)
    assert {b["mask"] for b in truth["bodies"]} >= set(np.unique(masks)) - {0}
    rows = (tmp_path / "cells.csv").read_text().splitlines()
    assert rows[0] == "image,sample,dose_gy,chromosomes,kind" and rows[1].startswith("P_00000.png,P,4,")


def test_evidence_adds_the_middle_of_every_monocentric_and_all_centromeres():
    cell = simulate_cell(STYLES["mixed"], Damage(2, 1, 0), np.random.default_rng(8))
    names = cell.evidence.names
    assert names.count("centromere") == 46
    assert names.count("monocentric") == 46 - 2 * 2 - 1  # two dicentrics, one ring
    assert names[: len(cell.points)] == cell.points.names


def constrictions(style: str, cells: int) -> list[float]:
    """Least width / 90th percentile of the width of straight isolated chromosomes, in the picture."""
    found = []
    for seed in range(cells):
        cell = simulate_cell(STYLES[style], Damage(), np.random.default_rng([77, seed]))
        density = optical_density(Image(cell.image.pixels))
        for outline in segment(density).chromosomes:
            labels = cell.masks[outline.top :, outline.left :][: outline.mask.shape[0], : outline.mask.shape[1]]
            body = cell.bodies[max(int(np.bincount(labels[outline.mask]).argmax()), 1) - 1]
            line = body.centreline
            arc = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
            if np.linalg.norm(line[-1] - line[0]) < 0.9 * arc or len(line) < 8:
                continue
            along = np.gradient(line, axis=0)
            along /= np.linalg.norm(along, axis=1, keepdims=True)
            across = np.stack([-along[:, 1], along[:, 0]], axis=1)
            places = line[:, None] + np.arange(-24, 24.1, 0.5)[None, :, None] * across[:, None]
            profile = map_coordinates(density, places.reshape(-1, 2).T, order=1).reshape(len(line), -1)
            width = (profile > 0.5 * np.percentile(profile.max(axis=1), 70)).sum(axis=1) * 0.5
            end = max(int(0.12 * len(line)), 1)
            found.append(width[end:-end].min() / np.percentile(width, 90))
    return found


@pytest.mark.parametrize("style", ["mixed", "hard"])
def test_constrictions_in_the_picture_are_those_of_real_chromosomes(style):
    """Facts of the field, section 3: median 0.61-0.69, 10th percentile 0.48-0.57 over 16 real
    fields. 0.03 more on each side, as 150 chromosomes are measured here."""
    found = constrictions(style, 8)
    assert len(found) > 100
    assert 0.58 < np.median(found) < 0.72
    assert 0.45 < np.percentile(found, 10) < 0.60


def test_every_style_can_be_chosen_from_the_shell():
    from cytally.cli.dosimetry.score import _STYLES

    assert set(_STYLES) == set(STYLES)
