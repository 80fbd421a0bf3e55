"""A detector that is one class goes the whole way: score, the report, evaluation, refusals."""

import csv
import inspect
import json

import numpy as np
import pytest
from tests.cases import toy_detector
from tests.cases.toy_detector import BySize

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.detectors.protocol import Heatmaps, Resampling
from cytally.dosimetry.measure.evaluate import evaluate, labelled_cells, write_evaluation
from cytally.dosimetry.measure.normal import evaluate_normal
from cytally.dosimetry.pipeline import score, score_folder
from cytally.dosimetry.scoring.run import read_run
from cytally.dosimetry.scoring.workers import scored
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import RunError, SettingsError
from cytally.images.inputs import name_images


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    write_folder(Order(4, Exposure(4.0), "dark", seed=3, shape=(640, 640)), folder)
    return folder


def quiet(*_):
    """No progress."""


def test_it_scores_into_a_run_with_a_report_that_names_it(cells, tmp_path):
    outcome = score_folder([cells], tmp_path / "run", BySize(), pictures=True)
    assert outcome.counts.cells == 4 and outcome.counts.detector == "by-size-2-0.33"
    with (tmp_path / "run" / "detections.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(outcome.counts.total(name) for name in BySize.classes) > 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "by-size-2-0.33" in page and "votes needed" not in page and "confidence of the members" not in page
    again = score_folder([cells], tmp_path / "run", BySize())  # resumed: everything is there
    assert again.counts.total("dicentric") == outcome.counts.total("dicentric")
    assert [len(cell.detections) for cell in read_run(tmp_path / "run")] == [
        sum(row["image"] == name for row in rows) for name in name_images([cells])
    ]


def test_processes_give_what_one_gives(cells):
    paths = name_images([cells])
    here, there = (list(scored(paths, BySize(), jobs)) for jobs in (1, 2))
    assert [cell.image for cell in here] == [cell.image for cell in there]
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.detections.row, other.detections.row)


def test_it_is_evaluated_without_heatmaps(cells, tmp_path):
    skipped = []
    result = evaluate(labelled_cells(cells, skipped), 4, BySize(), skipped, sweeping=True)
    figures = write_evaluation(result, tmp_path, BySize())
    assert result.sweep is None and figures["detector"] == "by-size-2-0.33" and not skipped
    total = result.total("dicentric", "one_to_one")
    labelled = sum(
        row["class"] == "dicentric" for row in csv.DictReader((cells / "labels.csv").read_text().splitlines())
    )
    assert total.true + total.missed == labelled > 0
    json.loads((tmp_path / "evaluation.json").read_text())
    normal = evaluate_normal(name_images([cells]), BySize(), quiet)
    assert normal.rates[0].found == score(cells, BySize()).total("dicentric")


def test_what_it_cannot_do_is_said(cells, tmp_path):
    with pytest.raises(SettingsError, match="by-size: has no members that could be drawn anew"):
        score_folder([cells], tmp_path / "run", BySize(), sampled=3)


def test_another_limit_is_another_detector(cells, tmp_path):
    score_folder([cells], tmp_path / "run", BySize())
    with pytest.raises(RunError, match="holds a run with other detector"):
        score_folder([cells], tmp_path / "run", BySize(large=1.5))


def test_it_is_one_short_file_and_what_it_offers_is_known():
    assert len(inspect.getsource(toy_detector).splitlines()) <= 80
    assert not isinstance(BySize(), Resampling | Heatmaps)
    assert isinstance(load_ensemble(), Resampling) and isinstance(load_ensemble(), Heatmaps)
