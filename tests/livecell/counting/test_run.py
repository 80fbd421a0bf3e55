"""A run over phase-contrast images: masks that are gone or changed, replaced images, interrupted runs.

Images are 64 x 64 with squares as bright as they please; the finder sees each as a nucleus.
"""

import csv
import json
import os
import shutil

import numpy as np
import pytest
from tests.cases.commands import hold

from cytally.errors import ImageError, OutputError, RunError, RunLockedError
from cytally.images.masks import read_mask
from cytally.images.sequences import tracks
from cytally.images.sequences.tracks import TrackRow, read_masks, write_tracks
from cytally.images.write import write
from cytally.livecell.counting import run as room
from cytally.livecell.counting.plan import Reading, plan, require_times
from cytally.livecell.counting.run import count_run, segment_folder, to_review
from cytally.livecell.labelled import read_labelled
from cytally.livecell.labelling import folder as labelling
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings
from cytally.livecell.names.frame import Naming
from cytally.livecell.nuclei import Nuclei
from cytally.types import Image


class Killed(BaseException):
    pass


class Squares:
    """Finds what is brighter than 100."""

    identity, count_error = "squares", 0.0

    def __init__(self):
        self.looked = 0

    def find(self, pixels):
        self.looked += 1
        labels = np.zeros(pixels.shape, np.int32)
        for number, value in enumerate(np.unique(pixels[pixels > 100]).tolist(), start=1):
            labels[pixels == value] = number
        n, area = int(labels.max()), int((labels > 0).sum())
        return Nuclei(labels, (n,), n, (area,), labels)


def field(path, count):
    pixels = np.full((64, 64), 50, np.uint8)
    for k in range(count):
        pixels[10 * k + 2 : 10 * k + 8, 5:15] = 110 + k
    path.parent.mkdir(exist_ok=True)
    write(path, Image(pixels))


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "phase"
    folder.mkdir()
    for k in range(3):
        field(folder / f"A01_t00{k}.tif", k + 1)
    return folder


def counts(images, out, finder):
    return [one.count for one in count_run(segment_folder(plan([images]), out, finder), None)]


def test_a_mask_that_is_gone_or_was_changed_is_made_again(images, tmp_path):
    out, finder = tmp_path / "run", Squares()
    assert counts(images, out, finder) == [1, 2, 3] and finder.looked == 3
    (out / "masks" / "A01_t001.tif").unlink()
    (out / "masks" / "A01_t002.tif").write_bytes(b"half")
    assert counts(images, out, finder) == [1, 2, 3] and finder.looked == 5
    assert [int(read_mask(out / "masks" / f"A01_t00{k}.tif").max()) for k in range(3)] == [1, 2, 3]


def test_an_image_that_was_replaced_and_put_back_has_its_own_mask(images, tmp_path):
    out, finder = tmp_path / "run", Squares()
    counts(images, out, finder)
    old = (images / "A01_t001.tif").read_bytes()
    field(images / "A01_t001.tif", 5)
    assert counts(images, out, finder) == [1, 5, 3]
    (images / "A01_t001.tif").write_bytes(old)
    assert counts(images, out, finder) == [1, 2, 3]
    assert len(to_review(out)) == 3  # not one for each line of the journal
    (images / "A01_t000.tif").unlink()
    assert counts(images, out, finder) == [2, 3] and [one.name for one in to_review(out)] == [
        "A01_t001.tif",
        "A01_t002.tif",
    ]


def test_an_interrupted_run_is_not_reviewed(images, tmp_path, monkeypatch):
    out, finder = tmp_path / "run", Squares()
    honest = room._segment

    def dying(path, *given):
        if path.name == "A01_t002.tif":
            raise Killed
        return honest(path, *given)

    with monkeypatch.context() as patch:
        patch.setattr(room, "_segment", dying)
        with pytest.raises(Killed):
            segment_folder(plan([images]), out, finder)
    with pytest.raises(RunError, match="interrupted: 2 of 3 images; run the same command again to finish"):
        to_review(out)
    assert counts(images, out, finder) == [1, 2, 3] and finder.looked == 3


def test_images_changed_since_they_were_counted_are_not_reviewed(images, tmp_path):
    counts(images, tmp_path / "run", Squares())
    field(images / "A01_t001.tif", 4)
    with pytest.raises(RunError, match=r"A01_t001\.tif or its mask was changed since it was counted"):
        to_review(tmp_path / "run")


