"""Which cells can be scored: traits against drawn truth, decisions on simulated cells never learnt from, the command."""

import csv
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.selection.model import KINDS, numbers, products, read_selector, shipped, shipped_path
from cytally.dosimetry.selection.traits import traits_of
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import style_named
from cytally.errors import EnsembleError, ImageError
from cytally.types import Image


def drawn(bodies, shape=(700, 700)):
    """A density of ellipses (row, col, length, width) of height 1, edges blurred by 1 pixel."""
    values = np.zeros(shape, np.float32)
    for row, col, length, width in bodies:
        cv2.ellipse(values, (int(col), int(row)), (int(length / 2), int(width / 2)), 0, 0, 360, 1.0, -1)
    return Density(cv2.GaussianBlur(values, (0, 0), 1.0), 1.0, len(bodies), 0.5, "drawn")


ROWS = [(60 + 60 * (k // 8), 60 + 75 * (k % 8), 44, 20) for k in range(40)]


def test_separate_bodies_are_counted_and_measured():
    found = traits_of(drawn(ROWS))
    assert (found.single, found.clusters, found.nuclei) == (40, 0, 0)
    assert found.slenderness == pytest.approx(44 / 20, rel=0.06)  # drawn in whole pixels, cut at 0.4 of the height
    assert found.width == pytest.approx(20, rel=0.08)
    assert found.haze == 0 and found.share_clustered == 0


def test_bodies_that_overlap_are_a_cluster_and_a_round_large_one_is_a_nucleus():
    crossed = [(60, 660, 20, 44), (60, 660, 44, 20), (75, 675, 44, 20), (90, 660, 44, 20)]
    found = traits_of(drawn([*ROWS, *crossed, (580, 350, 150, 140)]))
    assert (found.single, found.clusters, found.nuclei) == (40, 1, 1)
    assert 2 < found.clustered < 5


def test_blur_lowers_sharpness_as_the_gradient_of_a_blurred_edge():
    """The slope of an edge blurred by sigma is 1 / (sigma sqrt(2 pi)); bodies are 20 wide, so sigma stays small."""
    density = drawn(ROWS)
    for more in (1.5, 2.5):
        values = cv2.GaussianBlur(density.values, (0, 0), more)
        sigma = np.hypot(1.0, more)
        found = traits_of(replace(density, values=values))
        assert found.sharpness == pytest.approx(1 / (sigma * np.sqrt(2 * np.pi)), rel=0.2)


def test_an_empty_field_and_a_speck_have_traits_of_nothing():
    for bodies in ([], [(300, 300, 4, 4)]):
        found = traits_of(drawn(bodies))
        assert (found.single, found.clusters, found.slenderness, found.sharpness, found.spread) == (0, 0, 0.0, 0.0, 0.0)


def test_two_groups_that_lie_apart_are_two_cells_whatever_the_model_says():
    traits = traits_of(drawn(ROWS))
    assert shipped().judge(replace(traits, groups=(20, 40))).reason == "two cells"


@pytest.fixture(scope="module")
def judged():
    """Verdicts on six cells of each kind, seeds that the model has not learnt from."""
    found = {}
    for kind in KINDS:
        verdicts = []
        for number in range(6):
            rng = np.random.default_rng([4711, list(KINDS).index(kind), number])
            made = simulate_cell(style_named("mixed"), Damage(dicentrics=number % 3), rng, kind=kind)
            try:
                verdicts.append(shipped().judge(traits_of(normalise(Image(made.image.pixels)))))
            except ImageError:
                continue
        found[kind] = verdicts
    return found


def test_complete_cells_are_kept_and_others_are_not(judged):
    """Shares of docs/selection.md: 0.97 of complete cells of this style, at most 0.3 of any other kind; six of each here."""
    assert sum(one.scorable for one in judged["complete"]) >= 5
    for kind in KINDS:
        if kind != "complete":
            assert sum(one.scorable for one in judged[kind]) <= 3, kind
    wrong = [one for kind, all_of in judged.items() if kind != "complete" for one in all_of]
    assert sum(one.scorable for one in wrong) <= 0.3 * len(wrong)


def test_reasons_name_the_kind_more_often_than_not(judged):
    refused = [(kind, one) for kind, all_of in judged.items() for one in all_of if not one.scorable]
    right = sum(one.reason == KINDS[kind] for kind, one in refused)
    assert right > 0.6 * len(refused)


def test_probabilities_are_a_softmax_of_the_file():
    """By a loop over kinds, as a slow twin."""
    selector, traits = shipped(), traits_of(drawn(ROWS))
    fitted = selector.fitted
    scaled = (numbers(traits) - np.array(fitted.mean)) / np.array(fitted.scale)
    inputs = list(np.clip(scaled, -6, 6))
    inputs += [inputs[i] * inputs[j] for i in range(len(scaled)) for j in range(i, len(scaled))]
    assert products(scaled) == pytest.approx(inputs)
    raised = {
        kind: np.exp(bias + sum(w * x for w, x in zip(weights, inputs, strict=True)))
        for kind, weights, bias in zip(fitted.kinds, fitted.weights, fitted.bias, strict=True)
    }
    assert selector.judge(traits).probability == pytest.approx(raised["complete"] / sum(raised.values()), rel=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": [[1.0]]}, "expected 65 weights"),
        ({"kinds": ["complete", "odd"]}, "expected kinds among"),
        ({"threshold": float("nan")}, "threshold"),
        ({"more": 1}, "more"),
    ],
)
def test_a_damaged_model_is_refused_by_name(tmp_path, change, words):
    content = json.loads(shipped_path().read_text()) | change
    (tmp_path / "m.json").write_text(json.dumps(content))
    with pytest.raises(EnsembleError, match=words) as error:
        read_selector(tmp_path / "m.json")
    assert "m.json" in str(error.value)
    with pytest.raises(EnsembleError, match="cannot be read"):
        read_selector(tmp_path / "none.json")


def test_the_command_writes_a_table_a_page_and_copies(tmp_path):
    cells = tmp_path / "cells"
    cells.mkdir()
    for name, kind in (("a.png", "complete"), ("sub/b.png", "blurred"), ("c.png", "clumped")):
        rng = np.random.default_rng([5, len(name)])
        made = simulate_cell(style_named("mixed"), Damage(), rng, kind=kind)
        (cells / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(cells / name), made.image.pixels)
    (cells / "d.png").write_bytes((cells / "a.png").read_bytes())
    cv2.imwrite(str(cells / "e.png"), np.full((300, 300), 220, np.uint8))
    (cells / "f.png").write_text("no image")
    arguments = ["dosimetry", "select", str(cells), "--out", str(tmp_path / "out"), "--copy", "--jobs", "1"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 3, result.output
    rows = {row["image"]: row for row in csv.DictReader((tmp_path / "out" / "cells.csv").read_text().splitlines())}
    assert list(rows["a.png"])[:4] == ["image", "status", "reason", "chromosomes"]
    assert rows["a.png"]["status"] == "scorable" and 35 <= int(rows["a.png"]["chromosomes"]) <= 57
    assert rows["sub/b.png"]["reason"] == "out of focus" and rows["c.png"]["reason"] in ("clumped", "no metaphase")
    assert rows["e.png"]["reason"] == "no metaphase" and rows["e.png"]["note"]
    assert rows["d.png"]["status"] == "skipped: identical to a.png" and rows["f.png"]["status"].startswith("skipped: ")
    copied = [
        path.relative_to(tmp_path / "out" / "scorable") for path in (tmp_path / "out" / "scorable").rglob("*.png")
    ]
    assert [str(path) for path in copied] == ["a.png"]
    page = (tmp_path / "out" / "selection.html").read_text()
    assert "1 of 4 cells can be scored" in page and "Out of focus (1)" in page
    again = CliRunner().invoke(cli, arguments)
    assert again.output == result.output
