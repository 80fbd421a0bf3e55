"""`cytally`: the group that holds all commands, and what they share.

Commands import what they need when they run: `--help` and a dose from typed
counts start without loading a network.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from cytally import __version__
from cytally.errors import CytallyError

#: Exit codes: done, failed, wrong use (click's own), done but some inputs were skipped.
FAILED, SKIPPED = 1, 3


class Commands(click.Group):
    """A group whose commands end with one clear line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; our own errors and the disk's become a line and exit code 1."""
        try:
            return super().invoke(ctx)
        except CytallyError as error:
            click.echo(f"cytally: {error}", err=True)
            sys.exit(FAILED)
        except OSError as error:
            click.echo(f"cytally: {error.filename or 'disk'}: {error.strerror or error}", err=True)
            sys.exit(FAILED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cytally")
def cli() -> None:
    """Find and count small or rare things in microscopy images.

    \b
    First steps:
      cytally demo            the main job on simulated cells: images to dose
      cytally doctor          what this machine has
      cytally dosimetry -h    dicentric chromosomes: score, calibrate, dose
      cytally livecell -h     nuclei in phase contrast: label, train, count, track
    """


def main() -> None:
    """Entry point."""
    from cytally.cli import (  # noqa: F401  (they join the group)
        assays,
        certificate,
        composing,
        curves,
        demo,
        doctor,
        dosimetry,
        following,
        laboratory,
        livecell,
        reading,
        reviewing,
        training,
    )

    cli()


if __name__ == "__main__":
    main()
