"""The chain from stain to nuclei, step by step, on arrays small enough to work out by hand."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu

from cytally.errors import ImageError, SettingsError
from cytally.evaluation.segmentation import matched, scores
from cytally.images.read import read
from cytally.livecell.labelling.nuclear_stain import (
    FluorescenceSettings,
    components,
    fill_holes,
    fill_labelled_holes,
    identify,
    prepare,
    within_sizes,
    without_border,
)
from cytally.segmentation.declump import Declumping, declump, outline_distance, peak_markers, relabelled
from cytally.segmentation.outline import Surroundings, at_half_height, largest_pieces
from cytally.segmentation.threshold import adaptive_threshold, block_otsu, otsu


def disks(*places, shape=(80, 80), radius=8.0):
    """1 inside disks at (row, col), 0 outside."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    inside = np.zeros(shape, bool)
    for row, col in places:
        inside |= (rows - row) ** 2 + (cols - col) ** 2 <= radius**2
    return inside


@given(arrays(np.uint8, 60, elements=st.integers(1, 255)))
@settings(max_examples=60, deadline=None)
def test_otsu_agrees_with_an_independent_one(levels):
    if len(np.unique(levels)) == 1:
        assert otsu(levels) == levels[0] / 255
        return
    ours = round(otsu(levels) * 255)
    theirs = threshold_otsu(levels.astype(int), nbins=256)
    # several levels between two occurring ones part the pixels alike: compare the parts
    assert np.array_equal(levels > ours, levels > theirs)


def test_otsu_ignores_pixels_without_light():
    assert otsu(np.array([0] * 500 + [10] * 20 + [200] * 20, np.uint8)) == otsu(
        np.array([10] * 20 + [200] * 20, np.uint8)
    )


def test_blocks_share_the_image_and_are_thresholded_alone():
    image = np.full((40, 60), 10, np.uint8)
    image[5:9, 5:9] = 100
    image[25:30, 45:50] = 200
    image[:20, 20:40] = 0
    found = block_otsu(image, 20)
    assert found.shape == (2, 3)
    assert found[0, 0] * 255 == pytest.approx(10)  # the lowest level that parts 10 from 100
    assert np.isnan(found[0, 1])  # nothing but zeros
    assert found[1, 0] * 255 == pytest.approx(10)  # one level only
    assert found[1, 2] * 255 == pytest.approx(10)


def test_a_local_threshold_stays_near_the_global_one():
    rng = np.random.default_rng(1)
    image = rng.integers(1, 30, (120, 120)).astype(np.uint8)
    image[:60] += 150
    image[20:30, 20:30] = 255
    everywhere = otsu(image)
    local = adaptive_threshold(image, 20)
    assert local.min() == pytest.approx(0.7 * everywhere, rel=1e-6)
    assert local.max() <= 1.5 * everywhere * (1 + 1e-6)
    assert local.shape == image.shape


def test_a_spline_through_equal_blocks_is_flat():
    tile = np.full((20, 20), 40, np.uint8)
    tile[5:12, 5:12] = 90
    assert np.ptp(adaptive_threshold(np.tile(tile, (5, 7)), 20)) < 1e-6


def test_holes_are_filled_by_size_and_only_if_enclosed():
    mask = np.ones((12, 12), bool)
    mask[2:4, 2:4] = False  # 4 pixels
    mask[6:10, 6:10] = False  # 16 pixels
    mask[0, 0] = False  # opens to the border
    filled = fill_holes(mask, 10)
    assert filled[2:4, 2:4].all() and not filled[6:10, 6:10].any() and not filled[0, 0]
    assert fill_holes(mask, 17)[6:10, 6:10].all()


def test_a_diagonal_gap_does_not_open_a_hole():
    """Objects are 8-connected, so the ground is 4-connected."""
    ring = np.zeros((7, 7), bool)
    for row, col in ((1, 3), (2, 2), (3, 1), (4, 2), (5, 3), (4, 4), (3, 5), (2, 4)):
        ring[row, col] = True
    assert fill_holes(ring, 100)[3, 3]


def test_labelled_holes_go_to_the_object_around_them():
    labels = np.zeros((9, 18), np.int32)
    labels[1:8, 1:8], labels[3:5, 3:5] = 4, 0
    labels[1:8, 10:17], labels[4, 12] = 7, 0
    filled = fill_labelled_holes(labels)
    assert (filled == 4).sum() == 49 and (filled == 7).sum() == 49


def test_what_touches_the_border_is_dropped():
    labels = components(disks((10, 10), (40, 79), (60, 40)))
    assert len(np.unique(without_border(labels))) - 1 == 2
    assert len(np.unique(labels)) - 1 == 3


