"""Pages escape what people typed, and a missing value is an error, not a hole."""

import base64

import jinja2
import pytest

from cytally.figures.pages import embedded, render


def test_what_a_template_lacks_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render("cytally.dosimetry", "evaluation.html")


def test_a_picture_is_embedded_whole():
    address = embedded(b"\x89PNG...", "image/png")
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64" and base64.b64decode(content) == b"\x89PNG..."
