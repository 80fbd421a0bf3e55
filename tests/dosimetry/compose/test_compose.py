"""Composing is held to the simulator's truth: what is single, where centromeres lie, what balances."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cytally.dosimetry.chromosomes.segment import segment
from cytally.dosimetry.chromosomes.upright import FINE, Upright, cut_out
from cytally.dosimetry.compose.cell import Wanted, compose_cell
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.folder import check_fields, read_fields, write_composed
from cytally.dosimetry.compose.join import SLENDER, break_off, close, delete, exchange, fuse
from cytally.dosimetry.compose.sheet import Pose, Sheet
from cytally.dosimetry.density import normalise, optical_density
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.errors import ImageError
from cytally.images.read import read
from cytally.images.write import write
from cytally.labels.points import read_labels
from cytally.types import Image


def normal_cell(seed: int, style: str = "straight"):
    return simulate_cell(STYLES[style], Damage(), np.random.default_rng([31, seed]))


@pytest.fixture(scope="module")
def made():
    return [normal_cell(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def fields(made):
    return tuple(Field.of(Image(cell.image.pixels)) for cell in made)


def rod(length: float = 120.0, width: float = 40.0, centromere: float | None = 45.0) -> Upright:
    """A plain upright body: a bar with rounded sides and a waist."""
    rows, cols = int(length) + 20, int(width * 1.6)
    along = np.arange(rows)[:, None] - 10.0
    wide = np.full_like(along, width / 2)
    if centromere is not None:
        wide = wide * (1 - 0.4 * np.exp(-0.5 * ((along - centromere) / 6) ** 2))
    across = np.abs(np.arange(cols)[None] - (cols - 1) / 2)
    inside = (along >= 0) & (along <= length) & (across <= wide)
    where = () if centromere is None else (centromere + 10,)
    return Upright(inside.astype(np.float32), where, (10.0, length + 10), width)


def test_outlines_are_single_chromosomes(made):
    pure = []
    for cell in made:
        labels = cell.masks
        for outline in segment(optical_density(Image(cell.image.pixels))).chromosomes:
            rows, cols = np.nonzero(outline.mask)
            votes = np.bincount(labels[rows + outline.top, cols + outline.left], minlength=2)[1:]
            pure.append(votes.max() / max(votes.sum(), 1))  # 0 for debris and nuclei
    assert len(pure) >= 4 * 20  # of 46; the others touch, cross or bend
    assert np.mean(np.array(pure) > 0.97) > 0.97


def test_centromeres_are_found_where_they_are(made):
    errors, outlines = [], 0
    for cell in made:
        density = optical_density(Image(cell.image.pixels))
        parts, labels = segment(density), cell.masks
        for outline in parts.chromosomes:
            outlines += 1
            rows, cols = np.nonzero(outline.mask)
            votes = np.bincount(labels[rows + outline.top, cols + outline.left], minlength=2)[1:]
            if not votes.any():
                continue
            body = cell.bodies[votes.argmax()]
            lifted = cut_out(density, outline, parts)
            along = (body.centromeres[0] - outline.middle) @ [np.cos(outline.angle), np.sin(outline.angle)]
            truth = along * FINE + len(lifted.density) // 2
            errors += [abs(c - truth) / lifted.width for c in lifted.centromeres]
    assert len(errors) > 0.35 * outlines
    assert np.mean(np.array(errors) < 0.3) > 0.95  # within a third of a body's width


def test_an_exchange_balances(rng):
    seen = 0
    for _ in range(40):
        one, two = rod(), rod(150, 40, 60)
        result = exchange(one, two, rng)
        if result is None:
            continue
        seen += 1
        dicentric, fragment = result
        assert len(dicentric.centromeres) == 2 and not fragment.centromeres
        assert np.diff(dicentric.centromeres)[0] >= 0.85 * one.width
        before = one.density.sum() + two.density.sum()
        after = dicentric.density.sum() + fragment.density.sum()
        # seams, rounded ends and fitting of widths may take or give some of it
        assert abs(after - before) < 0.2 * before
    assert seen > 10


def test_a_deletion_takes_no_centromere(rng):
    for _ in range(20):
        left, lost = delete(rod(), rng)
        assert len(left.centromeres) == 1 and not lost.centromeres
        assert lost.length > 0 and left.length < rod().length


def test_a_ring_keeps_its_centromere_and_loses_both_ends(rng):
    body = rod(200, 40, 95)
    made = [each for each in (close(body, rng) for _ in range(30)) if each is not None]
    assert len(made) > 10
    for ring, lost in made:
        assert len(ring.centromeres) == 1 and not lost.centromeres
        assert lost.length >= 0.55 * body.width and ring.length >= 2.5 * body.width
        after = ring.density.sum() + lost.density.sum()
        assert abs(after - body.density.sum()) < 0.2 * body.density.sum()  # seams take some of it
    assert close(rod(0.9 * SLENDER * 40), rng) is None


def test_a_closed_pose_is_a_circle_about_its_place(rng):
    """Axis on a circle of the body's length; as much stain as there was; a hole in the middle."""
    ring, _ = next(filter(None, (close(rod(260, 24, 120), rng) for _ in range(20))))
    pose = Pose(120.0, 118.0, 1.1, mirror=True, closed=True)
    radius = ring.length / FINE / (2 * np.pi)
    around = pose.places(ring, np.linspace(*ring.ends, 9)) - (120, 118)
    np.testing.assert_allclose(np.linalg.norm(around, axis=1), radius, rtol=1e-9)
    np.testing.assert_allclose(around[0], around[-1], atol=1e-9)
    (rows, cols), drawn = plain_sheet().footprint(ring, pose)
    # the outer half of an arc is stretched as much as the inner one is squeezed; pixels of 1/FINE
    assert drawn.sum() == pytest.approx(ring.density.sum() / FINE**2, rel=0.05)
    assert drawn[120 - rows.start, 118 - cols.start] < 0.05
    row, col = pose.places(ring, np.array([ring.ends[0]]))[0]  # where the broken ends were joined
    assert drawn[round(row) - rows.start, round(col) - cols.start] > 0.9


