"""Sections -> HTML: one self-contained page that prints well."""

from __future__ import annotations

from cytally import __version__
from cytally.dosimetry.phrases import Words
from cytally.dosimetry.reporting.sections import Case, figure_of, sections
from cytally.figures.pages import render
from cytally.figures.style import as_svg


def page(case: Case, language: str = "en") -> str:
    """The report as HTML.

    Parameters
    ----------
    case : Case
    language : {"en", "fr"}
    """
    words = Words(language)
    return render(
        "cytally.dosimetry",
        "sample.html",
        language=language,
        title=words("title"),
        assay=words("assay"),
        sample=case.facts.sample,
        made=words("made_with", __version__),
        sections=sections(case, words),
        plot=as_svg(figure_of(case, words)),
    )
