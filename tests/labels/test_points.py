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


@pytest.mark.parametrize(("text", "message"), [
    ("image,class,row\na.png,dicentric,1\n", "missing col"),
    ("image,class,row,col\na.png,tricentric,1,2\n", "line 2: unknown class 'tricentric'"),
    ("image,class,row,col\nz.png,dicentric,1,2\n", "no image 'z.png'"),
    ("image,class,row,col\na.png,dicentric,one,2\n", "expected numbers"),
    ("image,class,row,col\na.png,dicentric,nan,2\n", "expected finite"),
])  # fmt: skip
def test_a_wrong_table_is_refused_by_line(tmp_path, text, message):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(LabelError, match=message):
        read_labels(tmp_path / "labels.csv", ["a.png"])


def test_a_place_outside_its_image_is_refused():
    with pytest.raises(LabelError, match="row 50, col 10 lies outside"):
        check_inside(points(("dicentric", 50, 10)), (50, 60), "a.png")
