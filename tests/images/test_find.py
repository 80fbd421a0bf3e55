"""Which files are images, and what is said of those that are not."""

import os

import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.find import find_images, left_out, look
from cytally.images.read import read


def touched(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def names(found, folder):
    return [path.relative_to(folder).as_posix() for path in found]


def reasons(folder):
    return {os.path.relpath(one.image, folder): one.reason for one in look(folder).left_out}


def test_names_of_cameras_that_begin_with_an_underscore_are_images(tmp_path):
    touched(
        tmp_path,
        "_DSC0001.png",
        "_MG_0002.JPG",
        "_S17/a.tif",
        ".hidden.png",
        "._b.png",
        "__MACOSX/a.png",
        ".git/a.png",
    )
    assert names(find_images(tmp_path), tmp_path) == ["_DSC0001.png", "_MG_0002.JPG", "_S17/a.tif"]
    assert look(tmp_path).left_out == ()


def test_linked_folders_and_files_are_followed(tmp_path):
    touched(tmp_path, "slides/a.png", "elsewhere/b.png", "elsewhere/deep/c.png")
    (tmp_path / "slides" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "slides" / "d.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    found = names(find_images(tmp_path / "slides"), tmp_path / "slides")
    assert found == ["a.png", "d.png", "link/b.png", "link/deep/c.png"]


def test_links_that_lead_back_end_and_count_nothing_twice(tmp_path):
    touched(tmp_path, "s/real/a.png")
    (tmp_path / "s" / "real" / "up").symlink_to(tmp_path / "s")
    (tmp_path / "s" / "again").symlink_to(tmp_path / "s" / "real")
    assert names(find_images(tmp_path / "s"), tmp_path / "s") == ["real/a.png"]
    assert set(reasons(tmp_path / "s")) == {"again", "real/up"}
    assert all("already looked through" in reason for reason in reasons(tmp_path / "s").values())


def test_other_formats_are_counted_with_their_reason_and_notes_are_not(tmp_path):
    touched(
        tmp_path,
        "a.png",
        "b.jp2",
        "c.CZI",
        "deep/d.nd2",
        "e.heic",
        "f.svs",
        "g.gif",
        "labels.csv",
        "notes.txt",
        "noending",
    )
    assert names(find_images(tmp_path), tmp_path) == ["a.png"]
    assert set(reasons(tmp_path)) == {"b.jp2", "c.CZI", "deep/d.nd2", "e.heic", "f.svs", "g.gif"}
    assert reasons(tmp_path)["c.CZI"] == ".czi is not read; export it as TIFF or PNG"


def test_what_is_no_file_is_counted(tmp_path):
    touched(tmp_path, "a.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "folder.png").mkdir()
    assert names(find_images(tmp_path), tmp_path) == ["a.png"]
    assert reasons(tmp_path) == {"broken.png": "a link to nothing", "pipe.tif": "not a file"}


def test_images_without_their_ending_are_counted(tmp_path):
    for name, begins in (
        ("scan17", b"II*\0"),
        ("cell.jpg.bak", b"\xff\xd8\xff\xe0"),
        ("c.v2", b"\x89PNG\r\n\x1a\n"),
        ("d.png.txt", b"notes"),
        (".hidden", b"II*\0"),
        ("empty", b""),
    ):
        (tmp_path / name).write_bytes(begins)
    touched(tmp_path, "a.png")
    assert names(find_images(tmp_path), tmp_path) == ["a.png"]
    assert set(reasons(tmp_path)) == {"scan17", "cell.jpg.bak"}
    assert all("an image by its content" in reason for reason in reasons(tmp_path).values())


def test_a_link_to_a_device_is_no_link_to_nothing(tmp_path):
    touched(tmp_path, "a.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    assert reasons(tmp_path) == {"zero.png": "not a file"}


def test_what_this_package_wrote_is_left_out_and_said(tmp_path):
    touched(tmp_path, "a.png", "run/run.json", "run/pictures/a.png", "_truth/a_masks.png")
    assert names(find_images(tmp_path), tmp_path) == ["a.png"]
    assert reasons(tmp_path) == {
        "run": "results of an earlier run (run.json lies in it)",
        "_truth": "the truth of simulated cells",
    }


def test_a_folder_without_readable_images_says_what_lies_there(tmp_path):
    touched(tmp_path, "a.czi", "b.czi")
    with pytest.raises(ImageError, match=r"found none \(2 left out: \.czi is not read"):
        find_images(tmp_path)


def test_what_is_left_out_of_several_inputs_is_said_once(tmp_path):
    touched(tmp_path, "a.png", "b.gif")
    assert len(left_out([tmp_path, tmp_path, tmp_path / "a.png"])) == 1


def test_a_glob_says_what_it_leaves_out(tmp_path):
    touched(tmp_path, "x1.png", "x2.gif", "y.png")
    found = look(tmp_path / "x*")
    assert names(found.images, tmp_path) == ["x1.png"] and len(found.left_out) == 1
    with pytest.raises(ImageError, match="found none"):
        find_images(tmp_path / "**x")


def test_a_name_that_is_not_utf8_is_found_read_and_told(tmp_path):
    name = os.fsdecode(b"m\xe9taphase.tif")
    tifffile.imwrite(tmp_path / "a.tif", np.arange(400, dtype=np.uint8).reshape(20, 20))
    (tmp_path / "a.tif").rename(tmp_path / name)
    (found,) = find_images(tmp_path)
    assert read(found).shape == (20, 20)
    found.write_bytes(b"II*\0")
    with pytest.raises(ImageError, match=r"m\\xe9taphase\.tif: not a readable image") as told:
        read(found)
    assert str(told.value).encode() and shown(found).endswith("m\\xe9taphase.tif")


def test_a_path_too_long_for_the_disk_is_an_error_of_ours(tmp_path):
    with pytest.raises(ImageError, match="cannot be looked through|found none"):
        find_images(tmp_path / ("a" * 5000))
