"""Crops to networks to nuclei: what is exact, and that a small network learns something."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases.nuclei import QUICK, TINY, grid

from cytally.dosimetry.detectors.ensemble import load_ensemble as load_metaphases
from cytally.errors import EnsembleError, LabelError
from cytally.evaluation.segmentation import matched, scores
from cytally.images.masks import read_mask
from cytally.images.read import read
from cytally.livecell.ensemble import load_ensemble
from cytally.livecell.labelled import read_labelled
from cytally.livecell.labelling.subfields import in_tiles
from cytally.livecell.learn import Preset, learn
from cytally.livecell.measure.evaluate import Tally, as_table, evaluate, plain, summary
from cytally.livecell.nuclei import SMALLEST, find_nuclei, loosened, part, vote
from cytally.livecell.simulate.folder import TimeLapse, write_sequence
from cytally.livecell.simulate.population import PopulationSettings
from cytally.nets.losses import focal_cross_entropy
from cytally.nets.unet import Architecture, UNet, build
from cytally.training.tasks.masks import (
    MaskSettings,
    core_mask,
)


def test_focal_loss_by_hand():
    """p = 0.8 on an object and 0.3 on the ground, gamma 2, alpha 1/2 (Lin et al. 2017, eq. 5)."""
    predicted, target = torch.tensor([[[[0.8, 0.3]]]]), torch.tensor([[[[1.0, 0.0]]]])
    expected = (-0.5 * 0.2**2 * np.log(0.8) - 0.5 * 0.3**2 * np.log(0.7)) / 2
    assert float(focal_cross_entropy(predicted, target)) == pytest.approx(expected, rel=1e-6)
    known = torch.tensor([[[[1.0, 0.0]]]])
    half = float(focal_cross_entropy(predicted, target, known=known))
    assert half == pytest.approx(-0.5 * 0.2**2 * np.log(0.8), rel=1e-6)


def test_gamma_0_alpha_half_is_half_the_cross_entropy():
    predicted, target = torch.rand(2, 2, 5, 5) * 0.98 + 0.01, (torch.rand(2, 2, 5, 5) > 0.5).float()
    ours = focal_cross_entropy(predicted, target, gamma=0.0)
    assert float(ours) == pytest.approx(
        float(torch.nn.functional.binary_cross_entropy(predicted, target)) / 2, rel=1e-5
    )


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("stem", ["plain", "unshuffle"])
@pytest.mark.parametrize("sharp", [False, True])
def test_networks_of_any_stride_answer_where_they_should(stride, stem, sharp):
    """Shape, and that no output looks further than `reach` says."""
    if stem == "unshuffle" and stride == 1:
        stem = "plain"
    how = Architecture(classes=2, filters=2, depth=3, stem=stem, widest=8, stride=stride, sharp=sharp, dropout=0.05)
    torch.manual_seed(1)
    network = UNet(how).double().eval()
    side = 2 * how.reach + 64
    image = torch.rand(1, 1, side, side, dtype=torch.float64)
    answer = network(image)
    assert answer.shape == (1, 2, side // how.step, side // how.step)
    middle = side // 2
    image[0, 0, middle, middle] += 100
    moved = (network(image) - answer).abs().amax(dim=(0, 1)) > 0
    rows = torch.nonzero(moved)[:, 0] * how.step
    assert rows.min() >= middle - how.reach - how.step and rows.max() <= middle + how.reach


def test_the_published_network_has_the_published_size():
    """64 filters, four halvings: 31 million parameters, less what transposed convolutions would add."""
    from cytally.livecell.learn import PRESETS

    network = build({k: getattr(PRESETS["paper"].architecture, k) for k in Architecture.__dataclass_fields__})
    count = sum(p.numel() for p in network.parameters())
    assert 28e6 < count < 36e6


def test_cores_of_touching_nuclei_do_not_touch():
    labels = np.zeros((30, 40), np.int32)
    labels[5:25, 4:20], labels[5:25, 20:36] = 1, 2
    core = core_mask(labels) == 2
    parted = part(labels > 0, core, core.astype(np.float32))
    assert parted.max() == 2
    assert matched(parted, labels, 0.9).hits.true == 2


@given(st.integers(0, 200))
@settings(max_examples=20)
def test_parting_keeps_every_nucleus_pixel_but_specks(seed):
    rng = np.random.default_rng(seed)
    nucleus = rng.random((40, 40)) > 0.6
    labels = part(nucleus, nucleus & (rng.random((40, 40)) > 0.7), rng.random((40, 40)).astype(np.float32))
    assert not labels[~nucleus].any()
    sizes = np.bincount(labels.ravel())[1:]
    assert len(sizes) == labels.max() and (sizes >= SMALLEST).all()


def test_a_nucleus_without_core_is_one():
    nucleus = grid() > 0
    assert part(nucleus, np.zeros_like(nucleus), np.zeros(nucleus.shape, np.float32)).max() == 6


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A small network taught on perfect labels of five small fields, for a minute."""
    out = tmp_path_factory.mktemp("learnt")
    for number in range(5):
        lapse = TimeLapse(frames=3, shape=(192, 192), seed=60 + number, population=PopulationSettings(10))
        write_sequence(lapse, out / "sim", f"{'ABCDE'[number]}01_1")
    how = Preset(
        replace(TINY, filters=8, widest=48),
        MaskSettings(epochs=10, patience=10, steps=25, side=128, rate=4e-3, members=3),
    )
    return out, learn([out / "sim"], out / "ensemble", how)


