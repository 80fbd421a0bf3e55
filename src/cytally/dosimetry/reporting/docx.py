"""Sections -> DOCX, for those who add to a report before it is signed."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from cytally import __version__
from cytally.dosimetry.phrases import Words
from cytally.dosimetry.reporting.sections import Case, Section, figure_of, sections
from cytally.figures.style import as_png

if TYPE_CHECKING:
    from docx.document import Document

_WIDTH_MM = 130.0
#: What no XML file may hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_GAP = "_" * 34


def document(case: Case, language: str = "en") -> bytes:
    """The report as DOCX.

    Parameters
    ----------
    case : Case
    language : {"en", "fr"}
    """
    import docx  # takes a tenth of a second, which only this needs
    from docx.shared import Mm

    words = Words(language)
    paper = docx.Document()
    paper.core_properties.title = words("title")
    paper.core_properties.author = ""
    paper.core_properties.language = language
    paper.add_heading(words("title"), 0)
    paper.add_paragraph(words("assay"))
    for part in sections(case, words):
        paper.add_heading(part.title, 2)
        _rows(paper, part)
        if part.table:
            _table(paper, part.table)
        for paragraph in part.text:
            paper.add_paragraph(_clean(paragraph))
        if part.figure:
            paper.add_picture(io.BytesIO(as_png(figure_of(case, words))), width=Mm(_WIDTH_MM))
    paper.add_paragraph(words("made_with", __version__))
    buffer = io.BytesIO()
    paper.save(buffer)
    return buffer.getvalue()


def _rows(paper: Document, part: Section) -> None:
    """What, and its value; a gap is a line to write on."""
    if not part.rows:
        return
    table = paper.add_table(rows=0, cols=2)
    for name, value in part.rows:
        cells = table.add_row().cells
        cells[0].text, cells[1].text = name, _clean(value) or _GAP


def _table(paper: Document, rows: tuple[tuple[str, ...], ...]) -> None:
    table = paper.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
