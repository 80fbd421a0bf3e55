"""Figures: the same input gives the same bytes, and names stand there as they were typed."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from cytally.errors import SettingsError
from cytally.figures.curves import BandedCurve, precision_recall_figure
from cytally.figures.laboratory import ScorePanel, threshold_figure, z_score_figure
from cytally.figures.sequences import CountLine, growth_figure
from cytally.figures.style import as_png, as_svg, picture_bytes
from cytally.figures.triage import triage_figure

NAME = "lot $x_1$ at $5"
TWO = np.array([1.0, 2.0])


def triage():
    return triage_figure([NAME], np.array([[0.5, 1.0, np.inf]]), [1.0, 2.0, np.inf], np.array([[1.0, 2.0, 3.0]]))


def growth():
    return growth_figure([CountLine(NAME, TWO, TWO, TWO, TWO, TWO)])


def recall():
    return precision_recall_figure([BandedCurve(NAME, TWO, TWO, np.array([TWO, TWO]), TWO, np.array([TWO, TWO]))])


def scores():
    return z_score_figure([ScorePanel("sample " + NAME, [NAME, "B"], np.array([7.5, np.nan]))])


def thresholds():
    return threshold_figure(np.array([50.0, 500.0]), TWO, TWO, 0.5)


@pytest.mark.parametrize("draw", [triage, growth, recall, scores, thresholds])
def test_the_same_figure_has_the_same_bytes(draw):
    """Ids in an SVG are random in matplotlib unless they are salted."""
    first, second = as_svg(draw()), as_svg(draw())
    assert first == second and re.search(r'id="[a-z]*[0-9a-f]{8,}"', first)
    assert not re.search(r"\d{4}-\d\d-\d\dT", first)


@pytest.mark.parametrize("draw", [triage, growth, recall, scores])
def test_a_dollar_in_a_name_is_a_dollar(draw):
    """matplotlib would set what stands between two of them in italics, or fail on them."""
    figure = draw()
    figure.canvas.draw()
    written = {text.get_text() for text in figure.findobj(Text)}
    raw = {text for text in written if "lot" in text}
    assert raw and all(not text.replace(r"\$", "").count("$") for text in raw)
    assert any(text.replace(r"\$", "$").endswith(NAME) for text in raw)


def test_the_ending_decides_what_is_drawn():
    assert picture_bytes(thresholds(), Path("a.PNG"))[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture_bytes(thresholds(), Path("a.svg")).startswith(b"<svg")
    with pytest.raises(SettingsError, match=r"ends in .svg or .png, got a.gif"):
        picture_bytes(thresholds(), Path("a.gif"))


def test_a_sign_that_the_font_lacks_is_no_warning():
    assert as_png(triage_figure(["\u4e2d"], np.array([[0.0, 1.0, 2.0]]), [1.0, 2.0, np.inf]))