def test_a_small_network_learns_nuclei(learnt):
    out, made = learnt
    assert made.split.by == "well" and len(made.curve) == 10
    kept = {one.name.path: one for one in read_labelled(out / "sim").kept}
    aside = [kept[each.name.path] for each in made.split.of("test")]
    found = evaluate(aside, made.ensemble, out=out / "eval")
    assert found.object.dice > 0.6  # a ten-second network; random masks reach 0.2
    assert json.loads((out / "eval" / "evaluation.json").read_text()) == plain(found)
    assert "objects one to one" in as_table(found) and list((out / "eval" / "overlays").glob("*.png"))


def test_an_ensemble_knows_its_task(learnt):
    out, made = learnt
    with pytest.raises(EnsembleError, match="expected an ensemble for dosimetry, got one for livecell"):
        load_metaphases(out / "ensemble")
    with pytest.raises(EnsembleError, match="none ships for livecell"):
        load_ensemble(None)
    assert load_ensemble(out / "ensemble").card.identity == made.ensemble.card.identity


def test_any_image_size_is_predicted_whole(learnt):
    _, made = learnt
    rng = np.random.default_rng(0)
    for shape in ((70, 131), (192, 192)):
        assert find_nuclei(rng.normal(100, 5, shape), made.ensemble).labels.shape == shape


def test_transfer_begins_where_the_other_ended(learnt, tmp_path):
    out, made = learnt
    how = Preset(TINY, MaskSettings(epochs=1, steps=1, side=128, rate=1e-6, late_rate=1e-6, members=1))
    again = learn([out / "sim"], tmp_path / "more", how, start=out / "ensemble")
    assert again.ensemble.card.arguments == made.ensemble.card.arguments
    assert again.curve[0]["validation"] < 2.5 * min(row["validation"] for row in made.curve)
    assert again.ensemble.card.training["started_from"] == made.ensemble.card.identity


def test_several_folders_are_mixed(learnt, tmp_path):
    out, _ = learnt
    quick = Preset(TINY, replace(QUICK, epochs=1, side=128))
    both = learn([out / "sim", out / "sim"], tmp_path / "both", quick)
    assert both.ensemble.card.training["folders"] == ["sim", "sim"]


def test_one_field_is_learnt_from_in_parts(tmp_path):
    """Six parts, no pixel in two of them, the learnt, validated and tested named on the card."""
    lapse = TimeLapse(frames=1, shape=(260, 420), seed=5, population=PopulationSettings(24))
    write_sequence(lapse, tmp_path / "one")
    made = learn([tmp_path / "one"], tmp_path / "out", Preset(TINY, replace(QUICK, epochs=1, side=96)))
    assert made.split.by == "part of a field"
    assert [len(made.split.of(part)) for part in ("train", "validation", "test")] == [4, 1, 1]
    assert all(field.nuclei > 0 for field in made.aside)
    assert made.ensemble.card.training["fields"]["test"] == [field.name.path.name for field in made.aside]
    whole = read(next((tmp_path / "one" / "phase").iterdir())).pixels
    seen = np.zeros(whole.shape, int)
    for tile in read_labelled(tmp_path / "out" / "tiles").kept:
        pixels, labels = read(tile.name.path).pixels, read_mask(tile.label)
        assert pixels.shape == labels.shape
        place = np.argwhere((np.lib.stride_tricks.sliding_window_view(whole, pixels.shape) == pixels).all((2, 3)))
        assert len(place) == 1
        seen[place[0, 0] : place[0, 0] + pixels.shape[0], place[0, 1] : place[0, 1] + pixels.shape[1]] += 1
    assert seen.max() == 1 and seen.mean() > 0.8


