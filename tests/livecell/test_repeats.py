"""Names that repeat, settings and data that changed, offsets that are none: nothing is taken for something else."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.errors import ImageError, LabelError, RunError
from cytally.images.masks import write_mask
from cytally.images.register import Offset, correlation
from cytally.images.write import write
from cytally.inference.card import Card, Thresholds
from cytally.livecell.ensemble import LIVE_CELLS
from cytally.livecell.labelled import read_labelled
from cytally.livecell.labelling.folder import LabelSettings, label_folder
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify
from cytally.livecell.labelling.pairs import beyond_doubt, channel_offset, offset_error, pair_files
from cytally.livecell.labelling.unchanged import DATA, same_data, same_settings
from cytally.livecell.learn import fields_of, learnt_from
from cytally.livecell.measure.experts import ToReview, write_review
from cytally.livecell.simulate.folder import TimeLapse, frames
from cytally.types import Image


def field(folder, name, seed):
    """An image and its mask, of one seed, in phase/ and labels/ of a folder."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((40, 40), np.int32)
    mask[5 : 6 + seed, 5:12] = 1
    for place, save in (
        ("phase", lambda p: write(p, Image(rng.integers(0, 99, (40, 40), dtype=np.uint8)))),
        ("labels", lambda p: write_mask(p, mask)),
    ):
        path = folder / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path)


@pytest.fixture
def plate(tmp_path):
    """Two wells of two times, whose files have the same names."""
    for seed, name in enumerate(("A01/t000.tif", "A01/t001.tif", "B02/t000.tif", "B02/t001.tif")):
        field(tmp_path / "plate", name, seed)
    return read_labelled(tmp_path / "plate")


def card(**training):
    return Card(
        name="x",
        task="livecell",
        classes=["nucleus", "core"],
        stride=1,
        normalisation=dict(LIVE_CELLS.normalisation),
        arguments={},
        members=[],
        training=training,
        thresholds=Thresholds(confidence=[], agreement=[0, 0]),
    )


def test_masks_belong_to_the_image_of_their_folder_not_to_one_of_that_name(plate):
    assert [(f.name.position, f.label.parent.name) for f in plate.fields] == [
        ("A01", "A01"),
        ("A01", "A01"),
        ("B02", "B02"),
        ("B02", "B02"),
    ]
    assert len({f.nuclei and f.label for f in plate.fields}) == 4


def test_two_masks_of_one_name_are_refused(tmp_path):
    field(tmp_path, "t0.tif", 1)
    write(tmp_path / "labels" / "t0.png", Image(np.ones((40, 40), np.uint8)))
    with pytest.raises(LabelError, match="two masks of one name"):
        read_labelled(tmp_path)


def test_parts_of_a_training_are_known_by_content(plate, tmp_path):
    """The card keeps B02/t001 aside: one field, though two are called t001.tif, and also from another folder."""
    from cytally.files.hashes import hash_of

    noted = {
        part: [hash_of(plate.fields[k].name.path) for k in which]
        for part, which in (("train", (0, 1)), ("validation", (2,)), ("test", (3,)))
    }
    assert fields_of(card(images=noted), "test", plate.kept) == [plate.fields[3]]
    assert learnt_from(card(images=noted), plate.kept) == list(plate.fields[:3])
    (tmp_path / "plate").rename(tmp_path / "elsewhere")
    moved = read_labelled(tmp_path / "elsewhere").kept
    assert [f.name.position for f in fields_of(card(images=noted), "test", moved)] == ["B02"]


def test_a_card_that_notes_names_only_is_refused_where_names_repeat(plate):
    with pytest.raises(LabelError, match="2 fields have this name, and the card of this ensemble notes names only"):
        fields_of(card(fields={"test": ["t001.tif"]}), "test", plate.kept)
    assert fields_of(card(fields={"test": ["t001.tif"]}), "test", plate.kept[:2]) == [plate.fields[1]]
    assert learnt_from(card(fields={"train": ["t001.tif"]}), plate.kept) == []


def test_an_ensemble_is_not_given_back_for_other_data(plate, tmp_path):
    out = tmp_path / "ensemble"
    same_data(out, plate.kept)
    (out / "training").mkdir()
    same_data(out, plate.kept)
    assert len(json.loads((out / DATA).read_text())) == 4
    with pytest.raises(RunError, match=r"learnt from other images or labels \(4 fields in .*, 3 given, 3 the same\)"):
        same_data(out, plate.kept[:3])
    write_mask(plate.fields[0].label, np.ones((40, 40), np.int32))
    with pytest.raises(RunError, match="4 given, 3 the same"):
        same_data(out, plate.kept)
    (out / DATA).unlink()
    with pytest.raises(RunError, match="give another --out"):
        same_data(out, plate.kept)


