"""The identifier of a written OME-TIFF: of the file, not of the time or the machine."""

import os

import numpy as np
import pytest
import tifffile

from cytally.images.read import read
from cytally.images.write import write
from cytally.types import Image

IMAGE = Image(np.arange(48, dtype=np.uint16).reshape(6, 8), 0.25)


def test_what_is_written_twice_is_the_same_file(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.tif", IMAGE)
    assert (tmp_path / "one" / "a.tif").read_bytes() == (tmp_path / "two" / "a.tif").read_bytes()


def test_two_files_have_two_identifiers(tmp_path):
    """OME: each file has a universally unique one."""
    write(tmp_path / "a.tif", IMAGE)
    write(tmp_path / "b.tif", IMAGE)
    said = []
    for name in ("a.tif", "b.tif"):
        with tifffile.TiffFile(tmp_path / name) as file:
            said.append(file.ome_metadata)
    one, two = (text.partition('UUID="urn:uuid:')[2][:36] for text in said)
    assert one != two and len(one.split("-")) == 5


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_a_name_need_not_be_text(tmp_path):
    path = tmp_path / os.fsdecode(b"zelle_\xe9.tif")
    write(path, IMAGE)
    assert np.array_equal(read(path).pixels, IMAGE.pixels)
