"""`cytally livecell`: the group that its commands join."""

from __future__ import annotations

from cytally.cli.main import cli


@cli.group()
def livecell() -> None:
    """Living cells: nuclei counted and followed in phase contrast, labelled by their fluorescence.

    \b
    All at once:
      run        phase contrast + some fluorescence -> labels, network, counts, tracks, report
    \b
    Step by step:
      label      fluorescence -> masks of single nuclei; bad ones rejected with their reason
      train      labelled folders -> an ensemble
      evaluate   an ensemble against labels that it has not seen
      count      images -> nuclei per field with limits
      track      a time-lapse -> tracks (Cell Tracking Challenge folder), movie
      experts    pages for experts to tick errors on; how far two experts agree
      unstack    TIFF stacks -> single images
      names      what is understood of the file names in a folder
      simulate   time-lapses with full truth, to try all of it
    """
