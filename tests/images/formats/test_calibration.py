"""What the metadata say never costs the image, and is believed only where it is possible."""

import numpy as np
import pytest
import tifffile

from cytally.images.formats.calibration import possible
from cytally.images.read import read

GREY = np.tile(np.arange(100, dtype=np.uint8), (40, 1))
OME = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="100" SizeY="40" SizeC="1" SizeZ="1" SizeT="1"{}><TiffData/></Pixels></Image></OME>'


def of(tmp_path, description, **how):
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, description=description.encode(), metadata=None, **how)
    found = read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(found.pixels, GREY)
    return found


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('PhysicalSizeX="0.0645"', 0.0645),
        ('PhysicalSizeX="64.5" PhysicalSizeXUnit="nm"', 0.0645),
        ('PhysicalSizeX="0.0000645" PhysicalSizeXUnit="mm"', 0.0645),
        ('PhysicalSizeX="0.3225" PhysicalSizeXUnit="µm"', 0.3225),
        ("", None),
    ],
)
def test_sizes_of_ome_are_micrometres(tmp_path, attributes, size):
    found = of(tmp_path, OME.format(" " + attributes))
    assert found.pixel_size_um == pytest.approx(size) if size else found.pixel_size_um is None
    assert found.notes == ()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("NaN", "pixel size nan um in the metadata is not possible"),
        ("INF", "size inf um in the metadata is not possible"),
        ("-1", "size -1 um in the metadata is not possible"),
        ("0", "size 0 um in the metadata is not possible"),
        ("1e-9", "not that of a light microscope"),
        ("1.0", "default of an uncalibrated image"),
        ("6.45", "the camera's and not the specimen's"),
        ("1e300", "not that of a light microscope"),
        ("0,11", "'0,11' in the metadata is not a number"),
        ("", "is not a number"),
        ("abc", "is not a number"),
    ],
)
def test_sizes_that_cannot_be_are_left_aside_with_a_note(tmp_path, value, says):
    found = of(tmp_path, OME.format(f' PhysicalSizeX="{value}"'))
    assert found.pixel_size_um is None
    assert len(found.notes) == 1 and says in found.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "<?xml version='1.0'?><OME><Pixels PhysicalSizeX='0.1'>",
        OME.format(' PhysicalSizeX="0.1').replace("</OME>", "<<OME>"),
        "<!DOCTYPE x [<!ENTITY a 'b'>]>",
        "<?xml version='1.0' encoding='klingon'?><OME/>",
    ],
    ids=["not closed", "not well-formed", "with entities", "unknown encoding"],
)
def test_bad_xml_costs_the_size_and_not_the_image(tmp_path, text):
    text = text if text.startswith("<?xml") else "<?xml version='1.0'?>" + text + "<OME/>"
    found = of(tmp_path, text)
    assert found.pixel_size_um is None
    assert found.notes == ("the OME metadata cannot be read: the pixel size is not known",)


def test_a_size_in_pixels_or_unknown_units_is_left_aside(tmp_path):
    found = of(tmp_path, OME.format(' PhysicalSizeX="3" PhysicalSizeXUnit="pixel"'))
    assert found.pixel_size_um is None and "unknown units ('pixel')" in found.notes[0]


@pytest.mark.parametrize(("unit", "per"), [("micron", 10), ("um", 10), ("\\u00B5m", 10), ("nm", 0.01), ("mm", 1e4)])
def test_imagej_tells_its_unit_and_pixels_per_unit(tmp_path, unit, per):
    found = of(tmp_path, f"ImageJ=1.54f\nunit={unit}\n", resolution=(per, per), resolutionunit=1)
    assert found.pixel_size_um == pytest.approx(0.1)


def test_imagej_without_a_scale_has_none(tmp_path):
    assert of(tmp_path, "ImageJ=1.54f\nunit=pixel\n").pixel_size_um is None
    assert of(tmp_path, "ImageJ=1.54f\nunit=micron\n", resolution=(0, 1)).notes == ()


def test_a_metric_resolution_is_a_size_and_that_of_a_printer_is_none(tmp_path):
    assert of(tmp_path, "", resolution=(1e5, 1e5), resolutionunit=3).pixel_size_um == pytest.approx(0.1)
    assert of(tmp_path, "", resolution=(118, 118), resolutionunit=3).pixel_size_um is None


@pytest.mark.parametrize("value", [0.01, 0.0645, 0.65, 2.0])
def test_sizes_of_microscopes_are_believed(value):
    assert possible(value).pixel_size_um == value and possible(value).notes == ()


NOT_SQUARE = ("pixels are not square (0.1 um wide, 0.2 um high): the size is not used",)


def test_pixels_that_are_not_square_have_no_one_size_and_it_is_said(tmp_path):
    for y in ('PhysicalSizeY="0.2"', 'PhysicalSizeY="200" PhysicalSizeYUnit="nm"'):
        found = of(tmp_path, OME.format(' PhysicalSizeX="0.1" ' + y))
        assert found.pixel_size_um is None and found.notes == NOT_SQUARE
    tifffile.imwrite(tmp_path / "i.tif", GREY, imagej=True, resolution=(10, 5), metadata={"unit": "um"})
    assert read(tmp_path / "i.tif").notes == NOT_SQUARE
    tifffile.imwrite(tmp_path / "t.tif", GREY, resolution=(1e5, 5e4), resolutionunit="CENTIMETER", metadata=None)
    assert read(tmp_path / "t.tif").notes == NOT_SQUARE


@pytest.mark.parametrize(
    "y", ['PhysicalSizeY="0.101"', 'PhysicalSizeY="x"', 'PhysicalSizeY="nan"', 'PhysicalSizeY="0"', ""]
)
def test_a_height_that_agrees_or_says_nothing_costs_nothing(tmp_path, y):
    found = of(tmp_path, OME.format(' PhysicalSizeX="0.1" ' + y))
    assert found.pixel_size_um == 0.1 and found.notes == ()
