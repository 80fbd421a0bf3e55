"""Detections in unexposed cells, in words and numbers that the facts of the field confirm."""

import json
import math
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.detector import train as training  # noqa: F401  (they join the group)
from cytally.cli.main import cli
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.measure.normal import rate_of, reads_as, sentence
from cytally.dosimetry.simulate.breakage import Damage, Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.dosimetry.simulate.styles import STYLES
from cytally.dosimetry.training import adapt as module
from cytally.images.write import write
from cytally.inference.ensemble import add_verifiers
from cytally.nets.unet import Architecture
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.training.checkpoints import save_tensors, weights_of


@pytest.mark.parametrize(
    ("rate", "gray"),
    [
        (0.0005, 0.02),
        (0.001, 0.04),
        (0.002, 0.08),
        (0.005, 0.16),
        (0.01, 0.27),
        (0.02, 0.42),
        (0.05, 0.74),
        (0.1, 1.1),
        (0.5, 2.7),
    ],
)
def test_a_false_rate_reads_as_the_published_dose(rate, gray):
    """Facts of the field: false detections read as dose (rounded there to 2 digits)."""
    assert reads_as(rate) == pytest.approx(gray, abs=0.05 if gray > 1 else 0.0051)


def test_words_for_none_many_and_no_cells():
    assert "738 without any" in sentence(rate_of("dicentric", 0, 5))
    assert "far too many for unexposed cells" in sentence(rate_of("dicentric", 40, 50))
    assert "far too many" not in sentence(rate_of("dicentric", 1, 1000))
    assert "nothing is known" in sentence(rate_of("fragment", 0, 0))
    assert math.isnan(rate_of("fragment", 1, 10).reads_as_gy)


def test_equal_names_in_two_folders_are_two_cells_and_a_copy_is_none(tmp_path, random_ensemble):
    for number, patient in enumerate(("a", "b")):
        write_folder(Order(1, Exposure(0.0), "dark", seed=number, shape=(448, 448)), tmp_path / "cells" / patient)
        (tmp_path / "cells" / patient / "S1_00000.png").rename(tmp_path / "cells" / patient / "cell.png")
    shutil.copy(tmp_path / "cells" / "a" / "cell.png", tmp_path / "cells" / "again.png")
    out = ["--out", str(tmp_path / "out"), "--ensemble", str(random_ensemble)]
    result = CliRunner().invoke(cli, ["dosimetry", "evaluate", str(tmp_path / "cells"), "--normal", *out])
    assert result.exit_code == 3, result.output
    figures = json.loads((tmp_path / "out" / "normal.json").read_text())
    assert figures["rates"][0]["cells"] == 2
    assert figures["skipped"] == [{"image": "a/cell.png", "reason": "the same picture as again.png"}]


def test_evaluate_normal_needs_no_labels(tmp_path, random_ensemble):
    write_folder(Order(2, Exposure(0.0), seed=3, shape=(512, 512)), tmp_path / "cells")
    (tmp_path / "cells" / "labels.csv").unlink()
    (tmp_path / "cells" / "broken.png").write_text("no image")
    arguments = [
        "dosimetry",
        "evaluate",
        "--normal",
        tmp_path / "cells",
        "--out",
        tmp_path / "out",
        "--ensemble",
        random_ensemble,
        "--confidence",
        0.1,
        "--agreement",
        0,
    ]
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 3, result.output
    assert "in 2 cells" in result.output and "broken.png" in result.output
    stored = json.loads((tmp_path / "out" / "normal.json").read_text())
    assert [rate["cells"] for rate in stored["rates"]] == [2, 2]
    page = (tmp_path / "out" / "normal.html").read_text()
    found = sum(rate["found"] for rate in stored["rates"])
    assert page.count("<figure") == min(found, 96) and found > 0


@pytest.fixture
def slide(tmp_path):
    """Three unexposed cells of one look."""
    (tmp_path / "slide").mkdir()
    for seed in range(3):
        made = simulate_cell(STYLES["straight"], Damage(), np.random.default_rng([31, seed]))
        write(tmp_path / "slide" / f"n{seed}.png", made.image)
    return tmp_path / "slide"