@pytest.mark.parametrize(("area", "kept"), [(19, False), (20, True), (706, True), (707, False)])
def test_sizes_are_diameters_of_disks(area, kept):
    """5 to 30 pixels: pi d^2 / 4 = 19.6 to 706.9."""
    labels = np.zeros((30, 30), np.int32)
    labels.ravel()[:area] = 1
    assert bool(within_sizes(labels, 5, 30).any()) is kept


def test_touching_disks_are_parted_and_an_oval_is_not():
    pair = disks((30, 30), (30, 45), radius=8.5)
    oval = cv2.ellipse(np.zeros((80, 80), np.uint8), (40, 40), (20, 9), 30, 0, 360, 1, -1) > 0
    for by in ("shape", "intensity"):
        image = cv2.GaussianBlur(outline_distance(pair), (0, 0), 1.0)
        parts = declump(components(pair), image, Declumping(by=by))
        assert parts.max() == 2
        assert abs(int((parts == 1).sum()) - int((parts == 2).sum())) < 20
    assert declump(components(oval), oval.astype(np.float32), Declumping()).max() == 1
    assert declump(components(pair), pair.astype(np.float32), Declumping(by="none")).max() == 1


def test_without_a_neck_rule_every_maximum_is_an_object():
    """Two maxima 12 apart on one ridge: one object by the waist, two as CellProfiler parts them."""
    middle = (np.abs(np.arange(80) - 30) < 7)[:, None] & (np.abs(np.arange(80) - 36) < 7)
    bone = disks((30, 30), (30, 42), radius=8) | middle
    labels = components(bone)
    assert declump(labels, bone.astype(np.float32), Declumping(smoothing=0, suppression=2, neck=0.8)).max() == 1
    assert declump(labels, bone.astype(np.float32), Declumping(smoothing=0, suppression=2, neck=1.0)).max() >= 2


def test_parts_too_large_together_stay_two():
    oval = cv2.ellipse(np.zeros((80, 80), np.uint8), (40, 40), (24, 9), 0, 0, 360, 1, -1) > 0
    pinched = oval.copy()
    pinched[30:34, 38:42] = pinched[47:51, 38:42] = False
    how = Declumping(smoothing=1.0, neck=0.3)
    one = declump(components(pinched), pinched.astype(np.float32), how)
    two = declump(components(pinched), pinched.astype(np.float32), Declumping(smoothing=1.0, neck=0.3, largest=400))
    assert (one.max(), two.max()) == (1, 2)


def test_flat_tops_are_one_marker():
    height = np.zeros((20, 20), np.float32)
    height[5:8, 5:8] = 1
    assert peak_markers(height, height > 0, 3).max() == 1


def test_relabelling_closes_gaps_and_keeps_the_order():
    assert relabelled(np.array([[0, 5, 9], [2, 2, 0]], np.int32)).tolist() == [[0, 2, 3], [1, 1, 0]]


@pytest.mark.parametrize("blur", [0.8, 1.5, 2.5])
def test_half_height_finds_the_true_outline_whatever_the_blur(blur):
    """Area within 4 % of the disk's; the labels given are 20 % too large."""
    truth = disks((40, 40), radius=11)
    stain = 100 + 900 * cv2.GaussianBlur(truth.astype(np.float32), (0, 0), blur)
    given = components(disks((40, 40), radius=12.2))
    assert at_half_height(given, stain).sum() == pytest.approx(truth.sum(), rel=0.04)


def test_surroundings_belong_to_the_nearer_object():
    labels = np.zeros((40, 60), np.int32)
    labels[15:25, 10:20], labels[15:25, 26:36] = 1, 2
    around = Surroundings.of(labels)
    owner, ring = np.zeros(labels.size, int), np.zeros(labels.size, bool)
    owner[around.where], ring[around.where] = around.owner, around.ring
    owner, ring = owner.reshape(labels.shape), ring.reshape(labels.shape)
    assert np.array_equal(owner[labels > 0], labels[labels > 0]) and not ring[labels > 0].any()
    assert not ring[19, 21] and not ring[19, 24]  # within 2 pixels
    assert [(ring[19, c], owner[19, c]) for c in (22, 23, 5, 40)] == [
        (True, 1),
        (True, 2),
        (True, 1),
        (True, 2),
    ]
    assert around.means(labels.astype(np.float32), around.far == 0).tolist() == [1, 2]
    assert not len(Surroundings.of(np.zeros((9, 9), np.int32)).where)


