import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.errors import LabelError
from cytally.labels.points import check_inside, read_labels, spots, write_labels
from cytally.types import Points


def slow_spots(places, shape, stride, sigma):
    heat = np.zeros(shape)
    for r in range(shape[0]):
        for c in range(shape[1]):
            for row, col in places:
                y, x = (row + 0.5) / stride - 0.5, (col + 0.5) / stride - 0.5
                heat[r, c] = max(heat[r, c], np.exp(-((r - y) ** 2 + (c - x) ** 2) / (2 * sigma**2)))
    return heat


@given(st.lists(st.tuples(st.floats(-20, 120), st.floats(-20, 140)), max_size=4))
def test_spots_equal_their_slow_twin(places):
    fast = spots(np.array(places).reshape(-1, 2), (25, 30), 4, 1.5)
    slow = slow_spots(places, (25, 30), 4, 1.5)
    np.testing.assert_allclose(fast, slow, atol=4e-4)  # cut off at 4 sigma: exp(-8) = 3.4e-4


def test_a_spot_peaks_at_its_place():
    heat = spots(np.array([[41.5, 61.5]]), (30, 30), 4, 2.0)
    assert heat[10, 15] == pytest.approx(1.0)
    assert np.unravel_index(heat.argmax(), heat.shape) == (10, 15)


def points(*rows):
    return Points(
        np.array([r for _, r, _ in rows], float),
        np.array([c for *_, c in rows], float),
        tuple(n for n, *_ in rows),
    )


def test_labels_come_back(tmp_path):
    given_labels = {"a.png": points(("dicentric", 1.5, 2), ("fragment", 30, 4)), "b.png": Points.empty()}
    write_labels(tmp_path / "labels.csv", given_labels)
    found = read_labels(tmp_path / "labels.csv", ["a.png", "b.png"])
    assert found["a.png"].names == ("dicentric", "fragment")
    np.testing.assert_array_equal(found["a.png"].row, [1.5, 30])
    assert len(found["b.png"]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,class,row\na.png,dicentric,1\n", "missing col; found 'image', 'class', 'row'"),
        ("image,class,row,col\na.png,tricentric,1,2\n", "line 2: unknown class 'tricentric'"),
        ("image,class,row,col\nz.png,dicentric,1,2\n", "line 2: no image 'z.png'"),
        ("image,class,row,col\na.png,dicentric,one,2\n", "line 2: expected a number in row, got 'one'"),
        ("image,class,row,col\na.png,dicentric,nan,2\n", "expected a number in row, got 'nan'; a finite number"),
        ("image,class,row,col\na.png,dicentric,1_0,2\n", "expected a number in row, got '1_0'"),
        ("image,class,row,col\na.png,dicentric,5,1,5\n", "line 2: expected 4 columns, got 5; are there decimal commas"),
        ("image,class,row,col\na.png,dicentric,5\n", "line 2: expected 4 columns, got 3"),
        ("image;class;row;col\na.png;dicentric;1,024;5\n", "the comma may part thousands or decimals"),
        ("image,class,row (um),col\na.png,dicentric,1,2\n", "missing row"),
        ("image,class,row,col,column\na.png,dicentric,1,2,2\n", "'col' and 'column' could both be the column col"),
    ],
)
def test_a_wrong_table_is_refused_by_line(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(LabelError, match=message):
        read_labels(tmp_path / "labels.csv", ["a.png"])


@pytest.mark.parametrize(
    ("content", "image"),
    [
        ("\ufeffimage,class,row,col\r\n1.png,dicentric,10.5,20\r\n", "1.png"),
        ("image;class;row;col\n1.png;dicentric;10,5;20\n", "1.png"),
        ("Image,Class,Row,Col\n1.png,Dicentric,10.5,20\n", "1.png"),
        ("image,class,row,col,remarks\n,,,,\n1.png,dicentric,10.5,20,sure\n", "1.png"),
        ("image,class,row,col\nS17\\1.PNG,dicentric,10.5,20\n", "S17/1.png"),
        ("image\tclass\trow\tcol\n1.png\tdicentric\t10.5\t20\n".encode("utf-16"), "1.png"),
        ("image,class,row,col\nBild ä.png,dicentric,10.5,20\n".encode("cp1252"), "Bild ä.png"),
        ("image,class,row,col\nBild a\u0308.png,dicentric,10.5,20\n", "Bild ä.png"),
        ("image,class,row,col\n'=1.png,dicentric,10.5,20\n", "=1.png"),
    ],
)
def test_labels_as_spreadsheets_and_other_systems_write_them(tmp_path, content, image):
    path = tmp_path / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_labels(path, [image, "other.png"])[image]
    assert (found.names, found.row.tolist(), found.col.tolist()) == (("dicentric",), [10.5], [20.0])


def test_capitals_tell_two_images_apart(tmp_path):
    (tmp_path / "labels.csv").write_text("image,class,row,col\nA.png,dicentric,1,2\n")
    found = read_labels(tmp_path / "labels.csv", ["a.png", "A.png"])
    assert len(found["A.png"]) == 1 and len(found["a.png"]) == 0
    with pytest.raises(LabelError, match="no image 'A.png'"):
        read_labels(tmp_path / "labels.csv", ["a.png", "a.PNG"])


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n/\\"), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
        unique_by=lambda name: unicodedata.normalize("NFC", name),
    )
)
def test_any_name_of_an_image_comes_back(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("t") / "labels.csv"
    write_labels(path, {name: points(("dicentric", k, 2 * k)) for k, name in enumerate(names)})
    assert {name: len(found) for name, found in read_labels(path, names).items()} == dict.fromkeys(names, 1)


def test_a_place_outside_its_image_is_refused():
    with pytest.raises(LabelError, match="row 50, col 10 lies outside"):
        check_inside(points(("dicentric", 50, 10)), (50, 60), "a.png")
