"""`cytally dosimetry`: the group that its commands join."""

from __future__ import annotations

from pathlib import Path

import click

from cytally.cli.main import cli
from cytally.cli.options import Decorator, Finite, together


@cli.group()
def dosimetry() -> None:
    """Dicentric chromosomes and fragments in Giemsa metaphases; yield, curve, dose.

    \b
    The road:
      select          which cells can be scored, and why not
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
      trajectories    how a training moved the features of what it looks for
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


#: Under which thresholds an ensemble decides.
THRESHOLDS = together(
    click.option("--confidence", type=Finite(0, 1, True, True), help="T_C: let all members vote, without verifiers."),
    click.option("--agreement", type=click.IntRange(0), help="T_A: let all members vote; votes to be exceeded."),
    click.option(
        "--probability",
        type=Finite(0, 1, max_open=True),
        help="Probability that the verifiers must exceed.  [default: the card's]",
    ),
)


def composed_from(share: float) -> Decorator:
    """Options of cells that are composed from real ones, and of their share."""
    return together(
        click.option(
            "--normal",
            type=click.Path(path_type=Path, file_okay=False, exists=True),
            help="Folder of unexposed, unlabelled cells from which labelled ones are composed.",
        ),
        click.option(
            "--composed",
            type=Finite(0, 1),
            default=share,
            show_default=True,
            help="Share of composed cells (with --normal).",
        ),
    )