def test_composed_rings_are_labelled_and_bring_a_fragment(fields):
    made = [compose_cell(fields, Wanted(0, 0, rings=2.0, silent=0), np.random.default_rng(k)) for k in range(12)]
    names = [name for cell in made for name in cell.points.names]
    assert names.count("ring") >= 3 and names.count("fragment") >= 0.7 * names.count("ring")


def test_breaking_and_fusing_again_gives_the_same_body():
    body = rod(centromere=None)
    before, after = break_off(body, 70)
    again = fuse(before, after)
    # the seam overlaps by a few rows, and so the body is shorter by these
    assert body.length - 0.3 * body.width < again.length <= body.length
    middle = again.density[30:60]
    assert np.corrcoef(middle.sum(axis=0), body.density[30:60].sum(axis=0))[0, 1] > 0.98


def test_reversing_twice_changes_nothing():
    body = rod()
    twice = body.reversed().reversed()
    np.testing.assert_array_equal(twice.density, body.density)
    assert twice.centromeres == body.centromeres and twice.ends == body.ends


def plain_sheet(size: int = 240) -> Sheet:
    field = segment_like(np.zeros((size, size), np.float32))
    return Sheet.of(np.zeros((size, size), np.float32), field)


def segment_like(density):
    from cytally.dosimetry.chromosomes.segment import Segmented

    return Segmented((), np.zeros(density.shape, bool), 26.0, 1.0)


@given(
    angle=st.floats(0, 6.28),
    bend=st.floats(-0.8, 0.8),
    mirror=st.booleans(),
    where=st.floats(-0.4, 0.4),
)
def test_points_land_where_the_picture_does(angle, bend, mirror, where):
    body = rod(centromere=None)
    row = (body.ends[0] + body.ends[1]) / 2 + where * body.length
    dot = np.zeros_like(body.density)
    middle = (body.density.shape[1] - 1) // 2
    dot[int(row) - 3 : int(row) + 4, middle - 3 : middle + 4] = 1
    pose = Pose(120.3, 118.6, angle, bend, mirror)
    sheet = plain_sheet()
    window, drawn = sheet.footprint(replace(body, density=dot), pose)
    rows, cols = np.mgrid[window[0], window[1]]
    seen = np.array([(rows * drawn).sum(), (cols * drawn).sum()]) / drawn.sum()
    expected = pose.places(body, np.array([float(int(row))]))[0]
    assert np.linalg.norm(seen - expected) < 1.0