def test_only_the_largest_piece_of_an_object_stays():
    labels = np.zeros((10, 20), np.int32)
    labels[1:4, 1:4], labels[6:8, 1:3], labels[1:6, 4:9] = 3, 3, 5
    found = largest_pieces(labels)
    assert found.max() == 2 and (found == 1).sum() == 9 and (found == 2).sum() == 25


def test_debris_does_not_darken_the_nuclei():
    """A speck twenty times as bright must not leave nuclei a dozen levels."""
    stain = 100 + 100 * disks((40, 20), (40, 60)).astype(np.float32)
    stain[5, 5] = 2000
    prepared = prepare(stain, slope=0)
    assert int(prepared[40, 20]) - int(prepared[70, 40]) > 200


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros((50, 50), np.uint8), "one brightness"),
        (np.full((50, 50), 65535, np.uint16), "one brightness"),
        (np.full((50, 50), np.nan, np.float32), "NaN"),
        (np.zeros((50, 50, 3), np.uint8), "grey"),
    ],
)
def test_images_without_information_are_refused(image, says):
    with pytest.raises(ImageError, match=says):
        identify(image)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(SettingsError, match="smallest < largest"):
        FluorescenceSettings(diameters=(30, 5))
    with pytest.raises(SettingsError, match="window"):
        FluorescenceSettings(window=1)


def test_plain_nuclei_are_found_each_once():
    places = [(20, 20), (20, 60), (60, 20), (58, 62)]
    truth = disks(*places, radius=7)
    rng = np.random.default_rng(2)
    stain = rng.poisson(100 + 300 * cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 1)).astype(np.uint16)
    found = identify(stain, FluorescenceSettings(half_height=0.5))
    assert found.count == 4
    assert matched(found.labels, components(truth)).hits.true == 4


def pairs_and_ovals(gap, seed, scale=8):
    """18 pairs of disks of 9 pixels, `gap` apart from middle to middle, and 18 ovals of 8 x 13; blurred, noisy."""
    rng = np.random.default_rng(seed)
    fine = np.zeros((160 * scale, 160 * scale), np.uint8)
    for k in range(36):
        middle = np.array([12.5 + 26 * (k % 6), 12.5 + 26 * (k // 6)]) * scale
        angle = rng.uniform(0, np.pi)
        if (k + k // 6) % 2:
            step = np.array([np.cos(angle), np.sin(angle)]) * gap / 2 * scale
            for place in (middle - step, middle + step):
                cv2.circle(fine, tuple(place.astype(int).tolist()), int(4.5 * scale), 1, -1)
        else:
            axes = (int(6.5 * scale), int(4 * scale))
            cv2.ellipse(fine, tuple(middle.astype(int).tolist()), axes, np.degrees(angle), 0, 360, 1, -1)
    shape = cv2.resize(fine.astype(np.float32), (160, 160), interpolation=cv2.INTER_AREA)
    return rng.poisson(30 + 150 * cv2.GaussianBlur(shape, (0, 0), 0.8)).astype(np.uint16)


@pytest.mark.parametrize("seed", range(3))
def test_waists_of_small_nuclei_are_seen_at_twice_the_resolution(seed):
    """18 x 2 + 18 nuclei; a pair 7.5 pixels apart has a waist one pixel deep, and an oval has none."""
    stain, usual = pairs_and_ovals(7.5, seed), FluorescenceSettings.for_nuclei(5, 30)
    assert identify(stain, usual).count == 54
    assert identify(stain, replace(usual, fine=0.0)).count < 45
    found = identify(stain, usual).labels
    assert found.shape == stain.shape and abs(np.median(np.bincount(found.ravel())[1:]) / (np.pi * 4.5**2) - 1) < 0.2


def test_real_nuclei(data):
    """StarDist's images, F1 at IoU 0.5 with a range of 5 to 30 pixels: 0.892 and 0.860 are reached.

    Of the second, 8 of 65 labels are specks of 5 pixels that nobody sees in the picture: 0.934 is
    the most there is. An earlier recipe reached 0.922 and 0.891 here, and less on images of other sizes.
    """
    folder = data / "nuclei_stardist"
    settings = FluorescenceSettings.for_nuclei(5, 30)
    image = read(folder / "stardist_data_images_img2d.tif").pixels
    truth = read(folder / "stardist_data_images_mask2d.tif").pixels.astype(np.int32)
    assert scores(matched(identify(image, settings).labels, truth).hits).dice >= 0.88
    image = read(folder / "tests_data_img2d.tif").pixels
    truth = read(folder / "tests_data_mask2d.tif").pixels.astype(np.int32)
    assert scores(matched(identify(image, settings).labels, truth).hits).dice >= 0.85
