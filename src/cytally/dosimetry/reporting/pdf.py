"""Sections -> PDF, on A4, without LaTeX and without a browser."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from cytally import __version__
from cytally.dosimetry.phrases import Words
from cytally.dosimetry.reporting.sections import Case, Section, figure_of, sections
from cytally.figures.style import as_png

#: Millimetres.
_MARGIN, _LABEL, _LINE, _PICTURE = 18.0, 74.0, 4.8, 90.0
_INK, _SOFT, _PALE = (34, 48, 60), (91, 107, 120), (200, 210, 218)
_FONT = "DejaVu"


class _Sheet(FPDF):
    """A4 with page numbers, in a font that has every letter."""

    def __init__(self, words: Words, sample: str) -> None:
        super().__init__(format="A4")
        self.words, self.sample = words, sample
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(_FONT, "", fonts / "DejaVuSans.ttf")
        self.add_font(_FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN)
        self.set_title(words("title"))
        self.set_lang(words.language)

    def footer(self) -> None:
        """Code of the sample and number of the page."""
        self.set_y(-12)
        self.set_font(_FONT, "", 7.5)
        self.set_text_color(*_SOFT)
        self.cell(0, 5, "  ".join(filter(None, (self.sample, self.words("made_with", __version__)))))
        self.set_x(_MARGIN)
        self.cell(0, 5, self.words("page", self.page_no(), "{nb}"), align="R")


def paper(case: Case, language: str = "en") -> bytes:
    """The report as PDF.

    Parameters
    ----------
    case : Case
    language : {"en", "fr"}
    """
    words = Words(language)
    sheet = _Sheet(words, case.facts.sample)
    sheet.add_page()
    _line(sheet, words("title"), 15, bold=True)
    _line(sheet, words("assay"), 8.5, colour=_SOFT)
    parts = sections(case, words)
    for number, part in enumerate(parts, start=1):
        _section(sheet, part, signed=number == len(parts))
        if part.figure:
            _room(sheet, _PICTURE * 0.68)
            sheet.image(io.BytesIO(as_png(figure_of(case, words))), w=_PICTURE, alt_text=words("this_sample"))
    return bytes(sheet.output())


def _section(sheet: _Sheet, part: Section, *, signed: bool) -> None:
    _room(sheet, 28 if not signed else 46)
    sheet.ln(4)
    _line(sheet, part.title, 10.5, bold=True)
    sheet.set_draw_color(*_PALE)
    sheet.line(_MARGIN, sheet.get_y(), sheet.w - _MARGIN, sheet.get_y())
    sheet.ln(1.5)
    for name, value in part.rows:
        _row(sheet, name, value, tall=signed)
    if part.table:
        _table(sheet, part.table)
    for paragraph in part.text:
        sheet.ln(1)
        _line(sheet, paragraph, 9)


def _room(sheet: _Sheet, height: float) -> None:
    """Begin a new page where less than this is left."""
    if sheet.get_y() + height > sheet.h - _MARGIN:
        sheet.add_page()


def _line(sheet: _Sheet, text: str, size: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK) -> None:
    sheet.set_font(_FONT, "B" if bold else "", size)
    sheet.set_text_color(*colour)
    sheet.multi_cell(0, size * 0.52, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _row(sheet: _Sheet, name: str, value: str, *, tall: bool) -> None:
    """A label and its value; a gap is a line to write on."""
    if tall:
        sheet.ln(5.5)
    _room(sheet, 2 * _LINE)
    top = sheet.get_y()
    sheet.set_font(_FONT, "", 9)
    sheet.set_text_color(*_SOFT)
    sheet.multi_cell(_LABEL, _LINE, name, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    below = sheet.get_y()
    left = _MARGIN + _LABEL + 3
    sheet.set_xy(left, top)
    sheet.set_text_color(*_INK)
    if value:
        sheet.multi_cell(0, _LINE, value, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    else:
        sheet.set_draw_color(*_PALE)
        sheet.line(left, below - 0.8, sheet.w - _MARGIN, below - 0.8)
    sheet.set_xy(_MARGIN, max(below, sheet.get_y() if value else below))


def _table(sheet: _Sheet, rows: tuple[tuple[str, ...], ...]) -> None:
    sheet.ln(1.5)
    width = min((sheet.epw - _LABEL) / max(len(rows[0]) - 1, 1), 18.0)
    for row in rows:
        sheet.set_font(_FONT, "", 8.5)
        sheet.set_text_color(*_SOFT)
        sheet.cell(_LABEL, _LINE, row[0], border="B")
        sheet.set_text_color(*_INK)
        for cell in row[1:]:
            sheet.cell(width, _LINE, cell, border="B", align="R")
        sheet.ln(_LINE)