def test_labels_of_a_run_are_not_made_anew_with_other_settings(tmp_path):
    from dataclasses import asdict

    settings = LabelSettings()
    same_settings(tmp_path, settings)
    (tmp_path / "label.json").write_text(json.dumps({"settings": asdict(settings)}))
    same_settings(tmp_path, settings)
    other = replace(settings, stain=FluorescenceSettings.for_nuclei(8, 40))
    with pytest.raises(RunError, match=r"labels made with other settings \(.*stain.diameters.*\).*another --out"):
        same_settings(tmp_path, other)


def test_pages_of_images_that_share_a_name_are_their_own(tmp_path):
    images = []
    for number, name in enumerate(("A01/t0.tif", "A02/t0.tif", "A01_t0.tif", "A02/t0.png")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        write(path, Image(np.full((20, 20), 60 * number, np.uint8)))
        write_mask(tmp_path / f"m{number}.tif", np.zeros((20, 20), np.int32))
        images.append(ToReview(name, path, tmp_path / f"m{number}.tif"))
    write_review(images[:2], tmp_path / "two")
    assert sorted(p.name for p in (tmp_path / "two" / "pages").iterdir()) == ["A01_t0.png", "A02_t0.png"]
    write_review(images, tmp_path / "four")
    assert len(list((tmp_path / "four" / "pages").iterdir())) == 4
    with pytest.raises(LabelError, match="different names"):
        write_review([*images, replace(images[0], name="a01/T0.tif")], tmp_path / "five")


def test_two_images_of_one_field_on_either_side_are_refused():
    for side, (one, two) in (
        ("phase contrast", (["a_t1.tif", "a_t01.tif"], ["a_t1.tif"])),
        ("the stain", (["a_t1.tif"], ["a_t1.tif", "a_dapi_t1.tif"])),
    ):
        with pytest.raises(ImageError, match=f"both are {side} of position 'a' at time 1"):
            pair_files([Path("p") / name for name in one], [Path("f") / name for name in two])


def test_channels_in_names_pair_without_a_pattern():
    """NIS, MetaMorph, Micro-Manager, Fiji: each folder holds one channel."""
    for one, two in (
        ("dish1_xy1c1", "dish1_xy1c2"),
        ("exp_w1BF_s1_t1", "exp_w2DAPI_s1_t1"),
        ("t001_c001", "t001_c002"),
        ("img_000000001_BF_000", "img_000000001_DAPI_000"),
        ("A01_C1_t1", "A01_C2_t1"),
    ):
        assert len(pair_files([Path(f"p/{one}.tif")], [Path(f"f/{two}.tif")]).pairs) == 1


def test_an_offset_of_the_cameras_is_corrected_only_beyond_doubt():
    """Simulated fields, eight each: none is found where there is none, and (6, -9) within 2 pixels where it is."""
    stain = FluorescenceSettings.for_nuclei(5, 30)
    for offset, doubtless in (((0.0, 0.0), False), ((6.0, -9.0), True)):
        seen = [next(frames(TimeLapse(frames=1, shape=(256, 256), seed=110 + k, offset=offset))) for k in range(8)]
        pictures = [each.phase for each in seen], [identify(each.fluorescence, stain).labels for each in seen]
        found, error = channel_offset(*pictures), offset_error(*pictures)
        assert beyond_doubt(found, error) is doubtless, (found, error)
    assert abs(found.row + 6) < 2 and abs(found.col - 9) < 2


def test_doubt_is_three_standard_errors_and_grows_with_scatter():
    assert not beyond_doubt(Offset(2.9, -2.9, 9.0), (1.0, 1.0)) and beyond_doubt(Offset(0, -3.1, 9.0), (1.0, 1.0))
    empty = np.zeros((64, 64), np.int32)
    assert offset_error([np.zeros((64, 64), np.uint8)], [empty]) == (np.inf, np.inf)


def test_pictures_of_two_sizes_are_not_correlated():
    with pytest.raises(ImageError, match="two pictures of one size to compare, got 8 x 8 and 9 x 8"):
        correlation(np.zeros((8, 8), np.float32), np.zeros((9, 8), np.float32), 2)


def test_a_label_of_which_most_is_too_large_is_rejected(tmp_path):
    """Nuclei of some 20 pixels, asked for up to 12: nothing to learn from is left."""
    from cytally.livecell.simulate.folder import write_sequence

    write_sequence(TimeLapse(frames=2, shape=(192, 192), seed=9), tmp_path / "s")
    made = label_folder(
        tmp_path / "s" / "phase",
        tmp_path / "s" / "fluorescence",
        tmp_path / "o",
        LabelSettings(FluorescenceSettings.for_nuclei(3, 10)),
    )
    assert not made.kept and all("--diameter does not fit" in each.reason for each in made.fields)


def test_the_offset_can_be_left_alone(tmp_path):
    done = CliRunner().invoke(cli, ["livecell", "label", "--help"])
    assert "--no-align" in done.output
