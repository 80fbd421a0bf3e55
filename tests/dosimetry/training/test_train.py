"""The whole way from labelled images to an ensemble that loads, in miniature."""

import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from cytally.cli.detector import train as training  # noqa: F401  (joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.simulate.breakage import Damage, Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.dosimetry.simulate.styles import STYLES
from cytally.dosimetry.training import sources
from cytally.dosimetry.training import train as module
from cytally.dosimetry.training.sources import ComposedSource, MixedSource, SimulatedSource, paper_cells
from cytally.errors import ImageError, SettingsError
from cytally.training.checkpoints import member_path
from cytally.types import Image


def test_train_from_a_labelled_folder_skips_what_it_cannot_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "THRESHOLD_CELLS", (2, 2))
    write_folder(Order(3, Exposure(4.0), seed=2, shape=(448, 448)), tmp_path / "cells")
    (tmp_path / "cells" / "bad.png").write_text("no image")
    arguments = [
        "dosimetry",
        "train",
        tmp_path / "cells",
        "--out",
        tmp_path / "mine",
        "--epochs",
        2,
        "--filters",
        2,
        "--members",
        2,
        "--pool",
        8,
        "--seed",
        5,
    ]
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 3, result.output
    assert "bad.png" in result.output
    ensemble = load_ensemble(tmp_path / "mine")
    assert len(ensemble.members) == 2
    notes = ensemble.card.training
    assert (
        notes["seed"] == 5 and "cytally dosimetry train" in notes["command"] and "3 labelled image(s)" in notes["data"]
    )
    assert (tmp_path / "mine" / "training" / "curves.svg").read_text().startswith("<svg")
    assert ensemble.card.thresholds.quantile is not None


def test_the_command_on_the_card_remakes_the_ensemble(tmp_path, monkeypatch):
    """Members byte for byte, thresholds, name: from the line alone, in the same folder."""
    monkeypatch.setattr(module, "THRESHOLD_CELLS", (2, 2))
    monkeypatch.chdir(tmp_path)
    arguments = [
        "dosimetry",
        "train",
        "--out",
        "mine",
        "--epochs",
        "2",
        "--filters",
        "2",
        "--members",
        "1",
        "--pool",
        "8",
        "--seed",
        "5",
        "--sparsity",
        "0",
        "--no-auxiliary",
        "--name",
        "by hand",
    ]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    first = load_ensemble(tmp_path / "mine").card
    (tmp_path / "mine").rename("first")
    words = shlex.split(first.training["command"])
    again = CliRunner().invoke(cli, words[1:])
    assert words[0] == "cytally" and again.exit_code == 0, again.output
    second = load_ensemble(tmp_path / "mine").card
    assert second.members == first.members and second.thresholds == first.thresholds
    assert second.identity == first.identity and second.name == "by hand"
    assert second.training["command"] == first.training["command"]


def test_average_makes_one_member_of_the_mean_of_all_late_checkpoints(tmp_path, monkeypatch):
    """Learnt weights are the mean to half precision; normalisation is counted anew, so it is nobody's mean."""
    monkeypatch.setattr(module, "THRESHOLD_CELLS", (2, 2))
    short = [
        "--epochs",
        "3",
        "--filters",
        "2",
        "--pool",
        "8",
        "--no-auxiliary",
        "--average",
        "--out",
        str(tmp_path / "one"),
    ]
    assert CliRunner().invoke(cli, ["dosimetry", "train", *short]).exit_code == 0
    ensemble, run = load_ensemble(tmp_path / "one"), tmp_path / "one" / "training"
    late = [load_file(member_path(run, epoch)) for epoch in (1, 2, 3)]
    [member] = [load_file(tmp_path / "one" / each.file) for each in ensemble.card.members]
    assert ensemble.card.training["averaged"] == ["epoch_001", "epoch_002", "epoch_003"]
    for name, tensor in member.items():
        mean = torch.stack([each[name].float() for each in late]).mean(dim=0)
        if name.endswith(("running_mean", "running_var")):
            assert not torch.allclose(tensor.float(), mean, rtol=1e-3)
        elif not name.endswith("num_batches_tracked"):
            assert torch.allclose(tensor.float(), mean, rtol=1e-3, atol=1e-4)


def test_members_and_their_mean_exclude_each_other(tmp_path):
    both = ["dosimetry", "train", "--out", str(tmp_path / "x"), "--average", "--members", "4"]
    result = CliRunner().invoke(cli, both)
    assert result.exit_code == 2 and "give one of them" in result.output and not (tmp_path / "x").exists()


def test_sources_mix_by_weight():
    one, two = SimulatedSource(1, shape=(320, 320)), SimulatedSource(2, shape=(320, 320))
    mixed = MixedSource((one, two), (1.0, 0.0), seed=3)
    for number in (0, 7):
        assert mixed.cell(number).packed.tobytes() == one.cell(number).packed.tobytes()
    with pytest.raises(SettingsError, match="one weight per source"):
        MixedSource((one,), (1.0, 2.0))


def test_composed_cells_join_the_simulated_ones_by_their_share():
    made = simulate_cell(STYLES["straight"], Damage(), np.random.default_rng([31, 0]))
    field = module.Field.of(Image(made.image.pixels))
    plan = module.Plan((), 1.0, 2, 2, "mine", composed=0.5, auxiliary=False)
    source = plan.source(7, [], (field,))
    assert isinstance(source, MixedSource) and source.weights == (0.5, 0.5)
    assert [type(part).__name__ for part in source.sources] == ["SimulatedSource", "ComposedSource"]
    cells = [part.cell(0) for part in source.sources]
    assert all(cell.known.tolist() == [True, True] for cell in cells)
    assert isinstance(plan.source(7, [], ()), SimulatedSource)


def test_auxiliary_channels_of_composed_cells_teach_nothing():
    made = simulate_cell(STYLES["straight"], Damage(), np.random.default_rng([31, 0]))
    source = ComposedSource((module.Field.of(Image(made.image.pixels)),), 1)
    assert source.cell(3).known.tolist() == [True, True, False, False]


def test_a_cell_that_cannot_be_normalised_is_replaced_by_another(monkeypatch):
    """An unscorable cell is refused now where its scale was clipped before; training goes on."""
    source, asked = SimulatedSource(1, shape=(320, 320)), []
    honest = sources.normalise

    def refusing(image):
        asked.append(image)
        if len(asked) == 1:
            raise ImageError("objects far smaller than chromosomes")
        return honest(image)

    monkeypatch.setattr(sources, "normalise", refusing)
    found = source.cell(1)
    assert len(asked) == 2 and not np.array_equal(asked[0].pixels, asked[1].pixels)
    assert found.packed.size > 0


def test_paper_cells_have_the_counts_of_the_preprint() -> None:
    """5,021 dicentrics and 7,540 fragments in 5,430 images, none without; by the damage drawn, 4 standard errors."""
    source, counts = paper_cells(3), []
    for number in range(4000):
        rng = np.random.default_rng([3, number])
        counts.append(source._damage(rng))
    dicentrics = np.array([each.dicentrics for each in counts])
    fragments = dicentrics + [each.excess for each in counts]
    assert fragments.min() == 1
    for values, mean in ((dicentrics, 5021 / 5430), (fragments, 7540 / 5430)):
        assert abs(values.mean() - mean) < 4 * values.std() / len(values) ** 0.5
    made = source.simulated(0)
    assert replace(module.Plan((), 1.0, 2, 2, "mine", auxiliary=False), published=True).source(3, []) == source
    assert made.image.pixels.shape[:2] == source.shape and set(source.classes) == {"dicentric", "fragment"}
