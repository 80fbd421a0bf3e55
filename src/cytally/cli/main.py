"""`cytally`: the group that holds all commands, and what they share.

Commands import what they need when they run: `--help` and a dose from typed
counts start without loading a network.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from importlib import import_module

import click

from cytally import __version__
from cytally.errors import CytallyError
from cytally.files.names import shown

#: Exit codes: done, failed, wrong use (click's own), done but some inputs were skipped.
FAILED, SKIPPED = 1, 3
#: What a shell gives a program whose output nobody reads any more.
PIPE = 141


#: How what cannot be encoded is printed: bytes of names as tables show them.
_SHOWN = "cytally"


def _printable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    told = shown(error.object[error.start : error.end])
    return told.encode(error.encoding, "backslashreplace").decode(error.encoding), error.end


codecs.register_error(_SHOWN, _printable)


class Commands(click.Group):
    """A group whose commands join it when they are asked for, and end with one clear line, no traceback."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        _join()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        _join()
        return super().list_commands(ctx)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; our own errors and the disk's become a line and exit code 1."""
        for stream in (sys.stdout, sys.stderr):  # a path need not be text
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=_SHOWN)
        try:
            return super().invoke(ctx)
        except CytallyError as error:
            click.echo(f"cytally: {error}", err=True)
            sys.exit(FAILED)
        except BrokenPipeError:  # whoever read the output has had enough; runs are written before they are told
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(PIPE)
        except OSError as error:
            click.echo(f"cytally: {error.filename or 'disk'}: {error.strerror or error}", err=True)
            sys.exit(FAILED)


#: Every file of commands, in the order in which they are shown.
_FILES = (
    "demo",
    "doctor",
    "dosimetry.score",
    "dosimetry.select",
    "dosimetry.curves",
    "dosimetry.dose",
    "dosimetry.report",
    "detector.train",
    "detector.verify",
    "detector.compose",
    "detector.trajectories",
    "laboratory.samples",
    "laboratory.interlab",
    "laboratory.assays",
    "livecell.images",
    "livecell.label",
    "livecell.train",
    "livecell.follow",
    "livecell.experts",
    "flow.images",
    "batch",
)


def _join() -> None:
    """Every file adds its commands."""
    for name in _FILES:
        import_module(f"cytally.cli.{name}")


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
      cytally flow -h         cells that flow: motion and counts in shadow imaging
    """


def main() -> None:
    """Entry point."""
    cli()
