"""One run, one dose: the same limits through the page, `dose`, `report` and JSON, and pages that say what they carry."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import DosePoint, Origin, calibrate
from cytally.dosimetry.estimation.dose import dose_of_counts
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.disagreement import write_sampled
from cytally.dosimetry.scoring.run import RunSettings, counts_of, open_run, write_tables
from cytally.types import Detections

POINTS = [DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (1, 1168, 109), (2, 333, 103), (4, 103, 103))]
DETECTOR = "0123abcd"
TOTALS = (20, 30, 38, 46, 56)  # standard deviation 13.9


def run(*words):
    done = CliRunner().invoke(cli, ["dosimetry", *map(str, words)])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


@pytest.fixture
def scored(tmp_path):
    """A run made by hand: 100 cells with 38 dicentrics, counted again by five sampled ensembles."""
    folder = tmp_path / "run"
    folder.mkdir()
    settings = RunSettings("metaphase-1", DETECTOR, ("dicentric", "fragment"), ("gone",), ((0.4, 0.5),), (0, 0))
    one = Detections(*(np.zeros(1),) * 2, ("dicentric",), np.ones(1, int), *(np.ones(1),) * 2, 1, np.full(1, np.nan))
    cells = [ScoredCell(f"{k}.png", one if k < 38 else Detections.empty(1), 46, 1.0, f"{k:064x}") for k in range(100)]
    planned = {cell.image: cell.sha256 for cell in cells}
    open_run(folder, settings, "0.1.0", "2026-01-01T00:00:00+00:00", planned)
    write_tables(folder, cells, settings.classes, {})
    counts = counts_of(cells, settings.classes, DETECTOR)
    write_sampled(folder, cells, [[int(k < total) for total in TOTALS] for k in range(100)])
    return folder, counts


@pytest.fixture
def curves(tmp_path):
    """The same curve, counted by the detector and by people."""
    made = {}
    for name, detector in (("own", DETECTOR), ("manual", "")):
        made[name] = tmp_path / f"{name}.json"
        calibrate(POINTS, origin=Origin("60Co", detector=detector)).save(made[name])
    return made


def numbers_in(text):
    return re.search(r"(\d+\.\d\d) Gy.*?\(?(\d+\.\d\d) to (\d+\.\d\d)", text, re.S).groups()


def test_one_run_has_the_same_limits_everywhere(scored, curves, tmp_path):
    """`report` once left out the disagreement that `dose` carried: 0.76 to 1.11 Gy for 0.59 to 1.32 Gy."""
    folder, counts = scored
    said = run("dose", folder, "--curve", curves["own"])
    expected = numbers_in(said)
    told = json.loads(run("dose", folder, "--curve", curves["own"], "--json"))
    assert expected == tuple(f"{told[key]:.2f}" for key in ("dose_gy", "lower_gy", "upper_gy"))
    assert numbers_in((folder / "report.html").read_text().split('class="dose">')[1]) == expected
    report = run("report", folder, "--curve", curves["own"], "--out", tmp_path / "r.html")
    assert numbers_in(report.split("\n", 1)[1]) == expected
    page = (tmp_path / "r.html").read_text()
    assert numbers_in(page.split("Mean absorbed dose to the whole body")[1]) == expected
    from cytally.dosimetry.curves.calibrate import Curve

    narrow = dose_of_counts(counts, Curve.load(curves["own"]))
    assert told["lower_gy"] < narrow.lower and told["upper_gy"] > narrow.upper
    for text in (said, page, (folder / "report.html").read_text()):
        assert "members disagree (standard deviation 13.9 dicentrics)" in text.replace("&#39;", "'")


def test_sampled_counts_of_other_cells_are_refused(scored, curves):
    folder, _ = scored
    table = (folder / "sampled.csv").read_text().splitlines()
    (folder / "sampled.csv").write_text("\n".join(table[:-1]) + "\n")
    done = CliRunner().invoke(cli, ["dosimetry", "dose", str(folder), "--curve", str(curves["own"])])
    assert done.exit_code == 1 and "counts other images than the run" in done.output


def test_the_page_of_a_run_says_what_was_carried(scored, curves):
    """With --recall and --false the errors of the detector are in the limits: the page must not deny it."""
    folder, _ = scored
    run("dose", folder, "--curve", curves["manual"], "--recall", "150,50", "--false", "6,600")
    page = (folder / "report.html").read_text().replace("&#39;", "'")
    assert "the detector's recall and false detections as measured on the validation set" in page
    assert "do not carry errors of the detector" not in page and "absorbed" not in page
    run("dose", folder, "--curve", curves["own"])
    page = (folder / "report.html").read_text().replace("&#39;", "'")
    assert "do not carry errors of the detector beyond those that the curve" in page
    run("dose", folder, "--curve", curves["manual"], "--any-detector")
    page = (folder / "report.html").read_text()
    assert "a difference in scoring between the sample and the curve" in page and "absorbed" not in page


def test_the_page_of_a_protracted_exposure_names_it(scored, curves):
    folder, _ = scored
    run("dose", folder, "--curve", curves["own"], "--hours", 24)
    page = (folder / "report.html").read_text()
    assert "protracted over 24 h (G = 0.153)" in page and "an acute exposure of the whole body" not in page
