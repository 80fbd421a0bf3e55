"""`cytally flow`: the group that its commands join."""

from __future__ import annotations

from cytally.cli.main import cli


@cli.group()
def flow() -> None:
    """Cells that flow: motion and counts in microfluidic shadow imaging.

    \b
    To try it:
      simulate   sequences of a channel with full truth
    """
