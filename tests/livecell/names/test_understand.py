"""Names as microscopes and programs write them: position, well, channel, plane and time known by hand."""

from pathlib import Path

import pytest

from cytally.errors import ImageError
from cytally.livecell.names.understand import understand
from cytally.livecell.sequences import series_of


def told(*names, **more):
    """(position, time, well, channel, z) of each name."""
    found = understand([Path(name) for name in names], **more).frames
    return [(f.position, f.time, f.well, f.channel, f.z) for f in found]


@pytest.mark.parametrize(
    ("name", "position", "time", "well", "channel", "z"),
    [
        ("VID1_A1_1_00d04h00m.tif", "VID1_A1_1", 240, "A1", "", ""),
        ("r02c03f01p01-ch1sk3fk1fl1.tiff", "B03_f01", 3, "B03", "ch1", "01"),
        ("Plate1_A01_s2_w1.TIF", "Plate1_A01_s2", 0, "A01", "w1", ""),
        ("P_A01_s1_w2A1B2C3D4-1234-5678-9ABC-DEF012345678.tif", "P_A01_s1", 0, "A01", "w2", ""),
        ("exp_w1DAPI_s1_t7.TIF", "exp_s1", 7, "", "w1DAPI", ""),
        ("xy1c2t5.tif", "xy1", 5, "", "c2", ""),
        ("t001xy1c1.tif", "xy1", 1, "", "c1", ""),
        ("dish1_xy1c2.tif", "dish1_xy1", 0, "", "c2", ""),
        ("img_000000012_Default_003.tif", "field", 12, "", "Default", "003"),
        ("img_channel000_position002_time000000004_z001.tif", "img_position002", 4, "", "channel000", "001"),
        ("A - 01(fld 1 wv DAPI - DAPI time 02 - 0 ms).tif", "A01_f1", 2, "A01", "DAPI - DAPI", ""),
        ("A_01_f1_c1_xUV_mDAPI_z1_t4.tif", "A_01_f1", 4, "A01", "c1", "1"),
        ("t0003_z001_c002.tif", "field", 3, "", "c002", "001"),
        ("A01_f01_t000.tif", "A01_f01", 0, "A01", "", ""),
        ("donor_f2_A01_t03.tif", "donor_f2_A01", 3, "A01", "", ""),
        ("W0001F0002T0003Z01C1.tif", "W0001F0002", 3, "W0001", "C1", "01"),
        ("AssayPlate_C07_T0002F001L01A01Z01C02.tif", "AssayPlate_C07_f001", 2, "C07", "ch02", "01"),
        ("MFGTMP_A01f03d1.tif", "MFGTMP_A01_f03", 0, "A01", "ch1", ""),
        ("B3_1_1_2_DAPI_004.tif", "B3_f2", 4, "B3", "DAPI", ""),
        ("XY01_T001_C1.tif", "XY01", 1, "", "C1", ""),
        ("name_S0_Z0_C1_T2.tif", "name_S0", 2, "", "C1", "0"),
        ("Series001_t004_z000_ch00.tif", "Series001", 4, "", "ch00", "000"),
        ("AA01_s1_t1.tif", "AA01_s1", 1, "AA01", "", ""),
        ("a01_s1_t1.tif", "a01_s1", 1, "A01", "", ""),
        ("phase_C2_4_T00017.png", "C2_4", 17, "C2", "phase", ""),
        ("w1_lapse_t003.tif", "w1_lapse", 3, "", "", ""),
        ("time_012.tif", "field", 12, "", "", ""),
        ("cells frame 7.tif", "cells", 7, "", "", ""),
        ("T0001.tif", "field", 1, "", "", ""),
        ("exp_w1s2t3.tif", "exp_s2", 3, "", "w1", ""),
        ("A01_t004.ome.tif", "A01", 4, "A01", "", ""),
        ("exp001t01xy02c1.tif", "exp001_xy02", 1, "", "c1", ""),
        ("exp001xy02t01c1.tif", "exp001xy02", 1, "", "c1", ""),
        ("exp001xy02c1.tif", "exp001xy02", 0, "", "c1", ""),
        ("dish1_xy1c1.tif", "dish1_xy1", 0, "", "c1", ""),
        ("dish1t3xy1z2c1.tif", "dish1_xy1", 3, "", "c1", "2"),
        ("sample2t001z4.tif", "sample2", 1, "", "", "4"),
        ("lapse2t01c1.tif", "lapse2", 1, "", "c1", ""),
        ("EXP001T01XY02C1.tif", "EXP001_XY02", 1, "", "C1", ""),
        ("my exp-2t005xy03z1c2.tif", "my exp-2_xy03", 5, "", "c2", "1"),
        ("Exp_h0t2z3c1m4_ORG.tif", "Exp_h0_m4", 2, "", "c1", "3"),
        ("Exp-01_b0s1t02z3c1x0-512y512-1024_ORG.tif", "Exp-01_b0s1_x0y512", 2, "", "c1", "3"),
        ("Exp_s01t02_ORG.tif", "Exp_s01", 2, "", "", ""),
        ("lapseT07.tif", "lapse", 7, "", "", ""),
        ("U2OSt07s2.tif", "U2OS_s2", 7, "", "", ""),
        ("T47Dt07.tif", "T47D", 7, "", "", ""),
        ("expxy04t07.tif", "expxy04", 7, "", "", ""),
        ("A1t07.tif", "A1", 7, "A1", "", ""),
        ("C1t07.tif", "C1", 7, "C1", "", ""),
        ("h3t07.tif", "h3", 7, "H3", "", ""),
        ("wellC3_t07.tif", "wellC3", 7, "C3", "", ""),
        ("exp1t07xy1c1max.tif", "exp1_xy1_max", 7, "", "c1", ""),
        ("p53KO_t2.tif", "p53KO", 2, "", "", ""),
        ("batch01_t2.tif", "batch01", 2, "", "", ""),
        ("A1_t+2.tif", "A1", 2, "A1", "", ""),
        ("x003_y004_t2.tif", "x003_y004", 2, "", "", ""),
        ("A1_1.5_t3.tif", "A1_1.5", 3, "A1", "", ""),
        ("A1_z1.5_t3.tif", "A1", 3, "A1", "", "1.5"),
        ("fine_Point0001_empty-Time1s-Z1341.95.tif", "fine_Point0001_empty-Time1s", 0, "", "", "1341.95"),
        ("exp-t-003.tif", "exp", 3, "", "", ""),
    ],
)
def test_a_name_of_each_scheme(name, position, time, well, channel, z):
    found = understand([Path(name)]).frames[0]
    assert (found.position, found.time, found.well) == (position, time, well)
    assert (found.channel.lower(), found.z) == (channel.lower(), z)


