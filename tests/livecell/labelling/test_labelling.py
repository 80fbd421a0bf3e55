"""File names, pairs, rejected labels, crops and splits."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.errors import ImageError, LabelError, SettingsError
from cytally.images.masks import read_mask
from cytally.images.read import read
from cytally.images.write import write
from cytally.livecell.labelled import read_labelled
from cytally.livecell.labelling.folder import LabelSettings, label_folder
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify
from cytally.livecell.labelling.pairs import channel_offset, pair_files
from cytally.livecell.labelling.quality import RejectSettings, clean, reasons
from cytally.livecell.labelling.split import Field, Split, split_fields, thumbnail, windows, without_leaks
from cytally.livecell.sequences import parse_name, series_of
from cytally.livecell.simulate.folder import TimeLapse, frames, write_sequence
from cytally.livecell.simulate.population import PopulationSettings
from cytally.segmentation.declump import typical_area
from cytally.types import Image

STAIN = FluorescenceSettings.for_nuclei(5, 30)


@pytest.mark.parametrize(
    ("name", "position", "time", "well"),
    [
        ("A01_1_t000.tif", "A01_1", 0, "A01"),
        ("t012.tif", "field", 12, ""),
        ("VID12_B3_2_01d02h30m.tif", "VID12_B3_2", 1590, "B3"),
        ("phase_C2_4_T00017.png", "C2_4", 17, "C2"),
        ("EMBO--W0002--P001--T00011--Z000--C.tif", "EMBO--W0002--P001--C", 11, "W0002"),
        ("set1_raw.tif", "set1", 0, ""),
        ("field3.tif", "field3", 0, ""),
    ],
)
def test_names_say_position_time_and_well(name, position, time, well):
    found = parse_name(Path(name))
    assert (found.position, found.time, found.well) == (position, time, well)


def test_a_pattern_of_ones_own():
    found = parse_name(Path("img_007_pos3_ch1.tif"), r"img_(?P<frame>\d+)_(?P<position>pos\d)")
    assert (found.position, found.time) == ("pos3", 7)
    with pytest.raises(ImageError, match="fits"):
        parse_name(Path("other.tif"), r"img_(?P<frame>\d+)_(?P<position>pos\d)")
    with pytest.raises(SettingsError, match="regular expression"):
        parse_name(Path("other.tif"), r"(")


@given(st.permutations(range(8)))
def test_frames_are_put_in_order_whatever_the_order_given(order):
    paths = [Path(f"A1_t{k:03d}.tif") for k in order]
    assert series_of(paths)[0].paths == [Path(f"A1_t{k:03d}.tif") for k in range(8)]


def test_a_missing_frame_is_told_and_a_doubled_one_refused():
    assert series_of([Path(f"t{k}.tif") for k in (0, 1, 3, 4, 6)])[0].missing == (2, 5)
    assert series_of([Path(f"x_00d{h:02d}h00m.tif") for h in (0, 2, 4, 8)])[0].missing == (360,)
    with pytest.raises(ImageError, match="two images of position"):
        series_of([Path("a_t1.tif"), Path("a_t01.tif")])


def test_files_pair_by_name_or_by_position_and_time():
    found = pair_files([Path("p/A1_t0.tif"), Path("p/A1_t1.tif")], [Path("f/A1_t1.tif"), Path("f/A9_t1.tif")])
    assert [(pair.phase.name, pair.fluorescence.name) for pair in found.pairs] == [("A1_t1.tif", "A1_t1.tif")]
    assert [one.image for one in found.skipped] == ["A9_t1.tif"]
    channels = pair_files([Path("p/B2_phase_t3.tif")], [Path("f/B2_green_t3.png")])
    assert len(channels.pairs) == 1
    with pytest.raises(ImageError, match="--pattern"):
        pair_files([Path("p/a.tif")], [Path("f/b.tif")])
    with pytest.raises(ImageError, match="both are the stain"):
        pair_files([Path("p/A1_t0.tif")], [Path("f/A1_t0.tif"), Path("f/A1_green_t0.tif")])


def test_positions_may_be_folders(lapse, tmp_path):
    """plate/A01/t000.tif and plate/B02/t000.tif: two positions, paired with folders of the same name."""
    for turn, well in enumerate(("A01", "B02", "C03")):
        for channel in ("phase", "fluorescence"):
            target = tmp_path / channel / well
            target.mkdir(parents=True)
            for number in range(2):
                turned = np.rot90(read(lapse / channel / f"t{number:03d}.tif").pixels, turn).copy()
                write(target / f"t{number:03d}.tif", Image(turned))
    made = label_folder(tmp_path / "phase", tmp_path / "fluorescence", tmp_path / "out", LabelSettings())
    assert sorted({(one.name.position, one.name.well) for one in made.fields}) == [
        ("A01", "A01"),
        ("B02", "B02"),
        ("C03", "C03"),
    ]
    assert len({one.label for one in made.fields}) == 6
    assert split_fields([one.name for one in read_labelled(tmp_path / "out").kept]).by == "well"
    series = series_of(
        [one.name.path for one in made.fields], None, {one.name.path: one.name.path.parent.name for one in made.fields}
    )
    assert [(each.position, len(each.frames)) for each in series] == [("A01", 2), ("B02", 2), ("C03", 2)]


def test_the_cameras_offset_is_found():
    """Ten fields whose fluorescence looks (6, -9) beside: found within 1.5 pixels."""
    told = [f for seed in range(5) for f in frames(TimeLapse(frames=2, seed=50 + seed, offset=(6.0, -9.0)))]
    found = channel_offset([f.phase for f in told], [identify(f.fluorescence, STAIN).labels for f in told])
    # the camera looks further down, so what it shows lies further up
    assert (found.row, found.col) == (pytest.approx(-6, abs=1.5), pytest.approx(9, abs=1.5))


def nuclei(count=12, shape=(200, 200), height=400.0, radius=7, blur=1.0, seed=1):
    """A stain with `count` nuclei on a grid, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.int32)
    for k in range(count):
        cv2.circle(labels, (25 + 45 * (k % 4), 25 + 45 * (k // 4)), radius, k + 1, -1)
    light = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), blur)
    return rng.normal(100 + height * light, 6).astype(np.float32), labels


def verdicts(*fields, settings=None):
    settings = settings or RejectSettings()
    return reasons([clean(stain, labels, settings).assessed for stain, labels in fields], settings)


def test_good_labels_are_kept_whole():
    stain, labels = nuclei()
    found = clean(stain, labels, RejectSettings()).assessed
    assert found.count == 12 and found.debris == found.waves == 0
    assert verdicts((stain, labels)) == [""]


def test_debris_is_taken_out_and_too_much_of_it_rejects():
    """Seven bright blots of 49 pixels: beside twelve nuclei of 154 harmless, beside two too many."""
    stain, labels = nuclei()
    for k in range(7):
        cv2.circle(stain, (15 + 26 * k, 160), 4, 2000.0, -1)
        cv2.circle(labels, (15 + 26 * k, 160), 4, 13 + k, -1)
    found = clean(stain, labels, RejectSettings()).assessed
    assert (found.count, found.debris) == (12, 7)
    assert verdicts((stain, labels)) == [""]
    few = np.where(labels > 10, labels, 0).astype(np.int32)
    assert verdicts((stain, few))[0].startswith("debris: 7 of 9")


def test_specks_are_taken_out_and_reject_nothing():
    """Two hundred specks of noise beside twelve good nuclei: the label is good without them."""
    stain, labels = nuclei()
    free = np.argwhere(cv2.dilate((labels > 0).astype(np.uint8), np.ones((15, 15))) == 0)
    places = free[np.random.default_rng(0).choice(len(free), 200, replace=False)]
    for number, (row, col) in enumerate(places, start=13):
        labels[row : row + 4, col : col + 5] = number
        stain[row : row + 4, col : col + 5] += 30
    found = clean(stain, labels, RejectSettings()).assessed
    assert found.count == 12 and found.specks > 100
    assert verdicts((stain, labels)) == [""]


def test_more_debris_than_nuclei_is_still_debris_where_other_fields_say_so():
    """Thirty specks and one nucleus: what is usual is known from the other fields."""
    stain, labels = nuclei(count=1)
    for k in range(30):
        place = (15 + 30 * (k % 6), 70 + 25 * (k // 6))
        cv2.circle(stain, place, 2, 900.0, -1)
        cv2.circle(labels, place, 2, 2 + k, -1)
    usual = typical_area(np.bincount(nuclei()[1].ravel())[1:].astype(float))
    assert clean(stain, labels, RejectSettings(), usual).assessed.count == 1
    assert typical_area(np.zeros(0)) == 0 and typical_area(np.array([20.0] * 100 + [240.0] * 8)) == 240
    assert typical_area(np.array([20.0] * 500 + [240.0])) == 20  # which is why all fields are asked together


def test_waves_are_no_brighter_than_the_ground():
    """Six empty circles beside four nuclei: taken out; the label is rejected where the stain is not strong."""
    for height, verdict in ((40.0, "waves: 6 of 10 objects are no brighter than the ground"), (400.0, "")):
        stain, labels = nuclei(count=4, height=height)
        for k in range(6):
            cv2.circle(labels, (25 + 28 * k, 150), 9, 20 + k, -1)
        assert clean(stain, labels, RejectSettings()).assessed.waves == 6
        assert verdicts((stain, labels)) == [verdict]


def test_blur_weak_stain_crowding_and_emptiness_are_named():
    good, soft, faint = nuclei(), nuclei(blur=4.5), nuclei(height=14.0)
    empty = (good[0], np.zeros_like(good[1]))
    full = (good[0], np.kron(np.arange(1, 5).reshape(2, 2), np.ones((100, 100), int)).astype(np.int32))
    full[1][90:110] = 0
    said = verdicts(good, good, good, soft, faint, empty)
    assert said[:3] == ["", "", ""]
    assert said[3].startswith("out of focus") and said[4].startswith("weak stain") and said[5] == "no nuclei"
    crowded = RejectSettings(faint=-99, weak=-99, crowded=0.5)
    assert verdicts(full, settings=crowded)[0].startswith("more nucleus than background")


def test_the_rule_of_the_thesis_rejects_the_lowest_quarter():
    fields = [nuclei(count=n) for n in (2, 6, 8, 12)]
    said = verdicts(*fields, settings=RejectSettings(quarter=0.25))
    assert said[0].startswith("few nuclei") and said[1:] == ["", "", ""]


def test_real_debris_is_dropped_and_nuclei_stay(data):
    """One DAPI field, some 11 nuclei of 70 to 130 pixels, debris brighter than they are."""
    stain = read(data / "brightfield_dapi_sephace" / "fl.tif").pixels
    large = FluorescenceSettings.for_nuclei(40, 180)
    found = clean(stain, identify(stain, large).labels, RejectSettings()).assessed
    assert 8 <= found.count <= 13


@pytest.mark.parametrize(("shape", "count"), [((1040, 1408), 4), ((512, 512), 1), ((300, 2000), 3), ((1600, 1600), 9)])
def test_crops_fit_and_do_not_overlap(shape, count):
    found = windows(shape)
    assert len(found) == count
    used = np.zeros(shape, int)
    for window in found:
        used[window] += 1
    assert used.max() == 1


@given(st.integers(3, 9), st.integers(1, 4), st.integers(0, 5))
def test_wells_are_never_parted(wells, positions, seed):
    names = [
        parse_name(Path(f"{'ABCDEFGHI'[w]}01_{p}_t{t}.tif"))
        for w in range(wells)
        for p in range(positions)
        for t in range(3)
    ]
    split = split_fields(names, seed)
    assert split.by == "well" and len(split.fields) == len(names)
    for well in {n.well for n in names}:
        assert len({f.part for f in split.fields if f.name.well == well}) == 1
    assert {f.part for f in split.fields} == {"train", "validation", "test"}


def test_one_sequence_is_cut_in_time_with_gaps():
    split = split_fields([parse_name(Path(f"t{k:03d}.tif")) for k in range(24)])
    times = {part: [f.name.time for f in split.of(part)] for part in ("train", "validation", "test")}
    assert split.by == "time" and max(times["train"]) + 1 < min(times["validation"])
    assert max(times["validation"]) + 1 < min(times["test"]) and len(times["train"]) >= 12
    with pytest.raises(LabelError, match="at least three"):
        split_fields([parse_name(Path("t0.tif"))])


def test_a_copy_under_another_name_is_taken_out_of_training():
    pictures = [next(frames(TimeLapse(frames=1, seed=k, shape=(128, 128)))).phase for k in range(3)]
    copy = np.clip(pictures[2].astype(int) + 3, 0, 255).astype(np.uint8)
    names = [parse_name(Path(f"{w}01_1_t0.tif")) for w in "ABCD"]
    fields = tuple(
        Field(name, part, thumbnail(picture))
        for name, part, picture in zip(names, ("train", "train", "test", "train"), (*pictures, copy), strict=True)
    )
    split = without_leaks(Split(fields, "well"))
    assert split.leaks == ("D01_1_t0.tif",) and len(split.of("train")) == 2


@pytest.fixture(scope="module")
def lapse(tmp_path_factory):
    out = tmp_path_factory.mktemp("lapse")
    write_sequence(TimeLapse(frames=4, shape=(256, 256), seed=9, population=PopulationSettings(14)), out)
    return out


def test_a_folder_is_labelled_and_read_back(lapse, tmp_path):
    (tmp_path / "f").mkdir()
    for path in (lapse / "fluorescence").iterdir():
        (tmp_path / "f" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "f" / "t000.tif").write_bytes(b"II*\0 not really")
    write(tmp_path / "f" / "t001.tif", Image(np.full((256, 256), 4095, np.uint16)))
    write(tmp_path / "f" / "t002.tif", Image(np.full((100, 100), 7, np.uint16)))
    made = label_folder(lapse / "phase", tmp_path / "f", tmp_path / "out", LabelSettings())
    assert [one.image for one in made.skipped] == ["t000.tif", "t001.tif", "t002.tif"]
    assert "one brightness" in made.skipped[1].reason and "one size" in made.skipped[2].reason
    back = read_labelled(tmp_path / "out")
    assert [one.name.time for one in back.kept] == [3]
    assert read_mask(back.kept[0].label).max() == made.kept[0].nuclei > 5
    assert (tmp_path / "out" / "contact.jpg").stat().st_size > 2000
    back.kept[0].label.unlink()
    with pytest.raises(LabelError, match="is gone"):
        read_labelled(tmp_path / "out")


def test_simulated_truth_is_a_labelled_folder(lapse, tmp_path):
    assert len(read_labelled(lapse).kept) == 4
    with pytest.raises(LabelError, match="livecell label"):
        read_labelled(tmp_path)


def test_masks_of_numbers_and_of_black_and_white_are_told_apart(tmp_path):
    numbers = np.zeros((20, 20), np.uint8)
    numbers[2:6, 2:6], numbers[2:6, 6:9], numbers[12:15, 12:15] = 1, 2, 66
    write(tmp_path / "ids.png", Image(numbers))
    write(tmp_path / "bw.png", Image(np.where(numbers > 0, 255, 0).astype(np.uint8)))
    assert len(np.unique(read_mask(tmp_path / "ids.png"))) - 1 == 3
    assert read_mask(tmp_path / "bw.png").max() == 2
    write(tmp_path / "f.tif", Image(np.ones((5, 5), np.float32)))
    with pytest.raises(LabelError, match="whole numbers"):
        read_mask(tmp_path / "f.tif")


def test_a_range_of_diameters_that_leaves_most_nuclei_out_is_told(lapse, tmp_path):
    """Nuclei of some 20 pixels: 5 to 30 holds them, 3 to 12 does not."""
    fits, small = (
        label_folder(
            lapse / "phase",
            lapse / "fluorescence",
            tmp_path / str(largest),
            LabelSettings(FluorescenceSettings.for_nuclei(smallest, largest)),
        )
        for smallest, largest in ((5, 30), (3, 12))
    )
    assert not fits.hints
    assert len(small.hints) == 1 and "larger than 12 pixels" in small.hints[0] and "--diameter" in small.hints[0]
    assert json.loads((small.folder / "label.json").read_text())["hints"] == list(small.hints)


LABELLED = "image,label,position,time,well,nuclei,status,reason,debris,waves,specks\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a.tif,b.tif,A,x,,5,kept,,0,0,0", "line 2: expected a whole number such as 1000 in time, got 'x'"),
        ("a.tif,b.tif,A,1,,5.5,kept,,0,0,0", "in nuclei, got '5.5'"),
        ("a.tif,b.tif,A,1,,5,kept", "line 2: expected 11 columns, got 7"),
        ("a.tif,c.tif,A,1,,5,kept,,0,0,0", "line 2: names a.tif and c.tif, but one of them is gone"),
        (",b.tif,A,1,,5,kept,,0,0,0", "expected a file in the column image, found ''"),
    ],
)
def test_a_table_of_labels_that_makes_no_sense_is_refused(tmp_path, line, says):
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).touch()
    (tmp_path / "labels.csv").write_text(f"{LABELLED}{line}\n")
    with pytest.raises(LabelError, match=says):
        read_labelled(tmp_path)
    (tmp_path / "labels.csv").write_text(LABELLED.replace("time", "frame") + "a.tif,b.tif,A,1,,5,kept,,0,0,0\n")
    with pytest.raises(LabelError, match="missing time"):
        read_labelled(tmp_path)


def test_a_table_of_labels_that_a_spreadsheet_has_saved(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("ä.tif", "sub/b.tif"):
        (tmp_path / name).touch()
    (tmp_path / "labels.csv").write_bytes(
        (LABELLED + "ä.tif,sub\\b.tif,A,1,,5,kept,,0,0,0\n").replace(",", ";").encode("cp1252")
    )
    (one,) = read_labelled(tmp_path).fields
    assert (one.name.path.name, one.label.name, one.name.time, one.nuclei) == ("ä.tif", "b.tif", 1, 5)
