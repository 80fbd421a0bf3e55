"""What files say of themselves without their pixels."""

import numpy as np
import pytest
import tifffile

from cytally.images.sequences.headers import hours_between, size_of
from cytally.images.write import write
from cytally.types import Image


def test_sizes_are_rows_and_columns_of_any_format_and_none_of_rubbish(tmp_path):
    for name in ("a.tif", "a.png", "a.jpg", "a.bmp"):
        write(tmp_path / name, Image(np.zeros((7, 12), np.uint8)))
        assert size_of(tmp_path / name) == (7, 12)
        (tmp_path / f"bad_{name}").write_bytes(b"rubbish")
        assert size_of(tmp_path / f"bad_{name}") is None


@pytest.mark.parametrize(
    ("metadata", "hours"),
    [
        ({"TimeIncrement": 1800, "TimeIncrementUnit": "s"}, 0.5),
        ({"TimeIncrement": 15, "TimeIncrementUnit": "min"}, 0.25),
        ({"TimeIncrement": 2, "TimeIncrementUnit": "h"}, 2),
        ({"TimeIncrement": 0, "TimeIncrementUnit": "s"}, None),
        ({}, None),
    ],
)
def test_hours_between_frames_from_ome(tmp_path, metadata, hours):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.uint8), ome=True, metadata={"axes": "YX"} | metadata)
    assert hours_between(tmp_path / "a.tif") == (hours if hours is None else pytest.approx(hours))


@pytest.mark.parametrize(("value", "hours"), [(3600.0, 1), (0.0, None), (-5.0, None), ("nan", None)])
def test_hours_between_frames_from_imagej(tmp_path, value, hours):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 4), np.uint8), imagej=True, metadata={"finterval": value})
    assert hours_between(tmp_path / "a.tif") == hours
    assert hours_between(tmp_path / "none.tif") is None and hours_between(tmp_path / "a.png") is None
