"""Every command is documented: an example in its help, a place in its group's help and in docs; links lead somewhere."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.cases.commands import every_command

from cytally.cli.main import cli

ROOT = Path(__file__).parents[1]
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
TEXT = "\n".join(PAGES.values())


COMMANDS = dict(every_command(cli))


def test_there_are_as_many_as_there_are():
    assert len(COMMANDS) >= 31 and ("dosimetry", "score") in COMMANDS and ("livecell", "experts", "pages") in COMMANDS


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_every_help_shows_an_example(path):
    text = CliRunner().invoke(cli, [*path, "--help"], terminal_width=200).output
    assert "Example" in text and f"cytally {' '.join(path)}" in text


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_every_option_says_what_it_does(path):
    for option in COMMANDS[path].params:
        if isinstance(option, click.Option):
            told = option.help or option.name in ("seed", "cells", "epochs", "style", "json")
            assert told, f"{' '.join(path)} {option.opts[0]} has no help"


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_every_command_stands_in_docs_and_in_its_groups_help(path):
    assert re.search(rf"\b{' '.join(path[-2:])}\b|`{path[-1]}\b", TEXT), (
        f"cytally {' '.join(path)} is in no page of docs"
    )
    group = CliRunner().invoke(cli, [*path[:-1], "--help"]).output
    if path[:-1] in (("dosimetry",), ("livecell",)):
        assert re.search(rf"^ +{path[-1]} ", group.partition("Options:")[0], re.M), (
            f"{path[-1]} in no group of the help"
        )


def test_links_between_pages_lead_somewhere():
    for page, text in PAGES.items():
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_makefile_names_tests_that_exist() -> None:
    root = Path(__file__).parents[1]
    named = re.findall(r"(tests/[\w/.]+)(?:::(\w+))?", (root / "Makefile").read_text())
    assert named
    for path, test in named:
        assert (root / path).exists(), path
        assert not test or f"def {test}(" in (root / path).read_text(), test
