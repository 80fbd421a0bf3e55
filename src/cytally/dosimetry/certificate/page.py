"""Sections -> HTML: one self-contained page that prints well."""

from __future__ import annotations

from cytally import __version__
from cytally.dosimetry.certificate.sections import Case, sections
from cytally.dosimetry.certificate.words import Words
from cytally.dosimetry.report import curve_figure
from cytally.figures.curves import LABELS, as_svg
from cytally.figures.pages import render


def page(case: Case, language: str = "en") -> str:
    """The report as HTML.

    Parameters
    ----------
    case : Case
    language : {"en", "fr"}
    """
    words = Words(language)
    labels = {key: words(key) for key in LABELS}
    return render(
        "cytally.dosimetry", "sample.html",
        language=language, title=words("title"), assay=words("assay"), sample=case.facts.sample,
        made=words("made_with", __version__), sections=sections(case, words), plot=as_svg(curve_figure(case.curve, case.dose, labels)),
    )  # fmt: skip
