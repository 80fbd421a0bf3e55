"""From proposals to verifiers and their thresholds."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from safetensors.torch import load_file

from cytally.cli.detector import verify as probability  # noqa: F401  (it joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.detectors.candidates import judged as unweighed
from cytally.dosimetry.detectors.candidates import peaks, proposing
from cytally.dosimetry.detectors.cooccurrence import confirmed, weigh
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.training import candidates, train
from cytally.dosimetry.training import verifier as verifiers
from cytally.dosimetry.training.candidates import collect, label
from cytally.dosimetry.training.sources import CLASSES, SimulatedSource
from cytally.dosimetry.training.thresholds import verifier as readings
from cytally.dosimetry.training.thresholds.cells import Goal, Seen
from cytally.dosimetry.training.thresholds.verifier import Judged, choose_probability, reverified
from cytally.dosimetry.training.verifier import VerifierTraining, with_verifiers
from cytally.errors import EnsembleError
from cytally.inference.ensemble import add_verifiers
from cytally.inference.votes import predict
from cytally.nets.unet import Architecture
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.training.checkpoints import save_tensors, weights_of
from cytally.training.examples import TrainingCell, unpack
from cytally.training.tasks.crops import REFRESH, STORED, VerifierSettings


@pytest.fixture
def source():
    return SimulatedSource(5, CLASSES, shape=(512, 512))


def test_places_are_what_lies_nearest_within_a_chromosome_width():
    cell = TrainingCell.pack(np.zeros((200, 200)), np.array([[50, 50], [60, 50], [150, 150.0]]), [0, 1, 2], [True] * 3)
    places = np.array([[49, 50], [58, 50], [150, 150], [50, 71], [30, 100.0]])
    assert_array_equal(label(places, cell, 2), [0, 1, 2, 2, 2])  # the third class is not asked about
    assert_array_equal(label(places[:0], cell, 2), [])


def test_shards_are_kept_and_belong_to_their_ensemble(random_ensemble, source, tmp_path, monkeypatch):
    monkeypatch.setattr(candidates, "_SHARD", 2)
    first = collect(source, 4, random_ensemble, tmp_path / "places", lambda *_: None, workers=1)
    assert first.pixels.shape == (len(first), STORED, STORED) and len(first) > 0
    files = sorted((tmp_path / "places").iterdir())
    assert len(files) == 2
    files[0].unlink()
    asked = []
    again = collect(source, 4, random_ensemble, tmp_path / "places", lambda *a: asked.append(a), workers=1)
    assert len(asked) == 1  # one shard was missing
    assert_array_equal(again.pixels, first.pixels)
    assert_array_equal(again.labels, first.labels)


def cell_of(*answers):
    """Judged proposals, far apart, of (channel, probability, hit)."""
    channel, p, hit = (np.array(column) for column in zip(*answers, strict=True))
    places = np.stack([np.zeros(len(p)), 100.0 * np.arange(len(p))], axis=1)
    return Judged(channel.astype(int), places, p.astype(float), hit.astype(bool))


def test_the_reading_keeps_the_goal_and_then_finds_most(random_ensemble, monkeypatch):
    quiet = [cell_of((0, 0.30 + 0.005 * k, False)) for k in range(100)]  # 0.30 .. 0.795
    many = [cell_of((0, 0.2, True), (0, 0.74, True), (0, 0.9, True), (1, 0.03, True))] * 10
    monkeypatch.setattr(readings, "reverified", lambda cell, ensemble: cell)
    monkeypatch.setattr(readings, "_WEIGHTS", (0.0,))
    ensemble = load_ensemble(random_ensemble)
    goal = Goal({"dicentric": 0.12, "fragment": 0.1})
    found = choose_probability(ensemble, many, quiet, goal, goal)
    assert sum(cell.probability[0] > found.probability[0] for cell in quiet) <= 12
    assert 0.735 <= found.probability[0] < 0.74  # lower would break the goal, higher would lose hits
    assert found.probability[1] < 0.03  # no alarm: nothing is lost
    assert found.hard_rule_probability == found.probability and found.cooccurrence_weight == [0.0, 0.0]
    none = Goal({"dicentric": 0.0, "fragment": 0.0})
    strict = choose_probability(ensemble, many, quiet, none).probability
    assert 0.795 <= strict[0] < 0.9


def test_a_fragment_lets_a_doubtful_dicentric_count(random_ensemble, monkeypatch):
    """Dicentrics of 0.7 beside a fragment; false alarms of 0.8 without: only weighing tells them apart."""
    quiet = [cell_of((0, 0.8, False))] * 50
    many = [cell_of((0, 0.7, True), (1, 0.9, True))] * 50
    monkeypatch.setattr(readings, "reverified", lambda cell, ensemble: cell)
    goal = Goal({"dicentric": 0.01, "fragment": 0.1}, precision=0.9)
    found = choose_probability(load_ensemble(random_ensemble), many, quiet, goal)
    assert found.cooccurrence_weight[0] > 0 and found.cooccurrence_weight[1] == 0
    weights = found.cooccurrence_weight
    assert all((weigh(c.places, c.channel, c.probability, weights) > found.probability[0])[0] for c in many)
    assert not any((weigh(c.places, c.channel, c.probability, weights) > found.probability[0])[0] for c in quiet)
    assert found.hard_rule_probability[0] >= 0.8  # without weighing no limit finds one and keeps the goal


def test_precision_where_cells_are_full_of_fragments_is_part_of_the_goal(random_ensemble, monkeypatch):
    """False dicentrics in exposed cells have company too: the limit must keep them out."""
    many = [cell_of((0, 0.9, True), (0, 0.5, False), (1, 0.9, True))] * 20
    monkeypatch.setattr(readings, "reverified", lambda cell, ensemble: cell)
    goal = Goal({"dicentric": 0.1, "fragment": 0.1}, precision=0.9)
    found = choose_probability(load_ensemble(random_ensemble), many, [cell_of((1, 0.1, False))], goal)
    kept = weigh(many[0].places, many[0].channel, many[0].probability, found.cooccurrence_weight) > found.probability[0]
    assert kept[0] and not kept[1]


def test_a_whole_course_in_miniature(random_ensemble, source, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "THRESHOLD_CELLS", (3, 3))
    monkeypatch.setattr(candidates, "_SHARD", 3)
    course = VerifierTraining(6, 2, 32, VerifierSettings(epochs=1, batch=8))
    out = tmp_path / "read"
    made = with_verifiers(random_ensemble, out, source, course, lambda *_: None, {"command": "x", "data": "y"})
    notes = made.card.training["verifiers"]
    assert len(made.verifiers) == 2 and notes["command"] == "x"
    assert sum(notes["places"]) == len(np.load(next((out / "verifier" / "places").iterdir()))["labels"]) + len(
        np.load(sorted((out / "verifier" / "places").iterdir())[1])["labels"]
    )
    assert load_ensemble(out).card.identity == made.card.identity
    cell = source.cell(1)
    maps = predict(unpack(cell.packed), made)[proposing(made)].astype(np.float16)
    places = tuple(cell.places[cell.classes == k].astype(float) for k in range(2))
    judged = reverified(Seen(maps, places, cell.packed), made)
    # untrained networks give flat maps, whose maxima are ties: both sides get the same maps
    proposed = peaks(maps.astype(np.float32), made, proposing(made))
    everything = confirmed(unweighed(unpack(cell.packed), proposed, made), made.with_thresholds(probability=0.0))
    assert len(judged.probability) == len(everything) > 20
    weighed = weigh(judged.places, judged.channel, judged.probability, made.card.thresholds.cooccurrence_weight)
    assert_array_equal(weighed, everything.probability)


def test_an_ensemble_is_not_written_over_itself(random_ensemble, source):
    with pytest.raises(EnsembleError, match="is the ensemble to begin from"):
        with_verifiers(random_ensemble, random_ensemble, source, VerifierTraining(), lambda *_: None, {})


def test_verifiers_go_on_from_verifiers_where_there_are_some(random_ensemble, source, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "THRESHOLD_CELLS", (2, 2))
    monkeypatch.setattr(candidates, "_SHARD", 3)
    still = VerifierTraining(3, 1, 32, VerifierSettings(epochs=1, batch=8, rate=0.0, decay=0.0))
    with pytest.raises(EnsembleError, match="it has none"):
        with_verifiers(random_ensemble, tmp_path / "a", source, still, lambda *_: None, {}, further=True)
    first = with_verifiers(random_ensemble, tmp_path / "b", source, still, lambda *_: None, {})
    again = with_verifiers(tmp_path / "b", tmp_path / "c", source, still, lambda *_: None, {}, further=True)
    weights = [load_file(folder / "verifier_00.safetensors") for folder in (tmp_path / "b", tmp_path / "c")]
    convolutions = [name for name in weights[0] if name.endswith("weight") and weights[0][name].ndim == 4]
    assert convolutions and all((weights[0][n] == weights[1][n]).all() for n in convolutions)  # learnt at rate 0
    assert len(first.verifiers) == len(again.verifiers) == 1


def test_verifiers_that_are_larger_than_members_go_on_as_they_are(random_ensemble, source, tmp_path, monkeypatch):
    """The shipped members are smaller than the verifier: `verify --further` and `adapt` must not build it as these."""
    monkeypatch.setattr(train, "THRESHOLD_CELLS", (2, 2))
    monkeypatch.setattr(candidates, "_SHARD", 3)
    large = VerifierArchitecture(Architecture(filters=3, depth=4, widest=12), 48)
    save_tensors(tmp_path / "v.safetensors", weights_of(Verifier(large)))
    add_verifiers(random_ensemble, [tmp_path / "v.safetensors"], large.arguments, {})
    course = VerifierTraining(3, 1, 32, VerifierSettings(epochs=1, batch=8))
    made = with_verifiers(random_ensemble, tmp_path / "out", source, course, lambda *_: None, {}, further=True)
    assert made.verifiers[0].architecture == large != course.architecture(load_ensemble(random_ensemble).card)


def test_the_command_says_what_it_made(random_ensemble, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "THRESHOLD_CELLS", (2, 2))
    monkeypatch.setattr(candidates, "_SHARD", 50)
    monkeypatch.setattr(
        verifiers,
        "SimulatedSource",
        lambda seed, classes, silent: SimulatedSource(seed, classes, silent, shape=(256, 256)),
    )
    out = tmp_path / "new"
    done = CliRunner().invoke(
        cli,
        [
            "dosimetry",
            "verify",
            str(random_ensemble),
            "--out",
            str(out),
            "--cells",
            "10",
            "--count",
            "1",
            "--epochs",
            "1",
        ],
    )
    assert done.exit_code == 0, done.output
    assert "1 verifiers" in done.output
    card = json.loads((out / "card.json").read_text())
    assert card["training"]["verifiers"]["data"] == "simulated cells"
    assert card["training"]["verifiers"]["command"].endswith(f"--out {out} --cells 10 --count 1 --epochs 1")
    assert card["thresholds"]["probability"] is not None


def test_refreshing_is_shorter_than_learning():
    assert REFRESH.epochs < VerifierSettings().epochs and REFRESH.rate < VerifierSettings().rate
