"""Commands as a person calls them, every one of the program, a run that another process holds, and a page in a browser."""

import os
import shutil
import subprocess

import click
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.files.runs import locked

needs_chromium = pytest.mark.skipif(
    not shutil.which("chromium"), reason="no chromium on this machine: the page was not rendered"
)


def every_command(group, path=()):
    """(words, command) of every command below a group."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


def dosimetry(*words):
    """`cytally dosimetry` with these words; its two outputs are kept apart."""
    try:
        runner = CliRunner(mix_stderr=False)
    except TypeError:  # click 8.2 and later always part them
        runner = CliRunner()
    return runner.invoke(cli, ["dosimetry", *map(str, words)])


def hold(folder, ready, done):
    """Hold the lock of a run, for another process."""
    with locked(folder):
        ready.set()
        done.wait(30)


def photograph(page, folder, size):
    """A page as chromium shows it, a PNG in a folder that is the browser's home too."""
    shot = folder / "page.png"
    quiet = ("background-networking", "component-update", "sync", "gpu")
    options = [
        "--headless",
        "--no-sandbox",
        "--no-first-run",
        *(f"--disable-{each}" for each in quiet),
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={size[0]},{size[1]}",
        f"--screenshot={shot}",
    ]
    subprocess.run(
        ["chromium", *options, page.resolve().as_uri()],
        check=True,
        capture_output=True,
        timeout=120,
        env=os.environ | {"HOME": str(folder)},
    )
    return shot
