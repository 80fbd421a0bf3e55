"""The page is complete in itself and looks right in a real browser."""

import re

import cv2
import numpy as np
import pytest
from tests.cases.commands import needs_chromium, photograph

from cytally.dosimetry.curves.calibrate import Curve, DosePoint, Origin, calibrate
from cytally.dosimetry.estimation.dose import dose_of_counts
from cytally.dosimetry.laboratory.series import FinishedRun
from cytally.dosimetry.reporting.run_page import curve_figure, words_for, write_report
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.run import RunSettings, counts_of
from cytally.figures.style import as_svg
from cytally.files.json import write_json
from cytally.images.write import write
from cytally.statistics.poisson import dispersion
from cytally.types import Detections, Image, Skipped

POINTS = [DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (1, 1168, 109), (2, 333, 103), (4, 103, 103))]


@pytest.fixture
def page(tmp_path, rng):
    """Five cells, one skipped, three detections whose crops are plain grey."""
    write(tmp_path / "a.png", Image(rng.integers(90, 110, (300, 300)).astype(np.uint8)))
    found = Detections(
        np.array([100.0, 150.0, 5.0]),
        np.array([100.0, 150.0, 5.0]),
        ("dicentric", "dicentric", "fragment"),
        np.array([6, 9, 8]),
        np.array([0.6, 0.9, 0.8]),
        np.array([0.1, 0.05, 0.1]),
        10,
        np.full(3, np.nan),
    )
    none = Detections.empty(10)
    cells = [ScoredCell("a.png", found, 46, 1.0, "ab" * 32)]
    cells += [ScoredCell(f"{k}.png", none, n, 1.0, "cd" * 32) for k, n in enumerate((46, 46, 22))]
    cells += [ScoredCell("<bad>.png", none, skipped=Skipped("<bad>.png", "no contrast & more"))]
    settings = RunSettings(
        "metaphase-1", "0123abcd", ("dicentric", "fragment"), (str(tmp_path),), ((0.4, 0.5),) * 10, (5, 4)
    )
    curve = calibrate(POINTS, origin=Origin("60Co", detector="0123abcd"))
    counts = counts_of(cells, settings.classes, settings.detector)
    run = tmp_path / "run"
    run.mkdir()
    write_json(
        run / "run.json",
        {
            "settings": {},
            "version": "0.1.0",
            "started": "2026-01-01T00:00:00+00:00",
            "machine": {"system": "Linux", "processor": "x86_64", "cores": 2, "python": "3.11"},
        },
    )
    return write_report(
        FinishedRun(run, settings, tuple(cells), counts),
        {"a.png": tmp_path / "a.png"},
        curve=curve,
        dose=dose_of_counts(counts, curve),
    )


def test_everything_a_reader_needs_is_on_the_page(page):
    text = page.read_text()
    for words in (
        "Dose estimate",
        "2 dicentrics in 4 cells",
        "metaphase-1",
        "0123abcd",
        "dicentric more than 5",
        "6 of 10 votes",
        "&lt;bad&gt;.png",
        "no contrast &amp; more",
        "ab" * 32,
        "acute exposure",
    ):
        assert words in text, words
    assert text.index("6 of 10 votes") < text.index("9 of 10 votes")  # the doubtful first


def test_yields_per_cell_and_per_46_objects_stand_side_by_side(page):
    """Two dicentrics in 4 cells with 46, 46, 46 and 22 objects: 0.5 per cell, 2 x 46 / 160 per 46 objects."""
    text = page.read_text()
    row = re.search(r"<td>dicentric</td>(.*?)</tr>", text).group(1)
    assert re.findall(r"<td>([\d.]+)</td>", row) == ["2", "0.5000", "0.5750"]
    assert "40.0 chromosome-like objects per cell" in text


def test_nothing_is_fetched_from_elsewhere(page):
    text = page.read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "<script" not in text and "<link" not in text
    assert len(text) < 2_000_000


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([100], "too few"),
        ([90, 9, 1], "agrees with a Poisson"),
        ([900, 10, 10, 10], "overdispersed"),
        ([2, 96, 2], "underdispersed"),
    ],
)
def test_dispersion_in_words(counts, words):
    assert words in words_for(dispersion(np.array(counts)))


def test_a_curve_from_literature_without_data_can_be_drawn(page, tmp_path):
    drawn = curve_figure(Curve(np.array([0.001, 0.02, 0.06]), np.zeros((3, 3))), None)
    assert as_svg(drawn).startswith("<svg")


@needs_chromium
def test_a_browser_shows_the_dose_the_curve_and_the_gallery(page, tmp_path):
    picture = cv2.imread(str(photograph(page, tmp_path, (1000, 2200)))).astype(int)
    red = np.abs(picture - (32, 44, 213)).max(axis=2) < 12  # border of a dicentric, line of the sample
    blue = np.abs(picture - (178, 114, 0)).max(axis=2) < 12  # border of the fragment, the curve
    assert red.sum() > 500 and blue.sum() > 500
    crops = (
        (np.abs(picture - picture.mean(axis=2, keepdims=True)).max(axis=2) < 8)
        & (picture[..., 0] > 60)
        & (picture[..., 0] < 200)
    )
    assert crops.sum() > 3 * 60 * 60  # three grey crops were decoded and drawn
