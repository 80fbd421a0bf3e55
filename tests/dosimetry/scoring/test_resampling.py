"""Sampled ensembles: held to a slow twin, resumable, and felt by the dose."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors import candidates as probability
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.laboratory.series import dose_of_run
from cytally.dosimetry.pipeline import score_folder
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.disagreement import Sampled, read_sampled
from cytally.dosimetry.scoring.run import read_run
from cytally.dosimetry.simulate.breakage import Damage, Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.dosimetry.simulate.styles import STYLES
from cytally.errors import CountsError
from cytally.types import Detections, Image

CURVE = Curve(np.array([0.00128, 0.02103, 0.06307]), np.zeros((3, 3)))


def seeded(count):
    """What draws the members of so many sampled ensembles."""
    return np.random.default_rng([880_000, count])


@pytest.fixture(scope="module")
def density():
    made = simulate_cell(STYLES["hard"], Damage(3, 0, 2), np.random.default_rng(5), (640, 640))
    return normalise(Image(made.image.pixels))


def test_sampled_votes_are_those_of_ensembles_that_have_just_these_members(random_ensemble, density):
    whole = load_ensemble(random_ensemble).with_thresholds(confidence=0.27)  # where these fire
    draws = whole.rule.drawn(seeded(6), 6)
    found = [each.count("dicentric") for each in whole.draws(density, 6)]
    for chosen, count in zip(draws, found, strict=True):
        confidence = [whole.card.thresholds.confidence[k] for k in chosen]
        card = whole.card.model_copy(
            update={"thresholds": whole.card.thresholds.model_copy(update={"confidence": confidence})}
        )
        hard_rule_probability = replace(whole, members=tuple(whole.members[k] for k in chosen), card=card)
        assert hard_rule_probability.detect(density).count("dicentric") == count
    assert len(set(found)) > 1  # random networks disagree


def test_sampled_readings_are_those_of_the_proposing_members(shipped, density, monkeypatch):
    draws = shipped.rule.drawn(seeded(3), 3)
    found = [each.count("dicentric") for each in shipped.draws(density, 3)]
    for chosen, count in zip(draws, found, strict=True):
        monkeypatch.setattr(probability, "proposing", lambda *_, chosen=chosen: chosen.tolist())
        assert shipped.detect(density).count("dicentric") == count
    assert all(len(set(chosen.tolist())) == probability.PROPOSING for chosen in draws)


def test_a_run_keeps_its_sampled_counts_and_the_dose_carries_them(random_ensemble, tmp_path):
    write_folder(Order(3, Exposure(3.0), "dark", seed=2, shape=(512, 512)), tmp_path / "cells")
    (tmp_path / "cells" / "broken.png").write_bytes(b"")
    ensemble = load_ensemble(random_ensemble).with_thresholds(confidence=0.27)
    outcome = score_folder([tmp_path / "cells"], tmp_path / "run", ensemble, curve=curve_by(ensemble), sampled=12)
    cells = read_run(tmp_path / "run")
    with (tmp_path / "run" / "sampled.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 4 and len(rows[0]) == 14 and rows[1][0] == "S1_00000.png"
    assert outcome.sampled.totals.tolist() == read_sampled(tmp_path / "run", cells).totals.tolist()
    journal = tmp_path / "run" / "sampled.jsonl"
    journal.write_text("\n".join(journal.read_text().split("\n")[:2]) + '\n{"image": "S1_')  # killed
    again = score_folder([tmp_path / "cells"], tmp_path / "run", ensemble, curve=curve_by(ensemble), sampled=12)
    assert again.sampled.totals.tolist() == outcome.sampled.totals.tolist()
    assert outcome.sampled.disagreement > 0
    carried = dose_of_run(tmp_path / "run", curve_by(ensemble))
    (tmp_path / "run" / "sampled.csv").unlink()
    plain = dose_of_run(tmp_path / "run", curve_by(ensemble))
    assert carried.upper > plain.upper and carried.upper == outcome.dose.upper


def curve_by(ensemble):
    return replace(CURVE, detector=ensemble.card.identity)


def test_words_and_a_table_that_is_none(tmp_path):
    assert str(Sampled(np.arange(60, 71))).startswith("11 sampled ensembles count 60 to 70 dicentrics")
    cells = [ScoredCell("a.png", Detections.empty(4), sha256="ab")]
    (tmp_path / "sampled.csv").write_text("image,sha256,ensemble_000\na.png,ab,many\n")
    with pytest.raises(CountsError, match="expected whole numbers per sampled ensemble"):
        read_sampled(tmp_path, cells)
    for text, words in (
        ("image,sha256\na.png,ab\n", "no sampled ensemble"),
        ("image,other\na.png,1\n", "counts other images"),
        ("image,sha256,ensemble_000,ensemble_001\na.png,ab,1\n", "expected 4 cells in every row, got 3 in row 2"),
        ("image,sha256,ensemble_000\na.png,ab,²\n", "expected whole numbers per sampled ensemble"),
    ):
        (tmp_path / "sampled.csv").write_text(text)
        with pytest.raises(CountsError, match=words):
            read_sampled(tmp_path, cells)
    assert read_sampled(tmp_path / "elsewhere", cells) is None