def test_clocks_and_dates_are_hours_since_the_first_image():
    """Days, hours and minutes; a date; milliseconds behind the number; seconds that minutes would lose."""
    dates = understand([Path(f"VID_B3_1_2023y07m{d}d_{h}h12m.tif") for d, h in ((12, 20), (13, "04"), (13, 10))]).frames
    assert [f.hours for f in dates] == [0, 8, 14] and [f.time for f in dates] == [0, 480, 840]
    clock = understand([Path(f"A1_1_0{d}d{h:02d}h30m.tif") for d, h in ((0, 0), (1, 2))]).frames
    assert [f.hours for f in clock] == [0.5, 26.5]
    ms = understand([Path(f"A - 1(fld 1 wv UV - DAPI time {k} - {7_200_000 * k} ms).tif") for k in (0, 1, 2)]).frames
    assert [f.hours for f in ms] == [0, 2, 4] and [f.time for f in ms] == [0, 1, 2]
    quick = understand([Path(f"A01_20240131_1425{s:02d}.tif") for s in (0, 20, 40)]).frames
    assert [f.time for f in quick] == [0, 20, 40] and quick[2].hours == pytest.approx(40 / 3600)
    silent = understand([Path(f"A - 1(fld 1 wv UV - DAPI time {k} - 0 ms).tif") for k in (1, 2)]).frames
    assert [f.hours for f in silent] == [None, None]