@pytest.mark.parametrize("where", [(-500.0, 60.0), (60.0, 900.0), (-300.0, -300.0)])
def test_what_would_lie_beyond_the_field_covers_nothing(where):
    sheet, body = plain_sheet(), rod()
    pose = Pose(*where, 0.3, 0.0, False)
    assert sheet.footprint(body, pose)[1].size == 0
    assert sheet.covered(body, pose, 2.0) == 1.0
    sheet.lay(body, pose)
    assert not sheet.density.any()


def test_a_chromosome_laid_back_looks_as_before(made):
    """Cut out, erased and laid at its old place: the picture is the same up to resampling."""
    density = optical_density(Image(made[0].image.pixels))
    parts = segment(density)
    for outline in parts.chromosomes[:8]:
        lifted = cut_out(density, outline, parts)
        sheet = Sheet.of(density, parts)
        sheet.erase(outline, np.random.default_rng(1))
        box = (
            slice(outline.top, outline.top + outline.mask.shape[0]),
            slice(outline.left, outline.left + outline.mask.shape[1]),
        )
        assert sheet.density[box][outline.mask].mean() < 0.1 * parts.stain
        assert not sheet.occupied[box][outline.mask].any()
        middle = np.array(outline.middle)
        shift = ((lifted.ends[0] + lifted.ends[1]) / 2 - len(lifted.density) // 2) / FINE
        middle += shift * np.array([np.cos(outline.angle), np.sin(outline.angle)])
        sheet.lay(lifted, Pose(*middle, outline.angle))
        difference = (sheet.density - density)[box][outline.mask]
        assert np.sqrt(np.mean(difference**2)) < 0.12 * parts.stain


def test_the_bright_seam_of_a_sharpening_camera_moves_along():
    """Erased, nothing of it stays; laid back, all of it is there. The network sees both otherwise."""
    sharp = replace(STYLES["straight"], halo=(0.2, 0.2), smears=(0, 0), rings=(0, 0), specks=(0, 0), radius=(320, 320))
    cell = simulate_cell(sharp, Damage(), np.random.default_rng([31, 9]))
    density = optical_density(Image(cell.image.pixels))
    parts, found = segment(density), []
    for outline in parts.chromosomes:
        around = seam(outline, parts)
        if around is None:
            continue
        sheet = Sheet.of(density, parts)
        sheet.erase(outline, np.random.default_rng(1))
        erased = sheet.density[around].mean()
        lifted = cut_out(density, outline, parts)
        middle = np.array(outline.middle)
        shift = ((lifted.ends[0] + lifted.ends[1]) / 2 - len(lifted.density) // 2) / FINE
        middle += shift * np.array([np.cos(outline.angle), np.sin(outline.angle)])
        sheet.lay(lifted, Pose(*middle, outline.angle))
        found.append((density[around].mean(), erased, sheet.density[around].mean()))
    before, erased, laid = np.mean(found, axis=0) / parts.stain
    assert len(found) >= 5 and erased - before > 0.02  # the seam is brighter than the slide left behind
    assert abs(laid - before) < 0.1 * (erased - before)


def seam(outline, parts):
    """Where the seam is brightest, 0.15 to 0.3 sizes from the outline; None where another is near."""
    own = np.zeros(parts.occupied.shape, bool)
    own[outline.top : outline.top + outline.mask.shape[0], outline.left : outline.left + outline.mask.shape[1]] = (
        outline.mask
    )
    away = ndimage.distance_transform_edt(~own)
    others = ndimage.distance_transform_edt(~(parts.occupied & ~own))
    if (others[own] < 0.8 * parts.size).any():
        return None
    return (away > 0.15 * parts.size) & (away < 0.3 * parts.size)


def test_the_same_seed_gives_the_same_cell(fields):
    one, two, other = (compose_cell(fields, Wanted(), np.random.default_rng(s)) for s in (5, 5, 6))
    assert one.image.pixels.tobytes() == two.image.pixels.tobytes()
    assert one.points.names == two.points.names
    assert other.image.pixels.tobytes() != one.image.pixels.tobytes()


def test_labels_lie_on_stained_pieces_inside_the_picture(fields):
    found = 0
    for seed in range(6):
        cell = compose_cell(fields, Wanted(silent=0.0), np.random.default_rng(seed))
        density = normalise(cell.image).values
        places = normalise(cell.image).from_image(cell.points.of("dicentric"))
        for row, col in places:
            found += 1
            around = density[max(int(row) - 8, 0) : int(row) + 9, max(int(col) - 8, 0) : int(col) + 9]
            assert around.max() > 0.5  # chromatids may part at the very place
    assert found >= 6


def test_a_silent_cell_has_no_labels_but_chromosomes_laid_anew(fields):
    cell = compose_cell(fields, Wanted(silent=1.0, anew=(6, 6), lined_up=0), np.random.default_rng(2))
    assert len(cell.points) == 0
    assert 3 <= len(cell.laid) <= 6 and len(cell.untouched) > 5


def test_a_folder_of_cells_becomes_a_labelled_folder(tmp_path, made):
    (tmp_path / "normal").mkdir()
    for number, cell in enumerate(made[:2]):
        write(tmp_path / "normal" / f"n{number}.png", cell.image)
    (tmp_path / "normal" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    write(tmp_path / "normal" / "rgb.png", Image(np.repeat(made[2].image.pixels[..., None], 3, axis=2)))
    skipped = []
    fields = read_fields(tmp_path / "normal", skipped, lambda *told: None)
    assert [one.image for one in skipped] == ["broken.png"] and len(fields) == 3
    write_composed(fields, tmp_path / "composed", 3, seed=4)
    names = [f"composed_{k:05d}.png" for k in range(3)]
    labels = read_labels(tmp_path / "composed" / "labels.csv", names)
    assert sum(len(points) for points in labels.values()) > 0
    assert read(tmp_path / "composed" / names[0]).pixels.dtype == np.uint16


def test_cells_without_a_separable_chromosome_are_refused(tmp_path):
    rows, cols = np.mgrid[:300, :300]
    grey = 220 - 150 * (np.hypot(rows - 150, cols - 150) < 60)
    write(tmp_path / "nucleus.png", Image(grey.astype(np.uint8)))
    skipped = []
    fields = read_fields(tmp_path, skipped, lambda *told: None)
    assert "expected a metaphase with separate chromosomes" in skipped[0].reason
    with pytest.raises(ImageError, match="expected at least 1 metaphase"):
        check_fields(fields, tmp_path)


def test_real_fields_come_apart(data):
    """Field 3 has 46 straight chromosomes; in fields 1 and 2 chromatids have parted: left as they are."""
    fields = [Field.of(read(data / "metaphase_scc" / f"field_{n}.png")) for n in (1, 2, 3)]
    assert [bool(f.uprights) for f in fields] == [False, False, True]
    assert 35 <= len(fields[2].uprights) <= 46


def test_fields_of_different_magnification_lend_each_other_chromosomes_that_fit(made):
    """A field half as large again: what it lends is as large as what lies there, up to chance."""
    small = made[0].image.pixels
    large = cv2.resize(made[1].image.pixels, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    fields = (Field.of(Image(small, source="small")), Field.of(Image(large, source="large")))
    assert fields[1].segmented.size / fields[0].segmented.size == pytest.approx(1.5, rel=0.15)
    wanted = Wanted(silent=1.0, anew=(18, 18), lined_up=0, swapped=1.0)
    for seed in range(6):
        cell = compose_cell(fields, wanted, np.random.default_rng(seed))
        here = next(field for field in fields if field.source == cell.field)
        parts = segment(optical_density(cell.image))
        middles = np.array([outline.middle for outline in parts.chromosomes])
        anew = [
            float(parts.chromosomes[int(k)].mask.sum())
            for place in cell.laid
            if (far := np.linalg.norm(middles - place, axis=1))[k := far.argmin()] < 0.3 * parts.size
        ]
        assert 0.7 < np.sqrt(np.median(anew)) / here.segmented.size < 1.4
