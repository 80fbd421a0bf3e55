"""Noise has no nuclei; nuclei that stand out of it stay."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cytally.evaluation.segmentation import matched
from cytally.images.masks import read_mask
from cytally.images.read import read
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify
from cytally.segmentation.contrast import is_noise, noise_of, standing_out

STAIN = FluorescenceSettings.for_nuclei(5, 30)
SHAPE = (256, 256)


def blank(kind, seed=0):
    rng = np.random.default_rng(seed)
    row = np.mgrid[: SHAPE[0], : SHAPE[1]][0]
    if kind == "jpeg":
        grey = np.clip(rng.normal(40, 6, SHAPE), 0, 255).astype(np.uint8)
        return cv2.imdecode(cv2.imencode(".jpg", grey, [1, 75])[1], 0)
    return {
        "gaussian": lambda: np.round(rng.normal(286, 3, SHAPE)).astype(np.uint16),
        "poisson": lambda: rng.poisson(100, SHAPE).astype(np.uint16),
        "photons": lambda: rng.poisson(0.5, SHAPE).astype(np.uint8),
        "smeared": lambda: cv2.GaussianBlur(rng.normal(300, 30, SHAPE), (0, 0), 1.5),
        "enlarged": lambda: cv2.resize(rng.normal(100, 5, (128, 128)), SHAPE, interpolation=cv2.INTER_CUBIC),
        "median": lambda: cv2.medianBlur(rng.normal(100, 8, SHAPE).astype(np.uint8), 3),
        "uneven light": lambda: rng.poisson(100 + 0.3 * row).astype(np.uint16),
        "hot pixel": lambda: np.where(rng.random(SHAPE) > 0.9999, 4000, rng.normal(286, 3, SHAPE)),
    }[kind]()


@pytest.mark.parametrize(
    "kind",
    ["gaussian", "poisson", "photons", "smeared", "enlarged", "median", "uneven light", "jpeg", "hot pixel"],
)
def test_noise_of_any_kind_has_no_nuclei(kind):
    for seed in range(2):
        found = identify(blank(kind, seed), STAIN)
        assert found.count == 0 and found.oversized == 0 and found.usual == 0


def test_without_the_floor_noise_is_full_of_nuclei():
    """What the floor is for: the same threshold by itself finds dozens."""
    bare = FluorescenceSettings(diameters=(5, 30), contrast=0)
    assert identify(blank("poisson"), bare).count > 20


@pytest.mark.parametrize(("kind", "height"), [("gaussian", 4), ("poisson", 6), ("smeared", 8), ("hot pixel", 4)])
def test_one_dim_nucleus_in_noise_stays_and_is_alone(kind, height):
    """Some times as high as the noise deviates, 15 pixels wide."""
    noise = np.asarray(blank(kind), np.float64)
    nucleus = np.zeros(SHAPE, np.float32)
    cv2.circle(nucleus, (90, 140), 7, 1.0, -1)
    deviation = 1.4826 * np.median(np.abs(noise - np.median(noise)))
    found = identify(noise + height * deviation * cv2.GaussianBlur(nucleus, (0, 0), 1), STAIN).labels
    assert found.max() == 1 and found[140, 90] == 1


def test_the_noise_of_white_noise_is_its_deviation():
    """3 within 3 %, for small and for large images, and twice that where an image was enlarged."""
    rng = np.random.default_rng(3)
    for shape in ((300, 300), (900, 1200)):
        assert noise_of(rng.normal(50, 3, shape)) == pytest.approx(3, rel=0.03)
    small = rng.normal(50, 3, (300, 300)).astype(np.float32)
    large = cv2.resize(small, (600, 600), interpolation=cv2.INTER_CUBIC)
    assert noise_of(large, scale=2.0) == pytest.approx(6, rel=0.15)


def test_a_crowd_is_no_noise():
    """Nuclei over 60 % of the field: their spread is not taken for noise."""
    light = np.zeros(SHAPE, np.float32)
    for k in range(100):
        cv2.circle(light, (12 + 25 * (k % 10), 12 + 25 * (k // 10)), 11, 1.0, -1)
    image = np.random.default_rng(0).poisson(100 + 500 * cv2.GaussianBlur(light, (0, 0), 1)).astype(np.uint16)
    assert not is_noise(image, (5, 30)) and identify(image, STAIN).count == 100


def test_no_objects_and_no_noise_are_left_as_they_are():
    clean = np.zeros((40, 40), np.float32)
    clean[10:20, 10:20] = 5
    labels = (clean > 0).astype(np.int32)
    assert np.array_equal(standing_out(clean, labels, (5, 30), 9.0), labels)
    assert not standing_out(clean, np.zeros_like(labels), (5, 30), 9.0).any()


def test_real_nuclei_all_stay(data):
    """StarDist's image: as many of its nuclei match at IoU 0.5 with the floor as without."""
    image = read(data / "nuclei_stardist" / "stardist_data_images_img2d.tif").pixels
    truth = read_mask(data / "nuclei_stardist" / "stardist_data_images_mask2d.tif")
    with_floor, without = (
        matched(identify(image, each).labels, truth).hits for each in (STAIN, replace(STAIN, contrast=0.0))
    )
    assert with_floor.true == without.true > 100 and with_floor.false <= without.false
