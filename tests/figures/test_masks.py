"""What masks look like over pictures: colours where they belong, sheets of the right size."""

import numpy as np

from cytally.figures.masks import (
    BLUE,
    GREEN,
    RED,
    agreement,
    contact_sheet,
    numbered,
    outlined,
    palette,
    tracked,
)
from cytally.segmentation.regions import inner_boundaries


def square():
    labels = np.zeros((40, 50), np.int32)
    labels[10:30, 10:35] = 1
    return labels


def test_an_outline_has_its_colour_and_the_rest_stays_grey():
    pixels = np.tile(np.arange(50, dtype=np.uint16), (40, 1))
    picture, edge = outlined(pixels, square()), inner_boundaries(square())
    assert (picture[edge] == GREEN).all()
    assert (picture[~edge][:, 0] == picture[~edge][:, 2]).all()


def test_agreement_is_green_red_and_blue():
    predicted, truth = np.zeros((2, 20, 20), bool)
    predicted[2:8], truth[5:11] = True, True
    picture = agreement(predicted, truth, np.zeros((20, 20), np.uint8)).astype(int)
    for row, colour in ((6, GREEN), (3, RED), (9, BLUE)):
        assert np.abs(picture[row, 5] - 0.55 * np.array(colour)).max() <= 1
    assert (picture[15, 5] == picture[15, 5, 0]).all()


def test_neighbours_in_number_differ_in_colour():
    colours = palette(40).astype(int)
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 60


def test_numbers_are_written_beside_each_object_and_tails_where_it_came():
    pixels = np.zeros((40, 50), np.uint8)
    pixels[0, 0] = 255
    assert (numbered(pixels, square()) != outlined(pixels, square())).any()
    tail = np.array([[5.0, 5.0], [5.0, 20.0]])
    picture = tracked(pixels, square(), {1: tail})
    assert (
        np.abs(picture[5, 12].astype(int) - palette(1)[1]).max() < 40 and (picture[38, 40] == picture[38, 40, 0]).all()
    )


def test_a_sheet_holds_every_tile_and_survives_odd_names():
    tile = (
        np.zeros((30, 60, 3), np.uint8),
        "a name that is not text \udcff and is longer than one line of it",
        RED,
    )
    page = contact_sheet([tile] * 5, columns=4, width=120)
    assert page.shape[1] == 4 * 126 + 6 and page.shape[0] > 2 * 60
    assert contact_sheet([]).min() == 255