def without_check(line, **changes):
    return json.dumps({k: v for k, v in json.loads(line).items() if k != "crc32"} | changes).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:30],
        lambda line: b"\xff" + line,
        lambda line: line.replace(b'"count": 2', b'"count": 7'),
        lambda line: without_check(line, seen=None),
        lambda line: without_check(line, mask="../../thesis.tif"),
        lambda line: without_check(line, sha256=5),
        lambda line: without_check(line, skipped="fine"),
        lambda line: without_check(line, seen=None, mask="", mask_sha256=""),
        lambda line: b"[]",
    ],
)
def test_a_damaged_line_is_done_again(images, tmp_path, damage):
    out, finder = tmp_path / "run", Squares()
    counts(images, out, finder)
    lines = (out / "journal.jsonl").read_bytes().split(b"\n")
    lines[1] = damage(lines[1])
    (out / "journal.jsonl").write_bytes(b"\n".join(lines))
    assert counts(images, out, finder) == [1, 2, 3] and finder.looked == 4


@pytest.mark.parametrize("content", [b"", b"{", b'{"settings": {"inputs": 3}}', b'{"settings": {}}', b"\xff"])
def test_a_damaged_run_json_is_one_clear_error(images, tmp_path, content):
    counts(images, tmp_path / "run", Squares())
    (tmp_path / "run" / "run.json").write_bytes(content)
    for attempt in (lambda: counts(images, tmp_path / "run", Squares()), lambda: to_review(tmp_path / "run")):
        with pytest.raises(RunError, match=r"run\.json.*give another --out"):
            attempt()


