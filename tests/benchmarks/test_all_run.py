"""Every benchmark and every script runs: whole at its smallest size, or, where that takes long, its smallest pieces."""

import csv
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
import torch

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.inference.ensemble import set_threads
from cytally.inference.runtime import TorchMember
from cytally.nets.unet import Architecture, UNet
from cytally.progress import silent
from cytally.training.checkpoints import load_tensors, member_path, save_tensors, weights_of
from cytally.training.folder import note_settings
from cytally.types import Detections

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "scripts")
#: Libraries of the others: no command.
LIBRARIES = {"benchmarks/replicates", "benchmarks/ways"}
COMMANDS = {f"{folder}/{path.stem}" for folder in FOLDERS for path in (ROOT / folder).glob("*.py")} - LIBRARIES
SMALL = Architecture(filters=2, depth=3, widest=8)
FIELD = (448, 504)


def loaded(name):
    return import_module(name.replace("/", "."))


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Imports as a command has them; workers as threads; what a benchmark sets for its process is set back."""
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(ROOT / folder)
    threads = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])
    set_threads(None)


@pytest.fixture
def call(monkeypatch, capsys):
    """Call a command with arguments in this process; what it printed."""

    def called(name, *arguments):
        module = loaded(name)
        assert Path(module.__file__) == ROOT / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        if hasattr(module, "ProcessPoolExecutor"):
            monkeypatch.setattr(module, "ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))
        capsys.readouterr()
        assert not module.main()
        return capsys.readouterr().out

    return called


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder with two labelled cells of 4 Gy."""
    folder = tmp_path_factory.mktemp("labelled")
    write_folder(Order(2, Exposure(4.0), seed=3), folder)
    return folder


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_says_what_it_measures(name, call, capsys):
    with pytest.raises(SystemExit) as ended:
        call(name, "--help")
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "usage:" in said
    assert loaded(name).__doc__.split("\n")[0].rstrip(".:")[:60] in " ".join(said.split())


#: Whole commands at their smallest, and words of what they must print.
WHOLE = {
    "benchmarks/coverage": ("--replicates 2 --controls", "control cells"),
    "benchmarks/decisions": ("--cells 1 --gate", "of 1"),
    "benchmarks/detector_coverage": ("--replicates 1 --workers 1", "| 2000 | 1000 | ignored |"),
    "benchmarks/dosing": ("--rounds 1", "one dose with limits"),
    "benchmarks/fuzz": ("--count 2 --jobs 1", "slowest"),
    "benchmarks/partial_coverage": ("--replicates 1 --workers 1", "profile likelihood"),
    "benchmarks/simulating": ("--cells 1", "simulated per second"),
    "scripts/architecture": ("", "functions over 40 lines"),
    "scripts/found_and_missed": ("{labelled} --out {out}/found.jpg", ""),
    "scripts/hard_negatives": ("--out {out} --cells 1 --workers 1", "what lay there"),
    "scripts/lobed": ("{labelled} --out {out}", ""),
    "scripts/measure_labels": ("--data {data}", "F1"),
    "scripts/pictures": ("--out {out} styles", ""),
    "scripts/robustness": ("{labelled} --cells 1", "darker corners"),
    "scripts/shapes": ("{field} --cells 1", "chromatid gap"),
}


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_runs_whole(name, call, labelled, tmp_path, request):
    arguments, words = WHOLE[name]
    data = request.getfixturevalue("data") if "{data}" in arguments else None
    field = min(labelled.glob("*.png"))
    out = call(name, *arguments.format(labelled=labelled, field=field, out=tmp_path, data=data).split())
    assert words in out
    if "--out" in arguments:
        assert any(path.is_file() for path in tmp_path.iterdir())


def crash(tmp_path, call):
    program = [sys.executable, ROOT / "benchmarks" / "crash.py", "--kills", "1", "--only", "train"]
    assert "| train |" in subprocess.run(program, capture_output=True, text=True, check=True).stdout  # it forks


