"""Pairs that are none: pictures of two fields, copies, one picture for both.

Nuclei are disks of 8 pixels in the stain, dark with a bright rim in phase contrast.
"""

import shutil

import cv2
import numpy as np
import pytest

from cytally.errors import ImageError
from cytally.images.read import read
from cytally.images.write import write
from cytally.livecell.labelling.folder import LabelSettings, label_folder
from cytally.livecell.labelling.pairs import FITTING, likeness
from cytally.types import Image


def field(seed, count=25, beside=(0, 0), size=256):
    """(phase contrast, stain) of one field; the stain's camera looks beside."""
    rng = np.random.default_rng(seed)
    light, phase = np.zeros((size, size), np.float32), np.full((size, size), 1000, np.float32)
    places: list[np.ndarray] = []
    while len(places) < count:
        place = rng.integers(45, size - 45, 2) if any(beside) else rng.integers(15, size - 15, 2)
        if all(np.hypot(*(place - other)) > 20 for other in places):
            places.append(place)
    for row, col in places:
        cv2.circle(light, (int(col + beside[1]), int(row + beside[0])), 8, 800, -1)
        cv2.circle(phase, (int(col), int(row)), 11, 1600, 2)
        cv2.circle(phase, (int(col), int(row)), 8, 700, -1)
    both = (rng.normal(cv2.GaussianBlur(each, (0, 0), 1.5) + 100, 20) for each in (phase, light))
    return tuple(np.clip(each, 0, 65535).astype(np.uint16) for each in both)


@pytest.fixture
def pairs(tmp_path):
    """Folders of phase contrast and stain; the stains may be those of other fields."""

    def made(*fields, turn=0):
        for k, (phase, _) in enumerate(fields):
            stain = fields[(k + turn) % len(fields)][1]
            for place, pixels in (("ph", phase), ("fl", stain)):
                path = tmp_path / place / f"A{k + 1}_t0.tif"
                path.parent.mkdir(exist_ok=True)
                write(path, Image(pixels))
        return label_folder(tmp_path / "ph", tmp_path / "fl", tmp_path / "out", LabelSettings())

    made.folder = tmp_path
    return made


@pytest.mark.parametrize("seed", range(3))
def test_pictures_of_one_field_are_alike_and_those_of_two_are_not(seed):
    """Also dark on bright, and where only edges are shared."""
    (phase, stain), (other, _) = field(seed), field(seed + 10)
    mask = (stain > 500).astype(np.int32)
    assert likeness(phase, mask) > 2 * FITTING and likeness(65535 - phase, mask) > 2 * FITTING
    assert likeness(other, mask) < FITTING
    assert likeness(phase, np.zeros_like(mask)) == np.inf


def test_large_images_are_compared_at_half_their_size():
    phase, stain = (np.kron(each, np.ones((5, 5), np.uint16)) for each in field(1))
    assert likeness(phase, (stain > 500).astype(np.int32)) > FITTING
    assert likeness(np.ascontiguousarray(phase[::-1]), (stain > 500).astype(np.int32)) < FITTING


def test_stains_of_other_fields_move_nothing_and_are_rejected(pairs):
    made = pairs(*(field(k) for k in range(4)), turn=1)
    assert (made.offset.row, made.offset.col) == (0, 0) and not made.kept
    assert all(one.reason.startswith("no more like its phase contrast than another field is (") for one in made.fields)
    assert made.hints == (
        "in 4 of 4 pairs stain and phase contrast have nothing in common (first: A1_t0.tif): are they of the same "
        "fields?; their labels are rejected",
    )


def test_one_wrong_pair_among_right_ones_is_rejected_alone(pairs):
    fields = [field(k) for k in range(5)]
    fields[2] = fields[2][0], field(99)[1]
    made = pairs(*fields)
    assert [one.kept for one in made.fields] == [True, True, False, True, True]
    assert "in 1 of 5 pairs" in made.hints[0] and "A3_t0.tif" in made.hints[0]


def test_two_pairs_that_do_not_fit_are_told_but_kept(pairs):
    made = pairs(field(1), field(2), turn=1)
    assert len(made.kept) == 2 and made.hints[0].endswith("are they of the same fields?")


@pytest.mark.parametrize(("count", "moves"), [(4, True), (2, False)])
def test_an_offset_is_moved_over_three_fields_or_more(pairs, count, moves):
    """Six rows and -9 columns."""
    made = pairs(*(field(k, count=20, beside=(-6, 9)) for k in range(count)))
    assert len(made.kept) == count
    if moves:
        assert (made.offset.row, made.offset.col) == (pytest.approx(-6, abs=1.5), pytest.approx(9, abs=1.5))
        assert not made.hints
    else:
        assert (made.offset.row, made.offset.col) == (0, 0)
        assert "2 fields cannot tell; not corrected" in made.hints[0]


def test_a_real_pair_fits_and_its_mirror_image_does_not(data):
    from cytally.images.masks import grey
    from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify

    folder = data / "brightfield_dapi_sephace"
    mask = identify(grey(read(folder / "fl.tif")), FluorescenceSettings.for_nuclei(40, 180)).labels
    for path in sorted(folder.glob("*Point*.tif")):
        assert likeness(grey(read(path)), mask) > 2 * FITTING
        assert likeness(grey(read(path)), np.ascontiguousarray(mask[::-1, ::-1])) < FITTING


def test_copies_of_a_pair_teach_once(pairs):
    """A whole pair again; a stain under the name of another field."""
    pairs(*(field(k) for k in range(4)))
    for place in ("ph", "fl"):
        shutil.copy(pairs.folder / place / "A1_t0.tif", pairs.folder / place / "A1_t0 - Copy.tif")
    shutil.copy(pairs.folder / "fl" / "A2_t0.tif", pairs.folder / "fl" / "A4_t0.tif")
    made = label_folder(pairs.folder / "ph", pairs.folder / "fl", pairs.folder / "again", LabelSettings())
    assert [one.name.path.name for one in made.kept] == ["A1_t0.tif", "A2_t0.tif", "A3_t0.tif"]
    assert [(one.image, one.reason) for one in made.skipped] == [
        ("A1_t0 - Copy.tif", "identical to A1_t0.tif"),
        ("A4_t0.tif", "its stain is identical to that of A2_t0.tif"),
    ]


def test_one_picture_is_no_pair(pairs):
    """The same folder for both; the same pixels in another container."""
    pairs(*(field(k) for k in range(3)))
    ph, out = pairs.folder / "ph", pairs.folder / "again"
    with pytest.raises(
        ImageError, match=r"none of 3 pairs .*but A1_t0.tif is the same picture; give each its own folder"
    ):
        label_folder(ph, ph, out, LabelSettings())
    (pairs.folder / "png").mkdir()
    for path in ph.iterdir():
        write(pairs.folder / "png" / f"{path.stem}.png", read(path))
    with pytest.raises(ImageError, match=r"but A1_t0.png is the same picture"):
        label_folder(ph, pairs.folder / "png", out, LabelSettings())