def test_parts_of_two_fields_of_one_name_are_kept_apart(tmp_path):
    """Two cell lines, an image each, both called t000: twelve parts, and none of an earlier run among them."""
    for number, name in enumerate(("one", "other")):
        lapse = TimeLapse(frames=1, shape=(260, 420), seed=5 + number, population=PopulationSettings(24))
        write_sequence(lapse, tmp_path / name)
    fields = [field for name in ("one", "other") for field in read_labelled(tmp_path / name).kept]
    assert fields[0].name.path.name == fields[1].name.path.name
    for _ in range(2):
        tiles = in_tiles(fields, tmp_path / "tiles")
        assert len(tiles) == 12
        pixels = {read(tile.name.path).pixels.tobytes() for tile in tiles}
        assert len(pixels) == 12
    assert len(in_tiles(fields[:1], tmp_path / "tiles")) == 6


def test_too_small_or_too_empty_fields_are_refused(tmp_path):
    quick = Preset(TINY, replace(QUICK, epochs=1))
    write_sequence(TimeLapse(frames=1, shape=(96, 96)), tmp_path / "small")
    with pytest.raises(LabelError, match="one of 240 x 360 pixels to cut in parts; got 96 x 96"):
        learn([tmp_path / "small"], tmp_path / "none", quick)
    write_sequence(TimeLapse(frames=1, shape=(260, 420), population=PopulationSettings(1)), tmp_path / "empty")
    with pytest.raises(LabelError, match="nuclei in at least three of 6 parts"):
        learn([tmp_path / "empty"], tmp_path / "none", quick)


def test_figures_add_up_over_fields():
    one, two = grid(), grid(3)
    tally = Tally()
    tally.add(one, one)
    tally.add(two, one)
    found = summary(tally)
    assert found.fields == 2 and found.count_error == pytest.approx(0.25)
    assert found.matched == scores(matched(one, one).hits + matched(two, one).hits)
    assert found.matched.recall == pytest.approx(9 / 12) and found.matched.precision == 1


def test_masks_are_read_once_as_written(learnt):
    out, _ = learnt
    path = Path(read_labelled(out / "sim").kept[0].label)
    assert read_mask(path).dtype == np.int32


def test_only_what_is_too_tight_is_loosened():
    """Two nuclei of 4 x 4: a lower level makes one 5 x 5 (less than 1.4 times), the other 8 x 8."""
    labels = np.zeros((20, 30), np.int32)
    labels[6:10, 4:8], labels[6:10, 18:22] = 1, 2
    reach = np.zeros((20, 30), bool)
    reach[6:10, 4:9] = True
    reach[4:12, 16:24] = True
    found = loosened(labels, reach, reach.astype(np.float32))
    np.testing.assert_array_equal(found == 1, labels == 1)
    expected = np.zeros((20, 30), bool)
    expected[4:12, 16:24] = True
    np.testing.assert_array_equal(found == 2, expected)
    none = np.zeros((20, 30), np.int32)
    np.testing.assert_array_equal(loosened(none, reach, reach.astype(np.float32)), none)


def test_what_is_followed_has_the_same_numbers_as_what_is_counted(learnt):
    """A sure disk of radius 5 in a doubtful one of radius 8, beside a sure one: only the first is grown."""
    ensemble = learnt[1].ensemble
    rows, cols = np.mgrid[:40, :60]
    far = [np.hypot(rows - 20, cols - col) for col in (18, 45)]
    levels = np.asarray(ensemble.card.thresholds.confidence)[:, :, None, None]
    sure = np.where((far[0] <= 5) | (far[1] <= 6), 0.35, np.where(far[0] <= 8, -0.1, -0.29))
    core = np.where((far[0] <= 3) | (far[1] <= 3), 0.35, -0.29)
    maps = (levels + np.stack([sure, core])[None]).astype(np.float32)
    found = vote(maps, ensemble)
    assert found.count == 2
    np.testing.assert_array_equal(found.labels > 0, sure > 0)
    first, second = found.labels[20, 18], found.labels[20, 45]
    np.testing.assert_array_equal(found.loose == first, far[0] <= 8)
    np.testing.assert_array_equal(found.loose == second, far[1] <= 6)