def coverage(tmp_path, call):
    coverage = loaded("benchmarks/coverage")

    shares = coverage.coverage(1)
    coverage.draw(shares, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 0


def int8(tmp_path, call):
    try:
        import nncf  # noqa: F401
    except ImportError:
        with pytest.raises(SystemExit, match="nncf is not installed"):
            call("benchmarks/int8", "--cells", "1")
    else:
        assert "everything in int8" in call("benchmarks/int8", "--cells", "1", "--calibrated", "1")


def livecell(tmp_path, call):
    livecell = loaded("benchmarks/livecell")

    assert livecell.labelling(1)["nuclei"] > 10
    assert livecell.follow_many(2) > 100


def scoring(tmp_path, call):
    scoring = loaded("benchmarks/scoring")

    card = load_ensemble().card
    cell = scoring.cells(tmp_path, scoring.SHAPES[0], 1)
    assert scoring.fresh("openvino", cell, {}) > 100
    seconds = scoring.timed(lambda: scoring.naive(cell[0], scoring.naive_networks(card)[:1], card))
    found = dict.fromkeys(("naive", "reading", *scoring.RUNTIMES), seconds)
    assert "| x | 896 x 1008 |" in scoring.speed_rows("x", {"896 x 1008": found}, {"896 x 1008": 60.0})[0]
    assert "3 MB" in scoring.start_rows("x", {"torch": {"start": 1.0, "small": 2, "large": 3}})[0]


def measure_adapt(tmp_path, call):
    """All but the fine-tuning itself, whose thresholds alone need hundreds of cells."""
    measure_adapt = loaded("scripts/measure_adapt")

    def adapt(normal, out, base, progress, *, settings):
        assert len(list(normal.glob("*.png"))) == 1 and (settings.epochs, settings.pool.size) == (2, 8)
        return shutil.copytree(base, out)

    few = "--fields 1 --silent 1 --exposed 1 --epochs 2 --pool 8".split()
    with mock.patch.object(measure_adapt, "adapt", adapt), mock.patch.object(measure_adapt, "figures", str):
        assert "after {'dose_gy': '3'" in call("scripts/measure_adapt", "--out", tmp_path, *few)


def measure_livecell(tmp_path, call):
    measure_livecell = loaded("scripts/measure_livecell")

    from cytally.livecell.labelling.folder import LabelSettings, label_folder

    sim = measure_livecell.cells(tmp_path, "first", 1, 1, silent)
    label_folder(sim / "phase", sim / "fluorescence", tmp_path / "labels", LabelSettings())
    result = {"first: labels": measure_livecell.labels_against_truth(tmp_path / "labels", sim)}
    assert "first: labels | 0." in measure_livecell.as_markdown(result)


def measure_shipped(tmp_path, call):
    """With what detector_page.py makes of it."""
    run = tmp_path / "run"
    run.mkdir()
    for epoch in (1, 2):
        save_tensors(run / f"epoch_{epoch:03d}.safetensors", weights_of(UNet(SMALL)))
    (run / "run.json").write_text(json.dumps({"settings": {"architecture": asdict(SMALL), "late_from": 1}}))
    out = tmp_path / "measured"
    counts = ("--silent", 1, "--exposed", 1, "--workers", 1, "--checkpoints", run, "--swept", 1)
    assert "false_per_cell" in call("scripts/measure_shipped", "--out", out, *counts)
    said = call("scripts/detector_page", out, "--pictures", tmp_path)
    assert "ensembles of 10: fragment" in said and (tmp_path / "precision_recall.png").is_file()


def livecell_picture(tmp_path, call):
    from cytally.livecell.labelling.folder import LabelSettings, label_folder
    from cytally.livecell.pipeline import Order as Following
    from cytally.livecell.pipeline import follow_images
    from cytally.livecell.simulate.folder import TimeLapse, write_sequence

    lapse, sim = tmp_path / "lapse_30_901", tmp_path / "first" / "sim"
    for folder, well in ((lapse, "A01_1"), (sim, "A06_1")):
        write_sequence(TimeLapse(frames=3, shape=(384, 384)), folder, well)
    label_folder(sim / "phase", sim / "fluorescence", tmp_path / "first" / "labels", LabelSettings())
    follow_images([lapse / "fluorescence"], lapse / "run", Following(movie=""))
    call("scripts/livecell_picture", tmp_path, tmp_path / "picture.png")
    assert cv2.imread(str(tmp_path / "picture.png")).shape == (600, 1824, 3)


def options(tmp_path, call):
    options = loaded("scripts/options")

    from cytally.dosimetry.simulate.cell import simulate_cell
    from cytally.dosimetry.simulate.styles import style_named
    from cytally.types import Image

    rng, ensemble = np.random.default_rng(1), load_ensemble()
    made = simulate_cell(style_named("hard"), Exposure(4.0).draw(rng), rng, FIELD)
    limits = dict.fromkeys(("common", "quantile"), np.full((4, 2), 0.5))
    found = options.look_at_cell(Image(made.image.pixels), made.points.of("dicentric"), ensemble, limits)
    assert len(found) == 18 and {each.true for each in found.values()} == {len(made.points.of("dicentric"))}
    assert 0 <= options.at_rate([found["vote of 4, T_A = 2, T_C in common"]], list(found.values()))[1] <= 1


def paste_marks(tmp_path, call):
    paste_marks = loaded("scripts/paste_marks")

    rng = np.random.default_rng(1)
    pictures = rng.normal(size=(30, paste_marks.SIDE, paste_marks.SIDE)).astype(np.float32)
    assert "15 untouched" in paste_marks.judge(pictures, np.arange(30) % 2 == 0, np.arange(30) // 2 % 3, 1)


def twins(tmp_path, call):
    twins = loaded("scripts/twins")

    member = TorchMember(UNet(twins.BASE).eval())
    found = [list(twins.answers(member, dose, 1)) for dose in (None, 4.0)]
    assert found[0][0].true == 0 and twins.recall_at(*found)[1] == found[1][0].true


def train_shipped(tmp_path, call):
    script = ROOT / "scripts" / "train_shipped.sh"
    assert "FIELDS" in subprocess.run(["bash", script, "--help"], capture_output=True, text=True, check=True).stdout


def untrained(folder, epochs=10, bias=-4.0):
    """A run of tiny networks that answer near nothing, or, with a bias of 0, near one half everywhere."""
    how = Architecture(classes=2, filters=2, depth=3, widest=8)
    folder.mkdir()
    note_settings(folder, {"architecture": asdict(how), "seed": 1})
    for epoch in range(1, epochs + 1):
        torch.manual_seed(epoch)
        network = UNet(how)
        torch.nn.init.constant_(network.head.bias, bias)
        save_tensors(member_path(folder, epoch), weights_of(network))
    return folder


def uncertainty(tmp_path, call):
    """What nobody finds is a recall of 0 in every line, and no claim has limits that leave 0 out."""
    runs = [f"{name}={untrained(tmp_path / name)}" for name in ("one", "two")]
    sizes = ("--aberrant", 2, "--silent", 1, "--last", 10, "--workers", 1)
    assert "median total variation\ttwo" in call("scripts/uncertainty", *runs, "--out", tmp_path / "out", *sizes)
    rows = list(csv.DictReader((tmp_path / "out" / "performance.csv").read_text().splitlines()))
    assert rows and {row["recall"] for row in rows} == {"0.0000"}
    gains = list(csv.DictReader((tmp_path / "out" / "differences.csv").read_text().splitlines()))
    assert gains and all(float(row["recall_lower"]) <= 0 <= float(row["recall_upper"]) for row in gains)


def posteriors(tmp_path, call):
    """Every method of two runs is told, ensembles of both among them."""
    runs = [f"{name}={untrained(tmp_path / name, bias=0.0)}" for name in ("one", "two")]
    sizes = ("--aberrant", 1, "--silent", 1, "--last", 10, "--workers", 1)
    loaded("scripts/posteriors")  # puts its parts on the path
    with mock.patch("cytally.dosimetry.training.average.BATCHES", 1):
        out = call("scripts/posteriors", *runs, "--out", tmp_path / "out", *sizes)
    told = [line for line in out.splitlines() if line.startswith("dicentric")]
    assert len(told) == 5 + 5 + 4 and "multi-SWAG, 2 x 5" in out


def few_doses():
    """Studies of known doses at their smallest: four doses, two cells of each and ten of the highest."""
    loaded("scripts/curves_compared")  # puts its parts on the path
    small = {"DOSES": (0.0, 0.5, 1.0, 4.0), "SHARES": (2, 2, 2, 10), "BLOCK": 1, "SEED": 44}
    stack = ExitStack()
    for part in ("answers", "doses", "curves", "curve_rules", "curve_pictures", "expected"):
        module = import_module(f"claims.{part}")
        stack.enter_context(mock.patch.multiple(module, **{k: v for k, v in small.items() if hasattr(module, k)}))
    threads = mock.patch("claims.doses.ProcessPoolExecutor", lambda workers, _: ThreadPoolExecutor(workers))
    stack.enter_context(threads)
    return stack


def curves_compared(tmp_path, call):
    """Untrained checkpoints answer nothing; the truth and every rule are told, and a second call asks nobody."""
    run = untrained(tmp_path / "run", epochs=40)
    with few_doses():
        given = (run, "--out", tmp_path / "out", "--cells", 16, "--ensembles", 2, "--resamples", 2, "--workers", 1)
        out = call("scripts/curves_compared", *given)
        with mock.patch("claims.doses._done", side_effect=AssertionError):
            assert call("scripts/curves_compared", *given) == out
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[0][0] == "truth" and float(lines[0][4]) > 0
    voting = [line for line in lines if "ensemble" in line[0]]
    assert len(voting) == 12 and {line[4] for line in voting} == {"0.0000"}
    assert [line[0] for line in lines[-3:]] == [
        "shipped: verifier alone",
        "shipped: verifier, weighed (as shipped)",
        "shipped: verifier, beside a fragment",
    ]


def expected_counts(tmp_path, call):
    """Each dose is told with limits that hold what was expected."""
    with few_doses():
        out = call("scripts/expected_counts", "--out", tmp_path, "--cells", 16, "--resamples", 2, "--workers", 1)
    rows = list(csv.DictReader((tmp_path / "expected.csv").read_text().splitlines()))
    assert [row["dose"] for row in rows] == ["0", "0.5", "1", "4"] and len(out.splitlines()) == 4
    assert all(float(row["lower"]) <= float(row["expected"]) <= float(row["upper"]) for row in rows)


def few_selected():
    """Small cells, one complete cell for each of another kind."""
    loaded("scripts/train_selection")  # puts its parts on the path
    from selecting import cells

    stack = ExitStack()
    stack.enter_context(mock.patch.object(cells, "MORE", 1))
    stack.enter_context(mock.patch.object(cells, "simulate_cell", partial(cells.simulate_cell, shape=FIELD)))
    return stack


def train_selection(tmp_path, call):
    """A model of 30 cells is read as the shipped one is."""
    from cytally.dosimetry.selection.model import KINDS, read_selector

    with few_selected(), pytest.warns(UserWarning):  # refused prometaphases leave fewer than five
        out = call("scripts/train_selection", "--cells", 6, "--out", tmp_path / "m.json", "--workers", 1)
    assert out.splitlines()[1].startswith("complete") and set(read_selector(tmp_path / "m.json").fitted.kinds) <= set(
        KINDS
    )


def measure_selection(tmp_path, call):
    """The yield of all cells is that of its parts."""
    with few_selected():
        call("scripts/measure_selection", "--cells", 12, "--dose", 4, "--out", tmp_path, "--workers", 1)
    rows = {row["what"]: row for row in csv.DictReader((tmp_path / "selection.csv").read_text().splitlines())}
    parts = [rows[f"yield: complete and {how}"] for how in ("kept", "refused")]
    total = sum(float(part["value"]) * int(part["cells"]) for part in parts)
    whole = rows["yield: complete"]
    assert total == pytest.approx(float(whole["value"]) * int(whole["cells"]), abs=0.01)


def flow_methods(tmp_path, call):
    """Two methods on one short scene: most cells are met, and the ground stands still."""
    out = call("scripts/flow_methods", "--seeds", 5, "--frames", 8, "--methods", "components", "dis", "--out", tmp_path)
    rows = list(csv.DictReader((tmp_path / "methods.csv").read_text().splitlines()))
    assert [row["method"] for row in rows] == ["components", "dis"] and len(out.splitlines()) == 3
    assert all(float(row["missed"]) < 0.1 and float(row["ground"]) == 0 for row in rows)


def thesis_figures(tmp_path, call):
    """Untrained checkpoints agree about everything: that is said, and two figures are drawn."""
    loaded("scripts/thesis_figures").LOOKED_AT = 1
    call("scripts/thesis_figures", untrained(tmp_path / "run", epochs=4), "--out", tmp_path / "out", "--last", 4)
    drawn = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert drawn == ["aberrations_per_image.png", "limits_by_cells.png"]


def train_edition(tmp_path, call):
    from edition import cells, finish, networks
    from tests.dosimetry.compose.test_outlined import fluorescent

    from cytally.nets.verifier import Verifier, VerifierArchitecture

    given, _ = fluorescent(1)
    names = {"outlined/A01/x/image": given.image.pixels, "outlined/A01/x/classes": given.classes}
    np.savez(tmp_path / "sources.npz", **names)
    threads = SimpleNamespace(Pool=lambda _=None: ThreadPool(1))
    with (
        mock.patch.object(cells.multiprocessing, "get_context", lambda _: threads),
        mock.patch.object(cells, "_SHARD", 2),
    ):
        cells.cells(tmp_path, "bank", {"outlined": 2, "lobed": 2, "contracted": 1}, 1, 1, 1e9)
    assert cells.shares(0.25)["contracted"] == 0.25 and sum(cells.shares(0.25).values()) == pytest.approx(1)
    networks.member(tmp_path, 0, 1, 1, 2, None, 1e9)
    networks.places(tmp_path, "bank", 0, 1)
    assert np.load(tmp_path / "places_0.npz")["pixels"].shape[1:] == (networks.STORED, networks.STORED)
    network = Verifier(VerifierArchitecture(networks.VERIFYING, networks.SIDE))
    save_tensors(tmp_path / "verifier.safetensors", weights_of(network))
    made, weights = tmp_path / "made", [tmp_path / "verifier.safetensors"]
    notes = {"verifiers": {"command": "first"}}
    finish.assemble(made, [tmp_path / "run_0" / "epoch_001.safetensors"], weights, notes, networks.PROPOSING)
    assert load_ensemble(made).verifiers[0].side == networks.SIDE
    distilled(tmp_path, networks, finish, weights)


def distilled(tmp_path, networks, finish, weights):
    """A small member from the large one, moved to its levels, beside the verifier and its limits."""
    from cytally.training.tasks.distilled import DistillationSettings

    networks.taught(tmp_path, tmp_path / "made", "bank", 0, 1)
    networks.distilled(tmp_path, 1, DistillationSettings(1, 1, 2, 64), "bank")
    small = tmp_path / "run_1" / "epoch_001.safetensors"
    moved = finish.levelled(small, tmp_path / "levelled" / "0_epoch_001.safetensors", (0.06, 0.3))
    shift = load_tensors(moved)[0]["head.bias"].float() - load_tensors(small)[0]["head.bias"].float()
    np.testing.assert_allclose(shift, [0, np.log(0.12 / 0.88) - np.log(0.3 / 0.7)], atol=5e-3)  # half precision
    finish.assemble(tmp_path / "small", [moved], weights, {}, networks.SMALL)
    finish.limits_of(tmp_path / "made", tmp_path / "small")
    card = load_ensemble(tmp_path / "small").card
    assert card.training["taught by"].startswith("made, ") and card.training["verifiers"]
    places = Detections.empty(2)
    mean = np.full((2, 20, 20), 0.5, np.float32)
    np.testing.assert_array_equal(networks.confirmed_heat(mean, places), mean)
    one = replace(places, **{n: np.array([v]) for n, v in PLACE.items()}, names=("fragment",))
    heat = networks.confirmed_heat(mean, one)
    np.testing.assert_allclose(heat[1, 10, 10], 0.1, rtol=1e-5)
    assert heat[1, 0, 0] == heat[0, 10, 10] == 0.5


#: A fragment at the eleventh place of the map, both ways, that verifiers hold likely to a fifth.
PLACE = {"row": 41.5, "col": 41.5, "votes": 0, "confidence": 0.5, "spread": 0.0, "probability": 0.2}


PIECES = (
    coverage,
    crash,
    curves_compared,
    expected_counts,
    flow_methods,
    int8,
    livecell,
    livecell_picture,
    measure_adapt,
    measure_livecell,
    measure_selection,
    measure_shipped,
    options,
    paste_marks,
    posteriors,
    scoring,
    thesis_figures,
    train_edition,
    train_selection,
    train_shipped,
    twins,
    uncertainty,
)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.__name__)
def test_runs_in_pieces(piece, tmp_path, call):
    piece(tmp_path, call)


def test_none_is_left_out():
    pieces = {piece.__name__ for piece in PIECES} | {"detector_page"}  # with measure_shipped
    assert {name for name in COMMANDS if name not in WHOLE and Path(name).name not in pieces} == set()