def test_adapt_in_miniature(tmp_path, slide, random_ensemble, monkeypatch):
    for name, value in (("_CHECKED", 2), ("_EXPOSED", 2), ("_SILENT", 2)):
        monkeypatch.setattr(module, name, value)
    tiny = module.replace(module.ADAPT, pool=module.PoolSettings(size=8, fresh=2, workers=1), side=256)
    monkeypatch.setattr(module, "ADAPT", tiny)
    arguments = ["dosimetry", "adapt", slide, "--out", tmp_path / "ours", "--ensemble", random_ensemble, "--epochs", 2]
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    assert "learnt from 2 field(s), checked on 1" in result.output
    # random networks find nothing, before and after: the former ensemble is handed over, and that is said
    base = load_ensemble(random_ensemble)
    assert f"the former ensemble {base.identity} is kept" in result.output
    assert load_ensemble(tmp_path / "ours").identity == base.identity
    assert json.loads((tmp_path / "ours" / "adapt.json").read_text())["better"] is False
    ours = load_ensemble(tmp_path / "ours" / "not_better")
    assert len(ours.members) == 1  # of the epochs at the lower rate
    assert ours.card.training["adapted_from"] == load_ensemble(random_ensemble).card.identity
    again = CliRunner().invoke(cli, [str(a) for a in arguments])  # all epochs are done: the same ensemble
    assert again.exit_code == 0 and load_ensemble(tmp_path / "ours" / "not_better").identity == ours.identity


def test_adapt_teaches_the_readers_too(tmp_path, slide, random_ensemble, monkeypatch):
    for name, value in (("_CHECKED", 1), ("_EXPOSED", 1), ("_SILENT", 1), ("_REREAD", 3)):
        monkeypatch.setattr(module, name, value)
    architecture = VerifierArchitecture(Architecture(**load_ensemble(random_ensemble).card.arguments), 32)
    save_tensors(tmp_path / "r.safetensors", weights_of(Verifier(architecture)))
    add_verifiers(random_ensemble, [tmp_path / "r.safetensors"], architecture.arguments, {})
    base = load_ensemble(random_ensemble)
    settings = module.replace(
        module.ADAPT, epochs=1, late_from=1, side=256, pool=module.PoolSettings(size=8, fresh=2, workers=1)
    )
    monkeypatch.setattr(module, "REFRESH", module.replace(module.REFRESH, epochs=1, batch=8))
    monkeypatch.setattr(module.Adapted, "better", True)
    made = module.adapt(slide, tmp_path / "ours", random_ensemble, lambda *_: None, settings=settings)
    assert made.ensemble.identity == load_ensemble(tmp_path / "ours").identity != base.identity
    assert not (tmp_path / "ours" / "not_better").exists()
    assert len(made.ensemble.verifiers) == 1 and made.ensemble.card.verifiers[0].sha256 != base.card.verifiers[0].sha256
    assert made.ensemble.card.training["verifiers"]["cells"] == 3
    assert len(made.ensemble.card.thresholds.probability) == 2


@pytest.mark.parametrize(
    ("recall", "precision", "better"),
    [(0.5, 0.9, True), (0.05, 1.0, False), (0.4, 0.8, False), (0.0, np.nan, False), (0.6, 0.5, True)],
)
def test_better_is_a_higher_f1_of_dicentrics(recall, precision, better):
    def check(recall, precision):
        return module.Check({"dicentric": recall}, {"dicentric": precision}, 60, ())

    made = module.Adapted(None, check(0.4, 0.8), check(recall, precision), 12, 3, ())
    assert made.better is better
    assert check(0.4, 0.8).worth() == pytest.approx(2 * 0.4 * 0.8 / 1.2)


def test_adapt_refuses_a_folder_without_metaphases(tmp_path, random_ensemble):
    (tmp_path / "slide").mkdir()
    write(
        tmp_path / "slide" / "noise.png",
        simulate_cell(STYLES["straight"], Damage(), np.random.default_rng(1), (64, 64)).image,
    )
    arguments = ["dosimetry", "adapt", tmp_path / "slide", "--out", tmp_path / "ours", "--ensemble", random_ensemble]
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code != 0 and "add unexposed cells" in result.output
