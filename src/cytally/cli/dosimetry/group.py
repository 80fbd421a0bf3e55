"""`cytally dosimetry`: the group that its commands join."""

from __future__ import annotations

from cytally.cli.main import cli


@cli.group()
def dosimetry() -> None:
    """Dicentric chromosomes and fragments in Giemsa metaphases; yield, curve, dose.

    \b
    The road:
      score           images -> counts, tables, report
      calibrate       counts at known doses -> curve
      curve           a curve that somebody published
      dose            counts + curve -> dose with 95 % limits
      report          a sample's report to sign: HTML, PDF, DOCX
    \b
    A detector that fits your microscope:
      evaluate        false alarms on unexposed cells (--normal); precision and recall on labelled ones
      adapt           fit the shipped detector to your unexposed cells; nothing needs labels
      compose         labelled cells made out of unexposed ones
      simulate        labelled metaphases from nothing
      train           a detector from labelled, composed or simulated cells
      verify          a second stage that looks again at what a detector proposes
    \b
    From typed counts alone:
      triage          many samples sorted by dose
      plan            cells to score for a wanted precision
      compare         a low count with a control, or with a suspected dose
      interlab        laboratories by z scores
    \b
    Other questions:
      heterogeneous   two doses in one body
      qdr             dose to the exposed part of a body
      mixed-field     neutrons with gamma rays
      translocations  painted chromosomes
    """
