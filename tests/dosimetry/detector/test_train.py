"""The whole way from labelled images to an ensemble that loads, in miniature."""

import pytest
from click.testing import CliRunner

from cytally.cli import training  # noqa: F401  (joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.detector import train as module
from cytally.dosimetry.detector.sources import MixedSource, SimulatedSource
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import SettingsError
from cytally.inference.ensemble import load_ensemble


def test_train_from_a_labelled_folder_skips_what_it_cannot_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "THRESHOLD_CELLS", (2, 2))
    write_folder(Order(3, Exposure(4.0), seed=2, shape=(448, 448)), tmp_path / "cells")
    (tmp_path / "cells" / "bad.png").write_text("no image")
    arguments = ["dosimetry", "train", tmp_path / "cells", "--out", tmp_path / "mine", "--epochs", 2,
                 "--filters", 2, "--members", 2, "--pool", 8, "--seed", 5]  # fmt: skip
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 3, result.output
    assert "bad.png" in result.output
    ensemble = load_ensemble(tmp_path / "mine")
    assert len(ensemble.members) == 2
    notes = ensemble.card.training
    assert (
        notes["seed"] == 5 and "cytally dosimetry train" in notes["command"] and "1 labelled" in notes["data"]
    )
    assert (tmp_path / "mine" / "training" / "curves.svg").read_text().startswith("<svg")
    assert ensemble.card.thresholds.quantile is not None


def test_sources_mix_by_weight():
    one, two = SimulatedSource(1, shape=(320, 320)), SimulatedSource(2, shape=(320, 320))
    mixed = MixedSource((one, two), (1.0, 0.0), seed=3)
    for number in (0, 7):
        assert mixed.cell(number).packed.tobytes() == one.cell(number).packed.tobytes()
    with pytest.raises(SettingsError, match="one weight per source"):
        MixedSource((one,), (1.0, 2.0))