def test_of_two_times_the_one_that_varies_counts():
    assert [t for _, t, *_ in told(*(f"T1_s1_t{k:02d}.tif" for k in (4, 5, 6)))] == [4, 5, 6]
    assert [t for _, t, *_ in told(*(f"T{k}_s1_t01.tif" for k in (4, 5, 6)))] == [4, 5, 6]
    stamped = understand([Path(f"A01_t{k:03d}_20240131_1{k}2500.tif") for k in (0, 1, 2)]).frames
    assert [(f.time, f.hours) for f in stamped] == [(0, 0), (1, 1), (2, 2)]


def test_fields_sites_and_positions_are_never_times():
    """Thirty fields, one time: thirty positions, whatever letter counts them."""
    for word in ("f", "s", "xy", "fld", "p", "pos", "field", "site", "m"):
        found = told(*(f"A01_{word}{k:02d}.tif" for k in range(30)), numbered=True)
        assert len({position for position, *_ in found}) == 30, word


def test_letters_and_numbers_are_wells_channels_or_fields_by_their_company():
    """C1, C2 alone are wells; beside another well, or beside XY and Z in capitals, they are channels."""
    assert [w for *_, w, _, _ in told("C1_t0.tif", "C2_t0.tif")] == ["C1", "C2"]
    assert [(w, c) for *_, w, c, _ in told("A01_C1_t0.tif", "A01_C2_t0.tif")] == [
        ("A01", "C1"),
        ("A01", "C2"),
    ]
    assert told("XY1_Z1_C2_T3.tif") == [("XY1", 3, "", "C2", "1")]
    assert [w for *_, w, _, _ in told("c01_t1.tif", "d01_t1.tif", "f01_t1.tif")] == ["C01", "D01", "F01"]
    assert told("c01_t1.tif") == [("field", 1, "", "c01", "")]


def test_numbers_without_a_word_are_times_on_demand():
    for names in (
        ("0001.tif", "0002.tif", "0004.tif"),
        ("img_0001.tif", "img_0002.tif", "img_0004.tif"),
        ("Stack0001.tif", "Stack0002.tif", "Stack0004.tif"),
    ):
        assert [t for _, t, *_ in told(*names, numbered=True)] == [1, 2, 4]
        assert len({position for position, *_ in told(*names)}) == 3
    said = understand([Path("0001.tif"), Path("0002.tif")], numbered=True).notes
    assert said == ("numbers such as 0001 in 0001.tif are taken for times",)


def test_missing_numbers_leave_holes_until_they_are_too_far_apart():
    """Five of eleven are frames with a hole; three of a thousand count nothing."""
    (one,) = series_of([Path(f"{k:04d}.tif") for k in (1, 2, 3, 10, 11)], numbered=True)
    assert one.places == (0, 1, 2, 9, 10) and one.missing == (4, 5, 6, 7, 8, 9)
    found = understand([Path(f"img_{k:04d}.tif") for k in (1, 2, 1000)], numbered=True)
    assert {f.position for f in found.frames} == {"img_0001", "img_0002", "img_1000"}
    assert found.notes == ("numbers such as 0001 in img_0001.tif are too far apart to count frames",)


def test_of_two_numbers_the_one_with_many_consecutive_values_is_the_time():
    """Four sites, ten frames."""
    found = told(*(f"A01_{s}_{k:03d}.tif" for s in range(1, 5) for k in range(10)), numbered=True)
    assert {position for position, *_ in found} == {"A01_1", "A01_2", "A01_3", "A01_4"}
    assert sorted({time for _, time, *_ in found}) == list(range(10))


def test_two_numbers_that_both_could_be_the_time_are_refused():
    with pytest.raises(ImageError, match=r"expected one number that counts the frames, but 1 .*--pattern"):
        told(*(f"{a}_{b}.tif" for a in range(1, 6) for b in range(1, 7)), numbered=True)


@pytest.mark.parametrize(
    "form",
    [
        "exp001xy{:02d}.tif",
        "exp001xy{:02d}c1.tif",
        "exp001t01xy{:02d}.tif",
        "exp1z{:02d}.tif",
        "exp1c{}.tif",
        "exp1m{}.tif",
        "Exp_h0t0z0c0m{}_ORG.tif",
        "expxy{:02d}.tif",
        "grid_x{:03d}_y001.tif",
        "expC{}.tif",
        "expZ{}.tif",
        "lapse2t01c{}.tif",
        "sample2t001z{}.tif",
        "A1_{}.5h.tif",
        "A1_{}.5.tif",
        "A1_z{}.5.tif",
        "A1_z1.{}50.tif",
    ],
)
def test_no_field_plane_channel_tile_or_decimal_is_a_time(form):
    found = told(*(form.format(k) for k in (1, 2, 3)), numbered=True)
    assert len({time for _, time, *_ in found}) == 1
    assert len(set(found)) == 3