def test_the_spelling_of_the_inputs_does_not_matter_but_another_plate_does(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out, finder = tmp_path / "run", Squares()
    counts("phase", out, finder)
    assert counts(images, out, finder) == [1, 2, 3] and finder.looked == 3
    field(images / "A01_t003.tif", 4)
    assert counts("./phase/", out, finder) == [1, 2, 3, 4] and finder.looked == 4
    other = tmp_path / "other"
    other.mkdir()
    field(other / "A01_t000.tif", 6)
    with pytest.raises(RunError, match="holds a run with other inputs"):
        counts(other, out, finder)


def test_a_name_that_is_not_utf8(images, tmp_path):
    os.rename(images / "A01_t000.tif", os.fsencode(images) + b"/Gr\xfcn_t000.tif")
    finder = Squares()
    for _ in range(2):
        counts(images, tmp_path / "run", finder)
    assert finder.looked == 3
    with (tmp_path / "run" / "counts.csv").open(newline="", encoding="utf-8") as file:
        assert r"Gr\xfcn_t000.tif" in [row["image"] for row in csv.DictReader(file)]


def test_frames_of_a_longer_sequence_do_not_stay(tmp_path):
    mask = np.ones((4, 4), np.uint16)
    write_tracks(tmp_path, [mask] * 4, [TrackRow(1, 0, 3, 0)])
    write_tracks(tmp_path, [mask] * 2, [TrackRow(1, 0, 1, 0)])
    assert len(list(read_masks(tmp_path))) == 2


def test_tracks_are_no_folder_of_tracks_before_they_are_whole(tmp_path, monkeypatch):
    mask = np.ones((4, 4), np.uint16)
    write_tracks(tmp_path, [mask] * 4, [TrackRow(1, 0, 3, 0)])

    def die(*_):
        raise Killed

    monkeypatch.setattr(tracks, "write_mask", die)
    with pytest.raises(Killed):
        write_tracks(tmp_path, [mask] * 2, [TrackRow(1, 0, 1, 0)])
    assert not (tmp_path / "res_track.txt").exists()


# --- Labels: a full disk is no bad pair --------------------------------------------------------------------------


@pytest.fixture
def pairs(images, tmp_path):
    stained = tmp_path / "stain"
    stained.mkdir()
    for path in images.iterdir():
        field(stained / path.name, 4)
    return images, stained


SETTINGS = labelling.LabelSettings(FluorescenceSettings.for_nuclei(5.0, 30.0), align=False)


def test_a_full_disk_is_not_taken_for_a_bad_pair(pairs, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cytally.files.atomic.os.replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        labelling.label_folder(*pairs, tmp_path / "out", SETTINGS)


def test_an_interrupted_labelling_leaves_no_table_of_labels(pairs, tmp_path, monkeypatch):
    """Its masks are not cleaned yet: nobody may learn from them under the table of an earlier call."""
    out = tmp_path / "out"
    labelling.label_folder(*pairs, out, SETTINGS)
    assert (out / "labels.csv").is_file()

    def die(*_):
        raise Killed

    monkeypatch.setattr(labelling, "_cleaned", die)
    with pytest.raises(Killed):
        labelling.label_folder(*pairs, out, SETTINGS)
    assert not (out / "labels.csv").exists()


def test_two_labellings_into_one_folder_are_kept_apart(pairs, tmp_path):
    import multiprocessing

    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path / "out", ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(RunLockedError, match="another run is writing here"):
            labelling.label_folder(*pairs, tmp_path / "out", SETTINGS)
    finally:
        done.set()
        other.join()


def test_an_image_whose_name_is_not_utf8_is_found_again_from_the_table_of_labels(pairs, tmp_path):
    for folder in pairs:
        os.rename(folder / "A01_t000.tif", os.fsencode(folder) + b"/Gr\xfcn_t000.tif")
    made = labelling.label_folder(*pairs, tmp_path / "out", SETTINGS)
    assert len(read_labelled(tmp_path / "out").fields) == len(made.fields) == 3


def test_copies_are_counted_once(tmp_path):
    """A copy beside the image, and one under the name of another well."""
    field(tmp_path / "in" / "A1_t0.tif", 2)
    for name in ("A1_t0 - Copy.tif", "B1_t0.tif"):
        shutil.copy(tmp_path / "in" / "A1_t0.tif", tmp_path / "in" / name)
    found = segment_folder(plan([tmp_path / "in"]), tmp_path / "run", Squares())
    assert [one.count for one in count_run(found, None)] == [2]
    assert {(one.image, one.reason) for one in found.skipped} == {
        ("A1_t0 - Copy.tif", "identical to A1_t0.tif"),
        ("B1_t0.tif", "identical to A1_t0.tif"),
    }


def test_frames_that_are_the_same_picture_are_told_or_counted_once(tmp_path):
    field(tmp_path / "in" / "A1_t0.tif", 2)
    for name in ("A1_t1.tif", "A1_t2.tif", "B1_t0.tif"):
        shutil.copy(tmp_path / "in" / "A1_t0.tif", tmp_path / "in" / name)
    field(tmp_path / "in" / "A1_t3.tif", 3)
    told = plan([tmp_path / "in"])
    assert [len(one.frames) for one in told.series] == [4] and [one.image for one in told.skipped] == ["B1_t0.tif"]
    said = (
        "A1: 3 frames are the same picture, byte for byte (A1_t0.tif, A1_t1.tif, A1_t2.tif); nothing moves between them"
    )
    assert said in told.remarks
    once = plan([tmp_path / "in"], Reading(repeats=False))
    assert [frame.path.name for one in once.series for frame in one.frames] == ["A1_t0.tif", "A1_t3.tif"]
    assert len(once.skipped) == 3 and not any("same picture" in each for each in once.remarks)


def test_numbers_that_are_too_far_apart_are_named_where_nothing_can_be_followed(tmp_path):
    for k in (1, 2, 1000):
        field(tmp_path / "in" / f"{k:04d}.tif", 2)
    with pytest.raises(
        ImageError,
        match=r"expected a time-lapse.*; numbers such as 0001 .* are too far apart to count frames",
    ):
        require_times(plan([tmp_path / "in"], Reading(Naming(numbered=True))))


def test_masks_of_images_that_left_the_run_go(images, tmp_path):
    """One removed, one no image any more; what somebody else wrote there stays."""
    out, finder = tmp_path / "run", Squares()
    counts(images, out, finder)
    (out / "masks" / "mine.tif").write_bytes(b"mine")
    (images / "A01_t001.tif").unlink()
    (images / "A01_t002.tif").write_bytes(b"broken")
    assert counts(images, out, finder) == [1]
    assert sorted(path.name for path in (out / "masks").iterdir()) == ["A01_t000.tif", "mine.tif"]
    field(images / "A01_t001.tif", 2)
    assert counts(images, out, finder) == [1, 2]


def test_a_skipped_image_is_named_once(pairs, tmp_path):
    phase, stain = pairs
    (phase / "A01_t001.tif").write_bytes(b"broken")
    (stain / "A01_t002.tif").write_bytes(b"broken")
    (told,) = segment_folder(plan([phase]), tmp_path / "run", Squares()).skipped
    assert told.image == "A01_t001.tif" and told.reason.startswith("not a readable image")
    told = {one.image: one.reason for one in labelling.label_folder(*pairs, tmp_path / "out", SETTINGS).skipped}
    assert told["A01_t001.tif"].startswith("not a readable image")
    assert told["A01_t002.tif"].startswith("its stain: not a readable image")
