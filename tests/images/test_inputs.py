"""Names of images in tables: text, each once, whatever the names on disk are."""

import os

import pytest

from cytally.errors import ImageError
from cytally.images.inputs import name_images, names_below

LITERAL, BYTE, OTHER = r"a\xff.png", os.fsdecode(b"a\xff.png"), os.fsdecode(b"b\xfe.png")


@pytest.fixture
def folder(tmp_path):
    for name in (LITERAL, BYTE, OTHER, "c.png"):
        (tmp_path / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    return tmp_path


def test_names_that_are_shown_alike_are_told_apart(folder):
    for names in (name_images([folder]), names_below(folder, sorted(folder.iterdir()))):
        assert {name: path.name for name, path in names.items()} == {
            r"a\\xff.png": LITERAL,
            r"a\xff.png": BYTE,
            r"b\xfe.png": OTHER,
            "c.png": "c.png",
        }
        "".join(names).encode()


def test_alone_a_backslash_stays_what_it_is(folder):
    (folder / BYTE).unlink()
    assert r"a\xff.png" in name_images([folder])


def test_two_images_of_one_name_are_told_safely(folder):
    (folder / "sub").mkdir()
    for place in ("1", "2"):
        (folder / "sub" / place / "same").mkdir(parents=True)
        (folder / "sub" / place / "same" / BYTE).write_bytes(b"")
    with pytest.raises(ImageError, match=r"two images are called 'same/a\\\\xff\.png'") as caught:
        name_images([folder / "sub" / "1" / "same", folder / "sub" / "2" / "same"])
    str(caught.value).encode()
