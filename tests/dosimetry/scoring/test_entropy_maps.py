"""Pictures of what members do not know lie where it is."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.density import normalise
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.entropy_maps import at_image, check_maps, draw_entropy, forget_entropy, read_entropy
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import SettingsError
from cytally.images.read import read
from cytally.types import Detections


class Doubtful:
    """Heatmaps of two members that contradict each other at one place of the image and agree elsewhere."""

    name, identity, classes, stride = "doubtful", "0", ("dicentric", "fragment"), 4

    def __init__(self, *place):
        self.place = np.array([place], float)

    def heatmaps(self, density):
        maps = np.zeros((2, 2, *(-(-side // self.stride) for side in density.values.shape)), np.float32)
        row, col = np.rint((density.from_image(self.place)[0] + 0.5) / self.stride - 0.5).astype(int)
        maps[1, 0, row, col] = 1.0
        return maps


@pytest.fixture
def folder(tmp_path):
    write_folder(Order(2, Exposure(1.0), seed=4, shape=(600, 640)), tmp_path / "cells")
    return tmp_path


def test_a_linear_map_is_met_exactly_between_its_places():
    """Place i of the map lies at (i + 1/2) stride - 1/2 of the normalised cell: at image row r it is ((r + 1/2) scale) / stride - 1/2."""
    coarse = np.repeat(np.arange(30.0)[:, None], 40, axis=1)
    shown = at_image(coarse, SimpleNamespace(scale=0.8), 4, (100, 130))
    rows = np.arange(10, 90)
    assert shown[10:90, 60] == pytest.approx(
        (rows + 0.5) * 0.8 / 4 - 0.5, abs=0.02
    )  # cv2 interpolates in steps of 1/32


def test_red_is_where_members_contradict_each_other(folder):
    paths = {path.name: path for path in sorted((folder / "cells").glob("*.png"))}
    cells = [ScoredCell(name, Detections.empty(2), sha256="a" * 64) for name in paths]
    (folder / "run").mkdir()
    found = draw_entropy(folder / "run", cells, paths, Doubtful(200, 420))
    assert [each.bits for each in found] == [pytest.approx((1.0, 0.0))] * 2
    for each in found:
        picture = cv2.imread(str(folder / "run" / "entropy" / each.picture)).astype(int)
        redness = picture[..., 2] - picture[..., 0]
        assert picture.shape == (600, 640, 3)
        top = np.argwhere(redness > 0.9 * redness.max()).mean(axis=0)
        scale = normalise(read(paths[each.image])).scale
        assert np.abs(top - (200, 420)).max() < 4 / scale  # half a place and the rounding to one
        assert (redness[:150] == 0).all()
    rows = list(csv.DictReader((folder / "run" / "entropy.csv").read_text().splitlines()))
    assert rows[0] == {"image": found[0].image, "dicentric_bits": "1.000", "fragment_bits": "0.000"}


def test_an_image_that_is_gone_is_left_out_and_what_is_drawn_is_not_drawn_again(folder):
    paths = {path.name: path for path in sorted((folder / "cells").glob("*.png"))}
    cells = [ScoredCell(name, Detections.empty(2), sha256="a" * 64) for name in paths]
    (folder / "run").mkdir()
    paths[cells[0].image].unlink()
    found = draw_entropy(folder / "run", cells, paths, Doubtful(200, 420))
    assert [each.image for each in found] == [cells[1].image]
    paths[cells[1].image].unlink()
    assert draw_entropy(folder / "run", cells, paths, Doubtful(200, 420)) == found
    changed = [replace(cell, sha256="b" * 64) for cell in cells]
    assert read_entropy(folder / "run", changed) == []
    assert forget_entropy(folder / "run", changed) and not forget_entropy(folder / "run", changed)
    assert list((folder / "run" / "entropy").iterdir()) == [] and not (folder / "run" / "entropy.csv").exists()


def test_a_line_that_leads_out_of_the_run_is_not_believed(folder):
    (folder / "run" / "entropy").mkdir(parents=True)
    (folder / "secret.png").write_bytes(b"")
    line = {"image": "a.png", "sha256": "a" * 64, "picture": "../../secret.png", "bits": [1.0, 2.0]}
    (folder / "run" / "entropy.jsonl").write_text(json.dumps(line) + "\n")
    assert read_entropy(folder / "run", [ScoredCell("a.png", Detections.empty(2), sha256="a" * 64)]) == []


def test_the_command_draws_and_the_report_shows_the_least_certain(folder, random_ensemble):
    score = ["dosimetry", "score", str(folder / "cells"), "--out", str(folder / "run")]
    result = CliRunner().invoke(cli, [*score, "--ensemble", str(random_ensemble), "--entropy"])
    assert result.exit_code == 0, result.output
    assert len(list((folder / "run" / "entropy").glob("*.png"))) == 2
    page = (folder / "run" / "report.html").read_text()
    assert "Where the members do not know" in page and page.count('<img alt="entropy"') == 2
    again = CliRunner().invoke(cli, [*score, "--ensemble", str(random_ensemble)])
    assert again.exit_code == 0 and "Where the members" in (folder / "run" / "report.html").read_text()


def test_a_detector_without_heatmaps_has_no_entropy():
    with pytest.raises(SettingsError, match="classical: has no heatmaps"):
        check_maps(SimpleNamespace(name="classical"))
