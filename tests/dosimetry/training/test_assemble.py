"""From checkpoints to thresholds: on maps whose right answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from cytally.detection.vote import binary_votes
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.measure.evaluate import evaluate, labelled_cells, summary, write_evaluation
from cytally.dosimetry.measure.gallery import MOST, Exhibits
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.dosimetry.training.assemble import choose_members
from cytally.dosimetry.training.thresholds.cells import GOAL, Seen
from cytally.dosimetry.training.thresholds.votes import choose_thresholds
from cytally.errors import LabelError, SettingsError
from cytally.evaluation.matching import components
from cytally.training.examples import ZERO


def seen(real=(), false=0.0, rng=None):
    """Ten members; objects reach 0.6 to 0.9, false alarms `false` in three members only."""
    maps = np.zeros((10, 2, 40, 40), np.float16)
    for row, col in real:
        maps[:, :, row - 1 : row + 2, col - 1 : col + 2] = rng.uniform(0.6, 0.9, (10, 2, 1, 1))
    if false:
        maps[:3, :, 30:33, 5:8] = false
    places = np.array([[4 * r + 1.5, 4 * c + 1.5] for r, c in real], float).reshape(-1, 2)
    return Seen(maps, (places, places), np.full((160, 160), ZERO, np.uint8))


def test_thresholds_find_all_objects_and_keep_the_silence(rng, random_ensemble):
    ensemble = load_ensemble(random_ensemble)
    highest = [seen([(8, 8), (20, 25)], rng=rng) for _ in range(30)] + [seen(rng=rng) for _ in range(5)]
    silent = [seen(false=0.7, rng=rng) for _ in range(100)]
    found = choose_thresholds(ensemble, highest, silent, GOAL)
    assert np.array(found.confidence).shape == (10, 2)

    def won(cell, channel):
        maps = cell.maps[:, channel : channel + 1].astype(np.float32)
        limits = np.array(found.confidence)[:, channel : channel + 1]
        return components(binary_votes(maps, limits)[0] > found.agreement[channel])

    for channel in (0, 1):
        assert [won(cell, channel) for cell in highest] == [2] * 30 + [0] * 5
        assert sum(won(cell, channel) for cell in silent) == 0


def test_thresholds_are_chosen_on_the_grid_of_the_ensemble(rng, random_ensemble):
    """The same heatmaps of a network of stride 2, whose labels lie half as far apart."""
    ensemble = load_ensemble(random_ensemble)
    halved = replace(ensemble, card=ensemble.card.model_copy(update={"stride": 2}))
    cells = [seen([(8, 8), (20, 25)], rng=rng) for _ in range(10)]
    silent = [seen(false=0.7, rng=rng) for _ in range(30)]
    near = [replace(cell, places=tuple((each + 0.5) / 2 - 0.5 for each in cell.places)) for cell in cells]
    assert choose_thresholds(halved, near, silent, GOAL) == choose_thresholds(ensemble, cells, silent, GOAL)


def test_members_come_from_the_last_epochs(tmp_path):
    for epoch in range(1, 31):
        (tmp_path / f"epoch_{epoch:03d}.safetensors").write_bytes(b"")
    drawn = choose_members(tmp_path, 11, 10, seed=3)
    assert len(set(drawn)) == 10 and drawn[0].stem >= "epoch_011" and drawn == sorted(drawn)
    assert drawn == choose_members(tmp_path, 11, 10, seed=3)
    with pytest.raises(SettingsError, match="expected 10 checkpoints from epoch 25 on, got 6"):
        choose_members(tmp_path, 25, 10, seed=3)


def test_evaluation_adds_up(tmp_path, random_ensemble):
    folder = tmp_path / "cells"
    write_folder(Order(3, Exposure(4.0), seed=2, shape=(512, 512)), folder)
    (folder / "bad.png").write_text("no image")
    ensemble = load_ensemble(random_ensemble)
    skipped = []
    result = evaluate(labelled_cells(folder, skipped), 4, ensemble, skipped)
    assert [one.image for one in skipped] == ["bad.png"]
    figures = write_evaluation(result, tmp_path / "out", ensemble)
    labels = (folder / "labels.csv").read_text()
    for entry in figures["overall"]:
        hits = entry["one_to_one"]
        assert hits["true"] + hits["missed"] == labels.count(f",{entry['class']},")
    assert summary(result)["cells"] == 3
    assert (tmp_path / "out" / "precision_recall.svg").read_text().startswith("<svg")
    shown = (tmp_path / "out" / "evaluation.html").read_text()
    for kind, key in (("missed", "missed"), ("false", "false"), ("found", "true")):
        total = sum(min(entry["one_to_one"][key], MOST) for entry in figures["overall"])
        assert shown.count(f'<figure class="{kind}">') == total


def test_exhibits_show_the_place_and_keep_the_first():
    """Two labels and two detections, of which one pair lies together; a dark square where the label is."""
    values = np.zeros((200, 200), np.float32)
    values[90:111, 40:61] = 1.0
    exhibits = Exhibits()
    truth, found = np.array([[100.0, 50.0], [20.0, 20.0]]), np.array([[103.0, 52.0], [180.0, 180.0]])
    for _ in range(MOST + 5):
        exhibits.add(values, "dicentric", found, truth, radius=20.0)
    assert [len(exhibits.of("dicentric", kind)) for kind in ("missed", "false", "found")] == [MOST] * 3
    assert not exhibits.of("fragment", "found")
    crop = exhibits.of("dicentric", "found")[0]
    dark = np.argwhere(crop[..., 0] < 50)
    assert tuple(dark.mean(axis=0).round()) == (crop.shape[0] // 2 - 3, crop.shape[1] // 2 - 2)
    assert (exhibits.of("dicentric", "missed")[0][..., 0] > 200).all()


def test_a_folder_without_labels_is_refused(tmp_path, random_ensemble):
    with pytest.raises(LabelError, match=r"expected a labelled folder with labels\.csv"):
        list(labelled_cells(tmp_path, []))


@pytest.mark.parametrize(
    ("heading", "dose", "known"), [("dose_gy", "", "unknown"), ("dose_gy", "2", "2"), ("of", "1", "unknown")]
)
def test_doses_of_composed_cells_are_unknown(tmp_path, random_ensemble, heading, dose, known):
    """`compose` writes no dose: nobody irradiated these cells."""
    write_folder(Order(2, Exposure(4.0), seed=2, shape=(320, 320)), tmp_path)
    table = tmp_path / "cells.csv"
    names = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]
    table.write_text(f"image,{heading}\n" + "".join(f"{name},{dose}\n" for name in names))
    result = evaluate(labelled_cells(tmp_path, []), 2, load_ensemble(random_ensemble), [], sweeping=False)
    assert [line["dose_gy"] for line in summary(result)["by_dose"]] == [known, known]


def test_a_dose_that_is_no_number_is_told(tmp_path):
    write_folder(Order(1, Exposure(4.0), seed=2, shape=(320, 320)), tmp_path)
    table = tmp_path / "cells.csv"
    name = table.read_text().splitlines()[1].split(",")[0]
    table.write_text(f"image,dose_gy\n{name},2 Gy\n")
    with pytest.raises(LabelError, match=r"cells\.csv, line 2: expected a number in dose_gy, got '2 Gy'"):
        list(labelled_cells(tmp_path, []))


def test_a_line_of_cells_csv_without_its_image_is_said(tmp_path):
    write_folder(Order(1, Exposure(4.0), seed=2, shape=(320, 320)), tmp_path)
    table = tmp_path / "cells.csv"
    name = table.read_text().splitlines()[1].split(",")[0]
    table.write_text(f"image;dose_gy\n{name};2,5\ngone.png;2\n")
    skipped = []
    assert [cell.dose for cell in labelled_cells(tmp_path, skipped)] == ["2.5"]
    assert [(one.image, one.reason.rpartition("/")[2]) for one in skipped] == [
        ("cells.csv", "cells.csv, line 3: there is no image 'gone.png'")
    ]
