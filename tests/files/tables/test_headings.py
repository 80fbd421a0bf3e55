"""Headings as laboratories write them."""

import pytest

from cytally.dosimetry.laboratory.columns import COUNTS, EXERCISE, SAMPLES
from cytally.errors import CountsError, FileError
from cytally.files.tables.headings import check, match


def columns(headings, wanted):
    matched = match(headings, wanted)
    check(headings, matched, "t.csv, line 1", wanted)
    return {name: headings[place] for name, place in matched.places.items()}


@pytest.mark.parametrize(
    "heading",
    [
        "dose_gy",
        "Dose (Gy)",
        "DOSE [Gy]",
        "Dose",
        "D",
        "dose in Gy",
        "Dose / Gy",
        "Dose\n(Gy)",
        "Absorbed dose (Gy)",
        "Dosis (Gy)",
        "Dose (Gray)",
        "Dose (mGy)",
        "Dose_cGy",
    ],
)
def test_doses(heading):
    assert columns([heading], COUNTS) == {"dose_gy": heading}


@pytest.mark.parametrize(
    "heading",
    [
        "cells",
        "Cells",
        "N",
        "Cells scored",
        "Number of cells",
        "No. of cells",
        "Nr. of cells scored",
        "Total cells",
        "# cells",
        "Cells (n)",
        "Metaphases",
        "Scored metaphases",
        "Zellen",
        "Anzahl Zellen",
        "Cellules",
        "Nombre de cellules",
        "Células",
        "Cell count",
    ],
)
def test_cells(heading):
    assert columns([heading], SAMPLES) == {"cells": heading}


@pytest.mark.parametrize(
    "heading",
    [
        "dicentrics",
        "X",
        "Dicentric",
        "Nr. of dicentrics",
        "Number of dicentric chromosomes",
        "Dics",
        "Total dicentrics",
        "Dicentriques",
        "Dizentrische Chromosomen",
        "Micronuclei",
        "aberrations",
    ],
)
def test_dicentrics(heading):
    assert columns([heading], SAMPLES) == {"dicentrics": heading}


@pytest.mark.parametrize(
    "heading",
    [
        "sample",
        "Sample ID",
        "sample_id",
        "Patient",
        "Patient ID",
        "ID",
        "Échantillon",
        "Sample (code)",
        "Probe",
        "Name",
    ],
)
def test_samples(heading):
    assert columns([heading], SAMPLES) == {"sample": heading}


@pytest.mark.parametrize(
    "heading",
    [
        "Dicentrics per cell",
        "dic/cell",
        "Dicentrics (%)",
        "Dicentrics (per cell)",
        "Cells with dicentrics",
        "Cells (x1000)",
        "N°",
        "Nº",
        "Dicentrics + rings",
        "Cell",
        "Cell no",
        "Cellule n°",
        "Zelle",
        "Yield",
        "Date",
        "Remarks",
        "Scored by",
        "SE",
        "u",
        "Chromosomes",
        "Comment",
        "CV",
        "Dose rate (Gy/min)",
        "Dose rate",
        "Cells x 1000",
    ],
)
def test_what_only_looks_like_a_count_is_left_alone(heading):
    assert columns([heading], COUNTS) == {} and "sample" != heading


@pytest.mark.parametrize(
    "headings", [("N", "Cells"), ("cells", "Metaphases scored"), ("X", "dicentrics"), ("D", "Dose (Gy)")]
)
def test_two_headings_for_one_thing_are_both_named(headings):
    with pytest.raises(CountsError, match=f"{headings[0]!r} and .*could both be the column"):
        columns(list(headings), COUNTS)


@pytest.mark.parametrize("headings", [["cells", "cells"], ["Remarks", "remarks "], ["C1", "c1"]])
def test_a_heading_twice_is_a_damaged_table(headings):
    with pytest.raises(FileError, match="expected every heading once"):
        columns(headings, COUNTS)


@pytest.mark.parametrize(
    "odd",
    ["C00", "C01", "C²", "C201", "C10000000000", "C" + "9" * 30, "C٣", "C5+", "C3-5", "C1 cells", "c1.0"],
)
def test_numbered_columns_are_plain_or_refused_by_name(odd):
    assert columns(["C0", "c1", "C 2", "C200"], COUNTS) == {
        "C0": "C0",
        "C1": "c1",
        "C2": "C 2",
        "C200": "C200",
    }
    with pytest.raises(CountsError, match="expected columns C0, C1, ... up to C200, got"):
        columns(["C0", odd], COUNTS)


def test_what_lacks_is_that_of_the_nearest_set():
    assert match(["dose", "N"], COUNTS).missing == ("dicentrics",)
    assert match(["dose", "C0"], COUNTS).missing == ()
    assert match(["Lab", "Dose (Gy)"], EXERCISE).missing == ()