def test_channels_behind_a_joined_prefix_pair():
    """The same position, another channel."""
    one, two = told("exp001xy01c1.tif", "exp001xy01c2.tif")
    assert one[:2] == two[:2] == ("exp001xy01", 0) and (one[3], two[3]) == ("c1", "c2")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (
            ("A1_t0.5.tif", "A1_t1.0.tif", "A1_t1.5.tif"),
            "A1_t0.5.tif: expected whole numbers as times, got '0.5'; rename",
        ),
        (("A1_t0.tif", "A1_t0.5.tif", "A1_t1.25.tif"), "A1_t0.5.tif: expected whole numbers"),
        (("A1_time_0.5.tif", "A1_time_1,0.tif"), "A1_time_0.5.tif: expected whole numbers"),
        (("exp1t0.5.tif", "exp1t1.0.tif"), "exp1t0.5.tif: expected whole numbers"),
        (("A1_t-1.tif", "A1_t-2.tif"), "A1_t-1.tif: 't-1' may be the time 1 or -1; rename .* or give --pattern"),
        (("A1_t-01.tif", "A1_t00.tif", "A1_t01.tif"), "A1_t-01.tif: 't-01' may be the time 1 or -1"),
        (("A1_t\u22121.tif", "A1_t+1.tif"), "may be the time 1 or -1"),
    ],
)
def test_decimals_and_signs_are_refused_and_never_dropped(names, match):
    with pytest.raises(ImageError, match=match):
        understand([Path(name) for name in names])


def test_hyphens_before_padded_times_are_separators():
    assert [t for _, t, *_ in told("A1_t-00.tif", "A1_t-01.tif", "A1_t-10.tif")] == [0, 1, 10]
    assert [t for _, t, *_ in told("A1-t-1.tif", "A1-t-2.tif")] == [1, 2]


def test_small_and_capital_letters_are_one_position_where_times_do_not_collide():
    found = understand([Path("a1_t0.tif"), Path("A1_t1.tif")])
    assert [(f.position, f.time) for f in found.frames] == [("A1", 0), ("A1", 1)]
    assert found.notes == ("positions A1, a1 are taken for one",)
    assert {p for p, *_ in told("dish_t0.tif", "Dish_t0.tif")} == {"dish", "Dish"}


def test_times_may_be_folders():
    """ImageXpress: TimePoint_1/P_A01_s1_w1.tif."""
    paths = [Path(f"TimePoint_{k}/P_A01_s1_w1.tif") for k in (1, 2, 3)]
    found = understand(paths, folders={p: p.parent.name for p in paths}).frames
    assert [(f.position, f.time) for f in found] == [("P_A01_s1", k) for k in (1, 2, 3)]


def test_thumbnails_are_no_images():
    with pytest.raises(ImageError, match="1 of 2 images are thumbnails"):
        told("P_A01_s1_w1.tif", "P_A01_s1_w1_thumb.tif")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (
            ("xy1c1t1.tif", "xy1c2t1.tif"),
            r"of the channels c1 and c2; give the images of one channel, such as '\*c2\*'",
        ),
        (("A1_t1_z1.tif", "A1_t1_z2.tif"), "of the planes z 1 and z 2; give one plane"),
        (("a_t1.tif", "a_t01.tif"), "two images of position 'a' at time 1; give --pattern"),
        (("A01_c1_t1.tif", "B01_c2_t1.tif"), "expected images of one channel, got c1, c2"),
    ],
)
def test_doubles_channels_and_planes_are_refused_by_what_they_are(names, match):
    with pytest.raises(ImageError, match=match):
        series_of([Path(name) for name in names])


def test_a_pattern_rules_alone():
    found = told("x7_img3_c2.tif", pattern=r"x(?P<frame>\d+)_(?P<position>img\d)_(?P<channel>c\d)")
    assert found == [("img3", 7, "", "c2", "")]
